//! The command line as typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use encoding_rs::Encoding;

mod changesets;
mod fetch;
mod history;
mod runs;
mod status;
mod tenants;
mod values;

pub use changesets::{ChannelArg, DiffArgs, RecordArgs, ReplayArgs};
pub use fetch::{FormArg, GetArgs, SandboxArgs};
pub use history::{PruneArgs, ReportArgs, RunsAction, RunsArgs, StateArgs};
pub use runs::{ApplyArgs, ConflictArg, PlanArgs, ResumeArgs, RunArgs, UndoArgs, WaveArgs};
pub use status::StatusArgs;
pub use tenants::TenantsArgs;
pub use values::{Deadline, Moment, ShardArg};

use values::{parse_duration, parse_encoding, parse_rate, parse_shard, parse_share, parse_var};

use crate::job::Threshold;

/// Bulk change runner for the Auth0 Management API.
///
/// Reads a tenant, shows exactly what will change, then sends rate-limited requests and writes one result per client (or user, role, connection, …).
#[derive(Debug, Parser)]
#[command(name = "patchwave", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
    /// Output.
    #[command(flatten)]
    pub output: OutputArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 all in place · 1 some rows failed or conflicted · 2 plan found changes (--detailed-exitcode) · \
3 configuration, credentials or tenant · 4 refused by a guard, nothing written · 5 stopped early, resumable · \
6 another run holds the tenant's lock · 64 flags or job wrong · 130 interrupted";

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Validate job files offline: form, field names, types, limits. No network.
    Check(CheckArgs),
    /// Show what a job would change, field by field, and how long it would take. Cannot write.
    Plan(PlanArgs),
    /// Plan, ask, change, report.
    Apply(ApplyArgs),
    /// Finish a run that stopped: what was under way is looked at first.
    Resume(ResumeArgs),
    /// Put back what a run changed, field by field, where it still holds what the run wrote.
    Undo(UndoArgs),
    /// List the runs that are kept, show one, or remove old ones.
    Runs(RunsArgs),
    /// Make the report of a run again, from its plan and journal.
    Report(ReportArgs),
    /// Show which change sets went to which tenants, when, and with what result. Needs no network.
    Status(StatusArgs),
    /// Fetch clients, or another kind of object, into a file that is a job again: edit it, then apply it.
    Get(GetArgs),
    /// Make a change set: what a run, a person or a program changed in a tenant, as a job that does the same in others.
    Record(RecordArgs),
    /// Plan, ask and change in other tenants what a change set has recorded in one.
    Replay(ReplayArgs),
    /// Show the fields that differ between two snapshots, or two tenants. Cannot write.
    Diff(DiffArgs),
    /// Look whether tenants can be worked on: reached, token, scopes, rate limit. Cannot write.
    Tenants(TenantsArgs),
    /// Serve simulated tenants on this machine until stopped.
    Sandbox(SandboxArgs),
}

impl Verb {
    /// Its choice of tenants, where it makes one.
    pub(super) fn tenants(&self) -> Option<&TenantArgs> {
        match self {
            Self::Plan(args) => Some(&args.tenant),
            Self::Apply(args) => Some(&args.tenant),
            Self::Resume(args) => Some(&args.tenant),
            Self::Undo(args) => Some(&args.tenant),
            Self::Get(args) => Some(&args.tenant),
            Self::Record(args) => Some(&args.tenant),
            Self::Replay(args) => Some(&args.apply.tenant),
            Self::Diff(args) => Some(&args.tenant),
            Self::Tenants(args) => Some(&args.tenant),
            Self::Status(args) => Some(&args.tenant),
            Self::Check(_) | Self::Runs(_) | Self::Report(_) | Self::Sandbox(_) => None,
        }
    }
}

/// What is printed, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Form of what is printed on standard output (and of errors on standard error).
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        env = "PATCHWAVE_OUTPUT",
        hide_env = true
    )]
    pub output: OutputForm,
    /// How progress is shown: a bar on a terminal, a line every five seconds elsewhere.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        env = "PATCHWAVE_PROGRESS",
        hide_env = true
    )]
    pub progress: ProgressArg,
    /// When to use colour; NO_COLOR is obeyed.
    #[arg(long, global = true, value_enum, default_value = "auto", env = "PATCHWAVE_COLOR", hide_env = true)]
    pub color: ColorArg,
    /// Print results and errors only; of a run, its summary only where not all is in order.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Log requests on standard error (twice: more). Never shows secrets.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Form of log lines.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "text",
        env = "PATCHWAVE_LOG_FORMAT",
        hide_env = true
    )]
    pub log_format: OutputForm,
}

