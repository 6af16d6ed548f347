//! What is missing in the log. Central types: [`Gap`] and [`RetentionGap`].

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::super::differing::{differing, says_nothing};
use super::state::stripped;
use crate::catalogue::Kind;
use crate::model::{Body, EntityId, FieldPath};

/// Something that no event explains: a write that the log does not tell of. Holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// Which client.
    pub client: EntityId,
    /// Its name, where it is known.
    pub name: Option<String>,
    /// Which field; `None` is the client as a whole.
    pub path: Option<FieldPath>,
    /// What it held as far as the events told.
    pub before: Option<Value>,
    /// What it held in truth.
    pub after: Option<Value>,
    /// The event whose answer shows it; `None` where the tenant's state now does.
    pub event: Option<(String, Timestamp)>,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name:?} ({})", self.client)?,
            None => write!(f, "{}", self.client)?,
        }
        let Some(path) = &self.path else { return f.write_str(" is gone, and no event says so") };
        let shown = |value: &Option<Value>| value.as_ref().map_or("absent".to_owned(), Value::to_string);
        write!(
            f,
            ": {path} was {} and is {}, and no event says why",
            shown(&self.before),
            shown(&self.after)
        )?;
        match &self.event {
            Some((id, at)) => write!(f, " (seen at {at}, in event {id})"),
            None => f.write_str(" (seen now)"),
        }
    }
}

/// The differences between two states that no write explains.
pub(super) fn unexplained(kind: &Kind, before: &Body, after: &Body) -> Vec<FieldPath> {
    let mut paths = differing(kind, before, after);
    paths.retain(|path| !says_nothing(kind, path, path.get(before), path.get(after)));
    paths
}

/// The gaps of a client between what the events left behind and what is there now.
pub(super) fn unlogged(kind: &Kind, id: &EntityId, known: &Body, now: Option<&Body>) -> Vec<Gap> {
    let name = known.get(&kind.endpoint.name_field).and_then(Value::as_str).map(str::to_owned);
    let gap = |path, before, after| Gap {
        client: id.clone(),
        name: name.clone(),
        path,
        before,
        after,
        event: None,
    };
    let Some(now) = now else { return vec![gap(None, None, None)] };
    let (known, now) = (stripped(kind, known), stripped(kind, now));
    let paths = unexplained(kind, &known, &now).into_iter();
    paths.map(|path| gap(Some(path.clone()), path.get(&known).cloned(), path.get(&now).cloned())).collect()
}

/// The longest time that any subscription keeps events (Auth0, "Log Data Retention").
pub const LONGEST_RETENTION: Duration = Duration::from_secs(30 * 86_400);
/// The shortest.
pub const SHORTEST_RETENTION: Duration = Duration::from_secs(86_400);

/// How sure it is that no write is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// There was no snapshot to compare with, or a [`Gap`] was found.
    Nothing,
    /// Snapshot and events lead from one to the next without a [`Gap`]; of a client without events that says nothing.
    Continuous,
    /// The same, and up to the tenant's state now, of every client.
    Complete,
}

/// The log does not reach back far enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionGap {
    /// From when on events were needed.
    pub from: Timestamp,
    /// The oldest event that is left; `None` where there is none at all.
    pub oldest: Option<Timestamp>,
}

impl fmt::Display for RetentionGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.oldest {
            Some(oldest) => write!(
                f,
                "the log begins at {oldest}, later than {}: what was written between the two may be lost",
                self.from
            ),
            None => write!(f, "the log is empty: what was written since {} may be lost", self.from),
        }
    }
}

/// Whether events from `from` on may be lost, since the log keeps them only for so long. `oldest` is the oldest event of any
/// type that the log still has. A log that begins later than `from` need not have lost anything: the tenant may be new. It
/// has not where no subscription loses events so soon, or where states prove that nothing is missing.
pub fn retention(
    oldest: Option<Timestamp>,
    from: Timestamp,
    now: Timestamp,
    proof: Proof,
) -> Option<RetentionGap> {
    let reaches_back = oldest.is_some_and(|oldest| oldest <= from);
    let age = Duration::try_from(now.duration_since(from)).unwrap_or_default();
    let kept = age < SHORTEST_RETENTION || proof == Proof::Complete && age <= LONGEST_RETENTION;
    (!reaches_back && !kept).then_some(RetentionGap { from, oldest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days_ago(days: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 - days * 86_400).unwrap()
    }

    #[test]
    fn a_log_that_begins_later_has_lost_nothing_only_where_that_is_certain() {
        let gap = |oldest: Option<i64>, from, proof| {
            retention(oldest.map(days_ago), days_ago(from), days_ago(0), proof).is_some()
        };
        use Proof::{Complete, Continuous, Nothing};
        for (oldest, from, proof, expected, why) in [
            (Some(5), 5, Nothing, false, "it reaches back"),
            (Some(40), 35, Nothing, false, "it reaches back however long ago that is"),
            (Some(0), 0, Nothing, false, "events are kept for a day at least"),
            (None, 0, Nothing, false, "an empty log of today"),
            (Some(1), 5, Nothing, true, "without a snapshot nothing is proven"),
            (Some(1), 5, Continuous, true, "clients without events prove nothing"),
            (Some(1), 5, Complete, false, "a new tenant"),
            (None, 5, Continuous, true, "an empty log"),
            (None, 5, Complete, false, "nothing happened"),
            (Some(1), 31, Complete, true, "no log reaches back so far"),
        ] {
            assert_eq!(gap(oldest, from, proof), expected, "{why}");
        }
    }
}
