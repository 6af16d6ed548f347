//! The Management API of one tenant: signing in, reading, and, behind a type of its own, writing.
//!
//! Central types: [`Connection`] (one tenant, one token, one pace), its [`Reader`], which has no way to write, and
//! [`Writer`], which belongs to a run. Uses `model` alone.
//!
//! | file | what |
//! |---|---|
//! | `access.rs` `claims.rs` `ready.rs` | domain, audience, credential; what a token says of itself; whether one that was given is for this tenant |
//! | `private_key.rs` `assertion.rs` | a key in place of a secret; what it signs |
//! | `settings.rs` | time-outs, retries, and how much of the rate limit may be taken |
//! | `connection.rs` `read.rs` `pages.rs` `write.rs` | what callers hold |
//! | `associated.rs` | lists that belong to an object and have endpoints of their own |
//! | `logs.rs` `log_entry.rs` | the tenant's log of a time window; what an entry of it tells |
//! | `token.rs` `sign_in.rs` | one token for all workers; asking for it |
//! | `courier.rs` `send.rs` `classify.rs` | what every request needs; the one retry loop; its pure table |
//! | `transport.rs` `network.rs` | one HTTP exchange; why none came about |
//! | `rate_headers.rs` `bucket/` `groups.rs` `limiter.rs` `share.rs` | headers; the pure pacing machine; one per endpoint group; the clock around it; a share as a cap |
//! | `gauge.rs` `outlook.rs` `rehearsal.rs` | what was measured of a bucket; what the machine expects; the machine in virtual time, for forecasts |
//! | `simulation/` | a tenant in virtual time, by which the pacing machine is judged |
//! | `error.rs` `answer.rs` | what goes wrong, in words; what an error answer says |
//! | `fuzzing.rs` | what reads the bytes of an answer, for the fuzz targets |

mod access;
mod answer;
mod assertion;
mod associated;
mod bucket;
mod claims;
mod classify;
mod connection;
mod courier;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod gauge;
mod groups;
mod kept;
mod limiter;
mod log_entry;
mod logs;
mod network;
mod outlook;
mod pages;
mod private_key;
mod rate_headers;
mod read;
mod ready;
mod rehearsal;
mod send;
mod settings;
mod share;
mod sign_in;
#[doc(hidden)]
pub mod simulation;
mod token;
mod transport;
mod write;

#[cfg(test)]
mod tests;

pub use access::{Access, Credential};
pub use associated::{AssociationCall, calls, is_half_way};
pub use connection::Connection;
pub use error::{ApiError, ErrorClass};
pub use logs::LogWindow;
pub use network::{NetworkCause, NetworkFailure};
pub use pages::PackedEntity;
pub use private_key::{KeyError, PrivateKey};
pub use read::{FirstPage, Reader};
pub use rehearsal::{Conditions, Rehearsal};
pub use settings::{Backoff, Cap, MOST_IN_FLIGHT, RateShare, Reserve, Settings};
pub use token::Grant;
pub use transport::HttpClients;
pub use write::{Sent, Settled, Settlement, Writer};
