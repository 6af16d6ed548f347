//! The `patchwave` command.

fn main() {}
