//! What an entry of the tenant's log tells. Pure, and lenient: parts may be missing, null, or of another type. Central
//! type: [`LogEntry`].

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::associated;
use crate::model::{Author, Body, Endpoint, EntityId, LogAction, LogEvent, Packed};

/// The type of a successful write (Auth0, "Log Event Type Codes").
const WRITE: &str = "sapi";

/// An entry as it came; log streams wrap it as `{log_id, data: {…}}`.
#[derive(Debug)]
pub(super) struct LogEntry {
    outer: Body,
}

/// What an entry is to whoever looks for writes of one kind of object.
#[derive(Debug)]
pub(super) enum Reading {
    Write(Box<LogEvent>),
    /// Something else.
    Other,
    /// A write, of which something is missing that has to be known.
    Unreadable(&'static str),
}

impl LogEntry {
    /// `None` for what is no object.
    pub(super) fn new(entry: Value) -> Option<Self> {
        match entry {
            Value::Object(outer) => Some(Self { outer }),
            _ => None,
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        let inner = self.outer.get("data").and_then(Value::as_object);
        let found = inner.and_then(|inner| inner.get(key)).or_else(|| self.outer.get(key));
        found.filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.text("log_id").or_else(|| self.text("_id"))
    }

    pub(super) fn at(&self) -> Option<Timestamp> {
        self.text("date")?.parse().ok()
    }

    /// Whether it is of a successful write, to whatever.
    pub(super) fn is_write(&self) -> bool {
        self.text("type") == Some(WRITE)
    }

    /// Reads it as a write to an object of a kind.
    pub(super) fn read(&self, endpoint: &Endpoint) -> Reading {
        if !self.is_write() {
            return Reading::Other;
        }
        let request = self.get("details").and_then(|details| details.get("request"));
        let part = |key: &str| request.and_then(|request| request.get(key));
        let Some(path) = part("path").and_then(Value::as_str) else {
            return Reading::Unreadable("it does not say which object");
        };
        let Some(below) = segments(path, endpoint) else { return Reading::Other };
        let response = self.get("details").and_then(|details| details.get("response"));
        if !response.is_none_or(succeeded) {
            return Reading::Other;
        }
        let method = part("method").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let Some(action) = action(&method, &below, endpoint) else { return Reading::Other };
        let sent = body(part("body")).unwrap_or_default();
        let items = (action == LogAction::Below)
            .then(|| associated::written(endpoint, &method, &below, part("body").unwrap_or(&Value::Null)))
            .flatten();
        let (action, sent) = items.map_or((action, sent), |items| (LogAction::Associate, items));
        let answer = response.and_then(|response| body(response.get("body")));
        let answered = answer.as_ref().and_then(|body| body.get(&endpoint.id_field)?.as_str());
        let Some(target) = below.first().map(String::as_str).or(answered).map(EntityId::new) else {
            return Reading::Unreadable("it does not say which object was made");
        };
        let (Some(id), Some(at)) = (self.id(), self.at()) else {
            return Reading::Unreadable("it has no id or no date");
        };
        let owned = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let references = self.get("references");
        Reading::Write(Box::new(LogEvent {
            id: id.to_owned(),
            at,
            by: self.author(part("auth").and_then(|auth| auth.get("user"))),
            channel: owned(part("channel")).unwrap_or_default(),
            action,
            target,
            request: Packed::new(&sent),
            response: answer.as_ref().map(Packed::new),
            correlation_id: owned(references.and_then(|references| references.get("correlation_id"))),
            user_agent: owned(part("userAgent")).or_else(|| self.text("user_agent").map(str::to_owned)),
        }))
    }

    /// The user of the request, else the one of the entry. What is called a name there is mostly an address.
    fn author(&self, user: Option<&Value>) -> Author {
        let of_user =
            |key: &str| user.and_then(|user| user.get(key)?.as_str()).filter(|text| !text.is_empty());
        let entry = self.text("user_name");
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Author {
            user_id: owned(of_user("user_id").or_else(|| self.text("user_id"))),
            name: owned(of_user("name").or_else(|| entry.filter(|name| !name.contains('@')))),
            email: owned(of_user("email").or_else(|| entry.filter(|name| name.contains('@')))),
            client_id: owned(self.text("client_id")),
        }
    }
}

/// What stands in a path behind that of a kind's objects, decoded; `None` for a path of something else.
fn segments(path: &str, endpoint: &Endpoint) -> Option<Vec<String>> {
    let (_, path) = path.split_once("/api/v2/")?;
    let path = path.split(['?', '#']).next()?;
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let at_home = endpoint.path.split('/').all(|part| segments.next() == Some(part));
    let decoded = segments.map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned());
    at_home.then(|| decoded.collect())
}

fn action(method: &str, below: &[String], endpoint: &Endpoint) -> Option<LogAction> {
    let follows = |path: &str| endpoint.then.as_ref().is_some_and(|then| then.path == path);
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    match (method, below.as_slice()) {
        ("post", []) => Some(LogAction::Create),
        ("patch" | "put", [_]) => Some(LogAction::Update),
        ("delete", [_]) => Some(LogAction::Delete),
        ("post", [_, "rotate-secret"]) => Some(LogAction::RotateSecret),
        // What was changed is in the entry of the change.
        ("post", [_, path]) if follows(path) => None,
        ("post" | "patch" | "put" | "delete", [_, _, ..]) => Some(LogAction::Below),
        _ => None,
    }
}

/// An answer without a status is one of a success: no others are logged under this type.
fn succeeded(response: &Value) -> bool {
    response.get("statusCode").and_then(Value::as_u64).is_none_or(|status| (200..300).contains(&status))
}

/// A body, which may come as text.
fn body(value: Option<&Value>) -> Option<Body> {
    match value? {
        Value::Object(body) => Some(body.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::clients;
    use super::*;
    use serde_json::json;

    /// An entry in the form of recorded ones, with these changes.
    fn entry(change: impl FnOnce(&mut Value)) -> Reading {
        let mut entry = json!({
            "_id": "90020260801101500123456000000000000001223372036854775807",
            "log_id": "90020260801101500123456000000000000001223372036854775807",
            "date": "2026-08-01T10:15:00.087Z", "type": "sapi", "description": "Update a client",
            "client_id": "DASHBOARD", "client_name": "", "user_id": "auth0|1", "user_name": "admin@example.com",
            "user_agent": "Firefox 128.0.0 / Linux 0.0.0",
            "details": {
                "request": {
                    "method": "patch", "path": "/api/v2/clients/auth0%7Ctarget", "query": {}, "userAgent": "Mozilla/5.0",
                    "body": {"name": "Shop"}, "channel": "https://manage.auth0.com/",
                    "auth": {"strategy": "jwt", "user": {"user_id": "auth0|1", "name": "Admin", "email": "admin@example.com"}},
                },
                "response": {"statusCode": 200, "body": {"client_id": "auth0|target", "name": "Shop"}},
            },
            "references": {"correlation_id": "run/1"}, "connection": null, "isMobile": false,
        });
        change(&mut entry);
        LogEntry::new(entry).unwrap().read(&clients())
    }

    fn written(reading: Reading) -> LogEvent {
        match reading {
            Reading::Write(event) => *event,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_update_is_read_with_all_that_is_known_of_it() {
        let event = written(entry(|_| ()));
        let text = |text: &str| Some(text.to_owned());
        let by = Author {
            user_id: text("auth0|1"),
            name: text("Admin"),
            email: text("admin@example.com"),
            client_id: text("DASHBOARD"),
        };
        assert_eq!(
            (event.target.as_str(), event.action, event.by.clone()),
            ("auth0|target", LogAction::Update, by)
        );
        assert_eq!(
            (event.correlation_id.as_deref(), event.user_agent.as_deref()),
            (Some("run/1"), Some("Mozilla/5.0"))
        );
        assert_eq!(event.at.to_string(), "2026-08-01T10:15:00.087Z");
        assert_eq!(event.request.open()["name"], "Shop");
        assert_eq!(event.response.as_ref().unwrap().open().len(), 2);
        assert!(event.is_dashboard());
    }

    #[test]
    fn an_entry_of_a_log_stream_is_the_same() {
        let plain = written(entry(|_| ()));
        let wrapped = entry(|entry| *entry = json!({"log_id": entry["log_id"], "data": entry.take()}));
        assert_eq!(written(wrapped), plain);
    }

    #[test]
    fn method_and_path_say_what_was_done() {
        let done = |method: &str, path: &str| match entry(|entry| {
            entry["details"]["request"]["method"] = json!(method);
            entry["details"]["request"]["path"] = json!(path);
        }) {
            Reading::Write(event) => Some((event.action, event.target.to_string())),
            _ => None,
        };
        let on = |action, id: &str| Some((action, id.to_owned()));
        assert_eq!(done("post", "/api/v2/clients"), on(LogAction::Create, "auth0|target"));
        assert_eq!(done("PATCH", "/api/v2/clients/a%20b/?x=1"), on(LogAction::Update, "a b"));
        assert_eq!(done("patch", "https://acme.auth0.com/api/v2/clients/a"), on(LogAction::Update, "a"));
        assert_eq!(done("delete", "/api/v2/clients/a"), on(LogAction::Delete, "a"));
        assert_eq!(done("post", "/api/v2/clients/a/rotate-secret"), on(LogAction::RotateSecret, "a"));
        assert_eq!(done("delete", "/api/v2/clients/a/credentials/c"), on(LogAction::Below, "a"));
        for (method, path) in [
            ("get", "/api/v2/clients/a"),
            ("patch", "/api/v2/clients"),
            ("patch", "/api/v2/connections/a"),
            ("patch", "/api/v2/clients-x/a"),
            ("patch", "/clients/a"),
        ] {
            assert_eq!(done(method, path), None, "{method} {path}");
        }
    }

    #[test]
    fn a_program_is_known_by_its_application_and_an_entry_without_a_user_by_its_own() {
        let machine = entry(|entry| {
            entry["details"]["request"]["auth"] = json!({"user": {}});
            entry["user_id"] = json!("");
            entry["user_name"] = Value::Null;
        });
        let by = written(machine).by;
        assert_eq!((by.user_id, by.email, by.client_id.as_deref()), (None, None, Some("DASHBOARD")));
        let bare = written(entry(|entry| entry["details"]["request"]["auth"] = Value::Null)).by;
        assert_eq!((bare.name, bare.email.as_deref()), (None, Some("admin@example.com")));
    }

    #[test]
    fn whatever_is_missing_or_of_another_type_breaks_nothing() {
        for path in ["details", "details/request/path", "log_id,_id", "date"] {
            let unreadable = entry(|entry| {
                for path in path.split(',') {
                    *entry.pointer_mut(&format!("/{path}")).unwrap() = json!(7);
                }
            });
            assert!(matches!(unreadable, Reading::Unreadable(_)), "{path}: {unreadable:?}");
        }
        for path in ["type", "details/request/method", "details/response/statusCode"] {
            let other = entry(|entry| *entry.pointer_mut(&format!("/{path}")).unwrap() = json!(404));
            assert!(matches!(other, Reading::Other), "{path}: {other:?}");
        }
        for path in
            ["client_id", "details/request/body", "details/request/auth", "details/response", "references"]
        {
            for value in [json!(7), json!([1]), Value::Null, json!("text")] {
                written(entry(|entry| *entry.pointer_mut(&format!("/{path}")).unwrap() = value));
            }
        }
        let text =
            written(entry(|entry| entry["details"]["request"]["body"] = json!(r#"{"name": "as text"}"#)));
        assert_eq!(text.request.open()["name"], "as text");
    }
}
