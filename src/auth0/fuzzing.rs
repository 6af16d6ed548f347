//! What reads the bytes of an answer, for the fuzz targets. Not part of the library's interface.

use std::time::Duration;

use reqwest::header::HeaderMap;

use crate::model::{Body, Endpoint, Entity, LogEvent};

use super::answer::ErrorBody;
use super::error::ApiError;
use super::groups::{Group, Groups};
use super::log_entry::Reading;
use super::logs::entries;
use super::pages::{Collected, Page};
use super::rate_headers::RateHeaders;
use super::settings::Reserve;
use super::token::{Grant, granted};
use super::{kept, read};

/// A page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its objects, each once.
    pub items: Vec<Entity>,
    /// How many there are in all, as it says.
    pub total: Option<usize>,
    /// Where the next page begins, as it says.
    pub next: Option<String>,
}

/// Reads a page of a list.
///
/// # Errors
/// Where it is none.
pub fn page(body: &[u8], endpoint: &Endpoint) -> Result<Listed, String> {
    let page = Page::read(body, endpoint)?;
    let (total, next) = (page.total, page.next.clone());
    let mut all = Collected::default();
    all.add(page);
    let items = all.into_items().into_iter().map(|(id, body)| Entity { id, body: body.open() });
    Ok(Listed { items: items.collect(), total, next })
}

/// Reads a page of the log: the writes in it.
///
/// # Errors
/// Where it is none.
pub fn log(body: &[u8], endpoint: &Endpoint) -> Result<Vec<LogEvent>, String> {
    let write = |reading| match reading {
        Reading::Write(event) => Some(*event),
        Reading::Other | Reading::Unreadable(_) => None,
    };
    Ok(entries(body)?.iter().filter_map(|entry| write(entry.read(endpoint))).collect())
}

/// Reads one object.
///
/// # Errors
/// Where it is none, or has no id.
pub fn entity(body: &[u8], endpoint: &Endpoint) -> Result<Entity, String> {
    read::entity(body, endpoint)
}

/// Reads of an object the fields that are wanted, as of the answer to a write.
///
/// # Errors
/// Where it is none.
pub fn fields(body: &[u8], wanted: &dyn Fn(&str) -> bool) -> Result<Body, String> {
    kept::object(body, wanted).map_err(|error| error.to_string())
}

/// Reads the body of a refusal.
pub fn refusal(status: u16, body: &[u8]) -> ApiError {
    ApiError::of_answer(status, ErrorBody::read(body), 1)
}

/// Reads the answer of the token endpoint.
///
/// # Errors
/// Where it has no token that could be sent.
pub fn token(body: &[u8]) -> Result<Grant, ApiError> {
    granted(body)
}

/// Paces requests, reads and writes in turn, by the headers of these answers, each with its status. Returns how long the
/// longest wait for one was, with nothing in flight.
pub fn longest_wait<'a>(answers: impl IntoIterator<Item = (u16, &'a HeaderMap)>) -> Duration {
    let mut groups = Groups::new(Reserve::Share(0.2));
    let (mut now, mut longest) = (Duration::ZERO, Duration::ZERO);
    for (at, (status, headers)) in answers.into_iter().enumerate() {
        let group = if at % 3 == 0 { Group::Read } else { Group::Write };
        // Each answer may be about the last request, so that every wait is one for tokens.
        let from = now;
        loop {
            let next = groups.next(group, now, 10);
            if next <= now {
                break;
            }
            now = next;
        }
        longest = longest.max(now - from);
        let trip = groups.depart(group, now);
        now += Duration::from_millis(100);
        groups.answered(trip, now, status, &RateHeaders::read(headers));
    }
    longest
}
