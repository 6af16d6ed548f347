//! `patchwave check`: what is wrong with a job is found offline, all of it at once, each mistake with its place.

use crate::cases::{SECRET, check};
use crate::common::Case;

const TOML: &str = "[[update]]\nclient_id = \"a\"\nset.name = \"Billing EU\"\n";
const CSV: &str = "client_id,name\na,Billing EU\nb,Shop EU\n";
const JSON: &str = "{ \"client_id\": \"a\", \"name\": \"Billing EU\" }\n";

#[test]
fn a_valid_job_of_each_form_is_good() {
    for (name, content, updates) in [("job.toml", TOML, 1), ("job.csv", CSV, 2), ("job.json", JSON, 1)] {
        let done = check(name, content);
        done.exits(0);
        let noun = if updates == 1 { "update" } else { "updates" };
        assert_eq!(done.stdout, format!("{name}: {updates} {noun}, no mistakes\n"), "{done}");
    }
}

#[test]
fn standard_input_is_told_apart_by_its_content() {
    for content in [TOML, CSV, JSON] {
        let done = Case::new().stdin(content).run(["check", "-"]);
        done.exits(0);
        assert!(done.stdout.starts_with("-: "), "{done}");
    }
    let done = Case::new().stdin("client_id,naem\na,b\n").run(["check", "-"]);
    done.exits(64);
    assert!(done.stderr.contains(" --> -:1:11\n"), "{done}");
}

/// As a spreadsheet in a country of decimal commas writes it: byte-order mark, `;`, CRLF; three headers and five
/// cells are wrong.
const SPREADSHEET: &str = "\u{feff}client_id;naem;app_tpye;sso;par_request_expiry;grant_types;calbacks;is_first_party\r\n\
    a;Billing;spa;yes;60;implicit;https://a.example;true\r\n\
    \r\n\
    b;Shop;spa;true;7.0;implicit;https://b.example;true\r\n\
    c;\"Two\r\nlines\";spa;true;60;implicit;https://c.example;1\r\n\
    d;News;spa;true;60;@nul;https://d.example;true\r\n\
    e;Blog;spa;false;1E+05;implicit;https://e.example;false\r\n";

#[test]
fn all_mistakes_of_a_spreadsheet_are_shown_at_once_with_row_and_column() {
    let done = check("renames.csv", SPREADSHEET);
    done.exits(64);
    // Rows are counted as the spreadsheet shows them: the empty one counts, and one with a line break is one.
    for (place, words) in [
        ("row 1, column B", "did you mean `name`?"),
        ("row 1, column C", "did you mean `app_type`?"),
        ("row 1, column G", "did you mean `callbacks`?"),
        ("row 2, column D (`sso`)", "\"yes\""),
        ("row 4, column E (`par_request_expiry`)", "\"7.0\""),
        ("row 5, column H (`is_first_party`)", "\"1\""),
        ("row 6, column F (`grant_types`)", "@nul"),
        ("row 7, column E (`par_request_expiry`)", "\"1E+05\""),
    ] {
        let block = done.stderr.split("\n\n").find(|block| block.contains(place));
        let block = block.unwrap_or_else(|| panic!("nothing about {place}: {done}"));
        assert!(block.contains(words), "{place} without {words}: {done}");
    }
    assert!(done.stderr.contains("the job has 8 mistakes"), "{done}");
    insta::assert_snapshot!(done.to_string());
}

#[test]
fn all_mistakes_of_a_toml_job_are_shown_at_once() {
    let job = "[[update]]\nclient_id = \"a\"\nset.naem = \"x\"\nset.sso = \"yes\"\n\n[[update]]\nset.app_type = \"SPA\"\n";
    let done = check("job.toml", job);
    done.exits(64);
    for words in
        ["there is no field `naem`", "sso must be true or false", "app_type", "update 2 selects no client"]
    {
        assert!(done.stderr.contains(words), "nothing says {words:?}: {done}");
    }
    assert!(done.stderr.contains("the job has 4 mistakes"), "{done}");
}

#[test]
fn every_file_is_checked_and_one_that_is_wrong_decides_the_exit_code() {
    let case = Case::new()
        .file("a.csv", "client_id,naem\na,b\n")
        .file("b.toml", TOML)
        .file("c.json", "{")
        .file("d.csv", CSV);
    let done = case.run(["check", "a.csv", "b.toml", "c.json", "missing.toml", "d.csv"]);
    done.exits(64);
    assert_eq!(done.stdout, "b.toml: 1 update, no mistakes\nd.csv: 2 updates, no mistakes\n");
    for words in ["a.csv:1:11", "c.json:1:", "cannot read the job missing.toml"] {
        assert!(done.stderr.contains(words), "nothing says {words:?}: {done}");
    }
}

#[test]
fn a_client_may_be_named_twice_where_both_ask_for_the_same() {
    check("job.csv", "client_id,name,sso\na,Billing EU,\na,Billing EU,true\n").exits(0);
    check("job.csv", "client_id,name,tenant\na,Billing EU,dev\na,Billing US,prod\n").exits(0);
    check("job.csv", "client_id,name,tenant\na,Billing EU,dev\na,Billing US,\n").exits(64);
}

#[test]
fn two_updates_that_contradict_each_other_are_shown_with_both_places() {
    let metadata = "[[update]]\nclient_id = \"a\"\nset.client_metadata.owner = \"x\"\n\n\
        [[update]]\nclient_id = \"a\"\nunset = [\"client_metadata\"]\n";
    let done = check("job.toml", metadata);
    done.exits(64);
    assert!(done.stderr.contains("job.toml:3:29") && done.stderr.contains("job.toml:7:10"), "{done}");
}

