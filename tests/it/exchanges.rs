//! A PATCH as the service answers it, from the command line: for each exchange a client is as it was before, a file that `get`
//! wrote is edited to say what it was after, and `apply`, `plan` and `undo` are held against it.
//!
//! One set is recorded, and read where it is at hand; the other is written for this project, and covers the same behaviours.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use patchwave::catalogue::{Lookup, Writable, default_kind, redact};
use patchwave::model::value::same;
use patchwave::model::{FieldPath, ListOrder};
use patchwave::sandbox::Options;
use serde_json::{Map, Value, json};

use crate::common::{Case, Done, Served};

type Body = Map<String, Value>;

struct Exchange {
    source: String,
    before: Body,
    after: Body,
}

fn lines(path: &Path) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn object(value: &Value) -> Body {
    value.as_object().unwrap().clone()
}

/// Exchanges whose state before is known whole. In many recordings the read before the PATCH asked for two or three fields:
/// what is not known of those is as the exchange before left it, or else as it is afterwards, since it was not written.
fn known(lines: &[Value]) -> Vec<Exchange> {
    let mut earlier: BTreeMap<String, Body> = BTreeMap::new();
    let mut exchanges = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let id = line["client_id"].as_str().map_or_else(|| at.to_string(), str::to_owned);
        let (mut before, mut after) = (object(&line["before"]), object(&line["after"]));
        if !before.contains_key("name") {
            let patch = object(&line["patch"]);
            let seen = std::mem::take(&mut before);
            before = earlier.get(&id).cloned().unwrap_or_else(|| {
                let written = |key: &str| patch.contains_key(key) || is_linked(&patch, key);
                after
                    .iter()
                    .filter(|(key, _)| !written(key))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect()
            });
            // Beside fields of clients these reads show what other calls answer.
            before.extend(seen.into_iter().filter(|(key, _)| default_kind().root().fields.contains_key(key)));
        }
        earlier.insert(id, after.clone());
        let id = format!("x{at:03}");
        for body in [&mut before, &mut after] {
            body.insert("client_id".into(), json!(id));
            // The client of all applications is protected, whatever a job says; its fields behave as those of the others.
            body.remove("global");
        }
        let source = line["source"].as_str().or(line["why"].as_str()).unwrap().to_owned();
        exchanges.push(Exchange { source, before, after });
    }
    exchanges
}

/// Whether a PATCH shows or hides a field that it does not name.
fn is_linked(patch: &Body, key: &str) -> bool {
    let methods = patch.contains_key("client_authentication_methods");
    methods && matches!(key, "token_endpoint_auth_method" | "client_secret")
}

/// Edits a client of a `get` file so that it says what is to be afterwards: what is missing then becomes null, at every depth.
fn edit(file: &mut Value, path: Option<&FieldPath>, after: &Value) {
    let writable = |path: &FieldPath| default_kind().writable(path) == Writable::Patch;
    let (Value::Object(held), Value::Object(wanted)) = (&mut *file, after) else {
        *file = after.clone();
        return;
    };
    let keys: BTreeSet<String> = held.keys().chain(wanted.keys()).cloned().collect();
    for key in keys.iter().filter(|key| !key.starts_with('_')) {
        let path = path.map_or_else(|| FieldPath::root_field(key), |path| path.child(key));
        let secret = default_kind().is_secret(&path) || held.get(key).is_some_and(redact::has_marker);
        let known = !matches!(default_kind().lookup(&path), Lookup::Unknown { .. });
        if key == "client_id" || secret || !known || !writable(&path) {
            continue;
        }
        let now = wanted.get(key).cloned().unwrap_or(Value::Null);
        edit(held.entry(key.clone()).or_insert(Value::Null), Some(&path), &now);
    }
}

/// A value without what an undo leaves where nothing was and nothing can be again: an empty list, text or object.
fn emptied(value: Value) -> Option<Value> {
    let value = match value {
        Value::Object(map) => {
            map.into_iter().filter_map(|(key, value)| Some((key, emptied(value)?))).collect()
        }
        other => other,
    };
    let nothing = [json!([]), json!(""), json!({})].contains(&value);
    (!nothing).then_some(value)
}

/// Root fields in which a stored client differs from what it should be, those aside that the server alone sets. `undone`
/// takes what is as good as absent for absent.
fn differing(stored: &Body, expected: &Body, undone: bool) -> Vec<String> {
    // An add-on is on where it has an object, be it empty.
    let shown = |key: &str, value: Option<&Value>| {
        shown(value).and_then(|value| if undone && key != "addons" { emptied(value) } else { Some(value) })
    };
    let keys: BTreeSet<&String> = stored.keys().chain(expected.keys()).collect();
    let writable = |key: &&&String| default_kind().writable(&FieldPath::root_field(key)) == Writable::Patch;
    let judged = keys.iter().filter(writable).filter(|key| **key != "client_secret");
    let differs = |key: &&&String| {
        !same(
            shown(key, stored.get(**key)).as_ref(),
            shown(key, expected.get(**key)).as_ref(),
            ListOrder::Ordered,
        )
    };
    judged.filter(differs).map(|key| (*key).clone()).collect()
}

