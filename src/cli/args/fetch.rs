//! Flags of `get` and `sandbox`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::values::{parse_age, parse_duration};
use super::{PaceArgs, TenantArgs};
use crate::sandbox::{Faults, Latency, Reset, Tier};

/// `get`.
#[derive(Debug, Clone, Args)]
pub struct GetArgs {
    /// What to fetch (a kind such as connections, roles or users; clients where nothing is said), and ids. The kind alone means
    /// all of it; several, separated by commas, or `all`, go into one JSON file.
    #[arg(value_name = "[KIND] ID", required_unless_present_any = ["all", "own", "narrow", "email"])]
    pub ids: Vec<String>,
    /// Users with this mail address, spelt as Auth0 stores it: in lower case. Repeatable.
    #[arg(long, value_name = "MAIL", conflicts_with_all = ["all", "own"])]
    pub email: Vec<String>,
    /// Every client of the tenant, or everything of that kind.
    #[arg(long, conflicts_with = "own")]
    pub all: bool,
    /// The client whose credentials are used.
    #[arg(long = "self", id = "own", conflicts_with = "ids")]
    pub own: bool,
    /// Only clients (or objects of that kind) of which this holds, such as "app_type == 'spa'".
    #[arg(long = "where", id = "narrow", value_name = "EXPR", conflicts_with = "own")]
    pub narrow: Option<String>,
    /// Only these fields, beside id and name. Repeatable, or separated by commas.
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    pub fields: Vec<String>,
    /// Form of the file [default: by its extension, else json].
    #[arg(long, value_enum)]
    pub format: Option<FormArg>,
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

/// `--format` of `get`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormArg {
    /// One object, or an array.
    Json,
    /// One object a line.
    Jsonl,
    /// A spreadsheet.
    Csv,
    /// A job with `expect` beside `set`.
    Toml,
}

/// `sandbox`.
#[derive(Debug, Clone, Args)]
pub struct SandboxArgs {
    /// Clients in each tenant.
    #[arg(long, value_name = "N", default_value = "100")]
    pub clients: usize,
    /// Tenants, each on a port of its own.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub tenants: u16,
    /// Port of the first tenant [default: one that is free].
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Listen with TLS, with a certificate for localhost, 127.0.0.1 and ::1 from a certificate authority made at the start.
    #[arg(long)]
    pub tls: bool,
    /// Where that authority's own certificate is written, for others to trust [default: ca.pem beside a written
    /// configuration, else in a temporary folder that goes when the sandbox stops].
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub ca_file: Option<PathBuf>,
    /// Published rate limit to simulate: free, essentials, professional, enterprise, enterprise-nonprod, private-cloud-dev,
    /// private-cloud-100 to -10000, unlimited, no-headers, or figures such as 50,16/s (burst, refill); two of them, as in
    /// 10,5/s+50,100/min, are two buckets of which every call takes a token each.
    #[arg(long, value_name = "NAME", default_value = "enterprise")]
    pub tier: Tier,
    /// Time each answer takes: mean and spread, such as 390ms or 390ms,200ms.
    #[arg(long, value_name = "D", default_value = "0ms")]
    pub latency: Latency,
    /// What x-ratelimit-reset means: the second at which the bucket is full again, or at which the next call fits.
    #[arg(long, value_name = "full|next", default_value = "full")]
    pub reset: Reset,
    /// Seconds that the tenants' clocks are ahead of this machine's; negative ones are behind.
    #[arg(long, value_name = "SECONDS", default_value = "0", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(-86_400..=86_400))]
    pub clock_skew: i64,
    /// How long the tenants' logs keep events, such as 10d [default: as long as they fit into memory].
    #[arg(long, value_name = "D", value_parser = parse_age)]
    pub log_retention: Option<Duration>,
    /// How long after a write its event is seen in the log, such as 30s [default: at once].
    #[arg(long, value_name = "D", value_parser = parse_duration)]
    pub log_delay: Option<Duration>,
    /// Every N-th event comes twice where the log is walked by checkpoint.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub log_doubles: Option<u64>,
    /// What tokens allow, separated by commas; all that the simulated API knows, where nothing is said.
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',')]
    pub scopes: Vec<String>,
    /// Let the tenants' own client sign in by a private key, whose public half is in this file (PEM), and no more by its secret.
    #[arg(long, value_name = "FILE")]
    pub public_key: Option<PathBuf>,
    /// What goes wrong, such as 503=5%,reset-before=5%,patch:hang=#3,competing=8/s@5s-12s,limit=25,8/s@5s:
    /// `[WHERE:]WHAT=AMOUNT`, joined by commas. Times are counted from the first API call.
    #[arg(long, value_name = "SPEC", default_value = "")]
    pub faults: Faults,
    /// Start from these clients: a JSON file of `get --all`, or lists of the API as they came. With other kinds beside them it is
    /// an object: {"clients": […], "connections": […]}.
    #[arg(long, value_name = "FILE")]
    pub load: Option<PathBuf>,
    /// Write a patchwave.toml of all the tenants into this folder, with their secrets beside it and a group `all`.
    #[arg(long, value_name = "DIR")]
    pub write_config: Option<PathBuf>,
    /// Same seed, same tenant.
    #[arg(long, value_name = "N", default_value = "1")]
    pub seed: u64,
}
