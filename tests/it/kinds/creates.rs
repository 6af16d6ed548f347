//! A new object of any kind is made once, whatever happens on the way; what is there already is left as it is.

use std::time::{Duration, Instant};

use patchwave::catalogue::{Field, FieldType, Kind, Writable, kinds, validate};
use patchwave::model::value::same;
use patchwave::model::{Body, FieldPath};
use patchwave::sandbox::Options;
use serde_json::{Value, json};

use super::values::{is_open, one, text, texts, toml};
use super::{State, state, tenant, writes};
use crate::common::{Case, Done, Served};

/// A new object: its root fields.
struct New {
    kind: &'static Kind,
    fields: Body,
}

/// New objects of every kind, so many of each, with the lists that belong to them.
struct Wish {
    new: Vec<New>,
    before: State,
}

impl Wish {
    fn of_every_kind(served: &Served, each: usize) -> Self {
        let before = state(served);
        let new = kinds().flat_map(|kind| (0..each).map(move |at| (kind, at)));
        let new = new.map(|(kind, at)| New { kind, fields: invented(kind, &before, at) }).collect();
        Self { new, before }
    }

    fn job(&self) -> String {
        let create = |new: &New| {
            let set = |(name, value): (&String, &Value)| format!("set.{name} = {}\n", toml(value));
            let sets: String = new.fields.iter().map(set).collect();
            format!("[[create]]\nkind = \"{}\"\n{sets}", new.kind.name)
        };
        self.new.iter().map(create).collect()
    }

    fn case(&self, served: &Served) -> Case {
        served.case().file("job.toml", self.job())
    }

    fn rows(&self, word: &str) -> Vec<String> {
        vec![word.to_owned(); self.new.len()]
    }

    /// Asserts that each is there once and as it was asked for, and that everything else is as it was.
    #[track_caller]
    fn is_fulfilled(&self, served: &Served) {
        for kind in kinds() {
            let wanted: Vec<&New> = self.new.iter().filter(|new| new.kind.name == kind.name).collect();
            let id = |body: &Body| text(body, &kind.endpoint.id_field).to_owned();
            let before = &self.before[kind.name.as_str()];
            let (old, new): (Vec<Body>, Vec<Body>) = served
                .tenant()
                .objects(&kind.name)
                .into_iter()
                .partition(|body| before.iter().any(|before| id(before) == id(body)));
            assert_eq!(*before, old, "{}: others were changed", kind.name);
            assert_eq!(new.len(), wanted.len(), "{}: {new:?}", kind.name);
            for New { fields, .. } in wanted {
                let mut fitting = new.iter().filter(|body| holds(kind, body, fields));
                assert!(
                    fitting.next().is_some() && fitting.next().is_none(),
                    "{}: {fields:?} in {new:?}",
                    kind.name
                );
            }
        }
    }
}

/// Whether an object holds these fields, as far as anybody is shown what only a create takes.
fn holds(kind: &Kind, body: &Body, fields: &Body) -> bool {
    fields.iter().all(|(name, value)| {
        let path = FieldPath::root_field(name);
        let unshown = kind.writable(&path) == Writable::Create && !body.contains_key(name);
        unshown || same(Some(value), body.get(name), kind.order(&path))
    })
}

/// What the API asks for, what tells it from all others, what people know it by, the lists that belong to it, and one thing more.
pub(super) fn invented(kind: &'static Kind, state: &State, number: usize) -> Body {
    let endpoint = &kind.endpoint;
    let lists = endpoint.associations.iter().map(|association| &association.field);
    let further = further(kind);
    let needed = endpoint.create_required.iter().chain(&kind.identity).chain([&endpoint.name_field]);
    let mut fields = Body::new();
    for name in needed.chain(lists).chain(&further) {
        let field = &kind.creating().root().fields[name];
        if !fields.contains_key(name) && field.write == Writable::Patch {
            let value = value(kind, name, field, state, number);
            // Nobody holds anything that could belong to it.
            if value != json!([]) {
                fields.insert(name.clone(), value);
            }
        }
    }
    fields
}

