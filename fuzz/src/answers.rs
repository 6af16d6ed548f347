//! What the API answers: pages of lists and of the log, objects, refusals, tokens, headers.

use std::collections::HashMap;

use patchwave::auth0::fuzzing::{entity, fields, log, longest_wait, page, refusal, token};
use patchwave::catalogue::redact;
use patchwave::changeset::from_log::{Base, Channel, Log, Selection, squash};
use patchwave::model::{Body, LogEvent};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::world::kind;

/// A body, read as each of the answers that it might be; and as the headers of answers that come one after the other.
pub fn api_answers(data: &[u8]) {
    let endpoint = &kind().endpoint;
    if let Ok(page) = page(data, endpoint) {
        assert!(page.next.as_deref() != Some(""), "a pointer to nowhere");
        for one in page.items {
            stored(&one.id.to_string(), &one.body);
        }
    }
    if let Ok(one) = entity(data, endpoint) {
        stored(&one.id.to_string(), &one.body);
        let some = fields(data, &|key| key == "client_id" || key == "name");
        let some = some.unwrap_or_else(|error| panic!("an object whose fields cannot be read: {error}"));
        assert_eq!(some.get("client_id"), one.body.get("client_id"));
        assert_eq!(some.get("name"), one.body.get("name"));
    }
    if let Ok(events) = log(data, endpoint) {
        squashed(&events);
    }
    for status in [400, 401, 403, 404, 429, 503] {
        let error = refusal(status, data);
        let words = error.to_string();
        assert_eq!(error.status(), Some(status).filter(|status| *status != 429).or(error.status()));
        assert!(words.chars().count() < 1500 && !words.contains(['\n', '\r', '\u{1b}']), "{words:?}");
        let _ = (error.class(), error.reason(), error.retryable());
    }
    if let Err(error) = token(data) {
        assert!(!error.to_string().is_empty());
    }
    let answers = headers(data);
    let wait = longest_wait(answers.iter().map(|(status, headers)| (*status, headers)));
    // Retry-After is believed up to ten minutes; a bucket that is all but still gives a token in that time as well.
    assert!(wait.as_secs() <= 1300, "a request waits {wait:?}");
}

/// Events of the log: no secret of theirs is recorded, and what comes twice is as if it came once.
fn squashed(events: &[LogEvent]) {
    let Some(since) = events.iter().map(|event| event.at).min() else { return };
    let until = events.iter().map(|event| event.at).max().unwrap_or(since);
    let all = Selection { since, until, by: None, channel: Channel::All };
    let clients: HashMap<_, Body> =
        events.iter().map(|event| (event.target.clone(), event.request.open())).collect();
    for base in [None, Some(Base { clients: &clients, read_by: since })] {
        let once = squash(kind(), &Log { events, base, now: None }, &all);
        for client in &once.clients {
            let mut shown = client.after.clone();
            redact::strip(kind(), &mut shown);
            assert_eq!(shown, client.after, "a secret is recorded");
            assert!(client.paths.iter().all(|path| !kind().is_secret(path)));
        }
        let twice = [events, events].concat();
        assert_eq!(
            squash(kind(), &Log { events: &twice, base, now: Some(&clients) }, &all).clients,
            once.clients
        );
    }
}

/// An object that was read: what is hidden stays hidden, and all else is kept.
fn stored(id: &str, body: &Body) {
    assert_eq!(body.get("client_id").and_then(|id| id.as_str()), Some(id));
    let mut shown = body.clone();
    redact::strip(kind(), &mut shown);
    for (key, value) in body {
        let hidden = redact::has_marker(value) || value.is_object() || value.is_array();
        let secret = kind().is_secret(&patchwave::model::FieldPath::root_field(key));
        assert!(hidden || secret || shown.get(key) == Some(value), "{key} is lost");
    }
    let once = shown.clone();
    redact::strip(kind(), &mut shown);
    assert_eq!(shown, once, "hidden twice is hidden once");
}

/// Blocks of lines, each a status and the headers under it.
fn headers(data: &[u8]) -> Vec<(u16, HeaderMap)> {
    let text = String::from_utf8_lossy(data);
    let block = |block: &str| {
        let mut lines = block.lines();
        let status = lines.next()?.trim().parse().ok().filter(|status| (200..600).contains(status))?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((HeaderName::try_from(name.trim()).ok()?, HeaderValue::try_from(value.trim()).ok()?))
        };
        Some((status, lines.filter_map(header).collect()))
    };
    text.split("\n\n").take(200).map_while(block).collect()
}
