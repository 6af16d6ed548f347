//! A write as the tenant's own log tells of it. Central type: [`LogEvent`].

use std::fmt;

use jiff::Timestamp;

use super::{Body, EntityId, Packed};

/// Where the Dashboard's writes come from, in whatever environment: the beginning of its host's name.
const DASHBOARD: &str = "manage.";

/// A successful write to one object. Its bodies may hold secrets: they are neither printed nor stored as they are.
#[derive(Clone, PartialEq)]
pub struct LogEvent {
    /// The log's own id of it.
    pub id: String,
    /// When it happened, by the tenant's clock, to the millisecond.
    pub at: Timestamp,
    /// Who did it.
    pub by: Author,
    /// How the request came in, in the log's words: `api`, or the Dashboard's address.
    pub channel: String,
    /// What was done.
    pub action: LogAction,
    /// To which object.
    pub target: EntityId,
    /// The body as it was sent; empty where there was none.
    pub request: Packed<Body>,
    /// The object as it was answered; `None` where the log shows none.
    pub response: Option<Packed<Body>>,
    /// `X-Correlation-ID`, where one was sent.
    pub correlation_id: Option<String>,
    /// `User-Agent`, where it is known.
    pub user_agent: Option<String>,
}

/// What a write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LogAction {
    /// Makes the object.
    Create,
    /// Changes fields of it.
    Update,
    /// Deletes it.
    Delete,
    /// Gives it a new secret.
    RotateSecret,
    /// Changes a list of it that has an endpoint of its own. The request is then told as `{field: {add: […], remove: […]}}`, each
    /// item as the field shows it.
    Associate,
    /// Changes something that hangs on it and is none of its fields, such as a credential.
    Below,
}

impl LogAction {
    /// Whether fields of the object are changed by it, so that a change set can have it.
    pub fn edits(self) -> bool {
        matches!(self, Self::Update | Self::Associate)
    }
}

/// Who wrote, as far as the log says. A machine has an application alone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Author {
    /// Id of the user.
    pub user_id: Option<String>,
    /// The user's name.
    pub name: Option<String>,
    /// The user's address.
    pub email: Option<String>,
    /// Id of the application whose token it was; that of the Dashboard for people.
    pub client_id: Option<String>,
}

impl LogEvent {
    /// Whether it was done by hand in the Dashboard.
    pub fn is_dashboard(&self) -> bool {
        let channel = self.channel.trim().to_ascii_lowercase();
        let host = channel.split_once("://").map_or(channel.as_str(), |(_, rest)| rest);
        host.starts_with(DASHBOARD)
    }
}

impl fmt::Debug for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogEvent")
            .field("id", &self.id)
            .field("at", &self.at)
            .field("by", &self.by)
            .field("channel", &self.channel)
            .field("action", &self.action)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Author {
    /// Whether this is whom a user names: by id, name or address (whatever its capitals), or by the application's id.
    pub fn is(&self, wanted: &str) -> bool {
        let wanted = wanted.trim();
        let exactly = [&self.user_id, &self.name, &self.client_id];
        exactly.into_iter().flatten().any(|known| known == wanted)
            || self.email.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(wanted))
    }
}

impl fmt::Display for Author {
    /// The most telling of what is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = [&self.email, &self.name, &self.user_id, &self.client_id];
        match known.into_iter().flatten().next() {
            Some(known) => f.write_str(known),
            None => f.write_str("somebody unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(channel: &str) -> LogEvent {
        LogEvent {
            id: "1".into(),
            at: Timestamp::UNIX_EPOCH,
            by: Author::default(),
            channel: channel.into(),
            action: LogAction::Update,
            target: "c".into(),
            request: Packed::new(&Body::from_iter([("client_secret".to_owned(), "hush".into())])),
            response: None,
            correlation_id: None,
            user_agent: None,
        }
    }

    #[test]
    fn the_dashboard_is_known_by_its_host_with_or_without_a_slash() {
        for channel in
            ["https://manage.auth0.com/", "https://manage.auth0.com", "HTTPS://Manage.acme.auth0.com/x"]
        {
            assert!(event(channel).is_dashboard(), "{channel}");
        }
        for channel in ["api", "", "https://acme.auth0.com/manage.", "https://my-manage.example/"] {
            assert!(!event(channel).is_dashboard(), "{channel}");
        }
    }

    #[test]
    fn an_author_is_found_by_id_name_address_or_application_and_nothing_else() {
        let ada = Author {
            user_id: Some("auth0|1".into()),
            name: Some("Ada".into()),
            email: Some("ada@acme.example".into()),
            client_id: Some("app".into()),
        };
        for named in ["auth0|1", "Ada", "ADA@acme.example", " app "] {
            assert!(ada.is(named), "{named}");
        }
        for named in ["ada", "", "acme.example", "AUTH0|1"] {
            assert!(!ada.is(named), "{named}");
        }
        assert!(!Author::default().is(""));
    }

    #[test]
    fn the_bodies_of_an_event_are_not_printed() {
        assert!(!format!("{:?}", event("api")).contains("hush"));
    }
}
