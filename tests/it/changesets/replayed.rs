//! A change set is done in other tenants: exactly that, and nothing where it does not fit.

use patchwave::sandbox::Options;
use serde_json::{Value, json};

use super::{Tenants, host};
use crate::common::{Done, Served};

/// Adds an address, renames, describes.
const CHANGES: &str = r#"
[recorded]
tenant = "dev"

[[update]]
match.name = "App 000"
set.name = "Portal"
add.callbacks = ["https://{{ vars.host }}/new"]
set.description = "the portal"
expect.name = "App 000"
expect.description = "developer portal 0"

[[update]]
match.name = "App 001"
set.logo_uri = "https://{{ vars.host }}/logo.png"
expect_absent = ["logo_uri"]

[[update]]
match.name = "App 002"
set.description = "second"
expect.description = "developer portal 2"
"#;

fn replay(tenants: &Tenants, more: &[&str]) -> Done {
    tenants
        .case
        .run([&["replay", "changes.toml", "--tenant=staging", "--tenant=prod", "--yes"], more].concat())
}

fn tenants() -> Tenants {
    let tenants = Tenants::new(3, 6);
    Tenants { case: tenants.case.file("changes.toml", CHANGES), ..tenants }
}

/// The results by tenant and row.
fn results(tenants: &Tenants) -> Vec<String> {
    let row = |row: std::collections::BTreeMap<String, String>| {
        format!("{} {}: {} {}", row["_tenant"], row["_row"], row["_result"], row["_reason"])
            .trim_end()
            .to_owned()
    };
    tenants.case.results().into_iter().map(row).collect()
}

#[test]
fn exactly_the_changes_arrive_with_each_tenants_own_hosts_and_a_second_time_nothing() {
    let tenants = tenants();
    let before: Vec<_> = (0..3).map(|at| tenants.state(at)).collect();
    replay(&tenants, &[]).exits(0);
    for (at, name) in [(1, "staging"), (2, "prod")] {
        let mut wanted = before[at].clone();
        let mut portal = wanted.shift_remove("App 000").unwrap();
        portal["name"] = json!("Portal");
        portal["description"] = json!("the portal");
        portal["callbacks"] =
            json!([format!("https://{}/app0/callback", host(name)), format!("https://{}/new", host(name))]);
        wanted.insert("Portal".into(), portal);
        wanted["App 001"]["logo_uri"] = json!(format!("https://{}/logo.png", host(name)));
        wanted["App 002"]["description"] = json!("second");
        assert_eq!(Value::Object(tenants.state(at)), Value::Object(wanted));
    }
    assert_eq!(tenants.state(0), before[0]);
    let sent = tenants.patches();
    replay(&tenants, &[]).exits(0);
    assert_eq!((tenants.patches(), tenants.case.result_words()), (sent, vec!["unchanged".to_owned(); 6]));
}

#[test]
fn what_does_not_fit_is_told_on_its_own_rows_and_the_others_are_done() {
    let tenants = tenants();
    // Another value than before and after; a name that two have; one that nobody has.
    tenants.edit(1, "App 000", &json!({"description": "somebody's own"}));
    tenants.edit(1, "App 003", &json!({"name": "App 001"}));
    tenants.edit(2, "App 002", &json!({"name": "App 02"}));
    let done = replay(&tenants, &[]);
    done.exits(1);
    assert_eq!(
        results(&tenants),
        [
            "staging update 1: conflict expect",
            "prod update 1: updated",
            "staging update 2: failed ambiguous",
            "prod update 2: updated",
            "staging update 3: updated",
            "prod update 3: failed not_found",
        ]
    );
    let messages: Vec<String> =
        tenants.case.results().into_iter().map(|mut row| row.remove("_error").unwrap()).collect();
    assert_eq!(
        messages[0],
        "description holds \"somebody's own\", expected \"developer portal 0\" before it becomes \"the portal\""
    );
    assert!(messages[2].contains("2 clients have the name \"App 001\""), "{}", messages[2]);
    assert!(messages[5].contains("no client is named \"App 002\"; did you mean"), "{}", messages[5]);
    assert_eq!(
        tenants.client(1, "App 000")["callbacks"],
        json!(["https://staging.acme.example/app0/callback"])
    );
}

