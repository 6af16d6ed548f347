//! A tenant's log: an event for every write that succeeded, as the Management API shows it (Auth0, "Log Event Type Codes",
//! `sapi`). Kept in memory alone, the newest events only. Central types: [`TenantLog`], and [`LogOptions`] of how it behaves.
//!
//! What arrives is kept as bytes; the JSON of an event is made when somebody reads it.

mod dashboard;
mod entry;
mod query;
mod search;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::reply::{Refusal, Reply};
use super::store::lock;
use crate::model::Body;
pub use dashboard::DashboardUser;
use entry::Entry;
pub(super) use entry::{Trace, Write};
use query::{LogsQuery, Walk};
use search::Search;

/// Events beyond this push out the oldest.
const MOST_EVENTS: usize = 100_000;
/// Bytes of bodies beyond this push out the oldest as well. The body of an answer is mostly the stored client itself, and then
/// costs nothing here until that client is changed again.
const MOST_BYTES: usize = 128 << 20;
/// A search ends after so many results, whatever the page (OpenAPI, "Search log events").
const MOST_RESULTS: usize = 1000;

/// How a tenant's log behaves. The default keeps everything, shows it at once, and each event once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// How long events are kept.
    pub retention: Option<Duration>,
    /// How long after a write its event is seen.
    pub delay: Duration,
    /// Every so many-th event comes twice where the log is walked by checkpoint; none, where it is 0.
    pub doubles: u64,
}

/// The events of one tenant.
#[derive(Debug, Default)]
pub(super) struct TenantLog {
    ring: Mutex<Ring>,
    options: LogOptions,
}

#[derive(Debug)]
struct Ring {
    /// By serial number, without a gap, oldest first.
    events: VecDeque<Arc<Entry>>,
    next: u64,
    bytes: usize,
    most_events: usize,
    most_bytes: usize,
}

impl Default for Ring {
    fn default() -> Self {
        Self { events: VecDeque::new(), next: 0, bytes: 0, most_events: MOST_EVENTS, most_bytes: MOST_BYTES }
    }
}

impl Ring {
    /// How many of the events have an id up to this one.
    fn after(&self, id: &str) -> usize {
        self.events.partition_point(|event| *event.id() <= *id)
    }

