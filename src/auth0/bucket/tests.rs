//! The machine heard one answer at a time; how it fares against whole tenants is told in `auth0/simulation/tests.rs`.

use std::time::Duration;

use super::super::rate_headers::RateHeaders;
use super::super::settings::Reserve;
use super::Bucket;

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

fn at(next: Duration) -> f64 {
    next.as_secs_f64()
}

fn headers(limit: u64, remaining: u64) -> RateHeaders {
    RateHeaders { bucket: Some((limit, remaining)), ..RateHeaders::default() }
}

#[test]
fn the_first_request_goes_alone() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    assert_eq!(bucket.next(seconds(1.0), 9), seconds(1.0));
    let first = bucket.depart(seconds(1.0));
    assert!(at(bucket.next(seconds(1.1), 9)) >= 3.0, "nobody follows before an answer has had time to come");
    bucket.lost();
    assert!(at(bucket.next(seconds(1.2), 9)) <= 1.2);
    let second = bucket.depart(seconds(1.2));
    bucket.answered(second, seconds(1.3), 404, &RateHeaders::default());
    let _third = bucket.depart(seconds(1.3));
    assert!(at(bucket.next(seconds(1.4), 9)) >= 3.3, "an error without headers tells nothing");
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
fn a_refusal_of_a_request_that_was_counted_elsewhere_holds_everybody_back_too() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let first = bucket.depart(seconds(0.0));
    bucket.answered(first, seconds(0.1), 200, &headers(50, 40));
    bucket.hold(seconds(0.2), Some(seconds(7.0)));
    assert!(at(bucket.next(seconds(0.3), 9)) >= 7.2);
}

#[test]
fn a_refusal_without_headers_waits_for_the_next_token_and_not_for_a_full_bucket() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let first = bucket.depart(seconds(0.0));
    bucket.answered(first, seconds(0.1), 200, &headers(50, 40));
    let second = bucket.depart(seconds(0.2));
    bucket.answered(second, seconds(0.3), 429, &RateHeaders::default());
    let next = at(bucket.next(seconds(0.3), 9));
    assert!(next > 0.35 && next < 3.0, "{next}");
}

#[test]
fn refusals_in_vain_are_followed_by_longer_and_longer_waits() {
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
    assert!(waits.is_sorted() && waits[0] <= 2 && waits[3] >= 8 && waits[6] == 30, "{waits:?}");
}

#[test]
fn a_volley_that_is_refused_without_headers_is_one_refusal() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let first = bucket.depart(seconds(0.0));
    bucket.answered(first, seconds(0.1), 200, &RateHeaders::default());
    let volley: Vec<_> = (0..32).map(|_| bucket.depart(seconds(0.1))).collect();
    for departure in volley {
        bucket.answered(departure, seconds(0.2), 429, &RateHeaders::default());
    }
    assert!(at(bucket.next(seconds(0.2), 9)) <= 2.0);
}

#[test]
fn a_refusal_with_tokens_left_is_another_buckets() {
    let mut bucket = Bucket::new(Reserve::Tokens(0));
    let first = bucket.depart(seconds(0.0));
    bucket.answered(first, seconds(0.1), 200, &headers(50, 40));
    let (before, _) = bucket.level().unwrap();
    let second = bucket.depart(seconds(0.1));
    bucket.answered(second, seconds(0.2), 429, &headers(50, 40));
    let (after, _) = bucket.level().unwrap();
    assert!(after >= before, "the one that is seen is as full as it was: {after}");
    assert!(at(bucket.next(seconds(0.2), 9)) >= 1.2, "the one that is not seen is empty");
}

#[test]
fn what_is_kept_in_flight_follows_rate_and_latency() {
    let needed = |limit: u64, latency: f64| {
        let mut bucket = Bucket::new(Reserve::Tokens(0));
        let first = bucket.depart(seconds(0.0));
        bucket.answered(first, seconds(latency), 200, &headers(limit, limit - 1));
        bucket.in_flight_needed()
    };
    assert_eq!(needed(50, 0.04), 32, "a few are always allowed");
    assert!((100..=210).contains(&needed(250, 0.39)), "250 a second at 390 ms are 97 in flight");
    assert_eq!(needed(5_000, 0.39), 256, "and never more than so many");
    assert_eq!(needed(1_000_000, 0.0005), 32, "without a limit to speak of, more would only queue");
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
