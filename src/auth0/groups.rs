//! One bucket for all requests, or one for reads and one for writes: some of Auth0's tiers count them apart, and only the
//! answers' limits tell. Pure. Central type: [`Groups`].

use std::time::Duration;

use super::bucket::{Bucket, Departure};
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
    /// Reads and writes under way.
    under_way: [u32; 2],
}

impl Groups {
    pub(crate) fn new(reserve: Reserve) -> Self {
        let first = Numbered { number: 0, bucket: Bucket::new(reserve), gauge: Gauge::default() };
        let (limits, under_way) = ([None; 2], [0; 2]);
        Self { reserve, first, writes: None, limits, trips: Default::default(), under_way }
    }

    /// Which bucket a group draws on: 0 or 1.
    pub(crate) fn index(&self, group: Group) -> usize {
        usize::from(group == Group::Write && self.writes.is_some())
    }

    /// When the group's next request may go.
    pub(crate) fn next(&mut self, group: Group, now: Duration, left: u64) -> Duration {
        self.of(group).bucket.next(now, left)
    }

    /// A request of the group goes now.
    pub(crate) fn depart(&mut self, group: Group, now: Duration) -> Trip {
        self.under_way[group as usize] += 1;
        let numbered = self.of(group);
        let (departure, mark) = (numbered.bucket.depart(now), numbered.gauge.depart(now));
        Trip { group, counted_in: numbered.number, departure, mark, sent: now }
    }

    /// Its answer came.
    pub(crate) fn answered(&mut self, trip: Trip, now: Duration, status: u16, headers: &RateHeaders) {
        let limit = headers.bucket.map(|(limit, _)| limit);
        let adopted = limit.and_then(|limit| self.note_limit(&trip, limit));
        if status != 429 {
            self.trips[place(trip.group)].add(now.saturating_sub(trip.sent).as_secs_f64());
        }
        let own = self.of(trip.group);
        if let Some(departure) = adopted {
            own.bucket.answered(departure, now, status, headers);
            self.lost_in(trip.counted_in);
        } else if own.number == trip.counted_in {
            own.gauge.answered(trip.mark, status, headers.bucket);
            own.bucket.answered(trip.departure, now, status, headers);
        } else {
            // It went before requests of its own bucket that are under way, and so has less to tell than they; but a refusal
            // holds them back all the same.
            if status == 429 {
                own.bucket.hold(now, headers.retry_after);
            }
            return self.lost(trip);
        }
        self.arrived(trip.group);
    }

    /// No answer came.
    pub(crate) fn lost(&mut self, trip: Trip) {
        self.arrived(trip.group);
        self.lost_in(trip.counted_in);
        // Counted in the bucket of both, which proved to be the other group's, it was adopted by its own.
        let own = self.of(trip.group).number;
        if own != trip.counted_in {
            self.lost_in(own);
        }
    }

    fn lost_in(&mut self, number: u32) {
        let all = [Some(&mut self.first), self.writes.as_mut()];
        for numbered in all.into_iter().flatten().filter(|numbered| numbered.number == number) {
            numbered.bucket.lost();
            numbered.gauge.lost();
        }
    }

    fn arrived(&mut self, group: Group) {
        let under_way = &mut self.under_way[group as usize];
        *under_way = under_way.saturating_sub(1);
    }

    /// Whether an answer to it is about the bucket that writes draw on.
    pub(crate) fn concerns_writes(&self, trip: &Trip) -> bool {
        self.index(trip.group) == self.index(Group::Write)
    }

    /// Requests of the group that are under way.
    pub(crate) fn under_way(&self, group: Group) -> u64 {
        u64::from(self.under_way[group as usize])
    }

    /// The bucket that a group draws on.
    pub(crate) fn bucket(&self, group: Group) -> &Bucket {
        match group {
            Group::Read => &self.first.bucket,
            Group::Write => self.of_writes(),
        }
    }

    /// The bucket that writes draw on.
    pub(crate) fn of_writes(&self) -> &Bucket {
        &self.writes.as_ref().unwrap_or(&self.first).bucket
    }

    /// What was measured of the bucket that a group draws on.
    pub(crate) fn gauge(&self, group: Group) -> &Gauge {
        match group {
            Group::Read => &self.first.gauge,
            Group::Write => self.gauge_of_writes(),
        }
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

    /// Two groups whose limits differ have buckets of their own. A group whose own limit changes has not. Where this is found
    /// out, returns what the answered request is in the new bucket.
    fn note_limit(&mut self, trip: &Trip, limit: u64) -> Option<Departure> {
        let own = place(trip.group);
        let other = 1 - own;
        let before = self.limits[own].replace(limit);
        if self.writes.is_some() {
            return None;
        }
        match (before, self.limits[other]) {
            (None, Some(there)) if there != limit => Some(self.split(trip)),
            (Some(before), _) if before != limit => {
                // The tenant's limit changed: what the other group said before is out of date.
                self.limits[other] = None;
                None
            }
            _ => None,
        }
    }

    /// The bucket so far is that of the group which was heard first; the other begins anew, with all that is under way.
    fn split(&mut self, trip: &Trip) -> Departure {
        let mut bucket = Bucket::new(self.reserve);
        let departure = bucket.adopt(trip.departure);
        for _ in 1..self.under_way[place(trip.group)] {
            bucket.adopt(trip.departure);
        }
        let fresh = Numbered { number: 1, bucket, gauge: Gauge::default() };
        self.writes = Some(match trip.group {
            Group::Write => fresh,
            Group::Read => std::mem::replace(&mut self.first, fresh),
        });
        departure
    }
}

/// Where a group stands in lists of both.
fn place(group: Group) -> usize {
    match group {
        Group::Read => 0,
        Group::Write => 1,
    }
}
