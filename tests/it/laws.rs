//! Laws of the job language, over generated clients and jobs: what is printed is read back, what `get` wrote and nobody
//! edited plans nothing, an edit and nothing else is planned, and a job that runs again finds nothing to do.

use patchwave::catalogue;
use patchwave::job::{Input, print};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};

use crate::common::Served;
use crate::language::World;
use crate::pool::{ANY, OPS, REPEATABLE, few, job, plain_clients};
use patchwave::sandbox::Options;

const FORMS: [&str; 4] = ["json", "jsonl", "csv", "toml"];

/// Text as people and programs put it into names: what spreadsheets, patterns, templates and markers take for their own.
fn text() -> impl Strategy<Value = String> {
    let marks = vec![
        "=SUM(A1)",
        "+1",
        "-",
        "@null",
        "@empty",
        "@",
        "'",
        "'=",
        "\"",
        "\"\"",
        "\n",
        "\r\n",
        "\t",
        "{{",
        "}}",
        "{{ name }}",
        "{%",
        "{# x #}",
        "{% endraw %}",
        "*",
        "\\*",
        "\\",
        "[",
        "]",
        "|",
        ",",
        ";",
        " ",
        "ä",
        "予",
        "🚀",
        "none",
        "true",
        "7.0",
    ];
    let piece = prop_oneof![2 => select(marks).prop_map(str::to_owned), 1 => "[a-zA-Z0-9 .-]{1,5}"];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn texts() -> impl Strategy<Value = Value> {
    prop::collection::vec(prop_oneof![text(), Just(String::new())], 0..4).prop_map(|items| json!(items))
}

fn metadata() -> impl Strategy<Value = Value> {
    let key = prop_oneof![
        Just("owner".to_owned()),
        Just("cost.center".to_owned()),
        "[a-z \"'\\[-]{1,6}",
        Just("{{".to_owned())
    ];
    prop::collection::btree_map(key, prop_oneof![text(), Just(String::new())], 0..4)
        .prop_map(|map| json!(map))
}

/// A client that lacks most of what it could have. Some of it could not be written today, and is there all the same.
fn client(id: String) -> impl Strategy<Value = Value> {
    let name = text();
    let fields = (
        text().prop_map(|text| ("description", json!(text))),
        texts().prop_map(|items| ("callbacks", items)),
        texts().prop_map(|items| ("web_origins", items)),
        metadata().prop_map(|map| ("client_metadata", map)),
        any::<bool>().prop_map(|flag| ("sso", json!(flag))),
        (0..900_i64).prop_map(|number| ("par_request_expiry", json!(number))),
        (0..90_i64).prop_map(|leeway| {
            (
                "refresh_token",
                json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": leeway,
                "policies": [{"audience": "https://api.example", "scope": ["a|b", "c"]}]}),
            )
        }),
        text().prop_map(|text| {
            ("addons", json!({"samlp": {"audience": text, "mappings": {"a.b": "c"}, "destination": null}}))
        }),
        text().prop_map(|text| ("quite_new", json!({"inner": text, "flag": true, "none": null}))),
        Just(("initiate_login_uri", Value::Null)),
        Just(("tenant", json!("acme"))),
        Just(("global", json!(false))),
    );
    let fields =
        fields.prop_map(|(a, b, c, d, e, f, g, h, i, j, k, l)| vec![a, b, c, d, e, f, g, h, i, j, k, l]);
    let kept = subsequence((0..12).collect::<Vec<usize>>(), 0..=12);
    (name, fields, kept).prop_map(move |(name, fields, kept)| {
        let mut body = Map::new();
        body.insert("client_id".into(), json!(id));
        body.insert("name".into(), json!(name));
        body.extend(kept.into_iter().map(|at| (fields[at].0.to_owned(), fields[at].1.clone())));
        Value::Object(body)
    })
}

fn clients() -> impl Strategy<Value = Value> {
    (1..4_usize)
        .prop_flat_map(|count| (0..count).map(|at| client(format!("c{at}")).boxed()).collect::<Vec<_>>())
        .prop_map(Value::Array)
}

