//! A new object beside what others make meanwhile: it is told from theirs, and theirs are left as they are.

use patchwave::sandbox::Options;
use serde_json::{Map, Value, json};

use crate::common::{Case, Done, Served};

fn tenant(options: Options) -> Served {
    Served::with(Options { clients: 3, tier: "unlimited".parse().unwrap(), ..options })
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Permissions that the tenant knows.
fn permissions(served: &Served) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for role in served.tenant().objects("roles") {
        for item in role.get("permissions").and_then(Value::as_array).into_iter().flatten() {
            let item = json!({
                "resource_server_identifier": item["resource_server_identifier"],
                "permission_name": item["permission_name"],
            });
            if !all.contains(&item) {
                all.push(item);
            }
        }
    }
    assert!(all.len() > 2, "{all:?}");
    all
}

fn role(served: &Served, name: &str) -> Map<String, Value> {
    let roles = served.tenant().objects("roles");
    let mut named = roles.into_iter().filter(|role| role["name"] == name);
    let role = named.next().unwrap_or_else(|| panic!("there is no role {name}"));
    assert!(named.next().is_none(), "{name} is there twice");
    role
}

fn names(role: &Map<String, Value>) -> Vec<&str> {
    role["permissions"].as_array().unwrap().iter().map(|p| p["permission_name"].as_str().unwrap()).collect()
}

/// A job that makes two roles, the second with these permissions.
fn two_roles(case: Case, permissions: &[Value]) -> Case {
    let items: Vec<String> = permissions
        .iter()
        .map(|item| {
            format!(
                "{{ resource_server_identifier = {}, permission_name = {} }}",
                item["resource_server_identifier"], item["permission_name"]
            )
        })
        .collect();
    case.file(
        "job.toml",
        format!(
            "[[create]]\nkind = \"roles\"\nset.name = \"First\"\n\n\
             [[create]]\nkind = \"roles\"\nset.name = \"Second\"\nset.permissions = [{}]\n",
            items.join(", ")
        ),
    )
}

/// Makes the first role, and has somebody else make the second one before the run goes on.
fn second_made_by_others(served: &Served, case: &Case, permissions: &[Value]) -> Done {
    let mut running = case.spawn(["apply", "job.toml", "--yes", "--waves", "1,rest", "--pause", "50s"]);
    running.until_stderr("pausing for");
    running.signal("TERM");
    running.wait().exits(130);
    let theirs = json!({ "name": "Second", "permissions": permissions });
    assert!(served.tenant().add_object("roles", object(&theirs)));
    case.run(["resume", "--yes"])
}

#[test]
fn a_list_of_what_somebody_else_made_meanwhile_is_never_changed() {
    let served = tenant(Options::default());
    let all = permissions(&served);
    for theirs in [&all[2..3], &all[..1], &[]] {
        let served = tenant(Options::default());
        let case = two_roles(served.case(), &all[..2]);
        let done = second_made_by_others(&served, &case, theirs);
        assert_eq!(case.result_words(), ["created", "conflict"], "{done}");
        assert_eq!(case.results()[1]["_reason"], "exists");
        let held = role(&served, "Second");
        let wanted: Vec<&str> = theirs.iter().map(|item| item["permission_name"].as_str().unwrap()).collect();
        assert_eq!(names(&held), wanted);
    }
}

#[test]
fn what_somebody_else_made_just_as_asked_for_is_unchanged() {
    let served = tenant(Options::default());
    let all = permissions(&served);
    let case = two_roles(served.case(), &all[..2]);
    let theirs = [all[1].clone(), all[0].clone()];
    let done = second_made_by_others(&served, &case, &theirs);
    assert_eq!(case.result_words(), ["created", "unchanged"], "{done}");
}

#[test]
fn a_list_is_filled_on_of_what_may_be_our_own_unless_it_holds_what_nobody_asked_for() {
    for (theirs, word) in [(0..1, "created"), (1..3, "conflict")] {
        let faults = "create:hang=#2".parse().unwrap();
        let served = tenant(Options { faults, ..Options::default() });
        let all = permissions(&served);
        let case = two_roles(served.case(), &all[..2]);
        let running = case.spawn(["apply", "job.toml", "--yes", "--concurrency", "1"]);
        served.until(|counters| counters.create >= 2);
        running.kill();
        let half = json!({ "name": "Second", "permissions": all[theirs.clone()] });
        assert!(served.tenant().add_object("roles", object(&half)));
        let done = case.run(["resume", "--yes"]);
        assert_eq!(case.result_words(), ["created", word], "{done}");
        let held = role(&served, "Second");
        let wanted = if word == "created" { &all[..2] } else { &all[theirs] };
        assert_eq!(names(&held).len(), wanted.len());
        assert!(wanted.iter().all(|item| names(&held).contains(&item["permission_name"].as_str().unwrap())));
    }
}

