use serde_json::json;

use super::{config, environment, lines, put};
use crate::config::file::load;
use crate::config::secrets::{CredentialSource, SecretSource};
use crate::model::{SigningAlgorithm, TenantName};

const GOOD: &str = r#"#:schema ./schema/config.schema.json
[tenants.dev]
domain = "https://Acme-dev.eu.auth0.com/"
client_id = "id-dev"
client_secret = { env = "DEV_SECRET" }
vars = { host = "dev.acme.example", ports = [1, 2.5], on = true }
[tenants.prod]
domain = "acme.eu.auth0.com"
audience = "urn:acme"
token = { command = "op read 'op://vault/prod/token'" }
protected = true
[tenants.stage]
domain = "acme-stage.eu.auth0.com"
client_id = "id-stage"
client_secret.file = "stage.secret"
[groups]
all = ["prod", "dev", "prod"]
"#;

#[test]
fn a_good_file_is_read_whole_and_in_order() {
    let config = config(GOOD).unwrap();
    let names: Vec<_> = config.tenants.keys().map(TenantName::as_str).collect();
    assert_eq!(names, ["dev", "prod", "stage"]);
    let dev = &config.tenants[&TenantName::from("dev")];
    assert_eq!(dev.domain.as_str(), "acme-dev.eu.auth0.com");
    assert_eq!(dev.origin, "patchwave.toml [tenants.dev]");
    assert_eq!(
        serde_json::Value::Object(dev.vars.clone()),
        json!({"host": "dev.acme.example", "ports": [1, 2.5], "on": true})
    );
    assert_eq!(
        dev.credential,
        CredentialSource::Client {
            client_id: "id-dev".into(),
            secret: SecretSource::Env("DEV_SECRET".into())
        }
    );
    let prod = &config.tenants[&TenantName::from("prod")];
    assert!(prod.protected && !dev.protected);
    assert_eq!(prod.audience.as_deref(), Some("urn:acme"));
    assert!(matches!(&prod.credential, CredentialSource::Token(SecretSource::Command(_))));
    let CredentialSource::Client { secret, .. } = &config.tenants[&TenantName::from("stage")].credential
    else {
        panic!()
    };
    assert_eq!(secret, &SecretSource::File("/etc/patchwave/stage.secret".into()));
    assert_eq!(config.groups["all"], [TenantName::from("prod"), TenantName::from("dev")]);
}

#[test]
fn variables_that_name_one_place_may_stand_for_a_secret_and_any_other_table_is_a_variable() {
    let vars = r#"vars = { a = { env = "A" }, b = { file = "b" }, c = { command = "c" }, d = { env = "not a name" }, e = { env = "A", file = "b" }, f = "A", g = { host = "x" } }"#;
    let text = format!(
        "[tenants.dev]\ndomain = \"d.auth0.com\"\nclient_id = \"i\"\nclient_secret = {{ env = \"S\" }}\n{vars}\n"
    );
    let config = config(&text).unwrap();
    let dev = &config.tenants[&TenantName::from("dev")];
    let places: Vec<_> = dev.secrets.iter().map(|(name, source)| (name.as_str(), source.clone())).collect();
    assert_eq!(dev.vars.len(), 7);
    assert_eq!(
        places,
        [
            ("a", SecretSource::Env("A".into())),
            ("b", SecretSource::File("/etc/patchwave/b".into())),
            ("c", SecretSource::Command("c".into())),
        ]
    );
}

