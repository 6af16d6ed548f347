use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::catalogue::default_kind;
use crate::model::{Body, Domain};

fn body(value: Value) -> Body {
    serde_json::from_value(value).unwrap()
}

fn scope(client: Value) -> Scope {
    let domain = Domain::parse("acme-dev.eu.auth0.com").unwrap();
    let vars = body(json!({"host": "dev.acme.example", "n": 3}));
    let env = BTreeMap::from([("REGION".to_owned(), "EU".to_owned())]);
    let tenant = TenantScope::new(&"dev".into(), Some(&domain), &Body::new(), vars, env);
    let columns = Arc::new(vec!["App ID".to_owned(), "new_name".to_owned(), "empty".to_owned()]);
    let row = RowCells { columns, cells: csv::StringRecord::from(vec!["a1", " Shop ", ""]), number: 7 };
    Scope::of_tenant(&Arc::new(tenant), Some(&Arc::new(row)))
        .with_client(&Arc::new(body(client)), default_kind())
}

fn client() -> Value {
    json!({"client_id": "a1", "name": "acme-shop-dev", "callbacks": ["https://a.example", "http://localhost:3000"],
        "client_metadata": {"team": "billing", "a-b": "x"}, "sso": true, "tenant": "acme",
        "refresh_token": {"leeway": 7, "rotation_type": "rotating"}})
}

fn render(text: &str) -> Result<Rendered, RenderFault> {
    Template::parse(text, default_kind())
        .unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
        .render(&scope(client()))
}

fn value(text: &str) -> Value {
    match render(text) {
        Ok(Rendered::Value(value)) => value,
        other => panic!("{text}: {other:?}"),
    }
}

fn holds(text: &str) -> bool {
    let expression =
        Expression::parse(text, default_kind()).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
    expression.holds(&scope(client())).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
}

fn fault(text: &str) -> String {
    let fault = render(text).expect_err(text);
    format!("{} ({})", fault.what, fault.help.unwrap_or_default())
}

