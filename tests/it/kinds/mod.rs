//! What holds of clients holds of every kind of object: the catalogue says which there are and what they may hold. A kind that is
//! added is held by these tests at once; nothing in here names one but for what the catalogue has no word for.

mod changes;
mod creates;
mod files;
mod forecasts;
mod kills;
mod laws;
mod replayed;
mod storms;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use patchwave::catalogue::{Field, FieldType, Kind, kinds};
use patchwave::model::value::same;
use patchwave::model::{Body, FieldPath};
use patchwave::sandbox::{Counters, Options};
use serde_json::Value;

use changes::{Change, Inventor, Step, lines, selector};
use values::text;

use crate::common::{Case, Served};
use crate::undo::differing;

/// Objects of each kind.
const OBJECTS: usize = 8;

/// All objects of a tenant, by kind.
type State = BTreeMap<&'static str, Vec<Body>>;

/// A tenant with objects of every kind.
fn tenant(options: Options) -> Served {
    let objects = kinds().map(|kind| (kind.name.to_string(), OBJECTS)).collect();
    let tier = "unlimited".parse().unwrap();
    let served = Served::with(Options { clients: OBJECTS + 4, objects, tier, ..options });
    // Of a kind that was added the sandbox has no samples.
    for kind in kinds().filter(|kind| served.tenant().objects(&kind.name).is_empty()) {
        let around = state(&served);
        (1000..1000 + OBJECTS).for_each(|at| {
            served.tenant().add_object(&kind.name, creates::invented(kind, &around, at));
        });
    }
    served
}

fn state(served: &Served) -> State {
    kinds().map(|kind| (kind.name.as_str(), served.tenant().objects(&kind.name))).collect()
}

/// An object that is to be changed.
struct Planned {
    kind: &'static Kind,
    id: String,
    step: Step,
    update: String,
}

impl Planned {
    fn new(kind: &'static Kind, body: &Body, step: Step, by_name: bool) -> Self {
        let who = selector(kind, body, &step, by_name);
        let update = format!("[[update]]\nkind = \"{}\"\n{who}\n{}\n", kind.name, lines(&step));
        Self { kind, id: text(body, &kind.endpoint.id_field).to_owned(), step, update }
    }
}

/// What is to be done to a tenant.
struct Plan {
    planned: Vec<Planned>,
    before: State,
}

impl Plan {
    /// Changes of every field of every kind that can be made up, dealt among the objects.
    fn of_everything(served: &Served) -> Self {
        Self::of(served, kinds())
    }

    fn of(served: &Served, of: impl Iterator<Item = &'static Kind>) -> Self {
        let before = state(served);
        let planned = of.flat_map(|kind| planned(served, kind, &before[kind.name.as_str()])).collect();
        Self { planned, before }
    }

    fn job(&self) -> String {
        self.planned.iter().map(|planned| planned.update.as_str()).collect()
    }

    /// The rows that a run reports, as they should be.
    fn rows(&self, word: &str) -> Vec<String> {
        vec![word.to_owned(); self.planned.len()]
    }

    fn of_object(&self, kind: &Kind, id: &str) -> Option<&Planned> {
        self.planned.iter().find(|planned| planned.kind.name == kind.name && planned.id == id)
    }

    /// Asserts that every planned field is as planned, and that nothing else is other than it was.
    #[track_caller]
    fn is_carried_out(&self, served: &Served) {
        for kind in kinds() {
            let (before, after) = (&self.before[kind.name.as_str()], served.tenant().objects(&kind.name));
            assert_eq!(before.len(), after.len(), "{}", kind.name);
            for (before, after) in before.iter().zip(after) {
                let id = text(before, &kind.endpoint.id_field);
                let step =
                    self.of_object(kind, id).map(|planned| planned.step.as_slice()).unwrap_or_default();
                if step.is_empty() {
                    assert_eq!(*before, after, "{} {id} is none of the plan", kind.name);
                }
                let (mut was, mut is) = (unmoved(kind, before), unmoved(kind, &after));
                for Change { path, after: wanted, line, .. } in step {
                    let now = path.get(&after);
                    let done = match wanted {
                        Some(_) => same(wanted.as_ref(), now, kind.order(path)),
                        None => kind.is_empty(path, now),
                    };
                    assert!(done, "{} {id}: {line}, and it is {now:?}", kind.name);
                    path.remove(&mut was);
                    path.remove(&mut is);
                }
                // One setting may have two names: the catalogue says so.
                let named_twice = |path: &FieldPath| {
                    step.iter()
                        .any(|change| kind.moved_with(&change.path).iter().any(|with| with.encloses(path)))
                };
                let mut moved = differing(kind, &was, &is);
                moved.retain(|path| !named_twice(path));
                assert!(moved.is_empty(), "{} {id}: {moved:?} moved\n{before:?}\n{after:?}", kind.name);
            }
        }
    }

