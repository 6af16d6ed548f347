//! The promises of the pacing machine, against a simulated tenant in virtual time.

use std::time::Duration;

use super::super::rate_headers::RateHeaders;
use super::super::settings::Reserve;
use super::simulation::{Report, Reset, Traffic, World};
use super::{Bucket, Next};

const REAL: (f64, f64) = (0.390, 0.200);

/// The same world under both readings of `reset`, skewed clocks, and tokens taken early or late within a trip.
fn variations(world: &World) -> impl Iterator<Item = World> + '_ {
    [Reset::Full, Reset::NextCall].into_iter().flat_map(move |reset| {
        [(-3.0, 0.1), (0.0, 0.5), (3.0, 0.9)].into_iter().enumerate().map(move |(seed, (skew, taken_at))| {
            World { reset, skew, taken_at, seed: seed as u64, ..world.clone() }
        })
    })
}

fn assert_all(world: &World, promise: impl Fn(&World, &Report) -> bool) {
    for world in variations(world) {
        let report = world.run();
        assert!(promise(&world, &report), "{world:#?}\n{report:#?}\nideal {}", world.ideal());
    }
}

fn within(factor: f64) -> impl Fn(&World, &Report) -> bool {
    move |world, report| report.last_answer <= factor * world.ideal() && report.refused == 0
}

#[test]
fn an_enterprise_bucket_is_used_to_three_percent_and_never_overdrawn() {
    assert_all(&World::alone(50.0, 16.0, 300), within(1.03));
}

#[test]
fn a_small_bucket_is_used_to_two_percent_and_never_overdrawn() {
    assert_all(&World::alone(10.0, 2.5, 300), within(1.02));
    assert_all(&World::alone(10.0, 2.0, 300), within(1.02));
    assert_all(&World::alone(5.0, 100.0 / 60.0, 200), within(1.03));
}

#[test]
fn a_bucket_that_refills_in_a_second_is_used_to_four_percent() {
    assert_all(&World::alone(20.0, 20.0, 300), within(1.04));
}

#[test]
fn the_free_tier_moves() {
    assert_all(&World::alone(2.0, 2.0, 120), within(1.1));
}

#[test]
fn even_a_bucket_of_one_moves() {
    assert_all(&World::alone(1.0, 1.0, 60), |world, report| report.last_answer <= 2.0 * world.ideal());
}

#[test]
fn at_real_latency_only_a_second_and_a_half_is_lost() {
    let world = World { latency: REAL, ..World::alone(50.0, 16.0, 300) };
    assert_all(&world, |world, report| report.refused == 0 && report.last_answer <= world.ideal() + 1.7);
}

#[test]
fn production_at_half_the_rate_never_finds_the_bucket_empty() {
    for (size, refill) in [(50.0, 16.0), (10.0, 2.5), (20.0, 20.0)] {
        let world = World {
            production: Traffic::Even(refill / 2.0),
            reserve: Reserve::Share(0.2),
            ..World::alone(size, refill, 300)
        };
        assert_all(&world, |world, report| {
            report.production_calls > 100
                && report.production_refused == 0
                && report.last_answer <= 1.05 * world.ideal()
        });
        let slow = World { latency: REAL, ..world };
        assert_all(&slow, |_, report| report.production_refused == 0 && report.refused == 0);
    }
}

#[test]
fn random_production_keeps_its_reserve() {
    let world = World {
        production: Traffic::Poisson(8.0),
        reserve: Reserve::Share(0.2),
        ..World::alone(50.0, 16.0, 300)
    };
    assert_all(&world, |_, report| report.production_refused == 0);
}

#[test]
fn a_limit_that_is_halved_in_mid_run_costs_no_refusal() {
    let world = World { change: Some((6.0, 25.0, 8.0)), ..World::alone(50.0, 16.0, 300) };
    assert_all(&world, |_, report| report.refused == 0);
}

#[test]
fn a_limit_that_is_doubled_is_used() {
    let world = World { change: Some((6.0, 100.0, 32.0)), ..World::alone(50.0, 16.0, 600) };
    // 146 sent by second 6, then 50 more tokens of room and 32 a second.
    assert_all(&world, |_, report| report.refused == 0 && report.last_answer <= 6.0 + 1.1 * 454.0 / 32.0);
}

#[test]
fn four_runners_share_one_bucket() {
    let world = World { runners: 4, ..World::alone(50.0, 16.0, 800) };
    assert_all(&world, |world, report| {
        let first = report.ends.iter().copied().fold(f64::INFINITY, f64::min);
        report.last_answer <= 1.03 * world.ideal()
            && first >= 0.85 * report.last_answer
            && report.refused <= 4
    });
}

#[test]
fn answers_out_of_order_or_lost_or_without_headers_do_no_harm() {
    let world =
        World { latency: (0.3, 0.29), lose_one_in: 7, bare_one_in: 5, ..World::alone(50.0, 16.0, 300) };
    assert_all(&world, |world, report| report.refused <= 2 && report.last_answer <= 1.15 * world.ideal());
}

