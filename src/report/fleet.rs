//! Plans and summaries of many tenants: what differs is named, the rest is counted.

use std::fmt::Write as _;

use super::diff::{self, DiffOptions, counts, line, odd_rows};
use super::forecast;
use super::summary::TenantSummary;
use super::term::{self, paint};
use crate::plan::{Plan, TenantPlan};

/// More tenants than this are not shown one by one.
pub(super) const MANY: usize = 20;
/// So many are shown whole, as examples of what happens in all of them.
const WHOLE: usize = 3;
/// So many that differ are named.
const NAMED: usize = 30;
/// So many of the slowest are named.
const SLOWEST: usize = 3;

/// A plan: the first tenants whole, then those where something is wrong, then the
/// names of the others. Nobody should have to guess which tenants are about to be written to.
pub(super) fn plan(out: &mut String, plan: &Plan, options: DiffOptions<'_>) {
    let (mut failed, mut odd, mut alike, mut idle) = (vec![], vec![], vec![], vec![]);
    let mut whole = 0;
    for tenant in plan.tenants.iter().map(|tenant| &**tenant) {
        if tenant.failure.is_some() {
            failed.push(tenant);
        } else if tenant.writes.is_empty() && odd_rows(tenant).next().is_none() {
            idle.push(tenant);
        } else if whole < WHOLE && !tenant.writes.is_empty() {
            diff::section(out, tenant, (options, plan.header.made));
            whole += 1;
        } else if odd_rows(tenant).next().is_some() {
            odd.push(tenant);
        } else {
            alike.push(tenant);
        }
    }
    // Of those with odd rows so many are told about; the others that are written to are named all the same.
    alike.extend(odd.iter().skip(NAMED).filter(|tenant| !tenant.writes.is_empty()).copied());
    failures(out, &failed);
    oddities(out, &odd, options);
    names(out, if whole > 0 { "More to change" } else { "To be changed" }, &alike, options);
    names(out, "Nothing to change", &idle, options);
    totals(out, plan, options);
}

fn failures(out: &mut String, tenants: &[&TenantPlan]) {
    for tenant in tenants.iter().take(NAMED) {
        let why = tenant.failure.as_ref().map(|failure| term::safe(&failure.message)).unwrap_or_default();
        let what = paint(term::BAD, "cannot be planned:");
        line(out, format_args!("{}  {what} {why}", paint(term::STRONG, &tenant.tenant)));
    }
    more(out, tenants.len(), "that cannot be planned");
}

fn oddities(out: &mut String, tenants: &[&TenantPlan], options: DiffOptions<'_>) {
    for tenant in tenants.iter().take(NAMED) {
        line(out, format_args!("{}  {}", paint(term::STRONG, place(tenant)), counts(tenant, options)));
    }
    more(out, tenants.len(), "with rows that are left out");
}

fn more(out: &mut String, tenants: usize, what: &str) {
    if tenants > NAMED {
        let tenants = term::count(tenants - NAMED, "more tenant");
        line(out, format_args!("… and {tenants} {what}; --full shows all"));
    }
}

/// A tenant by its name, and by its domain where that is another word.
fn place(tenant: &TenantPlan) -> String {
    let (name, domain) = (term::safe(tenant.tenant.as_str()), tenant.domain.to_string());
    if name == domain { name } else { format!("{name} ({domain})") }
}

/// Names, as many on a line as fit.
fn names(out: &mut String, what: &str, tenants: &[&TenantPlan], options: DiffOptions<'_>) {
    if tenants.is_empty() {
        return;
    }
    let clients: usize = tenants.iter().map(|tenant| tenant.writes.len()).sum();
    let clients =
        if clients > 0 { format!("{} in ", term::count(clients, options.noun)) } else { String::new() };
    let heading = format!("{what}: {clients}{}", term::count(tenants.len(), "tenant"));
    line(out, format_args!("{}", paint(term::STRONG, heading)));
    let mut row = String::new();
    for (at, tenant) in tenants.iter().enumerate() {
        let comma = if at + 1 < tenants.len() { "," } else { "" };
        let name = format!("{}{comma}", place(tenant));
        if !row.is_empty() && row.chars().count() + name.chars().count() + 3 > options.width {
            line(out, format_args!("  {row}"));
            row.clear();
        }
        let gap = if row.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(row, "{gap}{name}");
    }
    line(out, format_args!("  {row}"));
}

fn totals(out: &mut String, plan: &Plan, options: DiffOptions<'_>) {
    let totals = plan.totals();
    let writing = plan.tenants.iter().filter(|tenant| !tenant.writes.is_empty());
    let mut parts = vec![format!(
        "{} to change in {} of {}",
        term::count(totals.writes, options.noun),
        writing.clone().count(),
        term::count(plan.tenants.len(), "tenant")
    )];
    let counts = [
        (totals.unchanged, "unchanged"),
        (totals.skipped, "skipped"),
        (totals.conflicts, "in conflict"),
        (totals.failed, "failed"),
    ];
    let some = counts.iter().filter(|(count, _)| *count > 0);
    parts.extend(some.map(|(count, words)| format!("{count} {words}")));
    if totals.tenants_failed > 0 {
        parts.push(format!("{} that cannot be planned", term::count(totals.tenants_failed, "tenant")));
    }
    line(out, format_args!("{} {}", paint(term::STRONG, "Plan:"), parts.join(", ")));
    if let Some(forecast) = forecast::of_run(plan) {
        line(out, format_args!("{} {forecast}", paint(term::STRONG, "Forecast of the run:")));
    }
    line(out, format_args!("{}", paint(term::FAINT, "--full shows every tenant and client")));
}

/// The lines of a summary that are about tenants.
pub(super) fn tenants(tenants: &[TenantSummary]) -> Vec<String> {
    if tenants.len() <= MANY {
        return tenants.iter().map(TenantSummary::render).collect();
    }
    let requests: u64 = tenants.iter().map(|tenant| tenant.pace.requests).sum();
    let differs = |tenant: &&TenantSummary| tenant.error.is_some() || tenant.pace.throttled > 0;
    let differing: Vec<&TenantSummary> = tenants.iter().filter(differs).collect();
    let all = format!(
        "{}: {}, {}",
        term::count(tenants.len(), "tenant"),
        term::count(usize::try_from(requests).unwrap_or(usize::MAX), "request"),
        match tenants.iter().map(|tenant| tenant.pace.throttled).sum::<u64>() {
            0 => "no 429".to_owned(),
            throttled => format!("{throttled} × 429"),
        }
    );
    let mut lines = vec![paint(term::FAINT, all)];
    lines.extend(differing.iter().take(NAMED).map(|tenant| tenant.render()));
    if differing.len() > NAMED {
        lines.push(format!("… and {} like these", term::count(differing.len() - NAMED, "tenant")));
    }
    lines.extend(slowest(tenants));
    lines
}

/// `slowest: a after 31 s, b after 24 s`.
fn slowest(tenants: &[TenantSummary]) -> Option<String> {
    let mut wrote: Vec<&TenantSummary> = tenants.iter().filter(|tenant| tenant.seconds > 0.0).collect();
    wrote.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    let one = |tenant: &&TenantSummary| {
        let after = term::duration(std::time::Duration::from_secs_f64(tenant.seconds));
        format!("{} after {after}", tenant.tenant)
    };
    let named: Vec<String> = wrote.iter().take(SLOWEST).map(one).collect();
    (!named.is_empty()).then(|| paint(term::FAINT, format_args!("slowest: {}", named.join(", "))))
}
