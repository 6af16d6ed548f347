//! Changes by people, as their Dashboard makes them. Central type: [`DashboardUser`].

use super::super::call::Route;
use super::super::options::known_scopes;
use super::super::reply::Reply;
use super::super::tenant::Tenant;
use super::super::token::Claims;
use super::{Trace, Write};
use crate::catalogue::Kind;

/// The client that the Dashboard signs in with; no client of the tenant has this id.
pub(super) const CLIENT: &str = "DASHBOARDCLIENTID000000000000000";
/// What the Dashboard may do with clients.
const SCOPES: &str = "read:clients read:client_keys update:clients update:client_keys update:client_credentials \
    update:client_token_vault_privileged_access";

/// Somebody who changes something in the Dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DashboardUser {
    /// As the log shows it.
    pub name: String,
    /// Likewise.
    pub email: String,
}

impl DashboardUser {
    /// Reads `Ada Lovelace <ada@acme.example>`, or an address alone.
    pub(in crate::sandbox) fn parse(text: &str) -> Self {
        let parts = text.trim().strip_suffix('>').and_then(|text| text.split_once('<'));
        let (name, email) = parts.unwrap_or((text, text));
        Self { name: name.trim().to_owned(), email: email.trim().to_owned() }
    }

    /// The same for the same address.
    pub(super) fn id(&self) -> String {
        let hash = self.email.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("auth0|{hash:024x}")
    }
}

impl Tenant {
    /// Updates an object as somebody in the Dashboard does: no token, no limit, but an event.
    pub(in crate::sandbox) fn patch_as(
        &self,
        user: &DashboardUser,
        kind: &'static Kind,
        id: &str,
        body: &[u8],
    ) -> Reply {
        let route = Route::patch(kind, id);
        let scope = if route.target.is_of_clients() { SCOPES.to_owned() } else { known_scopes().join(" ") };
        let claims = Claims { scope, jti: "dashboard".to_owned(), ..Claims::default() };
        let reply = self.perform(&route, "", body, &claims);
        if reply.status == 200 {
            let trace = Trace { user: Some(Box::new(user.clone())), ..Trace::default() };
            self.record(Write { route: &route, query: "", body, claims: &claims, trace, reply: &reply });
        }
        reply
    }
}
