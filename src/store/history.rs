//! The runs that are kept: which there are, which one a word means, and which may go. Central type: [`RunGlance`].

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::runs::{DRAFT, RunDir};
use super::{JournalError, StateDir, StoreError, journal};
use crate::model::event::{Tally, TenantStart};
use crate::model::{Domain, Entry, RunId, RunRecord, StopReason, TenantName};

/// What the first and the last line of a run's journal tell of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunGlance {
    /// Its id.
    pub id: RunId,
    /// Name of its job.
    pub job: String,
    /// The run that it takes back, where it is an undo.
    pub undoes: Option<RunId>,
    /// When it began.
    pub began: Timestamp,
    /// Its tenants.
    pub tenants: Vec<TenantStart>,
    /// How far it is.
    pub standing: Standing,
    path: PathBuf,
}

/// How far a run is, as the last line of its journal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A session of it ended in good order.
    Closed {
        /// Why early, if it was.
        stop: Option<StopReason>,
        /// In numbers.
        tally: Tally,
        /// The run that took its place.
        superseded: Option<RunId>,
    },
    /// It has no last line: its process is still at it, or was killed.
    Open {
        /// Whether it is still at it.
        running: bool,
        /// In numbers; none where its journal is damaged.
        tally: Option<Tally>,
    },
}

impl RunGlance {
    /// Its directory.
    pub fn folder(&self) -> RunDir {
        RunDir::at(self.path.clone())
    }

    /// Its tenants, each with its domain.
    pub fn places(&self) -> Vec<(TenantName, Domain)> {
        self.tenants.iter().map(|of| (of.tenant.clone(), of.domain.clone())).collect()
    }

    /// Whether `resume` has something to do here.
    pub fn is_unfinished(&self) -> bool {
        match self.standing {
            Standing::Open { .. } => true,
            Standing::Closed { tally, .. } => tally.left > 0,
        }
    }

    /// Whether it certainly wrote nothing.
    pub fn wrote_nothing(&self) -> bool {
        matches!(self.standing, Standing::Closed { tally: Tally { written: 0, unknown: 0, .. }, .. })
    }

    /// Whether it is about this tenant.
    pub fn is_of(&self, tenant: &TenantName) -> bool {
        self.tenants.iter().any(|of| of.tenant == *tenant)
    }
}

/// A directory below `runs/` of which nothing can be told.
#[derive(Debug)]
pub struct Unreadable {
    /// Its name.
    pub id: RunId,
    /// Its path.
    pub path: PathBuf,
    /// Why.
    pub error: JournalError,
}

/// The runs that are kept.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    pub runs: Vec<RunGlance>,
    /// Directories whose journal cannot be read, oldest first.
    pub unreadable: Vec<Unreadable>,
}

/// Looks at all runs.
///
/// # Errors
/// Where the folder of the runs is there and cannot be read.
pub fn list(state: &StateDir) -> Result<History, StoreError> {
    let mut history = History::default();
    let folder = match std::fs::read_dir(state.runs()) {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(history),
        Err(error) => return Err(StoreError::new("read", &state.runs())(error)),
    };
    let mut paths = Vec::new();
    for entry in folder {
        let entry = entry.map_err(StoreError::new("read", &state.runs()))?;
        paths.push(entry.path());
    }
    // The names sort by time.
    paths.sort();
    for path in paths.into_iter().filter(|path| path.is_dir()) {
        let id = RunId::new(path.file_name().unwrap_or_default().to_string_lossy());
        match glance(&id, &path) {
            Ok(Some(run)) => history.runs.push(run),
            // A folder that no run has made.
            Ok(None) => (),
            Err(error) => history.unreadable.push(Unreadable { id, path, error }),
        }
    }
    Ok(history)
}

fn glance(id: &RunId, path: &std::path::Path) -> Result<Option<RunGlance>, JournalError> {
    let file = path.join("journal.jsonl");
    if !file.exists() {
        return Ok(None);
    }
    let (first, last) = journal::ends(&file)?;
    let Entry::Started { job, undoes, at, tenants, .. } = first else { return Ok(None) };
    let standing = match last {
        Entry::Finished { stop, tally, .. } => Standing::Closed { stop, tally, superseded: None },
        Entry::Superseded { tally, by, .. } => Standing::Closed { stop: None, tally, superseded: Some(by) },
        _ => Standing::Open { running: journal::is_held(&file), tally: tally_of(&file, &tenants) },
    };
    Ok(Some(RunGlance { id: id.clone(), job, undoes, began: at, tenants, standing, path: path.to_owned() }))
}

