//! The `patchwave` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(patchwave::cli::run())
}
