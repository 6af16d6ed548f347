//! The forecast of a plan: what is known of each tenant's limit, and a rehearsal of the run on it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::carry_out::pause;
use super::connect::{Session, Target};
use super::planned::Planned;
use crate::auth0::{Conditions, Rehearsal};
use crate::model::Measured;
use crate::plan::forecast::{Basis, Forecast, Supposed, published, unpublished, widened};
use crate::plan::waves::waves;
use crate::plan::{Plan, TenantPlan};
use crate::run::{Course, Rehearsed};
use crate::store::paces::{self, Learned};

/// Rehearsals of a run, which differ in how long each answer takes; of large fleets one is enough.
const REHEARSALS: u64 = 3;
const FLEET: usize = 20;
/// Answers under load are slower than the few that planning saw, and none is faster than this then.
const UNDER_LOAD: f64 = 1.25;
const LEAST_UNDER_LOAD: f64 = 0.020;

/// What a tenant is taken to be: at its slowest and its fastest.
#[derive(Debug, Clone, Copy)]
struct Supposition {
    slow: Conditions,
    fast: Conditions,
    basis: Basis,
    /// It was measured: one time, and no range.
    measured: bool,
}

/// Says of each tenant of a plan what its writes will take. `max_age` is after how long clients are read again.
pub(super) fn attach(planned: &mut Planned, session: &Session, max_age: Duration) {
    let plan = &planned.plan;
    let learned = paces::recall(&session.state);
    let one = |part: &Arc<TenantPlan>| {
        let target = target_of(session, part)?;
        let caps = (session.rate, target.rate_share);
        suppose(target, learned.get(&session.known_by(target)), caps, plan.header.made)
    };
    let suppositions: Vec<Option<Supposition>> = plan.tenants.iter().map(one).collect();
    let course =
        Course { plan, waves: &waves(plan), pause: pause(plan), verify: plan.header.verify, max_age };
    let slow = rehearsed(&course, session, &suppositions, |supposition| &supposition.slow);
    let ranges = suppositions.iter().flatten().any(|supposition| !supposition.measured);
    let fast = if ranges {
        rehearsed(&course, session, &suppositions, |supposition| &supposition.fast)
    } else {
        slow.clone()
    };
    let forecasts: Vec<Option<Forecast>> = forecasts(plan, &suppositions, &slow, &fast);
    for (part, forecast) in planned.plan.tenants.iter_mut().zip(forecasts) {
        Arc::make_mut(part).forecast = forecast;
    }
}

/// A tenant of the plan that something will be sent to.
fn target_of<'s>(session: &'s Session, part: &TenantPlan) -> Option<&'s Target> {
    session.target(&part.tenant).filter(|_| part.failure.is_none() && !part.writes.is_empty())
}

fn forecasts(
    plan: &Plan,
    suppositions: &[Option<Supposition>],
    slow: &[Rehearsed],
    fast: &[Rehearsed],
) -> Vec<Option<Forecast>> {
    let one = |(at, part): (usize, &Arc<TenantPlan>)| {
        let writes = part.writes.len() as u64;
        let Some(supposition) = &suppositions[at] else {
            return part.failure.is_none().then(|| Forecast::unknown(writes));
        };
        let (shortest, longest) = (fast[at].ends.min(slow[at].ends), slow[at].ends.max(fast[at].ends));
        let trip = Duration::try_from_secs_f64(supposition.fast.latency.0).unwrap_or_default();
        let (shortest, longest) =
            if supposition.measured { (longest, longest) } else { widened(shortest, longest, trip) };
        Some(Forecast {
            requests: slow[at].requests,
            shortest: Some(shortest),
            longest: Some(longest),
            basis: supposition.basis,
        })
    };
    plan.tenants.iter().enumerate().map(one).collect()
}

/// The mean of some rehearsals.
fn rehearsed(
    course: &Course<'_>,
    session: &Session,
    suppositions: &[Option<Supposition>],
    conditions: impl Fn(&Supposition) -> &Conditions,
) -> Vec<Rehearsed> {
    let times = if suppositions.len() > FLEET { 1 } else { REHEARSALS };
    let mut sums = vec![Rehearsed::default(); suppositions.len()];
    for seed in 0..times {
        let one = |(part, supposition): (&Arc<TenantPlan>, &Option<Supposition>)| -> Option<Rehearsal> {
            let connection = &session.target(&part.tenant)?.connection;
            Some(connection.rehearsal(conditions(supposition.as_ref()?), seed))
        };
        let tenants = course.plan.tenants.iter().zip(suppositions).map(one).collect();
        for (sum, one) in sums.iter_mut().zip(course.rehearse(tenants)) {
            sum.requests = sum.requests.max(one.requests);
            sum.ends += one.ends / u32::try_from(times).unwrap_or(1);
        }
    }
    sums
}

