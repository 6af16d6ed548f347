//! What an evaluation met on its way that minijinja cannot report: a name that does not exist and was compared rather than
//! printed, an absent field that a filter made text of.
//!
//! The engine calls the objects of a scope back without any way to hand something out, and an evaluation never leaves its
//! thread: so the notes are the thread's own, between [`taking`]'s beginning and end.

use std::cell::RefCell;

use crate::model::Reason;

/// What was noted in one evaluation.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Names that do not exist, with what is known about them.
    pub(super) missing: Vec<Missing>,
    /// What was absent where text was made of it.
    pub(super) absent: Option<String>,
    /// The last field that was looked up and absent.
    pub(super) met: Option<String>,
    /// An absent field that was gone through like a list, which gives nothing.
    pub(super) iterated: Option<String>,
    /// The column of an empty cell that was handed out.
    pub(super) empty_cell: Option<String>,
    /// Whether text was made of a list or an object.
    pub(super) structure: bool,
    /// An object of the tenant that was asked for and cannot be told: what is said of it, and why.
    pub(super) lost: Option<(String, Reason)>,
}

/// A name that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// As the job spells it: `vars.hots`.
    pub(super) name: String,
    /// The name that was most likely meant.
    pub(super) near: Option<String>,
}

thread_local! {
    static NOTES: RefCell<Notes> = RefCell::default();
}

/// Runs an evaluation and returns what was noted meanwhile.
pub(super) fn taking<T>(evaluate: impl FnOnce() -> T) -> (T, Notes) {
    NOTES.take();
    let result = evaluate();
    (result, NOTES.take())
}

/// A name was looked up that does not exist.
pub(super) fn missing(name: String, near: Option<String>) {
    NOTES.with_borrow_mut(|notes| notes.missing.push(Missing { name, near }));
}

/// The job itself asks whether the last name exists (`is defined`, `| default`): then it need not.
pub(super) fn asked_for() {
    NOTES.with_borrow_mut(|notes| drop(notes.missing.pop()));
}

/// An absent field was made text of.
pub(super) fn absent(path: &str) {
    NOTES.with_borrow_mut(|notes| {
        notes.absent.get_or_insert_with(|| path.to_owned());
    });
}

/// An object of the tenant was asked for, and cannot be told.
pub(super) fn lost(what: String, reason: Reason) {
    NOTES.with_borrow_mut(|notes| {
        notes.lost.get_or_insert((what, reason));
    });
}

/// An absent field was looked up, which is no mistake by itself.
pub(super) fn met(path: &str) {
    NOTES.with_borrow_mut(|notes| notes.met = Some(path.to_owned()));
}

/// An absent field was gone through.
pub(super) fn iterated(path: &str) {
    NOTES.with_borrow_mut(|notes| {
        notes.iterated.get_or_insert_with(|| path.to_owned());
    });
}

/// An empty cell was handed out.
pub(super) fn empty_cell(column: &str) {
    NOTES.with_borrow_mut(|notes| {
        notes.empty_cell.get_or_insert_with(|| column.to_owned());
    });
}

/// Text is being made of a list or an object.
pub(super) fn structure() {
    NOTES.with_borrow_mut(|notes| notes.structure = true);
}
