use super::{config, environment};
use crate::config::env::Environment;
use crate::config::file::Config;
use crate::config::select::{SelectError, Selected, select};

const TENANTS: &str = r#"
[tenants.dev]
domain = "acme-dev.eu.auth0.com"
token = { env = "DEV" }
vars = { host = "dev" }
[tenants.prod]
domain = "acme.eu.auth0.com"
audience = "urn:prod"
token = { env = "PROD" }
protected = true
[tenants.prod-read]
domain = "https://acme.eu.auth0.com/"
token = { env = "PROD_READ" }
[groups]
all = ["prod", "dev"]
"#;

fn tenants() -> Config {
    config(TENANTS).unwrap()
}

fn shell() -> Environment {
    environment(
        "AUTH0_DOMAIN=env.auth0.com AUTH0_CLIENT_ID=i AUTH0_CLIENT_SECRET=s AUTH0_AUDIENCE=urn:env",
        "",
    )
}

fn choose(
    names: &[&str],
    groups: &[&str],
    config: Option<&Config>,
    env: &Environment,
) -> Result<Vec<Selected>, SelectError> {
    let owned = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    select(&owned(names), &owned(groups), config, env)
}

fn names(selected: Result<Vec<Selected>, SelectError>) -> Vec<String> {
    selected.unwrap().iter().map(|one| one.tenant.to_string()).collect()
}

