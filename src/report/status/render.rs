//! The matrix for people: a table where the tenants fit beside each other, else for each change set a line a result, with the
//! tenants that need a look.

use super::{Cell, ChangeSetRow, Matrix, RunCell};
use crate::model::LedgerResult;
use crate::report::term::{self, paint};

/// Of more tenants than this no table is made, whatever fits: what is wanted then is which of them lack a change set.
const COLUMNS: usize = 8;
/// So many tenants are named where they need a look, and so many where all is well.
const NAMED: usize = 10;
const NEVER: &str = "–";

/// Renders it, in so many columns of a terminal.
pub fn render(matrix: &Matrix, width: usize) -> String {
    let table = (matrix.tenants.len() <= COLUMNS).then(|| table(matrix)).flatten();
    match table.filter(|table| table.width <= width) {
        Some(table) => table.text,
        None => matrix.change_sets.iter().map(list).collect::<Vec<_>>().join("\n"),
    }
}

struct Table {
    text: String,
    width: usize,
}

/// `None` where there is no tenant.
fn table(matrix: &Matrix) -> Option<Table> {
    let heads = ["change set".to_owned()];
    let names = matrix.tenants.iter().map(|column| term::safe(column.tenant.as_str()));
    let heads: Vec<String> = heads.into_iter().chain(names).collect();
    let row = |row: &ChangeSetRow| {
        let cells = row.tenants.iter().map(|cell| (words(cell), style(cell.result)));
        std::iter::once((title(row), None)).chain(cells).collect()
    };
    let rows: Vec<Vec<(String, Option<anstyle::Style>)>> = matrix.change_sets.iter().map(row).collect();
    let widest = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|(text, _)| text.chars().count());
        cells.chain([heads.get(at).map_or(0, |head| head.chars().count())]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(widest).collect();
    let heading: Vec<(String, Option<anstyle::Style>)> =
        heads.iter().map(|head| (head.clone(), Some(term::STRONG))).collect();
    let lines = std::iter::once(&heading).chain(&rows).map(|row| line(row, &widths));
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    let gaps = 2 * widths.len().saturating_sub(1);
    (!matrix.tenants.is_empty()).then(|| Table { text, width: widths.iter().sum::<usize>() + gaps })
}

/// Padded before it is painted: a style takes no room. The last cell needs no padding.
fn line(cells: &[(String, Option<anstyle::Style>)], widths: &[usize]) -> String {
    let last = cells.len().saturating_sub(1);
    let cell = |(at, ((text, style), width)): (usize, (&(String, Option<anstyle::Style>), &usize))| {
        let gap = if at == last { 0 } else { width.saturating_sub(text.chars().count()) };
        let painted = style.map_or_else(|| text.clone(), |style| paint(style, text));
        format!("{painted}{}", " ".repeat(gap))
    };
    cells.iter().zip(widths).enumerate().map(cell).collect::<Vec<_>>().join("  ")
}

/// `eu-rename 3f9a1c2d, edited`.
fn title(row: &ChangeSetRow) -> String {
    let mut title = format!("{} {}", term::safe(&row.name), term::safe(short(&row.digest)));
    if row.edited {
        title.push_str(", edited");
    }
    if row.earlier_version {
        title.push_str(", earlier version");
    }
    title
}

/// The beginning of a digest, by which people tell two of them apart.
fn short(digest: &str) -> &str {
    digest.get(..8).unwrap_or(digest)
}

fn style(result: Option<LedgerResult>) -> Option<anstyle::Style> {
    Some(match result? {
        LedgerResult::Applied | LedgerResult::Unchanged => term::NEW,
        LedgerResult::Conflict | LedgerResult::Failed => term::BAD,
        LedgerResult::Undone | LedgerResult::Skipped => term::FAINT,
        LedgerResult::Partly | LedgerResult::Stopped | LedgerResult::Begun => term::WARN,
    })
}

fn words(cell: &Cell) -> String {
    shown(cell).map_or_else(|| NEVER.to_owned(), |run| format!("{} {}", result(run), date(run)))
}

