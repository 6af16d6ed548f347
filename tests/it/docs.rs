//! The documents say what the program does: their tables are complete, and their examples are good.

mod examples;
mod kinds;
mod samples;

use std::path::Path;

use patchwave::report::csv::COLUMNS;

use crate::common::Case;
use examples::Example;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The blocks of a document that are fenced as `language`.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let text = read(document);
    let fence = format!("```{language}\n");
    let found: Vec<String> =
        text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    assert!(!found.is_empty(), "{document} has no {language}");
    found
}

/// The first cells of a document's tables: the words that stand between backticks or alone.
fn listed(document: &str) -> Vec<String> {
    let text = read(document);
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    rows.map(|cell| cell.trim_matches('`').to_owned()).collect()
}

/// The words of `snake_name!` for one of the lists in `model/outcome.rs`.
fn words_of(list: &str) -> Vec<String> {
    let source = read("src/model/outcome.rs");
    let start = format!("snake_name!({list} {{");
    let (_, body) = source.split_once(&start).unwrap_or_else(|| panic!("no {start}"));
    let body = body.split("});").next().unwrap();
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_result_reason_and_column_is_documented() {
    let listed = listed("docs/results.md");
    let (results, reasons) = (words_of("RowResult"), words_of("Reason"));
    assert!(results.len() >= 8 && reasons.len() >= 16, "the lists were not found: {results:?} {reasons:?}");
    for word in results.iter().chain(&reasons).map(String::as_str).chain(COLUMNS) {
        assert!(listed.iter().any(|known| known == word), "docs/results.md does not explain `{word}`");
    }
}

#[test]
fn every_exit_code_is_documented_and_no_other() {
    let source = read("src/cli/exit.rs");
    let codes = source
        .lines()
        .filter_map(|line| line.strip_prefix("pub(super) const ")?.split("= ").nth(1)?.strip_suffix(';'));
    let mut codes: Vec<u8> = codes.map(|code| code.parse().unwrap()).collect();
    let mut documented: Vec<u8> =
        listed("docs/exit-codes.md").iter().filter_map(|cell| cell.parse().ok()).collect();
    codes.sort_unstable();
    documented.sort_unstable();
    assert_eq!(documented, codes);
}

/// The examples of the pages about job files and about kinds.
fn job_examples() -> Vec<Example> {
    let of = |(page, least): (&str, usize)| {
        let examples = examples::of(&read(page));
        assert!(examples.len() >= least, "the examples of {page} were not found");
        examples
    };
    [("docs/job-files.md", 15), ("docs/kinds.md", 9)].into_iter().flat_map(of).collect()
}

#[test]
fn every_example_of_a_job_passes_check() {
    for example in job_examples() {
        let done = example.check();
        assert_eq!(done.code, Some(0), "{example}\n{done}");
    }
}

#[test]
fn every_example_of_a_job_can_be_planned_for_the_sandbox() {
    for example in job_examples() {
        let done = example.plan();
        assert_eq!(done.code, Some(0), "{example}\n{done}");
        assert!(
            done.stdout.contains('→') || done.stdout.contains("  + ") || done.stdout.contains("  - "),
            "{done}"
        );
    }
}

#[test]
fn what_is_shown_of_an_example_is_what_its_plan_says() {
    let shown: Vec<Example> = job_examples().into_iter().filter(|example| example.shown.is_some()).collect();
    assert!(shown.len() >= 10, "what is shown was not found");
    for example in shown {
        let done = example.plan();
        let missing = example.missing(&done.stdout);
        assert!(missing.is_empty(), "{example}\nnot in its plan:\n{}\n{done}", missing.join("\n…\n"));
    }
}

#[test]
fn the_jobs_of_the_readme_pass_check() {
    let toml = blocks("README.md", "toml").into_iter().filter(|text| text.contains("[[update]]"));
    let jobs = toml.map(|text| ("job.toml", text));
    let jobs: Vec<_> =
        jobs.chain(blocks("README.md", "csv").into_iter().map(|text| ("job.csv", text))).collect();
    assert!(jobs.len() >= 2, "the jobs were not found");
    for (name, text) in jobs {
        let case = Case::new().file(name, &text).file("cost-centers.csv", read("jobs/cost-centers.csv"));
        let done = case.run(["check", name]);
        assert_eq!(done.code, Some(0), "{text}\n{done}");
    }
}

#[test]
fn the_example_configuration_is_good() {
    for example in blocks("docs/tenants.md", "toml") {
        let case = Case::new().file("patchwave.toml", example).file("job.csv", "client_id,name\na,b\n");
        let done = case.run(["plan", "job.csv"]);
        // Read and found good, or the list of tenants could not be shown.
        assert!(
            done.exits(64).stderr.contains("no tenant chosen; patchwave.toml has: dev, staging, prod"),
            "{done}"
        );
    }
}
