//! The main job: many clients changed from a job file, planned, paced, reported.

use patchwave::sandbox::Options;

use crate::common::{Case, Served, id_of, renames};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/jobs/rename-clients.toml");

#[test]
fn the_sample_job_renames_many_clients_of_the_embedded_sandbox_without_a_terminal() {
    let case = Case::new();
    let done = case.run(["apply", SAMPLE, "--sandbox"]);
    done.exits(0);
    assert!(done.stdout.contains("\"acme-portal-dev\" → \"Acme Portal (development)\""), "{done}");
    assert!(done.stderr.starts_with("0/31") && done.stderr.contains("\n31/31"), "progress is told: {done}");
    assert!(done.stdout.contains("31 updated"), "{done}");
    assert!(done.stdout.lines().last().unwrap().starts_with("Results: "), "{done}");
    assert!(case.runs().is_empty(), "runs against the sandbox live apart");
}

#[test]
fn plan_shows_the_diff_apply_makes_it_and_then_there_is_nothing_to_do() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(30)));
    case.run(["plan", "job.csv", "--detailed-exitcode"]).exits(2);
    assert_eq!(served.counters().patch, 0, "a plan writes nothing");
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 30]);
    let again = case.run(["plan", "job.csv", "--detailed-exitcode"]);
    assert!(again.exits(0).stdout.contains("Nothing to do"), "{again}");
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert_eq!(served.counters().patch, 30, "the second run writes nothing");
}

#[test]
fn each_row_of_a_csv_with_a_tenant_column_lands_where_it_says() {
    let served =
        Served::with(Options { tenants: 2, tier: "unlimited".parse().unwrap(), ..Options::default() });
    let tables = (0..2).map(|at| {
        let tenant = served.at(at);
        format!(
            "[tenants.t{at}]\ndomain = \"{}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"SECRET_{at}\" }}\n",
            tenant.domain().base_url(),
            tenant.client_id()
        )
    });
    let job = "tenant,match.name,name\nt0,Billing,Billing zero\nt1,Billing,Billing one\n,Android App,Android everywhere\n";
    let mut case = Case::new().file("patchwave.toml", tables.collect::<String>()).file("job.csv", job);
    for at in 0..2 {
        case = case.env(&format!("SECRET_{at}"), served.at(at).client_secret().expose());
    }
    case.run(["apply", "job.csv", "--yes", "--tenant", "t0", "--tenant", "t1"]).exits(0);
    for (at, name) in [(0, "Billing zero"), (1, "Billing one")] {
        id_of(served.at(at), name);
        id_of(served.at(at), "Android everywhere");
        assert_eq!(served.at(at).counters().patch, 2);
    }
    let rows: Vec<(String, String)> =
        case.results().into_iter().map(|row| (row["_row"].clone(), row["_tenant"].clone())).collect();
    let expected = [("2", "t0"), ("3", "t1"), ("4", "t0"), ("4", "t1")];
    assert_eq!(rows, expected.map(|(row, tenant)| (row.to_owned(), tenant.to_owned())));
    // The report is a job again, though it says the tenant twice.
    let results = case.runs().pop().unwrap().join("results.csv");
    let results = results.to_str().unwrap();
    let again = case.run(["plan", results, "--detailed-exitcode", "--tenant", "t0", "--tenant", "t1"]);
    assert!(again.exits(0).stdout.contains("Nothing to do"), "{again}");
    // Rows for a tenant that is not chosen are a mistake, found before anything is sent.
    let done = case.run(["apply", "job.csv", "--yes", "--tenant", "t0"]);
    assert!(done.exits(64).stderr.contains("row 3 is for tenant `t1`, which is not chosen"), "{done}");
}

#[test]
fn a_thousand_renames_from_a_spreadsheet_with_byte_order_mark_semicolons_and_crlf_apply() {
    let served =
        Served::with(Options { clients: 1_200, tier: "unlimited".parse().unwrap(), ..Options::default() });
    let job = renames(&served.ids(1_000)).replace(',', ";").replace('\n', "\r\n");
    let case = served.case().file("job.csv", format!("\u{feff}{job}"));
    case.run(["apply", "job.csv", "--yes", "-q"]).exits(0);
    assert_eq!(case.result_words(), vec!["updated"; 1_000]);
    let counters = served.counters();
    assert_eq!((counters.token, counters.patch), (1, 1_000));
    // 1,201 clients: one page to learn the total, then checkpoint paging of 100 each.
    assert_eq!((counters.list, counters.get), (1 + 13, 0));
}

#[test]
fn a_spreadsheet_with_mistakes_sends_nothing() {
    let served = Served::quick();
    let case = served.case().file("job.csv", "client_id;nmae;is_first_party\r\nabc;x;maybe\r\n");
    let done = case.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(64).stderr.contains("row 2, column C"), "{done}");
    assert_eq!(served.counters().by_status.values().sum::<u64>(), 0, "no request at all");
    assert!(case.runs().is_empty());
}

#[test]
fn without_consent_nothing_is_written() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(3)));
    let done = case.run(["apply", "job.csv"]);
    assert_eq!(done.exits(4).stderr.lines().last(), Some("next:  patchwave apply job.csv --yes"), "{done}");
    assert_eq!(served.counters().patch, 0);
}

