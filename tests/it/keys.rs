//! Signing in by a private key, and by a token that was given: over real HTTP, from the command to the tenant.

use patchwave::sandbox::Options;
use serde_json::{Value, json};

use crate::common::{Case, Served, renames};

const KEY: &str = include_str!("../keys/test-only-rsa-2048.pem");
const PKCS1: &str = include_str!("../keys/test-only-rsa-2048.pkcs1.pem");
const OTHER: &str = include_str!("../keys/test-only-other-rsa-2048.pem");
const PUBLIC: &str = include_str!("../keys/test-only-rsa-2048.public.pem");

/// A tenant whose runner signs in by the key.
fn served(change: impl FnOnce(&mut Options)) -> Served {
    let mut options = Options {
        tier: "unlimited".parse().unwrap(),
        public_key: Some(PUBLIC.parse().unwrap()),
        clients: 5,
        ..Options::default()
    };
    change(&mut options);
    Served::with(options)
}

/// Its environment without a secret.
fn case(served: &Served) -> Case {
    served.case().without_env("AUTH0_CLIENT_SECRET")
}

fn config(served: &Served, proof: &str) -> String {
    let tenant = served.tenant();
    let (domain, id) = (tenant.domain().base_url(), tenant.client_id());
    format!("[tenants.dev]\ndomain = \"{domain}\"\nclient_id = \"{id}\"\n{proof}\n")
}

#[test]
fn a_run_signs_in_by_the_key_and_the_secret_opens_nothing() {
    let served = served(|_| {});
    let case = case(&served).file("key.pem", KEY).file("job.csv", renames(&served.ids(3)));
    let by_key = case.env("AUTH0_CLIENT_SIGNING_KEY_PATH", "key.pem");
    let done = by_key.run(["apply", "job.csv", "--yes"]);
    assert!(done.exits(0).stdout.contains("3 updated"), "{done}");
    assert_eq!((served.counters().token, served.counters().patch), (1, 3));
    let by_secret = served.case().run(["tenants"]);
    assert!(by_secret.exits(3).stderr.contains("check client id and client secret"), "{by_secret}");
}

#[test]
fn the_key_is_taken_from_wherever_people_keep_it() {
    let served = served(|_| {});
    let variable = "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY";
    let escaped = KEY.trim().replace('\n', "\\n");
    for (what, case) in [
        ("text", case(&served).env(variable, KEY)),
        ("PKCS#1", case(&served).env(variable, PKCS1)),
        ("escaped text", case(&served).env(variable, &escaped)),
        ("a path", case(&served).file("k.pem", KEY).env(variable, "k.pem")),
        (
            "another algorithm",
            case(&served).env(variable, KEY).env("AUTH0_CLIENT_ASSERTION_SIGNING_ALG", "PS256"),
        ),
        (
            "a file of variables",
            Case::new().file(
                ".env",
                format!(
                    "AUTH0_DOMAIN={}\nAUTH0_CLIENT_ID={}\n{variable}=\"{escaped}\"\n",
                    served.tenant().domain().base_url(),
                    served.tenant().client_id()
                ),
            ),
        ),
    ] {
        let done = case.run(["tenants"]);
        assert_eq!(done.code, Some(0), "{what}: {done}");
    }
    for proof in [
        "private_key = { file = \"k.pem\" }",
        "private_key = { env = \"KEY\" }\nprivate_key_alg = \"RS384\"\nprivate_key_id = \"k1\"",
        "private_key = { command = \"cat k.pem\" }\nprivate_key_alg = \"PS256\"",
    ] {
        let case =
            Case::new().file("k.pem", KEY).env("KEY", KEY).file("patchwave.toml", config(&served, proof));
        let done = case.run(["tenants"]);
        assert_eq!(done.code, Some(0), "{proof}: {done}");
    }
}

/// The tenant takes each assertion once, so that a second try with the same one would be refused.
#[test]
fn a_token_request_that_is_tried_again_is_no_replay() {
    for fault in ["token:reset-after=#1", "token:503-after=#1", "token:truncate=#1", "token:503=#1"] {
        let served = served(|options| options.faults = fault.parse().unwrap());
        let case = case(&served).env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", KEY);
        let done = case.run(["tenants"]);
        assert_eq!(done.code, Some(0), "{fault}: {done}");
        assert_eq!(served.counters().token, 2, "{fault}");
    }
}

#[test]
fn a_key_works_by_the_tenants_clock_however_far_that_is_from_ours() {
    for clock_skew in [-3600, -240, 100, 3600] {
        let served = served(|options| options.clock_skew = clock_skew);
        let done = case(&served).env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", KEY).run(["tenants"]);
        assert_eq!(done.code, Some(0), "{clock_skew}: {done}");
    }
}

#[test]
fn a_token_that_ends_in_the_middle_of_a_run_is_renewed_by_another_assertion() {
    let served = served(|options| options.faults = "expire-token-after=4".parse().unwrap());
    let case = case(&served).env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", KEY);
    let case = case.file("job.csv", renames(&served.ids(5)));
    case.run(["apply", "job.csv", "--yes", "--concurrency", "1"]).exits(0);
    assert!(served.counters().token > 1);
}

