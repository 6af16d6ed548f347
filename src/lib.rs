//! Bulk change runner for the Auth0 Management API: rename or edit many clients at once, planned, paced and reported.

pub mod auth0;
pub mod catalogue;
pub mod config;
pub mod model;
pub mod sandbox;