    /// Asserts that everything is as it was before. What was absent and cannot be emptied stays, and is told.
    #[track_caller]
    fn is_taken_back(&self, served: &Served, case: &Case) {
        let results = case.results();
        let told = |id: &str| {
            let row = results.iter().find(|row| row.values().any(|cell| cell == id));
            row.map(|row| row["_error"].clone()).unwrap_or_default()
        };
        for kind in kinds() {
            let (before, after) = (&self.before[kind.name.as_str()], served.tenant().objects(&kind.name));
            assert_eq!(before.len(), after.len(), "{}", kind.name);
            for (before, after) in before.iter().zip(after) {
                let id = text(before, &kind.endpoint.id_field);
                let told = told(id);
                for path in differing(kind, &unmoved(kind, before), &unmoved(kind, &after)) {
                    let absent = path.get(before).is_none();
                    // What means the same as that it is absent.
                    let meant = kind.is_empty(&path, path.get(&after));
                    let stays = absent && (meant || told.contains(&path.to_string()));
                    assert!(stays, "{} {id}: {path}\n{before:?}\n{after:?}\n{told}", kind.name);
                }
            }
        }
    }
}

/// Updates of a kind.
fn planned(served: &Served, kind: &'static Kind, objects: &[Body]) -> Vec<Planned> {
    let mine: Vec<&Body> =
        objects.iter().filter(|body| !is_the_services(served, kind, body)).take(OBJECTS).collect();
    let inventor = Inventor::new(kind, objects, 0);
    let most =
        mine.first().map_or(0, |body| inventor.steps(body).len().div_ceil((mine.len() - 1).max(1)).max(2));
    let (mut planned, mut done) = (Vec::new(), BTreeSet::new());
    for (at, body) in mine.iter().enumerate() {
        let step = inventor.together(body, most, &mut done);
        assert!(!step.is_empty(), "nothing can be made up for {} {body:?}", kind.name);
        planned.push(Planned::new(kind, body, step, at % 2 == 1));
    }
    planned
}

/// Whether an object is the service's own, or the runner's: most of it cannot be changed.
fn is_the_services(served: &Served, kind: &Kind, body: &Body) -> bool {
    let own = served.tenant().client_id();
    let is = |flag: &str| body.get(flag) == Some(&Value::Bool(true));
    is("is_system") || is("global") || kind.is_runners() && text(body, &kind.endpoint.id_field) == own
}

/// An object without what the service moves by itself whenever it is written: when that was, and where a version of it goes
/// live, that version (its number, its id and its times).
fn unmoved(kind: &Kind, body: &Body) -> Body {
    let is_moved = |name: &str| {
        let field = kind.root().fields.get(name);
        let of_server = field.filter(|field| field.write == patchwave::catalogue::Writable::Never);
        of_server.is_some_and(|field: &Field| {
            field.format.as_deref() == Some("date-time")
                || kind.endpoint.then.is_some() && field.ty == FieldType::Object
        })
    };
    body.iter()
        .filter(|(name, _)| !is_moved(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Calls that changed something, whatever the method.
fn writes(served: &Served) -> u64 {
    written(&served.counters())
}

fn written(seen: &Counters) -> u64 {
    seen.patch + seen.create + seen.delete + seen.other
}
