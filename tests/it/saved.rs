//! A plan that was saved is carried out exactly, each client judged as it is when that happens.

use serde_json::{Value, json};

use crate::common::{Case, Done, Served};

/// Two clients, and a saved plan of a job; `{a}` and `{b}` are their ids.
struct Saved {
    served: Served,
    case: Case,
    ids: Vec<String>,
}

impl Saved {
    fn new(before: &Value, job: &str) -> Self {
        let served = Served::quick();
        let ids = served.ids(2);
        let job = job.replace("{a}", &ids[0]).replace("{b}", &ids[1]);
        let case = served.case().file("job.toml", job);
        let saved = Self { served, case, ids };
        saved.edit(0, before);
        saved.case.run(["plan", "job.toml", "--out", "p.jsonl"]).exits(0);
        saved
    }

    /// Both clients are to get a new name.
    fn renames() -> Self {
        Self::new(
            &json!({}),
            "[[update]]\nclient_id = \"{a}\"\nset.name = \"A\"\nset.description = \"New\"\n[[update]]\nclient_id = \"{b}\"\nset.name = \"B\"\n",
        )
    }

    /// One client, of which these lines are said.
    fn one(before: &Value, lines: &str) -> Self {
        Self::new(before, &format!("[[update]]\nclient_id = \"{{a}}\"\n{lines}\n"))
    }

    fn edit(&self, at: usize, fields: &Value) {
        self.served.tenant().edit(&self.ids[at], |client| client.extend(fields.as_object().unwrap().clone()));
    }

    fn field(&self, at: usize, name: &str) -> Value {
        self.served.client(&self.ids[at]).remove(name).unwrap_or_default()
    }

    fn apply(&self, flags: &[&str]) -> Done {
        self.case.run(["apply", "p.jsonl", "--yes"].iter().chain(flags))
    }

    /// What the only PATCH sent.
    fn sent(&self) -> Value {
        let patches = self.served.counters().patches;
        assert_eq!(patches.len(), 1);
        serde_json::from_slice(&patches[0].body).unwrap()
    }
}

#[test]
fn a_saved_plan_needs_no_job_any_more() {
    let saved = Saved::renames();
    std::fs::remove_file(saved.case.path("job.toml")).unwrap();
    saved.apply(&[]).exits(0);
    assert_eq!((saved.field(0, "name"), saved.field(1, "name")), (json!("A"), json!("B")));
    assert_eq!(saved.case.result_words(), ["updated", "updated"]);
}

#[test]
fn a_client_that_somebody_changed_since_is_a_conflict_and_the_others_go_through() {
    let saved = Saved::renames();
    saved.edit(0, &json!({"name": "By hand"}));
    saved.apply(&[]).exits(1);
    assert_eq!((saved.field(0, "name"), saved.field(1, "name")), (json!("By hand"), json!("B")));
    assert_ne!(
        saved.field(0, "description"),
        json!("New"),
        "one conflicting field withholds the whole client"
    );
    let row = saved.case.results().remove(0);
    assert_eq!((row["_result"].as_str(), row["_reason"].as_str()), ("conflict", "changed_meanwhile"));
    assert!(row["_error"].contains("name is \"By hand\""), "{row:?}");
}

#[test]
fn on_conflict_overwrite_writes_all_the_same() {
    let saved = Saved::renames();
    saved.edit(0, &json!({"name": "By hand"}));
    saved.apply(&["--on-conflict", "overwrite"]).exits(0);
    assert_eq!((saved.field(0, "name"), saved.field(0, "description")), (json!("A"), json!("New")));
    let run = saved.case.runs().pop().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    saved.case.run(["undo", &run, "--yes"]).exits(0);
    assert_eq!(saved.field(0, "name"), json!("By hand"), "what was overwritten is what undo gives back");
}

#[test]
fn on_conflict_stop_writes_nothing() {
    let saved = Saved::renames();
    saved.edit(0, &json!({"name": "By hand"}));
    let done = saved.apply(&["--on-conflict", "stop"]);
    assert!(done.exits(4).stderr.contains("1 row in conflict"), "{done}");
    assert_eq!(saved.served.counters().patch, 0);
}

#[test]
fn a_client_that_is_as_planned_already_is_unchanged() {
    let saved = Saved::renames();
    saved.edit(1, &json!({"name": "B"}));
    saved.apply(&[]).exits(0);
    assert_eq!(saved.case.result_words(), ["updated", "unchanged"]);
    assert_eq!(saved.served.counters().patch, 1);
}

#[test]
fn a_field_that_is_as_planned_already_is_neither_shown_nor_sent() {
    let saved = Saved::one(&json!({"description": "Old"}), "set.name = \"A\"\nset.description = \"New\"");
    saved.edit(0, &json!({"name": "A"}));
    let done = saved.apply(&[]);
    assert!(!done.exits(0).stdout.contains("\"A\" → \"A\""), "{done}");
    assert_eq!(saved.sent(), json!({"description": "New"}));
    assert!(!saved.case.results()[0]["_changes"].contains("name"), "{:?}", saved.case.results());
}

