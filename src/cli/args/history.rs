//! Flags of the verbs that look at runs of the past.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::values::parse_age;

/// Where the runs are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tenants")]
pub struct StateArgs {
    /// Where runs are kept [default: $XDG_STATE_HOME/patchwave or ~/.local/state/patchwave].
    #[arg(long, value_name = "DIR", env = "PATCHWAVE_STATE_DIR", hide_env = true, global = true)]
    pub state_dir: Option<PathBuf>,
    /// Runs against the embedded sandbox, which are kept apart.
    #[arg(long, env = "PATCHWAVE_SANDBOX", hide_env = true, global = true)]
    pub sandbox: bool,
}

/// `runs`.
#[derive(Debug, Clone, Args)]
pub struct RunsArgs {
    /// What to do; without it, they are listed.
    #[command(subcommand)]
    pub action: Option<RunsAction>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub state: StateArgs,
}

/// What to do with runs.
#[derive(Debug, Clone, Subcommand)]
pub enum RunsAction {
    /// Show what became of a run, and where its files are.
    Show {
        /// The run: its id, a beginning of it that no other has, or `latest`.
        #[arg(value_name = "RUN")]
        id: String,
    },
    /// Remove old runs, and with them the way to undo them. Unfinished ones stay.
    Prune(PruneArgs),
}

/// `runs prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// Keep so many of the newest, whatever their age.
    #[arg(long, value_name = "N", required_unless_present = "older_than")]
    pub keep: Option<usize>,
    /// Remove only what is older, such as 90d.
    #[arg(long, value_name = "D", value_parser = parse_age)]
    pub older_than: Option<Duration>,
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Only say which would go.
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

/// `report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The run: its id, a beginning of it that no other has, or `latest`.
    #[arg(value_name = "RUN", required_unless_present = "merge")]
    pub id: Option<String>,
    /// Join the reports of runs of one job over different tenants, such as those of all shards: directories of runs, or
    /// state directories, of which each gives its newest run. Ends with the exit code of the whole.
    #[arg(long, value_name = "DIR", num_args = 1.., conflicts_with_all = ["id", "sandbox"])]
    pub merge: Vec<PathBuf>,
    /// Copy the results to this file as well (.csv or .json). Repeatable.
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub state: StateArgs,
}
