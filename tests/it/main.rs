//! What users can rely on, seen from outside: each module is one promise.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and what it writes need not survive a crash"
)]

mod apply;
mod cases;
mod check;
mod common;
mod cuts;
mod defects;
mod docs;
mod failures;
mod get;
mod help;
mod kills;
mod language;
mod laws;
mod layers;
mod properties;
mod rules;
mod storms;
mod writes;