/// What the whole journal of an unfinished run adds up to.
fn tally_of(journal: &std::path::Path, tenants: &[TenantStart]) -> Option<Tally> {
    let found = journal::read(journal).ok()?;
    let mut record = RunRecord::new(tenants.iter().map(|of| (of.tenant.clone(), of.writes)));
    found.entries.into_iter().try_for_each(|entry| record.take(entry)).ok()?;
    Some(record.tally())
}

/// Why a word names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// There is none.
    #[error("no run begins with `{0}`")]
    None(String),
    /// There are several.
    #[error("`{word}` fits several runs: {}", ids(.runs))]
    Several {
        /// What was asked for.
        word: String,
        /// Those that fit.
        runs: Vec<RunId>,
    },
    /// Its journal cannot be read.
    #[error("run {id} cannot be read: {why}")]
    Unreadable {
        /// The run.
        id: RunId,
        /// Why.
        why: String,
    },
}

fn ids(runs: &[RunId]) -> String {
    runs.iter().map(RunId::as_str).collect::<Vec<_>>().join(", ")
}

impl History {
    /// Makes sure that no run of which nothing can be told is newer than this one. It may be the one that is meant, and the
    /// run before it must not be taken for it.
    ///
    /// # Errors
    /// Where there is one: the newest of them.
    pub fn nothing_hidden_after(&self, run: Option<&RunGlance>) -> Result<(), FindError> {
        match self.unreadable.last() {
            Some(hidden) if run.is_none_or(|run| run.id < hidden.id) => {
                Err(FindError::Unreadable { id: hidden.id.clone(), why: hidden.error.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// The run that a word names: a whole id, or the beginning of one that no other has.
    ///
    /// # Errors
    /// Where none fits, or several do.
    pub fn named(&self, word: &str) -> Result<&RunGlance, FindError> {
        let fits = |id: &RunId| id.as_str().starts_with(word) && !word.is_empty();
        let found: Vec<&RunGlance> = self.runs.iter().filter(|run| fits(&run.id)).collect();
        let unreadable: Vec<&Unreadable> = self.unreadable.iter().filter(|run| fits(&run.id)).collect();
        if let Some(exact) = found.iter().find(|run| run.id.as_str() == word) {
            return Ok(exact);
        }
        match (found.as_slice(), unreadable.as_slice()) {
            ([run], []) => Ok(run),
            ([], [run]) => Err(FindError::Unreadable { id: run.id.clone(), why: run.error.to_string() }),
            ([], []) => Err(FindError::None(word.to_owned())),
            (found, unreadable) => {
                let runs = found.iter().map(|run| &run.id).chain(unreadable.iter().map(|run| &run.id));
                Err(FindError::Several { word: word.to_owned(), runs: runs.cloned().collect() })
            }
        }
    }
}

/// Which runs may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// So many of the newest stay, whatever their age.
    pub keep: Option<usize>,
    /// Those that are younger stay, however many.
    pub older_than: Option<Duration>,
}

/// What goes by itself: runs that wrote nothing, such as those of quiet nights, but for the newest of them.
const QUIET: Retention =
    Retention { keep: Some(50), older_than: Some(Duration::from_secs(30 * 24 * 60 * 60)) };

impl Retention {
    /// The runs that go, of these, oldest first. One that is unfinished never does: what it wrote is still to be settled.
    pub fn goes<'r>(&self, runs: &[&'r RunGlance], now: Timestamp) -> Vec<&'r RunGlance> {
        let newest = runs.len().saturating_sub(self.keep.unwrap_or(0));
        let old = |run: &RunGlance| {
            let age = Duration::try_from(now.duration_since(run.began)).unwrap_or_default();
            self.older_than.is_none_or(|limit| age >= limit)
        };
        let going = runs.iter().take(newest).filter(|run| !run.is_unfinished() && old(run));
        going.copied().collect()
    }
}

/// The runs that go by themselves when another begins.
pub fn quiet_ones<'h>(history: &'h History, now: Timestamp) -> Vec<&'h RunGlance> {
    let quiet: Vec<&'h RunGlance> = history.runs.iter().filter(|run| run.wrote_nothing()).collect();
    QUIET.goes(&quiet, now)
}

