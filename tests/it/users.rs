//! A tenant has more users than its list shows: each is found by what the API looks it up by.

use patchwave::sandbox::Options;
use serde_json::{Value, json};

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

/// A tenant with these users of the database connection.
fn few(mails: &[&str]) -> Served {
    let objects = [("users".to_owned(), 3)].into();
    let served = Served::with(Options { clients: 2, objects, ..Options::default() });
    for mail in mails {
        let identity =
            json!({ "connection": DATABASE, "user_id": mail, "provider": "auth0", "isSocial": false });
        let user = json!({ "user_id": format!("auth0|{mail}"), "email": mail, "identities": [identity] });
        assert!(served.tenant().add_object("users", user.as_object().unwrap().clone()));
    }
    served
}

const DATABASE: &str = "Username-Password-Authentication";

fn create(mail: &str, connection: &str) -> String {
    format!("[[create]]\nkind = \"users\"\nset.email = \"{mail}\"\nset.connection = \"{connection}\"\n")
}

#[test]
fn a_mail_in_capitals_is_planned_and_created_in_lower_case_and_a_second_time_nothing() {
    let served = few(&[]);
    let case = served.case().file("job.toml", create("Ada.Lovelace2@acme.example", DATABASE));
    let plan = case.run(["plan", "job.toml"]);
    assert!(plan.stdout.contains("ada.lovelace2@acme.example"), "{plan}");
    assert!(!plan.stdout.contains("Ada.Lovelace2@"), "{plan}");
    for word in ["created", "unchanged"] {
        let done = case.run(["apply", "job.toml", "--yes"]);
        assert_eq!(case.result_words(), [word], "{done}");
    }
    assert!(mails(&served).contains(&"ada.lovelace2@acme.example".to_owned()));
}

#[test]
fn a_user_is_found_by_mail_however_the_mail_is_written() {
    let mail = "grace.hopper9@acme.example";
    let served = few(&[mail]);
    let was = blocked(&served);
    let update = "[[update]]\nkind = \"users\"\nmatch.email = ";
    let jobs = [
        ("plain.toml", format!("{update}\"Grace.Hopper9@acme.example\"\nset.blocked = true\n")),
        ("glob.toml", format!("{update}\"Grace.Hopper9@*\"\nset.blocked = true\n")),
        (
            "rows.toml",
            format!("rows = \"who.csv\"\n{update}\"{{{{ row.who }}}}\"\nset.blocked = true\n").replacen(
                "rows = \"who.csv\"\n[[update]]\n",
                "[[update]]\nrows = \"who.csv\"\n",
                1,
            ),
        ),
    ];
    for (name, job) in jobs {
        let case = served.case().file(name, job).file("who.csv", "who\nGrace.Hopper9@ACME.example\n");
        let id = format!("auth0|{mail}");
        let unblock = |user: &mut serde_json::Map<String, Value>| drop(user.shift_remove("blocked"));
        assert!(served.tenant().edit_object("users", &id, unblock));
        let done = case.run(["apply", name, "--yes"]);
        assert_eq!(blocked(&served), was + 1, "{name}: {done}");
    }
    let got = served.case().run(["get", "users", "--email", "Grace.Hopper9@acme.example"]);
    assert!(got.exits(0).stdout.contains(mail), "{got}");
}

#[test]
fn a_user_of_another_connection_is_not_the_one_that_is_asked_for() {
    let mail = "grace.hopper9@acme.example";
    let served = few(&[mail]);
    let job = create(mail, DATABASE);
    let case = served.case().file("job.toml", job).file("other.toml", create(mail, "acme-partners"));
    case.run(["apply", "job.toml", "--yes"]).exits(0);
    assert_eq!(case.result_words(), ["unchanged"]);
    let done = case.run(["apply", "other.toml", "--yes"]);
    assert_eq!(case.result_words(), ["conflict"], "{done}");
    assert_eq!(case.results()[0]["_reason"], "exists");
    let error = &case.results()[0]["_error"];
    assert!(
        error.contains(&format!("connection is \"{DATABASE}\", asked for is \"acme-partners\"")),
        "{error}"
    );
    assert_eq!(served.counters().create, 0);
}
