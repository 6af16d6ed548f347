//! Bulk change runner for the Auth0 Management API: rename or edit many clients at once, planned, paced and reported.
//!
//! Data flows one way: **job → plan → run → report**.
//!
//! | folder | what for | uses |
//! |---|---|---|
//! | [`model`] | the nouns: ids, paths, changes, outcomes, events | – |
//! | [`catalogue`] | which fields there are, and how a write treats them | model |
//! | [`job`] | job files read and checked, offline | model, catalogue |
//! | [`plan`] | job + state → exactly what will be written; pure | model, catalogue, job |
//! | [`changeset`] | what was done in one tenant as a job for others; pure | model, catalogue, job, plan |
//! | [`config`] | settings, tenants, credentials | model |
//! | [`store`] | the state directory: runs, journal, ledger | model |
//! | [`auth0`] | the Management API: reader, writer, pace | model |
//! | [`run`] | reads tenants, executes a plan | model, catalogue, plan, auth0, store |
//! | [`report`] | what people and programs see | model, job, plan |
//! | [`sandbox`] | simulated tenants over real HTTP | model, the catalogue's data |
//! | [`cli`] | flags, prompts, exit codes | everything |
//!
//! `tests/it/layers.rs` holds the last column against the imports.

pub mod auth0;
pub mod catalogue;
pub mod changeset;
pub mod cli;
pub mod config;
pub mod job;
pub mod model;
pub mod plan;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod store;