#[test]
fn a_secret_in_a_job_is_refused_and_never_repeated() {
    for (name, content) in [
        ("job.csv", format!("client_id,name,client_secret\na,Billing,{SECRET}\n")),
        ("job.json", format!("{{ \"client_id\": \"a\", \"client_secret\": \"{SECRET}\" }}")),
    ] {
        let case = Case::new().file(name, content);
        for args in [vec!["check", name], vec!["check", name, "--output", "json"], vec!["check", name, "-vv"]]
        {
            let done = case.run(args);
            assert!(!done.shown().contains(SECRET), "{done}");
        }
    }
}

#[test]
fn the_environment_and_credentials_are_of_no_concern_to_check() {
    let case = Case::new()
        .file("job.csv", CSV)
        .file(".env", "AUTH0_DOMAIN=broken\n")
        .file("patchwave.toml", "not toml");
    case.env("AUTH0_CLIENT_SECRET", "alone").run(["check", "job.csv"]).exits(0);
}

#[test]
fn with_output_json_the_error_is_one_object_on_standard_error() {
    let done = Case::new()
        .file("job.csv", "client_id,naem,sso\na,b,yes\n")
        .run(["check", "job.csv", "--output", "json"]);
    done.exits(64);
    assert_eq!(done.stdout, "");
    let object: serde_json::Value =
        serde_json::from_str(&done.stderr).unwrap_or_else(|error| panic!("{error}: {done}"));
    let error = object["error"].as_object().unwrap();
    let keys: Vec<&str> = error.keys().map(String::as_str).collect();
    assert_eq!(keys, ["class", "reason", "message", "tenant", "http_status", "retryable"]);
    assert_eq!(error["class"], "validation");
    assert_eq!(error["retryable"], false);
    let message = error["message"].as_str().unwrap();
    for words in ["job.csv:1:11: row 1, column B", "did you mean `name`?", "job.csv:2:5: row 2, column C"] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn what_is_odd_but_possible_is_a_warning() {
    let done = check("job.csv", "client_id,name\na,Billing \n");
    done.exits(0);
    assert!(done.stderr.contains("warning") && done.stderr.contains("row 2, column B"), "{done}");
    let done = check("job.csv", "client_id,name\n");
    done.exits(0);
    assert!(done.stderr.contains("no rows"), "{done}");
}

#[test]
fn a_file_from_get_without_its_base_is_compared_with_the_live_state_only_where_that_was_said() {
    let several = "[{ \"client_id\": \"a\", \"name\": \"A\" }, { \"client_id\": \"b\", \"name\": \"B\" }]";
    let case = Case::new().file("all.json", several).file("one.json", JSON);
    case.run(["check", "all.json"]).exits(64);
    let done = case.run(["check", "all.json", "--no-base"]);
    assert!(done.exits(0).stderr.contains("compared with the live state"), "{done}");
    let done = case.run(["check", "one.json"]);
    assert!(done.exits(0).stderr.contains("compared with the live state"), "{done}");
}

#[test]
fn scopes_that_fields_need_beside_that_for_updates_are_told() {
    let job = "[[update]]\nmatch.name = \"x*\"\nset.client_authentication_methods = { tls_client_auth = { credentials = [{ id = \"cred_1\" }] } }\n";
    let case = Case::new().file("job.toml", job).file("plain.csv", "client_id,name\na,b\n");
    let told = case.run(["check", "job.toml"]);
    let words = "needs the scope update:client_credentials besides, for client_authentication_methods";
    assert!(told.exits(0).stdout.contains(words), "{told}");
    let told = case.run(["check", "job.toml", "--output", "json"]);
    let object: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(object["further_scopes"], serde_json::json!(["update:client_credentials"]));
    assert!(!case.run(["check", "plain.csv"]).exits(0).stdout.contains("scope"));
}

#[test]
fn what_does_not_go_together_is_told_beside_what_is_wrong_by_itself() {
    let job = "[[update]]\nclient_id = \"a\"\nset.app_type = \"SPA\"\n[[update]]\nclient_id = \"b\"\nset.is_first_party = false\nset.organization_usage = \"allow\"\n";
    let csv = "client_id,app_type,is_first_party,organization_usage\na,SPA,,\nb,,false,allow\n";
    for (name, content) in [("job.toml", job), ("job.csv", csv)] {
        let told = check(name, content);
        for words in ["app_type cannot be", "is_first_party false does not go with organization_usage"] {
            assert!(told.exits(64).stderr.contains(words), "{told}");
        }
    }
}

#[test]
fn rows_for_different_tenants_are_no_contradiction() {
    let csv = "tenant,client_id,token_endpoint_auth_method,grant_types\na,X,none,\nb,X,,client_credentials\n";
    check("job.csv", csv).exits(0);
    let csv = "tenant,client_id,token_endpoint_auth_method,grant_types\na,X,none,\n,X,,client_credentials\n";
    assert!(check("job.csv", csv).exits(64).stderr.contains("does not go with"));
}

#[test]
fn what_does_not_go_together_is_told_once_and_in_the_order_of_the_file() {
    let mut csv = "tenant,client_id,token_endpoint_auth_method,grant_types\n".to_owned();
    for at in 0..9 {
        csv += &format!(",X{at},none,\n,X{at},,client_credentials\na,X{at},,\nb,X{at},,\n");
    }
    let told = check("job.csv", csv);
    let rows: Vec<&str> =
        told.exits(64).stderr.lines().filter(|line| line.contains("does not go with")).collect();
    let row = |line: &&str| line.split("row ").nth(1).unwrap().split(':').next().unwrap().parse().unwrap();
    let rows: Vec<usize> = rows.iter().map(row).collect();
    assert_eq!(rows, (0..9).map(|at| 4 * at + 3).take(rows.len()).collect::<Vec<_>>(), "{told}");
    assert!(rows.len() >= 5, "{told}");
}
