//! How an object comes into being.

use serde_json::{Value, json};

use super::super::clients::read_body;
use super::super::generate::Maker;
use super::super::merge::merge_into;
use super::super::reply::{Refusal, Reply};
use super::super::store::lock;
use super::super::validate::{Purpose, Validator};
use super::{Asked, Objects, Shelf, check_field_scopes, rules, stamp};
use crate::model::Body;

impl Objects {
    /// Makes an object.
    pub(super) fn create(&self, shelf: &Shelf, asked: &Asked<'_>) -> Result<Reply, Refusal> {
        let mut sent = read_body(asked.body)?;
        Validator::of(shelf.kind).check(&sent, Purpose::Create)?;
        check_field_scopes(shelf.kind, &sent, asked.claims)?;
        let _writing = lock(&self.writing);
        let mut object = Body::new();
        let id = self.new_id(shelf, &sent)?;
        object.insert(shelf.kind.endpoint.id_field.clone(), id.as_str().into());
        object.extend(shelf.facts.defaults.clone());
        self.begin(shelf, &sent, &mut object)?;
        sent.retain(|field, _| !shelf.facts.passing.contains(field));
        merge_into(&mut object, &sent, shelf.kind.root());
        rules::settle(shelf.kind, &sent, &mut object, asked.now);
        self.check_references(shelf, None, &object)?;
        self.check_unique(shelf, None, &Body::new(), &object)?;
        self.check_mail(shelf, &Body::new(), &object)?;
        stamp(shelf.kind, &mut object, &["created_at", "updated_at"], asked.now);
        shelf.store.insert(&id, &object);
        Ok(shelf.written(shelf.facts.created.unwrap_or(201), &object))
    }

    /// The id of a new object; that of a user is told with the strategy of the connection, and may be chosen.
    fn new_id(&self, shelf: &Shelf, sent: &Body) -> Result<String, Refusal> {
        let mut maker = lock(&self.maker);
        if shelf.kind.name != "users" {
            return Ok(maker.id_of(shelf.kind));
        }
        let chosen = sent.get("user_id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let own = chosen.map_or_else(|| maker.hex(24), str::to_owned);
        let id = format!("{}|{own}", self.strategy(sent)?);
        if shelf.store.get(&id).is_some() { Err(shelf.taken()) } else { Ok(id) }
    }

    /// The strategy of the connection that a new user is to be in.
    fn strategy(&self, sent: &Body) -> Result<String, Refusal> {
        let absent = || Refusal::new(400, "The connection does not exist.").code("inexistent_connection");
        let name = sent.get("connection").ok_or_else(absent)?;
        let connection = self.shelf("connections").and_then(|shelf| shelf.having(&[("name", name)]));
        let strategy = connection.as_ref().and_then(|connection| connection.get("strategy")?.as_str());
        strategy.map(str::to_owned).ok_or_else(absent)
    }

    /// What single kinds have from the beginning beside the defaults, by what is asked for.
    fn begin(&self, shelf: &Shelf, sent: &Body, object: &mut Body) -> Result<(), Refusal> {
        let text = |field: &str| sent.get(field).and_then(Value::as_str).unwrap_or_default();
        match shelf.kind.name.as_str() {
            "connections" => begin_connection(sent, object),
            "resource-servers" => {
                object.insert("name".into(), text("identifier").into());
            }
            "rules" => {
                object.insert("order".into(), (shelf.store.all().len() + 1).into());
            }
            "actions" if sent.get("deploy") == Some(&Value::Bool(true)) => {
                object.insert("all_changes_deployed".into(), true.into());
            }
            "client-grants" => self.check_api(text("audience"))?,
            "organizations" => {
                let enabled = sent.get("enabled_connections").and_then(Value::as_array);
                let enabled = enabled.map(|items| self.connections_of(shelf, items)).transpose()?;
                object.insert("connections".into(), enabled.unwrap_or_default().into());
            }
            "users" => begin_user(sent, object),
            _ => {}
        }
        Ok(())
    }

    /// A grant is for an API that is there (OpenAPI, "Create a client grant").
    fn check_api(&self, audience: &str) -> Result<(), Refusal> {
        let Some(apis) = self.shelf("resource-servers") else { return Ok(()) };
        match apis.having(&[("identifier", &audience.into())]) {
            Some(_) => Ok(()),
            None => Err(apis.absent()),
        }
    }
}

fn begin_connection(sent: &Body, object: &mut Body) {
    object.insert("realms".into(), json!([sent.get("name")]));
    if sent.get("strategy").and_then(Value::as_str) == Some("auth0") {
        object.insert("authentication".into(), json!({ "active": true }));
        object.insert("connected_accounts".into(), json!({ "active": false }));
        object.insert(
            "options".into(),
            json!({
                "mfa": { "active": true, "return_enroll_settings": true },
                "brute_force_protection": true,
                "strategy_version": 2,
            }),
        );
    }
}

/// What a user is called where nobody says, and where it comes from.
pub(super) fn begin_user(sent: &Body, user: &mut Body) {
    let text = |field: &str| sent.get(field).and_then(Value::as_str);
    let id = user.get("user_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (provider, own) = id.split_once('|').unwrap_or(("auth0", &id));
    let identity = json!({
        "connection": sent.get("connection"),
        "user_id": own,
        "provider": provider,
        "isSocial": false,
    });
    user.insert("identities".into(), json!([identity]));
    if let Some(name) = text("email").or(text("username")).or(text("phone_number")) {
        user.insert("name".into(), name.into());
        user.insert("nickname".into(), name.split('@').next().unwrap_or_default().into());
        user.insert("picture".into(), "https://s.gravatar.com/avatar/sandbox?s=480&r=pg".into());
    }
    user.shift_remove("user_id");
    user.insert("user_id".into(), id.into());
}

impl Maker {
    /// An id of a kind, of the form that the service gives it.
    pub(super) fn id_of(&mut self, kind: &crate::catalogue::Kind) -> String {
        match (&kind.endpoint.id_prefix, kind.name.as_str()) {
            (Some(prefix), _) => format!("{prefix}{}", self.text(16)),
            (None, "users") => format!("auth0|{}", self.hex(24)),
            (None, "actions") => self.uuid(),
            (None, _) => self.hex(24),
        }
    }
}
