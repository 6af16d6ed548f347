//! What templates can do beyond printing a field: filters, tests, blocks, raw text.

use serde_json::{Value, json};

use super::{World, check};

fn world() -> World {
    World::new(json!([{"client_id": "a", "name": "acme-shop-dev", "sso": true}]))
}

fn job(template: &str) -> String {
    format!("[[update]]\nclient_id = \"a\"\nset.client_metadata.note = \"{template}\"\n")
}

fn note(template: &str) -> String {
    world().plan("job.toml", job(template))
}

fn noted(text: &str) -> String {
    format!("a client_metadata.note absent → {}", Value::from(text))
}

#[test]
fn the_filters_of_minijinja_are_there() {
    assert_eq!(note("{{ name | upper }}"), noted("ACME-SHOP-DEV"));
    assert_eq!(note("{{ name | replace('-', ' ') | title }}"), noted("Acme Shop Dev"));
}

#[test]
fn regex_replace_replaces_every_match() {
    assert_eq!(note("{{ name | regex_replace('-dev$', '-staging') }}"), noted("acme-shop-staging"));
    assert_eq!(note("{{ name | regex_replace('[aeo]', '.') }}"), noted(".cm.-sh.p-d.v"));
}

#[test]
fn removeprefix_takes_a_prefix_off_where_it_is() {
    assert_eq!(note("{{ name | removeprefix('acme-') }}"), noted("shop-dev"));
    assert_eq!(note("{{ name | removeprefix('shop-') }}"), noted("acme-shop-dev"));
}

#[test]
fn removesuffix_takes_a_suffix_off_where_it_is() {
    assert_eq!(note("{{ name | removesuffix('-dev') }}"), noted("acme-shop"));
    assert_eq!(note("{{ name | removesuffix('-shop') }}"), noted("acme-shop-dev"));
}

#[test]
fn matching_tests_text_against_a_regular_expression() {
    assert_eq!(note("{{ 'y' if name is matching('^acme-[a-z]+-dev$') else 'n' }}"), noted("y"));
    assert_eq!(note("{{ 'y' if name is matching('^acme-[0-9]+$') else 'n' }}"), noted("n"));
    let job = "[[update]]\nwhere = \"name is matching('-dev$')\"\nset.sso = false\n";
    assert_eq!(world().plan("job.toml", job), "a sso true → false");
}

#[test]
fn blocks_choose_between_texts() {
    assert_eq!(note("{% if sso %}with{% else %}without{% endif %} sso"), noted("with sso"));
}

#[test]
fn comments_of_templates_are_left_out() {
    assert_eq!(note("a{# not seen #}b"), noted("ab"));
}

#[test]
fn a_raw_block_keeps_text_that_looks_like_a_template() {
    assert_eq!(note("{% raw %}{{ name }}{% endraw %}"), noted("{{ name }}"));
}

#[test]
fn a_template_that_cannot_be_read_is_shown_with_its_place() {
    for template in ["{{ name", "{{ name | }}", "{% if sso %}x"] {
        let told = check("job.toml", job(template));
        assert!(told.contains("job.toml:3:"), "{template}: {told}");
    }
}

#[test]
fn a_filter_or_test_that_does_not_exist_is_found_offline() {
    for template in ["{{ name | removesufix('-dev') }}", "{{ name is machting('x') }}"] {
        let told = check("job.toml", job(template));
        assert!(told.contains("job.toml:3:"), "{template}: {told}");
    }
}