/// A field that tells nothing from nothing, and that both a create and an update take.
fn further(kind: &'static Kind) -> Option<String> {
    let endpoint = &kind.endpoint;
    let needed = |name: &String| {
        *name == endpoint.name_field
            || kind.identity.contains(name)
            || endpoint.create_required.contains(name)
    };
    let is_plain = |(name, field): &(&String, &Field)| {
        let value = one(field, 0);
        let fits =
            value.is_some_and(|value| validate::value(kind, &FieldPath::root_field(name), &value).is_empty());
        !needed(name) && is_open(field) && matches!(field.ty, FieldType::String | FieldType::Boolean) && fits
    };
    kind.root().fields.iter().find(is_plain).map(|(name, _)| name.clone())
}

fn value(kind: &'static Kind, name: &str, field: &Field, state: &State, number: usize) -> Value {
    let objects = &state[kind.name.as_str()];
    let number = 5000 + number;
    if let Some(of) = kind.endpoint.association(name) {
        let mut items: Vec<Value> = Vec::new();
        for item in objects.iter().filter_map(|body| body.get(&of.field)?.as_array()).flatten() {
            let is_same = |other: &Value| {
                of.plain && other == item || !of.plain && of.keys.iter().all(|key| other[key] == item[key])
            };
            if !items.iter().any(is_same) {
                items.push(item.clone());
            }
        }
        let first = number % items.len().max(1);
        items.rotate_left(first);
        items.truncate(2);
        return items.into();
    }
    // An object of another kind, by its id or, where the field is called as one of the kind is, by its name.
    if let Some(other) = &field.references {
        let other = patchwave::catalogue::kind(other).unwrap();
        let all = &state[other.name.as_str()];
        let last = all.iter().rev().cycle().nth(number % 5000 % all.len().max(1)).unwrap();
        return text(last, &other.endpoint.id_field).into();
    }
    if let Some(other) = kinds().find(|other| other.singular == name) {
        return text(&state[other.name.as_str()][0], &other.endpoint.name_field).into();
    }
    // Of what is told by several fields, one may be new; the others are names of what is there.
    if kind.identity.len() > 1 && kind.identity.iter().any(|identity| identity == name) {
        return objects[0][name].clone();
    }
    let path = FieldPath::root_field(name);
    let fits = |value: &Value| validate::value(kind.creating(), &path, value).is_empty();
    let mut candidates = if field.ty == FieldType::String { texts(field, number) } else { Vec::new() };
    candidates.extend(one(field, number));
    // What cannot be made up is as with another object.
    candidates.extend(objects.iter().filter_map(|body| body.get(name).cloned()));
    candidates.into_iter().find(fits).unwrap_or_else(|| panic!("{} {name}", kind.name))
}

fn apply(case: &Case) -> Done {
    case.run(["apply", "job.toml", "--yes"])
}

#[test]
fn of_every_kind_a_new_object_is_made_once_with_its_lists_and_stays_when_undone() {
    let served = tenant(Options::default());
    let wish = Wish::of_every_kind(&served, 1);
    let case = wish.case(&served);
    let done = apply(&case);
    assert_eq!(case.result_words(), wish.rows("created"), "{done}");
    done.exits(0);
    wish.is_fulfilled(&served);
    let run = case.runs().remove(0).file_name().unwrap().to_string_lossy().into_owned();
    let sent = writes(&served);
    case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
    apply(&case).exits(0);
    assert_eq!(case.result_words(), wish.rows("unchanged"));
    let undone = case.run(["undo", &run, "--yes"]);
    assert_eq!(case.result_words(), wish.rows("conflict"), "{undone}");
    undone.exits(1);
    assert!(case.results().iter().all(|row| row["_reason"] == "cannot_delete"), "{:?}", case.results());
    assert_eq!(writes(&served), sent);
    wish.is_fulfilled(&served);
}

#[test]
fn a_saved_plan_makes_each_object_once_however_often_it_is_applied() {
    let served = tenant(Options::default());
    let wish = Wish::of_every_kind(&served, 2);
    let case = wish.case(&served);
    case.run(["plan", "job.toml", "--out", "plan.jsonl"]).exits(0);
    for word in ["created", "unchanged"] {
        let done = case.run(["apply", "plan.jsonl", "--yes"]);
        assert_eq!(case.result_words(), wish.rows(word), "{done}");
        wish.is_fulfilled(&served);
    }
}