#[test]
fn everything_wrong_with_a_file_is_said_at_once_with_place_and_remedy() {
    let text = r#"
tennants = 1
[tenants.dev]
domian = "x.auth0.com"
client_id = 7
client_secret = "s3cret"
protected = "yes"
[tenants.prod]
domain = "acme .com"
client_id = "a"
client_secret = { envv = "X" }
tags = { ring = "a" }
rate_share = "50"
[tenants.key]
domain = "k.auth0.com"
client_id = "a"
private_key = { file = "/k.pem" }
private_key_alg = "ES256"
[tenants."two words"]
domain = "t.auth0.com"
client_id = ""
client_secret = { env = "A", file = "b" }
[groups]
all = ["dev", "prd"]
none = []
odd = "dev"
"#;
    let said = lines(&config(text).unwrap_err());
    let expected = [
        "patchwave.toml:2:1: unknown key `tennants` in patchwave.toml (did you mean `tenants`?)",
        "patchwave.toml:3:10: tenant `dev` has no domain (",
        "patchwave.toml:4:1: unknown key `domian` in a tenant's table (did you mean `domain`?)",
        "patchwave.toml:5:1: `client_id` is an integer, but must be a string (",
        "patchwave.toml:6:1: `client_secret` is written into the file; a secret must come from elsewhere (write client_secret = { env = \"NAME\" }",
        "patchwave.toml:7:1: `protected` is a string, but must be true or false (",
        "patchwave.toml:9:10: `acme .com` is not a domain",
        "patchwave.toml:11:19: unknown key `envv` in `client_secret` (did you mean `env`?)",
        "patchwave.toml:13:14: `50` is no share of a rate limit (write \"50%\"",
        "patchwave.toml:18:1: `private_key_alg`: it is none of RS256, RS384 and PS256 (write that of",
        "patchwave.toml:19:10: `two words` cannot be a tenant's name (",
        "patchwave.toml:21:1: `client_id` is empty (",
        "patchwave.toml:22:1: `client_secret` has 2 sources, but needs one (",
        "patchwave.toml:24:15: group `all` names `prd`, which is no tenant of this file (did you mean `prod`?)",
        "patchwave.toml:25:1: group `none` has no members (",
        "patchwave.toml:26:1: `odd` is a string, but must be a list of names (",
    ];
    let got: Vec<_> = said.lines().collect();
    for (got, expected) in got.iter().zip(expected) {
        assert!(got.starts_with(expected), "\n got: {got}\nwant: {expected}");
    }
    assert_eq!(got.len(), expected.len(), "{said}");
}

