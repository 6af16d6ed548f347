//! Whom an update is about: `client_id`, `match` and `where`.

use serde_json::json;

use super::{World, check};

fn world() -> World {
    World::new(json!([
        {"client_id": "a", "name": "acme-shop-dev", "app_type": "spa", "client_metadata": {"owner": "web"}},
        {"client_id": "b", "name": "acme-blog-dev", "app_type": "native",
            "callbacks": ["https://blog.example/cb", "http://localhost:3000/cb"]},
        {"client_id": "c", "name": "acme-news", "app_type": "spa", "callbacks": ["https://news.example/cb"]},
    ]))
}

fn named(names: &[&str]) -> World {
    let ids = ["a", "b", "c"];
    let clients = names.iter().zip(ids).map(|(name, id)| json!({"client_id": id, "name": name}));
    World::new(clients.collect())
}

/// A job that sets `sso` of whom `select` names.
fn job(select: &str) -> String {
    format!("[[update]]\n{select}\nset.sso = true\n")
}

/// What such a job plans where it hits exactly these.
fn hits(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("{id} sso absent → true")).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_update_names_its_client_by_its_id() {
    assert_eq!(world().plan("job.toml", job(r#"client_id = "b""#)), hits(&["b"]));
}

#[test]
fn an_update_names_its_clients_by_match() {
    assert_eq!(world().plan("job.toml", job(r#"match = { app_type = "spa" }"#)), hits(&["a", "c"]));
}

#[test]
fn an_update_names_its_clients_by_an_expression() {
    assert_eq!(world().plan("job.toml", job(r#"where = "app_type == 'spa'""#)), hits(&["a", "c"]));
}

#[test]
fn match_and_where_together_mean_and() {
    let both = "match = { name = \"acme-*-dev\" }\nwhere = \"app_type == 'spa'\"";
    assert_eq!(world().plan("job.toml", job(both)), hits(&["a"]));
}

#[test]
fn a_client_id_stands_without_match_or_where() {
    for other in [r#"match = { name = "*" }"#, r#"where = "true""#] {
        let told = check("job.toml", job(&format!("client_id = \"a\"\n{other}")));
        assert!(told.contains("client_id"), "{other}: {told}");
    }
}

#[test]
fn the_kind_is_clients_unless_another_is_said() {
    assert_eq!(
        world().plan("job.toml", job("kind = \"clients\"\nclient_id = \"a\"")),
        world().plan("job.toml", job("client_id = \"a\""))
    );
    let told = check("job.toml", job("kind = \"conections\"\nclient_id = \"a\""));
    assert!(told.contains("no kind `conections`") && told.contains("did you mean `connections`?"), "{told}");
}

#[test]
fn match_takes_field_paths() {
    let told = world().plan("job.toml", job(r#"match = { client_metadata.owner = "web" }"#));
    assert_eq!(told, hits(&["a"]));
}

#[test]
fn a_star_in_match_is_any_run_of_characters_slashes_included() {
    let world = named(&["acme-a/b-dev", "acme--dev", "acme-dev"]);
    assert_eq!(world.plan("job.toml", job(r#"match = { name = "acme-*-dev" }"#)), hits(&["a", "b"]));
}

#[test]
fn a_star_alone_fits_every_client() {
    assert_eq!(world().plan("job.toml", job(r#"match = { name = "*" }"#)), hits(&["a", "b", "c"]));
}

#[test]
fn a_backslash_in_match_escapes_a_star_and_itself() {
    let world = named(&["5* hotel", "55 hotel", r"C:\*"]);
    assert_eq!(world.plan("job.toml", job(r"match = { name = '5\* hotel' }")), hits(&["a"]));
    assert_eq!(world.plan("job.toml", job(r"match = { name = 'C:\\\*' }")), hits(&["c"]));
    assert_eq!(world.plan("job.toml", job(r"match = { name = '5\* *' }")), hits(&["a"]));
}

#[test]
fn match_is_case_sensitive() {
    let world = named(&["Billing"]);
    assert!(world.plan("job.toml", job(r#"match = { name = "billing" }"#)).ends_with("- failed not_found"));
    assert!(world.plan("job.toml", job(r#"match = { name = "bill*" }"#)).ends_with("- skipped no_match"));
}

#[test]
fn match_on_a_list_needs_one_item_that_fits() {
    assert_eq!(world().plan("job.toml", job(r#"match = { callbacks = "http://localhost*" }"#)), hits(&["b"]));
}

#[test]
fn several_keys_of_match_mean_and() {
    let told = world().plan("job.toml", job(r#"match = { name = "acme-*-dev", app_type = "native" }"#));
    assert_eq!(told, hits(&["b"]));
}

#[test]
fn brackets_and_braces_in_match_are_plain_text() {
    let world = named(&["[DEV] Billing", "D Billing", "Shop {old}"]);
    assert_eq!(world.plan("job.toml", job(r#"match = { name = "[DEV] Billing" }"#)), hits(&["a"]));
    assert_eq!(world.plan("job.toml", job(r#"match = { name = "[DEV]*" }"#)), hits(&["a"]));
    assert_eq!(world.plan("job.toml", job(r#"match = { name = "Shop {old}" }"#)), hits(&["c"]));
}

#[test]
fn a_question_mark_in_match_is_plain_text() {
    let world = named(&["Shop?", "Shops"]);
    assert_eq!(world.plan("job.toml", job(r#"match = { name = "Shop?" }"#)), hits(&["a"]));
}

#[test]
fn a_match_cell_of_csv_is_literal() {
    let world = named(&["acme-x", "acme-*", r"acme-\*"]);
    assert_eq!(world.plan("job.csv", "match.name,sso\nacme-*,true\n"), hits(&["b"]));
    assert_eq!(world.plan("job.csv", "match.name,sso\nacme-\\*,true\n"), hits(&["c"]));
}

#[test]
fn a_where_sees_none_where_a_client_lacks_the_field() {
    assert_eq!(world().plan("job.toml", job(r#"where = "client_metadata.owner == 'web'""#)), hits(&["a"]));
    assert_eq!(world().plan("job.toml", job(r#"where = "client_metadata is none""#)), hits(&["b", "c"]));
}

#[test]
fn a_where_sees_the_variables_and_the_tenant() {
    let world = world().vars(json!({"team": "web"}));
    let told = world
        .plan("job.toml", job(r#"where = "client_metadata.owner == vars.team and tenant.name == 'dev'""#));
    assert_eq!(told, hits(&["a"]));
}

#[test]
fn a_where_is_an_expression_without_braces() {
    assert_ne!(check("job.toml", job(r#"where = "{{ app_type == 'spa' }}""#)), "ok");
}

#[test]
fn a_where_that_is_no_expression_is_shown_with_its_place() {
    let told = check("job.toml", job(r#"where = "app_type == ""#));
    assert!(told.contains("job.toml:2:"), "{told}");
}

#[test]
fn a_field_misspelt_in_where_is_found_offline_with_its_near_miss() {
    let told = check("job.toml", job(r#"where = "app_tpye == 'spa'""#));
    assert!(told.contains("app_tpye") && told.contains("`app_type`"), "{told}");
}