#[test]
fn a_key_that_the_tenant_does_not_know_is_3_with_what_to_check_and_never_shown() {
    let served = served(|_| {});
    let case = case(&served).env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", OTHER);
    let done = case.run(["tenants", "-vv"]);
    assert!(done.exits(3).stderr.contains("not signed by the client's key"), "{done}");
    assert!(done.stderr.contains("must have the public half of the key"), "{done}");
    let body: Vec<&str> = OTHER.lines().filter(|line| line.len() == 64).collect();
    assert!(body.len() > 10 && body.iter().all(|line| !done.shown().contains(line)), "{done}");
    assert!(!done.shown().contains("eyJ"), "{done}");
}

#[test]
fn what_is_no_key_is_3_before_anything_is_sent_with_its_place_and_what_to_do() {
    let served = served(|_| {});
    let encrypted = include_str!("../keys/test-only-rsa-2048.encrypted.pem");
    let proof = "private_key = { file = \"k.pem\" }";
    let case = Case::new().file("patchwave.toml", config(&served, proof)).file("k.pem", encrypted);
    let done = case.file("job.csv", "client_id,name\na,b\n").run(["plan", "job.csv", "--tenant", "dev"]);
    done.exits(3);
    for words in ["tenant `dev`: no private key from file", "k.pem", "passphrase", "openssl pkey"] {
        assert!(done.stderr.contains(words), "{words}: {done}");
    }
    assert_eq!(served.counters().token, 0);
}

#[test]
fn a_secret_beside_a_key_is_3_and_says_which_to_unset() {
    let served = served(|_| {});
    let done = served.case().env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", KEY).run(["tenants"]);
    assert!(done.exits(3).stderr.contains("unset AUTH0_CLIENT_SECRET where the application uses"), "{done}");
    assert_eq!(served.counters().token, 0);
}

#[test]
fn a_served_sandbox_tells_how_to_sign_in_by_the_key() {
    let case = Case::new()
        .file("public.pem", PUBLIC)
        .file("key.pem", KEY)
        .file("job.toml", "[[update]]\nmatch.name = \"acme-*\"\nset.description = \"x\"\n");
    let flags = ["sandbox", "--clients", "5", "--tenants", "2", "--public-key", "public.pem"];
    let mut running = case.spawn(flags.iter().chain(&["--write-config", "fleet"]));
    running.until_stderr("Serving until Ctrl-C");
    let case = case.env("SANDBOX_PRIVATE_KEY", KEY);
    let done = case.run(["plan", "job.toml", "--group", "all", "--config", "fleet/patchwave.toml"]);
    assert_eq!(done.exits(0).stdout.matches("Plan: 5 clients to change").count(), 2, "{done}");
    running.signal("TERM");
    let told = running.wait();
    assert!(told.stderr.contains("export SANDBOX_PRIVATE_KEY=\"$(cat PRIVATE_KEY.pem)\""), "{told}");
    assert!(!case.read("fleet/patchwave.toml").contains("client_secret"));

    let wrong = case.run(["sandbox", "--public-key", "key.pem"]);
    assert!(wrong.exits(64).stderr.contains("--public-key key.pem: that is a private key"), "{wrong}");
    let missing = case.run(["sandbox", "--public-key", "none.pem"]);
    assert!(missing.exits(64).stderr.contains("none.pem"), "{missing}");
}

/// An unsigned token with these claims.
fn token(claims: &Value) -> String {
    use base64::Engine as _;
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims))
}

#[test]
fn a_ready_token_of_another_tenant_is_3_before_anything_is_sent() {
    let served = served(|_| {});
    let theirs = token(
        &json!({"aud": "https://prod.eu.auth0.com/api/v2/", "iss": "https://prod.eu.auth0.com/", "exp": 4_102_444_800_i64}),
    );
    let case = case(&served).env("AUTH0_ACCESS_TOKEN", &theirs).file("job.csv", renames(&served.ids(1)));
    for verb in [&["plan", "job.csv"][..], &["apply", "job.csv", "--yes"], &["get", "--all"], &["tenants"]] {
        let done = case.run(verb);
        done.exits(3);
        for words in
            ["is for https://prod.eu.auth0.com/api/v2/, and not for https://127.0.0.1", "it is good until"]
        {
            assert!(done.stderr.contains(words), "{words}: {done}");
        }
        assert!(!done.shown().contains(&theirs), "{done}");
    }
    let json = case.run(["plan", "job.csv", "--output", "json"]);
    let error: Value = serde_json::from_str(json.stderr.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["class"], "auth", "{json}");
    let looked: Value = serde_json::from_str(&case.run(["tenants", "--output", "json"]).stdout).unwrap();
    assert_eq!(looked["tenants"][0]["reachable"], Value::Null);
    let counters = served.counters();
    assert_eq!((counters.token, counters.list + counters.get, counters.patch), (0, 0, 0));
}

#[test]
fn a_ready_token_that_has_ended_is_3_and_says_when() {
    let served = served(|_| {});
    let audience = served.tenant().audience();
    let case =
        case(&served).env("AUTH0_ACCESS_TOKEN", token(&json!({"aud": audience, "exp": 1_700_000_000})));
    let done = case.run(["tenants"]);
    assert!(done.exits(3).stderr.contains("the token that was given ended at [TIME]"), "{done}");
    let counters = served.counters();
    assert_eq!((counters.token, counters.list + counters.get), (0, 0));
}
