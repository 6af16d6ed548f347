//! `--load FILE`: what somebody kept becomes the state of simulated tenants. Central type: [`Landscape`].

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::super::error::CliError;
use super::loaded::{check_ids, make_storable, parse};
use crate::catalogue::{Kind, default_kind, kinds};
use crate::model::Body;

/// What is kept of a tenant.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Landscape {
    /// Where there are some, or an object says that there are none.
    pub(super) clients: Option<Vec<Body>>,
    /// Objects of other kinds, by the kind's name.
    pub(super) objects: BTreeMap<String, Vec<Body>>,
}

/// Reads clients in any form in which they are kept, and objects whose keys are kinds (`{"clients": […], "connections": […]}`),
/// as which lists of the API will do.
///
/// # Errors
/// For a file that cannot be read or is none of these, with the place.
pub(super) fn read(path: &Path) -> Result<Landscape, CliError> {
    let wrong = |cause: String| CliError::usage(format!("--load {}: {cause}", path.display()));
    let other = path.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase);
    if let Some(form @ ("csv" | "toml")) = other.as_deref() {
        let form = form.to_uppercase();
        return Err(wrong(format!(
            "{form} leaves out what clients hold; `get --all --format json` keeps it"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    landscape(&text).map_err(wrong)
}

fn landscape(text: &str) -> Result<Landscape, String> {
    let documents: Result<Vec<Value>, _> =
        serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}')).into_iter().collect();
    let documents = documents.map_err(|error| format!("not JSON: {error}"))?;
    if !documents.iter().any(names_others) {
        return Ok(Landscape { clients: Some(parse(text)?), ..Landscape::default() });
    }
    let mut found = Landscape::default();
    for document in documents {
        let Value::Object(document) = document else {
            return Err("a list stands beside an object of kinds: put it in there".to_owned());
        };
        for (key, value) in document {
            // What a list tells of its pages is a number or a text.
            if let Some(kind) = named(&key) {
                found.add(kind, value)?;
            } else if value.is_array() || value.is_object() {
                return Err(format!("`{key}` is no kind"));
            }
        }
    }
    Ok(found)
}

/// Whether a document is about other kinds than clients.
fn names_others(document: &Value) -> bool {
    let keys = document.as_object().into_iter().flatten().filter(|(_, value)| value.is_array());
    keys.filter_map(|(key, _)| named(key)).any(|kind| !std::ptr::eq(kind, default_kind()))
}

/// The kind that a key names: by its own name, or as lists call it.
fn named(key: &str) -> Option<&'static Kind> {
    kinds().find(|kind| kind.name == key || kind.endpoint.collection == key)
}

impl Landscape {
    fn add(&mut self, kind: &'static Kind, list: Value) -> Result<(), String> {
        let Value::Array(items) = list else { return Err(format!("`{}` is no list", kind.name)) };
        if std::ptr::eq(kind, default_kind()) {
            let clients =
                if items.is_empty() { Vec::new() } else { parse(&Value::Array(items).to_string())? };
            self.clients.get_or_insert_default().extend(clients);
            return Ok(());
        }
        let objects = self.objects.entry(kind.name.to_string()).or_default();
        for (at, item) in (1..).zip(items) {
            let Value::Object(mut object) = item else {
                return Err(format!("entry {at} of `{}` is no object", kind.name));
            };
            make_storable(&mut object);
            objects.push(object);
        }
        check_ids(objects, &kind.endpoint).map_err(|cause| format!("`{}`: {cause}", kind.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_kinds_and_lists_of_the_api_are_read_together() {
        let text = r#"{"clients": [{"client_id": "a"}], "resource-servers": [{"id": "1"}], "tenant": "t"}
            {"total": 1, "start": 0, "resource_servers": [{"id": "2"}]} {"roles": []}"#;
        let found = landscape(text).unwrap();
        assert_eq!(found.clients.unwrap().len(), 1);
        assert_eq!(found.objects["resource-servers"].len(), 2);
        assert!(found.objects["roles"].is_empty());
        assert_eq!(landscape(r#"{"roles": [{"name": "x"}]}"#).unwrap().clients, None);
        assert_eq!(landscape(r#"[{"client_id": "a"}]"#).unwrap().clients.unwrap().len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, said) in [
            ("[]", "holds no client"),
            (r#"{"roles": [], "hooks": []}"#, "`hooks` is no kind"),
            (r#"{"roles": [1]}"#, "entry 1 of `roles` is no object"),
            (r#"{"roles": [{"id": "1"}, {"id": "1"}]}"#, "`roles`: entries 1 and 2 have one id"),
            (r#"{"roles": []} [1]"#, "put it in there"),
            (r#"{"roles": []"#, "not JSON"),
        ] {
            let error = landscape(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
