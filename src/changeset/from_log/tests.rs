#![expect(clippy::needless_pass_by_value, reason = "called with literals")]

//! A small language: a story is a client with its edits, one a second; what is told of it is text.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::*;
use crate::catalogue::{default_kind, linked, patch};
use crate::model::LogAction;

mod laws;
mod linked_fields;
mod masks;
mod missing;
mod selecting;

const BASE: &str = "2026-08-01T10:00:00Z";

fn at(second: usize) -> Timestamp {
    let base: Timestamp = BASE.parse().unwrap();
    Timestamp::from_second(base.as_second() + second as i64).unwrap()
}

fn body(value: Value) -> Body {
    value.as_object().unwrap().clone()
}

/// A client, and what happens to it. Its snapshot is of second 0, its first event of second 1.
struct Story {
    base: Body,
    state: Body,
    events: Vec<LogEvent>,
}

/// The story of a client called Shop that holds this besides.
fn shop(fields: Value) -> Story {
    let mut base =
        body(json!({"client_id": "shop", "name": "Shop", "client_secret": "hush", "tenant": "acme"}));
    base.extend(body(fields));
    Story { state: base.clone(), base, events: Vec::new() }
}

impl Story {
    /// Ada changes it in the Dashboard.
    fn ada(self, patch: Value) -> Self {
        self.edit("ada@acme.example", "https://manage.auth0.com/", patch)
    }

    /// Bob does.
    fn bob(self, patch: Value) -> Self {
        self.edit("bob@acme.example", "https://manage.auth0.com", patch)
    }

    /// A program does.
    fn program(self, patch: Value) -> Self {
        self.edit("", "api", patch)
    }

    fn edit(mut self, email: &str, channel: &str, patch: Value) -> Self {
        self.write(&patch);
        let event = self.event(email, channel, LogAction::Update, patch);
        self.events.push(event);
        self
    }

    /// Somebody does, and the log does not say so.
    fn unseen(mut self, patch: Value) -> Self {
        self.write(&patch);
        self
    }

    fn ada_does(mut self, action: LogAction) -> Self {
        let event = self.event("ada@acme.example", "https://manage.auth0.com/", action, json!({}));
        self.events.push(event);
        self
    }

    /// As the service does, all that moves along included.
    fn write(&mut self, patch: &Value) {
        let patch = body(patch.clone());
        let named = named::Named::of(default_kind(), &patch, Some(&self.state));
        let mut changes = named::changes(&patch, &named.units);
        changes.extend(linked::moved_along(default_kind(), &self.state, &changes));
        self.state = patch::predict(default_kind(), &self.state, &changes);
    }

    fn event(&self, email: &str, channel: &str, action: LogAction, request: Value) -> LogEvent {
        let mut answer = self.state.clone();
        answer.shift_remove("tenant");
        answer.entry("client_secret").and_modify(|secret| *secret = json!("REDACTED"));
        let second = self.events.len() + 1;
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        LogEvent {
            id: format!("9002026{second:08}"),
            at: at(second),
            by: Author { email: known(email), client_id: Some("app".into()), ..Author::default() },
            channel: channel.to_owned(),
            action,
            target: "shop".into(),
            request: Packed::new(&body(request)),
            response: matches!(action, LogAction::Update | LogAction::RotateSecret | LogAction::Create)
                .then(|| Packed::new(&answer)),
            correlation_id: None,
            user_agent: None,
        }
    }

    /// The log's last answer is another one.
    fn answered(mut self, change: impl FnOnce(&mut Body)) -> Self {
        let last = self.events.last_mut().unwrap();
        let mut answer = last.response.as_ref().unwrap().open();
        change(&mut answer);
        last.response = Some(Packed::new(&answer));
        self
    }

    fn squashed(&self, selection: &Selection) -> Squashed {
        let clients = HashMap::from([("shop".into(), self.base.clone())]);
        let base = Base { clients: &clients, read_by: at(0) };
        squash(default_kind(), &Log { events: &self.events, base: Some(base), now: None }, selection)
    }

    fn without_base(&self, selection: &Selection) -> Squashed {
        squash(default_kind(), &Log { events: &self.events, base: None, now: None }, selection)
    }

    /// With the tenant's state at the end of the story.
    fn with_now(&self, now: Option<&Body>) -> Squashed {
        let clients = HashMap::from([("shop".into(), self.base.clone())]);
        let now: HashMap<EntityId, Body> = now.map(|now| ("shop".into(), now.clone())).into_iter().collect();
        let base = Base { clients: &clients, read_by: at(0) };
        squash(
            default_kind(),
            &Log { events: &self.events, base: Some(base), now: Some(&now) },
            &everything(),
        )
    }
}

fn everything() -> Selection {
    Selection { since: at(0), until: at(1000), by: None, channel: Channel::All }
}

fn by(author: &str) -> Selection {
    Selection { by: Some(author.to_owned()), ..everything() }
}

