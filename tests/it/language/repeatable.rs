//! Again must mean nothing: a job that would change something a second time is refused.

use serde_json::json;

use super::World;

fn world() -> World {
    World::new(json!([
        {"client_id": "abc1", "name": "Billing", "app_type": "spa"},
        {"client_id": "def2", "name": "acme-shop-dev", "app_type": "native"},
    ]))
}

#[test]
fn a_template_that_grows_the_name_under_a_pattern_that_still_fits_is_refused() {
    let job = "[[update]]\nmatch = { name = \"Bill*\" }\nset.name = \"{{ name }} EU\"\n";
    let told = world().plan("job.toml", job);
    assert!(told.starts_with("exit 4: ") && !told.contains("abc1 name"), "{told}");
    for words in ["update 1", "abc1", "\"Billing EU\"", "\"Billing EU EU\""] {
        assert!(told.contains(words), "without {words}: {told}");
    }
}

#[test]
fn a_template_that_grows_the_name_of_a_client_named_by_its_id_is_refused() {
    let job = "[[update]]\nclient_id = \"abc1\"\nset.name = \"{{ name }} EU\"\n";
    assert!(world().plan("job.toml", job).starts_with("exit 4: "));
}

#[test]
fn an_update_that_says_so_may_change_something_again() {
    let job = "[[update]]\nmatch = { name = \"Bill*\" }\nset.name = \"{{ name }} EU\"\nrepeatable = false\n";
    assert_eq!(world().plan("job.toml", job), r#"abc1 name "Billing" → "Billing EU""#);
}

#[test]
fn an_update_says_so_for_itself_alone() {
    let job = "[[update]]\nclient_id = \"abc1\"\nset.name = \"{{ name }} EU\"\nrepeatable = false\n\
        [[update]]\nclient_id = \"def2\"\nset.name = \"{{ name }} EU\"\n";
    let told = world().plan("job.toml", job);
    assert!(told.starts_with("exit 4: ") && told.contains("update 2") && told.contains("def2"), "{told}");
}

#[test]
fn a_template_whose_pattern_no_longer_fits_is_no_second_change() {
    let job = "[[update]]\nmatch = { name = \"acme-*-dev\" }\n\
        set.name = \"{{ name | removesuffix('-dev') }}-staging\"\n";
    assert_eq!(world().plan("job.toml", job), r#"def2 name "acme-shop-dev" → "acme-shop-staging""#);
}

#[test]
fn a_template_that_comes_to_the_same_again_is_no_second_change() {
    let job = "[[update]]\nmatch = { name = \"*\" }\nset.client_metadata.was = \"{{ app_type }}\"\n";
    assert_eq!(
        world().plan("job.toml", job),
        "abc1 client_metadata.was absent → \"spa\"\ndef2 client_metadata.was absent → \"native\""
    );
}

#[test]
fn two_updates_of_which_one_makes_the_other_fit_another_client_are_refused() {
    let job = "[[update]]\nmatch = { app_type = \"spa\" }\nset.app_type = \"native\"\n\
        [[update]]\nmatch = { app_type = \"native\" }\nset.description = \"x\"\n";
    let told = world().plan("job.toml", job);
    assert!(told.starts_with("exit 4: "), "{told}");
    assert!(told.contains("update 2") && told.contains("abc1") && told.contains("description"), "{told}");
}

#[test]
fn two_updates_that_undo_each_other_by_turns_are_refused() {
    let job = "[[update]]\nmatch = { app_type = \"spa\" }\nset.app_type = \"native\"\n\
        [[update]]\nmatch = { app_type = \"native\" }\nset.app_type = \"spa\"\n";
    assert!(world().plan("job.toml", job).starts_with("exit 4: "));
}
