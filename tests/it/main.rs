//! What users can rely on, seen from outside: each module is one promise.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and what it writes need not survive a crash"
)]

mod apply;
mod cases;
mod changesets;
mod check;
mod common;
mod creating;
mod cron;
mod cuts;
mod defects;
mod docs;
mod examples;
mod exchanges;
mod exit_codes;
mod failures;
mod fleet;
mod forecast;
mod from_log;
mod fuzzed;
mod get;
mod guards;
mod help;
mod keys;
mod kills;
mod kinds;
mod language;
mod laws;
mod layers;
mod linked;
mod locks;
mod meanwhile;
mod pace;
mod pool;
mod properties;
mod refused;
mod resume;
mod rules;
mod sandbox;
mod saved;
mod secrets;
mod shards;
mod signals;
mod status;
mod storms;
mod tags;
mod tenants;
mod tls;
mod tomorrow;
mod undo;
mod users;
mod waves;
mod waves_by;
mod writes;
