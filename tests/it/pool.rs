//! Jobs and clients as a person might have them, generated: what the laws are held against.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

pub(crate) fn few(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What an update may say of itself; one that is not repeatable may well do more when it runs again.
pub(crate) const REPEATABLE: [&str; 2] = ["", "every = true\n"];
pub(crate) const ANY: [&str; 4] = ["", "", "every = true\n", "repeatable = false\n"];

/// What updates of the laws do.
pub(crate) const OPS: [&str; 25] = [
    "set.name = \"{{ name }} EU\"",
    "set.name = \"{{ name | removesuffix(' EU') }} EU\"",
    "set.name = \"{{ name | upper }}\"",
    "set.name = \"beta\"",
    "set.description = \"\"",
    "set.description = \"of {{ client_metadata.team | default('nobody') }}\"",
    "set.client_metadata.team = \"billing\"",
    "set.client_metadata.count = \"{{ client_metadata | length }}\"",
    "set.callbacks = \"{{ callbacks | reject('startingwith', 'http:') | list }}\"",
    "set.sso = \"{{ not sso }}\"",
    "set.sso = true",
    "add.callbacks = [\"https://new.example\"]",
    "add.callbacks = [\"https://{{ name | lower | replace(' ', '-') }}.example\"]",
    "remove.callbacks = [\"https://old.example\"]",
    "add.web_origins = [\"https://a.example\"]",
    "replace.refresh_token = { rotation_type = \"rotating\", expiration_type = \"expiring\" }",
    "replace.client_metadata = { team = \"{{ app_type | default('none') }}\" }",
    "unset = [\"initiate_login_uri\"]",
    "unset = [\"client_metadata\"]",
    "set.app_type = \"spa\"",
    "set.refresh_token.leeway = \"{{ (refresh_token.leeway or 0) }}\"",
    "set.initiate_login_uri = \"https://login.example/{{ client_id }}\"",
    "set.token_quota = { client_credentials = { enforce = true } }",
    "set.session_transfer.allow_refresh_token = true",
    "set.native_social_login.apple.enabled = true",
];

/// An update as a person might write it, in TOML.
fn update(flags: &[&'static str], ops: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    let selector = select(vec![
        "client_id = \"c0\"",
        "client_id = \"c1\"",
        "match = { name = \"*\" }",
        "match = { name = \"a*\" }",
        "match = { name = \"alpha\" }",
        "where = \"app_type == 'spa'\"",
        "where = \"client_metadata.team is none\"",
        "where = \"name is matching('^a.*')\"",
        "where = \"callbacks and 'https://old.example' in callbacks\"",
        "match = { name = \"*\" }\nwhere = \"sso\"",
        "match = { name = \"{{ vars.prefix }}*\" }",
    ]);
    let op = select(ops.to_vec());
    let flags = select(flags.to_vec());
    (selector, op, flags).prop_map(|(selector, op, flags)| format!("[[update]]\n{selector}\n{op}\n{flags}"))
}

pub(crate) fn job(flags: &[&'static str], ops: &[&'static str]) -> impl Strategy<Value = String> + use<> {
    prop::collection::vec(update(flags, ops), 1..4)
        .prop_map(|updates| format!("vars.prefix = \"a\"\n{}", updates.join("\n")))
}

/// Two clients that could be written as they are.
pub(crate) fn plain_clients() -> impl Strategy<Value = Value> {
    let field = |name: &'static str, values: Vec<Value>| {
        prop_oneof![Just((name, None)), select(values).prop_map(move |value| (name, Some(value)))]
    };
    let one = (
        field("app_type", vec![json!("spa"), json!("native")]),
        field("description", vec![json!(""), json!("old")]),
        field(
            "callbacks",
            vec![
                json!([]),
                json!(["https://old.example", "http://localhost"]),
                json!(["https://new.example"]),
            ],
        ),
        field(
            "client_metadata",
            vec![json!({}), json!({"team": "web"}), json!({"team": "billing", "tier": "gold"})],
        ),
        field("sso", vec![json!(true), json!(false)]),
        field(
            "refresh_token",
            vec![
                json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 9, "token_lifetime": 100, "idle_token_lifetime": 50}),
                json!({"rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 0, "infinite_token_lifetime": true}),
            ],
        ),
        field("initiate_login_uri", vec![json!("https://x.example")]),
    );
    let names = (select(vec!["alpha", "alpha EU", "beta", "Gamma"]), select(vec!["alpha", "delta EU"]));
    (names, one.clone(), one).prop_map(|((first, second), a, b)| {
        let body = |id: &str, name: &str, fields: [(&'static str, Option<Value>); 7]| {
            let mut body = Map::new();
            body.insert("client_id".into(), json!(id));
            body.insert("name".into(), json!(name));
            body.extend(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
            Value::Object(body)
        };
        let fields = |(a, b, c, d, e, f, g)| [a, b, c, d, e, f, g];
        json!([body("c0", first, fields(a)), body("c1", second, fields(b))])
    })
}