/// `text` or `json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputForm {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressArg {
    /// A bar on a terminal, lines elsewhere.
    Auto,
    /// A bar.
    Bar,
    /// Lines.
    Log,
    /// Nothing.
    None,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which tenants, and where their credentials are.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tenants")]
pub struct TenantArgs {
    /// A tenant of patchwave.toml, all of them that have a tag, or the domain of the environment's credentials. Repeatable.
    #[arg(
        long = "tenant",
        value_name = "NAME|DOMAIN|tag:KEY=VALUE",
        env = "PATCHWAVE_TENANT",
        value_delimiter = ',',
        hide_env = true
    )]
    pub tenants: Vec<String>,
    /// A group of patchwave.toml. Repeatable.
    #[arg(
        long = "group",
        value_name = "NAME",
        env = "PATCHWAVE_GROUP",
        value_delimiter = ',',
        hide_env = true
    )]
    pub groups: Vec<String>,
    /// Take one part of the chosen tenants: the I-th of N, counted from 1; auto asks an Indexed Job of Kubernetes. Each
    /// tenant is in one part.
    #[arg(
        long,
        value_name = "I/N|auto",
        value_parser = parse_shard,
        conflicts_with = "sandbox",
        env = "PATCHWAVE_SHARD",
        hide_env = true
    )]
    pub shard: Option<ShardArg>,
    /// Configuration file, instead of ./patchwave.toml.
    #[arg(short, long, value_name = "FILE", env = "PATCHWAVE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// File of environment variables, instead of ./.env; the real environment wins over it.
    #[arg(long, value_name = "FILE", env = "PATCHWAVE_ENV_FILE", hide_env = true)]
    pub env_file: Option<PathBuf>,
    /// Use a simulated tenant inside this process. Needs no credentials and no consent.
    #[arg(long, env = "PATCHWAVE_SANDBOX", hide_env = true)]
    pub sandbox: bool,
    /// Where runs are kept [default: $XDG_STATE_HOME/patchwave or ~/.local/state/patchwave].
    #[arg(long, value_name = "DIR", env = "PATCHWAVE_STATE_DIR", hide_env = true)]
    pub state_dir: Option<PathBuf>,
}

/// How fast.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceArgs {
    /// Requests in flight per tenant, at the most [default: what rate and latency need, up to 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), env = "PATCHWAVE_CONCURRENCY", hide_env = true)]
    pub concurrency: Option<u16>,
    /// Never faster than this, such as 5/s or 100/min, whatever the tenant allows.
    #[arg(long, value_name = "N/s", value_parser = parse_rate, env = "PATCHWAVE_RATE", hide_env = true)]
    pub rate: Option<f64>,
    /// With --rate: how many may go at once.
    #[arg(long, value_name = "N", requires = "rate", value_parser = clap::value_parser!(u32).range(1..), env = "PATCHWAVE_BURST", hide_env = true)]
    pub burst: Option<u32>,
    /// Never faster than this share of what the tenant's rate limit refills, such as 50%.
    #[arg(long, value_name = "P%", value_parser = parse_share, env = "PATCHWAVE_RATE_SHARE", hide_env = true)]
    pub rate_share: Option<f64>,
    /// Tokens of the tenant's rate limit that are left to production: a number, or a share of the bucket.
    #[arg(long, value_name = "N|P%", default_value = "20%", env = "PATCHWAVE_RATE_RESERVE", hide_env = true)]
    pub rate_reserve: Threshold,
    /// How often a request is repeated after server errors and lost connections. 429s do not count.
    #[arg(long, value_name = "N", default_value = "5", env = "PATCHWAVE_MAX_RETRIES", hide_env = true)]
    pub max_retries: u32,
    /// How long one request may take, such as 30s.
    #[arg(long, value_name = "D", default_value = "30s", value_parser = parse_duration, env = "PATCHWAVE_TIMEOUT", hide_env = true)]
    pub timeout: Duration,
}

