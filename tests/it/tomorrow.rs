//! A client as the API might answer it tomorrow: fields and values that nobody knows yet, nulls where none were, numbers
//! that became decimal, lists where objects were. Nothing of it fails a run, and nothing of it is lost.

use patchwave::catalogue::{self, Field};
use patchwave::model::FieldPath;
use patchwave::sandbox::Options;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use crate::common::{Case, Done, Served};
use crate::language::World;
use crate::pool::few;

/// The client of tomorrow.
fn body() -> Value {
    json!({
        "client_id": "tomorrow0000000000000000000000000",
        "name": "Of tomorrow",
        "tenant": "acme",
        "global": false,
        "is_first_party": true,
        // Values that no catalogue has yet.
        "app_type": "quantum",
        "grant_types": ["authorization_code", "urn:example:tomorrow"],
        "token_endpoint_auth_method": "private_key_of_tomorrow",
        // Nulls where none were.
        "callbacks": null,
        "description": null,
        "sso": null,
        "native_social_login": null,
        "organization_usage": null,
        // Numbers that became decimal, or too large.
        "par_request_expiry": 60.5,
        "jwt_configuration": {"alg": "PQ512", "lifetime_in_seconds": 36000.0, "secret_encoded": null, "kept_for": 18_446_744_073_709_551_615_u64},
        // An object with keys and values of tomorrow, which is always sent whole.
        "refresh_token": {
            "rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 2_592_000,
            "idle_token_lifetime": 1_296_000, "infinite_token_lifetime": false, "infinite_idle_token_lifetime": false,
            "bound_to": {"kind": "device", "since": [1, null, 2.5]}, "policies": null
        },
        // A list where an object was, an object where a list was, a text where a number was.
        "addons": ["samlp", "wsfed"],
        "allowed_origins": {"https://a.example": true},
        "client_metadata": {"team": "billing", "since": 2026, "nested": {"a": [1]}, "none": null},
        "mobile": "none",
        "session_transfer": {"allowed_authentication_methods": "cookie", "enforce_device_binding": 7},
        "signing_keys": {"current": {"cert": "x"}},
        // Fields of tomorrow.
        "quantum_safe": {"enabled": true, "level": 1.5, "curves": [{"name": "x", "none": null}]},
        "a new.field": "with a dot",
        "empty": {},
        "nothing": null,
    })
}

struct Tomorrow {
    served: Served,
    case: Case,
    id: String,
    before: Map<String, Value>,
}

impl Tomorrow {
    fn new() -> Self {
        let clients = [body(), json!({"client_id": "c1", "name": "Of today", "description": "Old"})];
        let load = clients.map(|client| client.as_object().unwrap().clone()).to_vec();
        let served = Served::with(Options {
            tier: "unlimited".parse().unwrap(),
            load: Some(load),
            ..Options::default()
        });
        let (case, id) = (served.case(), "tomorrow0000000000000000000000000".to_owned());
        let before = served.client(&id);
        Self { served, case, id, before }
    }

    /// A job of these lines about the client.
    fn job(&self, lines: &str) -> String {
        let text = format!("[[update]]\nclient_id = \"{}\"\n{lines}\n", self.id);
        std::fs::write(self.case.path("job.toml"), text).unwrap();
        "job.toml".to_owned()
    }

    fn apply(&self, lines: &str) -> Done {
        self.case.run(["apply", &self.job(lines), "--yes"])
    }

    /// Takes the newest run back, and reads again what that wrote.
    fn undo(&self) -> Done {
        let newest = self.case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        self.case.run(["undo", &newest, "--yes", "--verify"])
    }

    /// The client differs from what it was in these fields alone.
    #[track_caller]
    fn differs_only_in(&self, changes: &[(&str, Value)]) {
        let mut expected = self.before.clone();
        for (path, value) in changes {
            path.parse::<FieldPath>().unwrap().put(&mut expected, value.clone());
        }
        assert_eq!(Value::Object(self.served.client(&self.id)), Value::Object(expected));
    }
}

