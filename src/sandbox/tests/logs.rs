//! The tenant's log.

use super::*;

async fn tills() -> Caller {
    let clients: Vec<Value> = (0..3)
        .map(|n| json!({"name": format!("Till {n}"), "client_id": format!("Till{n}"), "signing_keys": [{"cert": "c"}]}))
        .collect();
    let scopes = "read:clients read:client_keys update:clients update:client_keys create:clients delete:clients read:logs";
    Caller::with(|options| {
        options.load = loaded(&clients);
        options.scopes = scopes.split(' ').map(str::to_owned).collect();
    })
    .await
}

/// The events that a query finds.
async fn events(caller: &Caller, query: &str) -> Vec<Value> {
    let (status, body) = caller.get(&format!("/api/v2/logs{query}")).await;
    assert_eq!(status, 200, "{body}");
    body.as_array().unwrap().clone()
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["log_id"].as_str().unwrap()).collect()
}

fn ada() -> DashboardUser {
    DashboardUser { name: "Ada Lovelace".into(), email: "ada@acme.example".into() }
}

#[tokio::test]
async fn an_update_leaves_an_event_as_the_service_writes_it() {
    let caller = tills().await;
    let (_, client) = caller
        .request(Method::PATCH, "/api/v2/clients/Till1")
        .header("x-correlation-id", "r".repeat(70))
        .header("auth0-client", "eyJuYW1lIjoicGF0Y2h3YXZlIn0=")
        .header("user-agent", "patchwave/1")
        .json(&json!({"description": "at the door"}))
        .send()
        .await
        .map(answer)
        .unwrap()
        .await;
    let [event] = events(&caller, "").await.try_into().unwrap();
    let id = event["log_id"].as_str().unwrap();
    assert_eq!((id.len(), &id[..3], id.bytes().all(|byte| byte.is_ascii_digit())), (56, "900", true));
    let date = event["date"].as_str().unwrap();
    assert_eq!(id[3..17], date[..19].replace(['-', 'T', ':'], ""));
    let mut body = client.as_object().unwrap().clone();
    body.retain(|key, _| !["signing_keys", "tenant", "global"].contains(&key.as_str()));
    body["client_secret"] = json!("REDACTED");
    let scopes = "read:clients read:client_keys update:clients update:client_keys create:clients delete:clients read:logs";
    assert_eq!(
        event,
        json!({
            "_id": id,
            "log_id": id,
            "date": date,
            "type": "sapi",
            "description": "Update a client",
            "client_id": caller.tenant().client_id(),
            "client_name": "",
            "ip": "127.0.0.1",
            "user_agent": "patchwave/1",
            "user_id": "",
            "user_name": "",
            "details": {
                "request": {
                    "method": "patch",
                    "path": "/api/v2/clients/Till1",
                    "query": {},
                    "userAgent": "patchwave/1",
                    "body": {"description": "at the door"},
                    "channel": "api",
                    "ip": "127.0.0.1",
                    "auth": {
                        "strategy": "jwt",
                        "user": {},
                        "credentials": {"jti": "0", "scopes": scopes.split(' ').collect::<Vec<_>>()},
                    },
                },
                "response": {"statusCode": 200, "body": body},
            },
            "auth0_client": {"name": "patchwave"},
            "references": {"correlation_id": "r".repeat(64)},
            "connection": null,
            "connection_id": null,
            "organization_id": null,
            "hostname": null,
            "audience": null,
            "strategy": null,
            "strategy_type": null,
            "isMobile": false,
            "location_info": null,
        })
    );
    assert_eq!(caller.get(&format!("/api/v2/logs/{id}")).await, (200, event.clone()));
}