/// Makes a role whose first request is lost; while the second is on its way, there comes to be one, as the first may have made it.
fn landed_late(described: &str) -> (Served, Case, Done) {
    let options = Options {
        faults: "create:reset-before=#1".parse().unwrap(),
        latency: "700ms,700ms".parse().unwrap(),
        ..Options::default()
    };
    let served = tenant(options);
    let job = "[[create]]\nkind = \"roles\"\nset.name = \"Late\"\nset.description = \"ours\"\n";
    let case = served.case().file("job.toml", job);
    let running = case.spawn(["apply", "job.toml", "--yes"]);
    served.until(|counters| counters.create >= 2);
    let late = json!({ "name": "Late", "description": described });
    assert!(served.tenant().add_object("roles", object(&late)));
    let done = running.wait();
    (served, case, done)
}

#[test]
fn a_create_that_is_refused_after_a_lost_answer_is_looked_for_once_more() {
    let (served, case, done) = landed_late("ours");
    assert_eq!(case.result_words(), ["created"], "{done}");
    assert_eq!(case.results()[0]["_client_id"], role(&served, "Late")["id"].as_str().unwrap());
}

#[test]
fn a_create_that_is_refused_after_a_lost_answer_and_is_not_found_as_asked_for_may_have_been_written() {
    let (_served, case, done) = landed_late("theirs");
    assert_eq!(case.result_words(), ["failed"], "{done}");
    assert_eq!(case.results()[0]["_reason"], "unknown");
}

#[test]
fn what_was_created_is_verified_with_its_lists() {
    let served = tenant(Options::default());
    let case = two_roles(served.case(), &permissions(&served)[..2]);
    let done = case.run(["apply", "job.toml", "--yes", "--verify"]);
    done.exits(0);
    assert_eq!(case.result_words(), ["created"; 2], "{done}");
}

#[test]
fn what_was_created_and_is_otherwise_when_verified_is_told() {
    let served = tenant(Options::default());
    let case = two_roles(served.case(), &permissions(&served)[..2]);
    let third = "\n[[create]]\nkind = \"roles\"\nset.name = \"Third\"\n";
    let job = case.read("job.toml") + third;
    let case = case.file("job.toml", job);
    let mut running = case.spawn(["apply", "job.toml", "--yes", "--waves", "2,rest", "--verify"]);
    // The reads of the plan are over by then; those of the verification hang.
    served.until(|counters| counters.create >= 1);
    served.tenant().set_faults("list:hang=100%".parse().unwrap());
    running.until_stderr("verifying");
    running.signal("TERM");
    running.wait().exits(130);
    served.tenant().set_faults("".parse().unwrap());
    let id = role(&served, "Second")["id"].as_str().unwrap().to_owned();
    let emptied = |role: &mut Map<String, Value>| drop(role.insert("permissions".into(), json!([])));
    assert!(served.tenant().edit_object("roles", &id, emptied));
    let done = case.run(["resume", "--yes"]);
    assert!(done.exits(5).stdout.contains("do not hold what was written"), "{done}");
    assert_eq!(case.result_words()[2], "not_attempted");
}

#[test]
fn a_grant_for_another_subject_type_is_another_grant() {
    let served = tenant(Options::default());
    let client = served.ids(1).remove(0);
    let api = served.tenant().objects("resource-servers")[0]["identifier"].as_str().unwrap().to_owned();
    let create = |more: &str| {
        format!(
            "[[create]]\nkind = \"client-grants\"\nset.client_id = \"{client}\"\nset.audience = \"{api}\"\n\
             set.scope = []\n{more}"
        )
    };
    let (plain, user) = (create(""), create("set.subject_type = \"user\"\n"));
    served.tenant().objects("client-grants").iter().for_each(|grant| {
        served.tenant().remove_object("client-grants", grant["id"].as_str().unwrap());
    });
    let case = served.case().file("plain.toml", plain).file("user.toml", user);
    for (job, word) in [("plain.toml", "created"), ("user.toml", "created"), ("user.toml", "unchanged")] {
        let done = case.run(["apply", job, "--yes"]);
        assert_eq!(case.result_words(), [word], "{job}: {done}");
    }
    let told: Vec<Value> =
        served.tenant().objects("client-grants").iter().map(|grant| grant["subject_type"].clone()).collect();
    assert_eq!(told, ["client", "user"]);
}
