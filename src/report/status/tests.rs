use super::*;
use crate::model::ledger::LEDGER_VERSION;

const DAY: i64 = 24 * 60 * 60;
/// 2026-11-20, noon.
const FIRST: i64 = 1_795_132_800 + 12 * 3600;

fn domain(tenant: &str) -> Domain {
    Domain::parse(&format!("acme-{tenant}.eu.auth0.com")).unwrap()
}

fn entry(change_set: (&str, &str), tenant: &str, day: i64, result: LedgerResult) -> LedgerEntry {
    let (name, digest) = change_set;
    LedgerEntry {
        version: LEDGER_VERSION,
        change_set: ChangeSetId { name: name.into(), digest: digest.repeat(8), edited: false },
        tenant: tenant.into(),
        domain: domain(tenant),
        run: RunId::new(format!("run-{day}")),
        undoes: None,
        at: Timestamp::from_second(FIRST + day * DAY).unwrap(),
        result,
        rows: BTreeMap::new(),
    }
}

fn with_rows(entry: LedgerEntry, rows: &[(&str, usize)]) -> LedgerEntry {
    LedgerEntry { rows: rows.iter().map(|(word, count)| ((*word).to_owned(), *count)).collect(), ..entry }
}

fn matrix(configured: &[&str], entries: &[LedgerEntry]) -> Matrix {
    let configured = configured.iter().map(|name| (TenantName::new(name), domain(name)));
    let columns = columns(configured, entries, SameBy::Domain);
    Matrix::of(entries, columns, None, SameBy::Domain)
}

fn shown(matrix: &Matrix, width: usize) -> String {
    anstream::adapter::strip_str(&render(matrix, width)).to_string()
}

const RENAME: (&str, &str) = ("eu-rename", "3f9a1c2d");
const LOGOUT: (&str, &str) = ("logout-urls", "77aa00ff");

fn history() -> Vec<LedgerEntry> {
    use LedgerResult::*;
    let edited = ("eu-rename", "b01dface");
    let mut last = entry(edited, "dev", 5, Applied);
    last.change_set.edited = true;
    let undone = LedgerEntry {
        undoes: Some(RunId::new("run-2")),
        ..with_rows(entry(LOGOUT, "dev", 3, Partly), &[("undone", 4), ("conflict", 1)])
    };
    vec![
        entry(RENAME, "dev", 0, Applied),
        entry(RENAME, "dev", 1, Unchanged),
        with_rows(entry(RENAME, "staging", 1, Conflict), &[("conflict", 3)]),
        entry(RENAME, "old", 1, Applied),
        entry(LOGOUT, "dev", 2, Applied),
        undone,
        with_rows(entry(LOGOUT, "staging", 3, Failed), &[("failed", 5)]),
        entry(LOGOUT, "old", 3, Begun),
        last,
    ]
}

#[test]
fn few_tenants_are_columns_and_change_sets_rows() {
    let matrix = matrix(&["dev", "staging", "prod"], &history());
    insta::assert_snapshot!(shown(&matrix, 150));
}

#[test]
fn where_the_columns_do_not_fit_each_change_set_has_a_line_a_result() {
    let matrix = matrix(&["dev", "staging", "prod"], &history());
    insta::assert_snapshot!(shown(&matrix, 80));
}

#[test]
fn of_two_hundred_tenants_those_are_named_that_need_a_look() {
    let names: Vec<String> = (0..200).map(|at| format!("t{at}")).collect();
    let configured: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut entries = Vec::new();
    for (at, name) in configured.iter().enumerate().take(183) {
        let entry = entry(RENAME, name, (at / 100).try_into().unwrap(), LedgerResult::Applied);
        entries.push(match at {
            4 | 9 => with_rows(
                LedgerEntry { result: LedgerResult::Partly, ..entry },
                &[("updated", 8), ("conflict", 2)],
            ),
            17 => LedgerEntry { result: LedgerResult::Failed, ..entry },
            20..=40 => LedgerEntry { result: LedgerResult::Stopped, ..entry },
            _ => entry,
        });
    }
    insta::assert_snapshot!(shown(&matrix(&configured, &entries), 120));
}

#[test]
fn a_run_counts_once_with_what_it_came_to_last() {
    let entries = [
        entry(RENAME, "dev", 1, LedgerResult::Begun),
        entry(RENAME, "dev", 1, LedgerResult::Stopped),
        entry(RENAME, "dev", 2, LedgerResult::Undone),
        // Resumed after all, and entered later: its time is what counts.
        entry(RENAME, "dev", 1, LedgerResult::Applied),
    ];
    let matrix = matrix(&[], &entries);
    let cell = &matrix.change_sets[0].tenants[0];
    let results: Vec<LedgerResult> = cell.runs.iter().map(|run| run.result).collect();
    assert_eq!(results, [LedgerResult::Applied, LedgerResult::Undone]);
    assert_eq!((cell.result, cell.in_place), (Some(LedgerResult::Undone), false));
}

#[test]
fn a_tenant_is_the_same_under_another_name_and_no_longer_configured_under_its_newest() {
    let renamed = LedgerEntry { tenant: "prod-eu".into(), ..entry(RENAME, "prod", 2, LedgerResult::Applied) };
    let entries = [entry(RENAME, "prod", 1, LedgerResult::Stopped), renamed];
    let names = |matrix: &Matrix| matrix.tenants.iter().map(|of| of.tenant.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&matrix(&[], &entries)), ["prod-eu"]);
    let configured = matrix(&["prod"], &entries);
    assert_eq!(names(&configured), ["prod"]);
    assert_eq!(configured.change_sets[0].tenants[0].result, Some(LedgerResult::Applied));
}

#[test]
fn a_change_set_that_is_asked_for_has_a_row_though_it_never_went_anywhere() {
    let wanted = ChangeSetId { name: "new".into(), digest: "00".repeat(32), edited: true };
    let entries = history();
    let columns = columns([], &entries, SameBy::Domain);
    let matrix = Matrix::of(&entries, columns, Some(vec![wanted]), SameBy::Domain);
    assert_eq!(matrix.change_sets.len(), 1);
    assert!(matrix.change_sets[0].edited && !matrix.change_sets[0].earlier_version);
    assert!(matrix.change_sets[0].tenants.iter().all(|cell| cell.result.is_none()));
}