/// A value without the keys that only the server sets.
fn shown(value: Option<&Value>) -> Option<Value> {
    let mut value = value?.clone();
    if let Some(object) = value.as_object_mut() {
        object.remove("secret_encoded");
    }
    Some(value)
}

/// Whether what an undo says of the fields that it leaves names one of this root field.
fn names(words: &str, field: &str) -> bool {
    let paths = words.split("; ").filter_map(|one| one.split(' ').next());
    paths.filter_map(|path| path.split('.').next()).any(|root| root == field)
}

/// A tenant with the clients as they were before, and a file of `get` that says what they were after.
struct Replayed {
    exchanges: Vec<Exchange>,
    served: Served,
    case: Case,
}

impl Replayed {
    fn new(exchanges: Vec<Exchange>) -> Self {
        let served = Served::with(Options {
            tier: "unlimited".parse().unwrap(),
            load: Some(exchanges.iter().map(|exchange| exchange.before.clone()).collect()),
            ..Options::default()
        });
        let case = served.case();
        case.run(["get", "--all", "-o", "all.json"]).exits(0);
        let mut file: Vec<Value> = serde_json::from_str(&case.read("all.json")).unwrap();
        file.retain(|client| client["client_id"].as_str().unwrap().starts_with('x'));
        for client in &mut file {
            let at: usize = client["client_id"].as_str().unwrap()[1..].parse().unwrap();
            edit(client, None, &Value::Object(exchanges[at].after.clone()));
        }
        let case = case.file("all.json", json!(file).to_string());
        Self { exchanges, served, case }
    }

    fn run(&self, args: &[&str]) -> Done {
        self.case.run(args.iter().chain(&["--force", "max-changes"]))
    }

    fn stored(&self, at: usize) -> Body {
        self.served.client(&format!("x{at:03}"))
    }

    /// Clients that differ from what they should be, with the fields in which they do.
    fn wrong(
        &self,
        expected: impl Fn(&Exchange) -> &Body,
        undone: Option<&BTreeMap<String, String>>,
    ) -> Vec<String> {
        let each = self.exchanges.iter().enumerate().map(|(at, exchange)| {
            let mut fields = differing(&self.stored(at), expected(exchange), undone.is_some());
            let left = undone.and_then(|left| left.get(&format!("x{at:03}")));
            fields.retain(|field| !left.is_some_and(|words| names(words, field)));
            (exchange, fields)
        });
        each.filter(|(_, fields)| !fields.is_empty())
            .map(|(exchange, fields)| format!("{}: {fields:?}", exchange.source))
            .collect()
    }
}

/// Holds all laws over a set, and returns the clients with a field that an undo cannot put back. `exceptions` are the sources of exchanges that do not come out as recorded, with the reason.
fn hold(exchanges: Vec<Exchange>, exceptions: &[(&str, &str)]) -> BTreeMap<String, String> {
    let count = exchanges.len();
    assert!(exceptions.len() * 100 <= count * 3, "more than 3 % of {count} are exceptions");
    let replayed = Replayed::new(exchanges);
    let excepted = |wrong: Vec<String>| {
        let open = |line: &String| !exceptions.iter().any(|(source, _)| line.starts_with(source));
        wrong.into_iter().filter(open).collect::<Vec<_>>()
    };

    let applied = replayed.run(&["apply", "all.json", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(excepted(replayed.wrong(|exchange| &exchange.after, None)), [""; 0], "after apply");
    let foreign: Vec<_> =
        replayed.case.results().into_iter().filter(|row| !row["_reason"].is_empty()).collect();
    assert!(foreign.is_empty(), "a plan told what the service answers: {foreign:?}");

    let again = replayed.run(&["plan", "all.json", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "a plan right after its apply is empty: {again}");

    let undone = replayed.run(&[
        "undo",
        "latest",
        "--tenant",
        &replayed.served.tenant().domain().to_string(),
        "--yes",
    ]);
    assert!(matches!(undone.code, Some(0 | 1)), "{undone}");
    let left: BTreeMap<String, String> = replayed
        .case
        .results()
        .into_iter()
        .filter(|row| matches!(row["_reason"].as_str(), "cannot_unset" | "cannot_restore"))
        .map(|row| (row["_client_id"].clone(), row["_error"].clone()))
        .collect();
    assert_eq!(excepted(replayed.wrong(|exchange| &exchange.before, Some(&left))), [""; 0], "after undo");
    left
}

#[test]
fn recorded_exchanges_are_planned_applied_found_done_and_undone() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/patch-exchanges.jsonl");
    let Some(lines) = lines(&file) else {
        println!("skipped: there is no {}", file.display());
        return;
    };
    let left = hold(known(&lines), &[]);
    // Fields of clients that were not known whole before, and that the API cannot empty.
    println!("{} exchanges, {} with a field that cannot be put back: {left:#?}", lines.len(), left.len());
}

#[test]
fn every_known_behaviour_of_a_patch_is_planned_applied_found_done_and_undone() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges/own.jsonl");
    let exchanges = known(&lines(&file).unwrap());
    assert!(exchanges.len() >= 40, "{}", exchanges.len());
    // A flag that was absent is the one thing that nothing empties.
    let left: Vec<String> = hold(exchanges, &[]).into_values().collect();
    assert_eq!(left, ["oidc_conformant was absent before, and cannot be again"]);
}
