//! The laws of the fuzz targets, held against what fuzzing begins with. So they are kept by every run of the tests, and the
//! targets go on compiling.

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a crate of its own beside this one")]
mod laws;

use std::path::Path;

type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 7] = [
    ("api_answers", laws::api_answers),
    ("csv_job", laws::csv_job),
    ("expression", laws::expression),
    ("journal", laws::journal),
    ("json_job", laws::json_job),
    ("plan_file", laws::plan_file),
    ("toml_job", laws::toml_job),
];

/// The files of a folder, each with its name.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    paths.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn what_fuzzing_begins_with_keeps_the_laws() {
    for (name, target) in TARGETS {
        let seeds = files(&format!("fuzz/seeds/{name}"));
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|(_, seed)| target(seed));
    }
}

#[test]
fn jobs_right_and_wrong_keep_the_laws_of_their_form() {
    let jobs: Vec<_> = ["jobs", "tests/cases"].into_iter().flat_map(files).collect();
    for (end, target) in [
        (".toml", laws::toml_job as Target),
        (".csv", laws::csv_job),
        (".json", laws::json_job),
        (".jsonl", laws::json_job),
    ] {
        let of = jobs.iter().filter(|(name, _)| name.ends_with(end));
        assert!(of.map(|(_, job)| target(job)).count() > 0, "no {end}");
    }
}

#[test]
fn there_is_a_target_for_each_law_and_no_other() {
    let mut found: Vec<String> = files("fuzz/fuzz_targets").into_iter().map(|(name, _)| name).collect();
    found.sort();
    let names = found.iter().map(|path| Path::new(path).file_stem().unwrap().to_string_lossy().into_owned());
    assert_eq!(names.collect::<Vec<_>>(), TARGETS.map(|(name, _)| name));
}
