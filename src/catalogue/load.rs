//! The kinds that are built in, each parsed when it is first asked for. Central functions: [`kind`] and [`default_kind`].
//!
//! A kind is two files in `kinds/`: what Auth0's document gives, and the overlay of what it does not say. `build.rs` lists them,
//! so that one more is a matter of data.
//!
//! A broken file can only be a mistake in the repository, and a test reads them all. Should one slip through, its kind has no
//! fields, so that every job is refused rather than misread, and [`defect`] says why.

use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::linked::Linked;
use super::overlay::{Overlay, RuleError, derive_unset};
use super::{Field, FieldType, Kind, KindName};
use crate::model::Endpoint;
use crate::model::suggest::nearest;

/// Why a built-in file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the built-in catalogue of {kind} is broken: {cause}")]
pub struct LoadError {
    kind: &'static str,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("data: {0}")]
    Data(#[from] serde_json::Error),
    #[error("overlay: {0}")]
    Overlay(#[from] toml::de::Error),
    #[error("overlay: {0}")]
    Rule(#[from] RuleError),
}

/// A kind as it stands in the repository.
struct Source {
    /// In the plural: the name of its files.
    name: &'static str,
    data: &'static str,
    overlay: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/kinds.rs"));

/// The kind that is meant where none is named.
const DEFAULT: &str = "clients";

/// The kind of that name: in the plural or the singular, its words apart by any sign.
pub fn kind(name: &str) -> Option<&'static Kind> {
    let plain = |name: &str| name.trim().replace([' ', '_'], "-").to_lowercase();
    let wanted = plain(name);
    let at =
        SOURCES.iter().position(|source| source.name == wanted || plain(&singular(source.name)) == wanted);
    Some(loaded(at?))
}

/// One of a kind, in messages: `client grant`.
fn singular(name: &str) -> String {
    name.strip_suffix('s').unwrap_or(name).replace('-', " ")
}

/// What every kind is called.
pub fn names() -> impl Iterator<Item = &'static str> {
    SOURCES.iter().map(|source| source.name)
}

/// What is wrong with a kind's name in a job, and what to do; `None` for one that jobs can be about.
pub fn unknown_kind(name: &str) -> Option<(String, String)> {
    if kind(name).is_some() {
        return None;
    }
    let known: Vec<&str> = names().collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("this version knows: {}", known.join(", ")),
    };
    Some((format!("there is no kind `{name}`"), help))
}

/// The kind that is meant where none is named: clients.
pub fn default_kind() -> &'static Kind {
    // A name that has no files is a mistake that the tests find; any kind will do for them to start.
    loaded(SOURCES.iter().position(|source| source.name == DEFAULT).unwrap_or_default())
}

/// Every built-in kind.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    (0..SOURCES.len()).map(loaded)
}

/// What is wrong with the built-in files of the default kind, or of one that was asked for; nothing, in a build that passed its
/// tests.
pub fn defect() -> Option<&'static LoadError> {
    default_kind();
    CELLS.iter().find_map(|cell| cell.get()?.defect.as_ref())
}

struct Loaded {
    kind: Kind,
    defect: Option<LoadError>,
}

/// Each is parsed when it is first asked for: a start must not wait for kinds that nobody names.
static CELLS: LazyLock<Vec<OnceLock<Loaded>>> =
    LazyLock::new(|| SOURCES.iter().map(|_| OnceLock::new()).collect());

/// The kind whose files stand at this place.
fn loaded(at: usize) -> &'static Kind {
    let loaded = CELLS[at].get_or_init(|| match load(&SOURCES[at]) {
        Ok(kind) => Loaded { kind, defect: None },
        Err(defect) => Loaded { kind: without_fields(&SOURCES[at]), defect: Some(defect) },
    });
    &loaded.kind
}

/// The generated file: a kind's name, the calls that there are, and its root fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    #[serde(rename = "kind")]
    _kind: String,
    endpoint: Map<String, Value>,
    fields: Map<String, Value>,
}

