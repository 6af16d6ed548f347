use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::server::{Answer, Request, Server, clients, quick};
use crate::auth0::{ApiError, Connection, Settings};
use crate::model::event::ProgressSink;

fn client(number: usize) -> Value {
    json!({"client_id": format!("c{number}"), "name": format!("Client {number}"), "tenant": "acme"})
}

/// A tenant of so many clients that answers pages of at most `limit`, by number or by pointer.
fn list(request: &Request, total: usize, limit: usize) -> Option<Answer> {
    if !request.path.starts_with("/api/v2/clients?") {
        return None;
    }
    let number = |name: &str| request.query(name).and_then(|text| text.parse::<usize>().ok());
    if let Some(take) = number("take") {
        let from = number("from").unwrap_or(0);
        let items: Vec<_> = (from..total.min(from + take.min(limit))).map(client).collect();
        let next = from + items.len();
        let mut body = json!({"clients": items});
        if next < total {
            body["next"] = json!(next.to_string());
        }
        return Some(Answer::Json(200, body));
    }
    let size = number("per_page").unwrap().min(limit);
    let start = number("page").unwrap() * size;
    let items: Vec<_> = (start..total.min(start + size)).map(client).collect();
    Some(Answer::Json(200, json!({"total": total, "start": start, "limit": size, "clients": items})))
}

fn ids(entities: &[crate::model::Entity]) -> std::collections::BTreeSet<&str> {
    entities.iter().map(|entity| entity.id.as_str()).collect()
}

#[tokio::test]
async fn a_list_by_number_is_complete_whatever_the_page_size_and_asks_what_it_must() {
    for (limit, pages) in [(100, 3), (50, 5)] {
        let server = Server::start(move |r| list(r, 250, limit)).await;
        let all = server.connect().reader().list(&clients(), Some(&["callbacks", "name"])).await.unwrap();
        assert_eq!(ids(&all).len(), 250);
        assert_eq!(server.count("GET", "/api/v2/clients"), pages);
        let first = &server.requests()[1];
        assert_eq!(first.query("fields").unwrap(), "client_id,name,callbacks");
        assert_eq!(first.query("is_global").unwrap(), "false");
        assert_eq!(first.query("include_totals").unwrap(), "true");
        assert!(first.header("user-agent").starts_with("patchwave/"));
    }
}

#[tokio::test]
async fn above_the_limit_of_page_numbers_a_list_goes_by_pointer() {
    let server = Server::start(|r| list(r, 1234, 100)).await;
    let reader = server.connect().reader();
    // Spawned, since a run does: the future must be `Send`.
    let all = tokio::spawn(async move { reader.list(&clients(), None).await }).await.unwrap().unwrap();
    assert_eq!(ids(&all).len(), 1234);
    assert_eq!(server.requests().iter().filter(|r| r.query("take").is_some()).count(), 13);
    assert_eq!(server.count("GET", "/api/v2/clients"), 14);
}

#[tokio::test]
async fn the_first_page_lets_the_caller_decide() {
    let server = Server::start(|r| list(r, 250, 100)).await;
    let first = server.connect().reader().first_page(&clients(), None).await.unwrap();
    assert_eq!((first.items().len(), first.total(), first.pages_left()), (100, Some(250), Some(2)));
    assert_eq!(server.count("GET", "/api/v2/clients"), 1);
    assert_eq!(first.rest().await.unwrap().len(), 250);
}

