//! What goes wrong is told truly, row by row, and never stops the rest without reason.

use patchwave::sandbox::Options;

use crate::common::{Case, Served, renames};

fn assert_renamed(served: &Served, ids: &[String]) {
    for (at, id) in ids.iter().enumerate() {
        assert_eq!(served.client(id)["name"], format!("NEW-{at}"));
    }
}

#[test]
fn server_errors_and_resets_are_repeated_until_every_row_is_as_planned() {
    let faults = "503=5%,reset-before=3%,reset-after=2%";
    let served = Served::with(Options {
        clients: 250,
        tier: "unlimited".parse().unwrap(),
        faults: faults.parse().unwrap(),
        ..Options::default()
    });
    let ids = served.ids(200);
    let case = served.case().file("job.csv", renames(&ids));
    let done = case.run(["apply", "job.csv", "--yes", "-q"]);
    done.exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 200]);
    assert_renamed(&served, &ids);
    let counters = served.counters();
    assert!(counters.faults > 5, "the faults struck: {counters:?}");
}

#[test]
fn a_patch_whose_answer_was_lost_is_looked_at_before_it_is_sent_again() {
    let served = Served::quick();
    let id = served.id("Billing");
    served.tenant().set_faults("patch:reset-after=#1".parse().unwrap());
    let case = served.case().file("job.csv", format!("client_id,name\n{id},Billing EU\n"));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let counters = served.counters();
    assert_eq!((counters.patch, counters.get), (1, 2), "one read to plan, one to settle, no second PATCH");
    assert_eq!(case.result_words(), ["updated"]);
}

#[test]
fn a_client_deleted_after_planning_fails_with_auth0s_own_words_and_the_rest_goes_on() {
    let served = Served::quick();
    let ids = served.ids(20);
    let case = served.case().file("job.csv", renames(&ids));
    let running =
        case.spawn(["apply", "job.csv", "--yes", "--rate", "40/s", "--burst", "1", "--concurrency", "1"]);
    served.until(|counters| counters.patch > 0);
    assert!(served.tenant().remove(&ids[19]));
    let done = running.wait();
    done.exits(1);
    let last = case.results().pop().unwrap();
    assert_eq!(
        (last["_result"].as_str(), last["_reason"].as_str(), last["_http_status"].as_str()),
        ("failed", "not_found", "404")
    );
    assert!(last["_error"].contains("The client does not exist"), "{last:?}");
    assert_eq!(last["_error_code"], "inexistent_client");
    assert_eq!(case.result_words().iter().filter(|word| *word == "updated").count(), 19);
    let next = done.stderr.lines().last().unwrap();
    assert!(next.starts_with("patchwave resume [RUN] --failed"), "{done}");
}

#[test]
fn a_value_that_only_the_server_refuses_fails_that_row_alone() {
    let served = Served::quick();
    let (spa, web) = (served.id("Customer Portal"), served.id("Billing"));
    let job = format!(
        "client_id,grant_types\n{spa},authorization_code|urn:example:no-such-grant\n{web},authorization_code\n"
    );
    let case = served.case().file("job.csv", job);
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(1).stdout.contains("Invalid grant types: urn:example:no-such-grant"), "{done}");
    assert_eq!(case.result_words(), ["failed", "updated"]);
}

#[test]
fn an_id_that_does_not_exist_fails_that_row_alone() {
    let served = Served::quick();
    let ids = served.ids(1);
    let job = format!("client_id,name\n{},NEW-0\nnosuchclientnosuchclientnosuchcl,x\n", ids[0]);
    let case = served.case().file("job.csv", job);
    case.run(["plan", "job.csv", "--detailed-exitcode"]).exits(1);
    case.run(["apply", "job.csv", "--yes"]).exits(1);
    assert_eq!(case.result_words(), ["updated", "failed"]);
    assert_eq!(case.results()[1]["_reason"], "not_found");
}

#[test]
fn an_expectation_that_does_not_hold_is_a_conflict_and_not_a_write() {
    let served = Served::quick();
    let (a, b) = (served.id("Billing"), served.id("Android App"));
    let job = format!(
        "client_id,expect.name,name,expect.app_type\n{a},Invoices,Billing EU,\n{b},Android App,Android,spa\n"
    );
    let case = served.case().file("job.csv", job);
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(1).stdout.contains("name holds \"Billing\", expected \"Invoices\""), "{done}");
    assert_eq!(case.result_words(), ["conflict", "conflict"]);
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn a_token_that_expires_in_mid_run_is_renewed_once_for_all() {
    let served = Served::quick();
    let ids = served.ids(60);
    served.tenant().set_faults("expire-token-after=30".parse().unwrap());
    let case = served.case().file("job.csv", renames(&ids));
    case.run(["apply", "job.csv", "--yes", "--concurrency", "8"]).exits(0);
    assert_renamed(&served, &ids);
    assert!((2..=4).contains(&served.counters().token), "{:?}", served.counters());
}

