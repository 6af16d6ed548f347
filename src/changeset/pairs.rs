//! Which clients of two snapshots are one. Central function: [`pairs`].

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::catalogue::Kind;
use crate::model::{Body, EntityId, FieldPath};

/// The clients of one tenant at one time, without secrets.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// In the order in which they were read.
    pub clients: Vec<Client>,
}

impl Snapshot {
    /// Of bodies that hold their ids; one without an id is left out.
    pub fn of(kind: &Kind, bodies: Vec<Body>) -> Self {
        let id = |body: &Body| body.get(&kind.endpoint.id_field).and_then(Value::as_str).map(EntityId::new);
        Self { clients: bodies.into_iter().filter_map(|body| Some((id(&body)?, body))).collect() }
    }
}

/// A client: its id and its body.
pub type Client = (EntityId, Body);

/// What is what in two snapshots.
#[derive(Debug, Default)]
pub struct Pairs<'s> {
    /// Clients that are in both: before and after.
    pub both: Vec<(&'s Client, &'s Client)>,
    /// Clients that only the first has.
    pub gone: Vec<&'s Client>,
    /// Clients that only the second has.
    pub new: Vec<&'s Client>,
    /// Names or keys that several clients of one side have, each with the ids; none of them is in `both`.
    pub ambiguous: Vec<(String, Vec<EntityId>)>,
    /// Whether the two are of one tenant: then ids tell who is who, whatever their names.
    pub same_tenant: bool,
}

/// The name of a client, or what it has at the path that is said to tell clients apart.
pub fn key_of(kind: &Kind, identity: Option<&FieldPath>, body: &Body) -> Option<String> {
    let name = FieldPath::root_field(&kind.endpoint.name_field);
    match identity.unwrap_or(&name).get(body)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        _ => None,
    }
}

/// Brings two snapshots together. Of one tenant ids tell who is who; of two, names do, or what clients have at `identity`.
/// Where nobody knows of how many tenants they are (`same_tenant`), ids that both have tell it.
pub fn pairs<'s>(
    kind: &Kind,
    identity: Option<&FieldPath>,
    (before, after): (&'s Snapshot, &'s Snapshot),
    same_tenant: Option<bool>,
) -> Pairs<'s> {
    let ids: HashMap<&EntityId, &(EntityId, Body)> =
        after.clients.iter().map(|client| (&client.0, client)).collect();
    if same_tenant.unwrap_or_else(|| before.clients.iter().any(|(id, _)| ids.contains_key(id))) {
        return by_id(before, after, &ids);
    }
    by_key(kind, identity, before, after)
}

fn by_id<'s>(before: &'s Snapshot, after: &'s Snapshot, ids: &HashMap<&EntityId, &'s Client>) -> Pairs<'s> {
    let mut pairs = Pairs { same_tenant: true, ..Pairs::default() };
    let known: HashSet<&EntityId> = before.clients.iter().map(|(id, _)| id).collect();
    for client in &before.clients {
        match ids.get(&client.0) {
            Some(now) => pairs.both.push((client, now)),
            None => pairs.gone.push(client),
        }
    }
    pairs.new = after.clients.iter().filter(|(id, _)| !known.contains(id)).collect();
    pairs
}

fn by_key<'s>(
    kind: &Kind,
    identity: Option<&FieldPath>,
    before: &'s Snapshot,
    after: &'s Snapshot,
) -> Pairs<'s> {
    let keyed = |snapshot: &'s Snapshot| {
        let mut by: HashMap<String, Vec<&'s Client>> = HashMap::new();
        for client in &snapshot.clients {
            if let Some(key) = key_of(kind, identity, &client.1) {
                by.entry(key).or_default().push(client);
            }
        }
        by
    };
    let (old, new) = (keyed(before), keyed(after));
    let mut pairs = Pairs::default();
    let mut told: HashSet<String> = HashSet::new();
    let lone = |of: &HashMap<String, Vec<&'s Client>>, key: &str| of.get(key).cloned().unwrap_or_default();
    for (client, is_old) in before
        .clients
        .iter()
        .map(|client| (client, true))
        .chain(after.clients.iter().map(|client| (client, false)))
    {
        let Some(key) = key_of(kind, identity, &client.1) else {
            if is_old {
                pairs.gone.push(client);
            } else {
                pairs.new.push(client);
            }
            continue;
        };
        match (lone(&old, &key).as_slice(), lone(&new, &key).as_slice()) {
            ([one], [other]) => {
                if is_old {
                    pairs.both.push((one, other));
                }
            }
            ([_], []) => pairs.gone.push(client),
            ([], [_]) => pairs.new.push(client),
            (these, those) => {
                if told.insert(key.clone()) {
                    let ids = these.iter().chain(those).map(|(id, _)| id.clone()).collect();
                    pairs.ambiguous.push((key, ids));
                }
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::default_kind;
    use serde_json::json;

    fn snapshot(clients: &Value) -> Snapshot {
        Snapshot::of(default_kind(), serde_json::from_value(clients.clone()).unwrap())
    }

    fn told(before: &Value, after: &Value, identity: Option<&str>) -> String {
        let (before, after) = (snapshot(before), snapshot(after));
        let identity = identity.map(|path| path.parse().unwrap());
        let pairs = pairs(default_kind(), identity.as_ref(), (&before, &after), None);
        let ids = |clients: &[&(EntityId, Body)]| {
            clients.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(" ")
        };
        let both: Vec<String> = pairs.both.iter().map(|((a, _), (b, _))| format!("{a}={b}")).collect();
        let ambiguous: Vec<&str> = pairs.ambiguous.iter().map(|(key, _)| key.as_str()).collect();
        format!(
            "{} | gone {} | new {} | {}",
            both.join(" "),
            ids(&pairs.gone),
            ids(&pairs.new),
            ambiguous.join(" ")
        )
    }

    #[test]
    fn in_one_tenant_ids_tell_who_is_who_whatever_the_names() {
        let before = json!([{"client_id": "a", "name": "A"}, {"client_id": "b", "name": "B"}, {"client_id": "c", "name": "C"}]);
        let after = json!([{"client_id": "b", "name": "A"}, {"client_id": "a", "name": "B"}, {"client_id": "d", "name": "C"}]);
        assert_eq!(told(&before, &after, None), "a=a b=b | gone c | new d | ");
    }

    #[test]
    fn in_two_tenants_names_do_and_a_name_that_several_have_tells_nobody() {
        let before = json!([{"client_id": "a", "name": "A"}, {"client_id": "b", "name": "B"}, {"client_id": "b2", "name": "B"}]);
        let after = json!([{"client_id": "x", "name": "B"}, {"client_id": "y", "name": "A"}, {"client_id": "z", "name": "Z"}]);
        assert_eq!(told(&before, &after, None), "a=y | gone  | new z | B");
    }

    #[test]
    fn a_key_of_the_metadata_may_tell_them_apart_instead() {
        let client = |id: &str, name: &str, slug: &str| json!({"client_id": id, "name": name, "client_metadata": {"slug": slug}});
        let before = json!([client("a", "A", "one"), client("b", "B", "two")]);
        let after =
            json!([client("x", "B", "one"), client("y", "A", "two"), {"client_id": "z", "name": "A"}]);
        assert_eq!(told(&before, &after, Some("client_metadata.slug")), "a=x b=y | gone  | new z | ");
    }
}
