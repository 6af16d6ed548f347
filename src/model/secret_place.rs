//! Secrets that a job sets. Central types: [`SecretPlace`] (where one is kept, which is all that jobs, plans, journals and reports
//! hold of it) and [`Secrets`] (what was found there, which nothing but a request holds).

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde_json::Value;

use super::{Body, FieldChange, Secret};

/// Where the value of a secret field is kept. In a body it stands as a text, in the place of the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretPlace {
    /// A variable of the environment, or of the `.env` file.
    Env(String),
    /// A file, by its absolute path.
    File(String),
    /// A variable of the tenant, which `patchwave.toml` says where to find.
    Var(String),
}

const BEGIN: &str = "(secret from ";

impl SecretPlace {
    /// The place that a value names, if it stands for a secret.
    pub fn of(value: &Value) -> Option<Self> {
        Self::parse(value.as_str()?)
    }

    /// The file at a path.
    pub fn file(path: &Path) -> Self {
        Self::File(path.display().to_string())
    }

    fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.strip_prefix(BEGIN)?.strip_suffix(')')?.split_once(' ')?;
        let name = name.to_owned();
        Some(match kind {
            "env" => Self::Env(name),
            "file" => Self::File(name),
            "variable" => Self::Var(name),
            _ => return None,
        })
    }

    /// What stands in a body in the place of the secret.
    pub fn marker(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Env(name) => ("env", name),
            Self::File(path) => ("file", path),
            Self::Var(name) => ("variable", name),
        };
        write!(f, "{BEGIN}{kind} {name})")
    }
}

/// The secrets that a job sets in one tenant, each with its place.
#[derive(Debug, Clone, Default)]
pub struct Secrets(BTreeMap<SecretPlace, Secret>);

impl Secrets {
    /// Whether there is none: what nearly every job sets.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was found at a place.
    pub fn get(&self, place: &SecretPlace) -> Option<&Secret> {
        self.0.get(place)
    }

    /// Whether the same was found at both places.
    pub fn are_same(&self, one: &SecretPlace, other: &SecretPlace) -> bool {
        let found = |place| self.0.get(place).map(Secret::expose);
        one == other || found(one).is_some() && found(one) == found(other)
    }

    /// Names a secret that is kept at several places by the one that the changes take it from, so that a body can be compared
    /// with them.
    pub fn agree<'c>(&self, changes: impl IntoIterator<Item = &'c FieldChange>, body: &mut Body) {
        if self.0.len() < 2 {
            return;
        }
        for change in changes {
            let place = |value: Option<&Value>| SecretPlace::of(value?);
            let (wanted, held) = (place(change.after.as_ref()), place(change.path.get(body)));
            if let Some((wanted, _)) = wanted.zip(held).filter(|(wanted, held)| self.are_same(wanted, held)) {
                change.path.put(body, wanted.marker());
            }
        }
    }

    /// A place where this text was found.
    pub fn place_of(&self, text: &str) -> Option<&SecretPlace> {
        self.0.iter().find(|(_, secret)| secret.expose() == text).map(|(place, _)| place)
    }
}

impl FromIterator<(SecretPlace, Secret)> for Secrets {
    fn from_iter<I: IntoIterator<Item = (SecretPlace, Secret)>>(found: I) -> Self {
        Self(found.into_iter().collect())
    }
}

/// Of the same places.
impl PartialEq for Secrets {
    fn eq(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

impl Eq for Secrets {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_the_text_that_stands_for_it() {
        let places = [
            SecretPlace::Env("A_B".into()),
            SecretPlace::file(Path::new("/run/a (b)")),
            SecretPlace::Var("x".into()),
        ];
        for place in places {
            assert_eq!(SecretPlace::of(&place.marker()), Some(place));
        }
        for other in ["(secret: kept as it is)", "(secret from the vault)", "secret from env A"] {
            assert_eq!(SecretPlace::of(&other.into()), None, "{other}");
        }
    }

    #[test]
    fn what_was_found_is_not_shown() {
        let secrets: Secrets = [(SecretPlace::Env("A".into()), Secret::new("hush"))].into_iter().collect();
        assert!(!format!("{secrets:?}").contains("hush"));
        assert_eq!(secrets.place_of("hush"), Some(&SecretPlace::Env("A".into())));
    }
}
