//! What the command says of itself, and of flags that make no sense.

use crate::common::{Case, Done};

const VERBS: [&str; 7] = ["check", "plan", "apply", "status", "get", "tenants", "sandbox"];

fn run(args: &[&str]) -> Done {
    Case::new().run(args)
}

#[test]
fn the_help_of_the_tool_names_every_verb_and_every_exit_code() {
    let done = run(&["--help"]);
    done.exits(0);
    for verb in VERBS {
        assert!(done.stdout.contains(&format!("\n  {verb} ")), "{verb}: {done}");
    }
    for code in ["0 ", "1 ", "2 ", "3 ", "4 ", "5 ", "64 ", "130 "] {
        assert!(
            done.stdout.contains(&format!("· {code}")) || done.stdout.contains(&format!("codes: {code}")),
            "{code}: {done}"
        );
    }
    insta::assert_snapshot!(done.to_string());
}

#[test]
fn each_verb_explains_its_flags() {
    for verb in VERBS {
        let done = run(&[verb, "--help"]);
        done.exits(0);
        assert_eq!(done.stderr, "", "{done}");
        insta::assert_snapshot!(format!("help_of_{verb}"), done.to_string());
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let done = run(&["--version"]);
    assert_eq!(done.exits(0).stdout, "patchwave [VERSION]\n");
}

#[test]
fn flags_that_make_no_sense_are_64_and_explained_on_standard_error() {
    for args in [
        &[][..],
        &["chek", "job.csv"],
        &["check"],
        &["check", "job.csv", "--outptu", "json"],
        &["check", "job.csv", "--output", "yaml"],
        &["check", "job.csv", "-q", "-v"],
        &["plan"],
        &["plan", "job.csv", "--concurrency", "0"],
        &["plan", "job.csv", "--rate", "5/day"],
        &["plan", "job.csv", "--burst", "5"],
        &["plan", "job.csv", "--timeout", "0s"],
        &["plan", "job.csv", "--max-changes", "101%"],
        &["apply", "job.csv", "--yes", "--dry-run"],
        &["apply", "job.csv", "--force", "everything"],
        &["get"],
        &["get", "--all", "--self"],
        &["sandbox", "--tenants", "0"],
    ] {
        let done = run(args);
        done.exits(64);
        assert!(done.stdout.is_empty() && !done.stderr.is_empty(), "{done}");
    }
}

#[test]
fn a_misspelt_verb_or_flag_is_answered_with_the_nearest_one() {
    for (args, near) in [(&["aply", "job.csv"], "apply"), (&["check", "--outptu=json"], "--output")] {
        let done = run(args);
        assert!(done.stderr.contains(&format!("'{near}'")), "{done}");
    }
}

#[test]
fn a_job_that_is_not_there_is_64() {
    let done = run(&["check", "missing.csv"]);
    done.exits(64);
    assert!(
        done.stderr.contains("missing.csv") && done.stderr.lines().last().unwrap().starts_with("next:"),
        "{done}"
    );
}

#[test]
fn without_credentials_a_tenant_cannot_be_reached_and_nothing_is_tried() {
    for args in [&["plan", "job.csv"][..], &["apply", "job.csv", "--yes"], &["get", "--all"]] {
        let done = Case::new().file("job.csv", "client_id,name\na,b\n").run(args);
        done.exits(3);
        assert!(done.stderr.contains("AUTH0_DOMAIN"), "{done}");
    }
}

#[test]
fn no_help_and_no_error_shows_a_secret_of_the_environment() {
    let names = [
        "AUTH0_CLIENT_SECRET",
        "AUTH0_ACCESS_TOKEN",
        "AUTH0_API_TOKEN",
        "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY",
        "CLIENT_SECRET",
    ];
    let secret = |name: &str| format!("EXAMPLE-{name}-not-real");
    let mut case =
        Case::new().file("job.csv", "client_id,name\na,b\n").env("AUTH0_DOMAIN", "acme.eu.auth0.example");
    for name in names {
        case = case.env(name, secret(name));
    }
    let case = case.file(".env", format!("AUTH0_CLIENT_SECRET={}\n", secret("file")));
    let helps = VERBS.iter().map(|verb| vec![*verb, "--help"]);
    let wrong = [
        vec!["--help"],
        vec![],
        vec!["help", "apply"],
        vec!["check", "job.csv", "-vv"],
        vec!["plan", "job.csv", "--tenant", "dev", "-vv"],
    ];
    for args in helps.chain(wrong) {
        let done = case.run(args);
        for name in names.iter().chain(&["file"]) {
            assert!(!done.shown().contains(&secret(name)), "{name} is shown: {done}");
        }
    }
}

#[test]
fn help_is_plain_text_where_nobody_watches_and_coloured_where_asked() {
    let colours =
        |args: &[&str]| Case::new().file("job.csv", "client_id,naem\n").run(args).shown().contains('\u{1b}');
    assert!(!colours(&["--help"]));
    assert!(!colours(&["check", "job.csv"]));
    assert!(colours(&["check", "job.csv", "--color", "always"]));
    assert!(!colours(&["check", "job.csv", "--color", "never"]));
}
