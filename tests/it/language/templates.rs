//! Which texts are templates, and what is in their scope.

use serde_json::{Value, json};

use super::{World, check};

fn client() -> Value {
    json!({"client_id": "a", "name": "acme-shop", "tenant": "acme", "app_type": "spa"})
}

fn world() -> World {
    World::new(Value::Array(vec![client()]))
}

fn job(template: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\nset.client_metadata.note = \"{template}\"\n")
}

/// What a plan says whose template came to this text.
fn noted(text: &str) -> String {
    format!("a client_metadata.note absent → {}", Value::from(text))
}

#[test]
fn a_text_of_a_toml_job_is_a_template() {
    assert_eq!(world().plan("job.toml", job("shop {{ name }}!")), noted("shop acme-shop!"));
}

#[test]
fn texts_in_every_operation_are_templates() {
    let world =
        World::new(json!([{"client_id": "a", "name": "Old", "web_origins": ["https://x.dev.example"],
        "client_metadata": {"owner": "web"}}]))
        .vars(json!({"host": "dev.example", "old": "Old"}));
    let job = r#"[[update]]
client_id = "a"
add.callbacks = ["https://{{ vars.host }}/cb"]
remove.web_origins = ["https://x.{{ vars.host }}"]
replace.client_metadata = { owner = "{{ vars.host }}" }
set.name = "New"
expect.name = "{{ vars.old }}"
"#;
    let body = json!({
        "callbacks": ["https://dev.example/cb"], "web_origins": [], "name": "New",
        "client_metadata": {"owner": "dev.example"},
    });
    assert_eq!(world.sent("job.toml", job), [("a".to_owned(), body)]);
}

#[test]
fn selectors_may_be_templates() {
    let world = || world().vars(json!({"id": "a", "name": "acme-shop"}));
    for select in ["client_id = \"{{ vars.id }}\"", "match = { name = \"{{ vars.name }}\" }"] {
        let told = world().plan("job.toml", format!("[[update]]\n{select}\nset.sso = true\n"));
        assert_eq!(told, "a sso absent → true", "{select}");
    }
}

#[test]
fn a_selector_sees_no_field_since_no_client_is_chosen_yet() {
    for select in [
        "client_id = \"{{ name }}\"",
        "match = { name = \"{{ app_type }}\" }",
        "client_id = \"{{ client.name }}\"",
    ] {
        let told = check("job.toml", format!("[[update]]\n{select}\nset.sso = true\n"));
        assert!(told.contains("job.toml:2:"), "{select}: {told}");
    }
}

#[test]
fn a_star_that_match_writes_is_a_star_and_one_that_an_expression_inserts_is_not() {
    let world = || {
        World::new(json!([{"client_id": "a", "name": "acme*-x"}, {"client_id": "b", "name": "acme-x"}]))
            .vars(json!({"start": "acme*"}))
    };
    let job = |pattern: &str| format!("[[update]]\nmatch = {{ name = \"{pattern}\" }}\nset.sso = true\n");
    assert_eq!(world().plan("job.toml", job("{{ vars.start }}*")), "a sso absent → true");
    // Without a star of its own it is an exact name.
    assert_eq!(world().plan("job.toml", job("{{ vars.start }}")), "- failed not_found");
    assert_eq!(world().plan("job.toml", job("{{ vars.start }}-x")), "a sso absent → true");
}

