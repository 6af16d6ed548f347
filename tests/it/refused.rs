//! What Auth0 would answer with 400 is refused here, before anything is sent: offline where the job tells it, else by the plan.
//! One case for each form of error that the API has for the body of a PATCH.

use std::path::Path;

use serde_json::{Value, json};

use patchwave::sandbox::Options;

use crate::common::Served;

/// A form of error: what the client holds beforehand, the lines of the update, and words that tell what is wrong.
struct Form {
    form: &'static str,
    before: Value,
    lines: String,
    words: &'static str,
    /// Whether `check` sees it too.
    offline: bool,
}

fn form(
    form: &'static str,
    before: Value,
    lines: impl Into<String>,
    words: &'static str,
    offline: bool,
) -> Form {
    Form { form, before, lines: lines.into(), words, offline }
}

fn forms() -> Vec<Form> {
    let eleven: String = (0..11).map(|at| format!("set.client_metadata.k{at} = \"v\"\n")).collect();
    let six: Value = json!({"client_metadata": {"a": "", "b": "", "c": "", "d": "", "e": "", "f": ""}});
    let five: String = (0..5).map(|at| format!("set.client_metadata.k{at} = \"v\"\n")).collect();
    let long = |field: &str, length: usize| format!("set.{field} = \"{}\"", "x".repeat(length));
    let none = || json!({});
    vec![
        form("extra key", none(), "set.nam = \"x\"", "did you mean `name`", true),
        form("extra key that only the server sets", none(), "set.tenant = \"x\"", "read-only", true),
        form("extra key: the id", none(), "set.global = true", "read-only", true),
        form(
            "extra key, nested",
            none(),
            "set.refresh_token.rotation = \"rotating\"",
            "there is no field",
            true,
        ),
        form(
            "extra key of a closed object",
            none(),
            "set.session_transfer.shiny = true",
            "there is no field `session_transfer.shiny`",
            true,
        ),
        form("nothing to change", none(), "", "changes nothing", true),
        form("wrong type", none(), "set.callbacks = \"https://a.example\"", "callbacks must be a list", true),
        form("null where none is taken", none(), "unset = [\"name\"]", "cannot be emptied", true),
        form(
            "wrong type, nested",
            none(),
            "set.jwt_configuration.lifetime_in_seconds = \"long\"",
            "whole number",
            true,
        ),
        form("bad enum", none(), "set.app_type = \"SPA\"", "did you mean \"spa\"", true),
        form(
            "bad enum in a list",
            none(),
            "set.organization_discovery_methods = [\"mail\"]",
            "cannot be \"mail\"",
            true,
        ),
        form("empty item", none(), "set.grant_types = [\"\"]", "grant_types[0] must not be empty", true),
        form(
            "doubles",
            none(),
            "set.grant_types = [\"implicit\", \"implicit\"]",
            "the same as grant_types[0]",
            true,
        ),
        form("format: no scheme", none(), "set.callbacks = [\"a.example/cb\"]", "begins with a scheme", true),
        form("format: wildcard", none(), "set.web_origins = [\"https://a.*.example\"]", "left-most", true),
        form(
            "format: https alone",
            none(),
            "set.initiate_login_uri = \"http://a.example\"",
            "https://",
            true,
        ),
        form(
            "format: id",
            none(),
            "set.default_organization = { organization_id = \"acme\", flows = [\"client_credentials\"] }",
            "org_",
            true,
        ),
        form("too long a description", none(), long("description", 141), "at most 140", true),
        form("too long a metadata value", none(), long("client_metadata.a", 256), "at most 255", true),
        form(
            "too long a metadata key",
            none(),
            format!("set.client_metadata.{} = \"v\"", "k".repeat(256)),
            "at most 255",
            true,
        ),
        form("metadata that is no text", none(), "set.client_metadata.a = 7", "must be text", true),
        form("too many metadata keys", none(), eleven, "at most 10", true),
        form("too many metadata keys with those that are there", six, five, "at most 10", false),
        form("too small a number", none(), "set.par_request_expiry = 5", "the least is 10", true),
        form("too large a number", none(), "set.par_request_expiry = 601", "the most is 600", true),
        form("pattern: an angle bracket", none(), "set.name = \"a<b\"", "must match", true),
        form(
            "pattern, rendered",
            json!({"description": "<b>"}),
            "set.name = \"{{ description }}\"",
            "must match",
            false,
        ),
        form("too long, rendered", none(), "set.description = \"{{ name * 100 }}\"", "at most 140", false),
        form(
            "missing inner key",
            none(),
            "replace.token_quota = {}",
            "token_quota needs client_credentials",
            true,
        ),
        form(
            "missing inner key, replaced",
            none(),
            "replace.refresh_token = { leeway = 3 }",
            "rotation_type",
            true,
        ),
        form(
            "missing inner key, of what is there",
            none(),
            "set.default_organization.flows = [\"client_credentials\"]",
            "organization_id",
            false,
        ),
        form(
            "missing inner key, the other one",
            none(),
            "set.default_organization.organization_id = \"org_1234567890abcdef\"",
            "flows",
            false,
        ),
        form(
            "missing inner key of vault access",
            none(),
            "replace.token_vault_privileged_access = { ip_allowlist = [] }",
            "credentials",
            true,
        ),
        form(
            "no alternative fits",
            none(),
            "set.token_vault_privileged_access = { credentials = [], ip_allowlist = [\"here\"] }",
            "IP address",
            true,
        ),
        form(
            "two methods of authentication",
            none(),
            "set.client_authentication_methods = { private_key_jwt = { credentials = [{ id = \"cred_1\" }] }, tls_client_auth = { credentials = [{ id = \"cred_2\" }] } }",
            "at most 1",
            true,
        ),
        form("a grant that does not exist", none(), "set.grant_types = [\"telepathy\"]", "telepathy", true),
        form(
            "a grant that does not fit",
            json!({"token_endpoint_auth_method": "none", "app_type": "spa"}),
            "add.grant_types = [\"client_credentials\"]",
            "token_endpoint_auth_method",
            false,
        ),
        form(
            "lifetimes",
            none(),
            "set.refresh_token = { rotation_type = \"rotating\", expiration_type = \"expiring\", token_lifetime = 60, idle_token_lifetime = 60, infinite_token_lifetime = false }",
            "less than",
            true,
        ),
        form(
            "lifetimes, with what is there",
            json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "token_lifetime": 100, "idle_token_lifetime": 50, "infinite_token_lifetime": false}}),
            "set.refresh_token.idle_token_lifetime = 100",
            "less than",
            false,
        ),
        form("an empty key", none(), "replace.encryption_key = {}", "encryption_key", true),
        form(
            "two that exclude each other",
            none(),
            "set.token_endpoint_auth_method = \"client_secret_post\"\nset.client_authentication_methods = { tls_client_auth = { credentials = [{ id = \"cred_1\" }] } }",
            "does not go with",
            true,
        ),
        form(
            "one that excludes what is there",
            json!({"client_authentication_methods": {"tls_client_auth": {"credentials": [{"id": "cred_1"}]}}}),
            "set.token_endpoint_auth_method = \"client_secret_post\"",
            "does not go with",
            false,
        ),
        form(
            "the mode fixed at creation",
            none(),
            "set.third_party_security_mode = \"permissive\"",
            "when a client is created",
            true,
        ),
        form(
            "a third party with organizations",
            json!({"organization_usage": "allow"}),
            "set.is_first_party = false",
            "organization_usage",
            false,
        ),
        form(
            "a prompt that wants OIDC",
            json!({"oidc_conformant": false}),
            "set.organization_require_behavior = \"post_login_prompt\"",
            "oidc_conformant",
            false,
        ),
    ]
}

