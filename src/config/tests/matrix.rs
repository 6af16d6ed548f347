use super::environment;
use crate::config::env::Environment;
use crate::config::secrets::{CredentialSource, SecretSource};
use crate::config::select::{SelectError, Selected, select};

const A_AUTH0: &str = "AUTH0_DOMAIN=a.auth0.com AUTH0_CLIENT_ID=ida AUTH0_CLIENT_SECRET=sa";
const B_AUTH0: &str = "AUTH0_DOMAIN=b.auth0.com AUTH0_CLIENT_ID=idb AUTH0_CLIENT_SECRET=sb";
const A_CLIENT: &str = "CLIENT_DOMAIN=a.auth0.com CLIENT_ID=ida CLIENT_SECRET=sa";
const B_CLIENT: &str = "CLIENT_DOMAIN=b.auth0.com CLIENT_ID=idb CLIENT_SECRET=sb";

/// What comes of variables of the process beside lines of a file, in few words.
fn outcome(real: &str, file: &str) -> String {
    let env = environment(real, &file.replace(' ', "\n"));
    match chosen(&env) {
        Ok(selected) => format!("{} by {} from {}", selected.domain, credential(&selected), selected.origin),
        Err(SelectError::Configuration(problem)) => {
            let help = problem.help.unwrap();
            assert!(!help.is_empty());
            problem.what
        }
        Err(error) => panic!("{error}"),
    }
}

fn chosen(env: &Environment) -> Result<Selected, SelectError> {
    select(&[], &[], None, env).map(|mut selected| {
        assert_eq!(selected.len(), 1);
        selected.remove(0)
    })
}

fn credential(selected: &Selected) -> String {
    match &selected.credential {
        CredentialSource::Client { client_id, secret: SecretSource::Given(secret) } => {
            format!("{client_id}/{}", secret.expose())
        }
        CredentialSource::Key {
            client_id,
            key: SecretSource::TextOrPath { value, .. },
            algorithm,
            key_id: None,
        } => {
            format!("{client_id} with {algorithm} key {}", value.expose())
        }
        CredentialSource::Token(SecretSource::Given(token)) => format!("token {}", token.expose()),
        other => panic!("{other:?}"),
    }
}

fn assert_table(rows: &[(&str, &str, &str)]) {
    for (real, file, expected) in rows {
        let got = outcome(real, file);
        assert!(
            got.starts_with(expected),
            "\nenvironment: {real}\n.env: {file}\ngot: {got}\nexpected: {expected}"
        );
    }
}

#[test]
fn a_complete_set_from_one_place_in_one_spelling_is_taken() {
    assert_table(&[
        (A_AUTH0, "", "a.auth0.com by ida/sa from environment (AUTH0_*)"),
        (A_CLIENT, "", "a.auth0.com by ida/sa from environment (CLIENT_*)"),
        ("", A_AUTH0, "a.auth0.com by ida/sa from .env (AUTH0_*)"),
        ("", A_CLIENT, "a.auth0.com by ida/sa from .env (CLIENT_*)"),
        (
            "AUTH0_DOMAIN=a.auth0.com AUTH0_ACCESS_TOKEN=t",
            "",
            "a.auth0.com by token t from environment (AUTH0_*)",
        ),
        ("", "AUTH0_DOMAIN=a.auth0.com AUTH0_API_TOKEN=t", "a.auth0.com by token t from .env (AUTH0_*)"),
    ]);
}

#[test]
fn a_ready_token_wins_over_the_secret_beside_it() {
    let both = format!("{A_AUTH0} AUTH0_API_TOKEN=t2");
    assert_table(&[
        (&both, "", "a.auth0.com by token t2 from environment"),
        (&format!("{both} AUTH0_ACCESS_TOKEN=t1"), "", "a.auth0.com by token t1 from environment"),
    ]);
}

