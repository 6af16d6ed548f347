//! A plan for people: per tenant and client, the fields that change, old → new, and what it will take.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::term::{self, paint};
use crate::model::{FieldChange, Reason, RowResult};
use crate::plan::forecast::{Basis, Forecast};

use crate::plan::{Done, Plan, Row, RowState, TenantPlan};

/// Clients shown per tenant unless all are asked for.
pub const SHOWN: usize = 100;
/// Rows shown per tenant that will not be done.
const ODDITIES: usize = 30;

/// How to show a plan.
#[derive(Debug, Clone, Copy)]
pub struct DiffOptions<'d> {
    /// What one object is called.
    pub noun: &'d str,
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to show every client, however many, and values whole, however long.
    pub full: bool,
}

/// Renders a plan.
pub fn render(plan: &Plan, options: DiffOptions<'_>) -> String {
    let mut out = String::new();
    if let Some(run) = &plan.header.undoes {
        line(
            &mut out,
            format_args!("Takes back run {run}, field by field, where it still holds what the run wrote."),
        );
    }
    for tenant in &plan.tenants {
        heading(&mut out, tenant, options);
        if tenant.failure.is_none() {
            writes(&mut out, tenant, options);
            oddities(&mut out, tenant);
            totals(&mut out, tenant, (options, plan.header.made));
        }
        out.push('\n');
    }
    run_forecast(&mut out, plan);
    out
}

