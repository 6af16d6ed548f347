//! An answer before it is HTTP: status, headers, body; and the forms that Auth0's error bodies have.

use axum::http::StatusCode;
use bytes::Bytes;
use serde_json::{Value, json};

/// An answer, ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// A JSON document.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string())
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// An error of the token endpoint (RFC 6749).
    pub(super) fn oauth(status: u16, error: &str, description: &str) -> Self {
        Self::json(status, &json!({ "error": error, "error_description": description }))
    }

    /// A success whose body is no JSON, as something between the service and its caller may answer.
    pub(super) fn malformed() -> Self {
        Self::new(200, "<html><body><h1>Welcome</h1></body></html>").header("content-type", "text/html")
    }

    /// A fault of the service: from the API as JSON, from the edge before it as HTML.
    pub(super) fn fault(status: u16) -> Self {
        match status {
            502 | 504 => {
                Self::new(status, format!("<html><body><h1>{status} {}</h1></body></html>", reason(status)))
                    .header("content-type", "text/html")
            }
            429 => Refusal::too_many().into(),
            _ => Refusal::new(status, "The sandbox was told to fail here").into(),
        }
    }
}

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) code: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), code: None }
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn body(message: impl Into<String>) -> Self {
        Self::new(400, message).code("invalid_body")
    }

    pub(super) fn query(what: &str, property: &str) -> Self {
        Self::new(400, format!("Query validation error: '{what}' on property {property}."))
            .code("invalid_query_string")
    }

    /// A body that is no JSON: the web framework refuses it before anything is validated.
    pub(super) fn unreadable() -> Self {
        Self::new(400, "Invalid request payload JSON format")
    }

    /// Assumed: the service says that it takes 1 MB, and not what it answers to more.
    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(413, format!("Payload content length greater than maximum allowed: {limit}"))
    }

    pub(super) fn no_such_client() -> Self {
        Self::new(404, "The client does not exist").code("inexistent_client")
    }

    pub(super) fn too_many() -> Self {
        Self::new(429, "Global limit has been reached").code("too_many_requests")
    }

    /// Fields that the token must not touch. That of `read` is known; the others are worded by analogy.
    pub(super) fn fields(verb: &str, names: &[&str]) -> Self {
        Self::new(403, format!("You cannot {verb} the following fields: {}", names.join(",")))
            .code("insufficient_scope")
    }

    pub(super) fn scope(scopes: &[&str]) -> Self {
        Self::new(403, format!("Insufficient scope, expected any of: {}", scopes.join(",")))
            .code("insufficient_scope")
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let mut body = json!({
            "statusCode": refusal.status,
            "error": reason(refusal.status),
            "message": refusal.message,
        });
        if let Some(code) = refusal.code {
            body["errorCode"] = json!(code);
        }
        Self::json(refusal.status, &body)
    }
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error")
}
