//! Names of fields and endpoints: data, which only the catalogue and the API's own folders spell out.

use std::sync::LazyLock;

use super::source::Source;

/// Folders that are about the API itself.
const AT_HOME: [&str; 3] = ["catalogue", "auth0", "sandbox"];

/// Fields whose names are also plain words of the command line, of job and of configuration files.
const COMMON: [&str; 5] = ["name", "description", "tenant", "global", "mobile"];

/// Folder, word, and why it may stand there.
pub(super) const ALLOWED: [(&str, &str, &str); 5] = [
    ("job", "client_id", "the key of an update in a TOML job"),
    ("config", "client_id", "a key of a tenant in patchwave.toml"),
    (
        "config",
        "client_secret",
        "a key of a tenant in patchwave.toml, and what its value is called in messages",
    ),
    ("report", "client_id", "a key of the JSON report"),
    (
        "model",
        "https://{}/api/v2/",
        "the audience that Auth0 gives each tenant's Management API: a name, not an address",
    ),
];

static FIELDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = super::src().join("catalogue/kinds/clients.json");
    let data: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let names = data["fields"].as_object().unwrap().keys();
    let names: Vec<String> = names.filter(|name| !COMMON.contains(&name.as_str())).cloned().collect();
    assert!(names.len() > 30, "the catalogue was not understood");
    names
});

/// The words of the catalogue and of the API among a file's literals: a whole literal that names a field or a path to
/// one, and any that holds an endpoint's path. Examples inside a sentence are no code that depends on the field.
pub(super) fn in_source(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    source
        .literals
        .iter()
        .filter(|(_, text)| is_field(text) || text.contains("/api/v2"))
        .map(|(at, text)| (*at, text.as_str()))
}

/// Those that stand in the wrong folder, each with its place.
pub(super) fn misplaced(source: &Source) -> Vec<String> {
    let folder = source.folder().unwrap();
    let allowed = |word: &str| ALLOWED.iter().any(|(at, known, _)| *at == folder && *known == word);
    let wrong = in_source(source).filter(|(_, word)| !AT_HOME.contains(&folder) && !allowed(word));
    wrong.map(|(at, word)| format!("{}: {word:?}", source.place(at))).collect()
}

fn is_field(text: &str) -> bool {
    let (root, rest) = text.split_once('.').unwrap_or((text, ""));
    let path = rest.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"'));
    path && FIELDS.iter().any(|field| field == root)
}

#[test]
fn a_field_or_an_endpoint_in_the_code_of_another_folder_is_found() {
    let code = r#"const A: &str = "callbacks"; fn f() { get("refresh_token.leeway"); say("such as callbacks"); url("/api/v2/clients") }"#;
    let source = Source::parse("plan/x.rs".into(), code);
    assert_eq!(misplaced(&source).len(), 3, "{:?}", misplaced(&source));
    assert!(misplaced(&Source::parse("auth0/x.rs".into(), code)).is_empty());
}
