//! Flags of the verbs that plan, and of those that write.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{Deadline, parse_deadline, parse_duration};
use super::{Force, GuardArgs, JobArgs, PaceArgs, TenantArgs};
use crate::job::{Threshold, WaveSize};
use crate::model::FieldPath;
use crate::plan::TagWaves;

/// `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub job: JobArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub pace: PaceArgs,
    /// Save the plan to this file; `apply FILE` carries out exactly that.
    #[arg(long = "out", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Exit with 2 where the plan found changes.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Show every client, however many (else 100), and values whole, however long.
    #[arg(long)]
    pub full: bool,
}

/// What holds for every run, whatever it does.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// Do not ask.
    #[arg(short, long)]
    pub yes: bool,
    /// Confirm a protected tenant by its name; unattended runs need it beside --yes. Repeatable.
    #[arg(long, value_name = "NAME")]
    pub confirm_tenant: Vec<String>,
    /// Stop once more rows have failed than this [default: the greater of 10 and 10%; 0 with waves]. Overrides the job's guard; of the job's and PATCHWAVE_MAX_FAILURES the stricter holds.
    #[arg(long, value_name = "N|P%")]
    pub max_failures: Option<Threshold>,
    /// What to do about a client (or another object) that somebody else changed since it was planned: leave it, write all the same, or leave it and stop.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "skip")]
    pub on_conflict: ConflictArg,
    /// Read what is to be changed again, by the page, before it is written, where that was longer ago.
    #[arg(long, value_name = "D", default_value = "5m", value_parser = parse_duration, env = "PATCHWAVE_MAX_AGE", hide_env = true)]
    pub max_age: Duration,
    /// Take no more rows after so long (30m), or from that local time on (03:00); what is left can be resumed.
    #[arg(long, value_name = "D|TIME", value_parser = parse_deadline, env = "PATCHWAVE_DEADLINE", hide_env = true)]
    pub deadline: Option<Deadline>,
    /// Wait so long for another run of the tenant to end.
    #[arg(long, value_name = "D", value_parser = parse_duration, env = "PATCHWAVE_LOCK_WAIT", hide_env = true)]
    pub lock_wait: Option<Duration>,
    /// Copy the results to this file as well (.csv or .json). Repeatable.
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
    /// Show all of the plan, however many clients or other objects (else 100), and values whole, however long.
    #[arg(long)]
    pub full: bool,
}

/// A run in slices.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Run")]
pub struct WaveArgs {
    /// Make the run in waves, such as 1,10%,rest: each only when the one before was good enough.
    #[arg(long, value_name = "N|P%|rest", value_delimiter = ',')]
    pub waves: Vec<WaveSize>,
    /// Make the run in waves of whole tenants, told by a tag: ring=canary,early,rest. PATCHWAVE_WAVES_BY does the same where neither flag nor job sets waves.
    #[arg(long, value_name = "TAG=VALUE,…", conflicts_with = "waves")]
    pub waves_by: Option<TagWaves>,
    /// Wait so long between two waves.
    #[arg(long, value_name = "D", value_parser = parse_duration, env = "PATCHWAVE_PAUSE", hide_env = true)]
    pub pause: Option<Duration>,
    /// Read again what was written, wave by wave, and compare it with the plan.
    #[arg(long, env = "PATCHWAVE_VERIFY", hide_env = true)]
    pub verify: bool,
}

/// `--on-conflict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictArg {
    /// The row is a conflict; the others go on.
    Skip,
    /// Write what was asked for.
    Overwrite,
    /// The row is a conflict, and no more are taken.
    Stop,
}

/// `apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub job: JobArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub pace: PaceArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub run: RunArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub waves: WaveArgs,
    /// Only plan.
    #[arg(long, conflicts_with = "report")]
    pub dry_run: bool,
}

/// `resume`.
#[derive(Debug, Clone, Args)]
pub struct ResumeArgs {
    /// The run: its id, a beginning of it that no other has, or `latest` [default: the only one that is unfinished].
    #[arg(value_name = "RUN")]
    pub id: Option<String>,
    /// Also try again the rows that failed or conflicted.
    #[arg(long)]
    pub failed: bool,
    /// Lift guards by name: own-client, protect.
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub force: Vec<Force>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub pace: PaceArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub run: RunArgs,
}

/// `undo`.
#[derive(Debug, Clone, Args)]
pub struct UndoArgs {
    /// The run: its id, a beginning of it that no other has, or `latest` [default, where somebody is there to ask: latest].
    #[arg(value_name = "RUN")]
    pub id: Option<String>,
    /// Only this client (or object of the run's kind), by its id or by the name that it had before the run. Repeatable.
    #[arg(long = "client", value_name = "ID|NAME")]
    pub clients: Vec<String>,
    /// Only this field and what is below it. Repeatable.
    #[arg(long = "field", value_name = "PATH")]
    pub fields: Vec<FieldPath>,
    /// Only what this wave of the run changed, counted from 1. Repeatable.
    #[arg(long = "wave", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub of_waves: Vec<u32>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub guards: GuardArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub pace: PaceArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub run: RunArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub waves: WaveArgs,
    /// Only plan.
    #[arg(long, conflicts_with = "report")]
    pub dry_run: bool,
}