#[test]
fn a_complete_set_of_the_environment_shadows_the_file() {
    assert_table(&[
        (A_AUTH0, B_AUTH0, "a.auth0.com by ida/sa from environment (AUTH0_*)"),
        (A_AUTH0, B_CLIENT, "a.auth0.com by ida/sa from environment (AUTH0_*)"),
        (A_CLIENT, B_CLIENT, "a.auth0.com by ida/sa from environment (CLIENT_*)"),
        (A_AUTH0, "AUTH0_DOMAIN=b.auth0.com", "a.auth0.com by ida/sa from environment"),
        (A_AUTH0, "AUTH0_ACCESS_TOKEN=tb", "a.auth0.com by ida/sa from environment"),
        (A_AUTH0, "CLIENT_ID=idb", "a.auth0.com by ida/sa from environment"),
    ]);
}

#[test]
fn a_set_mixed_of_two_places_is_refused_with_each_source() {
    assert_table(&[
        (
            "AUTH0_DOMAIN=a.auth0.com",
            "CLIENT_ID=idb CLIENT_SECRET=sb",
            "credentials are mixed from several places or spellings: \
             AUTH0_DOMAIN (environment), CLIENT_ID (.env:1), CLIENT_SECRET (.env:2)",
        ),
        (
            "AUTH0_DOMAIN=a.auth0.com AUTH0_CLIENT_ID=ida",
            "AUTH0_CLIENT_SECRET=sa",
            "credentials are mixed from several places or spellings: \
             AUTH0_DOMAIN (environment), AUTH0_CLIENT_ID (environment), AUTH0_CLIENT_SECRET (.env:1)",
        ),
        ("AUTH0_DOMAIN=b.auth0.com", A_AUTH0, "credentials are mixed"),
        ("AUTH0_CLIENT_SECRET=other", A_AUTH0, "credentials are mixed"),
        ("AUTH0_DOMAIN=a.auth0.com", A_CLIENT, "credentials are mixed"),
        ("CLIENT_DOMAIN=b.auth0.com", A_AUTH0, "credentials are mixed"),
        ("CLIENT_ID=idb", A_AUTH0, "credentials are mixed"),
        ("CLIENT_ID=idb CLIENT_SECRET=sb", A_CLIENT, "credentials are mixed"),
        ("AUTH0_ACCESS_TOKEN=t", A_AUTH0, "credentials are mixed"),
        ("AUTH0_ACCESS_TOKEN=t", "AUTH0_DOMAIN=a.auth0.com", "credentials are mixed"),
        ("AUTH0_ACCESS_TOKEN=t", A_CLIENT, "credentials are mixed"),
        ("CLIENT_DOMAIN=a.auth0.com", "CLIENT_ID=ida CLIENT_SECRET=sa", "credentials are mixed"),
    ]);
}

#[test]
fn a_set_mixed_of_two_spellings_is_refused_with_each_source() {
    assert_table(&[
        (
            "AUTH0_DOMAIN=a.auth0.com CLIENT_ID=ida CLIENT_SECRET=sa",
            "",
            "credentials are mixed from several places or spellings: \
             AUTH0_DOMAIN (environment), CLIENT_ID (environment), CLIENT_SECRET (environment)",
        ),
        ("", "AUTH0_DOMAIN=a.auth0.com CLIENT_ID=ida CLIENT_SECRET=sa", "credentials are mixed"),
        (A_CLIENT, A_AUTH0, "credentials are mixed"),
        (A_CLIENT, B_AUTH0, "credentials are mixed"),
        (A_CLIENT, "AUTH0_DOMAIN=b.auth0.com", "credentials are mixed"),
        (&format!("AUTH0_CLIENT_ID=x {A_CLIENT}"), "", "credentials are mixed"),
        (&format!("{A_AUTH0} {B_CLIENT}"), "", "credentials are mixed"),
        ("", &format!("{A_AUTH0} CLIENT_DOMAIN=b.auth0.com"), "credentials are mixed"),
    ]);
}

