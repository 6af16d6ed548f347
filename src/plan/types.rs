//! What a plan holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::forecast::Forecast;
use super::shard::Shard;
use super::waves_by::WavesBy;
use super::writes::Writes;
use crate::catalogue::KindName;
use crate::job::{Guards, RowLabel};
use crate::model::{
    Body, Cells, ChangeSetId, Domain, EntityId, FieldChange, FieldPath, Pace, Reason, RowResult, RunId,
    SecretPlace, TenantName,
};

/// A job resolved against the live state of one or several tenants.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What it is a plan of.
    pub header: Header,
    /// One part a tenant, in the order they were asked for.
    pub tenants: Vec<Arc<TenantPlan>>,
}

/// What a plan is a plan of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of patchwave that made it.
    pub tool: String,
    /// Name of the job.
    pub job: String,
    /// SHA-256 of the job file.
    pub job_digest: String,
    /// The file, as it was named on the command line.
    #[serde(default)]
    pub source: String,
    /// Kind of object; of several the first.
    pub kind: KindName,
    /// Further kinds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_kinds: Vec<KindName>,
    /// When the state was read.
    pub made: Timestamp,
    /// The input's own columns, which the report repeats.
    pub columns: Vec<String>,
    /// Fields beside those of the catalogue, which the user lets through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extra_fields: Vec<FieldPath>,
    /// Limits: of a saved plan those of its job, of a run's plan those that hold for the run.
    #[serde(default)]
    pub guards: Guards,
    /// The waves, where they are of tenants by a tag; takes the place of those of the guards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waves_by: Option<WavesBy>,
    /// Whether what was written is read again and compared, wave by wave.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verify: bool,
    /// Milliseconds between two waves.
    #[serde(default)]
    pub pause_ms: u64,
    /// The run that this plan takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<RunId>,
    /// Of an undo of a replay: what that means for the change set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_back: Option<TakesBack>,
    /// Whether it writes what nothing guards: it was recorded without a state before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unguarded: bool,
    /// The change set that it replays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changeset: Option<ChangeSetId>,
    /// Which part of the chosen tenants it is about, where they were split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
}

/// What taking a run back means for the change set that the run replayed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TakesBack {
    /// Whether that run was an undo itself: the change set comes back.
    #[serde(default)]
    pub an_undo: bool,
    /// Tenants in which a part of what the run changed is taken back, and the rest stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_part: Vec<TenantName>,
}

/// The part of a plan that is about one tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantPlan {
    /// Its name.
    pub tenant: TenantName,
    /// Its domain.
    pub domain: Domain,
    /// Where its credentials came from.
    pub origin: String,
    /// How many objects of each kind it has, where lists told.
    pub totals: Counts,
    /// What the reads told about its rate limit.
    pub pace: Pace,
    /// One PATCH each.
    pub writes: Writes,
    /// Objects that writes name by their ids, as far as the job called them by name.
    pub named: Vec<NamedObject>,
    /// One per input row and client, in input order.
    pub rows: Vec<Row>,
    /// What the writes will take, as far as it can be told.
    pub forecast: Option<Forecast>,
    /// Why nothing could be planned here.
    pub failure: Option<TenantFailure>,
}

/// An object that nobody else of its kind is called like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedObject {
    /// Its kind.
    pub kind: KindName,
    /// Its id in this tenant.
    pub id: EntityId,
    /// What it is called.
    pub name: String,
}

/// How many objects there are of each kind.
pub type Counts = BTreeMap<KindName, usize>;

impl Header {
    /// What one of the objects is called that it is about.
    pub fn noun(&self) -> &'static str {
        if self.other_kinds.is_empty() { &self.kind.kind().singular } else { "object" }
    }

    /// The kinds that it is about.
    pub fn kinds(&self) -> impl Iterator<Item = KindName> {
        std::iter::once(self.kind).chain(self.other_kinds.iter().copied())
    }
}

impl TenantPlan {
    /// How many objects it has of the kinds that were read, where all lists told.
    pub fn total(&self) -> Option<usize> {
        (!self.totals.is_empty()).then(|| self.totals.values().sum())
    }

    /// A part without writes and rows.
    pub fn empty(tenant: TenantName, domain: Domain, origin: String, pace: Pace) -> Self {
        let (writes, rows) = (Writes::default(), Vec::new());
        Self {
            tenant,
            domain,
            origin,
            totals: Counts::new(),
            pace,
            writes,
            named: Vec::new(),
            rows,
            forecast: None,
            failure: None,
        }
    }
}

