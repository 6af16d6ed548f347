//! The nouns of patchwave: what a run is made of, with no I/O, no clock and no knowledge of any one field or endpoint.
//!
//! Central types: [`FieldPath`] and [`FieldChange`] (what changes), [`Entity`] (a client as fetched),
//! [`Outcome`] (what became of a write) and [`Entry`] (what the journal keeps and listeners hear).
//! Uses nothing else of the crate.

pub mod cells;
pub mod change;
pub mod changeset;
pub mod deep;
pub mod domain;
pub mod endpoint;
pub mod entity;
pub mod event;
pub mod id;
pub mod ledger;
pub mod log_event;
pub mod outcome;
pub mod pace;
pub mod packed;
pub mod path;
pub mod pem;
pub mod problem;
pub mod record;
pub mod row;
pub mod secret;
pub mod secret_place;
pub mod signing;
pub mod source;
pub mod stop;
pub mod suggest;
pub mod tag;
pub mod three_way;
pub mod value;
pub mod words;

pub use cells::Cells;
pub use change::{FieldChange, ItemEdit, Overwritten};
pub use changeset::ChangeSetId;
pub use domain::Domain;
pub use endpoint::{Association, Endpoint, Paging, Scopes, Verb};
pub use entity::{Body, Entity};
pub use event::{Entry, Listener, Pace, Progress, ProgressSink};
pub use id::{EntityId, RunId, TenantName};
pub use ledger::{LedgerEntry, LedgerResult};
pub use log_event::{Author, LogAction, LogEvent};
pub use outcome::{Outcome, Reason, RowResult, SettledBy, Written};
pub use pace::{Measured, Outlook};
pub use packed::{Packed, PackedList};
pub use path::FieldPath;
pub use pem::Pem;
pub use problem::Problem;
pub use record::RunRecord;
pub use row::{Remains, WriteState};
pub use secret::Secret;
pub use secret_place::{SecretPlace, Secrets};
pub use signing::SigningAlgorithm;
pub use source::SourceFile;
pub use stop::StopReason;
pub use tag::TagQuery;
pub use three_way::{Expected, Verdict};
pub use value::ListOrder;
