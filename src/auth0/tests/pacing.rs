use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth0::groups::Group;
use crate::auth0::limiter::Limiter;
use crate::auth0::rate_headers::RateHeaders;
use crate::auth0::{Cap, RateShare, Reserve, Settings};
use crate::model::event::ProgressSink;

fn limiter(settings: &Settings) -> Arc<Limiter> {
    Arc::new(Limiter::new(settings, "acme".into(), ProgressSink::none()))
}

fn headers(limit: u64, remaining: u64) -> RateHeaders {
    RateHeaders { bucket: Some((limit, remaining)), ..RateHeaders::default() }
}

#[tokio::test(start_paused = true)]
async fn callers_go_in_the_order_in_which_they_came() {
    let limiter = limiter(&Settings { reserve: Reserve::Tokens(0), ..Settings::default() });
    limiter.acquire(Group::Read).await.answered(200, &headers(10, 0));
    let order = Arc::new(Mutex::new(Vec::new()));
    let callers = (0..8).map(|caller| {
        let (limiter, order) = (Arc::clone(&limiter), Arc::clone(&order));
        tokio::spawn(async move {
            let ticket = limiter.acquire(Group::Read).await;
            order.lock().unwrap().push(caller);
            ticket.answered(200, &headers(10, 1));
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..8).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn an_answer_wakes_who_waits_for_it() {
    let limiter = limiter(&Settings::default());
    let first = limiter.acquire(Group::Read).await;
    let waiting = tokio::spawn({
        let limiter = Arc::clone(&limiter);
        async move { drop(limiter.acquire(Group::Read).await) }
    });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!waiting.is_finished(), "the first request goes alone");
    first.answered(200, &headers(50, 49));
    tokio::time::timeout(Duration::from_millis(300), waiting).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_dropped_ticket_or_caller_blocks_nobody() {
    let limiter = limiter(&Settings::default());
    drop(limiter.acquire(Group::Read).await);
    let held = limiter.acquire(Group::Read).await;
    let impatient = tokio::time::timeout(Duration::from_secs(1), limiter.acquire(Group::Read)).await;
    assert!(impatient.is_err());
    drop(held);
    let next = tokio::time::timeout(Duration::from_secs(60), limiter.acquire(Group::Read)).await;
    assert!(next.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_users_cap_holds_where_the_tenant_allows_more() {
    let rate = Cap { count: NonZeroU32::new(30).unwrap(), per: Duration::from_secs(60) };
    for (burst, expected) in [(None, 18.0), (Some(5), 10.0)] {
        let limiter = limiter(&Settings { rate: Some(rate), burst, ..Settings::default() });
        let start = Instant::now();
        for _ in 0..10 {
            limiter.acquire(Group::Write).await.answered(200, &headers(1000, 990));
        }
        let took = start.elapsed().as_secs_f64();
        assert!((took - expected).abs() < 0.2, "{burst:?}: {took}");
    }
}

/// Seconds that so many writes take where the tenant always says that its bucket is full.
async fn taken(limiter: &Limiter, limit: u64, requests: u32) -> f64 {
    let start = Instant::now();
    for _ in 0..requests {
        limiter.acquire(Group::Write).await.answered(200, &headers(limit, limit - 1));
    }
    start.elapsed().as_secs_f64()
}

#[tokio::test(start_paused = true)]
async fn a_share_is_of_what_was_learned_of_such_a_bucket_else_of_the_slowest_published_tier() {
    for (learned, rate) in [(None, 8.0), (Some((50, 40.0)), 20.0), (Some((20, 2.0)), 8.0)] {
        let rate_share = Some(RateShare { share: 0.5, learned });
        let limiter = limiter(&Settings { rate_share, ..Settings::default() });
        let took = taken(&limiter, 50, 81).await;
        assert!((took - 80.0 / rate).abs() < 0.3, "{learned:?}: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_spreads_reads_and_writes_over_the_time() {
    let rate_share = Some(RateShare { share: 0.25, learned: Some((50, 16.0)) });
    let limiter = limiter(&Settings { rate_share, ..Settings::default() });
    taken(&limiter, 50, 1).await;
    let mut gaps = Vec::new();
    for group in [Group::Read, Group::Write, Group::Write, Group::Read, Group::Write] {
        let asked = Instant::now();
        limiter.acquire(group).await.answered(200, &headers(50, 49));
        gaps.push(asked.elapsed().as_secs_f64());
    }
    assert!(gaps[1..].iter().all(|gap| (gap - 0.25).abs() < 0.01), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_share_and_a_rate_hold_both() {
    let rate = Some(Cap { count: NonZeroU32::new(2).unwrap(), per: Duration::from_secs(1) });
    let rate_share = Some(RateShare { share: 1.0, learned: Some((50, 16.0)) });
    let limiter = limiter(&Settings { rate, burst: Some(1), rate_share, ..Settings::default() });
    let took = taken(&limiter, 50, 11).await;
    assert!((took - 5.0).abs() < 0.2, "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_pauses_all_callers_for_what_the_next_token_needs() {
    let limiter = limiter(&Settings { reserve: Reserve::Tokens(0), ..Settings::default() });
    limiter.acquire(Group::Write).await.answered(200, &headers(50, 40));
    let refused = limiter.acquire(Group::Write).await;
    refused.answered(429, &headers(50, 0));
    let start = Instant::now();
    let callers = (0..6).map(|_| {
        let limiter = Arc::clone(&limiter);
        tokio::spawn(async move {
            let ticket = limiter.acquire(Group::Write).await;
            let at = start.elapsed().as_secs_f64();
            ticket.answered(200, &headers(50, 1));
            at
        })
    });
    let mut went = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        went.push(caller.await.unwrap());
    }
    assert!(
        went[0] >= 1.0 / 16.0 && went[5] < 5.0,
        "not to a full bucket, and nobody before a token is there: {went:?}"
    );
    let paced = went.windows(2).all(|pair| pair[1] - pair[0] >= 0.02);
    assert!(paced, "one at a time, not all at once: {went:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_without_headers_holds_all_callers_back_together_and_not_each_for_longer() {
    let limiter = limiter(&Settings::default());
    limiter.acquire(Group::Write).await.answered(200, &RateHeaders::default());
    let mut volley = Vec::new();
    for _ in 0..20 {
        volley.push(limiter.acquire(Group::Write).await);
    }
    for ticket in volley {
        ticket.answered(429, &RateHeaders::default());
    }
    let start = Instant::now();
    limiter.acquire(Group::Write).await.answered(200, &RateHeaders::default());
    let waited = start.elapsed().as_secs_f64();
    assert!((0.9..3.0).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn reads_and_writes_part_when_their_limits_differ() {
    let limiter = limiter(&Settings { reserve: Reserve::Tokens(0), ..Settings::default() });
    for _ in 0..3 {
        limiter.acquire(Group::Read).await.answered(200, &headers(5, 0));
    }
    // Still one bucket: a write waits for the reads' tokens. Its answer tells of another bucket.
    limiter.acquire(Group::Write).await.answered(200, &headers(10, 9));
    let start = Instant::now();
    for left in (3..8).rev() {
        limiter.acquire(Group::Write).await.answered(200, &headers(10, left));
    }
    // From the reads' empty bucket, five tokens would take ten seconds or more.
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    assert_eq!(limiter.bucket_of(Group::Write), 1);
    limiter.acquire(Group::Read).await.answered(200, &headers(5, 1));
    assert_eq!((limiter.pace().limit, limiter.pace().lowest), (Some(10), Some(3)), "of writes alone");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_changes_for_one_group_parts_nothing() {
    let limiter = limiter(&Settings::default());
    for limit in [50, 50, 25] {
        limiter.acquire(Group::Write).await.answered(200, &headers(limit, 20));
    }
    limiter.acquire(Group::Read).await.answered(200, &headers(25, 19));
    assert_eq!(limiter.bucket_of(Group::Write), 0);
}

#[tokio::test(start_paused = true)]
async fn writes_that_were_heard_first_keep_their_bucket() {
    let limiter = limiter(&Settings { reserve: Reserve::Tokens(0), ..Settings::default() });
    limiter.acquire(Group::Write).await.answered(200, &headers(10, 9));
    let under_way = limiter.acquire(Group::Write).await;
    limiter.acquire(Group::Read).await.answered(200, &headers(5, 4));
    under_way.answered(200, &headers(10, 8));
    drop(limiter.acquire(Group::Read).await);
    assert_eq!(limiter.bucket_of(Group::Write), 1);
    assert_eq!(limiter.pace().requests, 4);
}

#[tokio::test]
async fn an_unlimited_tenant_is_not_slowed_down() {
    let limiter = limiter(&Settings::default());
    limiter.acquire(Group::Write).await.answered(200, &RateHeaders::default());
    let start = Instant::now();
    for _ in 0..20_000 {
        limiter.acquire(Group::Write).await.answered(200, &RateHeaders::default());
    }
    // Unoptimized, on a busy machine; optimized it is a small fraction of this.
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