/// What is recorded of the only client, a line a path; then what is masked, and warnings.
fn told(squashed: &Squashed) -> Vec<String> {
    assert_eq!(squashed.gaps, [], "no gap was expected");
    let [client] = squashed.clients.as_slice() else {
        assert!(squashed.clients.is_empty());
        return Vec::new();
    };
    let shown = |body: &Body, path: &FieldPath| path.get(body).map_or("absent".to_owned(), Value::to_string);
    let change = |path: &FieldPath| match &client.before {
        Some(before) => format!("{path}: {} → {}", shown(before, path), shown(&client.after, path)),
        None => format!("{path}: {}", shown(&client.after, path)),
    };
    let masked = client.masked.iter().map(|path| format!("masked: {path}"));
    let warnings = client.warnings.iter().map(|text| format!("warning: {text}"));
    client.paths.iter().map(change).chain(masked).chain(warnings).collect()
}

#[test]
fn what_the_dashboard_sends_and_nobody_touched_is_not_recorded() {
    let story = shop(json!({"callbacks": ["https://a"], "sso_disabled": false}))
        .ada(json!({"name": "Shop", "callbacks": ["https://a", "https://b"], "sso_disabled": false}));
    assert_eq!(
        told(&story.squashed(&everything())),
        [r#"callbacks: ["https://a"] → ["https://a","https://b"]"#]
    );
}

#[test]
fn several_edits_are_one_change_and_what_is_back_at_the_snapshots_is_none() {
    let story = shop(json!({"description": "old"}))
        .ada(json!({"name": "Shop 2", "description": "new"}))
        .ada(json!({"name": "Shop 3"}))
        .ada(json!({"description": "old"}));
    assert_eq!(told(&story.squashed(&everything())), [r#"name: "Shop" → "Shop 3""#]);
    let back = shop(json!({})).ada(json!({"name": "X"})).ada(json!({"name": "Shop"}));
    let squashed = back.squashed(&everything());
    assert_eq!((squashed.clients.len(), squashed.unchanged, squashed.edits), (0, 1, 2));
}

#[test]
fn the_order_of_delivery_and_doubles_make_no_difference() {
    let mut story =
        shop(json!({})).ada(json!({"name": "A"})).ada(json!({"name": "B"})).ada(json!({"name": "C"}));
    let expected = story.squashed(&everything());
    let first = story.events[0].clone();
    story.events.push(first);
    story.events.reverse();
    assert_eq!(story.squashed(&everything()), expected);
    assert_eq!(expected.edits, 3);
}

#[test]
fn absent_empty_and_null_are_told_apart() {
    let story = shop(json!({"description": "x", "callbacks": ["https://a"], "client_metadata": {"a": "1", "b": "2"}, "organization_usage": "allow"}))
        .ada(json!({"description": "", "callbacks": [], "client_metadata": {"a": null, "c": ""}, "organization_usage": null}));
    assert_eq!(
        told(&story.squashed(&everything())),
        [
            r#"callbacks: ["https://a"] → []"#,
            r#"client_metadata.a: "1" → absent"#,
            r#"client_metadata.c: absent → """#,
            r#"description: "x" → """#,
            r#"organization_usage: "allow" → absent"#,
        ]
    );
}

#[test]
fn the_state_after_is_the_snapshot_with_the_edits_and_its_secrets_are_gone() {
    let story = shop(json!({"callbacks": ["https://a"]})).ada(json!({"name": "Shop 2"}));
    let [client] = story.squashed(&everything()).clients.try_into().unwrap();
    let expected =
        json!({"client_id": "shop", "name": "Shop 2", "tenant": "acme", "callbacks": ["https://a"]});
    assert_eq!(Value::Object(client.after), expected);
    assert!(!client.before.unwrap().contains_key("client_secret"));
}

#[test]
fn without_a_snapshot_the_first_edit_is_taken_at_its_word_and_the_next_ones_are_compared() {
    let story = shop(json!({"description": "x", "initiate_login_uri": "https://a"}))
        .ada(json!({"description": "x", "initiate_login_uri": ""}))
        .ada(json!({"name": "Shop 2", "description": "x", "sso": true}));
    assert_eq!(
        told(&story.without_base(&everything())),
        [r#"description: "x""#, "initiate_login_uri: absent", r#"name: "Shop 2""#, "sso: true"]
    );
    let [client] = story.without_base(&everything()).clients.try_into().unwrap();
    assert_eq!((client.before, client.after.len()), (None, 3));
    assert_eq!(client.known["name"], "Shop", "by which it is found elsewhere");
}

#[test]
fn without_a_snapshot_a_list_is_recorded_whole() {
    let story = shop(json!({"callbacks": ["https://a"]}))
        .bob(json!({"sso": true}))
        .ada(json!({"callbacks": ["https://a", "https://b"]}));
    assert_eq!(
        told(&story.without_base(&by("ada@acme.example"))),
        [r#"callbacks: ["https://a","https://b"]"#]
    );
}