#[test]
fn a_protected_tenant_wants_its_name_besides() {
    let served = Served::quick();
    let config = format!(
        "[tenants.prod]\ndomain = \"{}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"SECRET\" }}\nprotected = true\n",
        served.tenant().domain().base_url(),
        served.tenant().client_id()
    );
    let case = Case::new()
        .env("SECRET", served.tenant().client_secret().expose())
        .file("patchwave.toml", config)
        .file("job.csv", renames(&served.ids(3)));
    let done = case.run(["apply", "job.csv", "--yes", "--tenant", "prod"]);
    assert!(done.exits(4).stderr.contains("--confirm-tenant=prod"), "{done}");
    case.run(["apply", "job.csv", "--yes", "--tenant", "prod", "--confirm-tenant", "other"]).exits(4);
    assert_eq!(served.counters().patch, 0);
    case.run(["apply", "job.csv", "--yes", "--tenant", "prod", "--confirm-tenant", "prod"]).exits(0);
    assert_eq!(served.counters().patch, 3);
}

#[test]
fn more_changes_than_allowed_are_refused_before_the_first_write() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(30)));
    let done = case.run(["apply", "job.csv", "--yes", "--max-changes", "20%"]);
    assert!(done.exits(4).stderr.contains("30 of 101 clients"), "{done}");
    assert_eq!(served.counters().patch, 0);
    case.run(["apply", "job.csv", "--yes", "--max-changes", "30%"]).exits(0);
    // A share is of the tenant's clients, also where one client is named and nothing else would be listed.
    let one = served.case().file("one.csv", renames(&served.ids(1)).replace("NEW-0", "ONE"));
    one.run(["apply", "one.csv", "--yes", "--max-changes", "1%"]).exits(0);
    one.env("PATCHWAVE_MAX_CHANGES", "0").run(["plan", "one.csv"]).exits(0);
}

#[test]
fn of_the_jobs_guard_and_the_environments_the_stricter_holds_and_a_flag_overrides_both() {
    let served = Served::quick();
    let job =
        "[guards]\nmax_changes = 5\n[[update]]\nmatch.name = \"acme-*-dev\"\nset.description = \"dev\"\n";
    let case = served.case().file("job.toml", job);
    assert!(case.run(["plan", "job.toml"]).exits(4).stderr.contains("the job's max_changes is 5"));
    let case = case.env("PATCHWAVE_MAX_CHANGES", "100");
    case.run(["plan", "job.toml"]).exits(4);
    let case = case.env("PATCHWAVE_MAX_CHANGES", "2");
    assert!(case.run(["plan", "job.toml"]).exits(4).stderr.contains("PATCHWAVE_MAX_CHANGES is 2"));
    case.run(["plan", "job.toml", "--max-changes", "8"]).exits(0);
}

#[test]
fn limit_changes_the_first_clients_and_leaves_the_rest_for_the_next_run() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(5)));
    case.run(["apply", "job.csv", "--yes", "--limit", "2"]).exits(0);
    assert_eq!(case.result_words(), ["updated", "updated", "skipped", "skipped", "skipped"]);
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    assert_eq!(case.result_words(), ["unchanged", "unchanged", "updated", "updated", "updated"]);
}

#[test]
fn the_results_repeat_the_inputs_own_columns_and_are_a_job_again() {
    let served = Served::quick();
    let id = served.id("Billing");
    let job = format!("App ID note;_note;client_id;name\r\n\"=1+1; \"\"x\"\"\";'7;{id};Billing EU\r\n");
    let case = served.case().file("job.csv", job.replace("App ID note", "_note to self"));
    case.run(["apply", "job.csv", "--yes", "--report", "copy.csv"]).exits(0);
    let row = &case.results()[0];
    assert_eq!((row["_note to self"].as_str(), row["_note"].as_str()), ("=1+1; \"x\"", "'7"));
    assert_eq!(row["_changes"], "name: \"Billing\" → \"Billing EU\"");
    let again = case.run(["plan", "copy.csv", "--detailed-exitcode"]);
    assert!(again.exits(0).stdout.contains("1 unchanged"), "{again}");
}

#[test]
fn exact_names_must_fit_one_client_and_patterns_may_fit_many() {
    let served = Served::quick();
    // "Reporting" is the name of two clients of the sandbox.
    let job = "[[update]]\nmatch.name = \"Reporting\"\nset.description = \"x\"\n\
               [[update]]\nmatch.name = \"acme-portl\"\nset.description = \"x\"\n\
               [[update]]\nmatch = { name = \"acme-*-dev\", app_type = \"spa\" }\nset.description = \"dev\"\n\
               [[update]]\nmatch.name = \"nobody-*\"\nset.description = \"x\"\n";
    let case = served.case().file("job.toml", job);
    let done = case.run(["apply", "job.toml", "--yes"]);
    done.exits(1);
    let rows: Vec<String> =
        case.results().iter().map(|r| format!("{} {} {}", r["_row"], r["_result"], r["_reason"])).collect();
    assert_eq!(
        rows,
        [
            "update 1 failed ambiguous",
            "update 2 failed not_found",
            "update 3 updated ",
            "update 3 updated ",
            "update 3 updated ",
            "update 4 skipped no_match"
        ]
    );
    assert!(done.stdout.contains("did you mean \"acme-portal\"?"), "{done}");
}

#[test]
fn output_json_is_one_object_on_standard_output() {
    let served = Served::quick();
    let case = served.case().file("job.csv", renames(&served.ids(2)));
    let plan = case.run(["plan", "job.csv", "--output", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan.exits(0).stdout).unwrap();
    assert_eq!(plan["totals"]["changes"], 2);
    assert_eq!(plan["tenants"][0]["changes"][0]["patch"]["name"], "NEW-0");
    let run = case.run(["apply", "job.csv", "--yes", "--output", "json"]);
    let run: serde_json::Value = serde_json::from_str(&run.exits(0).stdout).unwrap();
    assert_eq!(run["summary"]["rows"]["updated"], 2);
    assert_eq!(run["rows"][1]["result"], "updated");
}
