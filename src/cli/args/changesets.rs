//! Flags of `record`, `replay` and `diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::{Deadline, Moment, parse_deadline, parse_moment};
use super::{ApplyArgs, PaceArgs, TenantArgs};
use crate::model::FieldPath;

/// `record`.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new("way").required(true).args(["of_run", "after", "watch", "from_log"]))]
pub struct RecordArgs {
    /// What a run changed: its id, a beginning of it that no other has, or `latest`, the newest that changed anything.
    #[arg(long = "run", id = "of_run", value_name = "RUN")]
    pub run: Option<String>,
    /// The state before: a JSON file of `get --all`, or a tenant of patchwave.toml. With --from-log: the file that was fetched
    /// before the changes [default there: the newest snapshot of the tenant that is kept and older than --since].
    #[arg(long, value_name = "FILE|TENANT")]
    pub before: Option<String>,
    /// The state after: likewise.
    #[arg(long, value_name = "FILE|TENANT", requires = "before")]
    pub after: Option<String>,
    /// Take a snapshot now, another when you say so, and record the difference.
    #[arg(long, conflicts_with = "before")]
    pub watch: bool,
    /// What the tenant's own log says was changed, in the Dashboard too.
    #[arg(long, requires = "since")]
    pub from_log: bool,
    /// From when on: a time here such as 2026-11-28T09:00 (with Z in UTC), or how long ago, such as 2h.
    #[arg(long, value_name = "T", value_parser = parse_moment, requires = "from_log")]
    pub since: Option<Moment>,
    /// Until when. With --from-log a time, or how long ago [default: a minute ago, since entries arrive late]; with --watch how
    /// long to wait (10m), or the time of day (17:30), instead of asking.
    #[arg(long, value_name = "T|D")]
    pub until: Option<String>,
    /// Only changes that this user made, by user id, e-mail address or name.
    #[arg(long, value_name = "USER", requires = "from_log")]
    pub by: Option<String>,
    /// Only changes that were made in the Dashboard, or only those of other clients of the API.
    #[arg(long, value_enum, default_value = "all", requires = "from_log")]
    pub channel: ChannelArg,
    /// Record without a state before. Nothing guards such a change set: replaying it wants --on-conflict overwrite.
    #[arg(long, requires = "from_log", conflicts_with = "before")]
    pub no_before: bool,
    /// What is recorded of tenants and their logs: kinds separated by commas, or `all` [default: clients; of files and runs what is in them].
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', env = "PATCHWAVE_KIND", hide_env = true)]
    pub kind: Vec<String>,
    /// Find clients elsewhere by what they have here, such as client_metadata.slug, instead of by name.
    #[arg(long, value_name = "PATH", env = "PATCHWAVE_IDENTITY", hide_env = true)]
    pub identity: Option<FieldPath>,
    /// Leave values as they are, also those of the tenant's variables. Its domain and ids become placeholders all the same.
    #[arg(long, env = "PATCHWAVE_NO_PARAMETRIZE", hide_env = true)]
    pub no_parametrize: bool,
    /// File to write, instead of standard output.
    #[arg(short, long = "out-file", value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Overwrite the file where it exists.
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub pace: PaceArgs,
}

/// `--channel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChannelArg {
    /// Changes that people made.
    Dashboard,
    /// Changes that programs made.
    Api,
    /// All changes.
    All,
}

impl RecordArgs {
    /// `--until` of a watch.
    ///
    /// # Errors
    /// Where it is no time to wait for.
    pub(crate) fn watch_until(&self) -> Result<Option<Deadline>, String> {
        self.until.as_deref().map(parse_deadline).transpose()
    }

    /// `--until` of a log.
    ///
    /// # Errors
    /// Where it is no moment.
    pub(crate) fn log_until(&self) -> Result<Option<Moment>, String> {
        self.until.as_deref().map(parse_moment).transpose()
    }
}

/// `replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub apply: ApplyArgs,
}

/// `diff`.
#[derive(Debug, Clone, Args)]
pub struct DiffArgs {
    /// A JSON file of `get --all`, or a tenant of patchwave.toml.
    #[arg(value_name = "A")]
    pub before: String,
    /// What it is compared with: likewise.
    #[arg(value_name = "B")]
    pub after: String,
    /// What is compared: kinds separated by commas, or `all` [default: clients; of files what is in them].
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', env = "PATCHWAVE_KIND", hide_env = true)]
    pub kind: Vec<String>,
    /// Of two tenants: which client is which is told by what they have here, such as client_metadata.slug, instead of by name.
    #[arg(long, value_name = "PATH", env = "PATCHWAVE_IDENTITY", hide_env = true)]
    pub identity: Option<FieldPath>,
    /// Of two tenants: show also what differs only as their variables and domains do.
    #[arg(long, env = "PATCHWAVE_NO_PARAMETRIZE", hide_env = true)]
    pub no_parametrize: bool,
    /// Show every client, however many (else 100), and values whole, however long.
    #[arg(long)]
    pub full: bool,
    /// Exit with 2 where there are differences, which is so in any case.
    #[arg(long, hide = true)]
    pub detailed_exitcode: bool,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub pace: PaceArgs,
}