fn wrong(text: &str) -> String {
    let wrong = Template::parse(text, default_kind()).expect_err(text);
    let one = |wrong: &Wrong| {
        format!("{}: {} ({})", &text[wrong.at.clone()], wrong.what, wrong.help.clone().unwrap_or_default())
    };
    wrong.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_value_that_is_one_whole_expression_keeps_its_type() {
    assert_eq!(value("{{ refresh_token.leeway }}"), json!(7));
    assert_eq!(value("{{ sso }}"), json!(true));
    assert_eq!(value("{{ vars.n }}"), json!(3));
    assert_eq!(value("{{ callbacks }}"), client()["callbacks"]);
    assert_eq!(value("{{ client_metadata }}"), client()["client_metadata"]);
    assert_eq!(
        value("{{ callbacks | reject('startingwith', 'http://localhost') | list }}"),
        json!(["https://a.example"])
    );
    assert_eq!(value("{{ 6 / 2 }}"), json!(3));
    assert_eq!(value("{{ {'a': [1, none]} }}"), json!({"a": [1, null]}));
}

#[test]
fn text_around_an_expression_makes_it_text() {
    assert_eq!(value("{{ name | removesuffix('-dev') }}-staging"), json!("acme-shop-staging"));
    assert_eq!(value("n={{ refresh_token.leeway }} {{ sso }}"), json!("n=7 true"));
    assert_eq!(value("{{ tenant.name }}.{{ tenant.domain }}"), json!("dev.acme-dev.eu.auth0.com"));
    assert_eq!(value("{{ client.tenant }}/{{ env('REGION') }}"), json!("acme/EU"));
    assert_eq!(
        value("{{ name | regex_replace('^(\\\\w+)-(\\\\w+)-.*$', '$2 of $1') }}"),
        json!("shop of acme")
    );
    assert_eq!(
        value("{% if sso %}{{ name | removeprefix('acme-') }}{% else %}-{% endif %}\n"),
        json!("shop-dev\n")
    );
    assert_eq!(value("a{# not seen #}b{% raw %}{{ x }}{% endraw %}"), json!("ab{{ x }}"));
    assert!(fault("all: {{ callbacks }}").contains("join"));
}

#[test]
fn what_a_client_lacks_is_none_and_so_is_all_below_it() {
    for text in [
        "description is none",
        "description == none",
        "client_metadata.owner == none",
        "client_metadata['owner'] is none",
        "native_social_login.apple.enabled is none",
        "native_social_login.apple.enabled == none",
        "client.native_social_login == none and not native_social_login",
        "client_metadata.team != none and client_metadata is not none",
        "'team' in client_metadata and 'owner' not in client_metadata",
        "'x' not in web_origins",
        "client_metadata['a-b'] == 'x'",
        "name is matching('^acme-.*-dev$')",
        "description is not matching('x')",
        "client_metadata | length == 2 and (client_metadata | items | list | length) == 2",
        "description is not defined and name is defined and client_metadata.owner is undefined",
        "callbacks != web_origins and callbacks == callbacks and not (client_metadata == web_origins)",
        "not (par_request_expiry > 5) and not (par_request_expiry < 5) and not (5 < par_request_expiry)",
        "not ('5' > client_metadata.n) and not (client_metadata.n >= 'a') and not (client_metadata['n'] <= 'a')",
        "refresh_token.leeway > 5 and 5 < refresh_token.leeway and refresh_token.leeway <= 7",
        "par_request_expiry is not gt(5) and par_request_expiry is not lt(5) and refresh_token.leeway is gt(5)",
        "description is not startingwith('x') and description is not endingwith('x')",
        r"name is matching('\bshop\b')",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in
        ["description == 'x'", "description", "client_metadata.owner.x == 'y'", "native_social_login.apple"]
    {
        let expression = Expression::compile(text, 0).unwrap();
        assert_eq!(expression.holds(&scope(client())), Ok(false), "{text}");
    }
}

#[test]
fn none_is_never_made_text_of() {
    for text in [
        "x {{ description }}",
        "{{ description | upper }}",
        "{{ description ~ 'x' }}",
        "{% if 1 %}{{ description }}{% endif %}",
    ] {
        assert!(fault(text).contains("`description` is none"), "{text}: {}", fault(text));
    }
    assert_eq!(value("x{{ description | default('') }}y"), json!("xy"));
    assert_eq!(value("{{ description | d('y') }}"), json!("y"));
    assert_eq!(render("{{ description }}"), Ok(Rendered::Nothing { of: Some("description".into()) }));
    assert_eq!(render("{{ description | default(none) }}"), Ok(Rendered::Nothing { of: None }));
    assert_eq!(render("{{ none if sso else name }}"), Ok(Rendered::Nothing { of: None }));
}

#[test]
fn a_name_that_does_not_exist_is_an_error_even_where_it_is_only_compared() {
    assert!(fault("{{ vars.hots }}").contains("there is no `vars.hots` (did you mean `vars.host`?)"));
    assert!(fault("{{ 1 if vars.nowhere == 'x' else 2 }}").contains("--var nowhere=…"));
    assert!(fault("{{ row['App Id'] }}").contains("did you mean `row['App ID']`?"));
    assert!(fault("{{ tenant.nmae }}").contains("did you mean `tenant.name`?"));
    assert!(fault("{{ env('SECRET') }}").contains("--allow-env SECRET"));
    assert_eq!(value("{{ vars.hots | default('x') }}"), json!("x"));
    assert_eq!(value("{{ vars.hots is defined }}"), json!(false));
}

#[test]
fn a_replacement_that_would_fill_the_memory_is_refused_and_others_are_as_the_regex_crate_makes_them() {
    for code in [
        "('x' * 1000000) | regex_replace('x', 'y' * 1000000)",
        "('x' * 1000000) | regex_replace('.*', '$0' * 900000)",
        "('x' * 1000) | regex_replace('', 'x' * 1000) | regex_replace('x', 'x' * 1000) | regex_replace('x', 'x' * 1000)",
    ] {
        let told = fault(&format!("{{{{ {code} }}}}"));
        assert!(told.contains("of more than 2000000 bytes"), "{code}: {told}");
    }
    for (text, pattern, with) in [
        ("abc", "", "-"),
        ("aXbXc", "X", "$0$0"),
        ("äöü", "(.)", "<$1>"),
        ("abc", "z", "y"),
        ("a-b", "(?P<l>.)-(.)", "$2-${l}"),
    ] {
        let code = format!("{{{{ {text:?} | regex_replace({pattern:?}, {with:?}) }}}}");
        let expected = regex::Regex::new(pattern).unwrap().replace_all(text, with).into_owned();
        assert_eq!(value(&code), json!(expected), "{code}");
    }
}

#[test]
fn a_mistake_is_placed_in_the_text_as_it_was_written() {
    let kind = default_kind();
    for text in [
        "{% set x = name %}{{ f(x.n)>}}",
        "{{ name > }}",
        "{% if a > b > %}x{% endif %}",
        "{{ 'a' < b) < }}",
        "a{{ x >> y }}b",
    ] {
        for wrong in Template::parse(text, kind).unwrap_err() {
            assert!(wrong.at.start < wrong.at.end && wrong.at.end <= text.len(), "{text}: {wrong:?}");
        }
    }
}

#[test]
fn what_stands_in_place_of_a_secret_is_none_to_a_template() {
    let client = json!({"client_id": "a1", "name": "x", "addons": {"azure_sb": {"sasKey": crate::catalogue::SECRET_MARKER}}});
    let rendered = |text: &str| Template::parse(text, default_kind()).unwrap().render(&scope(client.clone()));
    assert_eq!(rendered("{{ addons.azure_sb }}"), Ok(Rendered::Value(json!({}))));
    assert_eq!(rendered("{{ addons.azure_sb | items | list }}"), Ok(Rendered::Value(json!([]))));
    assert!(wrong("{{ addons.azure_sb.sasKey }}").contains("is a secret"));
}

#[test]
fn an_empty_cell_inside_longer_text_is_an_error_with_its_row() {
    assert!(fault("https://{{ row.empty }}/cb").contains("row 7"));
    assert_eq!(value("{{ row.new_name | trim }}!"), json!("Shop!"));
    assert_eq!(value("Shop{{ ' ' ~ row.empty if row.empty else '' }}"), json!("Shop"));
    assert_eq!(value("Shop{% if row.empty %} {{ row.empty }}{% endif %}"), json!("Shop"));
    assert_eq!(value("{{ row.empty }}"), json!(""));
    assert!(Template::parse("{{ row.new_name | trim }}", default_kind()).unwrap().is_row_value());
    assert!(!Template::parse("{{ name ~ row.x }}", default_kind()).unwrap().is_row_value());
}

#[test]
fn mistakes_that_need_no_client_are_found_without_one() {
    for (text, words) in [
        ("a {{ nmae }}", "nmae: there is no field `nmae` (did you mean `name`?)"),
        ("{{ refresh_token.leway }}", "did you mean `refresh_token.leeway`?"),
        ("{{ client.refresh_token.leway }}", "refresh_token.leway: "),
        ("{{ name.upper() }}", "`name` is text and has no `.upper`"),
        ("{{ name | uper }}", "uper: there is no filter `uper` (did you mean `upper`?)"),
        ("{{ name is startswith('x') }}", "there is no test `startswith` (did you mean `startingwith`?)"),
        ("{{ name is matching('(') }}", "no regular expression"),
        ("x {{ name", "{{: `{{` is opened and never closed"),
        ("{{ name + }}", "not a valid expression"),
        ("{% if sso %}x", "not a valid expression"),
        ("{{ name == 'Billing' && sso }}", "&: not a valid expression: `&` means nothing here (write `and`)"),
        ("x{{ name == 'Billing' || sso }}", "|: not a valid expression: `|` means nothing here (write `or`)"),
        ("{{ 'Billing' ; x }}", ";: "),
        ("{{ 'Billing' 5x }}", "not a valid expression"),
        ("{% if name == 'x' && sso %}{% endif %}", "(write `and`)"),
        ("{{ !sso }}", "(write `not`)"),
        (
            "{{ client_metadata.level > 6 }}",
            "6: `client_metadata.level` is text, and 6 is not (write `client_metadata.level | int`",
        ),
        ("{{ 1 if 30 <= client.client_metadata.level else 2 }}", "30: "),
        ("{{ refresh_token.leeway == '30' }}", "'30': `refresh_token.leeway` is a number"),
        ("{% if sso == 'true' %}{% endif %}", "(write `sso`, or `not sso`)"),
        ("{{ client_secret is none }}", "client_secret: `client_secret` is a secret"),
    ] {
        assert!(wrong(text).contains(words), "{text}: {}", wrong(text));
    }
    assert!(Template::parse("{{ brand_new_thing }}", default_kind()).is_ok(), "a later field, perhaps");
    let assigned = Expression::parse("name = 'x'", default_kind()).unwrap_err();
    assert!(assigned[0].help.as_ref().is_some_and(|help| help.contains("`==`")), "{assigned:?}");
}

#[test]
fn a_group_that_is_not_in_the_pattern_is_no_empty_text() {
    let told = fault("{{ name | regex_replace('^(.*)-dev$', '$1_staging') }}");
    assert!(told.contains("no group `1_staging`") && told.contains("${1}"), "{told}");
    assert_eq!(value("{{ name | regex_replace('^(.*)-dev$', '${1}_staging') }}"), json!("acme-shop_staging"));
}

#[test]
fn a_filter_that_takes_no_none_names_the_path_that_is_none() {
    assert!(fault("{{ description | int }}").contains("`description` is none"));
}

#[test]
fn a_template_that_goes_on_and_on_is_an_error() {
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
    assert!(fault(endless).contains("too many steps"), "{}", fault(endless));
}

#[test]
fn stars_that_an_expression_inserts_into_a_pattern_are_literal() {
    let template = Template::parse("{{ vars.star }}-*", default_kind()).unwrap();
    let vars = body(json!({"star": "a*b"}));
    let tenant = TenantScope::new(&"dev".into(), None, &Body::new(), vars, BTreeMap::new());
    let pattern = template.pattern(&Scope::of_tenant(&Arc::new(tenant), None)).unwrap();
    assert_eq!(pattern.to_string(), r"a\*b-*");
}

#[test]
fn any_text_can_be_written_as_a_template_of_itself() {
    for text in ["plain", "{{ x }}", "{% endraw %} {{", "a {# b", "{{\"\\\n\r'}} endraw", "{%", "x}}{{"] {
        assert_eq!(value_of(&escaped(text)), json!(text), "{text:?} as {:?}", escaped(text));
    }
}

fn value_of(text: &str) -> Value {
    if is_template(text) { value(text) } else { json!(text) }
}
