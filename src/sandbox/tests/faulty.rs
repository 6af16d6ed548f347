//! What goes wrong on purpose.

use super::*;

async fn troubled(faults: &str) -> (Caller, String) {
    let caller = Caller::with(|options| options.faults = faults.parse().unwrap()).await;
    let id = caller.id_of("acme-portal-dev");
    (caller, id)
}

fn name_of(caller: &Caller, id: &str) -> String {
    caller.tenant().client(id).unwrap()["name"].as_str().unwrap().to_owned()
}

/// Whether the peer's reset, rather than an orderly end, is at the bottom of an error.
fn is_reset(error: &reqwest::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::ConnectionReset) {
            return true;
        }
        cause = error.source();
    }
    false
}

#[tokio::test]
async fn a_reset_before_breaks_the_connection_and_changes_nothing() {
    let (caller, id) = troubled("patch:reset-before=#1").await;
    let error = caller.send_patch(&id, &json!({"name": "new"})).await.unwrap_err();
    assert!(is_reset(&error), "{error:?}");
    assert_eq!(name_of(&caller, &id), "acme-portal-dev");
    assert_eq!(caller.patch(&id, &json!({"name": "new"})).await.0, 200, "the next one passes");
}

#[tokio::test]
async fn a_reset_after_breaks_the_connection_and_the_change_is_there() {
    let (caller, id) = troubled("patch:reset-after=#1").await;
    let error = caller.send_patch(&id, &json!({"name": "new"})).await.unwrap_err();
    assert!(is_reset(&error), "{error:?}");
    assert_eq!(name_of(&caller, &id), "new");
}

#[tokio::test]
async fn a_status_comes_before_or_after_the_change() {
    let (caller, id) = troubled("patch:503=#1,patch:502-after=#2,429=0%").await;
    let (status, body) = caller.patch(&id, &json!({"name": "one"})).await;
    assert_eq!((status, &body["error"]), (503, &json!("Service Unavailable")));
    assert_eq!(name_of(&caller, &id), "acme-portal-dev");
    let (status, body) = caller.patch(&id, &json!({"name": "two"})).await;
    assert_eq!((status, body), (502, Value::Null), "the edge answers no JSON");
    assert_eq!(name_of(&caller, &id), "two");
}

#[tokio::test]
async fn a_hang_never_answers_and_does_not_keep_the_sandbox_from_stopping() {
    for (faults, expected) in [("patch:hang=#1", "acme-portal-dev"), ("patch:hang-after=#1", "new")] {
        let (caller, id) = troubled(faults).await;
        let request =
            caller.request(Method::PATCH, &format!("/api/v2/clients/{id}")).json(&json!({"name": "new"}));
        let hanging = tokio::spawn(request.send());
        while caller.tenant().counters().faults == 0 || name_of(&caller, &id) != expected {
            tokio::task::yield_now().await;
        }
        assert!(!hanging.is_finished());
        tokio::time::timeout(Duration::from_secs(1), caller.sandbox.stop()).await.expect("it hangs as well");
        assert!(hanging.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn a_truncated_answer_cannot_be_read_though_the_change_is_there() {
    let (caller, id) = troubled("patch:truncate=#1").await;
    let response = caller.send_patch(&id, &json!({"name": "new"})).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
    assert_eq!(name_of(&caller, &id), "new");
}

#[tokio::test]
async fn a_malformed_answer_is_a_success_without_json_though_the_change_is_there() {
    let (caller, id) = troubled("patch:malformed=#1").await;
    let (status, body) = caller.patch(&id, &json!({"name": "new"})).await;
    assert_eq!((status, body), (200, Value::Null));
    assert_eq!(name_of(&caller, &id), "new");
}

#[tokio::test]
async fn tokens_expire_after_so_many_calls() {
    let (mut caller, _) = troubled("expire-token-after=3").await;
    for _ in 0..3 {
        assert_eq!(caller.get("/api/v2/clients").await.0, 200);
    }
    assert_eq!(caller.get("/api/v2/clients").await.0, 401);
    caller.token = caller.fresh_token().await;
    assert_eq!(caller.get("/api/v2/clients").await.0, 200);
}

#[tokio::test]
async fn the_same_seed_strikes_the_same_requests() {
    let struck = async |seed| {
        let caller = Caller::with(|options| {
            options.seed = seed;
            options.faults = "503=20%,token:500=0%".parse().unwrap();
        })
        .await;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(caller.get("/api/v2/clients?per_page=1").await.0);
        }
        statuses
    };
    let first = struck(5).await;
    assert_eq!(struck(5).await, first);
    assert_ne!(struck(6).await, first);
    assert!((2..=16).contains(&first.iter().filter(|status| **status == 503).count()), "{first:?}");
}

#[tokio::test]
async fn faults_can_be_changed_while_it_runs() {
    let (caller, _) = troubled("503=100%").await;
    assert_eq!(caller.get("/api/v2/clients").await.0, 503);
    caller.tenant().set_faults(Faults::default());
    assert_eq!(caller.get("/api/v2/clients").await.0, 200);
}

#[tokio::test]
async fn an_answer_takes_its_time() {
    let latency = Latency { mean: Duration::from_millis(60), spread: Duration::from_millis(20) };
    let caller = Caller::with(|options| options.latency = latency).await;
    let start = tokio::time::Instant::now();
    caller.get("/api/v2/clients?per_page=1").await;
    assert!(start.elapsed() >= Duration::from_millis(40), "{:?}", start.elapsed());
}

#[tokio::test]
async fn what_has_arrived_is_done_though_the_caller_goes_away() {
    let latency = Latency { mean: Duration::from_millis(400), spread: Duration::ZERO };
    let caller = Caller::with(|options| options.latency = latency).await;
    let id = caller.id_of("acme-portal-dev");
    let request =
        caller.request(Method::PATCH, &format!("/api/v2/clients/{id}")).json(&json!({"name": "new"}));
    let sent = tokio::spawn(request.send());
    while caller.tenant().counters().patches.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(name_of(&caller, &id), "acme-portal-dev");
    sent.abort();
    tokio::time::timeout(Duration::from_secs(5), async {
        while name_of(&caller, &id) != "new" {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}