    /// Those that are seen at an instant, in microseconds since 1970: neither too new nor too old.
    fn seen(&self, options: &LogOptions, now: i64) -> Range<usize> {
        let before = |age: Duration| now.saturating_sub(i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
        let oldest = options.retention.map_or(i64::MIN, before);
        let start = self.events.partition_point(|event| event.micros < oldest);
        let end = self.events.partition_point(|event| event.micros <= before(options.delay));
        start..end.max(start)
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.events.push_back(Arc::new(entry));
        while self.events.len() > self.most_events || (self.bytes > self.most_bytes && self.events.len() > 1)
        {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= oldest.bytes();
        }
    }
}

impl TenantLog {
    pub(super) fn new(options: LogOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Adds the event of a write that succeeded. `micros`: microseconds since 1970, by the tenant's clock.
    pub(super) fn add(&self, write: Write<'_>, micros: i64) {
        let mut ring = lock(&self.ring);
        // Ids sort by time, so that no event may be older than the one before it.
        let micros = ring.events.back().map_or(micros, |last| micros.max(last.micros));
        let serial = ring.next;
        ring.next += 1;
        ring.push(Entry::new(write, serial, micros));
    }

    /// Makes every event so much older.
    pub(super) fn age(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        for event in &mut lock(&self.ring).events {
            let older = event.micros.saturating_sub(by);
            Arc::make_mut(event).micros = older;
        }
    }

    /// Every event that is seen, oldest first, as it would be shown.
    pub(super) fn all(&self, scopes: &[String], now: i64) -> Vec<Body> {
        let ring = lock(&self.ring);
        let seen: Vec<_> = ring.events.range(ring.seen(&self.options, now)).map(Arc::clone).collect();
        drop(ring);
        seen.iter().map(|event| event.render(scopes)).collect()
    }

    /// One event.
    ///
    /// # Errors
    /// 404 for an id that names none.
    pub(super) fn one(&self, id: &str, scopes: &[String], now: i64) -> Result<Reply, Refusal> {
        let ring = lock(&self.ring);
        let seen = ring.seen(&self.options, now);
        let at = ring.after(id).checked_sub(1).filter(|at| seen.contains(at));
        let found = at.and_then(|at| ring.events.get(at));
        let event = found.filter(|event| event.id() == id).map(Arc::clone);
        drop(ring);
        let event = event.ok_or_else(|| Refusal::new(404, "Log not found."))?;
        Ok(Reply::json(200, &event.render(scopes).into()))
    }

    /// A page of events. `url` is where the log is, for links.
    ///
    /// # Errors
    /// 400 for a query that has no sense, or that the sandbox does not understand.
    pub(super) fn list(&self, query: &str, url: &str, scopes: &[String], now: i64) -> Result<Reply, Refusal> {
        let query = LogsQuery::read(query)?;
        let events = match &query.walk {
            Walk::Checkpoint { from, take } => self.newer_than(from.as_deref(), *take, now),
            Walk::Pages { search, newest_first, skip, count } => {
                self.search(search, *newest_first, *skip, *count, now)
            }
        };
        Ok(query.answer(&events, url, scopes))
    }

    fn newer_than(&self, id: Option<&str>, take: usize, now: i64) -> Vec<Arc<Entry>> {
        let ring = lock(&self.ring);
        let seen = ring.seen(&self.options, now);
        let after = id.map_or(0, |id| ring.after(id));
        let start = after.clamp(seen.start, seen.end);
        let twice = |event: &Arc<Entry>| event.is_every(self.options.doubles);
        let mut page: Vec<Arc<Entry>> = Vec::new();
        // The one that the page begins after comes again, where that leaves room to get on.
        let last = after.checked_sub(1).filter(|at| seen.contains(at) && start < seen.end && take > 1);
        page.extend(last.and_then(|at| ring.events.get(at)).filter(|event| twice(event)).map(Arc::clone));
        for event in ring.events.range(start..seen.end).take(take) {
            let times = if twice(event) { 2 } else { 1 };
            page.extend(std::iter::repeat_n(event, times).map(Arc::clone));
        }
        page.truncate(take);
        page
    }

    fn search(
        &self,
        search: &Search,
        newest_first: bool,
        skip: usize,
        count: usize,
        now: i64,
    ) -> Vec<Arc<Entry>> {
        let ring = lock(&self.ring);
        let count = count.min(MOST_RESULTS.saturating_sub(skip));
        let fits = |event: &&Arc<Entry>| search.fits(event);
        let seen = ring.events.range(ring.seen(&self.options, now));
        match newest_first {
            true => seen.rev().filter(fits).skip(skip).take(count).map(Arc::clone).collect(),
            false => seen.filter(fits).skip(skip).take(count).map(Arc::clone).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::call::route;
    use crate::sandbox::token::Claims;

    /// A log that holds so much, after five writes of `size` bytes: which of them are left.
    fn left(most_events: usize, most_bytes: usize, size: usize) -> Vec<String> {
        let ring = Mutex::new(Ring { most_events, most_bytes, ..Ring::default() });
        let log = TenantLog { ring, ..TenantLog::default() };
        let (claims, reply) = (Claims::default(), Reply::new(200, "x".repeat(size)));
        for n in 0..5 {
            let route = route(&axum::http::Method::PATCH, &format!("/api/v2/clients/{n}"));
            let write = Write {
                route: &route,
                query: "",
                body: b"",
                claims: &claims,
                trace: Trace::default(),
                reply: &reply,
            };
            // The clock goes back, and ids do not.
            log.add(write, 1_000_000 - n);
        }
        let newest_first = log.search(&Search::default(), true, 0, 10, i64::MAX);
        let ids: Vec<String> = newest_first.iter().rev().map(|event| event.id()).collect();
        assert!(ids.is_sorted());
        let paths = newest_first.iter().map(|event| event.render(&[])["details"]["request"]["path"].clone());
        paths.map(|path| path.as_str().unwrap_or_default().replace("/api/v2/clients/", "")).collect()
    }

    #[test]
    fn the_newest_events_push_out_the_oldest_where_there_are_too_many_or_too_large_ones() {
        assert_eq!(left(10, usize::MAX, 10), ["4", "3", "2", "1", "0"]);
        assert_eq!(left(2, usize::MAX, 10), ["4", "3"]);
        assert_eq!(left(10, 4000, 1000), ["4", "3", "2"]);
        assert_eq!(left(10, 10, 1000), ["4"], "the newest is kept, however large");
    }
}
