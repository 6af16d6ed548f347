//! What a bucket gives out, to whom, and when.

use proptest::prelude::*;

use super::*;
use crate::sandbox::traffic::Window;

fn limits(burst: u32, per_second: f64) -> Limits {
    Limits { first: Limit { burst, per_second }, second: None }
}

fn bucket(burst: u32, per_second: f64) -> Bucket {
    Bucket::new(limits(burst, per_second), 1)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn steady(per_second: f64, window: Option<Window>) -> Competing {
    Competing { per_second, random: false, window }
}

#[test]
fn a_full_bucket_serves_its_burst_and_then_one_call_per_refill() {
    let mut bucket = bucket(3, 2.0);
    assert!((0..3).all(|_| bucket.take(ms(0)).granted));
    let refused = bucket.take(ms(0));
    assert!(!refused.granted);
    assert_eq!((refused.remaining, refused.full_in, refused.next_in), (0, 1.5, 0.5));
    assert!(!bucket.take(ms(499)).granted);
    assert!(bucket.take(ms(500)).granted);
    assert!(!bucket.take(ms(500)).granted);
    assert_eq!(bucket.lowest, 0);
}

#[test]
fn competing_calls_take_tokens_at_their_own_instants() {
    let mut bucket = bucket(10, 4.0);
    bucket.set_competing(&[steady(2.0, None)], ms(0));
    for _ in 0..10 {
        bucket.take(ms(0));
    }
    // Four a second come, two a second go: after 5 s ten tokens, less one that a competing call has just taken.
    assert_eq!(bucket.take(ms(4_900)).remaining, 9);
    assert_eq!(bucket.competing_throttled, 0);
    for _ in 0..10 {
        bucket.take(ms(4_900));
    }
    bucket.advance(ms(5_000));
    assert_eq!(bucket.competing_throttled, 1, "the bucket was empty when production called");
}

#[test]
fn several_kinds_of_competing_calls_add_up_each_in_its_own_time() {
    let mut bucket = bucket(1_000, 1.0);
    let window = Some(Window { from: ms(10_000), to: Some(ms(20_000)) });
    bucket.set_competing(&[steady(1.0, None), steady(4.0, window)], ms(0));
    bucket.begin(ms(0));
    let mut served = |at| {
        bucket.advance(ms(at));
        bucket.competing_served
    };
    assert_eq!((served(10_000), served(20_000), served(30_000)), (10, 20 + 39, 30 + 39));
}

#[test]
fn of_two_buckets_a_call_takes_a_token_each_and_hears_of_the_scarcer_one() {
    let second = Some(Limit { burst: 20, per_second: 0.1 });
    let mut bucket = Bucket::new(Limits { second, ..limits(5, 10.0) }, 1);
    let first = bucket.take(ms(0));
    assert_eq!((first.limit, first.remaining), (5, 4), "four fifths are less than 19 of 20");
    // The first is full again each time; the second runs dry.
    let mut left = Vec::new();
    for step in 1..20 {
        let taken = bucket.take(ms(step * 1_000));
        assert!(taken.granted);
        left.push((taken.limit, taken.remaining));
    }
    assert_eq!(left[18], (20, 1));
    while bucket.take(ms(20_500)).granted {}
    let refused = bucket.take(ms(20_500));
    assert_eq!((refused.limit, refused.remaining), (20, 0));
    assert!(refused.next_in > 5.0, "{refused:?}");
    assert!(bucket.first.tokens > 2.9, "a call that is refused takes no token of the other");
}

#[test]
fn a_limit_that_changes_cuts_what_was_saved_and_may_change_again() {
    let mut bucket = bucket(50, 16.0);
    let change = |seconds: u64, limits| LimitChange { after: ms(seconds * 1_000), limits };
    bucket.set_changes(vec![change(8, limits(100, 2.0)), change(5, limits(25, 8.0))]);
    bucket.advance(ms(60_000));
    assert_eq!(bucket.take(ms(60_000)).limit, 50, "the clock starts with the first call");
    bucket.begin(ms(60_000));
    assert_eq!(bucket.take(ms(64_999)).remaining, 49);
    let halved = bucket.take(ms(65_000));
    assert_eq!((halved.limit, halved.remaining), (25, 24));
    for _ in 0..24 {
        assert!(bucket.take(ms(65_000)).granted);
    }
    assert_eq!(bucket.take(ms(66_000)).remaining, 7, "eight came in that second");
    let grown = bucket.take(ms(69_000));
    assert_eq!((grown.limit, grown.remaining), (100, 7 + 16 + 2 - 1), "two seconds at 8/s, one at 2/s");
}

proptest! {
    #[test]
    fn no_more_calls_are_served_than_burst_and_refill_allow(
        burst in 1_u32..60, rate in 1_u32..50, gaps in prop::collection::vec(0_u64..200, 1..200),
    ) {
        let mut bucket = bucket(burst, f64::from(rate));
        let mut now = 0;
        let mut served = 0_u32;
        for gap in gaps {
            now += gap;
            served += u32::from(bucket.take(ms(now)).granted);
            let most = f64::from(burst) + now as f64 / 1000.0 * f64::from(rate) + 1e-6;
            prop_assert!(f64::from(served) <= most);
        }
    }
}