#[test]
fn what_says_the_same_twice_is_no_mix() {
    assert_table(&[
        ("AUTH0_DOMAIN=a.auth0.com", A_AUTH0, "a.auth0.com by ida/sa from .env (AUTH0_*)"),
        ("CLIENT_ID=ida", A_CLIENT, "a.auth0.com by ida/sa from .env (CLIENT_*)"),
        (&format!("{A_AUTH0} {A_CLIENT}"), "", "a.auth0.com by ida/sa from environment (AUTH0_*)"),
        (
            "",
            &format!("{A_AUTH0} CLIENT_DOMAIN=https://A.auth0.com/"),
            "a.auth0.com by ida/sa from .env (AUTH0_*)",
        ),
    ]);
}

#[test]
fn an_applications_own_client_id_beside_a_complete_auth0_set_does_no_harm() {
    assert_table(&[
        (&format!("{A_AUTH0} CLIENT_ID=app CLIENT_SECRET=app"), "", "a.auth0.com by ida/sa"),
        ("", &format!("CLIENT_ID=app {A_AUTH0}"), "a.auth0.com by ida/sa"),
    ]);
}

#[test]
fn an_incomplete_set_is_refused_with_what_is_missing() {
    assert_table(&[
        (
            "AUTH0_DOMAIN=a.auth0.com AUTH0_CLIENT_ID=",
            "",
            "credentials are incomplete: AUTH0_DOMAIN (environment) set, but AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET missing",
        ),
        (
            "",
            "CLIENT_ID=x",
            "credentials are incomplete: CLIENT_ID (.env:1) set, but CLIENT_DOMAIN, CLIENT_SECRET missing",
        ),
        (
            "AUTH0_ACCESS_TOKEN=t",
            "",
            "credentials are incomplete: AUTH0_ACCESS_TOKEN (environment) set, but AUTH0_DOMAIN missing",
        ),
    ]);
}

#[test]
fn nothing_set_names_the_three_variables_and_the_sandbox() {
    let env = environment("AUTH0_AUDIENCE=https://a.auth0.com/api/v2/ AUTH0_DOMAIN=", "");
    let error = chosen(&env).unwrap_err();
    let SelectError::Configuration(problem) = error else { panic!("{error}") };
    let help = problem.help.unwrap();
    for word in ["AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "--sandbox"] {
        assert!(help.contains(word), "{help}");
    }
}

const A_ID: &str = "AUTH0_DOMAIN=a.auth0.com AUTH0_CLIENT_ID=ida";
const KEYS: [&str; 2] = ["AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "AUTH0_CLIENT_SIGNING_KEY_PATH"];

#[test]
fn a_private_key_stands_for_the_secret_and_a_token_wins_over_it() {
    for key in KEYS {
        assert_table(&[
            (
                &format!("{A_ID} {key}=/k.pem"),
                "",
                "a.auth0.com by ida with RS256 key /k.pem from environment (AUTH0_*)",
            ),
            (
                "",
                &format!("{A_ID} {key}=/k.pem"),
                "a.auth0.com by ida with RS256 key /k.pem from .env (AUTH0_*)",
            ),
            (
                &format!("{A_ID} {key}=/k.pem AUTH0_CLIENT_ASSERTION_SIGNING_ALG=PS256"),
                B_AUTH0,
                "a.auth0.com by ida with PS256 key /k.pem from environment",
            ),
            (&format!("{A_AUTH0} AUTH0_ACCESS_TOKEN=t {key}=/k.pem"), "", "a.auth0.com by token t"),
            (&format!("{A_AUTH0} AUTH0_CLIENT_ASSERTION_SIGNING_ALG=RS256"), "", "a.auth0.com by ida/sa"),
        ]);
    }
}

#[test]
fn a_key_of_another_place_or_beside_a_secret_is_refused() {
    for key in KEYS {
        let both =
            format!("AUTH0_CLIENT_SECRET and {key} (environment) are both set, and each is a way to sign in");
        assert_table(&[
            (&format!("{A_AUTH0} {key}=/k.pem"), "", &both),
            (&format!("{key}=/k.pem"), A_CLIENT, "credentials are mixed"),
            (&format!("{key}=/k.pem"), A_AUTH0, "credentials are mixed"),
            (A_ID, &format!("{key}=/k.pem"), "credentials are mixed"),
            (&format!("{key}=/k.pem {A_CLIENT}"), "", "credentials are mixed"),
            (&format!("{A_ID} {key}=/k.pem"), A_AUTH0, "a.auth0.com by ida with RS256 key /k.pem"),
            (
                &format!("AUTH0_DOMAIN=a.auth0.com {key}=/k.pem"),
                "",
                "credentials are incomplete: AUTH0_DOMAIN (environment), ",
            ),
        ]);
    }
    let error = chosen(&environment(&format!("{A_AUTH0} {}=/k.pem", KEYS[0]), "")).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains(&format!(
            "unset AUTH0_CLIENT_SECRET where the application uses Private Key JWT with the key of {}",
            KEYS[0]
        )),
        "{said}"
    );
    let two = format!("{A_ID} {}=/k.pem {}=/l.pem", KEYS[0], KEYS[1]);
    assert_table(&[(&two, "", &format!("{} and {} (environment) are both set", KEYS[1], KEYS[0]))]);
}

