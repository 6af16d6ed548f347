//! What is left out on purpose: `--where`, `--limit`, protected clients, the runner's own, the global one.

use serde_json::json;

use super::World;

fn world() -> World {
    World::new(json!([
        {"client_id": "a1", "name": "Shop", "app_type": "spa"},
        {"client_id": "b2", "name": "Blog", "app_type": "native"},
        {"client_id": "c3", "name": "News", "app_type": "spa"},
    ]))
}

const EVERYBODY: &str = "[[update]]\nmatch = { name = \"*\" }\nset.sso = true\n";
const BY_ID: &str = "[[update]]\nclient_id = \"a1\"\nset.sso = true\n";
const PROTECT: &str = "[guards]\nprotect = [\"a1\"]\n";

#[test]
fn where_of_the_command_line_narrows_every_update() {
    let told = world().narrowed("app_type == 'spa'").plan("job.toml", EVERYBODY);
    assert_eq!(told, "a1 sso absent → true\nc3 sso absent → true\nb2 skipped where");
    assert_eq!(world().narrowed("app_type == 'native'").plan("job.toml", BY_ID), "a1 skipped where");
}

#[test]
fn a_limit_takes_the_first_clients_that_would_change() {
    let already = World::new(json!([
        {"client_id": "a1", "name": "Shop", "sso": true},
        {"client_id": "b2", "name": "Blog"},
        {"client_id": "c3", "name": "News"},
    ]));
    let told = already.limit(1).plan("job.toml", EVERYBODY);
    assert_eq!(told, "b2 sso absent → true\na1 unchanged\nc3 skipped limit");
}

#[test]
fn a_protected_client_that_a_rule_chose_is_skipped() {
    let told = world().plan("job.toml", format!("{PROTECT}{EVERYBODY}"));
    assert_eq!(told, "b2 sso absent → true\nc3 sso absent → true\na1 skipped protected");
    let by_where = "[[update]]\nwhere = \"app_type == 'spa'\"\nset.sso = true\n";
    let told = world().plan("job.toml", format!("{PROTECT}{by_where}"));
    assert_eq!(told, "c3 sso absent → true\na1 skipped protected");
}

#[test]
fn a_protected_client_that_is_named_by_its_id_refuses_the_job() {
    let told = world().plan("job.toml", format!("{PROTECT}{BY_ID}"));
    assert!(told.starts_with("exit 4: ") && told.contains("a1"), "{told}");
}

#[test]
fn force_lifts_protection() {
    let told = world().force("protect").plan("job.toml", format!("{PROTECT}{BY_ID}"));
    assert_eq!(told, "a1 sso absent → true");
    let told = world().force("protect").plan("job.toml", format!("{PROTECT}{EVERYBODY}"));
    assert!(!told.contains("protected"), "{told}");
}

#[test]
fn the_own_client_of_the_runner_is_skipped_where_a_rule_chose_it() {
    let told = world().own("a1").plan("job.toml", EVERYBODY);
    assert_eq!(told, "b2 sso absent → true\nc3 sso absent → true\na1 skipped protected");
}

#[test]
fn the_own_client_named_by_its_id_may_change_what_cannot_lock_it_out() {
    let job = "[[update]]\nclient_id = \"a1\"\nset.name = \"Runner\"\nset.client_metadata.team = \"ops\"\n";
    let told = world().own("a1").plan("job.toml", job);
    assert_eq!(told, "a1 name \"Shop\" → \"Runner\"\na1 client_metadata.team absent → \"ops\"");
}

#[test]
fn the_own_client_named_by_its_id_may_not_change_what_could_lock_it_out() {
    let job = "[[update]]\nclient_id = \"a1\"\nset.grant_types = [\"implicit\"]\n";
    let told = world().own("a1").plan("job.toml", job);
    assert!(told.starts_with("exit 4: ") && told.contains("a1") && told.contains("grant_types"), "{told}");
}

#[test]
fn the_global_client_named_by_its_id_refuses_the_job() {
    let told = world().excluded("g9").plan("job.toml", "[[update]]\nclient_id = \"g9\"\nset.sso = true\n");
    assert!(told.starts_with("exit 4: ") && told.contains("g9"), "{told}");
}
