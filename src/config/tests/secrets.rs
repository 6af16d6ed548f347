use super::{environment, put};
use crate::config::env::Environment;
use crate::config::secrets::{CredentialSource, Credentials, SecretError, SecretSource, resolve};
use crate::config::select::Selected;
use crate::model::{Domain, Secret, SigningAlgorithm};

fn selected(secret: SecretSource) -> Selected {
    Selected {
        tenant: "dev".into(),
        domain: Domain::parse("dev.auth0.com").unwrap(),
        audience: String::new(),
        credential: CredentialSource::Client { client_id: "id".into(), secret },
        origin: String::new(),
        vars: serde_json::Map::new(),
        secrets: Default::default(),
        tags: Default::default(),
        protected: false,
        rate_share: None,
    }
}

async fn secret(source: SecretSource, env: &Environment) -> Result<String, SecretError> {
    match resolve(&selected(source), env).await? {
        Credentials::Client { client_id, secret } => {
            assert_eq!(client_id, "id");
            Ok(secret.expose().to_owned())
        }
        other => panic!("{other:?}"),
    }
}

async fn from_command(command: &str) -> Result<String, SecretError> {
    secret(SecretSource::Command(command.to_owned()), &Environment::default()).await
}

#[tokio::test]
async fn a_variable_is_looked_up_in_the_environment_and_the_file() {
    let env = environment("A=one", "B=two\n");
    assert_eq!(secret(SecretSource::Env("A".into()), &env).await.unwrap(), "one");
    assert_eq!(secret(SecretSource::Env("B".into()), &env).await.unwrap(), "two");
}

#[tokio::test]
async fn a_missing_variable_is_named_with_its_tenant_and_a_near_miss() {
    let env = environment("DEV_SECRET=s3cret", "");
    let error = secret(SecretSource::Env("DEV_SECERT".into()), &env).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "tenant `dev`: no client secret from variable DEV_SECERT: it is not set, or empty"
    );
    assert!(error.help.contains("did you mean DEV_SECRET?"), "{}", error.help);
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[tokio::test]
async fn a_files_one_line_end_is_no_part_of_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    for (bytes, expected) in [
        (&b"abc"[..], Ok("abc")),
        (b"abc\n", Ok("abc")),
        (b"abc\r\n", Ok("abc")),
        (b"abc\n\n", Err("it holds more than one line of text")),
        (b"\n", Err("it is empty")),
        (b"", Err("it is empty")),
        (b"a\xff", Err("what it holds is not UTF-8 text")),
        (&[b'x'; 70_000], Err("it holds more than 64 KiB")),
    ] {
        put(&path, bytes);
        let got = secret(SecretSource::File(path.clone()), &Environment::default()).await;
        assert_eq!(got.map_err(|error| error.cause), expected.map(str::to_owned).map_err(str::to_owned));
    }
    let missing =
        secret(SecretSource::File(folder.path().join("none")), &Environment::default()).await.unwrap_err();
    assert!(missing.to_string().contains("tenant `dev`: no client secret from file"), "{missing}");
}

/// What is found for a private key: itself, and where.
async fn key(source: SecretSource, env: &Environment) -> Result<(String, String), SecretError> {
    let algorithm = SigningAlgorithm::default();
    let credential =
        CredentialSource::Key { client_id: "id".into(), key: source.clone(), algorithm, key_id: None };
    match resolve(&Selected { credential, ..selected(source) }, env).await? {
        Credentials::Key { key, found, .. } => Ok((key.expose().to_owned(), found)),
        other => panic!("{other:?}"),
    }
}

const PEM: &str = "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----";

#[tokio::test]
async fn a_private_key_may_have_many_lines_wherever_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.pem");
    put(&path, format!("{PEM}\n").as_bytes());
    let variable = "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY";
    let or_path = |value: &str| SecretSource::TextOrPath { variable, value: Secret::new(value) };
    let env = environment("", &format!("KEY=\"{PEM}\"\n"));
    for (source, found) in [
        (SecretSource::File(path.clone()), format!("file {}", path.display())),
        (SecretSource::Env("KEY".into()), "variable KEY".to_owned()),
        (or_path(PEM), format!("variable {variable}")),
        (or_path(&path.display().to_string()), format!("variable {variable}")),
    ] {
        assert_eq!(key(source, &env).await.unwrap(), (PEM.to_owned(), found));
    }
}

#[tokio::test]
async fn what_is_neither_a_key_nor_a_path_is_told_without_being_shown() {
    let variable = "AUTH0_CLIENT_SIGNING_KEY_PATH";
    let source = SecretSource::TextOrPath { variable, value: Secret::new("s3cr3t/s3cr3t") };
    let error = key(source, &Environment::default()).await.unwrap_err();
    assert!(error.to_string().starts_with(
        "tenant `dev`: no private key from variable AUTH0_CLIENT_SIGNING_KEY_PATH: it holds no key in PEM, and the file"
    ), "{error}");
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_commands_output_is_the_secret_and_its_words_may_be_quoted() {
    assert_eq!(from_command("printf '%s\\n' 'a b'").await.unwrap(), "a b");
}

#[cfg(unix)]
#[tokio::test]
async fn a_failing_command_shows_what_it_complained_of_and_never_what_it_printed() {
    let error = from_command("cat; echo hidden | tr h H; printf 'no \\033[31mvault\\n' >&2; exit 3")
        .await
        .unwrap_err();
    assert!(error.cause.contains("exit status: 3"), "{}", error.cause);
    assert_eq!(error.help, "it said: no [31mvault");
    assert!(!format!("{error} {error:?}").contains("Hidden"));
    assert_eq!(from_command("true").await.unwrap_err().cause, "it is empty");
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_command_that_hangs_is_ended_after_a_minute() {
    let before = tokio::time::Instant::now();
    let error = from_command("exec sleep 600").await.unwrap_err();
    assert!(error.cause.contains("longer than 60 seconds"), "{}", error.cause);
    assert_eq!(before.elapsed().as_secs(), 60);
}
