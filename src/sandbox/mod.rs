//! Simulated Auth0 tenants over real HTTP on loopback: a place to rehearse jobs, and the test bed of everything that talks to
//! a tenant. It shares the catalogue's data but none of its code, so that a judge does not share a mistake with the judged.
//!
//! Central types: [`Options`] (what it is asked to be), [`Sandbox`] (running) and [`TenantHandle`] (one tenant of it).
//! Uses `model` and the catalogue's `Kind` and `Field`.
//!
//! A request goes through `server` (bucket, fault, latency), `tenant` (token, scopes) and the operations, which are `clients`
//! for these and `objects` for every other kind. Both lean on pure parts: `bucket`, `faults`, `validate`, `merge`, `query`;
//! `rules` and `view` are of clients alone. What was written stands in `logs`. A new kind of the catalogue is served without a
//! line here; what its data does not say goes into `kinds.toml`.

mod assertion;
mod bucket;
mod call;
mod certificate;
mod clients;
mod clock;
mod connection;
mod counters;
mod creation;
mod details;
mod facts;
mod faults;
mod formats;
mod generate;
mod handle;
mod handle_objects;
mod list_form;
mod logs;
mod merge;
mod names;
mod oauth;
mod objects;
mod options;
mod parameters;
mod populate;
mod public_key;
mod query;
mod reply;
mod rules;
mod server;
mod store;
mod target;
mod tenant;
mod tier;
mod token;
mod traffic;
mod validate;
mod view;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use bucket::LimitChange;
pub use counters::{Counters, SeenPatch};
pub use faults::{Faults, FaultsError};
pub use handle::TenantHandle;
pub use logs::{DashboardUser, LogOptions};
pub use options::{Latency, LatencyError, Options, Reset, ResetError, known_scopes};
pub use public_key::{PublicKey, PublicKeyError};
pub use tier::{Apart, Limit, Limits, Tier, TierError};
pub use traffic::{Competing, Window};

use crate::model::Domain;
use certificate::Certificate;
use connection::Connections;
use tenant::Tenant;

/// How long requests under way are waited for when the sandbox stops.
const PATIENCE: Duration = Duration::from_secs(2);

/// Running tenants. They end with [`Sandbox::stop`], or at once when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    tenants: Vec<TenantHandle>,
    servers: Vec<JoinHandle<io::Result<()>>>,
    closing: watch::Sender<bool>,
    authority: Option<String>,
}

impl Sandbox {
    /// Starts the tenants; they listen, on 127.0.0.1 alone, when this returns.
    ///
    /// # Errors
    /// Where a port cannot be had, or no certificate be made.
    pub async fn start(options: Options) -> io::Result<Self> {
        let (closing, watching) = watch::channel(false);
        let certificate = options.tls.then(Certificate::new).transpose()?;
        let (tls, authority) = certificate.map(|made| (made.config, made.authority)).unzip();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut sandbox = Self { tenants: Vec::new(), servers: Vec::new(), closing, authority };
        let options = Arc::new(options);
        for number in 1..=options.tenants {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port(options.port, number)?)).await?;
            let domain = format!("{scheme}://{}", listener.local_addr()?);
            let domain = Domain::parse(&domain).map_err(io::Error::other)?;
            let tenant = Arc::new(Tenant::new(Arc::clone(&options), number, &domain, watching.clone()));
            let connections = Connections::new(listener, tls.clone());
            sandbox.servers.push(tokio::spawn(server::serve(connections, Arc::clone(&tenant))));
            sandbox.tenants.push(TenantHandle { tenant, domain });
        }
        Ok(sandbox)
    }

    /// The tenants, in order.
    pub fn tenants(&self) -> &[TenantHandle] {
        &self.tenants
    }

    /// With TLS, the certificate in PEM of the authority to trust. It was made for this sandbox, and its key is gone.
    pub fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Stops listening, lets requests under way finish for a moment, and ends.
    pub async fn stop(mut self) {
        self.closing.send_replace(true);
        for server in &mut self.servers {
            if tokio::time::timeout(PATIENCE, &mut *server).await.is_err() {
                server.abort();
            }
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        for server in &self.servers {
            server.abort();
        }
    }
}

/// The port of a tenant that counts from 1; 0 asks for any.
fn port(first: Option<u16>, number: usize) -> io::Result<u16> {
    let Some(first) = first.filter(|first| *first != 0) else { return Ok(0) };
    let offset = u16::try_from(number - 1).ok();
    offset.and_then(|offset| first.checked_add(offset)).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("there are no {number} ports from {first} on"))
    })
}

#[cfg(test)]
mod tests;