#[tokio::test]
async fn what_lists_leave_out_can_be_listed() {
    let server = Server::start(|r| {
        let global = r.query("is_global").as_deref() == Some("true");
        global
            .then(|| Answer::Json(200, json!({"total": 1, "start": 0, "limit": 100, "clients": [client(7)]})))
    })
    .await;
    let reader = server.connect().reader();
    assert_eq!(ids(&reader.list_excluded(&clients(), None).await.unwrap()), ["c7"].into());
    let nothing = crate::model::Endpoint { excluded_filter: Vec::new(), ..clients() };
    assert!(reader.list_excluded(&nothing, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn plain_arrays_are_read_to_their_end() {
    let server = Server::start(|r| {
        let page: usize = r.query("page")?.parse().unwrap();
        let items: Vec<_> = (page * 2..5.min(page * 2 + 2)).map(client).collect();
        Some(Answer::Json(200, json!(items)))
    })
    .await;
    assert_eq!(server.connect().reader().list(&clients(), None).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_list_of_tomorrow_is_read_though_its_envelope_has_other_keys_and_forms() {
    for total in [json!(250.0), json!("250"), Value::Null] {
        let server = Server::start(move |r| match list(r, 250, 100)? {
            Answer::Json(status, mut body) => {
                body["total"] = total.clone();
                body["next"] = json!("");
                body["page"] = json!({"clients": "elsewhere", "count": [1, null]});
                Some(Answer::Json(status, body))
            }
            other => Some(other),
        })
        .await;
        let all = server.connect().reader().list(&clients(), None).await.unwrap();
        assert_eq!(ids(&all).len(), 250);
    }
}

#[tokio::test]
async fn a_list_without_a_total_that_points_at_its_next_page_is_followed_beyond_the_limit_of_page_numbers() {
    let server = Server::start(|r| match list(r, 1234, 100)? {
        Answer::Json(status, mut body) => {
            body.as_object_mut()?.shift_remove("total");
            if r.query("page").is_some() {
                body["next"] = json!("100");
            }
            Some(Answer::Json(status, body))
        }
        other => Some(other),
    })
    .await;
    let all = server.connect().reader().list(&clients(), None).await.unwrap();
    assert_eq!(ids(&all).len(), 1234);
    assert_eq!(server.requests().iter().filter(|r| r.query("page").is_some()).count(), 1);
}

#[tokio::test]
async fn a_list_that_shifts_while_it_is_read_is_read_anew() {
    let pages = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |r| {
        let answer = list(r, 250, 100)?;
        // The first time round, page 1 holds what page 0 held: doubles, and a hundred missing.
        let shifted = pages.fetch_add(1, Ordering::Relaxed) < 3 && r.query("page").as_deref() == Some("1");
        let items: Vec<_> = (0..100).map(client).collect();
        Some(if shifted {
            Answer::Json(200, json!({"total": 250, "start": 100, "limit": 100, "clients": items}))
        } else {
            answer
        })
    })
    .await;
    let all = server.connect().reader().list(&clients(), None).await.unwrap();
    assert_eq!((all.len(), ids(&all).len()), (250, 250));
    assert_eq!(server.count("GET", "/api/v2/clients"), 6);
}

#[tokio::test]
async fn a_list_that_stays_incomplete_is_an_error() {
    for total in [150, 2000] {
        let server = Server::start(move |r| match list(r, 120, 100)? {
            Answer::Json(status, mut body) => {
                if body["total"].is_number() {
                    body["total"] = json!(total);
                }
                Some(Answer::Json(status, body))
            }
            other => Some(other),
        })
        .await;
        let error = server.connect().reader().list(&clients(), None).await.unwrap_err();
        assert_eq!(error, ApiError::Incomplete { collection: "clients".into(), total, arrived: 120 });
    }
}

#[tokio::test]
async fn a_list_that_grows_while_it_is_read_is_read_on() {
    let asked = AtomicUsize::new(0);
    let server =
        Server::start(move |r| list(r, 120 + 30 * asked.fetch_add(1, Ordering::Relaxed).min(9), 100)).await;
    let all = server.connect().reader().list(&clients(), None).await.unwrap();
    assert_eq!((all.len(), ids(&all).len()), (390, 390));
}

#[tokio::test]
async fn a_pointer_that_leads_nowhere_ends() {
    let server = Server::start(|r| {
        let items = json!([client(1)]);
        if r.query("take").is_some() {
            return Some(Answer::Json(200, json!({"clients": items, "next": "same"})));
        }
        r.query("page").map(|_| Answer::Json(200, json!({"total": 5000, "limit": 100, "clients": items})))
    })
    .await;
    let error = server.connect().reader().list(&clients(), None).await.unwrap_err();
    assert!(matches!(error, ApiError::Incomplete { .. }), "{error}");
}

#[tokio::test]
async fn a_read_survives_what_passes() {
    for bad in [503, 408, 0, 1] {
        let calls = AtomicUsize::new(0);
        let server = Server::start(move |r| {
            r.path.starts_with("/api").then(|| match (calls.fetch_add(1, Ordering::Relaxed), bad) {
                (0 | 1, 0) => Answer::Reset,
                (0 | 1, 1) => Answer::CutOff(client(1)),
                (0 | 1, status) => Answer::Raw(status, "", "<h1>busy</h1>".into()),
                _ => Answer::Json(200, client(1)),
            })
        })
        .await;
        let got = server.connect().reader().get(&clients(), &"c1".into(), Some(&["name"])).await.unwrap();
        assert_eq!(got.id.as_str(), "c1");
        assert_eq!(server.count("GET", "/api/v2/clients/c1"), 3, "{bad}");
    }
}

#[tokio::test]
async fn a_read_gives_up_in_the_end_with_the_last_words_of_the_server() {
    let server = Server::start(|r| {
        r.path
            .starts_with("/api")
            .then(|| Answer::Raw(502, "", "<html><title>Bad gateway</title></html>".into()))
    })
    .await;
    let error = server.connect().reader().get(&clients(), &"c1".into(), None).await.unwrap_err();
    assert_eq!(error, ApiError::Server { status: 502, message: "Bad gateway".into(), attempts: 6 });
    assert!(error.retryable());
}

#[tokio::test]
async fn refusals_are_final_and_in_auth0s_words() {
    let server = Server::start(|_| None).await;
    let error = server.connect().reader().get(&clients(), &"absent".into(), None).await.unwrap_err();
    assert_eq!((error.status(), error.error_code()), (Some(404), Some("inexistent_client")));
    assert_eq!(error.to_string(), "not found: No such client (inexistent_client)");
    assert_eq!(server.count("GET", "/api"), 1);
}

#[tokio::test]
async fn an_id_that_a_path_would_swallow_asks_nothing() {
    let server = Server::start(|r| list(r, 1, 100)).await;
    for id in ["", ".", ".."] {
        let error = server.connect().reader().get(&clients(), &id.into(), None).await.unwrap_err();
        assert!(matches!(error, ApiError::NotFound { .. }));
    }
    assert_eq!(server.count("GET", "/"), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::start(|r| {
        r.path.starts_with("/api").then(|| Answer::Raw(302, "location: /elsewhere\r\n", String::new()))
    })
    .await;
    let error = server.connect().reader().get(&clients(), &"a".into(), None).await.unwrap_err();
    assert_eq!(error.status(), Some(302));
    assert_eq!(server.count("GET", "/elsewhere"), 0);
}

#[tokio::test]
async fn a_refusal_by_the_rate_limit_is_waited_out_and_counted() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |r| {
        r.path.starts_with("/api").then(|| {
            let first = calls.fetch_add(1, Ordering::Relaxed) == 0;
            let headers = "x-ratelimit-limit: 1000\r\nx-ratelimit-remaining: 0\r\nretry-after: 0\r\n";
            if first { Answer::Raw(429, headers, "{}".into()) } else { Answer::Json(200, client(1)) }
        })
    })
    .await;
    let connection = server.connect();
    connection.reader().get(&clients(), &"c1".into(), None).await.unwrap();
    let pace = connection.pace();
    assert_eq!((pace.throttled, pace.requests, pace.limit, pace.lowest), (1, 2, Some(1000), Some(0)));
}

#[tokio::test]
async fn no_more_is_in_flight_than_there_is_room_for() {
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    let server = Server::start(move |request| match request.path.as_str() {
        "/api/v2/clients/slow" => Some(Answer::Hang),
        "/api/v2/clients/quick" => {
            let name = if seen.load(Ordering::SeqCst) { "after" } else { "beside" };
            Some(Answer::Json(200, json!({"client_id": "quick", "name": name})))
        }
        _ => None,
    })
    .await;
    let settings = Settings { concurrency: 1, max_retries: 0, ..quick() };
    let connection =
        Connection::open("acme".into(), server.access(), settings, ProgressSink::none()).unwrap();
    let reader = connection.reader();
    let slow = {
        let reader = reader.clone();
        tokio::spawn(async move {
            let answer = reader.get(&clients(), &"slow".into(), None).await;
            over.store(true, Ordering::SeqCst);
            answer
        })
    };
    while server.count("GET", "/api/v2/clients/slow") == 0 {
        tokio::task::yield_now().await;
    }
    let quick = reader.get(&clients(), &"quick".into(), None).await.unwrap();
    assert_eq!(quick.body["name"], "after");
    slow.await.unwrap().unwrap_err();
}
