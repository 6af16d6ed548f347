//! What a run left behind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::Case;

impl Case {
    /// The directories of runs against real tenants, oldest first.
    pub(crate) fn runs(&self) -> Vec<PathBuf> {
        let Ok(folder) = std::fs::read_dir(self.state().join("runs")) else { return Vec::new() };
        let mut runs: Vec<PathBuf> = folder.map(|entry| entry.unwrap().path()).collect();
        runs.sort();
        runs
    }

    /// The rows of the newest run's `results.csv`, each by column.
    pub(crate) fn results(&self) -> Vec<BTreeMap<String, String>> {
        let path = self.runs().pop().unwrap().join("results.csv");
        let mut csv = csv::Reader::from_path(path).unwrap();
        let header = csv.headers().unwrap().clone();
        let row = |row: csv::StringRecord| {
            header.iter().zip(&row).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
        };
        csv.records().map(|record| row(record.unwrap())).collect()
    }

    /// The `_result` of each row of the newest run.
    pub(crate) fn result_words(&self) -> Vec<String> {
        self.results().into_iter().map(|mut row| row.remove("_result").unwrap()).collect()
    }

    /// The newest run's `summary.json`.
    pub(crate) fn summary(&self) -> Value {
        let path = self.runs().pop().unwrap().join("summary.json");
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }
}
