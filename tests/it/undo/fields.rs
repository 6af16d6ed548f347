//! Three-way, field by field.

use serde_json::json;

use super::Ran;

#[test]
fn what_a_run_wrote_goes_back_and_the_row_is_undone() {
    let ran =
        Ran::new(&json!({"description": "Old"}), "set.name = \"Billing EU\"\nset.description = \"New\"");
    let before = ran.served.counters().patch;
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(
        (ran.client()["name"].as_str(), ran.client()["description"].as_str()),
        (Some("Billing"), Some("Old"))
    );
    assert_eq!(ran.row(), ("undone".into(), String::new(), String::new()));
    assert_eq!(ran.served.counters().patch, before + 1, "one PATCH a client");
}

#[test]
fn a_field_that_somebody_changed_since_stays_and_the_others_go_back() {
    let ran =
        Ran::new(&json!({"description": "Old"}), "set.name = \"Billing EU\"\nset.description = \"New\"");
    ran.edit(&json!({"description": "By hand"}));
    ran.undo(&["--yes"]).exits(1);
    assert_eq!(
        (ran.client()["name"].as_str(), ran.client()["description"].as_str()),
        (Some("Billing"), Some("By hand"))
    );
    let (result, reason, error) = ran.row();
    assert_eq!((result.as_str(), reason.as_str()), ("conflict", "changed_meanwhile"));
    assert!(error.contains("description is \"By hand\"") && !error.contains("name"), "{error}");
}

#[test]
fn a_client_of_which_every_field_was_changed_since_is_not_written() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    ran.edit(&json!({"name": "By hand"}));
    ran.undo(&["--yes"]).exits(1);
    assert_eq!((ran.served.counters().patch, ran.row().0.as_str()), (1, "conflict"));
}

#[test]
fn a_field_that_was_absent_is_absent_again_or_as_empty_as_it_can_be() {
    let ran = Ran::new(
        &json!({"description": null, "initiate_login_uri": null, "par_request_expiry": null, "allowed_logout_urls": null}),
        "set.description = \"New\"\nset.initiate_login_uri = \"https://a.example\"\nset.par_request_expiry = 60\nset.allowed_logout_urls = [\"https://a.example\"]",
    );
    ran.undo(&["--yes"]).exits(0);
    let client = ran.client();
    assert_eq!((&client["description"], &client["allowed_logout_urls"]), (&json!(""), &json!([])));
    assert!(!client.contains_key("initiate_login_uri") && !client.contains_key("par_request_expiry"));
}

#[test]
fn a_field_that_cannot_be_absent_again_is_told_in_the_plan_already_and_the_others_go_back() {
    let ran = Ran::new(&json!({"app_type": null}), "set.name = \"Billing EU\"\nset.app_type = \"spa\"");
    let planned = ran.undo(&["--dry-run"]);
    assert!(planned.exits(1).stdout.contains("cannot_unset: app_type was absent before"), "{planned}");
    assert_eq!(ran.served.counters().patch, 1, "a plan writes nothing");
    ran.undo(&["--yes"]).exits(1);
    assert_eq!(
        (ran.client()["name"].as_str(), ran.client()["app_type"].as_str()),
        (Some("Billing"), Some("spa"))
    );
    assert_eq!((ran.row().0.as_str(), ran.row().1.as_str()), ("conflict", "cannot_unset"));
}

#[test]
fn what_is_back_already_is_unchanged_and_not_written() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"\nset.client_metadata.owner = \"identity\"");
    let run = super::newest(&ran.case);
    for patches in [2, 2] {
        ran.case.run(["undo", &run, "--yes"]).exits(0);
        assert_eq!(ran.served.counters().patch, patches);
    }
    assert_eq!(ran.row().0, "unchanged");
}

#[test]
fn the_undo_of_an_undo_gives_what_the_run_left() {
    let ran = Ran::new(
        &json!({"description": "Old"}),
        "set.description = \"New\"\nset.session_transfer.allow_refresh_token = true",
    );
    let before = ran.client();
    ran.undo(&["--yes"]).exits(0);
    assert_ne!(ran.client(), before);
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client(), before);
}

#[test]
fn the_undo_of_an_undo_that_had_to_leave_a_field_takes_back_the_rest() {
    let ran =
        Ran::new(&json!({"description": "Old"}), "set.name = \"Billing EU\"\nset.description = \"New\"");
    ran.edit(&json!({"description": "By hand"}));
    ran.undo(&["--yes"]).exits(1);
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(
        (ran.client()["name"].as_str(), ran.client()["description"].as_str()),
        (Some("Billing EU"), Some("By hand"))
    );
}

#[test]
fn of_two_runs_the_first_is_not_taken_back_over_the_second() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"\nset.description = \"First\"");
    let first = super::newest(&ran.case);
    let second = format!("client_id,name\n{},Billing US\n", ran.id);
    std::fs::write(ran.case.path("second.csv"), second).unwrap();
    ran.case.run(["apply", "second.csv", "--yes"]).exits(0);
    ran.case.run(["undo", &first, "--yes"]).exits(1);
    assert_eq!(
        (ran.client()["name"].as_str(), ran.row().1.as_str()),
        (Some("Billing US"), "changed_meanwhile")
    );
}

#[test]
fn on_conflict_overwrite_puts_back_what_somebody_changed_since() {
    let ran = Ran::new(&json!({}), "set.name = \"Billing EU\"");
    ran.edit(&json!({"name": "By hand"}));
    ran.undo(&["--yes", "--on-conflict", "overwrite"]).exits(0);
    assert_eq!(ran.client()["name"], "Billing");
}

#[test]
fn on_conflict_stop_writes_nothing_where_a_single_field_would_have_to_stay() {
    let ran =
        Ran::new(&json!({"description": "Old"}), "set.name = \"Billing EU\"\nset.description = \"New\"");
    ran.edit(&json!({"description": "By hand"}));
    let done = ran.undo(&["--yes", "--on-conflict", "stop"]);
    assert!(done.exits(4).stderr.contains("1 row in conflict"), "{done}");
    assert_eq!(ran.served.counters().patch, 1);
}

#[test]
fn metadata_that_was_emptied_comes_back_key_by_key() {
    let ran = Ran::new(
        &json!({"client_metadata": {"owner": "web", "tier": "gold"}}),
        "unset = [\"client_metadata\"]",
    );
    ran.edit(&json!({"client_metadata": {"tier": "silver", "floor": "2"}}));
    ran.undo(&["--yes"]).exits(1);
    assert_eq!(ran.client()["client_metadata"], json!({"tier": "silver", "floor": "2", "owner": "web"}));
    assert!(ran.row().2.starts_with("client_metadata.tier is \"silver\""), "{:?}", ran.row());
}

#[test]
fn a_deleted_metadata_key_comes_back_and_a_new_one_goes() {
    let metadata = json!({"owner": "web", "tier": "gold"});
    let ran = Ran::new(
        &json!({ "client_metadata": metadata }),
        "set.client_metadata.floor = \"2\"\nunset = [\"client_metadata.tier\"]",
    );
    assert_eq!(ran.client()["client_metadata"], json!({"owner": "web", "floor": "2"}));
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client()["client_metadata"], metadata);
}

#[test]
fn an_empty_text_that_the_run_wrote_is_the_text_before_again() {
    let ran = Ran::new(&json!({"description": "Old"}), "set.description = \"\"");
    ran.undo(&["--yes"]).exits(0);
    assert_eq!(ran.client()["description"], "Old");
}
