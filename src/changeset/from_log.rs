//! A tenant's log squashed into the net change of each client: what exactly the chosen edits made of it. Central function:
//! [`squash`]; may everything of the window still be in the log? [`retention`].
//!
//! The log holds no old values, and the Dashboard sends fields that nobody touched. So what an edit changed is the
//! difference between the state before it (the previous event's answer, or a snapshot) and its own answer.
//!
//! | file | what |
//! |---|---|
//! | `client.rs` `outcome.rs` | the events of one client, one after the other; what comes of them |
//! | `state.rs` | what an answer in the log says of the state, and what it cannot say |
//! | `named.rs` | what a request names, and what moves along with it |
//! | `masked.rs` | values that the log masks |
//! | `edit.rs` | one field of one edit |
//! | `gap.rs` | what is missing in the log |

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::catalogue::Kind;
use crate::model::{Author, Body, EntityId, FieldPath, LogEvent, Packed};

mod client;
mod edit;
mod gap;
mod masked;
mod named;
mod outcome;
mod state;

pub use gap::{Gap, LONGEST_RETENTION, Proof, RetentionGap, SHORTEST_RETENTION, retention};

use client::History;

/// What is known of a tenant and its log.
#[derive(Debug, Clone, Copy)]
pub struct Log<'l> {
    /// Every write to clients from the snapshot on, in any order, doubles included; where there is no snapshot, from the
    /// beginning of the window on. With `now` they reach up to when that was read.
    pub events: &'l [LogEvent],
    /// The state that the window started from; `None` records without one (unguarded).
    pub base: Option<Base<'l>>,
    /// The tenant's state now, for a check that nothing is missing in the log.
    pub now: Option<&'l HashMap<EntityId, Body>>,
}

/// A snapshot: whole clients, as `get` writes them.
#[derive(Debug, Clone, Copy)]
pub struct Base<'l> {
    /// Its clients.
    pub clients: &'l HashMap<EntityId, Body>,
    /// When it was certainly complete, by the tenant's clock: an event until then may be in it already.
    pub read_by: Timestamp,
}

/// Which edits are wanted.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The first instant.
    pub since: Timestamp,
    /// The last one.
    pub until: Timestamp,
    /// Whose: an id, a name or an address; everybody's, where nobody is named.
    pub by: Option<String>,
    /// From where.
    pub channel: Channel,
}

/// From where edits come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Channel {
    /// By hand in the Dashboard.
    Dashboard,
    /// Anything else: programs and pipelines.
    Api,
    /// Both.
    #[default]
    All,
}

/// The log, squashed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Squashed {
    /// Clients with a net change, in the order of their first chosen edit.
    pub clients: Vec<Recorded>,
    /// What was chosen and cannot be recorded.
    pub left_out: Vec<LeftOut>,
    /// Signs that the log does not tell of every write. With any, the rest is not to be trusted.
    pub gaps: Vec<Gap>,
    /// Chosen edits.
    pub edits: usize,
    /// Clients that the chosen edits left as they were.
    pub unchanged: usize,
    /// Everybody who wrote within the window, chosen or not.
    pub authors: BTreeSet<Author>,
}

/// What the chosen edits made of a client.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its id in this tenant.
    pub id: EntityId,
    /// The snapshot's; `None` where there is none: then nobody knows what was there before, and the change is unguarded.
    pub before: Option<Body>,
    /// The same with the net effect of the chosen edits, and of nothing else. Without a snapshot: the changed fields alone.
    pub after: Body,
    /// Where the two differ (see [`difference`](super::difference::difference)); absent in `after` means emptied. Fields that
    /// follow from these by themselves are in `after`, and are not named here.
    pub paths: Vec<FieldPath>,
    /// Paths that were written with values that the log does not show: their values have to be given at replay. In `after`
    /// they are as before, absent, or [`SECRET_MARKER`](crate::catalogue::SECRET_MARKER).
    pub masked: Vec<FieldPath>,
    /// The earliest whole state that is known, for finding the client elsewhere: the snapshot, or the first answer in the log.
    pub known: Body,
    /// What somebody who reviews the change should know.
    pub warnings: Vec<String>,
}

