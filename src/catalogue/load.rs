//! The kinds that are built in, parsed once. Central functions: [`kind`] and [`default_kind`].
//!
//! A broken file can only be a mistake in the repository, and a test reads them all. Should one slip through, its kind has no
//! fields, so that every job is refused rather than misread, and [`defect`] says why.

use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::linked::Linked;
use super::overlay::{Overlay, RuleError, derive_unset};
use super::{Field, FieldType, Kind};
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
    name: &'static str,
    singular: &'static str,
    data: &'static str,
    overlay: &'static str,
    endpoint: fn() -> Endpoint,
}

/// The first is the default.
const SOURCES: [Source; 1] = [Source {
    name: "clients",
    singular: "client",
    data: include_str!("clients.json"),
    overlay: include_str!("clients.overlay.toml"),
    endpoint: clients_endpoint,
}];

/// Auth0 Management API, "Get clients" and "Update a client"; that page numbers end at 1,000 is documented for other
/// kinds alone, and a checkpoint is safe above it in any case.
fn clients_endpoint() -> Endpoint {
    let filter = |value: &str| vec![("is_global".to_owned(), value.to_owned())];
    Endpoint {
        path: "clients".to_owned(),
        collection: "clients".to_owned(),
        id_field: "client_id".to_owned(),
        name_field: "name".to_owned(),
        list_filter: filter("false"),
        excluded_filter: filter("true"),
        offset_limit: 1000,
        page_size: 100,
        read_scope: "read:clients".to_owned(),
        update_scope: "update:clients".to_owned(),
    }
}

/// The kind of that name, in the plural or the singular.
pub fn kind(name: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.name == name || kind.singular == name)
}

/// What is wrong with a kind's name in a job, and what to do; `None` for one that jobs can be about.
pub fn unknown_kind(name: &str) -> Option<(String, String)> {
    if kind(name).is_some() {
        return None;
    }
    let known: Vec<&str> = kinds().map(|kind| kind.name.as_str()).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("this version knows: {}", known.join(", ")),
    };
    Some((format!("there is no kind `{name}`"), help))
}

/// The kind that is meant where none is named: clients.
pub fn default_kind() -> &'static Kind {
    &loaded().default
}

/// Every built-in kind.
pub fn kinds() -> impl Iterator<Item = &'static Kind> {
    let loaded = loaded();
    std::iter::once(&loaded.default).chain(&loaded.others)
}

/// What is wrong with the built-in files; nothing, in a build that passed its tests.
pub fn defect() -> Option<&'static LoadError> {
    loaded().defects.first()
}

struct Loaded {
    default: Kind,
    others: Vec<Kind>,
    defects: Vec<LoadError>,
}

fn loaded() -> &'static Loaded {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    LOADED.get_or_init(|| {
        let mut defects = Vec::new();
        let mut load_or_report = |source: &Source| {
            load(source).unwrap_or_else(|error| {
                defects.push(error);
                build(source, Field::default(), Linked::default())
            })
        };
        let [default, others @ ..] = &SOURCES;
        let default = load_or_report(default);
        let others = others.iter().map(load_or_report).collect();
        Loaded { default, others, defects }
    })
}

/// The generated file: a kind's name and its root fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    #[serde(rename = "kind")]
    _kind: String,
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
    let linked = Linked { links: overlay.links, twins: overlay.twins };
    let unknown = linked.roots().find(|name| !root.fields.contains_key(*name)).map(str::to_owned);
    match unknown {
        Some(unknown) => Err(RuleError::NoSuchField(unknown).into()),
        None => Ok(build(source, root, linked)),
    }
}

fn build(source: &Source, root: Field, linked: Linked) -> Kind {
    let root = Field { ty: FieldType::Object, open: false, ..root };
    Kind {
        name: source.name.to_owned(),
        singular: source.singular.to_owned(),
        endpoint: (source.endpoint)(),
        root,
        linked,
        extra: Vec::new(),
        patterns: OnceLock::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_file_loads_and_names_its_kind() {
        for source in &SOURCES {
            load(source).unwrap();
            let data: Data = serde_json::from_str(source.data).unwrap();
            assert_eq!(data._kind, source.name);
        }
        assert!(defect().is_none());
    }

    #[test]
    fn a_broken_overlay_names_the_field_and_leaves_no_fields() {
        let broken = |overlay| Source { overlay, ..SOURCES[0] };
        let error = |overlay| load(&broken(overlay)).unwrap_err().to_string();
        assert!(error("[[rule]]\npaths = ['calbacks']\nsource = ''\norder = 'set'").contains("calbacks"));
        assert!(error("[[rule]]\npaths = ['callbacks']\nsource = ''\nordr = 'set'").contains("ordr"));
        assert!(error("[[rule]]\npaths = ['callbacks']\nsource = ''\nnew = true").contains("by now"));
        assert!(error("[[rule]]\npaths = ['callbacks']").contains("source"));
    }

    #[test]
    fn loading_takes_a_moment_only() {
        let start = std::time::Instant::now();
        load(&SOURCES[0]).unwrap();
        // 2 ms in a release build; a debug build on a busy machine is given far more.
        assert!(start.elapsed().as_millis() < 200, "{:?}", start.elapsed());
    }
}
