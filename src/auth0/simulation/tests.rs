//! The promises of the pacing machine, against a simulated tenant in virtual time. Each holds under both readings of `reset`,
//! with clocks three seconds off, wherever within a trip the token is taken.

use super::super::settings::Reserve;
use super::{Headers, Limit, Report, Traffic, World};

const REAL: (f64, f64) = (0.390, 0.200);

fn assert_all(world: &World, promise: impl Fn(&World, &Report) -> bool) {
    for world in world.variations() {
        let report = world.run();
        let told = Report { taken: Vec::new(), ..report.clone() };
        assert!(promise(&world, &report), "{world:#?}\n{told:#?}\nideal {}", world.ideal());
    }
}

fn within(factor: f64) -> impl Fn(&World, &Report) -> bool {
    move |world, report| report.last_answer <= factor * world.ideal() && report.refused == 0
}

fn within_seconds(seconds: f64) -> impl Fn(&World, &Report) -> bool {
    move |world, report| report.last_answer <= world.ideal() + seconds && report.refused == 0
}

fn real(world: World) -> World {
    World { latency: REAL, ..world }
}

/// Production takes half the refill, and a fifth of the bucket is its reserve.
fn with_production(world: World, traffic: fn(f64) -> Traffic) -> World {
    World { production: traffic(world.limit.refill / 2.0), reserve: Reserve::Share(0.2), ..world }
}

#[test]
fn a_bucket_is_used_to_a_few_percent_and_never_overdrawn() {
    assert_all(&World::alone(50.0, 16.0, 300), within(1.02));
    assert_all(&World::alone(10.0, 2.0, 100), within(1.03));
    assert_all(&World::alone(10.0, 2.5, 300), within(1.02));
    assert_all(&World::alone(100.0, 50.0, 1000), within(1.02));
    assert_all(&World::alone(20.0, 20.0, 300), within(1.03));
    assert_all(&World::alone(5.0, 100.0 / 60.0, 60), within(1.03));
}

#[test]
fn at_real_latency_only_a_second_and_a_half_is_lost() {
    assert_all(&real(World::alone(50.0, 16.0, 300)), within_seconds(1.5));
    assert_all(&real(World::alone(10.0, 2.0, 100)), within_seconds(1.5));
    assert_all(&real(World::alone(100.0, 50.0, 1000)), within_seconds(1.5));
}

#[test]
fn signing_in_and_reading_lists_cost_their_trips_and_no_more() {
    let world = World { sign_in: true, lists: 3, ..real(World::alone(50.0, 16.0, 300)) };
    assert_all(&world, |world, report| {
        // From the first write on, the bucket is full once more, and once more an answer is waited for.
        report.refused == 0 && report.last_answer - report.first_write <= world.ideal() + 1.0
    });
}

#[test]
fn the_smallest_buckets_move() {
    assert_all(&World::alone(2.0, 2.0, 120), within(1.1));
    assert_all(&World::alone(2.0, 2.0, 20), |_, report| report.refused <= 2);
    assert_all(&real(World::alone(2.0, 2.0, 20)), |_, report| report.refused <= 2);
    assert_all(&World::alone(1.0, 1.0, 60), |world, report| report.last_answer <= 2.0 * world.ideal());
}

#[test]
fn production_at_half_the_rate_never_finds_the_bucket_empty() {
    for (size, refill) in [(50.0, 16.0), (10.0, 2.0), (10.0, 2.5), (20.0, 20.0)] {
        let world = with_production(World::alone(size, refill, 300), Traffic::Even);
        assert_all(&world, |world, report| {
            let kept = report.production_calls > 100 && report.production_refused == 0;
            kept && report.refused == 0 && report.last_answer <= 1.03 * world.ideal()
        });
        assert_all(&real(world), |world, report| {
            let kept = report.production_refused == 0 && report.refused == 0;
            kept && report.last_answer <= 1.05 * world.ideal() + 1.0
        });
    }
}

#[test]
fn random_production_keeps_its_reserve_and_costs_no_more_than_it_takes() {
    for latency in [(0.040, 0.020), REAL] {
        let world = with_production(World::alone(50.0, 16.0, 600), Traffic::Poisson);
        assert_all(&World { latency, ..world }, |world, report| {
            let Limit { size, refill } = world.limit;
            let taken = (world.writes + report.production_calls) as f64 - size + world.reserve.of(size);
            report.production_refused == 0 && report.last_answer <= 1.05 * taken / refill
        });
    }
}

#[test]
fn what_production_leaves_is_taken_up_within_two_seconds() {
    let world = with_production(World::alone(50.0, 16.0, 400), Traffic::Even);
    for latency in [(0.040, 0.020), REAL] {
        let world = World { production_stops: 15.0, latency, ..world };
        assert_all(&world, |_, report| {
            report.production_refused == 0 && report.rate(17.0, 22.0) >= 0.98 * 16.0
        });
    }
}

#[test]
fn a_limit_that_is_halved_in_mid_run_costs_few_refusals() {
    let halved = Limit { size: 25.0, refill: 8.0 };
    let world = World { change: Some((6.0, halved)), ..World::alone(50.0, 16.0, 300) };
    assert_all(&world, |_, report| report.refused == 0);
    assert_all(&real(world), |_, report| report.refused <= 3 && report.last_refused <= 12.0);
}

