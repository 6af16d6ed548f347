//! Promises over real HTTP on loopback. Central type: [`Caller`].

mod access;
mod belonging;
mod errors;
mod faulty;
mod kinds;
mod limits;
mod lists;
mod logs;
mod making;
mod merging;
mod recorded;
mod recorded_others;
mod speed;
mod tls;
mod writes;

use std::sync::Once;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::*;
use crate::model::Body;

/// A sandbox of one tenant, and somebody with a token for it.
struct Caller {
    sandbox: Sandbox,
    http: reqwest::Client,
    token: String,
}

/// A status and a body.
type Answer = (u16, Value);

impl Caller {
    async fn new(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut caller = Self { sandbox, http: http(), token: String::new() };
        caller.token = caller.fresh_token().await;
        caller
    }

    /// Twelve clients, no limit worth speaking of.
    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options { clients: 12, tier: Tier::unlimited(), ..Options::default() };
        change(&mut options);
        Self::new(options).await
    }

    fn tenant(&self) -> &TenantHandle {
        &self.sandbox.tenants()[0]
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.tenant().domain().base_url())
    }

    fn credentials(&self) -> Value {
        json!({
            "grant_type": "client_credentials",
            "client_id": self.tenant().client_id(),
            "client_secret": self.tenant().client_secret().expose(),
            "audience": self.tenant().audience(),
        })
    }

    async fn fresh_token(&self) -> String {
        let response =
            self.http.post(self.url("/oauth/token")).json(&self.credentials()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).send().await.unwrap()).await
    }

    async fn patch(&self, id: &str, body: &Value) -> Answer {
        answer(self.send_patch(id, body).await.unwrap()).await
    }

    async fn send_patch(&self, id: &str, body: &Value) -> reqwest::Result<Response> {
        self.request(Method::PATCH, &format!("/api/v2/clients/{id}")).json(body).send().await
    }

    async fn post(&self, body: &Value) -> Answer {
        answer(self.request(Method::POST, "/api/v2/clients").json(body).send().await.unwrap()).await
    }

    /// The id of the first client of that name.
    fn id_of(&self, name: &str) -> String {
        let state = self.tenant().state();
        let client = state.iter().find(|client| client["name"] == name).unwrap();
        client["client_id"].as_str().unwrap().to_owned()
    }
}

async fn answer(response: Response) -> Answer {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// A client of its own for each test: a broken connection of one is no other's.
#[expect(clippy::disallowed_methods, reason = "the tests speak HTTP without the code they judge")]
fn http() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

fn loaded(clients: &[Value]) -> Option<Vec<Body>> {
    Some(clients.iter().map(|client| client.as_object().unwrap().clone()).collect())
}

#[tokio::test]
async fn tenants_are_apart_and_alike() {
    let sandbox = Sandbox::start(Options { clients: 3, tenants: 3, ..Options::default() }).await.unwrap();
    let tenants = sandbox.tenants();
    assert_eq!(tenants.len(), 3);
    let names = |tenant: &TenantHandle| tenant.state().iter().map(|c| c["name"].clone()).collect::<Vec<_>>();
    let ids =
        |tenant: &TenantHandle| tenant.state().iter().map(|c| c["client_id"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&tenants[0]), names(&tenants[2]));
    assert!(ids(&tenants[0]).iter().all(|id| !ids(&tenants[1]).contains(id)));
    assert!(tenants[0].domain().is_loopback());
    assert_ne!(tenants[0].domain(), tenants[1].domain());
    sandbox.stop().await;
}

#[tokio::test]
async fn a_stopped_sandbox_no_longer_listens() {
    let caller = Caller::with(|_| {}).await;
    let url = caller.url("/api/v2/clients");
    // Drops its idle connection only after the stop.
    let http = caller.http.clone();
    caller.sandbox.stop().await;
    assert!(http.get(url).send().await.is_err());
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = Some(taken.local_addr().unwrap().port());
    assert!(Sandbox::start(Options { port, clients: 1, ..Options::default() }).await.is_err());
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the tests speak HTTP without the code they judge")]
async fn http2_without_tls_is_served_too() {
    let caller = Caller::with(|_| {}).await;
    let http = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let response = http.get(caller.url("/api/v2/clients")).bearer_auth(&caller.token).send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.version()), (200, reqwest::Version::HTTP_2));
}