#[test]
fn it_is_fetched_in_every_form_and_what_nobody_edited_is_no_change() {
    let tomorrow = Tomorrow::new();
    for form in ["json", "jsonl", "csv", "toml"] {
        let file = format!("all.{form}");
        tomorrow.case.run(["get", "--all", "-o", &file]).exits(0);
        tomorrow.case.run(["plan", &file, "--detailed-exitcode"]).exits(0);
    }
    let all: Value = serde_json::from_str(&tomorrow.case.read("all.json")).unwrap();
    let fetched = all.as_array().unwrap().iter().find(|client| client["name"] == "Of tomorrow").unwrap();
    for field in [
        "quantum_safe",
        "a new.field",
        "empty",
        "nothing",
        "app_type",
        "refresh_token",
        "addons",
        "client_metadata",
    ] {
        assert_eq!(fetched[field], tomorrow.before[field], "{field}");
    }
}

#[test]
fn an_edit_of_a_fetched_file_is_applied_and_undone_in_every_form() {
    let tomorrow = Tomorrow::new();
    for form in ["json", "jsonl", "csv", "toml"] {
        let file = format!("all.{form}");
        tomorrow.case.run(["get", "--all", "-o", &file]).exits(0);
        let text = tomorrow.case.read(&file);
        // In TOML the first is the value that is set, and the second the one that is expected.
        std::fs::write(tomorrow.case.path(&file), text.replacen("Of tomorrow", "Of the day after", 1))
            .unwrap();
        tomorrow.case.run(["apply", &file, "--yes"]).exits(0);
        tomorrow.differs_only_in(&[("name", json!("Of the day after"))]);
        tomorrow.undo().exits(0);
        tomorrow.differs_only_in(&[]);
    }
}

#[test]
fn an_unrelated_field_is_planned_applied_verified_and_undone() {
    let tomorrow = Tomorrow::new();
    let lines = "set.description = \"Of {{ name }}\"\nadd.web_origins = [\"https://a.example\"]";
    tomorrow.case.run(["plan", &tomorrow.job(lines), "--detailed-exitcode"]).exits(2);
    let done = tomorrow.case.run(["apply", "job.toml", "--yes", "--verify"]);
    done.exits(0);
    assert_eq!(tomorrow.case.result_words(), ["updated"], "{done}");
    assert_eq!(tomorrow.case.results()[0]["_reason"], "", "{done}");
    tomorrow.differs_only_in(&[
        ("description", json!("Of Of tomorrow")),
        ("web_origins", json!(["https://a.example"])),
    ]);
    tomorrow.case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
    tomorrow.undo().exits(0);
    // Absent is the empty text, where the API has no other way.
    tomorrow.differs_only_in(&[("description", json!("")), ("web_origins", json!([]))]);
}

#[test]
fn a_sibling_in_an_object_that_is_sent_whole_takes_keys_and_values_of_tomorrow_along() {
    let tomorrow = Tomorrow::new();
    tomorrow.apply("set.refresh_token.leeway = 5").exits(0);
    tomorrow.differs_only_in(&[("refresh_token.leeway", json!(5))]);
    tomorrow.undo().exits(0);
    tomorrow.differs_only_in(&[]);
}

#[test]
fn a_key_beside_values_of_tomorrow_is_written_alone() {
    let tomorrow = Tomorrow::new();
    tomorrow
        .apply("set.jwt_configuration.alg = \"RS256\"\nset.client_metadata.owner = \"identity\"")
        .exits(0);
    tomorrow.differs_only_in(&[
        ("jwt_configuration.alg", json!("RS256")),
        ("client_metadata.owner", json!("identity")),
    ]);
}

