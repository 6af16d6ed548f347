//! The promises of the API client, against small servers on loopback.

mod logs;
mod pacing;
mod reading;
mod server;
mod signing_in;
mod writing;

pub(super) use server::clients;