/// Of several tenants: what all of it takes.
fn run_forecast(out: &mut String, plan: &Plan) {
    let writing: Vec<&TenantPlan> =
        plan.tenants.iter().map(|tenant| &**tenant).filter(|tenant| !tenant.writes.is_empty()).collect();
    let Some(forecast) = plan.forecast().filter(|_| writing.len() > 1) else { return };
    let slowest = writing.iter().max_by_key(|tenant| tenant.forecast.and_then(|forecast| forecast.longest));
    let requests = term::count(usize::try_from(forecast.requests).unwrap_or(usize::MAX), "request");
    let time = forecast.shortest.zip(forecast.longest).map(|(shortest, longest)| {
        let slowest = slowest.map(|tenant| format!("; the slowest is {}", tenant.tenant)).unwrap_or_default();
        format!(", {}{slowest}", span(shortest, longest))
    });
    let (all, time) = (term::count(writing.len(), "tenant"), time.unwrap_or_default());
    line(out, format_args!("{} {requests} to {all}{time}", paint(term::STRONG, "Forecast of the run:")));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

fn heading(out: &mut String, tenant: &TenantPlan, options: DiffOptions<'_>) {
    let domain = paint(term::STRONG, &tenant.domain);
    let named = if tenant.tenant.as_str() == tenant.domain.as_str() {
        String::new()
    } else {
        format!("tenant {}, ", tenant.tenant)
    };
    let size =
        tenant.total.map(|total| format!(", {}", term::count(total, options.noun))).unwrap_or_default();
    line(
        out,
        format_args!(
            "{domain}  {}",
            paint(term::FAINT, format_args!("({named}credentials from {}{size})", tenant.origin))
        ),
    );
    if let Some(failure) = &tenant.failure {
        line(
            out,
            format_args!("  {} {}", paint(term::BAD, "cannot be planned:"), term::safe(&failure.message)),
        );
    }
}

fn writes(out: &mut String, tenant: &TenantPlan, options: DiffOptions<'_>) {
    let mut cut = false;
    let mut value = |value: Option<&Value>, room: usize| {
        let room = if options.full { usize::MAX } else { room };
        let shown = term::value(value, room);
        cut |= shown.contains('…') && shown.chars().count() == room;
        shown
    };
    let most = if options.full { usize::MAX } else { SHOWN };
    for write in tenant.writes.iter().take(most) {
        let name =
            term::shorten(&term::safe(write.name.as_deref().unwrap_or("(no name)")), options.width / 2);
        let place = paint(term::FAINT, format_args!("{}  {}", write.id, write.label.in_words()));
        line(out, format_args!("  {} {}  {place}", paint(term::WARN, "~"), paint(term::STRONG, name)));
        let widest =
            write.changes.iter().map(|change| change.path.to_string().chars().count()).max().unwrap_or(0);
        for change in &write.changes {
            let path = term::safe(&change.path.to_string());
            if let Some((gone, new)) = items(change) {
                let room = options.width.saturating_sub(widest + 10).max(40);
                let gone = gone.into_iter().map(|item| (term::OLD, '-', item));
                for (style, sign, item) in gone.chain(new.into_iter().map(|item| (term::NEW, '+', item))) {
                    let shown = format!("{sign} {}", value(Some(item), room));
                    line(out, format_args!("      {path:widest$}  {}", paint(style, shown)));
                }
                continue;
            }
            // Two values share what the field's name leaves of the line.
            let room = options.width.saturating_sub(widest + 12).max(40) / 2;
            let before = paint(term::OLD, value(change.before.as_ref(), room));
            let after = paint(term::NEW, value(change.after.as_ref(), room));
            line(out, format_args!("      {path:widest$}  {before} → {after}"));
        }
        for left in &write.left {
            let why = term::safe(&left.message);
            line(out, format_args!("      {} {}: {why}", paint(term::BAD, "stays"), left.reason));
        }
    }
    if tenant.writes.len() > most {
        line(
            out,
            format_args!(
                "  … and {} more; --full shows all",
                term::count(tenant.writes.len() - most, options.noun)
            ),
        );
    } else if cut {
        line(
            out,
            format_args!(
                "  {}",
                paint(term::FAINT, "… stands for the middle of a long value; --full shows all")
            ),
        );
    }
}

/// Of a list that changes in part: what goes and what comes, each to stand on a line of its own; what stays would only hide
/// it. `None` where the whole list is another one, or its order alone changes.
fn items(change: &FieldChange) -> Option<(Vec<&Value>, Vec<&Value>)> {
    fn list(value: Option<&Value>) -> &[Value] {
        value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
    let (before, after) = (list(change.before.as_ref()), list(change.after.as_ref()));
    let gone: Vec<&Value> = before.iter().filter(|item| !after.contains(item)).collect();
    let new: Vec<&Value> = after.iter().filter(|item| !before.contains(item)).collect();
    let in_part = gone.len() < before.len() && !(gone.is_empty() && new.is_empty());
    (change.items.is_some() || in_part).then_some((gone, new))
}

/// Rows that will not be done, each with its reason: nobody should learn of them only afterwards. What `--limit` leaves
/// out is only counted, since that is what was asked for.
fn oddities(out: &mut String, tenant: &TenantPlan) {
    let odd = tenant.rows.iter().filter_map(|row| match &row.state {
        RowState::Done(done) if done.result != RowResult::Unchanged && !deliberate(done) => {
            Some((row, &**done))
        }
        _ => None,
    });
    let odd: Vec<(&Row, &Done)> = odd.collect();
    for (row, done) in odd.iter().take(ODDITIES) {
        let style = if done.result == RowResult::Skipped { term::WARN } else { term::BAD };
        let who = row.name.as_deref().or(row.id.as_ref().map(|id| id.as_str()));
        let who = who.map(|who| format!(" {}", term::safe(who))).unwrap_or_default();
        let why = term::safe(done.message.as_deref().unwrap_or_default());
        line(out, format_args!("  {} {}{who}: {why}", paint(style, done.result), row.label.in_words()));
    }
    if odd.len() > ODDITIES {
        line(out, format_args!("  … and {} like these", term::count(odd.len() - ODDITIES, "more row")));
    }
}

/// Whether the command line itself leaves the row out.
fn deliberate(done: &Done) -> bool {
    matches!(done.reason, Some(Reason::Limit | Reason::Where))
}

fn totals(out: &mut String, tenant: &TenantPlan, (options, now): (DiffOptions<'_>, Timestamp)) {
    let mut parts = vec![format!("{} to change", term::count(tenant.writes.len(), options.noun))];
    for (result, words) in [
        (RowResult::Unchanged, "unchanged"),
        (RowResult::Skipped, "skipped"),
        (RowResult::Conflict, "in conflict"),
        (RowResult::Failed, "failed"),
    ] {
        let is = |row: &&Row| matches!(&row.state, RowState::Done(done) if done.result == result);
        let count = tenant.rows.iter().filter(is).count();
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    line(out, format_args!("  {} {}", paint(term::STRONG, "Plan:"), parts.join(", ")));
    if let Some(forecast) = tenant.forecast.as_ref().filter(|_| !tenant.writes.is_empty()) {
        line(out, format_args!("  {} {}", paint(term::STRONG, "Forecast:"), forecast_words(forecast, now)));
    }
}

/// The forecast in a sentence; `now` tells the age of what was measured.
pub fn forecast_words(forecast: &Forecast, now: Timestamp) -> String {
    let requests = term::count(usize::try_from(forecast.requests).unwrap_or(usize::MAX), "request");
    let Some((shortest, longest)) = forecast.shortest.zip(forecast.longest) else {
        return format!("{requests}; the tenant has not told its rate limit");
    };
    format!("{requests}, {}{}", span(shortest, longest), basis_words(&forecast.basis, now))
}

/// `about 16 s`, `5.0 s to 16 s`.
pub(super) fn span(shortest: Duration, longest: Duration) -> String {
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

    fn words(times: Option<(f64, f64)>, basis: Basis) -> String {
        let now = Timestamp::from_second(10_000_000).unwrap();
        let time = |seconds: f64| Duration::from_secs_f64(seconds);
        let forecast = Forecast {
            requests: 300,
            shortest: times.map(|(shortest, _)| time(shortest)),
            longest: times.map(|(_, longest)| time(longest)),
            basis,
        };
        forecast_words(&forecast, now)
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
        for (times, basis, said) in cases {
            assert_eq!(words(times, basis), format!("300 requests, {said}"));
        }
        assert_eq!(words(None, Basis::Nothing), "300 requests; the tenant has not told its rate limit");
    }
}
