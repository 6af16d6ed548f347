//! Forecasts in words.

use std::time::Duration;

use jiff::Timestamp;

use super::term;
use crate::plan::forecast::{Basis, Forecast};
use crate::plan::{Plan, TenantPlan};

/// A forecast below this needs no figures.
const SOON: Duration = Duration::from_secs(1);

/// Of several tenants: what all of it takes.
pub(super) fn of_run(plan: &Plan) -> Option<String> {
    let tenants = plan.tenants.iter().map(|tenant| &**tenant);
    let writing: Vec<&TenantPlan> = tenants.filter(|tenant| !tenant.writes.is_empty()).collect();
    let forecast = plan.forecast().filter(|_| writing.len() > 1)?;
    let slowest = writing.iter().max_by_key(|tenant| tenant.forecast.and_then(|forecast| forecast.longest));
    let slowest = slowest.filter(|_| forecast.longest.is_some_and(|longest| longest >= SOON));
    let slowest = slowest.map(|tenant| format!("; the slowest is {}", tenant.tenant)).unwrap_or_default();
    let time = forecast.shortest.zip(forecast.longest);
    let time = time.map(|(shortest, longest)| format!(", {}{slowest}", span(shortest, longest)));
    let (requests, all) = (requests(&forecast), term::count(writing.len(), "tenant"));
    Some(format!("{requests} to {all}{}", time.unwrap_or_default()))
}

fn requests(forecast: &Forecast) -> String {
    term::count(usize::try_from(forecast.requests).unwrap_or(usize::MAX), "request")
}

/// The forecast in a sentence; `now` tells the age of what was measured.
pub(super) fn words(forecast: &Forecast, now: Timestamp) -> String {
    let requests = requests(forecast);
    let Some((shortest, longest)) = forecast.shortest.zip(forecast.longest) else {
        return format!("{requests}; the tenant has not told its rate limit");
    };
    // Whatever the limit is, it does not matter then.
    let basis = if longest < SOON { String::new() } else { basis_words(&forecast.basis, now) };
    format!("{requests}, {}{basis}", span(shortest, longest))
}

/// `about 16 s`, `5.0 s to 16 s`, `less than a second`.
fn span(shortest: Duration, longest: Duration) -> String {
    if longest < SOON {
        return "less than a second".to_owned();
    }
    let (from, to) = (term::duration(shortest), term::duration(longest));
    if from == to { format!("about {to}") } else { format!("{from} to {to}") }
}

fn basis_words(basis: &Basis, now: Timestamp) -> String {
    match basis {
        Basis::Nothing => String::new(),
        Basis::Measured { refill, at: Some(at) } => {
            format!(", at {refill:.1} a second as measured {}", term::age(*at, now))
        }
        Basis::Measured { refill, at: None } => format!(", at {refill:.1} a second as measured earlier"),
        Basis::Published { limit, slowest, fastest } => format!(
            "; no run has measured this tenant yet; published limits of a bucket of {limit}: {}",
            per_second(*slowest, *fastest)
        ),
        Basis::Unpublished { limit, slowest, fastest } => format!(
            "; no run has measured this tenant yet, and no published limit has a bucket of {limit}: supposed are {}",
            per_second(*slowest, *fastest)
        ),
        Basis::OwnCap { rate } => format!(", at your own cap of {rate:.1} a second"),
        Basis::Answers => ", as fast as the tenant answers: it tells of no limit".to_owned(),
    }
}

fn per_second(slowest: f64, fastest: f64) -> String {
    let number = |rate: f64| if rate.fract() == 0.0 { format!("{rate:.0}") } else { format!("{rate:.1}") };
    let (slowest, fastest) = (number(slowest), number(fastest));
    if slowest == fastest {
        format!("{fastest} a second")
    } else {
        format!("{slowest} to {fastest} a second")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(times: Option<(f64, f64)>, basis: Basis) -> String {
        let now = Timestamp::from_second(10_000_000).unwrap();
        let time = |seconds: f64| Duration::from_secs_f64(seconds);
        let forecast = Forecast {
            requests: 300,
            shortest: times.map(|(shortest, _)| time(shortest)),
            longest: times.map(|(_, longest)| time(longest)),
            basis,
        };
        words(&forecast, now)
    }

    #[test]
    fn a_forecast_says_on_what_it_is_based() {
        let at = |seconds: i64| Timestamp::from_second(10_000_000 - seconds).ok();
        let range = |limit, slowest, fastest| Basis::Published { limit, slowest, fastest };
        let yet = "no run has measured this tenant yet";
        let cases = [
            (
                Some((16.2, 16.2)),
                Basis::Measured { refill: 15.96, at: at(30) },
                "about 16 s, at 16.0 a second as measured just now".to_owned(),
            ),
            (
                Some((16.2, 16.2)),
                Basis::Measured { refill: 15.96, at: at(10_800) },
                "about 16 s, at 16.0 a second as measured 3 hours ago".to_owned(),
            ),
            (
                Some((16.2, 16.2)),
                Basis::Measured { refill: 2.04, at: None },
                "about 16 s, at 2.0 a second as measured earlier".to_owned(),
            ),
            (
                Some((5.2, 16.4)),
                range(50, 16.0, 50.0),
                format!("5.2 s to 16 s; {yet}; published limits of a bucket of 50: 16 to 50 a second"),
            ),
            (
                Some((30.0, 45.0)),
                range(10, 100.0 / 60.0, 2.5),
                format!("30 s to 45 s; {yet}; published limits of a bucket of 10: 1.7 to 2.5 a second"),
            ),
            (
                Some((1.2, 1.4)),
                range(250, 250.0, 250.0),
                format!("1.2 s to 1.4 s; {yet}; published limits of a bucket of 250: 250 a second"),
            ),
            (
                Some((40.0, 400.0)),
                Basis::Unpublished { limit: 7, slowest: 0.583, fastest: 7.0 },
                format!(
                    "40 s to 6 min 40 s; {yet}, and no published limit has a bucket of 7: supposed are 0.6 to 7 a second"
                ),
            ),
            (
                Some((60.0, 60.0)),
                Basis::OwnCap { rate: 5.0 },
                "about 60 s, at your own cap of 5.0 a second".to_owned(),
            ),
            (
                Some((3.0, 3.0)),
                Basis::Answers,
                "about 3.0 s, as fast as the tenant answers: it tells of no limit".to_owned(),
            ),
        ];
        for (times, basis, expected) in cases {
            assert_eq!(said(times, basis), format!("300 requests, {expected}"));
        }
        assert_eq!(said(None, Basis::Nothing), "300 requests; the tenant has not told its rate limit");
    }
}