#[test]
fn a_cell_of_csv_is_never_evaluated() {
    let told = world().plan("job.csv", "client_id,description\na,{{ name }}\n");
    assert_eq!(told, r#"a description absent → "{{ name }}""#);
}

#[test]
fn a_text_of_a_json_job_is_never_evaluated() {
    let world = World::new(json!([{"client_id": "a", "name": "Billing", "description": "Old text"}]));
    let file = world.get("json").replace("Old text", "{{ name }}");
    assert_eq!(world.plan("all.json", &file), r#"a description "Old text" → "{{ name }}""#);
}

#[test]
fn values_of_variables_are_never_evaluated() {
    let job = format!("[vars]\ntext = \"{{{{ name }}}}\"\n{}", job("{{ vars.text }}"));
    assert_eq!(world().plan("job.toml", &job), noted("{{ name }}"));
}

#[test]
fn a_name_of_a_job_and_the_paths_of_unset_are_no_templates() {
    let job = "name = \"{{ x }}\"\n[[update]]\nclient_id = \"a\"\nset.sso = true\n";
    assert_eq!(check("job.toml", job), "ok");
    assert_ne!(check("job.toml", "[[update]]\nclient_id = \"a\"\nunset = [\"{{ 'description' }}\"]\n"), "ok");
}

#[test]
fn fields_of_the_client_are_in_scope_and_again_below_client() {
    assert_eq!(world().plan("job.toml", job("{{ name }} {{ client.name }}")), noted("acme-shop acme-shop"));
}

#[test]
fn the_variables_of_the_job_are_in_scope() {
    let job = format!("[vars]\nregion = \"EU\"\n{}", job("{{ vars.region }}"));
    assert_eq!(world().plan("job.toml", &job), noted("EU"));
}

#[test]
fn variables_of_the_tenant_go_before_those_of_the_job_and_the_command_line_before_both() {
    let job = format!("[vars]\nregion = \"job\"\n{}", job("{{ vars.region }}"));
    assert_eq!(world().vars(json!({"region": "tenant"})).plan("job.toml", &job), noted("tenant"));
    let all = world().vars(json!({"region": "tenant"})).var("region", "flag");
    assert_eq!(all.plan("job.toml", &job), noted("flag"));
}

#[test]
fn variables_of_the_command_line_are_texts() {
    let job = |value: &str| {
        format!("[[update]]\nclient_id = \"a\"\nset.jwt_configuration.lifetime_in_seconds = \"{value}\"\n")
    };
    let told = world().var("n", "7").plan("job.toml", job("{{ vars.n | int }}"));
    assert_eq!(told, "a jwt_configuration.lifetime_in_seconds absent → 7");
    let told = world().var("n", "7").plan("job.toml", job("{{ vars.n }}"));
    assert!(told.starts_with("exit ") && told.contains("lifetime_in_seconds"), "{told}");
}

#[test]
fn a_variable_that_nobody_sets_is_an_error_with_its_near_miss() {
    let job = format!("[vars]\nregion = \"EU\"\n{}", job("{{ vars.regoin }}"));
    let told = world().plan("job.toml", &job);
    assert!(told.starts_with("exit ") && told.contains("regoin") && told.contains("region"), "{told}");
}

#[test]
fn a_variable_may_be_asked_for_that_nobody_sets() {
    assert_eq!(world().plan("job.toml", job("{{ vars.region | default('EU') }}")), noted("EU"));
    let asked = job("{{ 'set' if vars.region is defined else 'unset' }}");
    assert_eq!(world().plan("job.toml", &asked), noted("unset"));
}

#[test]
fn the_tenant_is_in_scope_with_name_domain_and_tags() {
    let told = world().tenant("dev").plan("job.toml", job("{{ tenant.name }} {{ tenant.domain }}"));
    assert_eq!(told, noted("dev dev.example.com"));
    let told = world().plan("job.toml", job("{{ 'tagged' if 'eu' in tenant.tags else 'not tagged' }}"));
    assert_eq!(told, noted("not tagged"));
}

#[test]
fn the_environment_is_in_scope_only_where_the_name_was_allowed() {
    let told = world().allow_env("REGION", "EU").plan("job.toml", job("{{ env('REGION') }}"));
    assert_eq!(told, noted("EU"));
    let told = world().allow_env("OTHER", "x").plan("job.toml", job("{{ env('REGION') }}"));
    assert!(told.starts_with("exit ") && told.contains("REGION"), "{told}");
    assert!(told.contains("--allow-env"), "{told}");
}

#[test]
fn a_credential_is_never_taken_from_the_environment() {
    let told = world()
        .allow_env("AUTH0_CLIENT_SECRET", "s3cret")
        .plan("job.toml", job("{{ env('AUTH0_CLIENT_SECRET') }}"));
    assert!(told.starts_with("exit ") && !told.contains("s3cret"), "{told}");
}

#[test]
fn a_field_with_a_reserved_name_is_reached_below_client_alone() {
    assert_eq!(
        world().plan("job.toml", job("{{ client.tenant }} in {{ tenant.name }}")),
        noted("acme in dev")
    );
}

#[test]
fn a_field_misspelt_in_a_template_is_found_offline_with_its_near_miss() {
    for (template, near) in [("{{ nmae }}", "name"), ("{{ refresh_token.leewya }}", "refresh_token.leeway")] {
        let told = check("job.toml", job(template));
        assert!(told.contains("job.toml:3:") && told.contains(near), "{template}: {told}");
    }
}

#[test]
fn a_root_name_that_is_neither_known_nor_in_any_client_read_is_an_error() {
    let told = world().plan("job.toml", job("{{ 'x' if quite_new == 1 else 'y' }}"));
    assert!(told.starts_with("exit ") && told.contains("quite_new"), "{told}");
}

#[test]
fn a_root_name_that_some_client_read_has_is_none_for_the_others() {
    let world = World::new(json!([
        {"client_id": "a", "name": "x-1"}, {"client_id": "b", "name": "x-2", "quite_new": 1},
    ]));
    let job = "[[update]]\nwhere = \"quite_new is none\"\nset.sso = true\n\
        [[update]]\nwhere = \"quite_new == 1\"\nset.description = \"x\"\n";
    assert_eq!(world.plan("job.toml", job), "a sso absent → true\nb description absent → \"x\"");
}