/// Something that was chosen and cannot be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The client's id.
    pub id: EntityId,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Why.
    pub why: WhyLeftOut,
    /// How many chosen events are concerned.
    pub events: usize,
}

/// Why it cannot be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WhyLeftOut {
    /// The client was made in the time that the log was read for.
    Created,
    /// The client was deleted.
    Deleted,
    /// The snapshot does not have the client, and the log does not tell of its making.
    NotInBase,
    /// A new secret is no update.
    SecretRotated,
    /// Credentials, and whatever else hangs on a client, are none of its fields.
    Credentials,
    /// A list that no answer shows was changed, and no snapshot tells what it held.
    ListUnknown,
}

impl fmt::Display for WhyLeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "it was made in this time, and a change set only changes what is there",
            Self::Deleted => "it was deleted, and a change set deletes nothing",
            Self::NotInBase => "the snapshot does not have it, so nobody knows what was there before",
            Self::SecretRotated => "it got a new secret, which is no change of a field",
            Self::Credentials => "credentials, and whatever else hangs on it, are no fields of it",
            Self::ListUnknown => {
                "a list of it was edited, and without a snapshot nobody knows what it held; --before FILE tells"
            }
        })
    }
}

impl Squashed {
    /// How sure it is that the log, as it was given, lacks no write: for [`retention`].
    pub fn proof(&self, log: &Log<'_>) -> Proof {
        match (log.base, log.now) {
            (Some(_), Some(_)) if self.gaps.is_empty() => Proof::Complete,
            (Some(_), None) if self.gaps.is_empty() => Proof::Continuous,
            _ => Proof::Nothing,
        }
    }
}

impl Selection {
    fn within(&self, event: &LogEvent) -> bool {
        // Events are stamped to the millisecond, cut off.
        event.at.as_millisecond() >= self.since.as_millisecond() && event.at <= self.until
    }

    /// Whether an event is wanted.
    pub fn chooses(&self, event: &LogEvent) -> bool {
        let channel = match self.channel {
            Channel::All => true,
            Channel::Dashboard => event.is_dashboard(),
            Channel::Api => !event.is_dashboard(),
        };
        channel && self.within(event) && self.by.as_ref().is_none_or(|by| event.by.is(by))
    }
}

/// The net change of each client by the chosen edits. Other edits are followed, so that it is known what each one found,
/// and not recorded.
pub fn squash(kind: &Kind, log: &Log<'_>, selection: &Selection) -> Squashed {
    let events = in_order(log.events);
    let mut squashed = Squashed {
        edits: events.iter().filter(|event| event.action.edits() && selection.chooses(event)).count(),
        authors: events.iter().filter(|e| selection.within(e)).map(|e| e.by.clone()).collect(),
        ..Squashed::default()
    };
    let mut by_client: IndexMap<&EntityId, Vec<&LogEvent>> = IndexMap::new();
    for event in events {
        by_client.entry(&event.target).or_default().push(event);
    }
    // In the order of the first chosen edit.
    by_client.sort_by_cached_key(|_, events| {
        let first = events.iter().find(|event| selection.chooses(event));
        first.map(|event| (event.at, event.id.as_str()))
    });
    for (id, events) in &by_client {
        let base = log.base.map(|base| (base.clients.get(*id), base.read_by));
        let history = History::of(kind, base, events, selection);
        if let Some(now) = log.now {
            squashed.gaps.extend(history.gaps_until(now.get(*id)));
        }
        history.finish(&mut squashed);
    }
    if let Some((base, now)) = log.base.zip(log.now) {
        let untouched = base.clients.iter().filter(|(id, _)| !by_client.contains_key(id));
        let mut gaps: Vec<Gap> =
            untouched.flat_map(|(id, body)| gap::unlogged(kind, id, body, now.get(id))).collect();
        gaps.sort_by(|a, b| (&a.client, &a.path).cmp(&(&b.client, &b.path)));
        squashed.gaps.extend(gaps);
    }
    squashed
}

/// Each event once, as they happened.
fn in_order(events: &[LogEvent]) -> Vec<&LogEvent> {
    let mut seen = HashSet::new();
    let mut events: Vec<&LogEvent> = events.iter().filter(|event| seen.insert(event.id.as_str())).collect();
    events.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    events
}

#[cfg(test)]
mod tests;