#[tokio::test]
async fn every_write_that_succeeds_is_logged_and_nothing_else() {
    let caller = tills().await;
    let send = async |method, path: &str, body: Value| {
        let request = caller.request(method, &format!("/api/v2/clients{path}")).json(&body);
        answer(request.send().await.unwrap()).await
    };
    let (_, made) = send(Method::POST, "", json!({"name": "Kiosk"})).await;
    let id = made["client_id"].as_str().unwrap();
    send(Method::PATCH, &format!("/{id}"), json!({"name": "Kiosk 2"})).await;
    send(Method::PATCH, &format!("/{id}"), json!({"nmae": "Kiosk 3"})).await;
    send(Method::PATCH, "/nobody", json!({"name": "Kiosk 3"})).await;
    send(Method::GET, &format!("/{id}"), json!({})).await;
    send(Method::POST, &format!("/{id}/rotate-secret"), json!({})).await;
    send(Method::DELETE, &format!("/{id}"), json!({})).await;
    let told: Vec<Value> = events(&caller, "?sort=date:1")
        .await
        .iter()
        .map(|event| {
            let (request, response) = (&event["details"]["request"], &event["details"]["response"]);
            json!([
                event["description"],
                request["method"],
                request["path"],
                response["statusCode"],
                response["body"]["client_secret"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["Create a client", "post", "/api/v2/clients", 201, "REDACTED"]),
            json!(["Update a client", "patch", format!("/api/v2/clients/{id}"), 200, "REDACTED"]),
            json!([
                "Rotate a client secret",
                "post",
                format!("/api/v2/clients/{id}/rotate-secret"),
                200,
                "REDACTED"
            ]),
            json!(["Delete a client", "delete", format!("/api/v2/clients/{id}"), 204, null]),
        ]
    );
    assert_eq!(caller.tenant().counters().logs, 1);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_logged_all_the_same() {
    let caller = tills().await;
    caller.tenant().set_faults("patch:503-after=100%".parse().unwrap());
    assert_eq!(caller.patch("Till0", &json!({"name": "Lost"})).await.0, 503);
    assert_eq!(events(&caller, "").await.len(), 1);
}

#[tokio::test]
async fn somebody_in_the_dashboard_is_logged_by_name_from_a_test_and_over_http() {
    let caller = tills().await;
    let patch = json!({"name": "By hand"});
    caller.tenant().patch_as(&ada(), "Till0", patch.as_object().unwrap()).unwrap();
    caller
        .request(Method::PATCH, "/api/v2/clients/Till1")
        .header("x-sandbox-user", "Zoë Größe <ada@acme.example>".as_bytes())
        .json(&patch)
        .send()
        .await
        .unwrap();
    let both = events(&caller, "?q=user_name:ada@acme.example").await;
    assert_eq!(both.len(), 2);
    for (event, name) in both.iter().zip(["Zoë Größe", "Ada Lovelace"]) {
        assert_ne!(event["client_id"], caller.tenant().client_id(), "the Dashboard's own client");
        let request = &event["details"]["request"];
        assert_eq!(request["channel"], "https://manage.auth0.com/");
        let user = &request["auth"]["user"];
        assert_eq!((&user["name"], &user["email"]), (&json!(name), &json!("ada@acme.example")));
        assert_eq!((&event["user_id"], &event["user_name"]), (&user["user_id"], &user["email"]));
        assert_eq!(request["auth"]["credentials"].get("scopes"), None);
    }
    let refusal = caller.tenant().patch_as(&ada(), "Till0", json!({}).as_object().unwrap()).unwrap_err();
    assert!(refusal.contains("Too few properties defined"), "{refusal}");
    assert_eq!(caller.tenant().client("Till0").unwrap()["name"], "By hand");
    assert_eq!(caller.tenant().events().len(), 2, "what was refused is not logged");
}

#[tokio::test]
async fn pages_come_newest_first_and_a_search_finds_what_fits_all_of_it() {
    let caller = tills().await;
    for n in 0..5 {
        caller.patch(&format!("Till{}", n % 3), &json!({"description": format!("{n}")})).await;
    }
    caller.post(&json!({"name": "Kiosk"})).await;
    let all = events(&caller, "").await;
    let mut sorted = ids(&all);
    sorted.sort_unstable();
    sorted.reverse();
    assert_eq!((all.len(), ids(&all)), (6, sorted));
    let oldest_first = events(&caller, "?sort=date:1&per_page=2&page=1").await;
    assert_eq!(ids(&oldest_first), [ids(&all)[3], ids(&all)[2]]);

    let (_, with_totals) = caller.get("/api/v2/logs?include_totals=true&per_page=4&page=1").await;
    assert_eq!(
        (&with_totals["start"], &with_totals["limit"], &with_totals["length"], &with_totals["total"]),
        (&json!(4), &json!(4), &json!(2), &json!(2))
    );
    assert_eq!(with_totals["logs"].as_array().unwrap().len(), 2);

    let (first, last) = (all[5]["date"].as_str().unwrap(), all[0]["date"].as_str().unwrap());
    let me = caller.tenant().client_id();
    for (q, found) in [
        ("type:sapi".to_owned(), 6),
        ("type:fapi".to_owned(), 0),
        ("description:\"Update a client\"".to_owned(), 5),
        (format!("type:sapi AND description:\"Create a client\" AND client_id:{me}"), 1),
        ("client_id:Till1".to_owned(), 0),
        (format!("date:[{first} TO {last}]"), 6),
        (format!("date:[{first} TO *] AND log_id:{}", ids(&all)[2]), 1),
        ("date:[2001-01-01 TO 2001-12-31]".to_owned(), 0),
        ("hostname:acme.example".to_owned(), 0),
    ] {
        let q = percent_encoding::utf8_percent_encode(&q, percent_encoding::NON_ALPHANUMERIC);
        assert_eq!(events(&caller, &format!("?q={q}")).await.len(), found, "{q}");
    }
    assert_eq!(caller.get("/api/v2/logs?q=type%3Asapi+OR+type%3As").await.0, 400);
    assert_eq!(caller.get("/api/v2/logs?sort=client_id:1").await.0, 400);

    let shown = events(&caller, "?fields=log_id,type&per_page=1").await;
    assert_eq!(shown, [json!({"log_id": ids(&all)[0], "type": "sapi"})]);
    let hidden = events(&caller, "?fields=details&include_fields=false&per_page=1").await;
    assert_eq!((hidden[0].get("details"), &hidden[0]["type"]), (None, &json!("sapi")));
}

#[tokio::test]
async fn a_checkpoint_walks_on_from_an_event_and_an_empty_page_leads_to_itself() {
    let caller = tills().await;
    for n in 0..5 {
        caller.patch("Till0", &json!({"description": format!("{n}")})).await;
    }
    let mut path = "/api/v2/logs?from=&take=2".to_owned();
    let mut seen = Vec::new();
    for expected in [2, 2, 1, 0, 0] {
        let response = caller.request(Method::GET, &path).send().await.unwrap();
        let link = response.headers()["link"].to_str().unwrap().to_owned();
        let next = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        let page = answer(response).await.1.as_array().unwrap().clone();
        assert_eq!(page.len(), expected);
        seen.extend(page.iter().map(|event| event["details"]["request"]["body"]["description"].clone()));
        let at = next.strip_prefix(&caller.url("")).unwrap().to_owned();
        assert!(expected > 0 || at == path, "{at}");
        path = at;
    }
    assert_eq!(seen, ["0", "1", "2", "3", "4"].map(Value::from));
    // With a checkpoint everything else is ignored.
    assert_eq!(events(&caller, "?take=3&q=type:none&fields=date").await.len(), 3);
}

#[tokio::test]
async fn the_log_is_for_tokens_with_read_logs() {
    let caller = Caller::with(|options| options.scopes = vec!["read:clients".into()]).await;
    for path in ["/api/v2/logs", "/api/v2/logs/90020260801101500123456000000000000001223372036854775807"] {
        let (status, body) = caller.get(path).await;
        assert_eq!(
            (status, &body["message"]),
            (403, &json!("Insufficient scope, expected any of: read:logs,read:logs_users"))
        );
    }
}

#[tokio::test]
async fn events_are_seen_after_a_delay_and_kept_for_a_time() {
    let day = Duration::from_secs(86_400);
    let options =
        LogOptions { retention: Some(day), delay: Duration::from_secs(60), ..LogOptions::default() };
    let caller = Caller::with(|all| all.log = options).await;
    let id = caller.id_of("All Applications");
    let id =
        caller.tenant().state().iter().map(|client| client["client_id"].clone()).find(|other| *other != id);
    let id = id.unwrap();
    let id = id.as_str().unwrap();
    let seen = async || {
        let log = events(&caller, "").await;
        let first = events(&caller, "?take=100").await;
        assert_eq!((first.len(), caller.tenant().events().len()), (log.len(), log.len()));
        log.len()
    };
    caller.patch(id, &json!({"description": "1"})).await;
    assert_eq!(seen().await, 0, "too new");
    caller.tenant().age_log(Duration::from_secs(60));
    assert_eq!(seen().await, 1);
    let log_id = events(&caller, "").await[0]["log_id"].as_str().unwrap().to_owned();
    assert_eq!(caller.get(&format!("/api/v2/logs/{log_id}")).await.0, 200);
    caller.tenant().age_log(day);
    assert_eq!(seen().await, 0, "too old");
    let (status, body) = caller.get(&format!("/api/v2/logs/{log_id}")).await;
    assert_eq!((status, &body["message"]), (404, &json!("Log not found.")));
}

#[tokio::test]
async fn a_checkpoint_walk_can_deliver_events_twice_and_gets_to_its_end_all_the_same() {
    for (doubles, take) in [(1, 1), (1, 2), (1, 100), (2, 3), (3, 2)] {
        let caller = Caller::with(|options| {
            options.load = loaded(&[json!({"name": "Till 0", "client_id": "Till0"})]);
            options.log = LogOptions { doubles, ..LogOptions::default() };
        })
        .await;
        for n in 0..6 {
            caller.patch("Till0", &json!({"description": format!("{n}")})).await;
        }
        let (mut from, mut seen) = (String::new(), Vec::new());
        for _ in 0..20 {
            let page = events(&caller, &format!("?from={from}&take={take}")).await;
            assert!(page.len() <= take);
            let Some(last) = page.last() else { break };
            from = last["log_id"].as_str().unwrap().to_owned();
            seen.extend(page.iter().map(|event| event["log_id"].as_str().unwrap().to_owned()));
        }
        let delivered = seen.len();
        seen.dedup();
        assert_eq!(seen.len(), 6, "every {doubles}, pages of {take}");
        assert!(delivered > 6 || take == 1, "every {doubles}, pages of {take}");
        assert!(events(&caller, &format!("?from={from}&take={take}")).await.is_empty(), "an end is an end");
    }
}
