//! What was done in one tenant is recorded, and done in others.

mod laws;
