//! `patchwave sandbox`: simulated tenants until stopped.

use std::path::Path;

use super::args::SandboxArgs;
use super::error::CliError;
use super::exit;
use super::output::Output;
use crate::model::Body;
use crate::sandbox::{Options, Sandbox};

/// Serves until Ctrl-C or SIGTERM.
pub(super) async fn run(args: SandboxArgs, output: &Output) -> Result<u8, CliError> {
    let load = args.load.as_deref().map(load).transpose()?;
    let options = Options {
        clients: args.clients,
        tenants: usize::from(args.tenants),
        seed: args.seed,
        tier: args.tier,
        latency: args.latency,
        faults: args.faults,
        port: args.port,
        load,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| CliError::setup(format!("the sandbox cannot start: {error}")))?;
    output.result(&lines(&sandbox));
    output.note("Serving until Ctrl-C. Simulated tenants on this machine: nothing here is a real secret.");
    let stop = crate::run::Stop::default();
    let signals = crate::run::signals::listen(stop.clone(), || ());
    match signals {
        Ok(_) => stop.at_least(crate::model::StopReason::Interrupted).await,
        Err(error) => return Err(CliError::setup(format!("signals cannot be received: {error}"))),
    }
    sandbox.stop().await;
    Ok(exit::OK)
}

/// The environment lines to use, ready for a shell or a `.env` file; of several tenants, each under its own heading.
fn lines(sandbox: &Sandbox) -> String {
    let several = sandbox.tenants().len() > 1;
    let one = |(at, tenant): (usize, &crate::sandbox::TenantHandle)| {
        let heading = if several { format!("# tenant {}\n", at + 1) } else { String::new() };
        format!(
            "{heading}export AUTH0_DOMAIN={}\nexport AUTH0_CLIENT_ID={}\nexport AUTH0_CLIENT_SECRET={}",
            tenant.domain().base_url(),
            tenant.client_id(),
            tenant.client_secret().expose()
        )
    };
    sandbox.tenants().iter().enumerate().map(one).collect::<Vec<_>>().join("\n\n")
}

fn load(path: &Path) -> Result<Vec<Body>, CliError> {
    let wrong = |cause: String| CliError::usage(format!("--load {}: {cause}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let bodies: Vec<Body> =
        serde_json::from_str(&text).map_err(|error| wrong(format!("not an array of clients: {error}")))?;
    if bodies.is_empty() { Err(wrong("holds no client".to_owned())) } else { Ok(bodies) }
}
