//! HTTP around a tenant: one request after the other goes through bucket, fault, latency, token and operation, in that order.
//! Central function: [`serve`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use futures::StreamExt as _;

use super::bucket::Taken;
use super::call::{Call, Route, route};
use super::connection::{Connections, Cut};
use super::counters::SeenPatch;
use super::faults::Effect;
use super::logs::{DashboardUser, Trace, Write};
use super::oauth;
use super::options::Reset;
use super::reply::{Refusal, Reply};
use super::tenant::Tenant;

/// The service takes bodies of 1 MB.
const BODY_LIMIT: usize = 1 << 20;

/// What the tenant has seen, for scripts in other processes. No path of the service begins like that.
const COUNTERS: &str = "/_sandbox/counters";

/// Serves a tenant where connections come in until it is closing; requests under way are finished.
pub(super) async fn serve(connections: Connections, tenant: Arc<Tenant>) -> io::Result<()> {
    let mut closing = tenant.closing.clone();
    let service = Router::new()
        .route(COUNTERS, get(counters))
        .fallback(handle)
        .with_state(tenant)
        .into_make_service_with_connect_info::<Cut>();
    axum::serve(connections, service)
        .with_graceful_shutdown(async move {
            // An error means that the sandbox is gone, which is a reason to close as well.
            let _ = closing.wait_for(|closing| *closing).await;
        })
        .await
}

/// Neither counted nor limited: who looks must not change what is seen.
async fn counters(State(tenant): State<Arc<Tenant>>) -> Response {
    let json = serde_json::to_vec(&tenant.counts()).unwrap_or_default();
    let mut response = Response::new(HttpBody::from(json));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A request, read and understood.
struct Asked {
    route: Route,
    query: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Asked {
    fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// `X-Sandbox-User` is the sandbox's own: a write that stands in the log as one of the Dashboard.
    fn trace(&self) -> Trace {
        // People's names are not all ASCII.
        let text = |name: &str| {
            let value = self.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned().into_boxed_str())
        };
        Trace {
            correlation_id: text("x-correlation-id"),
            user_agent: text("user-agent"),
            auth0_client: text("auth0-client"),
            user: text("x-sandbox-user").map(|user| Box::new(DashboardUser::parse(&user))),
        }
    }
}

async fn handle(
    State(tenant): State<Arc<Tenant>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let route = route(request.method(), request.uri().path());
    let target = route.target;
    let call = target.call;
    tenant.tally.call(call);
    // The token is taken at arrival, whatever becomes of the request.
    let taken = (call != Call::Token).then(|| tenant.take(&target));
    let asked = match read(route, request).await {
        Ok(asked) => asked,
        // Over HTTP/2 a connection that is cut takes other requests with it, some of them half sent.
        Err(_) if cut.is_cut() => return break_off(&cut),
        Err(refusal) => return finish(&tenant, refusal.into(), taken),
    };
    remember(&tenant, &asked);
    let (latency, luck) = tenant.fate();
    if taken.is_some_and(|taken| !taken.granted) {
        pause(latency).await;
        return finish(&tenant, Refusal::too_many().into(), taken);
    }
    let fault = tenant.strike(call, luck);
    match outlive(Arc::clone(&tenant), asked, latency, fault).await {
        Ending::Reply(reply) => finish(&tenant, reply, taken),
        Ending::Half(reply) => halve(finish(&tenant, reply, taken)).await,
        Ending::Reset => break_off(&cut),
        Ending::Silence => silence(&tenant, &cut).await,
    }
}

async fn read(route: Route, request: Request) -> Result<Asked, Refusal> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await;
    let body = body.map_err(|_| Refusal::too_large(BODY_LIMIT))?;
    Ok(Asked { route, query: parts.uri.query().unwrap_or_default().to_owned(), headers: parts.headers, body })
}

fn remember(tenant: &Tenant, asked: &Asked) {
    let route = &asked.route;
    if route.target.call == Call::Patch {
        tenant.tally.patch(SeenPatch {
            kind: &route.target.kind.name,
            id: route.id.clone(),
            path: route.target.path(&route.id, &route.item),
            body: asked.body.clone(),
            correlation_id: asked.header(&HeaderName::from_static("x-correlation-id")).map(str::to_owned),
            user_agent: asked.header(&header::USER_AGENT).map(str::to_owned),
        });
    }
}

/// Responds even if the caller goes away meanwhile: what has arrived is done, as with the real service. Without latency
/// nothing can come between, and the request needs no task of its own.
async fn outlive(tenant: Arc<Tenant>, asked: Asked, latency: Duration, fault: Option<Effect>) -> Ending {
    if latency.is_zero() {
        return respond(&tenant, &asked, latency, fault).await;
    }
    let task = tokio::spawn(async move { respond(&tenant, &asked, latency, fault).await });
    task.await.unwrap_or(Ending::Reset)
}