#[test]
fn a_client_that_has_the_new_name_already_gets_the_rest_where_the_rest_fits() {
    let tenants = tenants();
    tenants.edit(1, "App 000", &json!({"name": "Portal"}));
    tenants.edit(2, "App 000", &json!({"name": "Portal", "description": "another portal"}));
    replay(&tenants, &[]).exits(1);
    let words = results(&tenants);
    assert_eq!(
        (words[0].as_str(), words[1].as_str()),
        ("staging update 1: updated", "prod update 1: conflict expect")
    );
    assert_eq!(tenants.client(1, "Portal")["description"], "the portal");
    assert_eq!(tenants.client(2, "Portal")["callbacks"].as_array().unwrap().len(), 1);
}

#[test]
fn lists_take_what_came_and_went_whatever_else_stands_there() {
    let tenants = tenants();
    tenants.edit(2, "App 000", &json!({"callbacks": ["https://own.example", "https://other.example"]}));
    replay(&tenants, &[]).exits(0);
    let held = tenants.client(2, "Portal");
    assert_eq!(
        held["callbacks"],
        json!(["https://own.example", "https://other.example", "https://prod.acme.example/new"])
    );
}

#[test]
fn all_variables_that_are_missing_are_listed_for_every_target_before_anything_is_asked() {
    let tenants = tenants();
    let text = format!(
        "{CHANGES}\n[[update]]\nmatch.name = \"{{{{ vars.prefix }}}} 4\"\nset.description = \"{{{{ vars['x y'] }}}} {{{{ vars.maybe | default('-') }}}}\"\n"
    );
    let tenants = Tenants { case: tenants.case.file("changes.toml", text), ..tenants };
    let done = replay(&tenants, &["--var=x y=1"]);
    done.exits(64);
    let told = |name: &str| done.stderr.matches(&format!("no `vars.{name}` for tenant")).count();
    assert_eq!((told("prefix"), told("host"), told("x y"), told("maybe")), (2, 0, 0, 0), "{done}");
    let done = replay(&tenants, &[]);
    assert!(done.exits(64).stderr.contains("there is no `vars.x y` for tenant prod"), "{done}");
    assert!((0..3).all(|at| tenants.served.at(at).counters().token == 0), "{done}");
}

#[test]
fn a_map_says_who_is_meant_where_names_do_not() {
    let tenants = tenants();
    tenants.edit(1, "App 000", &json!({"name": "Something else"}));
    tenants.edit(1, "App 003", &json!({"name": "App 001"}));
    let mapped = [tenants.id(1, "Something else"), tenants.id(1, "App 004")];
    let map = format!(
        "match,tenant,client_id\nApp 000,staging,{}\nApp 001,staging,{}\nNobody,prod,x\n",
        mapped[0], mapped[1]
    );
    let tenants = Tenants { case: tenants.case.file("map.csv", map), ..tenants };
    let done = replay(&tenants, &["--map=map.csv"]);
    done.exits(1);
    let words = results(&tenants);
    // Its name is neither the one before nor the one after.
    assert_eq!(words[0], "staging update 1: conflict expect");
    assert_eq!(words[2], "staging update 2: updated");
    assert_eq!(tenants.client(1, "App 004")["logo_uri"], "https://staging.acme.example/logo.png");
    assert!(done.stderr.contains("the job has no \"Nobody\""), "{done}");
}

#[test]
fn a_tenant_that_is_down_and_one_without_the_scope_stop_no_other() {
    let tenants = tenants();
    tenants.served.at(1).set_faults("list:503=100%".parse().unwrap());
    // A tenant whose tokens allow reading alone.
    let load = (0..6).map(|at| super::application(at).as_object().unwrap().clone()).collect();
    let scopes = vec!["read:clients".to_owned()];
    let reader = Served::with(Options { load: Some(load), scopes, ..Options::default() });
    let (domain, id) = (reader.tenant().domain().base_url(), reader.tenant().client_id());
    let table = format!(
        "[tenants.reader]\ndomain = \"{domain}\"\nclient_id = \"{id}\"\nclient_secret = {{ env = \"READER\" }}\nvars = {{ host = \"x\" }}\n"
    );
    let config = tenants.case.read("patchwave.toml") + &table;
    let case =
        tenants.case.file("patchwave.toml", config).env("READER", reader.tenant().client_secret().expose());
    let tenants = Tenants { case, ..tenants };
    let done = tenants.case.run([
        "replay",
        "changes.toml",
        "--tenant=staging,prod,reader",
        "--yes",
        "--max-retries=0",
    ]);
    done.exits(1);
    let of = |tenant: &str| -> Vec<String> {
        results(&tenants).into_iter().filter(|row| row.starts_with(tenant)).collect()
    };
    assert!(of("prod").iter().all(|row| row.contains("updated")), "{:?}", of("prod"));
    for other in ["staging", "reader"] {
        assert!(of(other).iter().all(|row| row.contains("not_attempted")), "{:?}", of(other));
    }
    assert_eq!((results(&tenants).len(), reader.counters().patch), (9, 0));
}

