//! A tenant has more users than its list shows: each is found by what the API looks it up by.

use patchwave::sandbox::Options;
use serde_json::Value;

use crate::common::{Case, Served};

/// More than the list shows.
const USERS: usize = 1010;
/// More than are looked up where a list would do.
const NAMED: usize = 55;

fn tenant() -> Served {
    let objects = [("users".to_owned(), USERS)].into();
    Served::with(Options { clients: 2, objects, tier: "unlimited".parse().unwrap(), ..Options::default() })
}

fn mails(served: &Served) -> Vec<String> {
    let users = served.tenant().objects("users");
    users.iter().map(|user| user["email"].as_str().unwrap().to_owned()).collect()
}

fn blocked(served: &Served) -> usize {
    served
        .tenant()
        .objects("users")
        .iter()
        .filter(|user| user.get("blocked") == Some(&Value::Bool(true)))
        .count()
}

/// Blocks some, and makes as many new ones.
fn job(served: &Served, case: Case) -> Case {
    let updates = mails(served).into_iter().rev().take(NAMED).map(|mail| {
        format!("[[update]]\nkind = \"users\"\nmatch.email = \"{mail}\"\nset.blocked = true\n\n")
    });
    let creates = (0..NAMED).map(|at| {
        format!(
            "[[create]]\nkind = \"users\"\nset.email = \"new-{at}@acme.example\"\nset.connection = \"Username-Password-Authentication\"\n\
             set.name = \"New {at}\"\n\n"
        )
    });
    case.file("job.toml", updates.chain(creates).collect::<String>())
}

#[test]
fn a_job_that_names_them_by_mail_changes_and_creates_them_and_a_second_time_nothing() {
    let served = tenant();
    let case = job(&served, served.case());
    let was = blocked(&served);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!(blocked(&served), was + NAMED);
    assert_eq!(mails(&served).len(), USERS + NAMED);
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!(mails(&served).len(), USERS + NAMED);
    assert!(case.result_words().iter().all(|word| word == "unchanged"));
}

#[test]
fn a_saved_plan_is_carried_out_and_taken_back() {
    let served = tenant();
    let case = job(&served, served.case());
    let was = blocked(&served);
    case.run(["plan", "job.toml", "--out", "plan.json"]).exits(0);
    case.run(["apply", "plan.json", "--yes"]).exits(0);
    assert_eq!((blocked(&served), mails(&served).len()), (was + NAMED, USERS + NAMED));
    // What was created stays.
    case.run([
        "undo",
        "latest",
        "--tenant",
        served.tenant().domain().base_url().trim_start_matches("http://"),
        "--yes",
    ])
    .exits(1);
    assert_eq!((blocked(&served), mails(&served).len()), (was, USERS + NAMED));
}

#[test]
fn a_job_that_needs_the_whole_list_is_told_so() {
    let served = tenant();
    let case = served
        .case()
        .file("job.toml", "[[update]]\nkind = \"users\"\nwhere = \"logins_count > 3\"\nset.blocked = true\n");
    let done = case.run(["apply", "job.toml", "--yes"]);
    done.exits(3);
    assert!(done.stdout.contains("1000") || done.stderr.contains("1000"), "{done}");
}
