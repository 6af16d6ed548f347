//! `patchwave sandbox`: simulated tenants until stopped.

use std::path::Path;

use serde_json::{Value, json};

use super::args::SandboxArgs;
use super::error::CliError;
use super::exit;
use super::output::Output;
use crate::model::suggest;
use crate::report::term;
use crate::sandbox::{
    Counters, LogOptions, Options, PublicKey, PublicKeyError, Sandbox, TenantHandle, known_scopes,
};

mod ca_file;
mod landscape;
pub(super) mod loaded;
mod written_config;

use ca_file::CaFile;

/// Serves until Ctrl-C or SIGTERM, then tells what was seen.
pub(super) async fn run(args: SandboxArgs, output: &Output) -> Result<u8, CliError> {
    let load = args.load.as_deref().map(landscape::read).transpose()?.unwrap_or_default();
    let public_key = args.public_key.as_deref().map(public_key).transpose()?;
    if let Some(folder) = &args.write_config {
        written_config::check(folder)?;
    }
    let ca =
        args.tls.then(|| CaFile::at(args.ca_file.as_deref(), args.write_config.as_deref())).transpose()?;
    let options = Options {
        clients: args.clients,
        tenants: usize::from(args.tenants),
        seed: args.seed,
        tier: args.tier,
        latency: args.latency,
        faults: args.faults,
        port: args.port,
        tls: args.tls,
        load: load.clients,
        load_objects: load.objects,
        reset: args.reset,
        clock_skew: args.clock_skew,
        log: LogOptions {
            retention: args.log_retention,
            delay: args.log_delay.unwrap_or_default(),
            doubles: args.log_doubles.unwrap_or_default(),
        },
        public_key,
        scopes: scopes(args.scopes)?,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options)
        .await
        .map_err(|error| CliError::setup(format!("the sandbox cannot start: {error}")))?;
    let config = args.write_config.as_deref().map(|folder| written_config::write(folder, &sandbox));
    let config = config.transpose()?;
    if let Some((ca, authority)) = ca.as_ref().zip(sandbox.authority()) {
        ca.write(authority)?;
    }
    // From here on a signal is heard: whoever reads that it serves may stop it.
    let stop = crate::run::Stop::default();
    let _signals = crate::run::signals::listen(stop.clone(), || ())
        .map_err(|error| CliError::setup(format!("signals cannot be received: {error}")))?;
    match config {
        _ if output.json() => output.result(&as_json(&sandbox, ca.as_ref()).to_string()),
        Some(path) => output.result(&format!("{} are in {}", group(&sandbox), path.display())),
        None => output.result(&lines(&sandbox)),
    }
    if let Some(ca) = &ca {
        output.text(&format!("\n{}", ca.lines()));
    }
    if let Some(file) = &args.public_key {
        let how = match &args.write_config {
            Some(_) => format!("export {}=\"$(cat PRIVATE_KEY.pem)\"", written_config::KEY_VARIABLE),
            None => "put its path in the place of PRIVATE_KEY.pem".to_owned(),
        };
        let whose = file.display();
        output.note(&format!("The client signs in by the private key that belongs to {whose}: {how}"));
    }
    output.note("Serving until Ctrl-C. Simulated tenants on this machine: nothing here is a real secret.");
    stop.at_least(crate::model::StopReason::Interrupted).await;
    tell(&sandbox, output);
    sandbox.stop().await;
    Ok(exit::OK)
}

fn public_key(path: &Path) -> Result<PublicKey, CliError> {
    let wrong = |cause: String| CliError::usage(format!("--public-key {}: {cause}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    text.parse().map_err(|error: PublicKeyError| wrong(error.to_string()))
}

/// The scopes of tokens: those asked for, which the simulated API has to know.
fn scopes(asked: Vec<String>) -> Result<Vec<String>, CliError> {
    let known = [known_scopes(), vec!["read:client_summary".to_owned()]].concat();
    if let Some(unknown) = asked.iter().find(|asked| !known.contains(asked)) {
        let near = suggest::nearest(unknown, known.iter().map(String::as_str))
            .map_or_else(String::new, |near| format!(", did you mean {near}?"));
        let what =
            format!("--scopes: the sandbox knows no scope {unknown}{near}\nit knows {}", known.join(", "));
        return Err(CliError::usage(what));
    }
    Ok(if asked.is_empty() { known_scopes() } else { asked })
}

/// The environment lines to use, ready for a shell or a `.env` file; of several tenants, each under its own heading.
fn lines(sandbox: &Sandbox) -> String {
    let several = sandbox.tenants().len() > 1;
    let one = |(at, tenant): (usize, &TenantHandle)| {
        let heading = if several { format!("# tenant {}\n", at + 1) } else { String::new() };
        let proof = if tenant.wants_key() {
            "export AUTH0_CLIENT_SIGNING_KEY_PATH=PRIVATE_KEY.pem".to_owned()
        } else {
            format!("export AUTH0_CLIENT_SECRET={}", tenant.client_secret().expose())
        };
        format!(
            "{heading}export AUTH0_DOMAIN={}\nexport AUTH0_CLIENT_ID={}\n{proof}",
            address(tenant),
            tenant.client_id(),
        )
    };
    sandbox.tenants().iter().enumerate().map(one).collect::<Vec<_>>().join("\n\n")
}

/// With TLS without its scheme, as a domain is written: Auth0's own tools put `https://` before what they are given.
fn address(tenant: &TenantHandle) -> String {
    let domain = tenant.domain();
    let url = domain.base_url();
    if url.starts_with("https:") { domain.to_string() } else { url }
}

fn group(sandbox: &Sandbox) -> String {
    format!("{}, as the group `all`,", term::count(sandbox.tenants().len(), "simulated tenant"))
}

/// The same for programs.
fn as_json(sandbox: &Sandbox, ca: Option<&CaFile>) -> Value {
    let mut told =
        json!({ "tenants": sandbox.tenants().iter().map(TenantHandle::to_json).collect::<Vec<_>>() });
    if let Some(ca) = ca {
        told["ca_file"] = ca.path().to_string_lossy().into();
    }
    told
}

/// What each tenant has seen, now that nobody can ask any more.
fn tell(sandbox: &Sandbox, output: &Output) {
    let seen = sandbox.tenants().iter().map(|tenant| (tenant.domain().base_url(), tenant.counters()));
    if output.json() {
        let one = |(domain, counters): (String, Counters)| json!({ "domain": domain, "counters": counters });
        output.result(&json!({ "seen": seen.map(one).collect::<Vec<_>>() }).to_string());
        return;
    }
    for (domain, counters) in seen {
        output.note(&format!("{domain}: {}", in_words(&counters)));
    }
}

fn in_words(seen: &Counters) -> String {
    let reads = usize::try_from(seen.list + seen.get).unwrap_or(usize::MAX);
    let updates = usize::try_from(seen.patch).unwrap_or(usize::MAX);
    let mut words = format!(
        "{}, {}, {} × 429, at least {} left",
        term::count(reads, "read"),
        term::count(updates, "update"),
        seen.throttled,
        term::count(seen.lowest_tokens as usize, "token"),
    );
    let others = seen.competing_served + seen.competing_throttled;
    if others > 0 {
        words.push_str(&format!("; other traffic: {others} calls, {} refused", seen.competing_throttled));
    }
    words
}