/// What is known of a tenant: from earlier runs and from what planning has just read, else what is published.
fn suppose(
    target: &Target,
    learned: Option<&Learned>,
    (rate, share): (Option<f64>, Option<f64>),
    read: Timestamp,
) -> Option<Supposition> {
    let now = target.connection.measured();
    let learned = learned.filter(|learned| now.is_of_the_limit_of(&learned.measured));
    let earlier = learned.map(|learned| learned.measured).unwrap_or_default();
    let known = now.after(earlier);
    // What an earlier run saw were writes.
    let latency = trips(&earlier).or_else(|| trips(&now))?;
    let supposition = match known.refill {
        Some(refill) => {
            let just_now = now.refill.map(|_| read);
            measured(&known, refill, latency, just_now.or(learned.and_then(|learned| learned.at)))
        }
        None => by_size(&known, latency, learned.is_some()),
    };
    // The share is of the refill as it is known, else of the slowest that is published.
    let share = share.map(|share| share * supposition.slow.refill).filter(|rate| *rate > 0.0);
    Some(capped(supposition, [rate, share].into_iter().flatten().reduce(f64::min)))
}

/// Mean and deviation of the time that answers take; what a damaged file says is nothing.
fn trips(measured: &Measured) -> Option<(f64, f64)> {
    let sane = |seconds: &f64| (0.0..600.0).contains(seconds);
    Some((measured.latency.filter(sane)?, measured.jitter.filter(sane).unwrap_or_default()))
}

fn measured(known: &Measured, refill: f64, latency: (f64, f64), at: Option<Timestamp>) -> Supposition {
    let limit = known.limit.or(known.reads);
    let supposed = Supposed { limit: limit.unwrap_or(u64::MAX), refill };
    let conditions = conditions(supposed, known.reads, latency);
    Supposition { slow: conditions, fast: conditions, basis: Basis::Measured { refill, at }, measured: true }
}

/// What the size of a bucket says, of which nobody saw the refill.
fn by_size(known: &Measured, latency: (f64, f64), learned: bool) -> Supposition {
    let Some(limit) = known.limit.or(known.reads) else {
        let conditions = Conditions { limit: None, refill: 0.0, reads: None, latency, cap: None };
        let slow = Conditions { latency: under_load(latency), ..conditions };
        let slow = if learned { conditions } else { slow };
        return Supposition { slow, fast: conditions, basis: Basis::Answers, measured: learned };
    };
    let ((slow, fast), published) = match published(known.reads.unwrap_or(limit)) {
        Some(range) => (range, true),
        None => (unpublished(limit), false),
    };
    let (slowest, fastest) = (slow.refill, fast.refill);
    let basis = if published {
        Basis::Published { limit: known.reads.unwrap_or(limit), slowest, fastest }
    } else {
        Basis::Unpublished { limit, slowest, fastest }
    };
    let slow_latency = if learned { latency } else { under_load(latency) };
    Supposition {
        slow: conditions(slow, known.reads, slow_latency),
        fast: conditions(fast, known.reads, latency),
        basis,
        measured: false,
    }
}

fn under_load((mean, deviation): (f64, f64)) -> (f64, f64) {
    ((UNDER_LOAD * mean).max(LEAST_UNDER_LOAD), deviation)
}

fn conditions(writes: Supposed, reads: Option<u64>, latency: (f64, f64)) -> Conditions {
    // Of a bucket of reads alone nobody measures the refill; the smallest published one has 5 + 100 a minute.
    let reads = reads.filter(|reads| *reads != writes.limit).map(|reads| (reads, reads as f64 / 3.0));
    Conditions { limit: Some(writes.limit), refill: writes.refill, reads, latency, cap: None }
}

/// The user's own cap in requests per second; where it is the slower, it is what the forecast is based on.
fn capped(supposition: Supposition, cap: Option<f64>) -> Supposition {
    let with = |conditions: Conditions| Conditions { cap, ..conditions };
    let (slow, fast) = (with(supposition.slow), with(supposition.fast));
    match cap.filter(|rate| slow.limit.is_none() || *rate < slow.refill) {
        Some(rate) => Supposition { slow, fast: slow, basis: Basis::OwnCap { rate }, measured: true },
        None => Supposition { slow, fast, ..supposition },
    }
}
