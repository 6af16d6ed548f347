//! Fields that move, or forbid, each other: what moves along is shown, journaled, judged and put back like what was asked for.

#![expect(clippy::needless_pass_by_value, reason = "called with literals")]

use patchwave::sandbox::Options;
use serde_json::{Map, Value, json};

use crate::common::{Case, Done, Served};

const METHODS: &str =
    "client_authentication_methods = { private_key_jwt = { credentials = [{ id = \"cred_1\" }] } }";

fn methods() -> Value {
    json!({"private_key_jwt": {"credentials": [{"id": "cred_1"}]}})
}

fn logout(url: &str) -> Value {
    json!({"backchannel_logout_urls": [url], "backchannel_logout_initiators": {"mode": "custom", "selected_initiators": ["rp-logout"]}})
}

fn addresses(url: &str) -> Value {
    json!({"backchannel_logout_urls": [url]})
}

/// A tenant whose client "Billing" holds these fields beside its own.
struct Tenant {
    served: Served,
    case: Case,
    id: String,
    before: Map<String, Value>,
}

impl Tenant {
    fn with(fields: Value) -> Self {
        let served = Served::quick();
        let id = served.id("Billing");
        edit(&served, &id, &fields);
        let before = served.client(&id);
        let case = served.case();
        Self { served, case, id, before }
    }

    /// A file with this job, each block an update of the client.
    fn job(self, updates: &[&str]) -> Self {
        let update = |lines: &&str| format!("[[update]]\nclient_id = \"{}\"\n{lines}\n", self.id);
        let text: String = updates.iter().map(update).collect();
        Self { case: self.case.file("job.toml", text), ..self }
    }

    fn run(&self, args: &[&str]) -> Done {
        self.case.run(args)
    }

    fn undo(&self, flags: &[&str]) -> Done {
        let run = self.case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        self.case.run(["undo", &run, "--yes"].iter().chain(flags))
    }

    /// The undo of the oldest run.
    fn undo_of_first(&self, flags: &[&str]) -> Done {
        let run = self.case.runs().remove(0).file_name().unwrap().to_string_lossy().into_owned();
        self.case.run(["undo", &run, "--yes"].iter().chain(flags))
    }

    fn client(&self) -> Map<String, Value> {
        self.served.client(&self.id)
    }

    /// Only the newest run's row: result and error.
    fn row(&self) -> (String, String) {
        let row = self.case.results().remove(0);
        (row["_result"].clone(), row["_error"].clone())
    }
}

fn edit(served: &Served, id: &str, fields: &Value) {
    served.tenant().edit(id, |client| {
        for (key, value) in fields.as_object().unwrap() {
            match value {
                Value::Null => drop(client.remove(key)),
                value => drop(client.insert(key.clone(), value.clone())),
            }
        }
    });
}

#[test]
fn the_newer_name_goes_with_the_older_one_is_shown_and_comes_back_whole() {
    let url = "https://a.example/out";
    for name in ["oidc_backchannel_logout", "oidc_logout"] {
        let tenant =
            Tenant::with(json!({"oidc_logout": logout(url), "oidc_backchannel_logout": addresses(url)}))
                .job(&[&format!("unset = [\"{name}\"]")]);
        let shown = tenant.run(&["apply", "job.toml", "--yes"]);
        for line in ["oidc_logout ", "oidc_backchannel_logout "] {
            assert!(shown.exits(0).stdout.contains(line), "{shown}");
        }
        assert!(
            !tenant.client().contains_key("oidc_logout")
                && !tenant.client().contains_key("oidc_backchannel_logout")
        );
        tenant.run(&["plan", "job.toml", "--detailed-exitcode"]).exits(0);
        tenant.undo(&[]).exits(0);
        assert_eq!(tenant.client(), tenant.before, "{name}");
    }
}