/// The run that says how it stands.
fn shown(cell: &Cell) -> Option<&RunCell> {
    cell.runs.iter().rev().find(|run| Some(&run.run_id) == cell.run_id.as_ref())
}

fn date(run: &RunCell) -> String {
    run.at.strftime("%Y-%m-%d").to_string()
}

/// `applied`, `3 conflicts`, `partly, 1 failed`.
fn result(run: &RunCell) -> String {
    let words = match (run.result, bad(run)) {
        (LedgerResult::Conflict | LedgerResult::Failed, Some(bad)) => bad,
        (LedgerResult::Partly, Some(bad)) => format!("partly, {bad}"),
        (result, _) => result.to_string(),
    };
    if is_failed_undo(run) { format!("undo {words}") } else { words }
}

/// What an undo could not take back says nothing of the replay before it.
fn is_failed_undo(run: &RunCell) -> bool {
    run.undoes.is_some() && !matches!(run.result, LedgerResult::Undone | LedgerResult::Applied)
}

/// The rows that are not as asked: `3 conflicts, 1 failed`.
fn bad(run: &RunCell) -> Option<String> {
    let count = |result: &str| run.rows.get(result).copied().unwrap_or(0);
    let (conflicts, failed, skipped) = (count("conflict"), count("failed"), count("skipped"));
    let words = [
        (conflicts > 0).then(|| term::count(conflicts, "conflict")),
        (failed > 0).then(|| format!("{failed} failed")),
        (skipped > 0).then(|| format!("{skipped} skipped")),
    ];
    let words: Vec<String> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A change set in many tenants.
fn list(row: &ChangeSetRow) -> String {
    let mut lines = vec![paint(term::STRONG, title(row))];
    for result in LedgerResult::ALL {
        let cells: Vec<&Cell> = row.tenants.iter().filter(|cell| cell.result == Some(result)).collect();
        if !cells.is_empty() {
            lines.push(group(result.as_str(), style(Some(result)), &cells));
        }
    }
    let never: Vec<&Cell> = row.tenants.iter().filter(|cell| cell.result.is_none()).collect();
    if !never.is_empty() {
        lines.push(group("never", None, &never));
    }
    lines.join("\n") + "\n"
}

/// `  conflict     2 tenants   2026-11-27 to 2026-11-28   t4 (3 conflicts), t9`.
fn group(word: &str, style: Option<anstyle::Style>, cells: &[&Cell]) -> String {
    let padded = format!("{word:9}");
    let painted = style.map_or_else(|| padded.clone(), |style| paint(style, &padded));
    let count = format!("{:>5} {:8}", cells.len(), if cells.len() == 1 { "tenant" } else { "tenants" });
    format!("  {painted}{count}{}{}", dates(cells), names(cells)).trim_end().to_owned()
}

fn dates(cells: &[&Cell]) -> String {
    let dates = || cells.iter().filter_map(|cell| cell.runs.last()).map(date);
    match (dates().min(), dates().max()) {
        (Some(first), Some(last)) if first == last => format!("  {first}"),
        (Some(first), Some(last)) => format!("  {first} to {last}"),
        _ => String::new(),
    }
}

/// The tenants; of many in which all is well their number is enough.
fn names(cells: &[&Cell]) -> String {
    let well = cells.iter().all(|cell| cell.in_place);
    if well && cells.len() > NAMED {
        return String::new();
    }
    let name = |cell: &&Cell| {
        let undo = cell.runs.last().filter(|run| is_failed_undo(run)).map(|_| "of an undo".to_owned());
        let why = undo.into_iter().chain(cell.runs.last().and_then(bad)).collect::<Vec<_>>().join(", ");
        let name = term::safe(cell.tenant.as_str());
        if why.is_empty() { name } else { format!("{name} ({why})") }
    };
    let (some, more) = cells.split_at(cells.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    format!("  {}{more}", some.iter().map(name).collect::<Vec<_>>().join(", "))
}