/// How a request ends.
enum Ending {
    Reply(Reply),
    Half(Reply),
    Reset,
    Silence,
}

/// Half of the latency passes before the operation and half after it, so that a caller who gives up may or may not have changed something.
async fn respond(tenant: &Tenant, asked: &Asked, latency: Duration, fault: Option<Effect>) -> Ending {
    pause(latency / 2).await;
    match fault {
        Some(Effect::Status(status)) => {
            pause(latency / 2).await;
            return Ending::Reply(Reply::fault(status));
        }
        Some(Effect::ResetBefore) => return Ending::Reset,
        Some(Effect::Hang) => return Ending::Silence,
        _ => {}
    }
    let reply = operate(tenant, asked);
    pause(latency / 2).await;
    match fault {
        Some(Effect::StatusAfter(status)) => Ending::Reply(Reply::fault(status)),
        Some(Effect::ResetAfter) => Ending::Reset,
        Some(Effect::HangAfter) => Ending::Silence,
        Some(Effect::Truncate) => Ending::Half(reply),
        Some(Effect::Malformed) => Ending::Reply(Reply::malformed()),
        _ => Ending::Reply(reply),
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

fn operate(tenant: &Tenant, asked: &Asked) -> Reply {
    let authorization = asked.header(&header::AUTHORIZATION);
    let route = &asked.route;
    let call = route.target.call;
    if call == Call::Token {
        let content_type = asked.header(&header::CONTENT_TYPE);
        return match oauth::read(content_type, authorization, &asked.body) {
            Ok(request) => tenant.issue(&request),
            Err(refusal) => refusal,
        };
    }
    let claims = match tenant.authenticate(authorization) {
        Ok(claims) => claims,
        Err(refusal) => return refusal,
    };
    // A client that is not there is "deleted" without a trace.
    let there = call != Call::Delete || tenant.holds(route);
    let reply = tenant.execute(route, &asked.query, &asked.body, &claims);
    if call.writes() && reply.status < 300 && there {
        let Asked { route, query, body, .. } = asked;
        let trace = asked.trace();
        tenant.record(Write { route, query, body, claims: &claims, trace, reply: &reply });
    }
    reply
}

fn finish(tenant: &Tenant, reply: Reply, taken: Option<Taken>) -> Response {
    tenant.tally.status(reply.status);
    let mut response = Response::new(HttpBody::from(reply.body));
    // Every status that gets here is a constant or was checked when the fault was read.
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if reply.status != 204 {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    for (name, value) in &reply.headers {
        put(headers, HeaderName::from_static(name), value);
    }
    let now = tenant.clock.now();
    if let Some(date) = tenant.clock.date_header(now) {
        put(headers, header::DATE, &date);
    }
    // A failure of the service has never come as far as the limiter, or comes from the edge before it.
    let silent = match reply.status {
        400 | 401 | 404 => !tenant.options.headers_on_errors,
        status => status >= 500,
    };
    if let Some(taken) = taken.filter(|_| tenant.options.tier.headers && !silent) {
        put_limits(headers, taken, tenant.clock.unix(now), tenant.options.reset);
    }
    response
}

fn put_limits(headers: &mut HeaderMap, taken: Taken, now: f64, reset: Reset) {
    let wait = match reset {
        Reset::Full => taken.full_in,
        Reset::Next => taken.next_in,
    };
    let mut number =
        |name, number: u64| headers.insert(HeaderName::from_static(name), HeaderValue::from(number));
    number("x-ratelimit-limit", u64::from(taken.limit));
    number("x-ratelimit-remaining", u64::from(taken.remaining));
    number("x-ratelimit-reset", (now + wait).ceil() as u64);
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Promises the whole body and sends half of it.
async fn halve(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len().max(2)));
    let half = body.slice(..body.len() / 2);
    let first = futures::stream::once(async { Ok::<_, io::Error>(half) });
    // Only when nothing more is ready is the first half sent; ended at once, it would be dropped with the connection.
    let then = futures::stream::once(async {
        tokio::task::yield_now().await;
        Err(io::ErrorKind::ConnectionAborted.into())
    });
    Response::from_parts(parts, HttpBody::from_stream(first.chain(then)))
}

/// Whatever is answered from here on, the connection breaks instead.
fn break_off(cut: &Cut) -> Response {
    cut.cut();
    Response::new(HttpBody::empty())
}

/// Never answers, until the caller has gone or the sandbox stops.
async fn silence(tenant: &Tenant, cut: &Cut) -> Response {
    let mut closing = tenant.closing.clone();
    let _ = closing.wait_for(|closing| *closing).await;
    break_off(cut)
}
