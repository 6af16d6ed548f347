//! What a run changed goes back, field by field, and only where the field still holds what the run wrote.

mod equal;
mod fields;
mod laws;
mod lists;
mod narrowing;
mod objects;
mod over_http;
mod pool;
mod refused;
mod runs;

use serde_json::{Map, Value};

pub(crate) use equal::differing;
pub(crate) use pool::{clients, ops};

use crate::common::{Case, Done, Served};

/// A tenant in which a job has changed one client.
struct Ran {
    served: Served,
    case: Case,
    id: String,
}

impl Ran {
    /// "Billing" holds these fields (null: not), and then a job was applied that says these lines of it.
    fn new(fields: &Value, lines: &str) -> Self {
        Self::on(Served::quick(), fields, lines)
    }

    fn on(served: Served, fields: &Value, lines: &str) -> Self {
        let id = served.id("Billing");
        edit(&served, &id, fields);
        let case = served.case().file("job.toml", format!("[[update]]\nclient_id = \"{id}\"\n{lines}\n"));
        case.run(["apply", "job.toml", "--yes"]).exits(0);
        Self { served, case, id }
    }

    /// Somebody edits the client in the Dashboard: these fields are as they are given (null: gone).
    fn edit(&self, fields: &Value) {
        edit(&self.served, &self.id, fields);
    }

    fn client(&self) -> Map<String, Value> {
        self.served.client(&self.id)
    }

    /// `undo` of the newest run.
    fn undo(&self, flags: &[&str]) -> Done {
        undo(&self.case, flags)
    }

    /// The newest run's only row: result, reason and error.
    fn row(&self) -> (String, String, String) {
        let mut rows = self.case.results();
        assert_eq!(rows.len(), 1, "{rows:?}");
        let row = rows.remove(0);
        (row["_result"].clone(), row["_reason"].clone(), row["_error"].clone())
    }
}

fn edit(served: &Served, id: &str, fields: &Value) {
    let there = served.tenant().edit(id, |client| {
        for (key, value) in fields.as_object().unwrap() {
            match value {
                Value::Null => drop(client.remove(key)),
                value => drop(client.insert(key.clone(), value.clone())),
            }
        }
    });
    assert!(there, "no client {id}");
}

/// The id of the newest run.
fn newest(case: &Case) -> String {
    case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

/// `undo` of the newest run, unattended.
fn undo(case: &Case, flags: &[&str]) -> Done {
    let run = newest(case);
    case.run(["undo", run.as_str()].iter().chain(flags))
}