#[test]
fn a_tenant_needs_its_credentials_in_its_own_table() {
    for (table, expected) in [
        ("domain = \"a.auth0.com\"", "has no client_id and no client_secret"),
        ("domain = \"a.auth0.com\"\nclient_id = \"i\"", "has no client_secret"),
        ("domain = \"a.auth0.com\"\nprivate_key = { file = \"k\" }", "has no client_id ("),
        (
            "domain = \"a.auth0.com\"\nclient_id = \"i\"\nprivate_key = { file = \"k\" }\nclient_secret = { env = \"S\" }",
            "has both client_secret and private_key (keep the one to be used)",
        ),
        (
            "domain = \"a.auth0.com\"\ntoken = { env = \"T\" }\nprivate_key = { file = \"k\" }",
            "has both token and private_key",
        ),
        (
            "domain = \"a.auth0.com\"\nclient_id = \"i\"\nclient_secret = { env = \"S\" }\nprivate_key_id = \"k\"",
            "has private_key_id, but no private_key",
        ),
        ("token = { env = \"T\" }", "has no domain"),
        (
            "domain = \"a.auth0.com\"\ntoken = { env = \"T\" }\nclient_secret = { env = \"S\" }",
            "has both token and",
        ),
    ] {
        let said = lines(&config(&format!("[tenants.a]\n{table}\n")).unwrap_err());
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn a_private_key_stands_with_its_algorithm_and_its_name() {
    let table =
        "[tenants.a]\ndomain = \"a.auth0.com\"\nclient_id = \"i\"\nprivate_key = { file = \"k.pem\" }\n";
    let credential = |more: &str| config(&format!("{table}{more}")).unwrap().tenants[0].credential.clone();
    let key = |algorithm, key_id: Option<&str>| CredentialSource::Key {
        client_id: "i".into(),
        key: SecretSource::File("/etc/patchwave/k.pem".into()),
        algorithm,
        key_id: key_id.map(str::to_owned),
    };
    assert_eq!(credential(""), key(SigningAlgorithm::Rs256, None));
    let more = "private_key_alg = \"PS256\"\nprivate_key_id = \"k1\"\n";
    assert_eq!(credential(more), key(SigningAlgorithm::Ps256, Some("k1")));
}

#[test]
fn a_group_may_name_tenants_by_tag() {
    let tenant = |name: &str, ring: &str| {
        format!(
            "[tenants.{name}]\ndomain = \"{name}.auth0.com\"\ntoken = {{ env = \"T\" }}\ntags = {{ ring = \"{ring}\" }}\n"
        )
    };
    let tenants = [tenant("a", "canary"), tenant("b", "rest"), tenant("c", "canary")].concat();
    let group = |members: &str| config(&format!("{tenants}[groups]\nsome = [{members}]\n"));
    let names = |members: &str| -> Vec<String> {
        group(members).unwrap().groups["some"].iter().map(ToString::to_string).collect()
    };
    assert_eq!(names("\"c\", \"tag:ring=canary\", \"b\""), ["c", "a", "b"]);
    let said = lines(&group("\"tag:ring=canery\"").unwrap_err());
    assert!(
        said.contains(
            "a tag that no tenant has (did you mean `tag:ring=canary`? tags: tag:ring=canary, tag:ring=rest)"
        ),
        "{said}"
    );
}

#[test]
fn a_file_that_is_no_toml_names_each_place() {
    let said = lines(&config("[tenants.dev]\ndomain = \"a\nclient_id = x\n").unwrap_err());
    let starts: Vec<_> = said.lines().map(|line| &line[..36]).collect();
    assert_eq!(
        starts,
        ["patchwave.toml:2:12: not valid TOML:", "patchwave.toml:3:13: not valid TOML:"],
        "{said}"
    );
}

#[test]
fn numbers_that_json_lacks_are_refused_in_vars() {
    let table = "domain = \"a.auth0.com\"\ntoken = { env = \"T\" }\n";
    for number in ["inf", "nan", "99999999999999999999"] {
        let said = lines(&config(&format!("[tenants.a]\n{table}vars = {{ n = {number} }}\n")).unwrap_err());
        assert!(said.contains("patchwave.toml:4:10: `n` holds a number that JSON does not have"), "{said}");
    }
}

#[test]
fn the_file_is_looked_for_here_then_in_the_users_configuration_unless_named() {
    let folder = tempfile::tempdir().unwrap();
    let (cwd, home) = (folder.path().join("work"), folder.path().join("home"));
    for dir in [&cwd, &home.join(".config/patchwave"), &folder.path().join("xdg/patchwave")] {
        std::fs::create_dir_all(dir).unwrap();
    }
    let with =
        |name: &str| format!("[tenants.{name}]\ndomain = \"{name}.auth0.com\"\ntoken = {{ env = \"T\" }}\n");
    let home_env = environment(&format!("HOME={}", home.display()), "XDG_CONFIG_HOME=/elsewhere\n");
    let xdg = folder.path().join("xdg");
    let xdg_env = environment(&format!("HOME={} XDG_CONFIG_HOME={}", home.display(), xdg.display()), "");
    let found = |path: Option<&str>, env| {
        load(path.map(AsRef::as_ref), &cwd, env)
            .map(|config| config.map(|config| config.tenants.keys()[0].to_string()))
    };
    assert_eq!(found(None, &home_env), Ok(None));
    put(&home.join(".config/patchwave/patchwave.toml"), with("home").as_bytes());
    put(&xdg.join("patchwave/patchwave.toml"), format!("\u{feff}{}", with("xdg")).as_bytes());
    assert_eq!(found(None, &home_env), Ok(Some("home".into())));
    assert_eq!(found(None, &xdg_env), Ok(Some("xdg".into())));
    put(&cwd.join("patchwave.toml"), with("here").as_bytes());
    put(&cwd.join("other.toml"), with("other").as_bytes());
    assert_eq!(found(None, &xdg_env), Ok(Some("here".into())));
    assert_eq!(found(Some("other.toml"), &xdg_env), Ok(Some("other".into())));
    assert!(
        lines(&found(Some("none.toml"), &xdg_env).unwrap_err())
            .contains("none.toml (--config) does not exist")
    );
}
