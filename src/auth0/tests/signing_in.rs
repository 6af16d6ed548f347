use std::collections::BTreeSet;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::server::{Answer, Server, clients, quick};
use crate::auth0::{ApiError, Connection, Credential, NetworkCause};
use crate::model::event::ProgressSink;
use crate::model::{Domain, Secret};

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