#[test]
fn a_limit_that_is_doubled_is_used() {
    let doubled = Limit { size: 100.0, refill: 32.0 };
    let world = World { change: Some((6.0, doubled)), ..World::alone(50.0, 16.0, 600) };
    // 146 sent by second 6, then 50 more tokens of room and 32 a second.
    assert_all(&world, |_, report| report.refused == 0 && report.last_answer <= 6.0 + 1.1 * 454.0 / 32.0);
}

#[test]
fn reads_and_writes_with_buckets_of_their_own_are_not_refused() {
    let reads = Limit { size: 5.0, refill: 100.0 / 60.0 };
    for latency in [(0.040, 0.020), REAL] {
        let world =
            World { reads: Some(reads), sign_in: true, lists: 3, latency, ..World::alone(10.0, 2.5, 60) };
        assert_all(&world, |_, report| report.refused == 0);
    }
}

#[test]
fn reads_apart_under_the_same_limit_hold_writes_up_for_one_answer_at_most() {
    let limit = Limit { size: 10.0, refill: 2.0 };
    let world = World { reads: Some(limit), lists: 9, ..World::alone(10.0, 2.0, 60) };
    assert_all(&world, |world, report| {
        report.refused == 0 && report.last_answer - report.first_write <= world.ideal() + 1.5
    });
}

#[test]
fn runners_that_know_nothing_of_each_other_share_one_bucket() {
    let fast = (0.040, 0.020);
    for (size, refill, writes, latency, evenness) in
        [(50.0, 16.0, 400, fast, 0.85), (50.0, 16.0, 800, REAL, 0.6), (10.0, 2.0, 264, REAL, 0.6)]
    {
        let world = World { runners: 4, latency, ..World::alone(size, refill, writes) };
        assert_all(&world, |world, report| {
            report.refused <= world.writes / 100
                && report.last_answer <= 1.15 * world.ideal()
                && report.evenness() >= evenness
        });
    }
}

#[test]
fn answers_out_of_order_or_lost_or_without_headers_do_no_harm() {
    let headers = Headers::AllButOneIn(5);
    let world = World { latency: (0.3, 0.29), lose_one_in: 7, headers, ..World::alone(50.0, 16.0, 300) };
    assert_all(&world, |world, report| report.refused <= 2 && report.last_answer <= 1.15 * world.ideal());
}

#[test]
fn slow_answers_starve_nobody() {
    let world = World { slow: Some((20, 10.0)), ..World::alone(50.0, 16.0, 600) };
    // The last token is taken in time, even where the very first answer is a slow one; its answer may take ten seconds more.
    assert_all(&world, |world, report| {
        report.refused == 0 && report.last_taken <= 1.03 * world.ideal() + 2.0
    });
}

#[test]
fn where_concurrency_is_the_limit_the_bucket_is_not_overdrawn_afterwards() {
    let world = World { concurrency: Some(4), ..real(World::alone(50.0, 16.0, 300)) };
    assert_all(&world, |world, report| {
        // Four trips at a time are all that is to be had.
        report.refused == 0 && report.last_answer <= 1.1 * world.writes as f64 * REAL.0 / 4.0
    });
}

#[test]
fn a_tenant_that_sends_no_headers_is_not_held_back() {
    let world = World { headers: Headers::Never, concurrency: Some(8), ..World::alone(1e6, 1e6, 300) };
    let report = world.run();
    assert_eq!(report.most_in_flight, 8);
    assert!(report.last_answer < 3.0, "{report:?}");
}

#[test]
fn a_limit_without_headers_is_found_by_its_refusals() {
    let world = World { headers: Headers::Never, concurrency: Some(8), ..World::alone(10.0, 2.0, 200) };
    assert_all(&world, |world, report| report.refused <= 40 && report.last_answer <= 1.1 * world.ideal());
}

#[test]
fn headers_that_vanish_in_mid_run_leave_what_was_learned() {
    let world = World { headers: Headers::Until(8.0), ..World::alone(50.0, 16.0, 400) };
    assert_all(&world, |world, report| report.refused <= 3 && report.last_answer <= 1.15 * world.ideal());
}

#[test]
fn a_second_bucket_that_no_header_tells_of_is_found_by_its_refusals() {
    let hidden = Limit { size: 60.0, refill: 1.0 };
    let world = World { hidden: Some(hidden), ..World::alone(10.0, 10.0, 200) };
    assert_all(&world, |_, report| report.refused <= 20 && report.last_answer <= 1.1 * 140.0);
}

#[test]
fn a_huge_bucket_is_not_held_back() {
    let world = World { latency: (0.001, 0.0005), ..World::alone(1e6, 1e6, 3_000) };
    assert!(world.run().last_answer < 0.3);
}

#[test]
fn near_the_gate_the_level_is_not_taken_for_much_higher_than_it_is() {
    assert_all(&World::alone(50.0, 16.0, 300), |_, report| report.overestimated <= 1.5);
    assert_all(&World::alone(10.0, 2.0, 100), |_, report| report.overestimated <= 1.5);
}

#[test]
fn the_refill_is_reported_once_it_is_known() {
    let report = World::alone(50.0, 16.0, 300).run();
    assert!((report.refill.unwrap() - 16.0).abs() < 3.0, "{report:?}");
    assert_eq!(World::alone(50.0, 16.0, 5).run().refill, None);
}