/// Why a tenant could not be planned: it was not reached, or would not let us in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantFailure {
    /// In one line, with what to do.
    pub message: String,
    /// Class of the error, as `--output json` names it.
    pub class: String,
    /// Status of the HTTP answer, if there was one.
    pub http_status: Option<u16>,
    /// Whether trying again later may help.
    pub retryable: bool,
}

impl TenantFailure {
    /// Of a tenant whose lock another run holds.
    pub fn locked(message: String) -> Self {
        Self { message, class: LOCKED.to_owned(), http_status: None, retryable: true }
    }

    /// Whether that is the reason.
    pub fn is_locked(&self) -> bool {
        self.class == LOCKED
    }
}

const LOCKED: &str = "locked";

/// One PATCH.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The kind of object.
    #[serde(default, skip_serializing_if = "KindName::is_default")]
    pub kind: KindName,
    /// Whether it makes a new object, whose id nobody knows yet: the body is all that it is to hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create: bool,
    /// The client; empty, where it is to be made.
    pub id: EntityId,
    /// Its name before.
    pub name: Option<String>,
    /// The row of the input that first asked for it.
    pub label: RowLabel,
    /// What differs, field by field.
    pub changes: Vec<FieldChange>,
    /// What is sent: the smallest body that makes the changes and harms nothing beside them.
    pub body: Body,
    /// Whether a secret beside the changes must be read into the body just before it is sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compose: bool,
    /// The fields that were read, as they were, without secrets.
    pub before: Arc<Body>,
    /// Of an undo: fields of the client that it cannot put back, or that are not its to put back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
}

/// Whether a change sets a secret: what it holds afterwards is the place where the secret is kept.
pub fn is_from_place(change: &FieldChange) -> bool {
    change.after.as_ref().is_some_and(|after| SecretPlace::of(after).is_some())
}

/// A field that an undo leaves as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// Which.
    pub path: FieldPath,
    /// Why.
    pub reason: Reason,
    /// In words.
    pub message: String,
}

/// One row of the report to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Which update of the job, counted from 0: rows of several tenants are put in order by it.
    pub update: usize,
    /// What `_row` says.
    pub label: RowLabel,
    /// The kind of object.
    #[serde(default, skip_serializing_if = "KindName::is_default")]
    pub kind: KindName,
    /// The client, where one was found or named.
    pub id: Option<EntityId>,
    /// Its name before, where no write of it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Box<str>>,
    /// The input's own cells.
    pub cells: Cells,
    /// What is to become of it.
    pub state: RowState,
}

/// What is to become of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// It shares this write of its tenant.
    Write(usize),
    /// It is settled without one.
    Done(Box<Done>),
}

impl From<Done> for RowState {
    fn from(done: Done) -> Self {
        Self::Done(Box::new(done))
    }
}

/// How a row ended at planning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Its result.
    pub result: RowResult,
    /// Why.
    pub reason: Option<Reason>,
    /// In words.
    pub message: Option<String>,
    /// Status of the HTTP answer that decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Auth0's code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
}

impl Done {
    /// A result that needs no words.
    pub fn plain(result: RowResult) -> Self {
        Self { result, reason: None, message: None, http_status: None, error_code: None }
    }

    /// A result with its reason, in words.
    pub fn because(result: RowResult, reason: Reason, message: impl Into<String>) -> Self {
        Self { reason: Some(reason), message: Some(message.into()), ..Self::plain(result) }
    }
}

/// What a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Clients that change: so many PATCH requests.
    pub writes: usize,
    /// Rows already as asked.
    pub unchanged: usize,
    /// Rows that fail for want of a client, or for two.
    pub failed: usize,
    /// Rows whose expectation does not hold; of an undo also those that leave a field as it is.
    pub conflicts: usize,
    /// Rows left out on purpose.
    pub skipped: usize,
    /// Tenants that could not be planned.
    pub tenants_failed: usize,
}

impl Plan {
    /// What the run of it will take, as far as it can be told.
    pub fn forecast(&self) -> Option<Forecast> {
        Forecast::of_run(self.tenants.iter().filter_map(|tenant| tenant.forecast))
    }

    /// Counts it.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for tenant in &self.tenants {
            totals.writes += tenant.writes.len();
            totals.tenants_failed += usize::from(tenant.failure.is_some());
            for row in &tenant.rows {
                let done = match &row.state {
                    RowState::Done(done) => done,
                    RowState::Write(at) => {
                        totals.conflicts += usize::from(tenant.writes.leaves_fields(*at));
                        continue;
                    }
                };
                match done.result {
                    RowResult::Unchanged => totals.unchanged += 1,
                    RowResult::Failed => totals.failed += 1,
                    RowResult::Conflict => totals.conflicts += 1,
                    RowResult::Skipped => totals.skipped += 1,
                    _ => (),
                }
            }
        }
        totals
    }
}
