//! Which operation a request is: method and path, understood once. Central types: [`Call`] (what is done) and [`Target`]
//! (to what).

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::target::calls;
use crate::catalogue::{Kind, default_kind, kinds};
use crate::model::{Association, Verb};

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

    /// Whether it only reads objects.
    pub(super) fn reads(self) -> bool {
        matches!(self, Self::List | Self::Get)
    }

    /// Whether it changes something.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::Patch | Self::Create | Self::Delete | Self::RotateSecret)
    }

    /// Whether it reads the tenant's log, which some subscriptions count apart.
    pub(super) fn reads_logs(self) -> bool {
        matches!(self, Self::Logs | Self::Log)
    }
}

/// What of a kind a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// The objects, or one of them.
    Object,
    /// The other list, of objects with one value in a field.
    Lookup,
    /// What follows a change (`deploy`).
    Then,
    /// A list that belongs to an object.
    List(&'static Association),
    /// An item of such a list.
    Item(&'static Association),
}

/// A call, and the kind of object it is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) call: Call,
    pub(super) verb: Verb,
    pub(super) kind: &'static Kind,
    pub(super) part: Part,
}

/// A request's path, understood.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) target: Target,
    /// The object's id; empty where there is none.
    pub(super) id: String,
    /// The key of an item of its list.
    pub(super) item: String,
}

/// Finds the operation, and what it is about.
pub(super) fn route(method: &Method, path: &str) -> Route {
    let path = path.strip_suffix('/').unwrap_or(path);
    let clients = default_kind();
    let other = |call| Route::new(call, method, clients, Part::Object, &[]);
    if path == "/oauth/token" && method == Method::POST {
        return other(Call::Token);
    }
    let Some(path) = path.strip_prefix("/api/v2/") else { return other(Call::Other) };
    let parts: Vec<&str> = path.split('/').collect();
    match (method, parts.as_slice()) {
        (&Method::GET, ["logs"]) => return other(Call::Logs),
        (&Method::GET, ["logs", id]) => return Route::new(Call::Log, method, clients, Part::Object, &[id]),
        (&Method::POST, ["clients", id, "rotate-secret"]) => {
            return Route::new(Call::RotateSecret, method, clients, Part::Object, &[id]);
        }
        _ => {}
    }
    of_kind(clients, method, path)
        .or_else(|| kinds().find_map(|kind| of_kind(kind, method, path)))
        .unwrap_or_else(|| other(Call::Other))
}

/// The operation on a kind's objects, where the path is below the kind's.
fn of_kind(kind: &'static Kind, method: &Method, path: &str) -> Option<Route> {
    let endpoint = &kind.endpoint;
    if endpoint.lookup.as_ref().is_some_and(|lookup| lookup.path == path) {
        return (method == Method::GET).then(|| Route::new(Call::List, method, kind, Part::Lookup, &[]));
    }
    let below = path.strip_prefix(endpoint.path.as_str())?;
    let below = if below.is_empty() { None } else { Some(below.strip_prefix('/')?) };
    let parts: Vec<&str> = below.into_iter().flat_map(|below| below.split('/')).collect();
    let (call, part) = match (method, parts.as_slice()) {
        (&Method::GET, []) => (Call::List, Part::Object),
        (&Method::POST, []) => (Call::Create, Part::Object),
        (&Method::GET, [_]) => (Call::Get, Part::Object),
        (&Method::DELETE, [_]) => (Call::Delete, Part::Object),
        (_, [_]) if verb(method) == Some(endpoint.update) => (Call::Patch, Part::Object),
        (&Method::POST, [_, then]) if endpoint.then.as_ref().is_some_and(|known| known.path == *then) => {
            (Call::Patch, Part::Then)
        }
        (_, [_, list, item @ ..]) => {
            let association = endpoint.associations.iter().find(|association| association.path == *list)?;
            of_association(association, method, item)?
        }
        _ => return None,
    };
    let ids: Vec<&str> = parts.iter().take(1).chain(parts.iter().skip(2)).copied().collect();
    Some(Route::new(call, method, kind, part, &ids))
}

