//! The log, read from a sandbox over HTTP and from servers that answer what no sandbox would.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

use super::server::{Answer, Server, clients, quick};
use crate::auth0::{Access, ApiError, Connection, Credential, LogWindow};
use crate::model::event::ProgressSink;
use crate::model::{Body, LogAction};
use crate::sandbox::{DashboardUser, LogOptions, Options, Sandbox, TenantHandle, Tier};

async fn tenant(change: impl FnOnce(&mut Options)) -> Sandbox {
    let client = |n: usize| json!({"name": format!("Till {n}"), "client_id": format!("Till{n}")});
    let clients: Vec<Body> = (0..3).map(|n| client(n).as_object().unwrap().clone()).collect();
    let mut options = Options { load: Some(clients), tier: Tier::unlimited(), ..Options::default() };
    change(&mut options);
    Sandbox::start(options).await.unwrap()
}

fn connect(tenant: &TenantHandle) -> Connection {
    let credential = Credential::ClientSecret {
        client_id: tenant.client_id().into(),
        secret: tenant.client_secret().clone(),
    };
    let access = Access { audience: tenant.audience(), domain: tenant.domain().clone(), credential };
    Connection::open("acme".into(), access, quick(), ProgressSink::none()).unwrap()
}

/// So many edits by Ada, `from` the first number on.
fn edit(tenant: &TenantHandle, from: usize, count: usize) {
    let ada = DashboardUser { name: "Ada".into(), email: "ada@acme.example".into() };
    for n in from..from + count {
        let patch = json!({"description": format!("{n}")});
        tenant.patch_as(&ada, &format!("Till{}", n % 3), patch.as_object().unwrap()).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "the sandbox stamps its events with this machine's time")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

async fn window(tenant: &TenantHandle, since: Timestamp, until: Timestamp) -> Result<LogWindow, ApiError> {
    let reader = connect(tenant).reader();
    // Spawned, since a run does: the future must be `Send`.
    tokio::spawn(async move { reader.log_window(&clients(), since, until).await }).await.unwrap()
}

/// The numbers of the edits, in the order of the events.
fn numbers(window: &LogWindow) -> Vec<usize> {
    let number = |body: Body| body["description"].as_str().unwrap().parse().unwrap();
    window.events.iter().map(|event| number(event.request.open())).collect()
}

#[tokio::test]
async fn a_window_beyond_what_a_search_finds_is_walked_page_by_page_with_nothing_lost_or_doubled() {
    let sandbox = tenant(|_| ()).await;
    let tenant = &sandbox.tenants()[0];
    edit(tenant, 0, 1234);
    let window = window(tenant, ago(60), ago(-60)).await.unwrap();
    assert_eq!(numbers(&window), (0..1234).collect::<Vec<_>>());
    assert_eq!((window.doubles, window.unreadable, window.walked), (0, 0, 1234));
    // The oldest event, the first of the window, twelve full pages and one that is not, and an empty one.
    assert_eq!(tenant.counters().logs, 2 + 13 + 1);
    let event = &window.events[0];
    assert_eq!(
        (event.action, event.target.as_str(), event.by.to_string()),
        (LogAction::Update, "Till0", "ada@acme.example".into())
    );
    assert_eq!(event.response.as_ref().unwrap().open()["description"], "0");
}

#[tokio::test]
async fn events_before_and_after_the_window_are_not_of_it_and_the_walk_ends_with_it() {
    let sandbox = tenant(|_| ()).await;
    let tenant = &sandbox.tenants()[0];
    edit(tenant, 0, 10);
    tenant.age_log(Duration::from_secs(1000));
    edit(tenant, 10, 150);
    tenant.age_log(Duration::from_secs(1000));
    edit(tenant, 160, 500);
    let found = window(tenant, ago(1500), ago(500)).await.unwrap();
    assert_eq!(numbers(&found), (10..160).collect::<Vec<_>>());
    assert_eq!(tenant.counters().logs, 4, "the pages after the window were not asked for");
    assert!(found.oldest.unwrap() < ago(1900), "the log reaches back further");
    let none = window(tenant, ago(900), ago(500)).await.unwrap();
    assert_eq!((none.events.len(), none.walked), (0, 0));
}

#[tokio::test]
async fn events_that_are_delivered_twice_are_taken_once() {
    for doubles in [1, 2, 7] {
        let sandbox = tenant(|options| options.log = LogOptions { doubles, ..LogOptions::default() }).await;
        let tenant = &sandbox.tenants()[0];
        edit(tenant, 0, 250);
        let window = window(tenant, ago(60), ago(-60)).await.unwrap();
        assert_eq!(numbers(&window), (0..250).collect::<Vec<_>>(), "every {doubles}");
        assert!(window.doubles >= 250 / doubles as usize - 1, "{}", window.doubles);
    }
}

#[tokio::test]
async fn events_that_are_late_are_there_once_their_time_has_come() {
    let delay = Duration::from_secs(60);
    let sandbox = tenant(|options| options.log = LogOptions { delay, ..LogOptions::default() }).await;
    let tenant = &sandbox.tenants()[0];
    edit(tenant, 0, 5);
    let early = window(tenant, ago(600), now()).await.unwrap();
    assert_eq!((early.events.len(), early.oldest), (0, None));
    tenant.age_log(delay);
    edit(tenant, 5, 5);
    let later = window(tenant, ago(600), now()).await.unwrap();
    assert_eq!(numbers(&later), [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn a_log_that_has_lost_events_tells_by_its_oldest_one() {
    let retention = Some(Duration::from_secs(86_400));
    let sandbox = tenant(|options| options.log = LogOptions { retention, ..LogOptions::default() }).await;
    let tenant = &sandbox.tenants()[0];
    edit(tenant, 0, 5);
    tenant.age_log(Duration::from_secs(90_000));
    edit(tenant, 5, 5);
    let window = window(tenant, ago(100_000), now()).await.unwrap();
    assert_eq!(numbers(&window), [5, 6, 7, 8, 9]);
    assert!(window.oldest.unwrap() > ago(80_000));
}

#[tokio::test]
async fn creations_new_secrets_and_deletions_are_events_too_and_reads_are_none() {
    let sandbox = tenant(|_| ()).await;
    let tenant = &sandbox.tenants()[0];
    connect(tenant).reader().list(&clients(), None).await.unwrap();
    let made = call(tenant, Method::POST, "", json!({"name": "Kiosk"})).await;
    let id = made["client_id"].as_str().unwrap();
    call(tenant, Method::POST, &format!("/{id}/rotate-secret"), json!({})).await;
    call(tenant, Method::DELETE, &format!("/{id}"), json!({})).await;
    let window = window(tenant, ago(60), ago(-60)).await.unwrap();
    let seen: Vec<_> = window.events.iter().map(|event| (event.action, event.target.as_str())).collect();
    assert_eq!(seen, [(LogAction::Create, id), (LogAction::RotateSecret, id), (LogAction::Delete, id)]);
    let by = &window.events[0].by;
    assert_eq!((by.email.as_deref(), by.client_id.as_deref()), (None, Some(tenant.client_id())));
    assert!(!format!("{window:?}").contains("Kiosk"), "bodies are not printed");
}

/// Calls the API below its clients, in a way that no reader can.
#[expect(clippy::disallowed_methods, reason = "the test writes what patchwave never writes")]
async fn call(tenant: &TenantHandle, method: Method, path: &str, body: Value) -> Value {
    connect(tenant).reader().sign_in().await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = tenant.domain().base_url();
    let asked = json!({
        "grant_type": "client_credentials", "client_id": tenant.client_id(),
        "client_secret": tenant.client_secret().expose(), "audience": tenant.audience(),
    });
    let token = http.post(format!("{base}/oauth/token")).json(&asked).send().await.unwrap();
    let token: Value = token.json().await.unwrap();
    let request = http.request(method, format!("{base}/api/v2/clients{path}")).json(&body);
    let answer = request.bearer_auth(token["access_token"].as_str().unwrap()).send().await.unwrap();
    serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
}

#[tokio::test]
async fn a_token_that_may_not_read_the_log_is_told_which_scope_it_lacks() {
    let sandbox = tenant(|options| options.scopes = vec!["read:clients".into()]).await;
    let error = window(&sandbox.tenants()[0], ago(60), now()).await.unwrap_err();
    assert!(
        matches!(&error, ApiError::ScopeMissing { any_of, .. } if any_of == &["read:logs", "read:logs_users"])
    );
    assert!(error.to_string().contains("grant the application one of `read:logs`"), "{error}");
}

#[tokio::test]
async fn reads_of_the_log_keep_to_the_limit_of_their_own() {
    let sandbox = tenant(|options| options.tier = "essentials".parse().unwrap()).await;
    let tenant = &sandbox.tenants()[0];
    edit(tenant, 0, 250);
    let connection = connect(tenant);
    let reader = connection.reader();
    for _ in 0..3 {
        reader.list(&clients(), None).await.unwrap();
    }
    let window = reader.log_window(&clients(), ago(60), ago(-60)).await.unwrap();
    assert_eq!((window.events.len(), tenant.counters().throttled), (250, 0));
    assert_eq!(connection.measured().reads, Some(5), "the log's limit is not taken for that of clients");
}

/// A server whose log answers these pages: to the search for the oldest event, to that for the first of the window, and then
/// from an event on.
async fn server(first: Value, page: impl Fn(&str) -> Value + Send + Sync + 'static) -> Server {
    Server::start(move |request| {
        request.path.starts_with("/api/v2/logs?").then(|| match request.query("from") {
            None => Answer::Json(200, json!([first])),
            Some(from) => Answer::Json(200, page(&from)),
        })
    })
    .await
}

fn entry(number: usize) -> Value {
    json!({
        "log_id": format!("900{number:05}"), "date": "2026-08-01T10:00:00.000Z", "type": "sapi",
        "details": {
            "request": {"method": "patch", "path": "/api/v2/clients/c", "body": {"name": number.to_string()}},
            "response": {"statusCode": 200, "body": {"client_id": "c"}},
        },
    })
}

async fn of_august(server: &Server) -> Result<LogWindow, ApiError> {
    let (since, until) = ("2026-08-01T00:00:00Z".parse().unwrap(), "2026-08-02T00:00:00Z".parse().unwrap());
    server.connect().reader().log_window(&clients(), since, until).await
}

#[tokio::test]
async fn long_stretches_of_logins_are_passed_over_and_no_write_with_them() {
    let writes = [0, 5, 130, 5000, 5001, 9999];
    let at = |n: usize| format!("2026-08-01T{:02}:{:02}:{:02}.000Z", n / 3600, n / 60 % 60, n % 60);
    let event = move |n: usize| match writes.contains(&n) {
        true => {
            json!({"log_id": format!("900{n:05}"), "date": at(n), "type": "sapi", "details": entry(n)["details"]})
        }
        false => json!({"log_id": format!("900{n:05}"), "date": at(n), "type": "s"}),
    };
    let server = Server::start(move |request| {
        request.path.starts_with("/api/v2/logs?").then(|| {
            let from = request.query("from").map(|id| id[3..].parse::<usize>().unwrap());
            let since = request.query("q").map(|q| q.split(['[', ' ']).nth(3).unwrap().to_owned());
            let found: Vec<usize> = match (from, since) {
                (Some(from), _) => (from + 1..10_000.min(from + 101)).collect(),
                (None, None) => vec![0],
                (None, Some(since)) => writes.into_iter().filter(|n| at(*n) >= since).take(1).collect(),
            };
            Answer::Json(200, found.into_iter().map(event).collect())
        })
    })
    .await;
    let window = of_august(&server).await.unwrap();
    assert_eq!(numbers_of(&window), writes);
    assert!(server.count("GET", "/api/v2/logs") < 25, "{}", server.count("GET", "/api/v2/logs"));
    let (since, until) = ("2026-08-01T00:00:06Z".parse().unwrap(), "2026-08-01T01:00:00Z".parse().unwrap());
    let part = server.connect().reader().log_window(&clients(), since, until).await.unwrap();
    assert_eq!(numbers_of(&part), [130]);
    let nothing = server.connect().reader().log_window(&clients(), until, since).await.unwrap();
    assert_eq!((nothing.events.len(), nothing.oldest.is_some()), (0, true), "an end before its beginning");
}

/// The numbers in the ids of events.
fn numbers_of(window: &LogWindow) -> Vec<usize> {
    window.events.iter().map(|event| event.id[3..].parse().unwrap()).collect()
}

#[tokio::test]
async fn malformed_entries_are_counted_and_the_others_read() {
    let server = server(entry(1), |from| match from {
        "90000001" => json!([
            "text", null, 7, {}, {"log_id": "90000002", "type": "s", "details": null},
            {"log_id": "90000003", "type": "sapi", "date": "2026-08-01T10:00:00Z"},
            {"log_id": "90000004", "data": entry(4)},
            {"log_id": "90000005", "date": "soon", "type": "sapi", "details": entry(5)["details"]},
            {"log_id": "90000006", "date": ["2026"], "type": ["sapi"]},
        ]),
        _ => json!([]),
    })
    .await;
    let window = of_august(&server).await.unwrap();
    let ids: Vec<&str> = window.events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["90000001", "90000004"]);
    assert_eq!((window.unreadable, window.walked), (2, 7));
    assert_eq!(window.first_unreadable.unwrap(), "event 90000003: it does not say which object");
}

#[tokio::test]
async fn events_that_come_in_disorder_are_put_in_order() {
    let server = server(entry(1), |from| match from {
        "90000001" => json!([entry(3), entry(2), entry(1), entry(4)]),
        "90000004" => json!([entry(4), entry(2), entry(4)]),
        _ => panic!("asked from {from}"),
    })
    .await;
    let window = of_august(&server).await.unwrap();
    let ids: Vec<&str> = window.events.iter().map(|event| event.id.as_str()).collect();
    assert_eq!(ids, ["90000001", "90000002", "90000003", "90000004"]);
    assert_eq!(window.doubles, 4);
}

#[tokio::test]
async fn a_log_that_leads_in_circles_or_nowhere_is_an_error_and_no_endless_walk() {
    let circle = server(entry(1), |from| match from {
        "90000001" => json!([entry(2)]),
        "90000002" => json!([entry(3)]),
        _ => json!([entry(1)]),
    })
    .await;
    let error = of_august(&circle).await.unwrap_err().to_string();
    assert!(error.contains("lead back to event 90000001"), "{error}");
    let nowhere = server(entry(1), |_| json!([{"date": "2026-08-01T10:00:00Z"}])).await;
    let error = of_august(&nowhere).await.unwrap_err().to_string();
    assert!(error.contains("no log_id"), "{error}");
    let no_list = server(entry(1), |_| json!({"logs": []})).await;
    assert!(matches!(
        of_august(&no_list).await.unwrap_err(),
        ApiError::Malformed(_) | ApiError::Network { .. }
    ));
}
