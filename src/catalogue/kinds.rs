//! Kinds by their names, with the fields that the user lets through. Central types: [`KindName`] and [`Kinds`].

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Kind, Lookup, load};
use crate::model::FieldPath;

/// What jobs, plans and files call a kind of object: one that is built in, in the plural.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindName(pub(super) &'static str);

impl KindName {
    /// The text itself.
    pub fn as_str(&self) -> &'static str {
        self.0
    }

    /// Whether it is the kind that is meant where none is named.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The kind as it is built in.
    pub fn kind(self) -> &'static Kind {
        // There is no other way to a name than from the list of those that are built in.
        load::kind(self.0).unwrap_or_else(|| load::default_kind())
    }
}

impl Default for KindName {
    fn default() -> Self {
        load::default_kind().name
    }
}

impl PartialEq<str> for KindName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for KindName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl Deref for KindName {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl fmt::Debug for KindName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl Serialize for KindName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for KindName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        load::kind(&name).map(|kind| kind.name).ok_or_else(|| {
            serde::de::Error::custom(format!("it is about {name}, which this patchwave does not know"))
        })
    }
}

/// The kinds, each with the fields that the user lets through beside those of the catalogue. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    extra: Arc<[FieldPath]>,
    /// Those that have been made, since each lives as long as the process.
    made: Arc<Mutex<Vec<&'static Kind>>>,
}

impl Kinds {
    /// Those of the catalogue, with nothing beside them.
    pub fn built_in() -> &'static Self {
        static BUILT_IN: LazyLock<Kinds> = LazyLock::new(Kinds::default);
        &BUILT_IN
    }

    /// With these fields. One that stands below a text in some kinds is let through in the others.
    ///
    /// # Errors
    /// The first path that can be a field of no kind.
    pub fn with_extra_fields(extra: &[FieldPath]) -> Result<Self, FieldPath> {
        let kinds = Self { extra: extra.into(), made: Arc::default() };
        match extra.iter().find(|path| !load::kinds().any(|kind| fits(kind, path))) {
            Some(path) => Err(path.clone()),
            None => Ok(kinds),
        }
    }

    /// The fields beside those of the catalogue.
    pub fn extra_fields(&self) -> &[FieldPath] {
        &self.extra
    }

    /// The kind of a name.
    pub fn get(&self, name: KindName) -> &'static Kind {
        let built_in = name.kind();
        if self.extra.is_empty() {
            return built_in;
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kind) = made.iter().find(|kind| kind.name == name) {
            return kind;
        }
        let fitting: Vec<FieldPath> =
            self.extra.iter().filter(|path| fits(built_in, path)).cloned().collect();
        let kind = built_in.with_extra_fields(&fitting).unwrap_or(built_in);
        made.push(kind);
        kind
    }

    /// The kind that is meant where none is named.
    pub fn default_kind(&self) -> &'static Kind {
        self.get(KindName::default())
    }
}

/// Whether what encloses a path takes keys.
fn fits(kind: &'static Kind, path: &FieldPath) -> bool {
    path.parent()
        .is_none_or(|outer| !matches!(kind.lookup(&outer), Lookup::Field(field) if !field.takes_keys()))
}