#[test]
fn what_rows_of_a_file_made_with_lists_is_found_again() {
    for kind in kinds().filter(|kind| !kind.endpoint.associations.is_empty()) {
        let served = tenant(Options::default());
        let mut wish = Wish::of_every_kind(&served, 3);
        wish.new.retain(|new| new.kind.name == kind.name);
        let name = &kind.identity[0];
        let column: String = wish.new.iter().map(|new| format!("{}\n", text(&new.fields, name))).collect();
        let rest = wish.new[0].fields.iter().filter(|(field, _)| *field != name);
        let rest: String = rest.map(|(field, value)| format!("set.{field} = {}\n", toml(value))).collect();
        let job = format!(
            "[[create]]\nkind = \"{}\"\nrows = \"new.csv\"\nset.{name} = \"{{{{ row.who }}}}\"\n{rest}",
            kind.name
        );
        let case = served.case().file("job.toml", job).file("new.csv", format!("who\n{column}"));
        for word in ["created", "unchanged"] {
            let done = apply(&case);
            assert_eq!(case.result_words(), wish.rows(word), "{done}");
        }
    }
}

#[test]
fn of_every_kind_what_is_there_and_differs_is_a_conflict_and_is_left_as_it_is() {
    let served = tenant(Options::default());
    let wish = Wish::of_every_kind(&served, 1);
    let case = wish.case(&served);
    apply(&case).exits(0);
    for New { kind, fields } in &wish.new {
        let last = served.tenant().objects(&kind.name).pop().unwrap();
        let field = further(kind).unwrap_or_else(|| fields.keys().next_back().unwrap().clone());
        let edit = |body: &mut Body| drop(body.insert(field, json!("By hand")));
        assert!(served.tenant().edit_object(&kind.name, text(&last, &kind.endpoint.id_field), edit));
    }
    let (by_hand, sent) = (state(&served), writes(&served));
    let done = apply(&case);
    assert_eq!(case.result_words(), wish.rows("conflict"), "{done}");
    done.exits(1);
    assert!(case.results().iter().all(|row| row["_reason"] == "exists"), "{:?}", case.results());
    assert_eq!((state(&served), writes(&served)), (by_hand, sent));
}

#[test]
fn of_every_kind_two_creates_of_one_object_are_refused() {
    let served = tenant(Options::default());
    let wish = Wish::of_every_kind(&served, 1);
    let case = served.case().file("job.toml", wish.job().repeat(2));
    let done = apply(&case);
    for New { kind, .. } in &wish.new {
        let words = format!("both create the {} ", kind.singular);
        assert!(done.exits(64).stderr.contains(&words), "{words}: {done}");
    }
    assert_eq!(writes(&served), 0);
}

#[test]
fn of_every_kind_what_was_made_though_its_answer_was_lost_is_found_and_created() {
    for fault in ["reset-after", "503-after", "truncate", "malformed"] {
        let faults = format!("create:{fault}=100%").parse().unwrap();
        let served = tenant(Options { faults, ..Options::default() });
        let wish = Wish::of_every_kind(&served, 2);
        let case = wish.case(&served);
        let done = apply(&case);
        assert_eq!(case.result_words(), wish.rows("created"), "{fault}: {done}");
        wish.is_fulfilled(&served);
    }
}

/// Kills a run that makes objects of every kind at an instant that the seed says, and goes on with it.
fn killed_and_resumed(seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let served = tenant(Options { latency: "3ms,3ms".parse().unwrap(), ..Options::default() });
    let wish = Wish::of_every_kind(&served, 4);
    let case = wish.case(&served);
    let running = case.spawn(["apply", "job.toml", "--yes", "-q"]);
    let made = rng.u64(1..=wish.new.len() as u64);
    served.until(|counters| counters.create >= made);
    let (since, moment) = (Instant::now(), Duration::from_millis(5).mul_f64(rng.f64()));
    while since.elapsed() < moment {
        std::thread::yield_now();
    }
    running.kill();
    let done = case.run(["resume", "--yes", "-q"]);
    assert_eq!(case.result_words(), wish.rows("created"), "seed {seed}: {done}\n{:?}", case.results());
    assert_eq!((done.code, case.runs().len()), (Some(0), 1), "seed {seed}: {done}");
    wish.is_fulfilled(&served);
    apply(&case).exits(0);
    assert_eq!(case.result_words(), wish.rows("unchanged"), "seed {seed}");
}

