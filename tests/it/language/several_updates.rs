//! Several updates of one client: each sees what was read, and all become one PATCH.

use serde_json::{Value, json};

use super::World;

fn world() -> World {
    World::new(json!([
        {"client_id": "a", "name": "Billing", "description": "Old",
            "callbacks": ["https://a.example"], "client_metadata": {"owner": "web"}},
    ]))
}

/// Updates of client `a`; the first line of the first is line 3, that of the second line 6.
fn twice(first: &str, second: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\n{first}\n[[update]]\nclient_id = \"a\"\n{second}\n")
}

fn assert_names_both_places(told: &str, what: &str) {
    assert!(told.starts_with("exit 64: "), "{what}: {told}");
    assert!(told.contains("job.toml:3:") && told.contains("job.toml:6:"), "{what}: {told}");
}

#[test]
fn a_selector_sees_the_state_read_and_not_what_another_update_leaves() {
    let job = "[[update]]\nclient_id = \"a\"\nset.name = \"Billing EU\"\n\
        [[update]]\nmatch = { name = \"Billing\" }\nset.sso = true\n";
    let told = world().plan("job.toml", job);
    assert_eq!(told, "a name \"Billing\" → \"Billing EU\"\na sso absent → true");
    let job = "[[update]]\nclient_id = \"a\"\nset.name = \"Shop\"\n\
        [[update]]\nmatch = { name = \"Shop\" }\nset.client_metadata.owner = \"web\"\n";
    let told = world().plan("job.toml", job);
    assert_eq!(told, "a name \"Billing\" → \"Shop\"\n- failed not_found");
}

#[test]
fn a_template_sees_the_state_read_and_not_what_another_update_leaves() {
    // The second note is "Billing" again only as long as the name is: such a job says that it is not for repeating.
    let job =
        twice("set.name = \"Billing EU\"", "set.client_metadata.was = \"{{ name }}\"\nrepeatable = false");
    assert_eq!(
        world().plan("job.toml", &job),
        "a name \"Billing\" → \"Billing EU\"\na client_metadata.was absent → \"Billing\""
    );
}

#[test]
fn an_expectation_sees_the_state_read_and_not_what_another_update_leaves() {
    let job = twice("set.name = \"Billing EU\"", "set.sso = true\nexpect.name = \"Billing\"");
    let told = world().plan("job.toml", &job);
    assert_eq!(told, "a name \"Billing\" → \"Billing EU\"\na sso absent → true");
    let job = twice("set.name = \"Billing EU\"", "set.sso = true\nexpect.name = \"Billing EU\"");
    assert_eq!(world().plan("job.toml", &job), "a conflict expect\na conflict expect");
}

#[test]
fn the_updates_of_one_client_become_one_patch() {
    let job = "[[update]]\nclient_id = \"a\"\nset.name = \"Billing EU\"\nset.client_metadata.tier = \"gold\"\n\
        [[update]]\nmatch = { name = \"Bill*\" }\nset.client_metadata.owner = \"identity\"\n";
    let sent = world().sent("job.toml", job);
    let body = json!({"name": "Billing EU", "client_metadata": {"tier": "gold", "owner": "identity"}});
    assert_eq!(sent, [("a".to_owned(), body)]);
}

#[test]
fn add_and_remove_of_several_updates_unite() {
    let job = twice("add.callbacks = [\"https://b.example\"]", "add.callbacks = [\"https://c.example\"]");
    assert_eq!(
        world().plan("job.toml", &job),
        r#"a callbacks ["https://a.example"] → ["https://a.example","https://b.example","https://c.example"]"#
    );
    let job = twice("remove.callbacks = [\"https://a.example\"]", "add.callbacks = [\"https://c.example\"]");
    assert_eq!(
        world().plan("job.toml", &job),
        r#"a callbacks ["https://a.example"] → ["https://c.example"]"#
    );
}

