//! Where settings, tenants and credentials come from: the environment, a `.env` file and `patchwave.toml`.
//! It is built so that the wrong tenant is hard to hit: domain, id and secret are one set from one place, and what
//! was chosen carries the words that a person is shown about its origin.
//!
//! Central types: [`Environment`] (variables, each with its origin), [`Config`] (`patchwave.toml`) and [`Selected`]
//! (a tenant to work on); [`resolve`] fetches its secret when it is needed. Uses `model`.

mod credentials;
mod dotenv;
mod env;
mod file;
mod mask;
mod reader;
mod secrets;
mod select;
mod tenants;
#[cfg(test)]
mod tests;

pub use env::{Environment, Origin, Var, process_environment};
pub use file::{Config, GuardTexts, load};
pub use secrets::{CredentialSource, Credentials, SecretError, SecretSource, fetch_for, resolve};
pub use select::{SelectError, Selected, select};
pub use tenants::{TenantConfig, parse_share};
