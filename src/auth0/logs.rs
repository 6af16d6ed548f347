//! Reading the tenant's log. Central type: [`LogWindow`].
//!
//! A search ends at 1,000 results, and finds nothing in `details`: it gives the first write of a window, from where the log
//! is walked event by event, a hundred a page (Auth0, "Retrieve Log Events Using the Management API", checkpoint method).
//! Most events of a busy tenant are logins: where pages hold no write, a search gives the next one.

use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::error::ApiError;
use super::log_entry::{LogEntry, Reading};
use super::read::Reader;
use crate::model::{Endpoint, LogEvent};

/// Most events of a page.
const TAKE: &str = "100";
/// After so many pages in a row without a write the next one is searched.
const IDLE_PAGES: usize = 3;

/// The successful writes to objects of one kind that the log has of a time window.
#[derive(Debug, Default)]
pub struct LogWindow {
    /// In the order in which they happened, each once.
    pub events: Vec<LogEvent>,
    /// The oldest event of any type that the log still has; `None` for an empty log.
    pub oldest: Option<Timestamp>,
    /// Events that were walked past, of whatever type.
    pub walked: usize,
    /// Writes that were delivered more than once.
    pub doubles: usize,
    /// Writes of which something was missing that has to be known: they are left out.
    pub unreadable: usize,
    /// Which was the first of these, and what it lacks.
    pub first_unreadable: Option<String>,
}

/// A walk through the log.
struct Walk<'w> {
    endpoint: &'w Endpoint,
    since: Timestamp,
    until: Timestamp,
    window: LogWindow,
    ids: HashSet<String>,
    /// An event after the window was seen.
    past: bool,
    /// Pages in a row without a write.
    idle: usize,
}

impl Reader {
    /// The writes to objects of a kind from `since` until `until`, both included, by the tenant's clock. Entries arrive late:
    /// a window that ends now may lack the newest. Takes a request for each hundred events of
    /// any type, but for stretches of the window in which nothing was written.
    ///
    /// # Errors
    /// [`ApiError::ScopeMissing`] without `read:logs`, and whatever else goes wrong. A window is complete as far as the log
    /// has it, or it is an error.
    pub async fn log_window(
        &self,
        endpoint: &Endpoint,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<LogWindow, ApiError> {
        let oldest = self.log_page(&[("sort", "date:1"), ("per_page", "1")]).await?;
        let oldest = oldest.first().and_then(LogEntry::at);
        let window = LogWindow { oldest, ..LogWindow::default() };
        let mut walk =
            Walk { endpoint, since, until, window, ids: HashSet::new(), past: since > until, idle: 0 };
        let mut from = self.next_write(&mut walk, since).await?;
        let mut been = HashSet::new();
        while let Some(at) = from.take().filter(|_| !walk.past) {
            let page = self.log_page(&[("from", &at), ("take", TAKE)]).await?;
            // A page that ends where it began has nothing new: events that came twice.
            from = walk.take(&page)?.filter(|next| *next != at);
            if walk.idle >= IDLE_PAGES
                && from.is_some()
                && let Some(reached) = page.iter().rev().find_map(LogEntry::at)
            {
                from = self.next_write(&mut walk, reached).await?;
            }
            been.insert(at);
            if let Some(next) = from.as_ref().filter(|next| been.contains(*next)) {
                return Err(ApiError::Malformed(format!("the log's pages lead back to event {next}")));
            }
        }
        Ok(walk.finish())
    }

    /// Takes the first write of any kind from an instant on; `None` where the window has no more.
    async fn next_write(&self, walk: &mut Walk<'_>, since: Timestamp) -> Result<Option<String>, ApiError> {
        if walk.past {
            return Ok(None);
        }
        walk.idle = 0;
        // Of two writes in one millisecond the search may give the later first: from before it the walk meets both.
        let before = since.checked_sub(std::time::Duration::from_millis(1)).unwrap_or(since);
        let q = format!("type:sapi AND date:[{before:.3} TO {:.3}]", walk.until);
        let found = self.log_page(&[("q", &q), ("sort", "date:1"), ("per_page", "1")]).await?;
        walk.take(&found)
    }

    async fn log_page(&self, parameters: &[(&str, &str)]) -> Result<Vec<LogEntry>, ApiError> {
        self.fetch_log(parameters, &entries).await
    }
}

/// The entries of a page; what is no object is none.
pub(super) fn entries(body: &[u8]) -> Result<Vec<LogEntry>, String> {
    let entries: Vec<Value> = serde_json::from_slice(body).map_err(|_| "the log is no list".to_owned())?;
    Ok(entries.into_iter().filter_map(LogEntry::new).collect())
}

impl Walk<'_> {
    /// Takes what is needed of a page. Returns the event to go on from; `None` after an empty page.
    fn take(&mut self, page: &[LogEntry]) -> Result<Option<String>, ApiError> {
        for entry in page {
            self.window.walked += 1;
            self.past |= entry.at().is_some_and(|at| at > self.until);
            match entry.read(self.endpoint) {
                Reading::Other => (),
                Reading::Write(event) => self.keep(*event),
                Reading::Unreadable(what) => {
                    self.window.unreadable += 1;
                    let id = entry.id().unwrap_or("without id");
                    self.window.first_unreadable.get_or_insert_with(|| format!("event {id}: {what}"));
                }
            }
        }
        self.idle = if page.iter().any(LogEntry::is_write) { 0 } else { self.idle + 1 };
        let last = page.iter().rev().find_map(LogEntry::id).map(str::to_owned);
        if last.is_none() && !page.is_empty() {
            return Err(ApiError::Malformed("the log's events have no log_id".to_owned()));
        }
        Ok(last)
    }

    fn keep(&mut self, event: LogEvent) {
        // Events are stamped to the millisecond, cut off.
        if event.at.as_millisecond() < self.since.as_millisecond() || event.at > self.until {
            return;
        }
        if self.ids.insert(event.id.clone()) {
            self.window.events.push(event);
        } else {
            self.window.doubles += 1;
        }
    }

    fn finish(mut self) -> LogWindow {
        self.window.events.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        self.window
    }
}