#[test]
fn setting_up_wrongly_is_one_clear_message_and_nothing_is_written() {
    let served = Served::quick();
    let tenant = served.tenant();
    let job = renames(&served.ids(2));
    let base = || served.case().file("job.csv", &job);
    let poor = Served::with(Options {
        scopes: vec!["read:clients".into()],
        tier: "unlimited".parse().unwrap(),
        ..Options::default()
    });
    let blind = Served::with(Options {
        scopes: vec!["update:clients".into()],
        tier: "unlimited".parse().unwrap(),
        ..Options::default()
    });
    let wrong_audience = base().env("AUTH0_AUDIENCE", "https://login.acme.example/api/v2/");
    let mixed = base().without_env("AUTH0_CLIENT_ID").file(".env", "CLIENT_ID=\"abc\";\n");
    let cases = [
        (base().env("AUTH0_CLIENT_SECRET", "wrong"), "check client id and client secret"),
        (wrong_audience, "the audience must be"),
        (base().env("AUTH0_DOMAIN", "http://127.0.0.1:1"), "connection refused"),
        (poor.case().file("job.csv", renames(&poor.ids(2))), "lacks the scope update:clients"),
        (blind.case().file("job.csv", renames(&blind.ids(2))), "read:clients"),
        (mixed, "CLIENT_ID (.env:1)"),
        (Case::new().file("job.csv", &job), "--sandbox"),
    ];
    for (case, words) in cases {
        let done = case.run(["apply", "job.csv", "--yes", "--max-retries", "0"]);
        assert!(done.exits(3).stderr.contains(words), "{words}: {done}");
        assert!(done.stderr.lines().last().unwrap().starts_with("next:  patchwave"), "{done}");
        assert!(case.runs().is_empty(), "{done}");
    }
    assert_eq!(tenant.counters().patch + poor.counters().patch + blind.counters().patch, 0);
}