fn usage(selected: Result<Vec<Selected>, SelectError>) -> String {
    match selected {
        Err(error @ SelectError::Usage(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_name_takes_its_table_alone_and_nothing_of_the_environment() {
    let selected = choose(&["dev"], &[], Some(&tenants()), &shell()).unwrap();
    assert_eq!(selected[0].audience, "https://acme-dev.eu.auth0.com/api/v2/");
    assert_eq!(selected[0].origin, "patchwave.toml [tenants.dev]");
    assert_eq!(selected[0].vars["host"], "dev");
    assert!(!selected[0].protected);
    let broken = environment("AUTH0_DOMAIN=x.auth0.com CLIENT_ID=y", "");
    let prod = choose(&["prod"], &[], Some(&tenants()), &broken).unwrap();
    assert!(prod[0].protected);
    assert_eq!(prod[0].audience, "urn:prod");
}

#[test]
fn a_domain_finds_its_table_or_the_environments_tenant() {
    let tenants = tenants();
    assert_eq!(names(choose(&["https://ACME-dev.eu.auth0.com/"], &[], Some(&tenants), &shell())), ["dev"]);
    assert_eq!(names(choose(&["env.auth0.com"], &[], Some(&tenants), &shell())), ["env.auth0.com"]);
    assert_eq!(names(choose(&["env.auth0.com"], &[], None, &shell())), ["env.auth0.com"]);
    assert!(
        usage(choose(&["other.example.org"], &[], None, &shell()))
            .contains("unknown tenant `other.example.org`")
    );
}

#[test]
fn a_domain_of_two_tables_must_be_chosen_by_name() {
    let said = usage(choose(&["acme.eu.auth0.com"], &[], Some(&tenants()), &shell()));
    assert!(said.contains("acme.eu.auth0.com is the domain of several tenants: prod, prod-read"), "{said}");
}

#[test]
fn one_tenant_under_two_names_is_refused() {
    let said = usage(choose(&["prod", "prod-read"], &[], Some(&tenants()), &shell()));
    assert!(said.contains("prod, prod-read are all the tenant acme.eu.auth0.com"), "{said}");
    assert!(usage(choose(&["prod-read"], &["all"], Some(&tenants()), &shell())).contains("all the tenant"));
}

#[test]
fn the_order_is_kept_and_doubles_are_dropped() {
    let tenants = tenants();
    assert_eq!(names(choose(&["prod", "dev", "prod"], &[], Some(&tenants), &shell())), ["prod", "dev"]);
    assert_eq!(
        names(choose(&["dev", "acme-dev.eu.auth0.com"], &["all"], Some(&tenants), &shell())),
        ["dev", "prod"]
    );
    assert_eq!(names(choose(&[], &["all"], Some(&tenants), &shell())), ["prod", "dev"]);
}

#[test]
fn tenants_configured_and_none_chosen_is_refused_with_the_list() {
    let said = usage(choose(&[], &[], Some(&tenants()), &shell()));
    assert!(said.contains("no tenant chosen; patchwave.toml has: dev, prod, prod-read"), "{said}");
    assert!(said.contains("--tenant"), "{said}");
}

#[test]
fn without_configured_tenants_the_environments_is_taken_under_its_domain() {
    let empty = config("").unwrap();
    for config in [None, Some(&empty)] {
        let selected = choose(&[], &[], config, &shell()).unwrap();
        assert_eq!(selected[0].tenant.as_str(), "env.auth0.com");
        assert_eq!(selected[0].origin, "environment (AUTH0_*)");
        assert_eq!(selected[0].audience, "urn:env");
    }
}

#[test]
fn all_unknown_names_are_said_at_once_with_near_misses() {
    let said = usage(choose(&["prd", "nowhere at all"], &["al"], Some(&tenants()), &shell()));
    assert!(
        said.contains(
            "unknown tenant `prd` (did you mean `prod`? tenants: dev, prod, prod-read, env.auth0.com)"
        ),
        "{said}"
    );
    assert!(said.contains("unknown tenant `nowhere at all` (tenants: dev"), "{said}");
    assert!(said.contains("unknown group `al` (did you mean `all`? groups: all)"), "{said}");
    assert!(usage(choose(&[], &["x"], None, &shell())).contains("no groups are configured"));
}

const RINGS: &str = r#"
[tenants.a]
domain = "a.auth0.com"
token = { env = "T" }
tags = { ring = "rest", eu = true }
[tenants.b]
domain = "b.auth0.com"
token = { env = "T" }
tags = { ring = "canary", teams = ["shop", "web"] }
[tenants.c]
domain = "c.auth0.com"
token = { env = "T" }
[tenants.d]
domain = "d.auth0.com"
token = { env = "T" }
tags = { ring = "canary" }
[groups]
some = ["c", "d"]
"#;

#[test]
fn a_tag_takes_all_tenants_that_have_it_in_the_files_order_and_without_doubles() {
    let rings = config(RINGS).unwrap();
    let chosen = |words: &[&str], groups: &[&str]| names(choose(words, groups, Some(&rings), &shell()));
    assert_eq!(chosen(&["tag:ring=canary"], &[]), ["b", "d"]);
    assert_eq!(chosen(&["tag:eu=true"], &[]), ["a"]);
    assert_eq!(chosen(&["tag:teams=web"], &[]), ["b"]);
    assert_eq!(chosen(&["tag:ring"], &[]), ["a", "b", "d"]);
    assert_eq!(chosen(&["d", "tag:ring=canary", "a"], &["some"]), ["d", "b", "a", "c"]);
}

#[test]
fn a_tag_that_no_tenant_has_is_refused_with_those_that_there_are() {
    let rings = config(RINGS).unwrap();
    let said = usage(choose(&["tag:ring=canery", "tag:rng"], &[], Some(&rings), &shell()));
    assert!(
        said.contains(
            "no tenant has the tag of `tag:ring=canery` (did you mean `tag:ring=canary`? \
             tags: tag:eu=true, tag:ring=canary, tag:ring=rest, tag:teams=shop, tag:teams=web)"
        ),
        "{said}"
    );
    assert!(said.contains("`tag:rng`"), "{said}");
    assert!(usage(choose(&["tag:a=b"], &[], Some(&tenants()), &shell())).contains("no tenant has tags"));
    assert!(usage(choose(&["tag:a=b"], &[], None, &shell())).contains("no tenants are configured"));
}

#[test]
fn a_domain_whose_credentials_are_mixed_or_shadowed_is_a_configuration_error() {
    let mixed = environment("AUTH0_DOMAIN=a.auth0.com CLIENT_ID=x", "");
    let error = choose(&["a.auth0.com"], &[], Some(&tenants()), &mixed).unwrap_err();
    assert!(
        matches!(&error, SelectError::Configuration(_)) && error.to_string().contains("mixed"),
        "{error}"
    );
    let file = "CLIENT_DOMAIN=b.auth0.com\nCLIENT_ID=i\nCLIENT_SECRET=s\n";
    let shadowed = environment("AUTH0_DOMAIN=a.auth0.com AUTH0_CLIENT_ID=i AUTH0_CLIENT_SECRET=s", file);
    let error = choose(&["b.auth0.com"], &[], None, &shadowed).unwrap_err();
    assert!(matches!(&error, SelectError::Configuration(_)), "{error}");
    assert!(
        error
            .to_string()
            .contains("b.auth0.com are shadowed by those for a.auth0.com from environment (AUTH0_*)"),
        "{error}"
    );
}
