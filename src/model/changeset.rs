//! What a change set is known by.

use serde::{Deserialize, Serialize};

/// A change set: a job that was recorded rather than written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSetId {
    /// Its name, which is the job's.
    pub name: String,
    /// SHA-256 of what it asks for, in hexadecimal: header, comments and layout do not count, every value does.
    pub digest: String,
    /// Whether it asks for something else than when it was recorded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
}

impl ChangeSetId {
    /// The beginning of the digest, by which people tell two of them apart.
    pub fn short(&self) -> &str {
        self.digest.get(..8).unwrap_or(&self.digest)
    }
}