#[test]
fn a_tenant_that_sends_no_headers_is_not_held_back() {
    let world = World { bare_one_in: 1, concurrency: 8, ..World::alone(1e6, 1e6, 300) };
    let report = world.run();
    assert_eq!(report.most_in_flight, 8);
    assert!(report.last_answer < 3.0, "{report:?}");
}

#[test]
fn a_huge_bucket_is_not_held_back() {
    let world = World { latency: (0.001, 0.0005), ..World::alone(1e6, 1e6, 3_000) };
    assert!(world.run().last_answer < 0.3);
}

#[test]
fn the_refill_is_reported_once_it_is_known() {
    let report = World::alone(50.0, 16.0, 300).run();
    assert!((report.slope.unwrap() - 16.0).abs() < 3.0, "{report:?}");
    assert_eq!(World::alone(50.0, 16.0, 5).run().slope, None);
}

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

fn at(next: Next) -> f64 {
    match next {
        Next::At(at) => at.as_secs_f64(),
        Next::AfterAnswer => panic!("told to wait for an answer"),
    }
}

fn headers(limit: u64, remaining: u64) -> RateHeaders {
    RateHeaders { bucket: Some((limit, remaining)), ..RateHeaders::default() }
}

#[test]
fn the_first_request_goes_alone() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    assert_eq!(bucket.next(seconds(1.0), 9), Next::At(seconds(1.0)));
    let first = bucket.depart(seconds(1.0));
    assert_eq!(bucket.next(seconds(1.1), 9), Next::AfterAnswer);
    bucket.lost();
    assert!(at(bucket.next(seconds(1.2), 9)) <= 1.2);
    let second = bucket.depart(seconds(1.2));
    bucket.answered(second, seconds(1.3), 404, &RateHeaders::default());
    let _third = bucket.depart(seconds(1.3));
    assert_eq!(bucket.next(seconds(1.4), 9), Next::AfterAnswer, "an error without headers tells nothing");
    let _ = first;
}

#[test]
fn a_refusal_holds_everybody_back_for_as_long_as_it_says() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let first = bucket.depart(seconds(0.0));
    bucket.answered(first, seconds(0.1), 200, &headers(50, 40));
    let second = bucket.depart(seconds(0.2));
    let refusal = RateHeaders { retry_after: Some(seconds(7.0)), ..headers(50, 0) };
    bucket.answered(second, seconds(0.3), 429, &refusal);
    assert!(at(bucket.next(seconds(0.3), 9)) >= 7.3);
}

#[test]
fn a_refusal_without_headers_waits_for_the_next_token_and_not_for_a_full_bucket() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let first = bucket.depart(seconds(0.0));
    bucket.answered(first, seconds(0.1), 200, &headers(50, 40));
    let second = bucket.depart(seconds(0.2));
    bucket.answered(second, seconds(0.3), 429, &RateHeaders::default());
    let next = at(bucket.next(seconds(0.3), 9));
    assert!(next > 0.5 && next < 3.0, "{next}");
}

#[test]
fn blind_refusals_wait_longer_and_longer() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let mut now = 0.0;
    let mut waits = Vec::new();
    for _ in 0..7 {
        let departure = bucket.depart(seconds(now));
        bucket.answered(departure, seconds(now), 429, &RateHeaders::default());
        let next = at(bucket.next(seconds(now), 9));
        waits.push((next - now).round() as u64);
        now = next;
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
}

proptest::proptest! {
    /// Whatever answers say and in whatever order they come, nobody is told to wait for an answer that cannot come, nor for ever.
    #[test]
    fn with_nothing_in_flight_the_next_instant_is_always_near(
        steps in proptest::collection::vec((0_u8..6, proptest::prop_oneof![0_u64..60, 0..=u64::MAX], 0_u64..60, 0.0_f64..2.0), 1..80),
        share in 0.0_f64..1.0,
    ) {
        let mut bucket = Bucket::new(Reserve::Share(share));
        let mut now = 0.0;
        let mut under_way = Vec::new();
        for (what, limit, remaining, pause) in steps {
            now += pause;
            let answer = headers(limit.max(1), remaining.min(limit.max(1)));
            match (what, under_way.pop()) {
                (0, Some(departure)) => bucket.answered(departure, seconds(now), 200, &answer),
                (1, Some(departure)) => bucket.answered(departure, seconds(now), 429, &answer),
                (2, Some(departure)) => bucket.answered(departure, seconds(now), 404, &RateHeaders::default()),
                (3, Some(_)) => bucket.lost(),
                (_, back) => {
                    under_way.extend(back);
                    under_way.insert(0, bucket.depart(seconds(now)));
                }
            }
        }
        for _ in under_way {
            bucket.lost();
        }
        // The worst: as many sent unasked as there are steps, at a twentieth of the bucket a second.
        proptest::prop_assert!(at(bucket.next(seconds(now), 1)) - now < 80.0 * 20.0 + 60.0);
    }
}
