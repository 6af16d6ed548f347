//! How many clients an update may hit: exact names, identity keys, `every` and `count`.

use serde_json::{Value, json};

use super::World;

fn named(names: &[&str]) -> World {
    let ids = ["a1", "b2", "c3", "d4"];
    let client = |(name, id): (&&str, &str)| json!({"client_id": id, "name": name, "app_type": "spa"});
    World::new(names.iter().zip(ids).map(client).collect())
}

fn slugs(slugs: &[&str]) -> World {
    let ids = ["a1", "b2"];
    let client = |(slug, id): (&&str, &str)| -> Value {
        json!({"client_id": id, "name": "Shop", "client_metadata": {"slug": slug}})
    };
    World::new(slugs.iter().zip(ids).map(client).collect())
}

fn job(select: &str) -> String {
    format!("[[update]]\n{select}\nset.sso = true\n")
}

fn hits(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("{id} sso absent → true")).collect::<Vec<_>>().join("\n")
}

const BY_SLUG: &str = "identity = \"client_metadata.slug\"\n\
    [[update]]\nmatch = { client_metadata.slug = \"shop\" }\nset.sso = true\n";

#[test]
fn a_name_without_a_star_must_fit_one_client() {
    let told = named(&["Twin", "Twin"]).plan("job.toml", job(r#"match = { name = "Twin" }"#));
    assert!(told.ends_with(" failed ambiguous") && !told.contains('→'), "{told}");
}

#[test]
fn a_name_that_fits_two_clients_withholds_its_own_row_alone() {
    let told = named(&["Twin", "Twin", "Shop"]).plan("job.csv", "match.name,sso\nTwin,true\nShop,true\n");
    assert!(told.starts_with(&hits(&["c3"])) && told.ends_with(" failed ambiguous"), "{told}");
}

#[test]
fn a_name_with_another_key_beside_it_must_fit_one_client_of_both() {
    let told =
        named(&["Twin", "Twin"]).plan("job.toml", job(r#"match = { name = "Twin", app_type = "spa" }"#));
    assert!(told.ends_with(" failed ambiguous") && !told.contains('→'), "{told}");
}

#[test]
fn a_path_that_the_job_names_as_its_identity_must_fit_one_client() {
    let told = slugs(&["shop", "shop"]).plan("job.toml", BY_SLUG);
    assert!(told.ends_with(" failed ambiguous") && !told.contains('→'), "{told}");
    assert_eq!(slugs(&["shop", "blog"]).plan("job.toml", BY_SLUG), hits(&["a1"]));
}

#[test]
fn a_path_that_is_no_identity_may_fit_several() {
    let job = job(r#"match = { client_metadata.slug = "shop" }"#);
    assert_eq!(slugs(&["shop", "shop"]).plan("job.toml", &job), hits(&["a1", "b2"]));
}

#[test]
fn every_lifts_that_a_name_must_fit_one_client() {
    let told = named(&["Twin", "Twin"]).plan("job.toml", job("match = { name = \"Twin\" }\nevery = true"));
    assert_eq!(told, hits(&["a1", "b2"]));
    let told = slugs(&["shop", "shop"]).plan("job.toml", format!("{BY_SLUG}every = true\n"));
    assert_eq!(told, hits(&["a1", "b2"]));
}

#[test]
fn a_client_that_an_earlier_run_renamed_is_found_under_its_new_name() {
    let job = "[[update]]\nmatch = { name = \"Billing\" }\nset.name = \"Billing EU\"\n";
    assert_eq!(named(&["Billing"]).plan("job.toml", job), r#"a1 name "Billing" → "Billing EU""#);
    assert_eq!(named(&["Billing EU"]).plan("job.toml", job), "a1 unchanged");
    assert_eq!(
        named(&["Billing EU"]).plan("job.csv", "match.name,name\nBilling,Billing EU\n"),
        "a1 unchanged"
    );
}

#[test]
fn a_client_is_looked_for_under_the_new_name_only_where_none_has_the_old_one() {
    let job = "[[update]]\nmatch = { name = \"Billing\" }\nset.name = \"Billing EU\"\n";
    let told = named(&["Billing EU", "Billing"]).plan("job.toml", job);
    assert!(told.ends_with(r#"b2 name "Billing" → "Billing EU""#), "{told}");
    assert!(
        told.starts_with("warning: ") && told.contains(r#"2 clients of dev would be named "Billing EU""#),
        "{told}"
    );
}

#[test]
fn a_name_that_two_clients_would_share_is_warned_of_and_one_that_nobody_else_has_is_not() {
    let csv = "match.name,name\nA,X\nB,X\nC,Y\nD,Z\n";
    let told = named(&["A", "B", "C", "D"]).plan("job.csv", csv);
    let warnings: Vec<&str> = told.lines().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(warnings.len(), 1, "{told}");
    assert!(
        warnings[0].contains("job.csv:2:1") && warnings[0].contains("2 clients of dev would be named \"X\""),
        "{told}"
    );
}

#[test]
fn many_names_that_would_be_shared_are_told_in_one_warning() {
    let names = ["A-dev", "A-test", "B-dev", "B-test", "C-dev"];
    let job = "[[update]]\nmatch.name = \"*-dev\"\nset.name = \"{{ name | removesuffix('-dev') }}-test\"\n";
    let told = named(&names).plan("job.toml", job);
    let warnings: Vec<&str> = told.lines().filter(|line| line.starts_with("warning")).collect();
    assert_eq!(warnings.len(), 1, "{told}");
    let words = "2 names of dev would be shared by two or more clients: \"A-test\", \"B-test\"";
    assert!(warnings[0].contains(words), "{told}");
}

#[test]
fn a_name_that_nobody_has_any_more_and_several_have_as_the_new_one_is_told_as_such() {
    let told = named(&["X", "X"]).plan("job.csv", "match.name,name\nA,X\n");
    assert!(told.contains("failed ambiguous"), "{told}");
}

#[test]
fn a_count_that_is_met_lets_the_update_go_on() {
    for count in ["3", "\">=3\"", "\">=1\"", "\"2..4\""] {
        let job = job(&format!("match = {{ name = \"x-*\" }}\ncount = {count}"));
        let told = named(&["x-1", "x-2", "x-3", "y"]).plan("job.toml", &job);
        assert_eq!(told, hits(&["a1", "b2", "c3"]), "{count}");
    }
}

#[test]
fn both_ends_of_a_range_of_counts_are_in_it() {
    // guess: `N..M` is written like "from 3 to 5", not like a slice.
    for count in ["\"1..3\"", "\"3..5\""] {
        let job = job(&format!("match = {{ name = \"x-*\" }}\ncount = {count}"));
        let told = named(&["x-1", "x-2", "x-3"]).plan("job.toml", &job);
        assert_eq!(told, hits(&["a1", "b2", "c3"]), "{count}");
    }
}

#[test]
fn another_number_of_clients_than_count_says_refuses_the_job() {
    for (count, wanted) in [("2", "2"), ("\">=4\"", "4"), ("\"4..9\"", "4..9"), ("\"0..2\"", "0..2")] {
        let job = job(&format!("match = {{ name = \"x-*\" }}\ncount = {count}"));
        let told = named(&["x-1", "x-2", "x-3"]).plan("job.toml", &job);
        assert!(told.starts_with("exit 4: ") && !told.contains('→'), "{count}: {told}");
        for words in ["update 1", wanted, "3"] {
            assert!(told.contains(words), "{count} without {words}: {told}");
        }
    }
}

#[test]
fn count_is_about_whom_the_update_selects_and_not_about_what_changes() {
    let clients = json!([
        {"client_id": "a1", "name": "x-1", "sso": true},
        {"client_id": "b2", "name": "x-2"},
    ]);
    let told = World::new(clients).plan("job.toml", job("match = { name = \"x-*\" }\ncount = 2"));
    assert_eq!(told, format!("{}\na1 unchanged", hits(&["b2"])));
}

#[test]
fn count_is_judged_for_each_update_by_itself() {
    let two = format!(
        "{}{}",
        job("match = { name = \"x-*\" }\ncount = 2"),
        job("match = { name = \"y-*\" }\ncount = 1")
    );
    assert_eq!(named(&["x-1", "x-2", "y-1"]).plan("job.toml", &two), hits(&["a1", "b2", "c3"]));
    let told = named(&["x-1", "x-2", "y-1", "y-2"]).plan("job.toml", &two);
    assert!(told.starts_with("exit 4: ") && told.contains("update 2"), "{told}");
}

#[test]
fn count_is_judged_before_a_name_that_fits_two() {
    let told = named(&["Twin", "Twin"]).plan("job.toml", job("match = { name = \"Twin\" }\ncount = 1"));
    assert!(told.starts_with("exit 4: "), "{told}");
}

#[test]
fn a_count_that_nobody_meets_refuses_the_job_instead_of_skipping_the_row() {
    for select in [r#"match = { name = "z-*" }"#, r#"where = "name == 'z'""#] {
        let told = named(&["x-1"]).plan("job.toml", job(&format!("{select}\ncount = 1")));
        assert!(told.starts_with("exit 4: "), "{select}: {told}");
    }
}

#[test]
fn an_update_that_writes_what_its_selector_reads_is_warned_of_where_it_has_a_count() {
    for select in [r#"match = { app_type = "spa" }"#, r#"where = "app_type == 'spa'""#] {
        let job = |count: &str| format!("[[update]]\n{select}\n{count}set.app_type = \"regular_web\"\n");
        let changed = r#"a1 app_type "spa" → "regular_web""#;
        let told = named(&["x"]).plan("job.toml", job("count = 1\n"));
        assert!(told.starts_with("warning: ") && told.ends_with(changed), "{select}: {told}");
        assert!(told.contains("app_type") && told.contains("count"), "{select}: {told}");
        assert_eq!(named(&["x"]).plan("job.toml", job("")), changed);
    }
}

#[test]
fn an_exact_name_that_nobody_has_is_a_failed_row() {
    let told = named(&["Billing"]).plan("job.toml", job(r#"match = { name = "Shop" }"#));
    assert_eq!(told, "- failed not_found");
}

#[test]
fn an_identity_that_nobody_has_is_a_failed_row() {
    assert_eq!(slugs(&["blog"]).plan("job.toml", BY_SLUG), "- failed not_found");
}

#[test]
fn a_client_id_that_does_not_exist_is_a_failed_row() {
    let told = named(&["Billing"]).plan("job.toml", job(r#"client_id = "zzz""#));
    assert!(told.ends_with(" failed not_found"), "{told}");
}

#[test]
fn a_pattern_or_a_where_that_fits_nobody_is_one_skipped_row() {
    for select in
        [r#"match = { name = "z-*" }"#, r#"match = { app_type = "native" }"#, r#"where = "sso == true""#]
    {
        let told = named(&["x-1", "x-2"]).plan("job.toml", job(select));
        assert!(told.ends_with("- skipped no_match"), "{select}: {told}");
        assert_eq!(told.matches("no_match").count(), 1, "{select}: {told}");
        assert!(!told.contains("exit"), "{select}: {told}");
    }
}

#[test]
fn a_pattern_that_fits_nobody_is_a_warning() {
    // guess: the harness shows warnings that only planning can know like those of the job.
    let told = named(&["x-1"]).plan("job.toml", job(r#"match = { name = "z-*" }"#));
    assert!(told.starts_with("warning: "), "{told}");
}

#[test]
fn a_client_is_looked_for_under_a_new_name_that_a_variable_gives() {
    let text = "[[update]]\nmatch = { name = \"Old\" }\nset.name = \"New {{ vars.region }}\"\n";
    let world = World::new(json!([{"client_id": "a", "name": "New EU"}])).vars(json!({"region": "EU"}));
    assert_eq!(world.plan("job.toml", text), "a unchanged");
}
