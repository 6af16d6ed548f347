//! A tenant with TLS: what its connections and addresses are.

use reqwest::{Certificate, Method, Version};

use super::*;

/// A tenant with TLS, and somebody with a token who trusts its certificate authority and no other.
#[expect(clippy::disallowed_methods, reason = "the tests speak HTTP without the code they judge")]
async fn trusting() -> Caller {
    let sandbox = Sandbox::start(Options { clients: 3, tls: true, ..Options::default() }).await.unwrap();
    let authority = Certificate::from_pem(sandbox.authority().unwrap().as_bytes()).unwrap();
    // The provider of cryptography is installed with it.
    drop(http());
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10));
    let http = builder.tls_certs_only([authority]).build().unwrap();
    let mut caller = Caller { sandbox, http, token: String::new() };
    caller.token = caller.fresh_token().await;
    caller
}

#[tokio::test]
async fn connections_are_http2_and_links_are_https() {
    let caller = trusting().await;
    let response = caller.request(Method::GET, "/api/v2/clients?per_page=1").send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, Version::HTTP_2));
    let link = response.headers()["link"].to_str().unwrap();
    assert!(link.starts_with(&format!("<https://{}/api/v2/clients", caller.tenant().domain())), "{link}");
}

#[tokio::test]
async fn a_token_can_be_asked_for_under_either_name_of_this_machine_and_no_other() {
    let caller = trusting().await;
    let address = caller.tenant().domain().to_string();
    let audiences = [
        (address.clone(), 200),
        (address.replace("127.0.0.1", "localhost"), 200),
        ("acme.eu.auth0.com".to_owned(), 403),
    ];
    for (host, status) in audiences {
        let mut credentials = caller.credentials();
        credentials["audience"] = format!("https://{host}/api/v2/").into();
        let response = caller.http.post(caller.url("/oauth/token")).json(&credentials).send().await.unwrap();
        assert_eq!(response.status(), status, "{host}");
    }
}

#[tokio::test]
async fn whoever_trusts_other_authorities_cannot_connect() {
    let caller = trusting().await;
    let other = trusting().await;
    let error = other.http.get(caller.url("/api/v2/clients")).send().await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
}
