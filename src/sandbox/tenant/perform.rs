//! What is done on a call: scopes first, then the operation on clients, on objects of another kind, or on the log.

use super::super::call::{Call, Route};
use super::super::objects::Asked;
use super::super::reply::{Refusal, Reply};
use super::super::token::Claims;
use super::Tenant;
use crate::catalogue::default_kind;

impl Tenant {
    /// Does what is asked.
    pub(in crate::sandbox) fn execute(
        &self,
        route: &Route,
        query: &str,
        body: &[u8],
        claims: &Claims,
    ) -> Reply {
        let scopes = route.target.scopes();
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        if !scopes.is_empty() && !claims.any_scope(&scopes) {
            return Refusal::scope(&scopes).into();
        }
        self.perform(route, query, body, claims)
    }

    /// Does what is asked by somebody who may.
    pub(in crate::sandbox) fn perform(
        &self,
        route: &Route,
        query: &str,
        body: &[u8],
        claims: &Claims,
    ) -> Reply {
        let id = route.id.as_str();
        let done = match route.target.call {
            Call::Logs => self.log.list(query, &self.logs_url(), &self.options.scopes, self.unix_micros()),
            Call::Log => self.log.one(id, &self.options.scopes, self.unix_micros()),
            Call::Token | Call::Other => Err(Refusal::new(404, "Not Found")),
            _ if !route.target.is_of_clients() => {
                self.objects.execute(&Asked { route, query, body, claims, now: &self.now() })
            }
            Call::List => self.clients.list(query, claims),
            Call::Get => self.clients.get(id, query, claims),
            Call::Patch => self.clients.patch(id, body, claims),
            Call::Create => self.clients.create(body, claims),
            Call::Delete => self.delete_client(id),
            Call::RotateSecret => self.clients.rotate_secret(id, claims),
        };
        done.unwrap_or_else(Reply::from)
    }

    /// With a client goes what is about it.
    fn delete_client(&self, id: &str) -> Result<Reply, Refusal> {
        let reply = self.clients.delete(id)?;
        self.objects.forget_client(&default_kind().name, id);
        Ok(reply)
    }

    /// Whether what a call is about is there.
    pub(in crate::sandbox) fn holds(&self, route: &Route) -> bool {
        let kind = &route.target.kind.name;
        let store = self.objects.shelf(kind).map_or(&*self.clients.store, |shelf| &shelf.store);
        store.get(&route.id).is_some()
    }

    /// The time, as objects show it.
    fn now(&self) -> String {
        format!("{:.3}", jiff::Timestamp::from_microsecond(self.unix_micros()).unwrap_or_default())
    }
}