#[test]
fn every_form_of_a_refused_body_is_refused_before_it_is_sent() {
    let served = Served::quick();
    let id = served.id("Billing");
    let plain = served.client(&id);
    let mut wrong = Vec::new();
    for Form { form, before, lines, words, offline } in forms() {
        served.tenant().edit(&id, |client| {
            *client = plain.clone();
            client.extend(before.as_object().unwrap().clone());
        });
        let case = served.case().file("job.toml", format!("[[update]]\nclient_id = \"{id}\"\n{lines}\n"));
        let checked = case.run(["check", "job.toml"]);
        if (checked.code == Some(64)) != offline {
            wrong.push(format!("{form}: check says {checked}"));
        }
        let applied = case.run(["apply", "job.toml", "--yes"]);
        if applied.code != Some(64) || !applied.stderr.contains(words) {
            wrong.push(format!("{form}: {words:?} is not what apply says: {applied}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(served.counters().patch, 0, "nothing was sent");
}

#[test]
fn what_the_tenant_holds_already_is_never_refused_and_other_items_of_its_lists_can_be_edited() {
    let served = Served::quick();
    let id = served.id("Billing");
    let odd = json!({
        "callbacks": ["http://localhost:*"], "grant_types": ["implicit", "client_credentials", "tomorrows_grant"],
        "token_endpoint_auth_method": "none", "app_type": "spa",
    });
    served.tenant().edit(&id, |client| client.extend(odd.as_object().unwrap().clone()));
    let lines = "add.callbacks = [\"https://a.example/cb\"]\nremove.grant_types = [\"implicit\"]";
    let case = served.case().file("job.toml", format!("[[update]]\nclient_id = \"{id}\"\n{lines}\n"));
    let planned = case.run(["plan", "job.toml"]);
    assert!(planned.exits(0).stdout.contains("1 client to change"), "{planned}");
}

#[test]
fn a_token_that_cannot_read_what_concerns_a_field_can_change_that_field_all_the_same() {
    let scopes = ["read:clients", "update:clients"].map(str::to_owned).to_vec();
    let served = Served::with(Options { scopes, ..Options::default() });
    let id = served.id("Billing");
    let lines = "set.token_endpoint_auth_method = \"client_secret_basic\"";
    let case = served.case().file("job.toml", format!("[[update]]\nclient_id = \"{id}\"\n{lines}\n"));
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    let lines =
        "set.client_authentication_methods = { tls_client_auth = { credentials = [{ id = \"cred_1\" }] } }";
    let case = served.case().file("job.toml", format!("[[update]]\nclient_id = \"{id}\"\n{lines}\n"));
    let refused = case.run(["plan", "job.toml"]);
    let words = "client_authentication_methods cannot be read; grant the application one of `read:client_keys`, `read:client_credentials`";
    assert!(refused.exits(3).stderr.contains(words), "{refused}");
}

#[test]
fn every_recorded_body_of_a_client_that_was_refused_is_refused_before_it_is_sent() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/error-bodies.jsonl");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: there is no {}", file.display());
        return;
    };
    let served = Served::quick();
    let id = served.id("Billing");
    let mut refused = 0;
    for line in text.lines() {
        let error: Value = serde_json::from_str(line).unwrap();
        if error["status"] != 400 || error["method"] != "PATCH" || error["route"] != "/api/v2/clients/{id}" {
            continue;
        }
        let mut body = error["request"].clone();
        body["client_id"] = json!(id);
        let case = served.case().file("job.json", body.to_string());
        let done = case.run(["apply", "job.json", "--yes"]);
        assert_eq!(done.code, Some(64), "{done}");
        refused += 1;
    }
    assert!(refused > 0);
    assert_eq!(served.counters().patch, 0);
}
