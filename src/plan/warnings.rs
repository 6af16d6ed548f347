//! What a person should look at in a plan, though nothing is wrong with it.

use super::types::{Row, RowState};
use crate::job::Job;
use crate::model::{Problem, Reason, TenantName};

/// Rules that fit nobody: a misspelt pattern looks just like one that has done its work.
pub fn warnings(job: &Job, tenant: &TenantName, rows: &[Row]) -> Vec<Problem> {
    let nobody = rows
        .iter()
        .filter(|row| matches!(&row.state, RowState::Done(done) if done.reason == Some(Reason::NoMatch)));
    nobody
        .filter_map(|row| {
            let origin = &job.updates.get(row.update)?.origin;
            let what = format!("{} fits no {} of {tenant}", origin.label.in_words(), job.kind.singular);
            Some(Problem::new(what).at(&origin.file, origin.span.clone()).warning())
        })
        .collect()
}
