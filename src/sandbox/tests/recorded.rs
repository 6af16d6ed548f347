//! Against exchanges with the real service: those recorded, where they are at hand, and those written here from what is known.

use std::collections::HashMap;
use std::path::Path;

use super::*;
use crate::model::value::same;

fn reference(name: &str) -> Option<Vec<Value>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()),
        Err(error) => {
            println!("skipped: {} cannot be read ({error})", path.display());
            None
        }
    }
}

/// In many recordings the request before the PATCH was about something else, so that `before` is a stub.
fn is_stub(before: &Value) -> bool {
    before.get("name").is_none()
}

/// The fields that do not agree. Of a stub's answer only what the PATCH named can be judged.
fn differences(answered: &Value, after: &Value, judged: impl Fn(&str) -> bool) -> Vec<String> {
    let keys = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut keys = [keys(answered), keys(after)].concat();
    keys.sort();
    keys.dedup();
    keys.retain(|key| key != "signing_keys" && key != "client_secret" && judged(key));
    keys.retain(|key| !same(answered.get(key), after.get(key), Default::default()));
    let hidden = |body: &Value| body.get("client_secret").is_none();
    if hidden(answered) != hidden(after) {
        keys.push("client_secret".into());
    }
    keys
}

#[tokio::test]
async fn recorded_patches_are_answered_as_they_were() {
    let Some(exchanges) = reference("patch-exchanges.jsonl") else { return };
    let whole = replayed(&exchanges).await;
    println!(
        "{} recorded exchanges agree, {whole} of them with the whole state before known",
        exchanges.len()
    );
}

#[tokio::test]
async fn each_behaviour_of_a_patch_that_is_known_is_answered_so() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges/own.jsonl");
    let text = std::fs::read_to_string(path).unwrap();
    let mut exchanges: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(exchanges.len() >= 40, "{}", exchanges.len());
    for (at, exchange) in exchanges.iter_mut().enumerate() {
        exchange["client_id"] = json!(format!("own{at}"));
        exchange["after"]["client_id"] = exchange["client_id"].clone();
        exchange["source"] = exchange["why"].clone();
    }
    assert_eq!(replayed(&exchanges).await, exchanges.len());
}

/// Replays exchanges, and returns of how many the whole state before is known. Panics where an answer differs.
async fn replayed(exchanges: &[Value]) -> usize {
    let caller = Caller::with(|options| options.load = Some(Vec::new())).await;
    let mut known = HashMap::<String, Value>::new();
    let (mut wrong, mut whole) = (Vec::new(), 0);
    for exchange in exchanges {
        let id = exchange["client_id"].as_str().unwrap();
        let stub = is_stub(&exchange["before"]);
        whole += usize::from(!stub);
        let mut before = match known.get(id).filter(|_| stub) {
            Some(earlier) => earlier.clone(),
            None => exchange["before"].clone(),
        };
        before["client_id"] = json!(id);
        // Not fields of a client: the stub is the answer to another call.
        for key in ["mapped_fields", "validation"] {
            before.as_object_mut().unwrap().remove(key);
        }
        caller.tenant().remove(id);
        caller.tenant().add(before.as_object().unwrap().clone());
        let (status, answered) = caller.patch(id, &exchange["patch"]).await;
        let sent = |key: &str| exchange["patch"].get(key).is_some();
        let partly = |key: &str| sent(key) && !(key == "jwt_configuration" && stub);
        let differing = differences(&answered, &exchange["after"], |key| !stub || partly(key));
        if status != 200 || !differing.is_empty() {
            wrong.push(format!(
                "{} answered {status}, other than recorded: {differing:?} {}",
                exchange["source"], answered["message"]
            ));
        }
        known.insert(id.to_owned(), exchange["after"].clone());
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), exchanges.len(), wrong.join("\n"));
    whole
}

#[tokio::test]
async fn recorded_errors_about_clients_are_answered_as_they_were() {
    let Some(errors) = reference("error-bodies.jsonl") else { return };
    let caller = Caller::with(|options| options.clients = 1).await;
    let about_clients = |error: &&Value| error["route"].as_str().unwrap().starts_with("/api/v2/clients");
    let mut judged = 0;
    for error in errors.iter().filter(about_clients) {
        let method: Method = error["method"].as_str().unwrap().parse().unwrap();
        let id = error["path"].as_str().unwrap().rsplit('/').next().unwrap();
        if method == Method::PATCH {
            caller.tenant().add(json!({"client_id": id, "name": "x"}).as_object().unwrap().clone());
        }
        let request = caller.request(method, error["path"].as_str().unwrap());
        let request = if error["request"].is_null() { request } else { request.json(&error["request"]) };
        let (status, body) = answer(request.send().await.unwrap()).await;
        assert_eq!(json!(status), error["status"], "{error}");
        // Bodies of refused client PATCHes were lost in the recording.
        if error["body"].get("message").is_some() {
            assert_eq!(body, error["body"]);
        }
        judged += 1;
    }
    assert!(judged >= 2, "{judged}");
}
