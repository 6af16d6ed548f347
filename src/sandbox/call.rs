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
    /// Anything else below the API.
    Other,
}

impl Call {
    pub(super) const ALL: [Self; 7] =
        [Self::Token, Self::List, Self::Get, Self::Patch, Self::Create, Self::Delete, Self::Other];

    /// The word for it in fault texts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::List => "list",
            Self::Get => "get",
            Self::Patch => "patch",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Other => "other",
        }
    }

    /// Whether it only reads clients, which some subscriptions count apart.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Get)
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
            Self::Token | Self::Other => &[],
        }
    }
}

/// Finds the operation, and the client it is about.
pub(super) fn route(method: &Method, path: &str) -> (Call, Option<String>) {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path == "/oauth/token" && method == Method::POST {
        return (Call::Token, None);
    }
    let Some(rest) = path.strip_prefix("/api/v2/clients") else { return (Call::Other, None) };
    let id = match rest.strip_prefix('/') {
        None if rest.is_empty() => None,
        Some(id) if !id.contains('/') => Some(percent_decode_str(id).decode_utf8_lossy().into_owned()),
        _ => return (Call::Other, None),
    };
    let call = match (method, id.is_some()) {
        (&Method::GET, false) => Call::List,
        (&Method::POST, false) => Call::Create,
        (&Method::GET, true) => Call::Get,
        (&Method::PATCH, true) => Call::Patch,
        (&Method::DELETE, true) => Call::Delete,
        _ => Call::Other,
    };
    (call, id)
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
        assert_eq!(found(&Method::GET, "/api/v2/clientsx"), Call::Other);
        assert_eq!(found(&Method::GET, "/api/v2/clients/abc/credentials"), Call::Other);
        assert_eq!(route(&Method::PATCH, "/api/v2/clients/a%20b"), (Call::Patch, Some("a b".to_owned())));
    }
}
