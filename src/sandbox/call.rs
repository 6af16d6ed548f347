//! Which operation a request is: method and path, understood once.

use axum::http::Method;
use percent_encoding::percent_decode_str;

/// The operations a simulated tenant knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Token,
    List,
    Get,
    Patch,
    Create,
    Delete,
    RotateSecret,
    Logs,
    Log,
    /// Anything else below the API.
    Other,
}

impl Call {
    pub(super) const ALL: [Self; 10] = [
        Self::Token,
        Self::List,
        Self::Get,
        Self::Patch,
        Self::Create,
        Self::Delete,
        Self::RotateSecret,
        Self::Logs,
        Self::Log,
        Self::Other,
    ];

    /// The word for it in fault texts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::List => "list",
            Self::Get => "get",
            Self::Patch => "patch",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::RotateSecret => "rotate-secret",
            Self::Logs => "logs",
            Self::Log => "log",
            Self::Other => "other",
        }
    }

    /// Whether it only reads clients, which some subscriptions count apart.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Get)
    }

    /// Whether it reads the tenant's log, which the same subscriptions count apart.
    pub(super) fn reads_logs(self) -> bool {
        matches!(self, Self::Logs | Self::Log)
    }

    /// What the tenant's log calls a write: the operation's title in the API's reference, as far as events are published.
    pub(super) fn event(self) -> Option<Event> {
        let event = |description, method| Some(Event { description, method });
        match self {
            Self::Patch => event("Update a client", "patch"),
            Self::Create => event("Create a client", "post"),
            Self::Delete => event("Delete a client", "delete"),
            Self::RotateSecret => event("Rotate a client secret", "post"),
            Self::Token | Self::List | Self::Get | Self::Logs | Self::Log | Self::Other => None,
        }
    }

    /// The path that the log shows, with the id of a client where the operation has one.
    pub(super) fn path(self, id: &str) -> String {
        match self {
            Self::Create => "/api/v2/clients".to_owned(),
            Self::RotateSecret => format!("/api/v2/clients/{id}/rotate-secret"),
            _ => format!("/api/v2/clients/{id}"),
        }
    }

    /// Scopes any one of which allows it.
    pub(super) fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::List | Self::Get => {
                &["read:clients", "read:client_keys", "read:client_credentials", "read:client_summary"]
            }
            Self::Patch => &["update:clients", "update:client_keys"],
            Self::Create => &["create:clients"],
            Self::Delete => &["delete:clients"],
            Self::RotateSecret => &["update:client_keys"],
            Self::Logs | Self::Log => &["read:logs", "read:logs_users"],
            Self::Token | Self::Other => &[],
        }
    }
}

/// How a write stands in the tenant's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) description: &'static str,
    /// The HTTP method, in small letters.
    pub(super) method: &'static str,
}

/// Finds the operation, and what it is about.
pub(super) fn route(method: &Method, path: &str) -> (Call, Option<String>) {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path == "/oauth/token" && method == Method::POST {
        return (Call::Token, None);
    }
    let Some(path) = path.strip_prefix("/api/v2/") else { return (Call::Other, None) };
    let parts: Vec<&str> = path.split('/').collect();
    let (call, id) = match (method, parts.as_slice()) {
        (&Method::GET, ["clients"]) => (Call::List, None),
        (&Method::POST, ["clients"]) => (Call::Create, None),
        (&Method::GET, ["clients", id]) => (Call::Get, Some(id)),
        (&Method::PATCH, ["clients", id]) => (Call::Patch, Some(id)),
        (&Method::DELETE, ["clients", id]) => (Call::Delete, Some(id)),
        (&Method::POST, ["clients", id, "rotate-secret"]) => (Call::RotateSecret, Some(id)),
        (&Method::GET, ["logs"]) => (Call::Logs, None),
        (&Method::GET, ["logs", id]) => (Call::Log, Some(id)),
        _ => (Call::Other, None),
    };
    (call, id.map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_paths_name_operations() {
        let found = |method: &Method, path| route(method, path).0;
        assert_eq!(found(&Method::POST, "/oauth/token"), Call::Token);
        assert_eq!(found(&Method::GET, "/api/v2/clients"), Call::List);
        assert_eq!(found(&Method::GET, "/api/v2/clients/"), Call::List);
        assert_eq!(found(&Method::POST, "/api/v2/clients/abc"), Call::Other);
        assert_eq!(found(&Method::POST, "/api/v2/clients/abc/rotate-secret"), Call::RotateSecret);
        assert_eq!(found(&Method::GET, "/api/v2/logs"), Call::Logs);
        assert_eq!(route(&Method::GET, "/api/v2/logs/90020"), (Call::Log, Some("90020".to_owned())));
        assert_eq!(found(&Method::GET, "/api/v2/clientsx"), Call::Other);
        assert_eq!(found(&Method::GET, "/api/v2/clients/abc/credentials"), Call::Other);
        assert_eq!(route(&Method::PATCH, "/api/v2/clients/a%20b"), (Call::Patch, Some("a b".to_owned())));
    }
}
