//! The token bucket and its headers.

use super::*;
use crate::sandbox::clock::Clock;

fn header(response: &Response, name: &str) -> Option<i64> {
    Some(response.headers().get(name)?.to_str().unwrap().parse().unwrap())
}

async fn read(caller: &Caller) -> Response {
    caller.request(Method::GET, "/api/v2/clients?per_page=1").send().await.unwrap()
}

#[tokio::test]
async fn after_the_burst_comes_a_429() {
    // One token in a quarter of an hour: none comes back while the test runs.
    let caller = Caller::with(|options| options.tier = Tier::custom(5, 0.001)).await;
    for left in (0..5).rev() {
        let response = read(&caller).await;
        assert_eq!(response.status(), 200);
        assert_eq!(
            (header(&response, "x-ratelimit-limit"), header(&response, "x-ratelimit-remaining")),
            (Some(5), Some(left))
        );
    }
    let refused = read(&caller).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "x-ratelimit-remaining")), (429, Some(0)));
    assert!(refused.headers().contains_key("date"));
    assert_eq!(
        answer(refused).await.1,
        json!({"statusCode": 429, "error": "Too Many Requests", "message": "Global limit has been reached", "errorCode": "too_many_requests"})
    );
    let counters = caller.tenant().counters();
    assert_eq!((counters.throttled, counters.lowest_tokens, counters.list), (1, 0, 6));
}

#[tokio::test]
async fn reset_is_when_the_bucket_is_full_or_when_the_next_call_fits() {
    for (reset, least, most) in [(Reset::Full, 290, 301), (Reset::Next, 90, 101)] {
        let caller = Caller::with(|options| {
            options.tier = Tier::custom(3, 0.01);
            options.reset = reset;
        })
        .await;
        let mut last = read(&caller).await;
        for _ in 0..3 {
            last = read(&caller).await;
        }
        let now = Clock::start(0);
        let wait = header(&last, "x-ratelimit-reset").unwrap() as f64 - now.unix(now.now());
        assert!((f64::from(least)..=f64::from(most)).contains(&wait), "{reset:?}: {wait}");
    }
}

#[tokio::test]
async fn essentials_counts_reads_of_clients_apart() {
    let caller = Caller::with(|options| options.tier = "essentials".parse().unwrap()).await;
    assert_eq!(header(&read(&caller).await, "x-ratelimit-limit"), Some(5));
    let id = caller.id_of("acme-shop-dev");
    let write = caller.send_patch(&id, &json!({"sso": true})).await.unwrap();
    assert_eq!(
        (header(&write, "x-ratelimit-limit"), header(&write, "x-ratelimit-remaining")),
        (Some(10), Some(9))
    );
}

#[tokio::test]
async fn refusals_carry_no_limits_unless_asked_to_and_a_tier_may_have_none_at_all() {
    let remaining = async |change: fn(&mut Options), path: &str| {
        let caller = Caller::with(change).await;
        header(&caller.request(Method::GET, path).send().await.unwrap(), "x-ratelimit-remaining").is_some()
    };
    let missing = "/api/v2/clients/missing";
    assert!(!remaining(|_| {}, missing).await);
    assert!(remaining(|options| options.headers_on_errors = true, missing).await);
    assert!(remaining(|_| {}, "/api/v2/clients").await);
    assert!(!remaining(|options| options.tier = "no-headers".parse().unwrap(), "/api/v2/clients").await);
}

#[tokio::test]
async fn a_server_may_live_in_another_time() {
    let caller = Caller::with(|options| options.clock_skew = 3600).await;
    let response = read(&caller).await;
    let date = jiff::fmt::rfc2822::parse(response.headers()["date"].to_str().unwrap()).unwrap();
    let now = Clock::start(0);
    let ahead = date.timestamp().as_second() as f64 - now.unix(now.now());
    assert!((3595.0..=3605.0).contains(&ahead), "{ahead}");
}

#[tokio::test]
async fn production_draws_on_the_same_bucket() {
    let caller = Caller::with(|options| {
        options.tier = Tier::custom(2, 0.001);
        options.faults = "competing=10000/s".parse().unwrap();
    })
    .await;
    tokio::time::timeout(Duration::from_secs(5), async {
        while caller.tenant().counters().competing_throttled == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert_eq!(read(&caller).await.status(), 429);
    assert_eq!(caller.tenant().counters().competing_served, 2);
}

#[tokio::test]
async fn a_limit_may_change_once_the_first_call_was_made() {
    let caller = Caller::with(|options| {
        options.tier = Tier::custom(50, 0.001);
        options.faults = "limit=2,1/min+20,1/min@0s, competing=10000/s@1min".parse().unwrap();
    })
    .await;
    let seen = |response: &Response| {
        (header(response, "x-ratelimit-limit").unwrap(), header(response, "x-ratelimit-remaining").unwrap())
    };
    assert_eq!(seen(&read(&caller).await), (2, 1));
    assert_eq!(seen(&read(&caller).await), (2, 0));
    assert_eq!(read(&caller).await.status(), 429);
    let counters = caller.tenant().counters();
    assert_eq!((counters.throttled, counters.competing_served), (1, 0), "production comes in a minute");
    assert!(counters.seconds > 0.0);
}