/// An edit of one field: its path, its new value, and that value as it is typed into a cell.
type Edit = (&'static str, Value, String);

/// Edits of fields that the client has.
fn edits(name: &str) -> Vec<Edit> {
    vec![
        ("name", json!(name), name.to_owned()),
        ("description", json!("In two\nlines"), "In two\nlines".to_owned()),
        ("sso", json!(true), "TRUE".to_owned()),
        ("refresh_token.leeway", json!(91), " 91".to_owned()),
        ("client_metadata.owner", json!("@identity"), "@@identity".to_owned()),
    ]
}

fn at<'v>(value: &'v mut Value, path: &str) -> &'v mut Value {
    path.split('.').fold(value, |value, key| &mut value[key])
}

/// The file with one field of its first client changed, as a person would in each form.
fn edited(form: &str, file: &str, (path, value, cell): &Edit) -> String {
    match form {
        "json" => {
            let mut all: Value = serde_json::from_str(file).unwrap();
            *at(&mut all[0], path) = value.clone();
            all.to_string()
        }
        "jsonl" => {
            let (first, rest) = file.split_once('\n').unwrap();
            let mut one: Value = serde_json::from_str(first).unwrap();
            *at(&mut one, path) = value.clone();
            format!("{one}\n{rest}")
        }
        "csv" => {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(file.as_bytes());
            let mut records: Vec<Vec<String>> =
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            let column = records[0].iter().position(|column| column == path).unwrap();
            cell.clone_into(&mut records[1][column]);
            let mut writer = csv::Writer::from_writer(Vec::new());
            records.iter().for_each(|record| writer.write_record(record).unwrap());
            String::from_utf8(writer.into_inner().unwrap()).unwrap()
        }
        _ => {
            let mut job: Value = toml::from_str(file).unwrap();
            // Texts of TOML jobs are templates.
            let typed = value.as_str().map(|text| json!(patchwave::job::template::escaped(text)));
            *at(&mut job["update"][0]["set"], path) = typed.unwrap_or_else(|| value.clone());
            toml::to_string(&job).unwrap()
        }
    }
}

fn all_unchanged(told: &str) -> bool {
    !told.is_empty() && told.lines().all(|line| line.ends_with(" unchanged"))
}

proptest! {
    #![proptest_config(few(96))]

    #[test]
    fn a_file_of_get_that_nobody_edited_plans_nothing_whatever_others_did_since(clients in clients()) {
        let world = World::new(clients);
        let files = FORMS.map(|form| (form, world.get(form)));
        let elsewhere = world.elsewhere("c0", json!({"name": "Renamed elsewhere", "description": "x", "sso": null}));
        for (form, file) in files {
            let told = elsewhere.plan(&format!("all.{form}"), &file);
            prop_assert!(all_unchanged(&told), "{form}: {told}\n{file}");
        }
    }

    #[test]
    fn an_edited_field_and_nothing_else_is_planned(clients in clients(), name in "[a-zA-Zäß](['\"*|{\\[= a-z]{0,6}[a-z])?") {
        let mut first = clients[0].clone();
        let world = World::new(clients);
        for edit in edits(&name) {
            let (path, after, _) = &edit;
            let before = at(&mut first, path).clone();
            // A field that the client lacks has no place in a TOML file, and perhaps no column.
            if before.is_null() {
                continue;
            }
            for form in FORMS {
                let file = edited(form, &world.get(form), &edit);
                let told = world.plan(&format!("all.{form}"), &file);
                // The new name may be another client's by chance, which is warned of.
                let is_change = |line: &&str| !line.ends_with(" unchanged") && !line.starts_with("warning: ");
                let changes: Vec<&str> = told.lines().filter(is_change).collect();
                let expected = format!("c0 {path} {before} → {after}");
                let expected = if before == *after { vec![] } else { vec![expected.as_str()] };
                prop_assert_eq!(changes, expected, "{}:\n{}", form, file);
            }
        }
    }
}

#[test]
fn every_recorded_shape_of_a_client_comes_back_from_all_forms_unchanged() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/real-clients.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: there is no {}", path.display());
        return;
    };
    let mut clients: Vec<Value> = serde_json::from_str(&text).unwrap();
    for (at, client) in clients.iter_mut().enumerate() {
        client["client_id"] = json!(format!("c{at}"));
    }
    assert!(clients.len() > 40, "{} clients", clients.len());
    let world = World::new(Value::Array(clients));
    for form in FORMS {
        let file = world.get(form);
        let told = world.plan(&format!("all.{form}"), &file);
        assert!(all_unchanged(&told), "{form}: {told}");
    }
}