impl PaceArgs {
    /// Most requests in flight per tenant.
    pub(super) fn concurrency(&self) -> usize {
        self.concurrency.map_or(crate::auth0::MOST_IN_FLIGHT, usize::from)
    }
}

/// What a job may do.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Job")]
pub struct JobArgs {
    /// Job file: TOML, CSV, or JSON that `get` wrote; `-` is standard input.
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Only clients (or objects of the job's kinds) of which this holds, such as "app_type == 'spa'"; the others are skipped.
    #[arg(long = "where", value_name = "EXPR", env = "PATCHWAVE_WHERE", hide_env = true)]
    pub narrow: Option<String>,
    /// Which clients are meant in which tenant, instead of those that are found: a CSV file with the columns match (the name or
    /// key that the job has), tenant and client_id.
    #[arg(long, value_name = "FILE", env = "PATCHWAVE_MAP", hide_env = true)]
    pub map: Option<PathBuf>,
    /// A variable for templates, over those of the tenant and the job. Repeatable; PATCHWAVE_VAR holds one a line.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_var)]
    pub vars: Vec<(String, String)>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub read: ReadArgs,
    /// Change, or create, only the first N of what would change.
    #[arg(long, value_name = "N", env = "PATCHWAVE_LIMIT", hide_env = true)]
    pub limit: Option<usize>,
    /// An environment variable that templates may read with env("NAME"). Repeatable.
    #[arg(long, value_name = "NAME")]
    pub allow_env: Vec<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub guards: GuardArgs,
}

/// What stands between a job and too much of it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Job")]
pub struct GuardArgs {
    /// Refuse the run where more clients (or other objects) of a tenant would change than this, new ones included. Overrides the job's guard; of the job's and PATCHWAVE_MAX_CHANGES the stricter holds.
    #[arg(long, value_name = "N|P%")]
    pub max_changes: Option<Threshold>,
    /// Lift guards by name: max-changes, own-client, protect.
    #[arg(long, value_name = "WHAT", value_enum, value_delimiter = ',')]
    pub force: Vec<Force>,
}

/// How job files are read.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Job")]
pub struct ReadArgs {
    /// What a job is about that does not say so itself: connections, resource-servers, client-grants, roles, organizations, actions, rules or users; clients where nobody says.
    #[arg(long, value_name = "KIND", env = "PATCHWAVE_KIND", hide_env = true)]
    pub kind: Option<String>,
    /// Compare a file of several clients with the live state where what `get` fetched is not kept here.
    #[arg(long)]
    pub no_base: bool,
    /// A field that this version does not know, such as one that Auth0 has added lately. It is sent as it is. Repeatable.
    #[arg(long, value_name = "PATH")]
    pub allow_field: Vec<String>,
    /// A column of CSV files that means nothing. Repeatable.
    #[arg(
        long,
        value_name = "NAME",
        env = "PATCHWAVE_IGNORE_COLUMN",
        value_delimiter = '\n',
        hide_env = true
    )]
    pub ignore_column: Vec<String>,
    /// Encoding of CSV files that are not UTF-8, such as windows-1252.
    #[arg(long, value_name = "NAME", value_parser = parse_encoding, env = "PATCHWAVE_ENCODING", hide_env = true)]
    pub encoding: Option<&'static Encoding>,
}

/// Guards that can be lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Force {
    /// The limit on changed clients.
    MaxChanges,
    /// The protection of the client that patchwave signs in with.
    OwnClient,
    /// The list of protected clients.
    Protect,
}

/// `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Job files; `-` is standard input.
    #[arg(value_name = "JOB", required = true)]
    pub jobs: Vec<String>,
    /// Where `get` kept what it fetched.
    #[arg(long, value_name = "DIR", env = "PATCHWAVE_STATE_DIR", hide_env = true)]
    pub state_dir: Option<PathBuf>,
    /// Configuration file, instead of ./patchwave.toml, for its extra_fields.
    #[arg(short, long, value_name = "FILE", env = "PATCHWAVE_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub read: ReadArgs,
}
