//! What a client lacks is `none` in templates, and `none` is never printed by accident.

use serde_json::{Value, json};

use super::World;

/// What is planned for a client that has these fields beside id and name.
fn planned(fields: Value, lines: &str) -> String {
    let mut client = json!({"client_id": "abc1", "name": "Billing"});
    for (key, value) in fields.as_object().unwrap() {
        client[key] = value.clone();
    }
    let job = format!("[[update]]\nclient_id = \"abc1\"\n{lines}\n");
    World::new(Value::Array(vec![client])).plan("job.toml", &job)
}

/// The same, of a template whose outcome is a note.
fn note(fields: Value, template: &str) -> String {
    planned(fields, &format!("set.client_metadata.note = \"{template}\""))
}

fn noted(text: &str) -> String {
    format!("abc1 client_metadata.note absent → {}", Value::from(text))
}

#[test]
fn a_known_field_that_the_client_lacks_is_none() {
    assert_eq!(note(json!({}), "{{ 'none' if description is none else 'some' }}"), noted("none"));
    assert_eq!(note(json!({}), "{{ 'none' if description == none else 'some' }}"), noted("none"));
    let null = json!({"description": null});
    assert_eq!(note(null, "{{ 'none' if description is none else 'some' }}"), noted("none"));
}

#[test]
fn any_key_below_an_open_map_is_none_where_the_client_lacks_it() {
    let template = "{{ 'none' if client_metadata.team is none else 'some' }}";
    assert_eq!(note(json!({"client_metadata": {"owner": "web"}}), template), noted("none"));
    assert_eq!(note(json!({"client_metadata": {"team": "x"}}), template), noted("some"));
}

#[test]
fn a_client_without_metadata_is_no_error() {
    let template = "{{ 'none' if client_metadata.team is none else 'some' }}";
    assert_eq!(note(json!({}), template), noted("none"));
}

#[test]
fn anything_below_none_is_none() {
    assert_eq!(note(json!({}), "{{ 'none' if refresh_token.leeway is none else 'some' }}"), noted("none"));
    let template = "{{ 'none' if native_social_login.apple.enabled is none else 'some' }}";
    assert_eq!(note(json!({}), template), noted("none"));
    assert_eq!(note(json!({}), "{{ 'none' if client.addons.samlp is none else 'some' }}"), noted("none"));
}

#[test]
fn none_printed_inside_text_is_an_error_that_names_the_client() {
    let told = note(json!({}), "team {{ client_metadata.team }}");
    assert!(told.starts_with("exit ") && !told.contains('→'), "{told}");
    assert!(told.contains("abc1") && told.contains("client_metadata.team"), "{told}");
}

#[test]
fn none_given_to_a_filter_that_makes_text_of_it_is_an_error_that_names_the_client() {
    let told = note(json!({}), "{{ description | upper }}");
    assert!(told.starts_with("exit ") && told.contains("abc1") && told.contains("description"), "{told}");
}

#[test]
fn default_says_what_stands_in_text_instead_of_none() {
    assert_eq!(note(json!({}), "team {{ client_metadata.team | default('') }}"), noted("team "));
    assert_eq!(note(json!({}), "team {{ client_metadata.team | d('web') }}"), noted("team web"));
    let held = json!({"description": "ops"});
    assert_eq!(note(held, "team {{ description | default('web') }}"), noted("team ops"));
}

#[test]
fn one_client_of_many_that_lacks_the_field_is_named() {
    let world = World::new(json!([
        {"client_id": "abc1", "name": "x-1", "description": "d"}, {"client_id": "def2", "name": "x-2"},
    ]));
    let job =
        "[[update]]\nmatch = { name = \"x-*\" }\nset.client_metadata.note = \"about {{ description }}\"\n";
    let told = world.plan("job.toml", job);
    assert!(told.starts_with("exit ") && told.contains("def2") && !told.contains("abc1"), "{told}");
}

#[test]
fn a_whole_template_that_comes_to_none_does_not_empty_what_holds_something() {
    let held = json!({"client_metadata": {"owner": "web"}});
    let told = planned(held, "set.client_metadata.owner = \"{{ client_metadata.team }}\"");
    assert!(told.starts_with("exit ") && !told.contains('→'), "{told}");
    assert!(told.contains("abc1") && told.contains("client_metadata.team"), "{told}");
}

#[test]
fn a_whole_template_empties_where_it_says_that_none_is_meant() {
    for template in ["{{ client_metadata.team | default(none) }}", "{{ none }}"] {
        let held = json!({"client_metadata": {"owner": "web"}});
        let told = planned(held, &format!("set.client_metadata.owner = \"{template}\""));
        assert_eq!(told, r#"abc1 client_metadata.owner "web" → absent"#, "{template}");
    }
}

#[test]
fn a_whole_template_that_comes_to_none_leaves_an_empty_field_alone() {
    let told = planned(json!({}), "set.client_metadata.owner = \"{{ client_metadata.team }}\"");
    assert_eq!(told, "abc1 unchanged");
}