#[test]
fn creates_of_every_kind_that_are_killed_are_finished_by_resume_each_once() {
    std::thread::scope(|scope| {
        for first in 0..2 {
            scope.spawn(move || (first..8).step_by(2).for_each(killed_and_resumed));
        }
    });
}

#[test]
fn creates_that_are_still_under_way_when_the_run_is_resumed_are_made_once() {
    const ROWS: usize = 30;
    std::thread::scope(|scope| {
        for seed in 0..6 {
            scope.spawn(move || {
                let latency = "300ms,300ms".parse().unwrap();
                let tier = "unlimited".parse().unwrap();
                let (served, case) = from_a_file(ROWS, Options { seed, latency, tier, ..Options::default() });
                let running = case.spawn(["apply", "job.toml", "--yes", "-q"]);
                served.until(|counters| counters.create >= 2 * seed + 4);
                running.kill();
                // What arrived is carried out a moment later: perhaps after it was looked for.
                case.run(["resume", "--yes", "-q"]).exits(0);
                assert_eq!(case.result_words(), vec!["created"; ROWS]);
                each_is_there_once(&served, ROWS);
            });
        }
    });
}

const ROWS: usize = 500;

/// A tenant, and a job that makes that many clients from a file.
fn from_a_file(rows: usize, options: Options) -> (Served, Case) {
    let served = Served::with(Options { clients: 5, ..options });
    let line = |at: usize| format!("App {at},https://app-{at}.example/cb\n");
    let csv: String = std::iter::once("app,url\n".to_owned()).chain((0..rows).map(line)).collect();
    let job =
        "[[create]]\nrows = \"new.csv\"\nset.name = \"{{ row.app }}\"\nset.callbacks = [\"{{ row.url }}\"]\n";
    let case = served.case().file("job.toml", job).file("new.csv", csv);
    (served, case)
}

/// Asserts that each row of the file is a client, and that there is no other.
#[track_caller]
fn each_is_there_once(served: &Served, rows: usize) {
    let clients = served.tenant().state();
    let names: Vec<&str> =
        clients.iter().map(|client| text(client, "name")).filter(|name| name.starts_with("App ")).collect();
    let mut wanted: Vec<String> = (0..rows).map(|at| format!("App {at}")).collect();
    let mut found = names.clone();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

#[test]
fn five_hundred_clients_are_made_in_a_storm_of_faults_each_once() {
    let faults = "503=2%,503-after=1%,reset-before=1%,reset-after=2%,hang=0.5%,hang-after=0.5%,truncate=1%,malformed=1%";
    let options =
        Options { tier: "unlimited".parse().unwrap(), faults: faults.parse().unwrap(), ..Options::default() };
    let (served, case) = from_a_file(ROWS, options);
    let done = case.run(["apply", "job.toml", "--yes", "-q", "--timeout", "2s"]);
    assert_eq!(case.result_words(), vec!["created"; ROWS], "{done}");
    done.exits(0);
    each_is_there_once(&served, ROWS);
    assert!(served.counters().faults > 20, "the storm was there: {:?}", served.counters());
    served.tenant().set_faults("".parse().unwrap());
    let sent = served.counters().create;
    apply(&case).exits(0);
    assert_eq!(case.result_words(), vec!["unchanged"; ROWS]);
    assert_eq!(served.counters().create, sent);
}

#[test]
fn creates_keep_the_pace_of_the_tenant_and_are_reported_as_updates_are() {
    const ROWS: usize = 100;
    let (served, case) =
        from_a_file(ROWS, Options { tier: "40,40/s".parse().unwrap(), ..Options::default() });
    let done = apply(&case);
    assert!(done.exits(0).stdout.contains("100 created") && done.stdout.contains("no 429"), "{done}");
    assert_eq!(served.counters().throttled, 0);
    each_is_there_once(&served, ROWS);
    let ids: Vec<String> =
        case.results().into_iter().map(|mut row| row.remove("_client_id").unwrap()).collect();
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(served.client(id)["name"], format!("App {at}"));
    }
}
