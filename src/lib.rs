//! Bulk change runner for the Auth0 Management API.

pub mod catalogue;
pub mod model;