#[test]
fn what_was_recorded_without_a_state_before_wants_to_be_told_so() {
    let tenants = tenants();
    let text =
        "[recorded]\n\n[[update]]\nmatch.name = \"App 000\"\nunguarded = true\nset.description = \"x\"\n";
    let tenants = Tenants { case: tenants.case.file("changes.toml", text), ..tenants };
    let done = replay(&tenants, &[]);
    assert!(done.exits(4).stderr.contains("--on-conflict overwrite"), "{done}");
    assert_eq!(tenants.patches(), [0, 0, 0]);
    replay(&tenants, &["--on-conflict=overwrite"]).exits(0);
    assert_eq!(tenants.client(2, "App 000")["description"], "x");
}

#[test]
fn an_unrelated_client_of_the_new_name_is_not_taken_for_the_renamed_one() {
    let tenants = tenants();
    let text = "[recorded]\n\n[[update]]\nmatch.name = \"Nobody\"\nset.name = \"App 000\"\nset.sso = true\nset.logo_uri = \"https://x.example/l.png\"\n\
        expect.name = \"Nobody\"\nexpect.sso = false\nexpect_absent = [\"logo_uri\"]\n";
    let tenants = Tenants { case: tenants.case.file("changes.toml", text), ..tenants };
    replay(&tenants, &[]).exits(1);
    assert_eq!(
        (tenants.patches(), results(&tenants)[0].as_str()),
        (vec![0, 0, 0], "staging update 1: failed not_found")
    );
}

#[test]
fn a_map_for_a_tenant_that_nobody_knows_is_refused() {
    let tenants = tenants();
    let tenants = Tenants {
        case: tenants.case.file("map.csv", "match,tenant,client_id\nApp 000,stagging,x\n"),
        ..tenants
    };
    let done = replay(&tenants, &["--map=map.csv"]);
    assert!(done.exits(64).stderr.contains("did you mean `staging`?"), "{done}");
}

#[test]
fn a_dry_run_shows_what_the_same_command_would_write() {
    let tenants = tenants();
    tenants.edit(1, "App 002", &json!({"description": "somebody's own"}));
    let dry = |more: &str| replay(&tenants, &["--dry-run", more]).stdout;
    assert!(dry("--on-conflict=skip").contains("1 in conflict"));
    assert!(dry("--on-conflict=overwrite").contains("\"somebody's own\" → \"second\""));
}

#[test]
fn a_saved_plan_of_what_nothing_guards_wants_to_be_told_so_too() {
    let tenants = tenants();
    let text =
        "[recorded]\n\n[[update]]\nmatch.name = \"App 000\"\nunguarded = true\nset.description = \"x\"\n";
    let tenants = Tenants { case: tenants.case.file("changes.toml", text), ..tenants };
    tenants.case.run(["plan", "changes.toml", "--tenant=prod", "--out=plan.jsonl"]).exits(0);
    tenants.case.run(["apply", "plan.jsonl", "--yes"]).exits(4);
    tenants.case.run(["apply", "plan.jsonl", "--yes", "--on-conflict=overwrite"]).exits(0);
}

#[test]
fn a_ring_of_which_a_row_failed_in_planning_lets_no_later_ring_go() {
    let tenants = tenants();
    tenants.edit(1, "App 002", &json!({"name": "Gone"}));
    // staging is the canary, prod comes after it.
    let rings = ["--waves-by=ring=canary,rest"];
    assert!(replay(&tenants, &rings).exits(4).stderr.contains("staging"));
    assert_eq!(tenants.patches(), [0, 0, 0]);
    replay(&tenants, &[rings[0], "--max-failures=1"]).exits(1);
}
