//! A plan for people: per tenant and client, the fields that change, old → new, and what it will take.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use super::term::{self, paint};
use super::{fleet, forecast};
use crate::model::value::same;
use crate::model::{FieldChange, ItemEdit, Reason, RowResult, SecretPlace};
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
    if plan.tenants.len() > fleet::MANY && !options.full {
        fleet::plan(&mut out, plan, options);
        return out;
    }
    for tenant in &plan.tenants {
        section(&mut out, tenant, (options, plan.header.made));
    }
    if let Some(forecast) = forecast::of_run(plan) {
        line(&mut out, format_args!("{} {forecast}", paint(term::STRONG, "Forecast of the run:")));
    }
    out
}

/// All that is to be said of one tenant.
pub(super) fn section(out: &mut String, tenant: &TenantPlan, (options, now): (DiffOptions<'_>, Timestamp)) {
    heading(out, tenant, options);
    if tenant.failure.is_none() {
        writes(out, tenant, options);
        oddities(out, tenant);
        totals(out, tenant, (options, now));
    }
    out.push('\n');
}

pub(super) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
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
        tenant.total().map(|total| format!(", {}", term::count(total, options.noun))).unwrap_or_default();
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

/// The fields of clients that change, old → new.
pub(super) struct Changes<'d> {
    options: DiffOptions<'d>,
    /// Whether a value was too long to be shown whole.
    cut: bool,
}

impl<'d> Changes<'d> {
    pub(super) fn new(options: DiffOptions<'d>) -> Self {
        Self { options, cut: false }
    }

    fn value(&mut self, value: Option<&Value>, room: usize) -> String {
        let room = if self.options.full { usize::MAX } else { room };
        let shown = term::value(value, room);
        self.cut |= shown.contains('…') && shown.chars().count() == room;
        shown
    }

    /// One client.
    pub(super) fn client(
        &mut self,
        out: &mut String,
        (sign, name, place): (&str, Option<&str>, &str),
        changes: &[FieldChange],
    ) {
        let width = self.options.width;
        let name = term::shorten(&term::safe(name.unwrap_or("(no name)")), width / 2);
        let place = paint(term::FAINT, place);
        line(out, format_args!("  {} {}  {place}", paint(term::WARN, sign), paint(term::STRONG, name)));
        let widest = changes.iter().map(|change| change.path.to_string().chars().count()).max().unwrap_or(0);
        for change in changes {
            let path = term::safe(&change.path.to_string());
            if let Some((gone, new)) = items(change) {
                let room = width.saturating_sub(widest + 10).max(40);
                let gone = gone.into_iter().map(|item| (term::OLD, '-', item));
                for (style, sign, item) in gone.chain(new.into_iter().map(|item| (term::NEW, '+', item))) {
                    let shown = format!("{sign} {}", self.value(Some(item), room));
                    line(out, format_args!("      {path:widest$}  {}", paint(style, shown)));
                }
                continue;
            }
            // Two values share what the field's name leaves of the line.
            let room = width.saturating_sub(widest + 12).max(40) / 2;
            let (before, after) = match SecretPlace::of(change.after.as_ref().unwrap_or(&Value::Null)) {
                Some(place) => (secret_before(change).to_owned(), term::safe(&place.to_string())),
                None => (self.value(change.before.as_ref(), room), self.value(change.after.as_ref(), room)),
            };
            let (before, after) = (paint(term::OLD, before), paint(term::NEW, after));
            line(out, format_args!("      {path:widest$}  {before} → {after}"));
        }
    }

    /// Below all of them: how many there are beside, and what stands for what was left out.
    pub(super) fn close(&self, out: &mut String, more: usize) {
        if more > 0 {
            line(
                out,
                format_args!("  … and {} more; --full shows all", term::count(more, self.options.noun)),
            );
        } else if self.cut {
            let words = "… stands for the middle of a long value; --full shows all";
            line(out, format_args!("  {}", paint(term::FAINT, words)));
        }
    }
}

fn writes(out: &mut String, tenant: &TenantPlan, options: DiffOptions<'_>) {
    let mut changes = Changes::new(options);
    let most = if options.full { usize::MAX } else { SHOWN };
    for write in tenant.writes.iter().take(most) {
        let (sign, id) = if write.create { ("+", String::new()) } else { ("~", format!("{}  ", write.id)) };
        let place = format!("{id}{}", write.label.in_words());
        changes.client(out, (sign, write.name.as_deref(), &place), &write.changes);
        for left in &write.left {
            let why = term::safe(&left.message);
            line(out, format_args!("      {} {}: {why}", paint(term::BAD, "stays"), left.reason));
        }
    }
    changes.close(out, tenant.writes.len().saturating_sub(most));
}

/// What stands for a secret before it is changed. One that the tenant does not show cannot be compared, and is written each
/// time.
fn secret_before(change: &FieldChange) -> &'static str {
    match &change.before {
        Some(_) => "(another secret)",
        None if change.path.depth() == 1 => "(not shown, cannot be compared)",
        None => "absent",
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
    // Where the order is told by the list, what came must stand behind what stayed: the first entry may have a meaning.
    let edit = ItemEdit {
        add: new.iter().copied().cloned().collect(),
        remove: gone.iter().copied().cloned().collect(),
        keys: Vec::new(),
    };
    let keeps_order = same(edit.after(change.before.as_ref()).as_ref(), change.after.as_ref(), change.order);
    let in_part = keeps_order && gone.len() < before.len() && !(gone.is_empty() && new.is_empty());
    (change.items.is_some() || in_part).then_some((gone, new))
}

/// Rows that will not be done, each with its reason: nobody should learn of them only afterwards. What `--limit` leaves
/// out is only counted, since that is what was asked for.
fn oddities(out: &mut String, tenant: &TenantPlan) {
    let odd: Vec<(&Row, &Done)> = odd_rows(tenant).collect();
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

/// Rows that nobody has asked to be left out.
pub(super) fn odd_rows(tenant: &TenantPlan) -> impl Iterator<Item = (&Row, &Done)> {
    tenant.rows.iter().filter_map(|row| match &row.state {
        RowState::Done(done) if done.result != RowResult::Unchanged && !deliberate(done) => {
            Some((row, &**done))
        }
        _ => None,
    })
}

/// Whether the command line itself leaves the row out.
fn deliberate(done: &Done) -> bool {
    matches!(done.reason, Some(Reason::Limit | Reason::Where))
}

fn totals(out: &mut String, tenant: &TenantPlan, (options, now): (DiffOptions<'_>, Timestamp)) {
    line(out, format_args!("  {} {}", paint(term::STRONG, "Plan:"), counts(tenant, options)));
    if let Some(known) = tenant.forecast.as_ref().filter(|_| !tenant.writes.is_empty()) {
        line(out, format_args!("  {} {}", paint(term::STRONG, "Forecast:"), forecast::words(known, now)));
    }
}

/// `3 clients to change, 2 unchanged`.
pub(super) fn counts(tenant: &TenantPlan, options: DiffOptions<'_>) -> String {
    let (all, new) = (tenant.writes.len(), tenant.writes.creates());
    let of = |count| term::count(count, options.noun);
    let mut parts = match (all - new, new) {
        (_, 0) => vec![format!("{} to change", of(all))],
        (0, _) => vec![format!("{} to create", of(new))],
        (changed, _) => vec![format!("{} to change", of(changed)), format!("{new} to create")],
    };
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
    parts.join(", ")
}
