//! What a call is to others: the scopes that it needs, and how a write stands in the tenant's log.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::call::{Call, Part, Target};
use crate::catalogue::default_kind;
use crate::model::Verb;
use crate::model::endpoint::{self, Association, Endpoint};
use crate::model::words::a;

/// What stands in a path as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How a write stands in the tenant's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// The operation's title in the API's reference, or one made like it.
    pub(super) description: String,
    /// The HTTP method, in small letters.
    pub(super) method: &'static str,
}

/// The calls that write an association.
pub(super) fn calls(association: &Association) -> impl Iterator<Item = &endpoint::Call> {
    [&association.add, &association.remove].into_iter().chain(&association.change)
}

/// The scope that deleting needs: that of creating or updating has its noun.
pub(super) fn delete_scope(endpoint: &Endpoint) -> Option<String> {
    let (_, noun) = endpoint.scopes.create.first().or(endpoint.scopes.update.first())?.split_once(':')?;
    Some(format!("delete:{noun}"))
}

impl Target {
    /// A call to the clients themselves, or to none of the kinds.
    pub(super) fn is_of_clients(&self) -> bool {
        std::ptr::eq(self.kind, default_kind())
    }

    /// What the tenant's log calls a write; nothing of other calls.
    pub(super) fn event(&self) -> Option<Event> {
        let one = a(&self.kind.singular);
        let event = |description, method| Some(Event { description, method });
        match (self.call, self.part) {
            (Call::RotateSecret, _) => event("Rotate a client secret".to_owned(), "post"),
            (Call::Create, _) => event(format!("Create {one}"), "post"),
            (Call::Delete, _) => event(format!("Delete {one}"), "delete"),
            (Call::Patch, Part::Then) => event(format!("Deploy {one}"), "post"),
            (Call::Patch, _) => event(format!("Update {one}"), method(self.verb)),
            _ => None,
        }
    }

    /// The path that the log shows.
    pub(super) fn path(&self, id: &str, item: &str) -> String {
        let endpoint = &self.kind.endpoint;
        let below = |id: &str| utf8_percent_encode(id, PLAIN).to_string();
        let object = || format!("/api/v2/{}/{}", endpoint.path, below(id));
        match (self.call, self.part) {
            (Call::Create, _) => format!("/api/v2/{}", endpoint.path),
            (Call::RotateSecret, _) => format!("{}/rotate-secret", object()),
            (_, Part::Then) => {
                let then = endpoint.then.as_ref().map_or("", |then| then.path.as_str());
                format!("{}/{then}", object())
            }
            (_, Part::List(association)) => format!("{}/{}", object(), association.path),
            (_, Part::Item(association)) => format!("{}/{}/{}", object(), association.path, below(item)),
            _ => object(),
        }
    }

    /// Scopes any one of which allows it; none where nothing is asked.
    pub(super) fn scopes(&self) -> Vec<String> {
        let scopes = &self.kind.endpoint.scopes;
        match (self.call, self.part) {
            (Call::Logs | Call::Log, _) => owned(&["read:logs", "read:logs_users"]),
            (Call::Token | Call::Other, _) => Vec::new(),
            (_, Part::List(association) | Part::Item(association)) if self.call.reads() => {
                association.read_scopes.clone()
            }
            (_, Part::List(association) | Part::Item(association)) => {
                let at_item = matches!(self.part, Part::Item(_));
                let call = calls(association).find(|call| call.verb == self.verb && call.at_item == at_item);
                call.map(|call| call.scopes.clone()).unwrap_or_default()
            }
            // OpenAPI, "Deploy an action": making a version is creating something.
            (_, Part::Then) => scopes.create.clone(),
            // A token for a summary sees less of a client, and is let in all the same.
            (Call::List | Call::Get, _) if self.is_of_clients() => {
                owned(&["read:clients", "read:client_keys", "read:client_credentials", "read:client_summary"])
            }
            (Call::List | Call::Get, _) => scopes.read.clone(),
            (Call::Create, _) => scopes.create.clone(),
            (Call::Delete, _) => delete_scope(&self.kind.endpoint).into_iter().collect(),
            (Call::RotateSecret, _) => owned(&["update:client_keys"]),
            (Call::Patch, _) => scopes.update.clone(),
        }
    }
}

fn owned(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Patch => "patch",
        Verb::Put => "put",
        Verb::Post => "post",
        Verb::Delete => "delete",
    }
}