#[test]
fn what_somebody_changed_under_the_other_name_since_a_plan_was_saved_is_a_conflict() {
    let url = "https://a.example/out";
    let tenant = Tenant::with(json!({"oidc_logout": logout(url), "oidc_backchannel_logout": addresses(url)}))
        .job(&["unset = [\"oidc_backchannel_logout\"]"]);
    tenant.run(&["plan", "job.toml", "--out", "saved.jsonl"]).exits(0);
    let mut changed = logout(url);
    changed["backchannel_logout_initiators"] = json!({"mode": "all"});
    edit(&tenant.served, &tenant.id, &json!({"oidc_logout": changed}));
    tenant.run(&["apply", "saved.jsonl", "--yes"]).exits(1);
    assert_eq!(tenant.row().0, "conflict");
    assert_eq!(tenant.client()["oidc_logout"], changed);
}

#[test]
fn a_method_that_was_set_since_a_plan_was_saved_is_not_taken_away_unseen() {
    let tenant = Tenant::with(json!({"token_endpoint_auth_method": null})).job(&[&format!("set.{METHODS}")]);
    tenant.run(&["plan", "job.toml", "--out", "saved.jsonl"]).exits(0);
    edit(&tenant.served, &tenant.id, &json!({"token_endpoint_auth_method": "client_secret_post"}));
    tenant.run(&["apply", "saved.jsonl", "--yes"]).exits(1);
    assert!(
        tenant.row().1.contains("token_endpoint_auth_method is \"client_secret_post\""),
        "{:?}",
        tenant.row()
    );
    assert_eq!(tenant.client().get("client_authentication_methods"), None);
}

#[test]
fn updates_of_one_client_that_ask_for_what_another_takes_away_are_refused() {
    let held = json!({"token_endpoint_auth_method": "client_secret_post"});
    let set = format!("set.{METHODS}");
    for asked in [
        "set.token_endpoint_auth_method = \"client_secret_post\"",
        "set.token_endpoint_auth_method = \"{{ 'client_secret_' ~ 'post' }}\"",
    ] {
        let tenant = Tenant::with(held.clone()).job(&[&set, asked]);
        tenant.run(&["apply", "job.toml", "--yes"]).exits(64);
        assert_eq!(tenant.client(), tenant.before);
    }
    let url = "https://a.example/out";
    let fields = json!({"oidc_logout": logout(url), "oidc_backchannel_logout": addresses(url)});
    let keep = format!("set.oidc_logout.backchannel_logout_urls = [\"{url}\"]");
    let tenant = Tenant::with(fields).job(&["unset = [\"oidc_backchannel_logout\"]", &keep]);
    tenant.run(&["apply", "job.toml", "--yes"]).exits(64);
    assert_eq!(tenant.client(), tenant.before);
}

#[test]
fn an_undo_puts_back_both_halves_whichever_is_named() {
    for field in ["token_endpoint_auth_method", "client_authentication_methods"] {
        let tenant = Tenant::with(json!({"token_endpoint_auth_method": "client_secret_post"}))
            .job(&[&format!("set.{METHODS}")]);
        tenant.run(&["apply", "job.toml", "--yes"]).exits(0);
        assert_eq!(tenant.client().get("token_endpoint_auth_method"), None);
        tenant.undo(&["--field", field]).exits(0);
        assert_eq!(tenant.client(), tenant.before, "{field}");
    }
}

#[test]
fn a_method_that_shows_where_methods_went_is_not_taken_away_unasked() {
    let fields = json!({"client_authentication_methods": methods(), "token_endpoint_auth_method": "client_secret_post"});
    let tenant = Tenant::with(fields).job(&["unset = [\"client_authentication_methods\"]"]);
    tenant.run(&["apply", "job.toml", "--yes"]).exits(0);
    // Whether it showed again by itself, or somebody has set it since, nobody can tell.
    let now = tenant.client();
    tenant.undo(&[]).exits(1);
    assert_eq!(tenant.row().0, "conflict");
    assert_eq!(tenant.client(), now);
    let back = tenant.undo_of_first(&["--on-conflict", "overwrite"]);
    let line = back.exits(0).stdout.lines().find(|line| line.contains("token_endpoint_auth_method")).unwrap();
    assert!(line.ends_with("\"client_secret_post\" → absent"), "{back}");
    assert_eq!(tenant.client()["client_authentication_methods"], methods());
}

