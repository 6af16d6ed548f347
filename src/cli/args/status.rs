//! Flags of `status`.

use clap::Args;

use super::TenantArgs;

/// `status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// Only this change set: its file, its name, or the beginning of its digest.
    #[arg(value_name = "CHANGESET")]
    pub change_set: Option<String>,
    /// A field that this version does not know, and the file names. Repeatable.
    #[arg(long, value_name = "PATH", help_heading = "Job")]
    pub allow_field: Vec<String>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
}