#[test]
fn applied_twice_a_saved_plan_writes_once() {
    let saved = Saved::renames();
    saved.apply(&[]).exits(0);
    saved.apply(&[]).exits(0);
    assert_eq!(saved.served.counters().patch, 2);
    assert_eq!(saved.case.result_words(), ["unchanged", "unchanged"]);
}

#[test]
fn a_client_that_is_gone_fails_and_the_others_go_through() {
    let saved = Saved::renames();
    assert!(saved.served.tenant().remove(&saved.ids[0]));
    saved.apply(&[]).exits(1);
    assert_eq!(saved.case.result_words(), ["failed", "updated"]);
    assert_eq!(saved.case.results()[0]["_reason"], "not_found");
}

#[test]
fn lists_by_item_are_merged_with_what_others_put_there() {
    let saved = Saved::one(
        &json!({"callbacks": ["https://a.example"]}),
        "add.callbacks = [\"https://b.example\"]\nremove.callbacks = [\"https://a.example\"]",
    );
    saved.edit(0, &json!({"callbacks": ["https://z.example", "https://a.example"]}));
    saved.apply(&[]).exits(0);
    assert_eq!(saved.field(0, "callbacks"), json!(["https://z.example", "https://b.example"]));
}

#[test]
fn siblings_in_an_object_that_is_sent_whole_are_those_of_now() {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "leeway": 0, "token_lifetime": 100, "idle_token_lifetime": 50});
    let saved = Saved::one(&json!({ "refresh_token": token }), "set.refresh_token.token_lifetime = 200");
    let mut edited = token;
    edited["leeway"] = json!(55);
    saved.edit(0, &json!({ "refresh_token": edited }));
    saved.apply(&[]).exits(0);
    edited["token_lifetime"] = json!(200);
    assert_eq!(saved.field(0, "refresh_token"), edited);
}

#[test]
fn a_key_that_replace_leaves_out_is_left_out_by_the_saved_plan_too() {
    let token = json!({"rotation_type": "rotating", "expiration_type": "expiring", "token_lifetime": 100, "idle_token_lifetime": 50});
    let saved = Saved::one(
        &json!({ "refresh_token": token }),
        "replace.refresh_token = { rotation_type = \"non-rotating\", expiration_type = \"non-expiring\" }",
    );
    saved.apply(&[]).exits(0);
    assert_eq!(
        saved.field(0, "refresh_token"),
        json!({"rotation_type": "non-rotating", "expiration_type": "non-expiring"})
    );
}

#[test]
fn a_secret_beside_a_change_goes_along() {
    let addons = json!({"azure_sb": {"namespace": "acme", "sasKey": "hush-hush-key"}});
    let saved = Saved::one(&json!({ "addons": addons }), "set.addons.azure_sb.namespace = \"acme-eu\"");
    assert!(!saved.case.read("p.jsonl").contains("hush"));
    saved.apply(&[]).exits(0);
    assert_eq!(
        saved.field(0, "addons"),
        json!({"azure_sb": {"namespace": "acme-eu", "sasKey": "hush-hush-key"}})
    );
}

#[test]
fn a_plan_that_was_edited_or_cut_or_has_another_format_is_refused() {
    let saved = Saved::renames();
    let plan = saved.case.read("p.jsonl");
    let cut = plan.trim_end().rsplit_once('\n').unwrap().0;
    for (text, words) in [
        (plan.replace("\"New\"", "\"Evil\""), "edited, cut or damaged"),
        (format!("{cut}\n"), "edited, cut or damaged"),
        (plan[..plan.len() / 2].to_owned(), "edited, cut or damaged"),
        (plan.replacen("\"version\":2", "\"version\":99", 1), "format 99"),
    ] {
        std::fs::write(saved.case.path("p.jsonl"), text).unwrap();
        let done = saved.apply(&[]);
        assert!(done.exits(4).stderr.contains(words), "{done}");
    }
    assert_eq!(saved.served.counters().patch, 0);
}

#[test]
fn a_plan_of_another_tenant_is_refused() {
    let saved = Saved::renames();
    let other = Served::quick();
    let case = other.case().file("p.jsonl", saved.case.read("p.jsonl"));
    let done = case.run(["apply", "p.jsonl", "--yes"]);
    assert!(done.exits(4).stderr.contains("nothing was written"), "{done}");
    assert_eq!(other.counters().patch + saved.served.counters().patch, 0);
}

#[test]
fn what_narrows_a_job_has_no_meaning_for_a_plan() {
    let saved = Saved::renames();
    for flags in [["--limit", "1"], ["--where", "sso"], ["--var", "a=b"]] {
        let done = saved.apply(&flags);
        assert!(done.exits(64).stderr.contains("is a saved plan"), "{done}");
    }
    assert_eq!(saved.served.counters().patch, 0);
}