proptest! {
    #![proptest_config(few(400))]

    #[test]
    fn a_job_that_was_planned_finds_nothing_to_do_when_it_runs_again(clients in plain_clients(), job in job(&REPEATABLE, &OPS)) {
        let world = World::new(clients);
        if let Some(after) = world.applied("job.toml", &job) {
            let told = after.plan("job.toml", &job);
            prop_assert!(!told.contains(" → "), "{job}\n{told}");
        }
    }

    #[test]
    fn what_is_printed_of_a_job_is_read_back_as_the_same_job(job in job(&ANY, &OPS), name in text(), var in text(), id in text()) {
        let head = format!(
            "name = {}\ntenants = [\"dev\"]\nidentity = \"client_metadata.slug\"\n[vars]\nx = {}\n[guards]\nmax_changes = \"30%\"\nmax_failures = 3\nprotect = [\"p1\"]\n",
            json!(name), json!(var)
        );
        // JSON's escapes are TOML's, but for the delete character.
        let literal = format!("[[update]]\nclient_id = {}\nset.name = {}\nexpect.description = {}\nexpect_absent = [\"logo_uri\"]\ncount = \">=1\"\nunguarded = true\n",
            json!(patchwave::job::template::escaped(&format!("i{id}"))),
            json!(patchwave::job::template::escaped(&name)),
            json!(patchwave::job::template::escaped(&var)));
        let text = format!("{head}{}\n{literal}", job.replace("vars.prefix = \"a\"\n", ""));
        let world = World::new(json!([]));
        let read = |text: &str| world.read(Input { name: "job.toml", bytes: text.as_bytes() });
        let Ok(first) = read(&text) else { return Ok(()) };
        let printed = print::toml(&first);
        let again = read(&printed).map_err(|problems| TestCaseError::fail(format!("{problems:?}\n{printed}")))?;
        prop_assert_eq!(said(&again), said(&first), "{}", printed);
    }
}

/// What a job says, without where it says it.
fn said(job: &patchwave::job::Job) -> String {
    let update = |update: &patchwave::job::Update| {
        // Printed operations stand in order, but for `unset`, which is one list.
        let mut ops: Vec<String> =
            update.ops.iter().map(|op| format!("{} {:?}", op.path, op.action)).collect();
        ops.sort_unstable();
        let expects: Vec<String> =
            update.expects.iter().map(|e| format!("{} {:?}", e.path, e.value)).collect();
        let extras = update.extras();
        format!(
            "{:?} {:?} {} {} {ops:?} {expects:?}",
            update.selector, extras.count, update.repeatable, extras.unguarded
        )
    };
    let updates: Vec<String> = job.updates.iter().map(update).collect();
    format!(
        "{} {:?} {:?} {:?} {:?} {:?}\n{}",
        job.name,
        job.allowed_tenants,
        job.identity,
        job.vars,
        job.guards,
        job.guards.protect,
        updates.join("\n")
    )
}

proptest! {
    #![proptest_config(few(16))]

    #[test]
    fn a_job_applied_twice_over_http_writes_nothing_the_second_time(clients in plain_clients(), job in job(&REPEATABLE, &OPS)) {
        let load: Vec<Map<String, Value>> = serde_json::from_value(clients).unwrap();
        let served = Served::with(Options { tier: "unlimited".parse().unwrap(), load: Some(load), ..Options::default() });
        let case = served.case().file("job.toml", &job);
        let first = case.run(["apply", "job.toml", "--yes"]);
        prop_assert!(matches!(first.code, Some(0 | 1 | 4 | 64)), "{first}");
        let sent = served.counters().patch;
        let again = case.run(["apply", "job.toml", "--yes"]);
        prop_assert_eq!(served.counters().patch, sent, "{}\n{}\n{}", job, first, again);
    }
}

#[test]
fn the_pool_of_generated_jobs_is_sound() {
    // A generator of jobs that are all refused would prove nothing.
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut planned = 0;
    for _ in 0..100 {
        let (clients, job) = (plain_clients(), job(&ANY, &OPS));
        let clients = clients.new_tree(&mut runner).unwrap().current();
        let job = job.new_tree(&mut runner).unwrap().current();
        planned += usize::from(World::new(clients).applied("job.toml", &job).is_some());
    }
    assert!(planned > 40, "only {planned} of 100 jobs were planned");
    assert_eq!(catalogue::default_kind().name.as_str(), "clients");
}
