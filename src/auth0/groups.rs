//! One bucket for all requests, or one for reads and one for writes: some of Auth0's tiers count them apart, and only the
//! answers' limits tell. Pure. Central type: [`Groups`].

use std::time::Duration;

use super::bucket::{Bucket, Departure, Next};
use super::gauge::{Gauge, Mark, Trips};
use super::rate_headers::RateHeaders;
use super::settings::Reserve;

/// What a request counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// GET.
    Read,
    /// PATCH.
    Write,
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trip {
    group: Group,
    /// In the bucket of which group it was counted: a bucket can change hands while a request is under way.
    counted_in: u32,
    departure: Departure,
    mark: Mark,
    sent: Duration,
}

/// A bucket that can be told from its successor.
#[derive(Debug, Clone)]
struct Numbered {
    number: u32,
    bucket: Bucket,
    gauge: Gauge,
}

/// The buckets of a tenant.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    reserve: Reserve,
    /// For both groups, or for reads.
    first: Numbered,
    /// For writes, once their limit was seen to be another.
    writes: Option<Numbered>,
    /// The limit that answers of reads and of writes last told.
    limits: [Option<u64>; 2],
    /// How long reads and writes take.
    trips: [Trips; 2],
}

impl Groups {
    pub(crate) fn new(reserve: Reserve) -> Self {
        let first = Numbered { number: 0, bucket: Bucket::new(reserve), gauge: Gauge::default() };
        Self { reserve, first, writes: None, limits: [None; 2], trips: Default::default() }
    }

    /// Which bucket a group draws on: 0 or 1.
    pub(crate) fn index(&self, group: Group) -> usize {
        usize::from(group == Group::Write && self.writes.is_some())
    }

    /// When the group's next request may go.
    pub(crate) fn next(&mut self, group: Group, now: Duration, left: u64) -> Next {
        self.of(group).bucket.next(now, left)
    }

    /// A request of the group goes now.
    pub(crate) fn depart(&mut self, group: Group, now: Duration) -> Trip {
        let numbered = self.of(group);
        let (departure, mark) = (numbered.bucket.depart(now), numbered.gauge.depart(now));
        Trip { group, counted_in: numbered.number, departure, mark, sent: now }
    }

    /// Its answer came.
    pub(crate) fn answered(&mut self, trip: Trip, now: Duration, status: u16, headers: &RateHeaders) {
        if let Some((limit, _)) = headers.bucket {
            self.note_limit(trip.group, limit);
        }
        if status != 429 {
            self.trips[place(trip.group)].add(now.saturating_sub(trip.sent).as_secs_f64());
        }
        let own = self.of(trip.group);
        if own.number == trip.counted_in {
            own.gauge.answered(trip.mark, status, headers.bucket);
            own.bucket.answered(trip.departure, now, status, headers);
            return;
        }
        // It was counted in the bucket of both, which proved to be the other group's: its own hears the answer.
        let departure = own.bucket.depart(now);
        own.bucket.answered(departure, now, status, headers);
        self.lost(trip);
    }

    /// No answer came.
    pub(crate) fn lost(&mut self, trip: Trip) {
        let all = [Some(&mut self.first), self.writes.as_mut()];
        for numbered in all.into_iter().flatten().filter(|numbered| numbered.number == trip.counted_in) {
            numbered.bucket.lost();
            numbered.gauge.lost();
        }
    }

    /// Whether an answer to it is about the bucket that writes draw on.
    pub(crate) fn concerns_writes(&self, trip: &Trip) -> bool {
        self.index(trip.group) == self.index(Group::Write)
    }

    /// The bucket that writes draw on.
    pub(crate) fn of_writes(&self) -> &Bucket {
        &self.writes.as_ref().unwrap_or(&self.first).bucket
    }

    /// What was measured of the bucket that writes draw on.
    pub(crate) fn gauge_of_writes(&self) -> &Gauge {
        &self.writes.as_ref().unwrap_or(&self.first).gauge
    }

    /// The limit that answers to a group last told.
    pub(crate) fn limit(&self, group: Group) -> Option<u64> {
        self.limits[place(group)]
    }

    /// How long a write takes, mean and deviation in seconds; where none was sent yet, how long a read does.
    pub(crate) fn latency(&self) -> Option<(f64, f64)> {
        self.trips[place(Group::Write)].told().or_else(|| self.trips[place(Group::Read)].told())
    }

    fn of(&mut self, group: Group) -> &mut Numbered {
        match &mut self.writes {
            Some(writes) if group == Group::Write => writes,
            _ => &mut self.first,
        }
    }

    /// Two groups whose limits differ have buckets of their own. A group whose own limit changes has not.
    fn note_limit(&mut self, group: Group, limit: u64) {
        let own = place(group);
        let other = 1 - own;
        let [own_limit, other_limit] = [self.limits[own], self.limits[other]];
        if own_limit.is_some_and(|before| before != limit) && self.writes.is_none() {
            // The tenant's limit changed: what the other group said before is out of date.
            self.limits[other] = None;
        } else if self.writes.is_none()
            && own_limit.is_none()
            && other_limit.is_some_and(|there| there != limit)
        {
            self.split(group);
        }
        self.limits[own] = Some(limit);
    }

    /// The bucket so far is that of the group which was heard first; the other begins anew.
    fn split(&mut self, newcomer: Group) {
        let fresh = Numbered { number: 1, bucket: Bucket::new(self.reserve), gauge: Gauge::default() };
        self.writes = Some(match newcomer {
            Group::Write => fresh,
            Group::Read => std::mem::replace(&mut self.first, fresh),
        });
    }
}

/// Where a group stands in lists of both.
fn place(group: Group) -> usize {
    match group {
        Group::Read => 0,
        Group::Write => 1,
    }
}
