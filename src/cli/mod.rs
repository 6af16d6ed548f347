//! The command line: the only place that prints, prompts and decides the exit code. One file per verb.
//!
//! [`args`] is what was typed, `context` what it means; `error` knows every folder's errors and composes none.

pub mod args;

mod apply;
mod beside;
mod carry_out;
mod check;
mod connect;
mod consent;
mod context;
mod diff;
mod ended;
mod error;
mod exit;
mod forecasts;
mod get;
mod history;
mod interrupt;
mod kinds;
mod ledger;
mod live_run;
mod locks;
mod merge;
mod narrowing;
mod open_files;
mod output;
mod planned;
mod planning;
mod prompt;
mod record;
mod replaying;
mod resume;
mod runs;
mod sandbox;
mod sandboxed;
mod saved;
mod scopes;
mod secrets;
mod shard;
mod show_plan;
mod snapshot;
mod status;
mod tenants;
mod undo;
mod waves;

use clap::Parser;

use args::{Cli, Verb};
use error::CliError;
use output::Output;

/// Runs the command line and returns the exit code.
pub fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let output = Output::new(&cli.output);
    output.start_log();
    if let Some(defect) = crate::catalogue::defect() {
        return CliError::setup(format!("this build of patchwave is broken: {defect}")).report(&output);
    }
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = match builder.worker_threads(workers()).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return CliError::setup(format!("the asynchronous runtime cannot start: {error}"))
                .report(&output);
        }
    };
    let done = runtime.block_on(async {
        // Whoever names a run or a plan of one means it, and is told where it is not here.
        let names_a_run = matches!(cli.verb, Verb::Resume(_) | Verb::Undo(_));
        if let Some(tenant) = cli.verb.tenants().filter(|_| !names_a_run)
            && let Some(code) = shard::is_empty(tenant, &output)?
        {
            return Ok(code);
        }
        match cli.verb {
            Verb::Check(args) => check::run(&args, &output),
            Verb::Plan(args) => show_plan::run(args, (None, false, args::ConflictArg::Skip), &output).await,
            Verb::Apply(args) => apply::run(args, &output).await,
            Verb::Resume(args) => resume::run(args, &output).await,
            Verb::Undo(args) => undo::run(args, &output).await,
            Verb::Runs(args) => runs::run(args, &output).await,
            Verb::Report(args) => runs::report(&args, &output),
            Verb::Status(args) => status::run(&args, &output),
            Verb::Get(args) => get::run(args, &output).await,
            Verb::Record(args) => record::run(args, &output).await,
            Verb::Replay(args) => apply::replay(args, &output).await,
            Verb::Diff(args) => diff::run(args, &output).await,
            Verb::Tenants(args) => tenants::run(args, &output).await,
            Verb::Sandbox(args) => sandbox::run(args, &output).await,
        }
    });
    // Secrets read by a command, or a server being stopped, must not keep the process.
    runtime.shutdown_background();
    done.unwrap_or_else(|error| error.report(&output))
}

/// What clap says, with the exit code that the contract gives to wrong flags.
fn usage(error: &clap::Error) -> u8 {
    if error.use_stderr() && output::wants_json(std::env::args()) {
        return CliError::usage(error.to_string()).report(&Output::json_only());
    }
    // A closed pipe is no reason to fail on the way out.
    let _ = error.print();
    if error.use_stderr() { exit::USAGE } else { exit::OK }
}

/// Threads that talk to tenants. The journal and the main thread have theirs, and a request that is handed from core to core
/// costs more than it gains: half of the cores do more than all of them.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2).max(1)
}