fn load(source: &Source) -> Result<Kind, LoadError> {
    read(source).map_err(|cause| LoadError { kind: source.name, cause })
}

fn read(source: &Source) -> Result<Kind, Cause> {
    let data: Data = serde_json::from_str(source.data)?;
    let overlay: Overlay = toml::from_str(source.overlay)?;
    let mut root = Map::from_iter([("fields".to_owned(), Value::Object(data.fields))]);
    overlay.lay_over(&mut root)?;
    derive_unset(&mut root, false);
    root.insert("type".to_owned(), json!("object"));
    // An empty PATCH is refused with "Too few properties defined (0), minimum 1".
    root.insert("min_properties".to_owned(), json!(1));
    let root: Field = serde_json::from_value(Value::Object(root))?;
    let mut endpoint = data.endpoint;
    endpoint.extend(overlay.endpoint);
    let endpoint: Endpoint = serde_json::from_value(Value::Object(endpoint))?;
    let linked = Linked { links: overlay.links, twins: overlay.twins };
    let associated = endpoint.associations.iter().map(|association| association.field.as_str());
    let mut named = linked
        .roots()
        .chain(associated)
        .chain(overlay.identity.iter().chain(&overlay.told_apart).map(String::as_str));
    let unknown = named.find(|name| !root.fields.contains_key(*name)).map(str::to_owned);
    drop(named);
    match unknown {
        Some(unknown) => Err(RuleError::NoSuchField(unknown).into()),
        None => Ok(Kind {
            identity: if overlay.identity.is_empty() {
                vec![endpoint.name_field.clone()]
            } else {
                overlay.identity
            },
            told_apart: overlay.told_apart,
            root: Field { ty: FieldType::Object, open: false, ..root },
            linked,
            endpoint,
            ..without_fields(source)
        }),
    }
}

/// A kind of which nothing but its name is known.
fn without_fields(source: &Source) -> Kind {
    let nowhere = Endpoint {
        path: source.name.to_owned(),
        collection: source.name.to_owned(),
        id_field: "id".to_owned(),
        ..Endpoint::default()
    };
    Kind {
        name: KindName(source.name),
        singular: singular(source.name),
        identity: Vec::new(),
        told_apart: Vec::new(),
        endpoint: nowhere,
        root: Field { ty: FieldType::Object, ..Field::default() },
        linked: Linked::default(),
        extra: Vec::new(),
        patterns: OnceLock::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients() -> &'static Source {
        SOURCES.iter().find(|source| source.name == DEFAULT).unwrap()
    }

    #[test]
    fn every_built_in_file_loads_and_names_its_kind() {
        for source in SOURCES {
            load(source).unwrap();
            let data: Data = serde_json::from_str(source.data).unwrap();
            assert_eq!(data._kind, source.name);
        }
        assert!(kinds().count() > 0 && defect().is_none());
    }

    #[test]
    fn a_broken_overlay_names_the_field_and_leaves_no_fields() {
        let broken = |overlay: &'static str| Source { overlay, ..*clients() };
        let error = |overlay: &'static str| load(&broken(overlay)).unwrap_err().to_string();
        assert!(error("[[rule]]\npaths = ['calbacks']\nsource = ''\norder = 'set'").contains("calbacks"));
        assert!(error("[[rule]]\npaths = ['callbacks']\nsource = ''\nordr = 'set'").contains("ordr"));
        assert!(error("[[rule]]\npaths = ['callbacks']\nsource = ''\nnew = true").contains("by now"));
        assert!(error("[[rule]]\npaths = ['callbacks']").contains("source"));
    }

    #[test]
    fn loading_takes_a_moment_only() {
        let start = std::time::Instant::now();
        load(clients()).unwrap();
        // 2 ms in a release build; a debug build on a busy machine is given far more.
        assert!(start.elapsed().as_millis() < 200, "{:?}", start.elapsed());
    }
}
