//! The promises of the API client, against small servers on loopback.

mod pacing;
mod reading;
mod server;
mod signing_in;
mod writing;
