//! The query of a log read, and the forms it is answered in. Central type: [`LogsQuery`].

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::parameters::Parameters;
use super::super::reply::{Refusal, Reply};
use super::super::view::Projection;
use super::Entry;
use super::search::Search;

const PARAMETERS: [&str; 10] =
    ["page", "per_page", "sort", "fields", "include_fields", "include_totals", "from", "take", "q", "search"];

/// How the log is walked.
#[derive(Debug, PartialEq)]
pub(super) enum Walk {
    /// Events newer than one, oldest first; everything else that was asked is ignored, as the service does.
    Checkpoint {
        from: Option<String>,
        take: usize,
    },
    Pages {
        search: Search,
        newest_first: bool,
        skip: usize,
        count: usize,
    },
}

/// A log query, understood.
#[derive(Debug, PartialEq)]
pub(super) struct LogsQuery {
    pub(super) walk: Walk,
    projection: Projection,
    totals: bool,
}

impl LogsQuery {
    /// # Errors
    /// 400 for a parameter that does not exist or has no sense.
    pub(super) fn read(query: &str) -> Result<Self, Refusal> {
        let parameters = Parameters::read(query, &PARAMETERS)?;
        // Tools that begin at the beginning send an empty `from`.
        let from = parameters.get("from").filter(|id| !id.is_empty());
        let take = parameters.number("take", 1, 100)?;
        if parameters.get("from").is_some() || take.is_some() {
            if let Some(id) = from.filter(|id| !is_log_id(id)) {
                let what = format!("Object didn't pass validation for format log-id: {id}");
                return Err(Refusal::query(&what, "from"));
            }
            let walk = Walk::Checkpoint { from: from.map(str::to_owned), take: take.unwrap_or(50) };
            return Ok(Self { walk, projection: Projection::All, totals: false });
        }
        if parameters.get("search").is_some() {
            return Err(Refusal::query("The sandbox searches by q alone", "search"));
        }
        let count = parameters.number("per_page", 0, 100)?.unwrap_or(50);
        let walk = Walk::Pages {
            search: Search::read(parameters.get("q").unwrap_or_default())?,
            newest_first: newest_first(parameters.get("sort"))?,
            skip: parameters.number("page", 0, usize::MAX)?.unwrap_or(0).saturating_mul(count),
            count,
        };
        let totals = parameters.flag("include_totals")?.unwrap_or(false);
        Ok(Self { walk, projection: parameters.projection()?, totals })
    }

    /// The events as a plain list, with a link to the next ones where a checkpoint was given; or in an object that counts them.
    pub(super) fn answer(&self, events: &[Arc<Entry>], url: &str, scopes: &[String]) -> Reply {
        let show = |event: &Arc<Entry>| {
            let mut shown = event.render(scopes);
            self.projection.apply(&mut shown);
            Value::Object(shown)
        };
        let logs: Vec<Value> = events.iter().map(show).collect();
        match &self.walk {
            Walk::Checkpoint { from, take } => {
                // An empty page leads to itself: there will be events after it.
                let last = events.last().map(|event| event.id()).or_else(|| from.clone());
                let reply = Reply::json(200, &Value::Array(logs));
                match last {
                    Some(id) => reply.header("link", format!("<{url}?from={id}&take={take}>; rel=\"next\"")),
                    None => reply,
                }
            }
            // The total is that of the page: the service no longer counts further.
            Walk::Pages { skip, count, .. } if self.totals => Reply::json(
                200,
                &json!({ "start": skip, "limit": count, "length": logs.len(), "total": logs.len(), "logs": logs }),
            ),
            Walk::Pages { .. } => Reply::json(200, &Value::Array(logs)),
        }
    }
}

/// The service sorts by other fields too; which way it sorts where nothing is said is assumed.
fn newest_first(sort: Option<&str>) -> Result<bool, Refusal> {
    match sort {
        None | Some("date:-1") => Ok(true),
        Some("date:1") => Ok(false),
        Some(_) => Err(Refusal::query("The sandbox sorts by date:1 and date:-1", "sort")),
    }
}

/// Whether a text could be the id of an event.
fn is_log_id(text: &str) -> bool {
    text.len() == 56 && text.starts_with("900") && text.bytes().all(|byte| byte.is_ascii_digit())
}
