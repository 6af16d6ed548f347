//! Flags of `tenants`.

use std::time::Duration;

use clap::Args;

use super::TenantArgs;
use super::values::parse_duration;

/// `tenants`.
#[derive(Debug, Clone, Args)]
pub struct TenantsArgs {
    #[command(flatten)]
    #[expect(missing_docs, reason = "named by its type")]
    pub tenant: TenantArgs,
    /// How long one request may take, such as 30s.
    #[arg(long, value_name = "D", default_value = "30s", value_parser = parse_duration, env = "PATCHWAVE_TIMEOUT", hide_env = true)]
    pub timeout: Duration,
}
