use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::server::{Answer, Server, clients};
use crate::auth0::{ApiError, Sent, Settled, Settlement, Writer};
use crate::model::{Body, Entity};

fn body() -> Body {
    serde_json::from_value(json!({"name": "New"})).unwrap()
}

fn stored() -> Value {
    json!({"client_id": "c1", "name": "New", "tenant": "acme"})
}

fn entity() -> Entity {
    Entity { id: "c1".into(), body: serde_json::from_value(stored()).unwrap() }
}

/// Sends one PATCH to a tenant that answers the attempts in turn, the last for ever; counts how often it was settled.
async fn patch(
    answers: Vec<fn() -> Answer>,
    settled: impl Fn() -> Result<Settled, ApiError> + Send + Sync + 'static,
) -> (Sent, Server, usize) {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |r| {
        (r.method == "PATCH").then(|| answers[calls.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1)]())
    })
    .await;
    let writer = Writer::open(&server.connect(), &"20260101-run".into()).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    // Spawned, since a run does: the future must be `Send`.
    let task = tokio::spawn(async move {
        let settle = || async {
            counter.fetch_add(1, Ordering::Relaxed);
            settled()
        };
        writer.patch(&clients(), &"c1".into(), (&body(), &|_: &str| true), "20260101-run/17", settle).await
    });
    (task.await.unwrap(), server, asked.load(Ordering::Relaxed))
}

fn never() -> Result<Settled, ApiError> {
    panic!("nothing was to be settled")
}

#[tokio::test]
async fn a_write_is_one_request_that_names_its_run_and_row() {
    let (sent, server, _) = patch(vec![|| Answer::Json(200, stored())], never).await;
    assert_eq!(sent.result.unwrap(), entity());
    assert_eq!((sent.attempts, sent.settlement), (1, Settlement::NotNeeded));
    let requests = server.requests();
    let request = requests.iter().find(|r| r.method == "PATCH").unwrap();
    assert_eq!(request.path, "/api/v2/clients/c1");
    assert_eq!(request.body, json!({"name": "New"}));
    assert_eq!(request.header("x-correlation-id"), "20260101-run/17");
    assert!(request.header("user-agent").ends_with(" run/20260101-run"));
}

#[tokio::test]
async fn a_lost_answer_to_a_write_that_landed_is_never_sent_again() {
    let losses: [fn() -> Answer; 4] = [
        || Answer::Reset,
        || Answer::Hang,
        || Answer::CutOff(stored()),
        || Answer::Raw(200, "", "<html>not what the API answers".into()),
    ];
    for lose in losses {
        let (sent, server, asked) = patch(vec![lose], || Ok(Settled::Landed(entity()))).await;
        assert_eq!(sent.result.unwrap(), entity());
        assert_eq!((sent.attempts, asked, sent.settlement), (1, 1, Settlement::Landed));
        assert_eq!(server.count("PATCH", "/"), 1);
    }
}

#[tokio::test]
async fn an_answer_about_another_object_is_a_lost_answer() {
    let other = || Answer::Json(200, json!({"client_id": "c2"}));
    let (sent, _, asked) =
        patch(vec![other, || Answer::Json(200, stored())], || Ok(Settled::SendAgain)).await;
    assert_eq!((sent.attempts, asked, sent.settlement), (2, 1, Settlement::NotLanded));
    assert!(sent.result.is_ok());
}

#[tokio::test]
async fn a_lost_write_that_did_not_land_is_sent_again_when_asked_to() {
    let (sent, _, asked) =
        patch(vec![|| Answer::Reset, || Answer::Json(200, stored())], || Ok(Settled::SendAgain)).await;
    assert_eq!((sent.attempts, asked, sent.settlement), (2, 1, Settlement::NotLanded));
    assert_eq!(sent.result.unwrap(), entity());
}

#[tokio::test]
async fn a_caller_may_give_up() {
    let (sent, _, asked) = patch(vec![|| Answer::Reset], || Ok(Settled::GiveUp)).await;
    assert!(matches!(sent.result, Err(ApiError::Network { .. })));
    assert_eq!((sent.attempts, asked, sent.settlement), (1, 1, Settlement::GivenUp));
}

#[tokio::test]
async fn where_nobody_can_tell_it_is_said_so() {
    let (sent, _, _) = patch(vec![|| Answer::Reset], || Err(ApiError::Malformed("x".into()))).await;
    assert!(matches!(sent.result, Err(ApiError::Network { .. })));
    assert_eq!(sent.settlement, Settlement::Unknown);
}

#[tokio::test]
async fn a_server_failure_is_simply_retried() {
    let (sent, _, asked) =
        patch(vec![|| Answer::Raw(503, "", "busy".into()), || Answer::Json(200, stored())], never).await;
    assert_eq!((sent.attempts, asked), (2, 0));
    assert!(sent.result.is_ok());
}

#[tokio::test]
async fn a_write_that_a_gateway_gave_up_on_is_looked_for_before_it_is_sent_again() {
    let (sent, _, asked) =
        patch(vec![|| Answer::Raw(504, "", "gateway".into())], || Ok(Settled::Landed(entity()))).await;
    assert_eq!((sent.attempts, asked, sent.settlement), (1, 1, Settlement::Landed));
    assert!(sent.result.is_ok());
}

#[tokio::test]
async fn a_write_is_not_called_failed_after_server_failures_before_it_was_looked_for() {
    let fail: fn() -> Answer = || Answer::Raw(503, "", "busy".into());
    let (landed, _, asked) = patch(vec![fail], || Ok(Settled::Landed(entity()))).await;
    assert_eq!((landed.attempts, asked, landed.settlement), (6, 1, Settlement::Landed));
    assert!(landed.result.is_ok());
    let (failed, _, asked) = patch(vec![fail], || Ok(Settled::SendAgain)).await;
    assert_eq!((failed.attempts, asked, failed.settlement), (6, 1, Settlement::NotLanded));
    assert_eq!(failed.result.unwrap_err().status(), Some(503));
}

#[tokio::test]
async fn losing_every_answer_ends() {
    let (sent, _, asked) = patch(vec![|| Answer::Reset], || Ok(Settled::SendAgain)).await;
    assert!(matches!(sent.result, Err(ApiError::Network { attempts: 6, .. })));
    assert_eq!((sent.attempts, asked), (6, 6));
}

#[tokio::test]
async fn a_refusal_is_final() {
    for status in [400, 403, 404, 409] {
        let answer: fn() -> Answer = match status {
            400 => || Answer::Json(400, json!({"message": "no", "errorCode": "invalid_body"})),
            403 => || {
                Answer::Json(403, json!({"message": "Insufficient scope, expected any of: update:clients"}))
            },
            404 => || Answer::Json(404, json!({"message": "no"})),
            _ => || Answer::Json(409, json!({"message": "no"})),
        };
        let (sent, server, _) = patch(vec![answer], never).await;
        let error = sent.result.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.stops_tenant(), status == 403);
        assert_eq!(server.count("PATCH", "/"), 1);
    }
}
