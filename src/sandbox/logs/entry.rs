//! One event: kept as it arrived, and shown as the service shows it. Central type: [`Entry`].

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::call::{Route, Target};
use super::super::oauth::form_pairs;
use super::super::reply::Reply;
use super::super::token::Claims;
use super::dashboard::{CLIENT, DashboardUser};
use crate::catalogue::Field;
use crate::model::Body;

/// Everything arrives over loopback.
const IP: &str = "127.0.0.1";
/// `X-Correlation-ID` is kept up to here.
const CORRELATION: usize = 64;
/// Ids end in 33 digits that count up from a number of this size.
const FIRST: u64 = 1_223_372_036_854_775_807;
/// What is shown in place of a secret.
const REDACTED: &str = "REDACTED";
/// Where nothing is known of an object's fields.
static NOTHING: LazyLock<Field> = LazyLock::new(Field::default);

/// What a request says of where it comes from.
#[derive(Debug, Clone, Default)]
pub(in crate::sandbox) struct Trace {
    pub(in crate::sandbox) correlation_id: Option<Box<str>>,
    pub(in crate::sandbox) user_agent: Option<Box<str>>,
    /// The `Auth0-Client` header, as it came.
    pub(in crate::sandbox) auth0_client: Option<Box<str>>,
    /// Where it is made as the Dashboard makes it.
    pub(in crate::sandbox) user: Option<Box<DashboardUser>>,
}

/// A write that succeeded.
pub(in crate::sandbox) struct Write<'w> {
    pub(in crate::sandbox) route: &'w Route,
    pub(in crate::sandbox) query: &'w str,
    pub(in crate::sandbox) body: &'w [u8],
    pub(in crate::sandbox) claims: &'w Claims,
    pub(in crate::sandbox) trace: Trace,
    pub(in crate::sandbox) reply: &'w Reply,
}

/// An event.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    serial: u64,
    /// Microseconds since 1970.
    pub(super) micros: i64,
    target: Target,
    id: Box<str>,
    item: Box<str>,
    query: Box<str>,
    /// A copy: the original is a slice of what was read from the connection at once.
    request: Box<[u8]>,
    status: u16,
    response: Bytes,
    caller: Box<str>,
    jti: Box<str>,
    trace: Trace,
}

impl Entry {
    pub(super) fn new(write: Write<'_>, serial: u64, micros: i64) -> Self {
        Self {
            serial,
            micros,
            target: write.route.target,
            id: write.route.id.as_str().into(),
            item: write.route.item.as_str().into(),
            query: write.query.into(),
            request: write.body.into(),
            status: write.reply.status,
            response: write.reply.body.clone(),
            caller: if write.trace.user.is_some() { CLIENT } else { &write.claims.azp }.into(),
            jti: write.claims.jti.as_str().into(),
            trace: write.trace,
        }
    }

    /// What it takes in memory, about.
    pub(super) fn bytes(&self) -> usize {
        let trace = [&self.trace.correlation_id, &self.trace.user_agent, &self.trace.auth0_client];
        let texts = trace.into_iter().flatten().map(|text| text.len()).sum::<usize>() + self.query.len();
        256 + self.request.len() + self.response.len() + texts
    }

