//! `patchwave tenants`: whether tenants can be worked on, told before anything depends on it.

use patchwave::sandbox::Options;
use regex::Regex;
use serde_json::{Value, json as value};

use crate::common::{Case, Done, Served, renames};

/// Tenants whose tokens lack the scopes that single fields need.
fn served(tenants: usize) -> Served {
    let scopes = ["read:clients", "update:clients", "read:client_keys", "read:logs"];
    Served::with(Options { tenants, scopes: scopes.map(str::to_owned).to_vec(), ..Options::default() })
}

fn with_scopes(scopes: &[&str]) -> Served {
    Served::with(Options {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..Options::default()
    })
}

/// What a program reads; fails the test where it cannot.
fn json(done: &Done) -> Vec<Value> {
    let mut read: Value =
        serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done}"));
    read["tenants"].take().as_array().unwrap().clone()
}

#[test]
fn tenants_that_are_well_are_a_line_each() {
    let served = served(2);
    let done = served.configured("", "protected = true").run(["tenants"]);
    done.exits(0);
    insta::assert_snapshot!(done.to_string());
}

#[test]
fn programs_read_an_object_for_each() {
    let served = served(1);
    let done = served.configured("", "").run(["tenants", "--output", "json"]);
    done.exits(0);
    let pretty = serde_json::to_string_pretty(&json(&done)).unwrap();
    let clock = Regex::new(r#""clock_ahead_seconds": -?[01]\.\d"#).unwrap();
    insta::assert_snapshot!(clock.replace(&pretty, r#""clock_ahead_seconds": [ABOUT 0]"#));
}

#[test]
fn a_look_is_a_token_and_at_most_three_reads_and_never_a_write() {
    let served = served(1);
    served.case().run(["tenants"]).exits(0);
    let counters = served.counters();
    assert!(counters.list + counters.get <= 3, "{counters:?}");
    assert_eq!((counters.token, counters.patch), (1, 0));
}

#[test]
fn a_look_keeps_nothing() {
    let case = served(1).case();
    case.run(["tenants"]);
    assert!(!case.state().exists());
}

#[test]
fn a_wrong_secret_is_3_and_told_with_what_to_do() {
    let served = served(1);
    let done = served.case().env("AUTH0_CLIENT_SECRET", "wrong").run(["tenants"]);
    done.exits(3);
    assert!(done.stdout.contains("no token"), "{done}");
    assert!(done.stderr.contains("check client id and client secret"), "{done}");
    assert_eq!(done.stderr.lines().last(), Some("next:  patchwave tenants"), "{done}");
}

#[test]
fn a_tenant_that_is_not_there_is_3_and_told_from_one_that_refuses() {
    let case = Case::new()
        .env("AUTH0_DOMAIN", "http://127.0.0.1:1")
        .env("AUTH0_CLIENT_ID", "id")
        .env("AUTH0_CLIENT_SECRET", "secret");
    let done = case.run(["tenants", "--output", "json"]);
    done.exits(3);
    let [tenant] = json(&done).try_into().unwrap();
    assert_eq!((&tenant["reachable"], &tenant["token"]), (&Value::Bool(false), &Value::Bool(false)));
    let error: Value = serde_json::from_str(&done.stderr).unwrap();
    assert_eq!(error["error"]["class"], "network", "{done}");
}

#[test]
fn one_that_fails_hides_no_other_and_the_code_is_1() {
    let served = served(3);
    let case = served.configured("", "").env("SECRET_1", "wrong").without_env("SECRET_2");
    let done = case.run(["tenants", "--output", "json"]);
    done.exits(1);
    let tokens: Vec<bool> = json(&done).iter().map(|tenant| tenant["token"].as_bool().unwrap()).collect();
    assert_eq!(tokens, [true, false, false]);
    let text = case.run(["tenants"]);
    assert!(text.exits(1).stderr.contains("t1: no token") && text.stderr.contains("SECRET_2"), "{text}");
    case.run(["tenants", "--tenant", "t1", "--tenant", "t2"]).exits(3);
    case.run(["tenants", "--tenant", "t0"]).exits(0);
}

#[test]
fn a_group_or_a_tenant_can_be_chosen_and_one_that_is_misspelt_is_64() {
    let served = served(3);
    let case = served.configured("[groups]\neast = [\"t1\", \"t2\"]", "");
    let names = |args: &[&str]| -> Vec<String> {
        let done = case.run([&["tenants", "--output", "json"], args].concat());
        json(done.exits(0)).iter().map(|tenant| tenant["tenant"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["--group", "east"]), ["t1", "t2"]);
    assert_eq!(names(&["--tenant", "t0"]), ["t0"]);
    let done = case.run(["tenants", "--tenant", "t00"]);
    assert!(done.exits(64).stderr.contains("did you mean `t0`"), "{done}");
}

#[test]
fn a_token_that_may_only_read_is_told_with_what_it_is_not_good_for() {
    let served = with_scopes(&["read:clients"]);
    let done = served.case().run(["tenants"]);
    done.exits(0);
    assert!(
        done.stdout.contains("lacks the scope update:clients: needed for apply, replay, resume, undo"),
        "{done}"
    );
    let [tenant] = json(&served.case().run(["tenants", "--output", "json"])).try_into().unwrap();
    assert_eq!(
        (&tenant["allows"]["read"], &tenant["allows"]["write"]),
        (&Value::Bool(true), &Value::Bool(false))
    );
}

#[test]
fn a_token_that_may_not_read_is_3() {
    let done = with_scopes(&["read:users"]).case().run(["tenants"]);
    done.exits(3);
    assert!(done.stdout.contains("lacks the scope read:clients: needed for plan, get"), "{done}");
    assert!(done.stderr.contains("the token lacks a scope"), "{done}");
}

#[test]
fn scopes_to_see_single_fields_and_the_log_are_told_where_they_are_lacking() {
    let done = with_scopes(&["read:clients", "update:clients"]).case().run(["tenants"]);
    let seen = "needed to see single fields alone: read:client_keys (client_secret, encryption_key, client_authentication_methods, signing_keys)";
    assert!(done.exits(0).stdout.contains(seen), "{done}");
    assert!(done.stdout.contains("needed to read the tenant's log: read:logs (record --from-log)"), "{done}");
    let [tenant] = json(
        &with_scopes(&["read:clients", "read:client_credentials", "read:logs"])
            .case()
            .run(["tenants", "--output", "json"]),
    )
    .try_into()
    .unwrap();
    let lacks = tenant["allows"]["lacks"].as_array().unwrap();
    let of = |to: &str| lacks.iter().filter(|lack| lack["to"] == to).cloned().collect::<Vec<_>>();
    assert_eq!(of("read_fields")[0]["needed_for"], value!(["client_secret", "encryption_key"]));
    assert_eq!(of("run")[0]["scope"], "update:clients");
    assert_eq!(of("read_log"), [] as [Value; 0]);
}

#[test]
fn tags_are_told_where_there_are_any() {
    let served = served(1);
    let done = served.configured("", "tags = { ring = \"canary\", tier = 2 }").run(["tenants"]);
    assert!(done.exits(0).stdout.contains("tenant  tags                 domain"), "{done}");
    assert!(done.stdout.contains("ring=canary, tier=2"), "{done}");
}

/// The secret of the second comes when the first has been asked: where one waited for the other, this would never end.
#[cfg(unix)]
#[test]
fn a_tenant_whose_secret_takes_long_delays_no_other() {
    let served = served(2);
    let case = served.configured("", "");
    let slow = "client_secret = { command = \"while [ ! -e go ]; do sleep 0.02; done; echo $SECRET_1\" }";
    let config = case.read("patchwave.toml").replace("client_secret = { env = \"SECRET_1\" }", slow);
    let case = case.file("patchwave.toml", config);
    let running = case.spawn(["tenants", "--output", "json"]);
    served.until(|counters| counters.list > 0);
    let case = case.file("go", "");
    let tenants = json(running.wait().exits(0));
    assert!(tenants.iter().all(|tenant| tenant["token"] == true), "{tenants:?}");
    drop(case);
}

#[test]
fn a_tenant_that_never_answers_breaks_no_other() {
    let served = served(2);
    served.at(1).set_faults("token:hang=#1,token:hang=#2".parse().unwrap());
    let done = served.configured("", "").run(["tenants", "--output", "json", "--timeout", "300ms"]);
    done.exits(1);
    let told = |key: &str| json(&done).iter().map(|tenant| tenant[key].clone()).collect::<Vec<_>>();
    assert_eq!(told("reachable"), [true, false]);
    assert_eq!(told("token"), [true, false]);
}

/// A date has no fractions of a second, so that a second more or less is as good.
#[test]
fn a_clock_that_is_wrong_is_told() {
    for (clock_skew, way) in [(30, "ahead"), (-30, "behind")] {
        let done = Served::with(Options { clock_skew, ..Options::default() }).case().run(["tenants"]);
        let told = |seconds: i32| done.stdout.contains(&format!("{seconds} s {way}"));
        assert!(done.exits(0).stdout.contains(way) && (29..=31).any(told), "{done}");
    }
}

#[test]
fn the_sandbox_is_looked_at_without_credentials() {
    let done = Case::new().run(["tenants", "--sandbox"]);
    assert!(done.exits(0).stdout.contains("the sandbox") && done.stdout.contains("49 of 50 left"), "{done}");
}

#[test]
fn the_refill_is_told_as_a_run_has_learned_it_with_its_age() {
    let served = Served::with(Options { tier: "20,20/s".parse().unwrap(), ..Options::default() });
    let case = served.case().file("job.csv", renames(&served.ids(40)));
    case.run(["apply", "job.csv", "--yes"]).exits(0);
    let done = case.run(["tenants", "--output", "json"]);
    let [tenant] = json(&done).try_into().unwrap();
    let refill = tenant["refill"]["per_second"].as_f64().unwrap();
    assert!((10.0..40.0).contains(&refill), "{done}");
    assert!(tenant["refill"]["age_seconds"].as_i64().unwrap() < 60, "{done}");
    assert!(case.run(["tenants"]).stdout.contains("/s, just now"));
}
