//! What a run changed goes back, field by field, and only where the field still holds what the run wrote.

mod equal;
mod laws;
mod pool;
