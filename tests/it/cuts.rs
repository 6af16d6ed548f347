//! A journal that a power cut has shortened is gone on with; one that is damaged where no crash reaches is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::{Case, Served};

const ROWS: usize = 6;
/// So much of a journal's end is cut, byte by byte.
const CUT: usize = 200;
/// Runs that are cut and resumed beside each other.
const BESIDE: usize = 4;

/// A run of a few rows that is over, with what it left behind.
struct Past {
    served: Served,
    case: Case,
    ids: Vec<String>,
    /// The names that the clients had.
    names: Vec<Value>,
    folder: PathBuf,
    journal: Vec<u8>,
}

impl Past {
    fn new() -> Self {
        let served = Served::quick();
        let ids = served.ids(ROWS);
        let names = ids.iter().map(|id| served.client(id)["name"].clone()).collect();
        let rows = ids.iter().enumerate().map(|(at, id)| format!("{id},NEW-{at}\n"));
        let case = served.case().file("job.csv", format!("client_id,name\n{}", rows.collect::<String>()));
        case.run(["apply", "job.csv", "--yes", "--concurrency", "2"]).exits(0);
        let folder = case.runs().pop().unwrap();
        let journal = std::fs::read(folder.join("journal.jsonl")).unwrap();
        Self { served, case, ids, names, folder, journal }
    }

    /// Its first lines, with their line breaks.
    fn lines(&self, count: usize) -> Vec<u8> {
        self.journal.split_inclusive(|byte| *byte == b'\n').take(count).flatten().copied().collect()
    }

    /// Puts its directory back to where only this much of its journal was on the disk, and no report.
    fn cut_back_to(&self, journal: &[u8]) {
        for report in ["results.csv", "summary.json"] {
            let _ = std::fs::remove_file(self.folder.join(report));
        }
        std::fs::write(self.folder.join("journal.jsonl"), journal).unwrap();
    }

    /// Resumes it, and finds every row told and every client as planned, none of them sent what it held already.
    fn is_finished_by_resume(&self, journal: &[u8]) {
        self.cut_back_to(journal);
        let cut = journal.len();
        let done = self.case.run(["resume", "--yes", "-q"]);
        assert_eq!(done.code, Some(0), "cut at {cut}: {done}");
        assert!(self.case.results().iter().map(|row| &row["client_id"]).eq(&self.ids), "cut at {cut}");
        assert_eq!(self.case.result_words(), ["updated"; ROWS], "cut at {cut}");
        for (at, id) in self.ids.iter().enumerate() {
            assert_eq!(self.served.client(id)["name"], format!("NEW-{at}"), "cut at {cut}");
        }
        assert_eq!(self.served.counters().idle, 0, "cut at {cut}");
    }

    fn id(&self) -> &str {
        self.folder.file_name().unwrap().to_str().unwrap()
    }
}

/// Cuts a run's journal at each byte of its end, and resumes each time. Runs of the same kind share the cuts: most of the
/// time goes by waiting for the disk.
fn at_every_cut(journal: impl Fn(&Past) -> Vec<u8> + Sync, scene: impl Fn(&Past, &[u8]) + Sync) {
    let every = |first: usize| {
        let past = Past::new();
        let journal = journal(&past);
        for cut in (journal.len() - CUT..journal.len()).skip(first).step_by(BESIDE) {
            scene(&past, &journal);
            past.is_finished_by_resume(&journal[..cut]);
        }
    };
    std::thread::scope(|scope| {
        for first in 0..BESIDE {
            let every = &every;
            scope.spawn(move || every(first));
        }
    });
}

#[test]
fn a_finished_run_whose_journal_a_power_cut_shortened_is_reported_by_resume() {
    at_every_cut(
        |past| past.journal.clone(),
        |past, _| assert_eq!(past.served.counters().patch, ROWS as u64, "everything was done already"),
    );
}

#[test]
fn an_unfinished_run_whose_journal_a_power_cut_shortened_is_finished_by_resume() {
    at_every_cut(
        // It began, claimed its rows, and heard of the ends of three.
        |past| past.lines(5),
        |past, journal| {
            let text = String::from_utf8_lossy(journal);
            let told = |at: usize| text.contains(&past.ids[at]);
            assert_eq!((0..ROWS).filter(|at| told(*at)).count(), 3, "{text}");
            // A fourth had arrived; the others are as they were before.
            for at in (0..ROWS).filter(|at| !told(*at)).skip(1) {
                let name = past.names[at].clone();
                past.served.tenant().edit(&past.ids[at], |client| drop(client.insert("name".into(), name)));
            }
        },
    );
}

#[test]
fn a_journal_damaged_where_no_crash_reaches_is_refused_naming_the_line_and_nothing_is_written() {
    let past = Past::new();
    let text = String::from_utf8(past.journal.clone()).unwrap();
    // Without its last line: something would be left to do.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.pop();
    for at in 0..lines.len() {
        let changed = lines[at].replacen(['4', '7', 'e'], "5", 1);
        for damaged in [changed.as_str(), "\0\0\0\0"] {
            let wrong: Vec<&str> =
                lines.iter().enumerate().map(|(n, line)| if n == at { damaged } else { line }).collect();
            past.cut_back_to((wrong.join("\n") + "\n").as_bytes());
            let left = files(&past.folder);
            for resume in [vec!["resume", "--yes"], vec!["resume", past.id(), "--yes"]] {
                let done = past.case.run(&resume);
                assert_eq!(done.code, Some(4), "{damaged}: {done}");
                assert!(done.stderr.contains(&format!("line {} is damaged", at + 1)), "{damaged}: {done}");
            }
            assert_eq!(files(&past.folder), left, "line {}", at + 1);
        }
    }
    assert_eq!(past.served.counters().patch, ROWS as u64);
}

#[test]
fn a_run_that_cannot_be_read_is_not_passed_over_for_the_one_before_it() {
    let past = Past::new();
    let job = format!("client_id,name\n{},NEWER\n", past.ids[0]);
    std::fs::write(past.case.path("job.csv"), job).unwrap();
    past.case.run(["apply", "job.csv", "--yes"]).exits(0);
    let newest = past.case.runs().pop().unwrap();
    assert_ne!(newest, past.folder);
    std::fs::write(newest.join("journal.jsonl"), "\0\0\0\n").unwrap();
    let tenant = past.served.tenant().domain().to_string();
    for args in [
        vec!["resume", "--yes"],
        vec!["resume", "latest", "--yes"],
        vec!["resume", "--failed", "--yes"],
        vec!["undo", "latest", "--yes", "--tenant", &tenant],
        vec!["runs", "show", "latest"],
    ] {
        let done = past.case.run(&args);
        assert_eq!(done.code, Some(4), "{done}");
        assert!(done.stderr.contains("line 1 is damaged"), "{done}");
    }
    // The older one is there for whoever names it.
    past.case.run(["resume", past.id(), "--yes"]).exits(0);
    past.case.run(["runs", "show", past.id()]).exits(0);
}

/// What stands in a folder.
fn files(folder: &std::path::Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}
