use std::collections::{BTreeSet, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::server::{Answer, Server, clients, quick};
use crate::auth0::claims::Claims;
use crate::auth0::claims::tests::jwt;
use crate::auth0::{ApiError, Connection, Credential, NetworkCause, PrivateKey};
use crate::model::event::ProgressSink;
use crate::model::{Domain, Secret, SigningAlgorithm};

fn client(id: &str) -> serde_json::Value {
    json!({"client_id": id, "name": "Shop"})
}

#[tokio::test]
async fn fifty_callers_share_one_token_request() {
    let server = Server::start(|r| r.path.starts_with("/api").then(|| Answer::Json(200, client("a")))).await;
    let reader = server.connect().reader();
    let calls = (0..50).map(|_| {
        let reader = reader.clone();
        tokio::spawn(async move { reader.get(&clients(), &"a".into(), None).await.map(|_| ()) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.count("POST", "/oauth/token"), 1);
    assert_eq!(server.count("GET", "/api/v2/clients/a"), 50);
}

#[tokio::test]
async fn the_grant_tells_scopes_and_the_request_what_the_tenant_needs() {
    let server = Server::start(|_| None).await;
    let connection = server.connect();
    let grant = connection.reader().sign_in().await.unwrap();
    assert_eq!(
        grant.scopes.unwrap(),
        BTreeSet::from(["read:clients".to_owned(), "update:clients".to_owned()])
    );
    assert!(grant.expires.is_some());
    let sent = &server.requests()[0].body;
    assert_eq!(sent["grant_type"], "client_credentials");
    assert_eq!(sent["client_id"], "own-client");
    assert_eq!(sent["audience"], server.access().audience);
    assert_eq!(connection.own_client(), Some(&"own-client".into()));
}

#[tokio::test]
async fn a_token_answer_of_tomorrow_is_read_whatever_its_other_keys_became() {
    for (life, scope) in [
        (json!(86400.0), json!("read:clients update:clients")),
        (json!("86400"), json!(["read:clients", "update:clients", {"of": 1}])),
    ] {
        let server = Server::start(move |r| {
            let body = json!({"access_token": "t", "expires_in": life, "scope": scope, "token_type": null, "new": [1]});
            (r.path == "/oauth/token").then(|| Answer::Json(200, body))
        })
        .await;
        let grant = server.connect().reader().sign_in().await.unwrap();
        assert_eq!(grant.scopes.unwrap(), ["read:clients".to_owned(), "update:clients".to_owned()].into());
    }
}

#[tokio::test]
async fn a_token_that_expired_is_renewed_once_for_all_workers() {
    let server = Server::start(|r| {
        let expired = r.header("authorization") == "Bearer token-1";
        let body = json!({"statusCode": 401, "error": "Unauthorized", "message": "Expired token"});
        r.path
            .starts_with("/api")
            .then(|| if expired { Answer::Json(401, body) } else { Answer::Json(200, client("a")) })
    })
    .await;
    let reader = server.connect().reader();
    let calls = (0..20).map(|_| {
        let reader = reader.clone();
        tokio::spawn(async move { reader.get(&clients(), &"a".into(), None).await.map(|_| ()) })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap().unwrap();
    }
    assert_eq!(server.count("POST", "/oauth/token"), 2);
}

#[tokio::test]
async fn a_new_token_that_is_refused_as_well_is_final() {
    let server = Server::start(|r| {
        r.path.starts_with("/api").then(|| Answer::Json(401, json!({"message": "Bad audience"})))
    })
    .await;
    let error = server.connect().reader().get(&clients(), &"a".into(), None).await.unwrap_err();
    assert_eq!(error, ApiError::Unauthorized { message: "Bad audience".into(), ready_made: false });
    assert!(error.stops_tenant());
    assert_eq!((server.count("POST", "/oauth"), server.count("GET", "/api")), (2, 2));
}

#[tokio::test]
async fn a_ready_token_is_used_as_it_is_and_never_renewed() {
    let server = Server::start(|r| {
        let good = r.header("authorization") == "Bearer given";
        let answer = if good && !r.path.ends_with("/old") {
            Answer::Json(200, client("a"))
        } else {
            Answer::Json(401, json!({"message": "Expired"}))
        };
        r.path.starts_with("/api").then_some(answer)
    })
    .await;
    let access =
        crate::auth0::Access { credential: Credential::Token(Secret::new("given\n")), ..server.access() };
    let reader = Connection::open("acme".into(), access, quick(), ProgressSink::none()).unwrap().reader();
    reader.get(&clients(), &"a".into(), None).await.unwrap();
    let error = reader.get(&clients(), &"old".into(), None).await.unwrap_err();
    assert!(matches!(error, ApiError::Unauthorized { ready_made: true, .. }));
    assert_eq!(server.count("POST", "/oauth"), 0);
}

#[tokio::test]
async fn a_refused_credential_says_what_to_fix_and_shows_no_secret() {
    let server = Server::start(|r| {
        let body = json!({"error": "access_denied", "error_description": format!("Unauthorized {}", r.body["client_secret"])});
        (r.path == "/oauth/token").then_some(Answer::Json(401, body))
    })
    .await;
    let connection = server.connect();
    let error = connection.reader().sign_in().await.unwrap_err();
    let shown = format!("{error} {error:?} {connection:?} {:?} {:?}", connection.reader(), server.access());
    assert!(error.to_string().contains("check client id and client secret"), "{error}");
    assert_eq!(
        (error.status(), error.error_code(), error.class().as_str()),
        (Some(401), Some("access_denied"), "auth")
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert_eq!(server.count("POST", "/oauth"), 1);
}

fn by_key(server: &Server) -> crate::auth0::Connection {
    let key = Secret::new(include_str!("../../../tests/keys/test-only-rsa-2048.pem"));
    let key = PrivateKey::read(&key, SigningAlgorithm::Rs256, None).unwrap();
    let credential = Credential::PrivateKey { client_id: "own-client".into(), key };
    let access = crate::auth0::Access { credential, ..server.access() };
    Connection::open("acme".into(), access, quick(), ProgressSink::none()).unwrap()
}

/// What each assertion that the server was sent says of itself.
fn sent(server: &Server) -> Vec<Claims> {
    let assertion = |r: &super::server::Request| r.body["client_assertion"].as_str().unwrap().to_owned();
    server.requests().iter().filter(|r| r.path == "/oauth/token").map(|r| Claims::of(&assertion(r))).collect()
}

#[tokio::test]
async fn a_private_key_sends_an_assertion_and_nothing_of_itself() {
    let server = Server::start(|_| None).await;
    let connection = by_key(&server);
    connection.reader().sign_in().await.unwrap();
    let body = &server.requests()[0].body;
    assert_eq!(body["grant_type"], "client_credentials");
    assert_eq!(body["client_id"], "own-client");
    assert_eq!(body["audience"], server.access().audience);
    assert_eq!(body["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(body.as_object().unwrap().len(), 5, "{body}");
    assert_eq!(sent(&server)[0].issuer(), Some("own-client"));
    assert_eq!(connection.own_client(), Some(&"own-client".into()));
}

#[tokio::test]
async fn no_assertion_is_sent_twice_whatever_became_of_the_one_before() {
    for answer in [
        || Answer::Json(503, json!({})),
        || Answer::Json(429, json!({"error": "too_many_requests"})),
        || Answer::Reset,
        || Answer::CutOff(json!({"access_token": "t"})),
    ] {
        let asked = AtomicUsize::new(0);
        let server = Server::start(move |r| {
            (r.path == "/oauth/token" && asked.fetch_add(1, Ordering::Relaxed) < 2).then(answer)
        })
        .await;
        by_key(&server).reader().sign_in().await.unwrap();
        let ids: HashSet<String> =
            sent(&server).iter().map(|claims| claims.text("jti").unwrap().to_owned()).collect();
        assert_eq!(ids.len(), 3);
    }
}

#[tokio::test]
async fn a_refusal_by_a_tenant_whose_clock_is_far_away_is_answered_in_its_time() {
    let refusal = |date: &'static str| {
        move |r: &super::server::Request| {
            let body = json!({"error": "invalid_client", "error_description": "expired"}).to_string();
            (r.path == "/oauth/token").then(|| Answer::Raw(401, date, body))
        }
    };
    let server = Server::start(refusal("date: Tue, 15 Nov 1994 08:12:31 GMT\r\n")).await;
    by_key(&server).reader().sign_in().await.unwrap_err();
    let ends: Vec<i64> = sent(&server).iter().map(|claims| claims.expires().unwrap().as_second()).collect();
    assert_eq!(ends.len(), 2);
    // Two minutes after that date, to about a second.
    assert!((784_887_270..784_887_275).contains(&ends[1]), "{ends:?}");

    let unknown = Server::start(refusal("")).await;
    by_key(&unknown).reader().sign_in().await.unwrap_err();
    assert_eq!(unknown.count("POST", "/oauth/token"), 1);
}

#[tokio::test]
async fn a_refused_assertion_says_what_to_check_and_is_not_shown() {
    let server = Server::start(|r| {
        let body = json!({"error": "invalid_client", "error_description": format!("bad {} there", r.body["client_assertion"])});
        (r.path == "/oauth/token").then_some(Answer::Json(401, body))
    })
    .await;
    let connection = by_key(&server);
    let error = connection.reader().sign_in().await.unwrap_err();
    let assertion = server.requests()[0].body["client_assertion"].as_str().unwrap().to_owned();
    let shown = format!("{error} {error:?} {connection:?}");
    assert!(error.to_string().contains("public half of the key") && shown.contains("there"), "{error}");
    assert!(!shown.contains(&assertion[..40]), "{shown}");
}

#[tokio::test]
async fn a_ready_token_of_another_tenant_or_of_the_past_is_never_sent() {
    let server = Server::start(|_| None).await;
    for (claims, said) in [
        (
            json!({"aud": "https://other.eu.auth0.com/api/v2/"}),
            "is for https://other.eu.auth0.com/api/v2/, and not for",
        ),
        (json!({"aud": server.access().audience, "exp": 1_700_000_000}), "ended at 2023-11-14T22:13:20Z"),
    ] {
        let credential = Credential::Token(Secret::new(jwt(&claims)));
        let access = crate::auth0::Access { credential, ..server.access() };
        let reader = Connection::open("acme".into(), access, quick(), ProgressSink::none()).unwrap().reader();
        let error = reader.get(&clients(), &"a".into(), None).await.unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(error.stops_tenant() && error.class().as_str() == "auth");
    }
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_token_answer_without_a_token_shows_nothing_of_it() {
    let server = Server::start(|_| Some(Answer::Json(200, json!({"token": "s3cr3t"})))).await;
    let error = server.connect().reader().sign_in().await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("s3cr3t"));
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_told_from_one_that_is_slow() {
    let cause = |error: ApiError| match error {
        ApiError::Network { failure, .. } => (failure.cause, failure.maybe_sent),
        other => panic!("{other:?}"),
    };
    let slow = Server::start(|_| Some(Answer::Hang)).await;
    let settings = crate::auth0::Settings { max_retries: 0, ..quick() };
    let open = |domain: &str| {
        let domain = Domain::parse(domain).unwrap();
        let access = crate::auth0::Access { domain, ..slow.access() };
        Connection::open("acme".into(), access, settings.clone(), ProgressSink::none()).unwrap().reader()
    };
    let slow_error = open(&format!("http://{}", slow.address)).sign_in().await.unwrap_err();
    assert_eq!(cause(slow_error), (NetworkCause::Timeout, true));
    // Port 1 of loopback: nothing listens there.
    let absent = open("http://127.0.0.1:1").sign_in().await.unwrap_err();
    assert_eq!(cause(absent), (NetworkCause::Refused, false));
}

#[tokio::test]
async fn an_answer_that_is_no_tls_is_told_as_such_at_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let domain = Domain::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let credential = Credential::ClientSecret { client_id: "a".into(), secret: Secret::new("b") };
    let access = crate::auth0::Access { audience: domain.default_audience(), domain, credential };
    let reader = Connection::open("acme".into(), access, quick(), ProgressSink::none()).unwrap().reader();
    match reader.sign_in().await.unwrap_err() {
        ApiError::Network { failure, attempts } => {
            assert_eq!(
                (failure.cause, failure.maybe_sent, attempts),
                (NetworkCause::NotTls, false, 1),
                "{failure}"
            );
        }
        other => panic!("{other}"),
    }
}