#[test]
fn an_algorithm_that_auth0_does_not_take_is_refused_without_being_shown() {
    let real = format!("{A_ID} {}=/k.pem AUTH0_CLIENT_ASSERTION_SIGNING_ALG=s3cr3t", KEYS[0]);
    let error = chosen(&environment(&real, "")).unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with(
            "AUTH0_CLIENT_ASSERTION_SIGNING_ALG (environment): it is none of RS256, RS384 and PS256"
        ),
        "{said}"
    );
    assert!(!format!("{error:?}").contains("s3cr3t"));
}

#[test]
fn what_is_no_domain_is_refused_without_being_shown() {
    for text in ["sAmEaSaSeCrEt0", "http://a.auth0.com", "a;b.auth0.com"] {
        let real = format!("AUTH0_DOMAIN={text} AUTH0_CLIENT_ID=i AUTH0_CLIENT_SECRET=s");
        let error = chosen(&environment(&real, "")).unwrap_err();
        assert!(
            error.to_string().starts_with("AUTH0_DOMAIN (environment) is not the domain of a tenant"),
            "{error}"
        );
        assert!(!format!("{error:?}").contains(text));
    }
    let local = "AUTH0_DOMAIN=http://localhost:4000 AUTH0_CLIENT_ID=i AUTH0_CLIENT_SECRET=s";
    assert_table(&[(local, "", "localhost:4000 by i/s")]);
}

#[test]
fn a_quote_that_swallowed_other_lines_is_noticed_and_nothing_of_them_shown() {
    let env = environment("", "CLIENT_DOMAIN=\"a.auth0.com\nCLIENT_SECRET=\"s3cret\nCLIENT_ID=x\n");
    let error = chosen(&env).unwrap_err();
    assert!(error.to_string().starts_with("CLIENT_DOMAIN (.env:1) has more than one line"), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[test]
fn the_audience_may_stand_alone_but_not_be_that_of_a_shadowed_set() {
    let audience =
        |real: &str, file: &str| chosen(&environment(real, &file.replace(' ', "\n"))).unwrap().audience;
    assert_eq!(audience(A_AUTH0, ""), "https://a.auth0.com/api/v2/");
    assert_eq!(audience(A_AUTH0, "AUTH0_AUDIENCE=urn:file"), "urn:file");
    assert_eq!(audience("AUTH0_AUDIENCE=urn:real", A_CLIENT), "urn:real");
    assert_eq!(
        audience("AUTH0_AUDIENCE=urn:real", &format!("{A_AUTH0} AUTH0_AUDIENCE=urn:file")),
        "urn:real"
    );
    assert_eq!(audience(A_AUTH0, &format!("{B_AUTH0} AUTH0_AUDIENCE=urn:b")), "https://a.auth0.com/api/v2/");
}
