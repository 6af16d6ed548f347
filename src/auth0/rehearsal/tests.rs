//! What a rehearsal takes, against what is known of buckets.

use super::super::settings::Reserve;
use super::*;
use crate::model::Pace;

fn stand(reserve: Reserve, bounds: Bounds) -> Stand {
    let groups = Groups::new(reserve);
    Stand { groups, now: Duration::from_secs(7), pace: Pace::default(), bounds, told_at: Duration::ZERO }
}

const FREE: Bounds = Bounds { cap: None, concurrency: 32 };

fn takes(size: u64, refill: f64, latency: (f64, f64), writes: u64, bounds: Bounds) -> f64 {
    let conditions = Conditions { limit: Some(size), refill, reads: None, latency, cap: None };
    let mut rehearsal = Rehearsal::new(stand(Reserve::Tokens(0), bounds), &conditions, 1);
    rehearsal.write(writes);
    rehearsal.elapsed().as_secs_f64()
}

#[test]
fn a_rehearsal_takes_what_the_bucket_makes_it_take_and_the_trips_on_top() {
    let ideal = 250.0 / 16.0;
    let near = takes(50, 16.0, (0.001, 0.0), 300, FREE);
    assert!((ideal..1.04 * ideal).contains(&near), "{near} against {ideal}");
    let far = takes(50, 16.0, (0.390, 0.115), 300, FREE);
    assert!((ideal + 0.39..ideal + 1.8).contains(&far), "{far} against {ideal}");
}

#[test]
fn many_requests_are_told_from_the_first_ones() {
    let some = takes(50, 16.0, (0.04, 0.01), 600, FREE);
    let many = takes(50, 16.0, (0.04, 0.01), 100_600, FREE);
    assert!((many - some - 100_000.0 / 16.0).abs() < 1.0, "{many} {some}");
}

#[test]
fn the_users_cap_and_the_connections_bound_it() {
    let capped = Bounds { cap: Some((0.2, 5)), ..FREE };
    let taken = takes(50, 16.0, (0.01, 0.0), 105, capped);
    assert!((19.5..20.7).contains(&taken), "{taken}");
    let narrow = Bounds { concurrency: 1, ..FREE };
    let taken = takes(50, 16.0, (0.5, 0.0), 40, narrow);
    assert!((20.0..20.5).contains(&taken), "{taken}");
}

#[test]
fn of_two_caps_the_slower_holds() {
    let own = Some((0.2, 1));
    assert_eq!(slower(own, Some(10.0)), own);
    assert_eq!(slower(own, Some(2.0)), Some((0.5, 2)));
    assert_eq!(slower(None, Some(0.5)), Some((2.0, 1)));
    assert_eq!(slower(own, None), own);
}

#[test]
fn a_tenant_without_a_limit_is_as_fast_as_its_answers() {
    let conditions = Conditions { limit: None, refill: 0.0, reads: None, latency: (0.1, 0.0), cap: None };
    let mut rehearsal = Rehearsal::new(stand(Reserve::Share(0.2), FREE), &conditions, 1);
    rehearsal.write(3200);
    let taken = rehearsal.elapsed().as_secs_f64();
    assert!((9.9..10.4).contains(&taken), "{taken}");
}

#[test]
fn reads_may_have_a_bucket_of_their_own() {
    let conditions =
        Conditions { limit: Some(10), refill: 2.5, reads: Some((5, 1.667)), latency: (0.05, 0.0), cap: None };
    let mut rehearsal = Rehearsal::new(stand(Reserve::Tokens(0), FREE), &conditions, 1);
    rehearsal.write(60);
    let writes = rehearsal.elapsed().as_secs_f64();
    assert!((20.0..22.5).contains(&writes), "{writes}");
    rehearsal.read(3);
    assert!(rehearsal.elapsed().as_secs_f64() < writes + 2.0, "reads found a full bucket");
}

/// What people are told is left, once sixteen tokens of refill were seen, beside what it then really takes; and how long the
/// whole run takes.
fn told(limit: (u64, f64), latency: (f64, f64), writes: u64, seed: u64) -> (Vec<(f64, f64)>, f64) {
    let conditions = Conditions { limit: Some(limit.0), refill: limit.1, reads: None, latency, cap: None };
    let mut rehearsal = Rehearsal::new(stand(Reserve::Share(0.2), FREE), &conditions, seed);
    let mut told = Vec::new();
    rehearsal.phase(Group::Write, writes, 32, &mut |now, left, in_flight| {
        let seen = now.groups.gauge_of_writes().refill_of_late().filter(|slope| slope.seen >= 16.0);
        let outlook = FREE.outlook(&now.groups, Duration::from_secs_f64(now.now), in_flight);
        let time = seen.and(outlook).and_then(|outlook| outlook.time_left(left));
        told.extend(time.map(|(time, _)| (now.now, time.as_secs_f64())));
    });
    let (end, whole) = (rehearsal.now, rehearsal.elapsed().as_secs_f64());
    (told.into_iter().map(|(at, left)| (left, end - at)).collect(), whole)
}

#[test]
fn the_end_that_people_are_told_is_right_within_five_percent_of_the_run_once_sixteen_tokens_were_seen() {
    let tenants = [((50, 16.0), 300), ((10, 2.0), 100), ((10, 2.5), 100), ((20, 20.0), 300)];
    for (limit, writes) in tenants {
        let far = (0..8).map(|seed| ((0.39, 0.115), seed));
        for (latency, seed) in far.chain([((0.001, 0.0), 0)]) {
            let (told, whole) = told(limit, latency, writes, seed);
            let worst = told.iter().map(|(told, really)| (told - really).abs()).fold(0.0, f64::max);
            assert!(
                !told.is_empty() && worst < 0.05 * whole,
                "{limit:?} {latency:?}: {worst} s of {whole} s"
            );
        }
    }
}