/// Removes a run's directory.
///
/// # Errors
/// Where it cannot be removed.
pub fn remove(state: &StateDir, run: &RunGlance) -> Result<(), StoreError> {
    // Under another name first: half a directory must not look like a run.
    let gone = state.root().join(format!("{DRAFT}gone-{}", run.id));
    std::fs::rename(&run.path, &gone)
        .and_then(|()| std::fs::remove_dir_all(&gone))
        .map_err(StoreError::new("remove", &run.path))
}

/// Removes what processes that were killed have left beside `runs/` at least a day ago.
pub fn sweep(state: &StateDir, now: Timestamp) {
    let Ok(folder) = std::fs::read_dir(state.root()) else { return };
    for entry in folder.flatten() {
        let named = entry.file_name().to_string_lossy().starts_with(DRAFT);
        let modified = entry.metadata().and_then(|meta| meta.modified()).ok();
        let modified = modified.and_then(|time| Timestamp::try_from(time).ok());
        let old = modified.is_some_and(|time| now.duration_since(time).as_hours() >= 24);
        if named && old {
            // What cannot be removed now is tried again by the next run.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 60 * 60;

    fn run(day: i64, standing: Standing) -> RunGlance {
        let began = Timestamp::from_second(day * DAY).unwrap();
        RunGlance {
            id: RunId::new(format!("{day:03}")),
            job: "job".into(),
            undoes: None,
            began,
            tenants: Vec::new(),
            standing,
            path: PathBuf::new(),
        }
    }

    fn closed(written: usize, left: usize) -> Standing {
        Standing::Closed { stop: None, tally: Tally { written, left, ..Tally::default() }, superseded: None }
    }

    fn gone(retention: Retention, runs: &[RunGlance]) -> Vec<&str> {
        let all: Vec<&RunGlance> = runs.iter().collect();
        let now = Timestamp::from_second(100 * DAY).unwrap();
        retention.goes(&all, now).into_iter().map(|run| run.id.as_str()).collect()
    }

    #[test]
    fn runs_go_by_count_and_age_together_and_an_unfinished_one_never_does() {
        let runs = [
            run(10, closed(5, 0)),
            run(20, Standing::Open { running: false, tally: None }),
            run(30, closed(5, 3)),
            run(80, closed(5, 0)),
            run(95, closed(5, 0)),
            run(99, closed(5, 0)),
        ];
        let days = |days: u64| Some(Duration::from_secs(days * 24 * 60 * 60));
        assert_eq!(gone(Retention { keep: Some(1), older_than: None }, &runs), ["010", "080", "095"]);
        assert_eq!(gone(Retention { keep: None, older_than: days(10) }, &runs), ["010", "080"]);
        assert_eq!(gone(Retention { keep: Some(5), older_than: days(10) }, &runs), ["010"]);
    }

    #[test]
    fn by_themselves_go_only_old_runs_that_wrote_nothing() {
        let now = Timestamp::from_second(1000 * DAY).unwrap();
        let runs = (0..60).map(|day| run(day, closed(usize::from(day == 3), 0))).collect();
        let history = History { runs, unreadable: Vec::new() };
        let gone: Vec<&str> = quiet_ones(&history, now).into_iter().map(|run| run.id.as_str()).collect();
        assert_eq!(gone, ["000", "001", "002", "004", "005", "006", "007", "008", "009"]);
        let soon = Timestamp::from_second(29 * DAY).unwrap();
        assert!(quiet_ones(&history, soon).is_empty());
    }

    #[test]
    fn a_run_is_named_by_a_beginning_that_no_other_has() {
        let history = History {
            runs: vec![
                run(101, Standing::Open { running: false, tally: None }),
                run(102, Standing::Open { running: false, tally: None }),
            ],
            unreadable: vec![],
        };
        assert_eq!(history.named("102").unwrap().id.as_str(), "102");
        assert_eq!(history.named("9"), Err(FindError::None("9".into())));
        assert!(matches!(history.named("10"), Err(FindError::Several { .. })));
        assert!(matches!(history.named(""), Err(FindError::None(_))));
    }
}