#[test]
fn an_undo_that_cannot_put_methods_back_leaves_the_client_a_way_to_sign_in() {
    let fields = json!({"client_authentication_methods": methods(), "token_endpoint_auth_method": "client_secret_post", "jwt_configuration": {"alg": "RS256"}});
    let tenant = Tenant::with(fields).job(&["unset = [\"client_authentication_methods\"]"]);
    tenant.run(&["apply", "job.toml", "--yes"]).exits(0);
    edit(&tenant.served, &tenant.id, &json!({"jwt_configuration": {"alg": "HS256"}}));
    tenant.undo(&["--on-conflict", "overwrite"]).exits(1);
    assert_eq!(tenant.client()["token_endpoint_auth_method"], "client_secret_post");
}

#[test]
fn what_was_overwritten_along_is_shown_and_comes_back() {
    let tenant = Tenant::with(json!({"token_endpoint_auth_method": null})).job(&[&format!("set.{METHODS}")]);
    tenant.run(&["plan", "job.toml", "--out", "saved.jsonl"]).exits(0);
    edit(&tenant.served, &tenant.id, &json!({"token_endpoint_auth_method": "client_secret_basic"}));
    let applied = tenant.run(&["apply", "saved.jsonl", "--yes", "--on-conflict", "overwrite"]);
    assert!(applied.exits(0).stdout.contains("\"client_secret_basic\" → absent"), "{applied}");
    tenant.undo(&[]).exits(0);
    assert_eq!(tenant.client()["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(tenant.client().get("client_authentication_methods"), None);
}

#[test]
fn what_somebody_added_under_the_other_name_since_a_run_stays() {
    let job = "set.oidc_backchannel_logout.backchannel_logout_urls = [\"https://b.example/out\"]";
    let tenant = Tenant::with(json!({})).job(&[job]);
    tenant.run(&["apply", "job.toml", "--yes"]).exits(0);
    edit(&tenant.served, &tenant.id, &json!({"oidc_logout": logout("https://b.example/out")}));
    tenant.undo(&[]).exits(1);
    assert_eq!(tenant.client()["oidc_logout"], logout("https://b.example/out"));
}

#[test]
fn an_undo_of_one_key_of_a_setting_with_two_names_leaves_the_rest() {
    let (a, b) = ("https://a.example/out", "https://b.example/out");
    let tenant = Tenant::with(json!({"oidc_logout": logout(a), "oidc_backchannel_logout": addresses(a)})).job(&[&format!(
        "set.oidc_logout.backchannel_logout_urls = [\"{b}\"]\nset.oidc_logout.backchannel_logout_initiators.selected_initiators = [\"idp-logout\"]"
    )]);
    tenant.run(&["apply", "job.toml", "--yes"]).exits(0);
    tenant.undo(&["--field", "oidc_logout.backchannel_logout_initiators"]).exits(0);
    assert_eq!(tenant.client()["oidc_logout"], logout(b));
    assert_eq!(tenant.client()["oidc_backchannel_logout"], addresses(b));
}

#[test]
fn what_a_token_could_not_read_is_not_taken_for_absent() {
    let scopes = ["read:clients", "update:clients"].map(str::to_owned).to_vec();
    let served = Served::with(Options { scopes, ..Options::default() });
    let id = served.id("Billing");
    let fields = json!({"app_type": "native", "client_authentication_methods": methods(), "token_endpoint_auth_method": null, "grant_types": ["implicit"]});
    edit(&served, &id, &fields);
    let job = format!("[[update]]\nclient_id = \"{id}\"\nadd.grant_types = [\"client_credentials\"]\n");
    served.case().file("job.toml", job).run(["plan", "job.toml"]).exits(0);
}

#[test]
fn an_undo_does_not_send_what_auth0_would_refuse_for_the_sake_of_another_field() {
    let tenant = Tenant::with(json!({"organization_usage": "allow", "is_first_party": true}))
        .job(&["unset = [\"organization_usage\"]\nset.is_first_party = false"]);
    tenant.run(&["apply", "job.toml", "--yes"]).exits(0);
    tenant.undo(&["--field", "organization_usage"]).exits(1);
    let (result, words) = tenant.row();
    assert_eq!(result, "conflict", "{words}");
    assert!(words.contains("is_first_party false"), "{words}");
}
