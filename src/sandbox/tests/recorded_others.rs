//! Against exchanges with the real service about other kinds than clients, where the recordings are at hand.

use std::path::Path;

use super::*;
use crate::catalogue::{Kind, kind};

fn reference() -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/real-others.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            println!("skipped: {} cannot be read ({error})", path.display());
            None
        }
    }
}

/// What of a recorded body the catalogue knows: the service is a few months ahead of it.
fn known(kind: &Kind, body: &Value) -> Value {
    let fields = &kind.root().fields;
    body.as_object()
        .unwrap()
        .iter()
        .filter(|(key, _)| fields.contains_key(*key))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect::<Body>()
        .into()
}

fn list<'a>(about: &'a Value, what: &str) -> &'a Vec<Value> {
    about[what].as_array().unwrap()
}

/// Adds what a body names, so that it can be named.
fn prepare(caller: &Caller, body: &Value) {
    let add =
        |kind: &str, object: Value| caller.tenant().add_object(kind, object.as_object().unwrap().clone());
    if let Some(client) = body.get("client_id") {
        add("clients", json!({"client_id": client, "name": "x"}));
    }
    if let Some(owner) = body.get("owner_id") {
        add("organizations", json!({"id": owner, "name": "x"}));
    }
    if let Some(audience) = body.get("audience") {
        add("resource-servers", json!({"identifier": audience, "name": "x"}));
    }
}

/// Fields that do not come back as they were sent: hidden, told otherwise, or (the service's own habit) filled up.
fn comes_back(field: &str) -> bool {
    !matches!(field, "secrets" | "options" | "modules")
}

fn judge(source: &Value, request: &Value, recorded: &Value, answered: &Value, wrong: &mut Vec<String>) {
    for (field, value) in request.as_object().unwrap().iter().filter(|(field, _)| comes_back(field)) {
        // Recorded: metadata that is emptied is gone.
        let same = answered.get(field) == recorded.get(field) || answered.get(field) == Some(value);
        if !same {
            wrong.push(format!("{source}: {field} is {:?}", answered.get(field)));
        }
    }
    // Not in the catalogue, or of strategies that the sandbox does not play.
    let strange = ["provisioning_ticket_url", "current_version", "deployed_version", "metadata"];
    let lacks = recorded.as_object().unwrap().keys().filter(|key| answered.get(*key).is_none());
    for key in lacks.filter(|key| !strange.contains(&key.as_str())) {
        wrong.push(format!("{source}: {key} is missing"));
    }
}

#[tokio::test]
async fn recorded_creations_and_updates_of_other_kinds_are_answered_as_they_were() {
    let Some(recorded) = reference() else { return };
    let (mut wrong, mut judged) = (Vec::new(), 0);
    for (name, about) in recorded.as_object().unwrap() {
        let kind = kind(name).unwrap();
        for exchange in list(about, "creates") {
            let caller = Caller::with(|options| options.clients = 2).await;
            prepare(&caller, &exchange["request"]);
            let path = format!("/api/v2/{}", kind.endpoint.path);
            let request = known(kind, &exchange["request"]);
            let sent = caller.request(Method::POST, &path).json(&request).send().await.unwrap();
            let (status, answered) = answer(sent).await;
            if json!(status) != exchange["status"] {
                wrong.push(format!("{}: {status} {}", exchange["source"], answered["message"]));
                continue;
            }
            judge(&exchange["source"], &request, &known(kind, &exchange["body"]), &answered, &mut wrong);
            judged += 1;
        }
        for exchange in list(about, "updates") {
            let caller = Caller::with(|options| options.clients = 2).await;
            let after = exchange["body"].as_object().unwrap().clone();
            let id = after[&kind.endpoint.id_field].as_str().unwrap().to_owned();
            prepare(&caller, &exchange["body"]);
            caller.tenant().add_object(name, after);
            let path = format!("/api/v2/{}/{id}", kind.endpoint.path);
            let request = known(kind, &exchange["request"]);
            let sent = caller.request(Method::PATCH, &path).json(&request).send().await.unwrap();
            let (status, answered) = answer(sent).await;
            if json!(status) != exchange["status"] {
                wrong.push(format!("{}: {status} {}", exchange["source"], answered["message"]));
                continue;
            }
            judge(&exchange["source"], &request, &known(kind, &exchange["body"]), &answered, &mut wrong);
            judged += 1;
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(judged > 40, "{judged}");
}

/// The keys of a recorded list's envelope are those of the sandbox's answer to the same query.
#[tokio::test]
async fn recorded_lists_of_other_kinds_have_the_same_form() {
    let Some(recorded) = reference() else { return };
    let caller = Caller::with(|_| {}).await;
    let mut judged = 0;
    for (name, about) in recorded.as_object().unwrap() {
        let kind = kind(name).unwrap();
        for exchange in list(about, "lists") {
            let query = exchange["query"].as_str().unwrap();
            let (status, answered) = caller.get(&format!("/api/v2/{}?{query}", kind.endpoint.path)).await;
            // Parameters that the catalogue does not know (`owner_id`) are refused.
            if status == 400 {
                println!("refused: {name}?{query}");
                continue;
            }
            let keys = |body: &Value| {
                let mut keys: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
                // An end of the list, or an empty one of actions, is told by a key that is not there.
                keys.retain(|key| key != "next" && !(name == "actions" && key == "total"));
                keys.sort();
                keys
            };
            assert_eq!(keys(&answered), keys(&exchange["body"]), "{name}?{query}");
            judged += 1;
        }
    }
    assert!(judged >= 15, "{judged}");
}

#[tokio::test]
async fn recorded_errors_about_other_kinds_are_answered_as_they_were() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/reference/error-bodies.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        return println!("skipped: {} cannot be read", path.display());
    };
    let caller = Caller::with(|_| {}).await;
    let mut judged = 0;
    for error in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let route = error["route"].as_str().unwrap();
        let known = crate::catalogue::kinds().any(|kind| {
            route.strip_prefix("/api/v2/").and_then(|route| route.split('/').next())
                == kind.endpoint.path.split('/').next()
        });
        if error["status"] != 404 || !known || route.matches('/').count() > 4 || route.contains("scim") {
            continue;
        }
        let told = caller.get(error["path"].as_str().unwrap()).await;
        assert_eq!(told, (404, error["body"].clone()), "{route}");
        judged += 1;
    }
    assert!(judged >= 4, "{judged}");
}
