//! The header of a change set: a job that was recorded rather than written. Central type: [`Recorded`].

use sha2::{Digest, Sha256};

use super::load::hex;
use super::{Job, print};
use crate::model::ChangeSetId;

/// Where a change set comes from. Nothing of it changes what is asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recorded {
    /// The name that the tenant has in the configuration; never its domain, which stays out of change sets.
    pub tenant: Option<String>,
    /// When, as RFC 3339 writes it.
    pub at: Option<String>,
    /// By which way, for people: `log`, `run 20261128-…`, `before and after`, `watch`.
    pub by: Option<String>,
    /// The name that the job had.
    pub job: Option<String>,
    /// The digest of what it asked for then.
    pub digest: Option<String>,
}

/// SHA-256 of what a job asks for, in hexadecimal. The same for two files that differ in their headers, comments, layout or
/// names alone.
pub fn digest(job: &Job) -> String {
    hex(&Sha256::digest(print::asked(job)))
}

/// The same of a job that is being written: what stands before its header, and its updates, each behind an empty line.
pub fn digest_of<'u>(before_header: &str, updates: impl ExactSizeIterator<Item = &'u str>) -> String {
    let mut none = String::new();
    if updates.len() == 0 {
        print::no_updates(&mut none);
    }
    let mut asked = Sha256::new().chain_update(before_header).chain_update(none);
    for update in updates {
        asked.update("\n");
        asked.update(update);
    }
    hex(&asked.finalize())
}

/// What a job is known by in the ledger, where it is a change set.
pub fn id(job: &Job) -> Option<ChangeSetId> {
    let recorded = job.recorded.as_ref()?;
    let digest = digest(job);
    let edited = match &recorded.digest {
        Some(then) => *then != digest,
        // `record` writes one: somebody took it away.
        None => recorded.at.is_some() || recorded.by.is_some(),
    };
    Some(ChangeSetId { name: job.name.clone(), digest, edited })
}
