//! No secret is in anything that can be shown, whatever is wrong around it.

use std::fmt::Debug;

use proptest::prelude::*;

use super::{config, environment, with_file};
use crate::config::select::select;

/// Unlike any word of a message, and as Auth0 makes them.
fn a_secret() -> impl Strategy<Value = String> {
    "Zq[A-Za-z0-9_-]{20,60}7Xj"
}

fn assert_hidden(secret: &str, shown: &impl Debug) {
    let text = format!("{shown:?}");
    assert!(!text.contains(secret), "{secret} in {text}");
}

/// Lines that hold a secret, right or wrong in many ways.
const TOML: [&str; 26] = [
    "client_secret = \"@\"",
    "client_secret = '@' # @",
    "client_secret = \"\"\"\n@\n\"\"\"",
    "client_secret = [\"@\"]",
    "client_secret = { value = \"@\" }",
    "client_secret = { env = \"@\" }",
    "client_secret = { file = \"@\" }",
    "client_secret = { env = [\"@\"] }",
    "client_secert = \"@\"",
    "secret = { a = { b = \"@\" } }",
    "token = \"@\"",
    "private_key = \"@\"",
    "private_key = { env = \"@\" }",
    "private_key = { file = \"@\" }",
    "private_key_alg = \"@\"",
    "private_key = \"\"\"\n-----BEGIN PRIVATE KEY-----\n@\n@==\n-----END PRIVATE KEY-----\"\"\"",
    "private_key = \"\"\"\n-----BEGIN PRIVATE KEY-----\n@\n@==\n-----END PRIVATE KEY-----\n",
    "private_key = -----BEGIN PRIVATE KEY-----\n@\n@==\n-----END PRIVATE KEY-----\n",
    "client_secret.x.y = \"@\"",
    "[client_secret]\nliteral = \"@\"",
    "[[tenants.dev.sub]]\nx = \"@\"",
    "client_secret = \"@",
    "client_secret = @",
    "client_secret: @",
    "client_secret = { env = \"@\"",
    "client_secret = \"@\" client_id = 7",
];

const BEFORE: [&str; 5] = [
    "[tenants.dev]\n",
    "[tenants.dev]\ndomain = \"a.auth0.com\"\nclient_id = \"x\"\n",
    "[tenants.dev]\ndomain = 3\n",
    "",
    "[tenants.dev\n",
];

const DOTENV: [&str; 15] = [
    "CLIENT_SECRET=@",
    "CLIENT_SECRET=\"@\";",
    "CLIENT_SECRET=\"@",
    "CLIENT_SECRET='@",
    "CLIENT_SECRET @",
    "CLIENT_SECRET: @",
    "@",
    "CLIENT-SECRET=@",
    "CLIENT_SECRET=@ @",
    "CLIENT_SECRET=a\\@",
    "CLIENT_SECRET=1\nCLIENT_SECRET=@",
    "CLIENT_DOMAIN=@\nCLIENT_ID=a\nCLIENT_SECRET=@",
    "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY=\"-----BEGIN PRIVATE KEY-----\n@\n@==\n-----END PRIVATE KEY-----\"",
    "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY=\"-----BEGIN PRIVATE KEY-----\n@\n@==\n",
    "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY=-----BEGIN PRIVATE KEY-----\n@\n@==\n-----END PRIVATE KEY-----",
];

proptest! {
    #[test]
    fn no_problem_of_a_configuration_file_shows_a_secret(secret in a_secret()) {
        for before in BEFORE {
            for line in TOML {
                let text = format!("{before}{}\n", line.replace('@', &secret));
                match config(&text) {
                    Ok(config) => assert_hidden(&secret, &config),
                    Err(problems) => {
                        assert_hidden(&secret, &problems);
                        problems.iter().for_each(|problem| assert!(!problem.to_string().contains(&secret)));
                    }
                }
            }
        }
    }

    #[test]
    fn no_problem_of_an_env_file_and_no_selection_shows_a_secret(secret in a_secret()) {
        for line in DOTENV {
            match with_file("", &line.replace('@', &secret)) {
                Ok(env) => {
                    assert_hidden(&secret, &env);
                    let selected = select(&[], &[], None, &env);
                    assert_hidden(&secret, &selected);
                    selected.iter().flatten().for_each(|one| assert_hidden(&secret, one));
                    selected.err().into_iter().for_each(|error| assert!(!error.to_string().contains(&secret)));
                }
                Err(problems) => assert_hidden(&secret, &problems),
            }
        }
    }

    #[test]
    fn no_selection_from_the_environment_shows_a_secret(secret in a_secret()) {
        let all = ["DOMAIN=a.auth0.com", "CLIENT_ID=i", "CLIENT_SECRET=@", "ACCESS_TOKEN=@", "CLIENT_ASSERTION_PRIVATE_KEY=@"];
        for mask in 0..32_u32 {
            let words: Vec<_> = (0..5).filter(|bit| mask & (1 << bit) != 0).map(|bit| format!("AUTH0_{}", all[bit])).collect();
            let env = environment(&words.join(" ").replace('@', &secret), "");
            assert_hidden(&secret, &env);
            assert_hidden(&secret, &select(&[], &[], None, &env));
        }
    }
}

#[test]
fn what_is_struck_out_keeps_its_length_so_that_places_stay() {
    let text = "[tenants]\ndev = { client_secret = \"äs€🦀\", domain = 3, client_id = \"x\" }\n";
    let problems = config(text).unwrap_err();
    let file = &problems[0].place.as_ref().unwrap().0;
    assert_eq!(file.text.len(), text.len());
    assert!(!file.text.contains("äs€"));
    let places: Vec<_> = problems.iter().map(|problem| problem.to_string()[..20].to_owned()).collect();
    let column = text.lines().nth(1).unwrap().chars().take_while(|c| *c != ',').count() + 3;
    assert!(
        problems.iter().any(|p| p.to_string().starts_with(&format!("patchwave.toml:2:{column}: `domain`"))),
        "{places:?}"
    );
}