    /// Whether it is one of every so many; none is of every 0.
    pub(super) fn is_every(&self, many: u64) -> bool {
        many > 0 && (self.serial + 1).is_multiple_of(many)
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros).unwrap_or_default()
    }

    /// As of the service: `900`, the time down to the microsecond, and a number that counts up. Sorts by time.
    pub(super) fn id(&self) -> String {
        let micros = self.micros.rem_euclid(1_000_000);
        format!("900{}{micros:06}{:033}", self.at().strftime("%Y%m%d%H%M%S"), FIRST + self.serial)
    }

    /// The value of a field that can be searched; `None` for one that is null in every event of the sandbox.
    pub(super) fn text(&self, field: &str) -> Option<String> {
        let user = self.trace.user.as_deref();
        Some(match field {
            "type" => "sapi".to_owned(),
            "description" => self.description(),
            "client_id" => self.caller.to_string(),
            "client_name" => String::new(),
            "user_id" => user.map(DashboardUser::id).unwrap_or_default(),
            "user_name" => user.map(|user| user.email.clone()).unwrap_or_default(),
            "user_agent" => self.trace.user_agent.as_deref().unwrap_or_default().to_owned(),
            "ip" => IP.to_owned(),
            "log_id" => self.id(),
            _ => return None,
        })
    }

    fn description(&self) -> String {
        self.target.event().map(|event| event.description).unwrap_or_default()
    }

    /// The event as the service shows it. `scopes` are those of the tenant's tokens.
    pub(super) fn render(&self, scopes: &[String]) -> Body {
        let text = |field: &str| self.text(field).map_or(Value::Null, Value::from);
        let mut event = Body::new();
        for (key, value) in [
            ("_id", text("log_id")),
            ("log_id", text("log_id")),
            ("date", format!("{:.3}", self.at()).into()),
            ("type", text("type")),
            ("description", text("description")),
            ("client_id", text("client_id")),
            ("client_name", text("client_name")),
            ("ip", text("ip")),
            ("user_agent", text("user_agent")),
            ("user_id", text("user_id")),
            ("user_name", text("user_name")),
            ("details", json!({ "request": self.request(scopes), "response": self.response() })),
        ] {
            event.insert(key.to_owned(), value);
        }
        for key in [
            "connection",
            "connection_id",
            "organization_id",
            "hostname",
            "audience",
            "strategy",
            "strategy_type",
        ] {
            event.insert(key.to_owned(), Value::Null);
        }
        event.insert("isMobile".to_owned(), json!(false));
        event.insert("location_info".to_owned(), Value::Null);
        if let Some(client) = self.auth0_client() {
            event.insert("auth0_client".to_owned(), client);
        }
        if let Some(id) = &self.trace.correlation_id {
            let id: String = id.chars().take(CORRELATION).collect();
            event.insert("references".to_owned(), json!({ "correlation_id": id }));
        }
        event
    }

    /// The body stands there as it was sent, secrets included: nobody says that the service masks them here.
    fn request(&self, scopes: &[String]) -> Value {
        let query: Body = form_pairs(&self.query).map(|(key, value)| (key, value.into())).collect();
        json!({
            "method": self.target.event().map_or("", |event| event.method),
            "path": self.target.path(&self.id, &self.item),
            "query": query,
            "userAgent": self.trace.user_agent,
            "body": serde_json::from_slice(&self.request).unwrap_or_else(|_| json!({})),
            "channel": if self.trace.user.is_some() { "https://manage.auth0.com/" } else { "api" },
            "ip": IP,
            "auth": self.auth(scopes),
        })
    }

    fn auth(&self, scopes: &[String]) -> Value {
        match &self.trace.user {
            Some(user) => json!({
                "strategy": "jwt",
                "user": { "user_id": user.id(), "name": user.name, "email": user.email },
                "credentials": { "jti": self.jti },
            }),
            None => json!({
                "strategy": "jwt",
                "user": {},
                "credentials": { "jti": self.jti, "scopes": scopes },
            }),
        }
    }

    fn response(&self) -> Value {
        let mut body: Body = serde_json::from_slice(&self.response).unwrap_or_default();
        for hidden in ["signing_keys", "tenant", "global"] {
            body.shift_remove(hidden);
        }
        if self.target.is_of_clients() {
            body.entry("client_secret").and_modify(|secret| *secret = json!(REDACTED));
        } else {
            mask(&mut body, self.target.kind.root());
        }
        json!({ "statusCode": self.status, "body": body })
    }

    fn auth0_client(&self) -> Option<Value> {
        let text = self.trace.auth0_client.as_deref()?;
        let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
        serde_json::from_slice(&bytes).ok().filter(Value::is_object)
    }
}

/// Puts something in the place of secrets: what the catalogue calls so, and every `client_secret`.
fn mask(body: &mut Body, known: &Field) {
    for (key, value) in body.iter_mut() {
        let field = known.fields.get(key);
        match value {
            _ if key == "client_secret" => *value = json!(REDACTED),
            Value::Object(inner) => mask(inner, field.unwrap_or(&NOTHING)),
            Value::String(_) if field.is_some_and(|field| field.secret) => *value = json!(REDACTED),
            _ => {}
        }
    }
}