/// The operation on a list that belongs to an object, or on an item of it.
fn of_association(association: &'static Association, method: &Method, item: &[&str]) -> Option<(Call, Part)> {
    let at_item = match item {
        [] => false,
        [_] => true,
        _ => return None,
    };
    let part = if at_item { Part::Item(association) } else { Part::List(association) };
    if method == Method::GET {
        // Items that are not written one at a time cannot be read so either.
        let readable = !at_item || calls(association).any(|call| call.at_item);
        return readable.then_some((Call::Get, part));
    }
    let verb = verb(method)?;
    let known = calls(association).any(|call| call.verb == verb && call.at_item == at_item);
    known.then_some((Call::Patch, part))
}

fn verb(method: &Method) -> Option<Verb> {
    match *method {
        Method::PATCH => Some(Verb::Patch),
        Method::PUT => Some(Verb::Put),
        Method::POST => Some(Verb::Post),
        Method::DELETE => Some(Verb::Delete),
        _ => None,
    }
}

impl Route {
    /// That of an update.
    pub(super) fn patch(kind: &'static Kind, id: &str) -> Self {
        let target = Target { call: Call::Patch, verb: kind.endpoint.update, kind, part: Part::Object };
        Self { target, id: id.to_owned(), item: String::new() }
    }

    fn new(call: Call, method: &Method, kind: &'static Kind, part: Part, ids: &[&str]) -> Self {
        let decoded = |at: usize| {
            let id = ids.get(at).copied().unwrap_or_default();
            percent_decode_str(id).decode_utf8_lossy().into_owned()
        };
        let verb = verb(method).unwrap_or_default();
        Self { target: Target { call, verb, kind, part }, id: decoded(0), item: decoded(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> (Call, &'static str, String, String) {
        let route = route(method, path);
        (route.target.call, &route.target.kind.name, route.id, route.item)
    }

    #[test]
    fn methods_and_paths_name_operations() {
        let call = |method: &Method, path| found(method, path).0;
        assert_eq!(call(&Method::POST, "/oauth/token"), Call::Token);
        assert_eq!(call(&Method::GET, "/api/v2/clients"), Call::List);
        assert_eq!(call(&Method::GET, "/api/v2/clients/"), Call::List);
        assert_eq!(call(&Method::POST, "/api/v2/clients/abc"), Call::Other);
        assert_eq!(call(&Method::POST, "/api/v2/clients/abc/rotate-secret"), Call::RotateSecret);
        assert_eq!(call(&Method::GET, "/api/v2/logs"), Call::Logs);
        let log = route(&Method::GET, "/api/v2/logs/90020");
        assert_eq!((log.target.call, log.id.as_str()), (Call::Log, "90020"));
        assert_eq!(call(&Method::GET, "/api/v2/clientsx"), Call::Other);
        assert_eq!(call(&Method::GET, "/api/v2/clients/abc/credentials"), Call::Other);
        let patch = route(&Method::PATCH, "/api/v2/clients/a%20b");
        assert_eq!((patch.target.call, patch.id.as_str()), (Call::Patch, "a b"));
    }

    #[test]
    fn paths_of_every_kind_and_of_what_belongs_to_an_object_are_known() {
        let told = |method: &Method, path: &str| {
            let (call, kind, id, item) = found(method, path);
            format!("{} {kind} {id} {item}", call.name())
        };
        for (method, path, said) in [
            (Method::GET, "actions/actions", "list actions  "),
            (Method::POST, "actions/actions/a1/deploy", "patch actions a1 "),
            (Method::GET, "users-by-email", "list users  "),
            (Method::PATCH, "users/auth0%7Cada", "patch users auth0|ada "),
            (Method::GET, "connections/con_1/clients", "get connections con_1 "),
            (Method::PATCH, "connections/con_1/clients", "patch connections con_1 "),
            (Method::POST, "connections/con_1/clients", "other clients  "),
            (Method::DELETE, "roles/rol_1/permissions", "patch roles rol_1 "),
            (
                Method::DELETE,
                "organizations/org_1/enabled_connections/con_1",
                "patch organizations org_1 con_1",
            ),
            (Method::DELETE, "organizations/org_1/enabled_connections", "other clients  "),
            (Method::GET, "connections/con_1/clients/abc", "other clients  "),
            (Method::GET, "hooks", "other clients  "),
        ] {
            assert_eq!(told(&method, &format!("/api/v2/{path}")), said, "{path}");
        }
    }
}