#[test]
fn one_item_may_be_added_or_removed_twice() {
    let add = "add.callbacks = [\"https://b.example\"]";
    assert_eq!(
        world().plan("job.toml", twice(add, add)),
        r#"a callbacks ["https://a.example"] → ["https://a.example","https://b.example"]"#
    );
    let remove = "remove.callbacks = [\"https://a.example\"]";
    assert_eq!(world().plan("job.toml", twice(remove, remove)), r#"a callbacks ["https://a.example"] → []"#);
}

#[test]
fn the_same_value_twice_is_fine() {
    let set = "set.name = \"Billing EU\"";
    assert_eq!(world().plan("job.toml", twice(set, set)), r#"a name "Billing" → "Billing EU""#);
    let unset = "unset = [\"client_metadata.owner\"]";
    assert_eq!(world().plan("job.toml", twice(unset, unset)), r#"a client_metadata.owner "web" → absent"#);
    let replace = "replace.client_metadata = { owner = \"web\" }";
    assert_eq!(world().plan("job.toml", twice(replace, replace)), "a unchanged\na unchanged");
}

#[test]
fn a_template_and_a_value_that_come_to_the_same_are_fine() {
    let job = twice("set.client_metadata.was = \"{{ name }}\"", "set.client_metadata.was = \"Billing\"");
    assert_eq!(world().plan("job.toml", &job), r#"a client_metadata.was absent → "Billing""#);
}

#[test]
fn lists_that_are_the_same_as_sets_are_the_same_value() {
    let job = twice(
        "set.grant_types = [\"implicit\", \"refresh_token\"]",
        "set.grant_types = [\"refresh_token\", \"implicit\"]",
    );
    assert_eq!(world().plan("job.toml", &job), r#"a grant_types absent → ["implicit","refresh_token"]"#);
}

#[test]
fn different_values_are_an_error_that_names_both_places() {
    let job = twice("set.name = \"Billing EU\"", "set.name = \"Billing US\"");
    assert_names_both_places(&world().plan("job.toml", &job), "two names");
}

#[test]
fn templates_that_come_to_different_values_are_an_error_that_names_both_places() {
    let job = twice("set.client_metadata.was = \"{{ name }}\"", "set.client_metadata.was = \"Shop\"");
    assert_names_both_places(&world().plan("job.toml", &job), "two notes");
}

#[test]
fn a_client_that_two_selectors_fit_is_held_to_one_value_as_well() {
    let job = "[[update]]\nmatch = { name = \"Bill*\" }\nset.sso = true\n\
        [[update]]\nwhere = \"description == 'Old'\"\nset.sso = false\n";
    assert_names_both_places(&world().plan("job.toml", job), "by pattern and by expression");
}

#[test]
fn set_beside_another_operation_on_the_same_or_an_enclosing_path_is_an_error_that_names_both_places() {
    for (first, second) in [
        ("set.client_metadata.owner = \"x\"", "replace.client_metadata = { tier = \"y\" }"),
        ("set.client_metadata.owner = \"x\"", "replace.client_metadata = { owner = \"x\" }"),
        ("set.description = \"x\"", "unset = [\"description\"]"),
        ("set.client_metadata.owner = \"x\"", "unset = [\"client_metadata\"]"),
        ("set.callbacks = [\"https://b.example\"]", "add.callbacks = [\"https://c.example\"]"),
        ("set.callbacks = [\"https://b.example\"]", "remove.callbacks = [\"https://a.example\"]"),
        (
            "add.oidc_logout.backchannel_logout_urls = [\"https://b.example\"]",
            "replace.oidc_logout = { backchannel_logout_urls = [\"https://c.example\"] }",
        ),
    ] {
        let told = world().plan("job.toml", twice(first, second));
        assert_names_both_places(&told, &format!("{first} beside {second}"));
        let told = world().plan("job.toml", twice(second, first));
        assert_names_both_places(&told, &format!("{second} beside {first}"));
    }
}

#[test]
fn set_beside_another_operation_on_the_same_path_is_an_error_within_one_update_too() {
    for lines in [
        "set.callbacks = [\"https://b.example\"]\nadd.callbacks = [\"https://c.example\"]",
        "set.client_metadata.owner = \"x\"\nreplace.client_metadata = { tier = \"y\" }",
        "set.description = \"x\"\nunset = [\"description\"]",
    ] {
        let told = world().plan("job.toml", format!("[[update]]\nclient_id = \"a\"\n{lines}\n"));
        assert!(told.starts_with("exit 64: "), "{lines}: {told}");
        assert!(told.contains("job.toml:3:") && told.contains("job.toml:4:"), "{lines}: {told}");
    }
}

#[test]
fn adding_and_removing_one_item_is_an_error_that_names_both_places() {
    let job = twice("add.callbacks = [\"https://b.example\"]", "remove.callbacks = [\"https://b.example\"]");
    assert_names_both_places(&world().plan("job.toml", &job), "one item");
}

#[test]
fn rows_of_csv_that_contradict_each_other_are_an_error_that_names_both_places() {
    let told = world().plan("job.csv", "client_id,name\na,Billing EU\na,Billing US\n");
    assert!(told.starts_with("exit 64: "), "{told}");
    assert!(told.contains("job.csv:2:") && told.contains("job.csv:3:"), "{told}");
}

#[test]
fn a_conflict_of_one_update_withholds_what_others_ask_of_that_client() {
    let job = twice("set.name = \"Billing EU\"\nexpect.name = \"Invoices\"", "set.sso = true");
    assert_eq!(world().plan("job.toml", &job), "a conflict expect\na conflict expect");
    assert_eq!(world().sent("job.toml", &job), Vec::<(String, Value)>::new());
}
