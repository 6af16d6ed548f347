//! The sample jobs: each runs as it stands, and is in the table of their page.

use toml::Table;

use super::read;
use crate::common::{Case, Served};
use crate::examples::file;

/// The files below `jobs/`, by their paths from there, without its page.
fn job_folder() -> Vec<String> {
    let mut paths = file::all("jobs");
    paths.retain(|path| path != "jobs/README.md");
    paths.iter().map(|path| path.strip_prefix("jobs/").unwrap().to_owned()).collect()
}

/// A sample job and, where it is for certain tenants only, which.
struct Sample {
    name: String,
    tenants: Vec<String>,
}

/// All but the files that are no jobs by themselves, since `rows` of another names them.
fn sample_jobs() -> Vec<Sample> {
    let files = job_folder();
    let tables: Vec<(&String, Table)> = files
        .iter()
        .filter(|name| name.ends_with(".toml"))
        .map(|name| (name, toml::from_str(&read(&format!("jobs/{name}"))).unwrap()))
        .collect();
    let texts = |value: Option<&toml::Value>| -> Vec<String> {
        let list = value.and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
    };
    let parts = |table: &Table| {
        let of = |key: &str| table.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        [of("update"), of("create")].concat()
    };
    // A path in a job starts from the job's own folder.
    let rows_of = |(name, table): &(&String, Table)| -> Vec<String> {
        let folder = name.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        let named = parts(table);
        named.iter().filter_map(|part| Some(format!("{folder}{}", part.get("rows")?.as_str()?))).collect()
    };
    let rows: Vec<String> = tables.iter().flat_map(rows_of).collect();
    let table = |name: &str| tables.iter().find(|(of, _)| *of == name).map(|(_, table)| table);
    let jobs = files.iter().filter(|name| !rows.contains(name));
    let sample = |name: &String| Sample {
        name: name.clone(),
        tenants: texts(table(name).and_then(|table| table.get("tenants"))),
    };
    let samples: Vec<Sample> = jobs.map(sample).collect();
    assert!(samples.len() >= 20 && !rows.is_empty(), "the sample jobs were not found");
    samples
}

/// The folder `jobs` as it is in the repository.
fn with_jobs(case: Case) -> Case {
    job_folder().iter().fold(case, |case, name| {
        let path = format!("jobs/{name}");
        let text = read(&path);
        case.file(&path, text)
    })
}

#[test]
fn every_sample_job_changes_something_the_first_time_and_nothing_the_second_time() {
    for sample in sample_jobs().iter().filter(|sample| sample.tenants.is_empty()) {
        let served = Served::quick();
        let case = with_jobs(served.case());
        let apply = || case.run(["apply", &format!("jobs/{}", sample.name), "--yes"]);
        let first = apply();
        let sent = || {
            let counters = served.counters();
            counters.patch + counters.create + counters.delete
        };
        let written = sent();
        assert!(first.code == Some(0) && written > 0, "{} wrote {written}\n{first}", sample.name);
        let second = apply();
        assert_eq!(second.code, Some(0), "{second}");
        assert_eq!(sent(), written, "{second}");
    }
}

#[test]
fn every_sample_job_for_certain_tenants_runs_on_simulated_ones_of_these_names() {
    let samples = sample_jobs();
    let mut several = samples.iter().filter(|sample| !sample.tenants.is_empty()).peekable();
    assert!(several.peek().is_some(), "none of the sample jobs is for certain tenants");
    for sample in several {
        let job = format!("jobs/{}", sample.name);
        let tenants = sample.tenants.iter().flat_map(|tenant| ["--tenant", tenant]);
        let done = with_jobs(Case::new()).run(["apply", &job, "--sandbox"].into_iter().chain(tenants));
        assert!(done.exits(0).stdout.contains(" updated"), "{done}");
    }
}

#[test]
fn every_sample_job_is_in_the_table_of_sample_jobs() {
    let table = read("jobs/README.md");
    for name in job_folder() {
        assert!(table.contains(&format!("({name})")), "jobs/README.md does not name {name}");
    }
}

#[test]
fn every_sample_job_of_a_kind_can_be_planned_and_applied_on_the_sandbox_that_a_flag_brings() {
    for sample in sample_jobs().iter().filter(|sample| sample.name.starts_with("kinds/")) {
        let (case, job) = (with_jobs(Case::new()), format!("jobs/{}", sample.name));
        let planned = case.run(["plan", &job, "--sandbox", "--detailed-exitcode"]);
        assert_eq!(planned.code, Some(2), "{planned}");
        case.run(["apply", &job, "--sandbox"]).exits(0);
    }
}

#[test]
fn there_is_a_sample_job_for_every_kind_and_one_that_creates() {
    let folder = job_folder();
    let others = patchwave::catalogue::kinds().map(|kind| kind.name.to_string());
    for name in others.filter(|name| name != "clients").chain(["create".to_owned()]) {
        assert!(folder.contains(&format!("kinds/{name}.toml")), "no sample job for {name}");
    }
}
