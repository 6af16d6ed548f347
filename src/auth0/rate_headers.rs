//! What an answer's headers say of the tenant's bucket. Central type: [`RateHeaders`].

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Longest `Retry-After` that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The headers that matter for pacing. A 4xx may have none of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct RateHeaders {
    /// Size of the bucket and tokens left after this request.
    pub(crate) bucket: Option<(u64, u64)>,
    /// `x-ratelimit-reset` minus `Date`: both are of the server's clock, so that ours does not matter.
    pub(crate) reset_in: Option<Duration>,
    /// `Retry-After`, in seconds or as a date.
    pub(crate) retry_after: Option<Duration>,
}

impl RateHeaders {
    /// Reads them; what is missing or nonsense is absent.
    pub(crate) fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
        let limit = number("x-ratelimit-limit").filter(|limit| *limit >= 1);
        let bucket = limit.zip(number("x-ratelimit-remaining")).map(|(limit, left)| (limit, left.min(limit)));
        let date = date(headers);
        let since_date =
            |second: i64| u64::try_from(second - date?.as_second()).ok().map(Duration::from_secs);
        let reset_in = number("x-ratelimit-reset").and_then(|reset| since_date(i64::try_from(reset).ok()?));
        let retry_after = headers.get(RETRY_AFTER).and_then(|value| {
            let text = value.to_str().ok()?.trim();
            let seconds = || Duration::try_from_secs_f64(text.parse::<f64>().ok()?).ok();
            seconds().or_else(|| since_date(timestamp(text)?.as_second()))
        });
        Self { bucket, reset_in, retry_after: retry_after.map(|wait| wait.min(LONGEST_WAIT)) }
    }
}

/// When the server says that it answered.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    headers.get(DATE).and_then(|value| timestamp(value.to_str().ok()?))
}

/// An HTTP date (`Tue, 15 Nov 1994 08:12:31 GMT`).
fn timestamp(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> RateHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        RateHeaders::read(&headers)
    }

    #[test]
    fn reset_is_measured_against_the_servers_own_clock() {
        let seen = read(&[
            ("x-ratelimit-limit", "50"),
            ("x-ratelimit-remaining", "48"),
            ("x-ratelimit-reset", "784887154"),
            ("date", "Tue, 15 Nov 1994 08:12:31 GMT"),
        ]);
        assert_eq!(seen.bucket, Some((50, 48)));
        assert_eq!(seen.reset_in, Some(Duration::from_secs(3)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read(&[("retry-after", "7")]).retry_after, Some(Duration::from_secs(7)));
        let dated =
            [("date", "Tue, 15 Nov 1994 08:12:31 GMT"), ("retry-after", "Tue, 15 Nov 1994 08:12:41 GMT")];
        assert_eq!(read(&dated).retry_after, Some(Duration::from_secs(10)));
        assert_eq!(read(&[("retry-after", "86400")]).retry_after, Some(LONGEST_WAIT));
    }

    #[test]
    fn nonsense_is_nothing() {
        let cases: [&[(&str, &str)]; 4] = [
            &[],
            &[("x-ratelimit-limit", "0"), ("x-ratelimit-remaining", "0")],
            &[("x-ratelimit-limit", "many"), ("x-ratelimit-remaining", "1"), ("retry-after", "-3")],
            &[("x-ratelimit-reset", "99999999999999999999"), ("date", "yesterday"), ("retry-after", "NaN")],
        ];
        for pairs in cases {
            assert_eq!(read(pairs), RateHeaders::default(), "{pairs:?}");
        }
    }
}