#[test]
fn rules_see_fields_and_values_of_tomorrow() {
    let tomorrow = Tomorrow::new();
    let rules = [
        "match = { app_type = \"quantum\" }",
        "where = \"quantum_safe.enabled and quantum_safe.level > 1\"",
        "where = \"client['a new.field'] | default('') is matching('dot$') and not sso and callbacks is none\"",
        "where = \"'urn:example:tomorrow' in grant_types and client_metadata.since | int == 2026\"",
        "where = \"refresh_token.bound_to is defined and refresh_token.bound_to.kind == 'device' and addons is sequence\"",
    ];
    for rule in rules {
        let case = served_job(
            &tomorrow,
            &format!(
                "[[update]]\n{rule}\ncount = 1\nset.description = \"{{{{ quantum_safe.level | default(0) }}}} {{{{ par_request_expiry or '' }}}}\"\n"
            ),
        );
        let done = case.run(["plan", "rule.toml", "--detailed-exitcode"]);
        assert!(done.exits(2).stdout.contains("Of tomorrow"), "{rule}: {done}");
    }
}

fn served_job<'t>(tomorrow: &'t Tomorrow, text: &str) -> &'t Case {
    std::fs::write(tomorrow.case.path("rule.toml"), text).unwrap();
    &tomorrow.case
}

#[test]
fn a_field_that_took_another_form_can_be_given_the_form_that_is_known() {
    let tomorrow = Tomorrow::new();
    let lines = "set.callbacks = [\"https://a.example\"]\nset.app_type = \"spa\"\nset.addons.samlp.audience = \"urn:a\"\nset.par_request_expiry = 60\nreplace.client_metadata = { team = \"web\" }";
    tomorrow.apply(lines).exits(0);
    let after = tomorrow.served.client(&tomorrow.id);
    assert_eq!(after["callbacks"], json!(["https://a.example"]));
    assert_eq!(after["addons"], json!({"samlp": {"audience": "urn:a"}}));
    // A null is absent already.
    assert_eq!(after["client_metadata"], json!({"team": "web", "none": null}));
    tomorrow.case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
    // What an undo cannot put back as it was, it says; it does not fail over it.
    let undone = tomorrow.undo();
    assert!(matches!(undone.code, Some(0 | 1)), "{undone}");
}

/// Any value of JSON.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[a-z:/<>{}*'\" \n]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-z._\" ]{1,6}", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Every path that the catalogue has, but for what says which client it is and who it is for.
fn paths() -> Vec<FieldPath> {
    fn below(field: &Field, path: &FieldPath, into: &mut Vec<FieldPath>) {
        into.push(path.clone());
        for (key, inner) in &field.fields {
            below(inner, &path.child(key), into);
        }
    }
    let mut all = Vec::new();
    for (key, field) in &catalogue::default_kind().root().fields {
        if !matches!(key.as_str(), "client_id" | "name" | "description" | "global") {
            below(field, &FieldPath::root_field(key), &mut all);
        }
    }
    all
}

proptest! {
    #![proptest_config(few(48))]

    #[test]
    fn whatever_a_client_holds_it_is_fetched_in_every_form_and_an_unrelated_field_is_planned_alone(
        odd in prop::collection::vec((select(paths()), anything()), 1..6), deep in 0..90_usize,
    ) {
        let mut client = json!({"client_id": "c0", "name": "Odd"}).as_object().unwrap().clone();
        for (path, value) in odd {
            path.put(&mut client, value);
        }
        client.insert("deep".into(), (0..deep).fold(json!(1), |inner, _| json!({ "in": inner })));
        let world = World::new(json!([client]));
        for form in ["json", "jsonl", "csv", "toml"] {
            let file = world.get(form);
            let told = world.plan(&format!("all.{form}"), &file);
            prop_assert_eq!(&told, "c0 unchanged", "{}: {}", form, file);
        }
        let job = "[[update]]\nmatch = { name = \"*\" }\nset.description = \"New\"\n";
        prop_assert_eq!(world.plan("job.toml", job), "c0 description absent → \"New\"");
        prop_assert_eq!(world.sent("job.toml", job), [("c0".to_owned(), json!({"description": "New"}))]);
    }
}