#[test]
fn an_error_is_one_json_object_on_request() {
    let case = Case::new()
        .env("AUTH0_DOMAIN", "http://127.0.0.1:1")
        .env("AUTH0_CLIENT_ID", "a")
        .env("AUTH0_CLIENT_SECRET", "b");
    let case = case.file("job.csv", "client_id,name\nabc,x\n");
    let done = case.run(["plan", "job.csv", "--output", "json", "--max-retries", "0"]);
    let error: serde_json::Value = serde_json::from_str(&done.exits(3).stderr).unwrap();
    assert_eq!(error["error"]["class"], "network");
    assert_eq!(error["error"]["tenant"], "127.0.0.1:[PORT]");
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_says_what_is_left() {
    let served = Served::quick();
    let ids = served.ids(50);
    let case = served.case().file("job.csv", renames(&ids));
    let running = case.spawn(["apply", "job.csv", "--yes", "--rate", "20/s", "--burst", "1"]);
    served.until(|counters| counters.patch > 2);
    running.signal("TERM");
    let sent = served.counters().patch;
    let done = running.wait();
    done.exits(130);
    let words = case.result_words();
    let updated = words.iter().filter(|word| *word == "updated").count();
    assert_eq!(words.len(), 50);
    // Thirty rows were waiting for the pace: they are not sent any more.
    assert!(served.counters().patch <= sent + 3, "{} after {sent}", served.counters().patch);
    assert!(
        updated >= 3 && words.iter().all(|word| word == "updated" || word == "not_attempted"),
        "{words:?}"
    );
    assert_eq!(served.counters().patch as usize, updated, "every PATCH that was sent is told");
    assert!(done.stderr.lines().last().unwrap().starts_with("patchwave resume [RUN] --yes"), "{done}");
    case.run(["resume", "--yes"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 50], "the report of the resumed run is whole");
    assert_renamed(&served, &ids);
}

#[test]
fn too_many_failures_stop_the_run() {
    let served = Served::quick();
    let ids = served.ids(40);
    let case = served.case().file("job.csv", renames(&ids));
    served.tenant().set_faults("patch:400=100%".parse().unwrap());
    let done = case.run(["apply", "job.csv", "--yes", "--max-failures", "3", "--concurrency", "1"]);
    assert!(done.exits(5).stdout.contains("more rows failed than max-failures allows"), "{done}");
    let words = case.result_words();
    assert_eq!(words.iter().filter(|word| *word == "failed").count(), 4, "{words:?}");
    assert!(words.contains(&"not_attempted".to_owned()));
}

#[test]
fn one_tenant_that_is_down_does_not_hold_back_the_other() {
    let served = Served::quick();
    let tenant = served.tenant();
    let config = format!(
        "[tenants.up]\ndomain = \"{}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"SECRET\" }}\n\
         [tenants.down]\ndomain = \"http://127.0.0.1:1\"\nclient_id = \"x\"\nclient_secret = {{ env = \"SECRET\" }}\n\
         [groups]\nall = [\"up\", \"down\"]\n",
        tenant.domain().base_url(),
        tenant.client_id()
    );
    let case = Case::new()
        .env("SECRET", tenant.client_secret().expose())
        .file("patchwave.toml", config)
        .file("job.csv", "match.name,name\nBilling,Billing EU\n");
    let done = case.run(["apply", "job.csv", "--yes", "--group", "all", "--max-retries", "0"]);
    done.exits(1);
    assert_eq!(case.result_words(), ["updated", "not_attempted"]);
    assert!(done.stdout.contains("connection refused"), "{done}");
}

#[test]
fn an_outage_fails_the_first_five_rows_and_the_others_wait_for_its_end() {
    let served = Served::quick();
    let ids = served.ids(40);
    let case = served.case().file("job.csv", renames(&ids));
    served.tenant().set_faults("patch:503=100%".parse().unwrap());
    let running = case.spawn(["apply", "job.csv", "--yes", "--max-retries", "0", "--concurrency", "8"]);
    // Eight writes, four more before the fifth failure, a look at each of these twelve, then the first probe.
    served.until(|counters| counters.get > 12);
    served.tenant().set_faults("".parse().unwrap());
    running.wait().exits(1);
    let words = case.result_words();
    assert_eq!(words.iter().filter(|word| *word == "failed").count(), 5, "{words:?}");
    assert_eq!(words.iter().filter(|word| *word == "updated").count(), 35);
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert_renamed(&served, &ids);
}

#[test]
fn a_report_that_cannot_be_written_is_found_out_before_anything_is() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(1)));
    for report in ["nowhere/copy.csv", "job.csv", "copy.xlsx"] {
        case.run(["apply", "job.csv", "--yes", "--report", report]).exits(64);
    }
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn the_command_to_type_next_keeps_every_flag() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(3)));
    let plan = case.run(["plan", "job.csv", "--limit", "1", "--rate", "5/s", "--detailed-exitcode"]);
    let next = "To make these changes: patchwave apply job.csv --limit 1 --rate 5/s\n";
    assert!(plan.exits(2).stdout.ends_with(next), "{plan}");
    let apply = case.run(["apply", "job.csv", "--limit", "1"]);
    assert!(apply.exits(4).stderr.ends_with("next:  patchwave apply job.csv --limit 1 --yes\n"), "{apply}");
}

#[test]
fn an_outage_of_everything_holds_the_rows_and_no_answer_is_guessed() {
    let served = Served::quick();
    let ids = served.ids(40);
    let case = served.case().file("job.csv", renames(&ids));
    let mut running = case.spawn([
        "apply",
        "job.csv",
        "--yes",
        "--max-retries",
        "0",
        "--concurrency",
        "8",
        "--rate",
        "100/s",
    ]);
    served.until(|counters| counters.patch >= 3);
    served.tenant().set_faults("503=100%".parse().unwrap());
    // Requests go on until the tenant is seen to be away and nothing is under way any more.
    running.until_stderr("does not answer; next try in");
    served.tenant().set_faults("".parse().unwrap());
    running.wait().exits(1);
    let words = case.result_words();
    assert_eq!(words.iter().filter(|word| *word == "failed").count(), 5, "{words:?}");
    let failed = case.results().into_iter().filter(|row| row["_result"] == "failed");
    for row in failed {
        assert_eq!(row["_reason"], "unknown", "neither the write nor the look was answered: {row:?}");
    }
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert_renamed(&served, &ids);
}

#[test]
fn a_field_whose_scope_the_token_lacks_stops_the_run_before_the_first_write() {
    let scopes = ["read:clients", "update:clients", "read:client_credentials"].map(str::to_owned).to_vec();
    let served = Served::with(Options { scopes, ..Options::default() });
    let id = served.id("Billing");
    let lines = "set.name = \"New\"\nset.client_authentication_methods = { tls_client_auth = { credentials = [{ id = \"cred_1\" }] } }";
    let case = served.case().file("job.toml", format!("[[update]]\nclient_id = \"{id}\"\n{lines}\n"));
    let done = case.run(["apply", "job.toml", "--yes"]);
    let words =
        "lacks the scope update:client_credentials, which writing client_authentication_methods needs";
    assert!(done.exits(3).stderr.contains(words), "{done}");
    assert_eq!(served.counters().patch, 0);
}
