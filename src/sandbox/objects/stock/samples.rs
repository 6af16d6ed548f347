//! What made-up objects hold. Central function: [`sample`].

mod connections;

use serde_json::{Value, json};

use super::super::creation::begin_user;
use crate::model::{Body, Domain};
use connections::connection;

/// When everything here was made.
const MADE: &str = "2026-01-15T09:00:00.000Z";

/// What there is already, for others to name.
pub(super) struct Around<'a> {
    pub(super) clients: &'a [String],
    pub(super) connections: &'a [Body],
    pub(super) apis: &'a [Body],
}

impl Around<'_> {
    fn client(&self, index: usize) -> Option<&str> {
        self.clients.get(index % self.clients.len().max(1)).map(String::as_str)
    }

    fn connection(&self, index: usize) -> Option<&Body> {
        self.connections.get(index % self.connections.len().max(1))
    }

    /// An API other than the tenant's own, where there is one.
    fn api(&self, index: usize) -> Option<&Body> {
        let own: Vec<&Body> = self.apis.iter().filter(|api| !api.contains_key("is_system")).collect();
        own.get(index % own.len().max(1)).copied()
    }
}

/// The object of a kind with that index, from 0; none of kinds that are not made up.
pub(super) fn sample(kind: &str, index: usize, around: &Around<'_>) -> Option<Body> {
    let made = match kind {
        "connections" => connection(index, around),
        "resource-servers" => api(index),
        "client-grants" => grant(index, around)?,
        "roles" => role(index, around),
        "organizations" => organization(index, around),
        "actions" => action(index),
        "rules" => rule(index),
        "users" => user(index, around),
        _ => return None,
    };
    made.as_object().cloned()
}

/// One of some names; beyond them, numbered.
fn name(names: &[&str], index: usize) -> String {
    match names.get(index) {
        Some(name) => (*name).to_owned(),
        None => format!("{}-{}", names.last().copied().unwrap_or("more"), index + 1),
    }
}

/// One of some texts, in turn.
fn one_of<'t>(texts: &[&'t str], index: usize) -> &'t str {
    texts[index % texts.len()]
}

fn text<'a>(body: &'a Body, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The tenant's own API.
pub(super) fn system_api(domain: &Domain, scopes: &[String]) -> Body {
    let scopes: Vec<Value> = scopes
        .iter()
        .map(|scope| json!({ "value": scope, "description": scope.replace([':', '_'], " ") }))
        .collect();
    let host = domain.as_str();
    let mut body = with_defaults("Auth0 Management API", &format!("https://{host}/api/v2/"), &scopes);
    body["is_system"] = true.into();
    body.as_object().cloned().unwrap_or_default()
}

fn with_defaults(name: &str, identifier: &str, scopes: &[Value]) -> Value {
    json!({
        "name": name,
        "identifier": identifier,
        "allow_offline_access": false,
        "skip_consent_for_verifiable_first_party_clients": false,
        "subject_type_authorization": {
            "client": { "policy": "require_client_grant" },
            "user": { "policy": "allow_all" },
        },
        "token_lifetime": 86_400,
        "token_lifetime_for_web": 7200,
        "signing_alg": "RS256",
        "scopes": scopes,
    })
}

fn api(index: usize) -> Value {
    let name = name(&["orders", "billing", "reports"], index);
    let scopes = ["read", "write", "admin"];
    let scopes: Vec<Value> = scopes
        .iter()
        .map(|verb| json!({ "value": format!("{verb}:{name}"), "description": format!("{verb} {name}") }))
        .collect();
    with_defaults(&format!("{name} API"), &format!("https://{name}.acme.example/api"), &scopes)
}

/// A grant of each client at each API: one more than there can be is none.
fn grant(index: usize, around: &Around<'_>) -> Option<Value> {
    let clients = around.clients.len();
    let client = around.client(index).filter(|_| clients > 0)?;
    let apis = around.apis.iter().filter(|api| !api.contains_key("is_system")).count();
    let api = around.api(index + index / clients).filter(|_| index < clients * apis)?;
    Some(json!({
        "client_id": client,
        "audience": text(api, "identifier"),
        "scope": scopes(api).take(1 + index % 2).collect::<Vec<_>>(),
        "subject_type": "client",
    }))
}

fn scopes(api: &Body) -> impl Iterator<Item = &str> {
    let scopes = api.get("scopes").and_then(Value::as_array);
    scopes.into_iter().flatten().filter_map(|scope| scope.get("value")?.as_str())
}

fn role(index: usize, around: &Around<'_>) -> Value {
    const ROLES: [&str; 4] = ["Viewer", "Editor", "Billing clerk", "Administrator"];
    let name = name(&ROLES, index);
    let permission = |api: &Body, scope: &str| json!({ "resource_server_identifier": text(api, "identifier"), "permission_name": scope });
    let apis = around.apis.iter().filter(|api| !api.contains_key("is_system"));
    let permissions: Vec<Value> = apis
        .take(1 + index % 3)
        .flat_map(|api| {
            scopes(api).take(1 + index % 3).map(|scope| permission(api, scope)).collect::<Vec<_>>()
        })
        .collect();
    json!({ "name": name, "description": format!("Made up: {name}"), "permissions": permissions })
}

fn organization(index: usize, around: &Around<'_>) -> Value {
    let name = name(&["acme", "globex", "initech"], index);
    let enabled = (0..2.min(around.connections.len())).filter_map(|at| around.connection(index + at));
    let connections: Vec<Value> = enabled
        .map(|connection| {
            json!({
                "connection_id": text(connection, "id"),
                "assign_membership_on_login": index.is_multiple_of(2),
                "is_signup_enabled": false,
                "show_as_button": true,
            })
        })
        .collect();
    json!({
        "name": name,
        "display_name": format!("{} Inc.", name.to_uppercase()),
        "branding": { "logo_url": format!("https://{name}.example/logo.svg") },
        "metadata": { "plan": one_of(&["gold", "silver", "bronze"], index) },
        "connections": connections,
    })
}

fn action(index: usize) -> Value {
    json!({
        "name": name(&["Add roles to tokens", "Deny by country"], index),
        "supported_triggers": [{ "id": "post-login", "version": "v3" }],
        "code": "exports.onExecutePostLogin = async (event, api) => {};",
        "dependencies": [],
        "runtime": "node22",
        "secrets": [],
        "status": "built",
        "created_at": MADE,
        "updated_at": MADE,
        // One of them is a draft.
        "all_changes_deployed": index.is_multiple_of(2),
    })
}

fn rule(index: usize) -> Value {
    json!({
        "name": name(&["add-country", "link-accounts"], index),
        "script": "function (user, context, callback) { callback(null, user, context); }",
        "order": index + 1,
        "enabled": index.is_multiple_of(2),
        "stage": "login_success",
    })
}

fn user(index: usize, around: &Around<'_>) -> Value {
    const FIRST: [&str; 10] =
        ["ada", "grace", "alan", "edsger", "barbara", "donald", "frances", "ken", "margaret", "niklaus"];
    const LAST: [&str; 4] = ["lovelace", "hopper", "turing", "liskov"];
    let first = FIRST[index % FIRST.len()];
    let last = LAST[index / FIRST.len() % LAST.len()];
    let number = if index < FIRST.len() * LAST.len() { String::new() } else { (index + 1).to_string() };
    let database = around.connections.iter().find(|connection| text(connection, "strategy") == "auth0");
    json!({
        "connection": database.map_or("Username-Password-Authentication", |found| text(found, "name")),
        "email": format!("{first}.{last}{number}@acme.example"),
        "email_verified": index % 4 != 3,
        "given_name": first,
        "family_name": last,
        "user_metadata": { "language": one_of(&["en", "de", "fr"], index) },
        "app_metadata": { "plan": one_of(&["free", "paid"], index) },
        "created_at": MADE,
        "updated_at": MADE,
    })
}

/// Fills in what a user gets of its own, and takes out what is not kept.
pub(super) fn identify(user: &mut Body) {
    let sent = user.clone();
    let mut made = Body::new();
    made.insert("user_id".into(), sent.get("user_id").cloned().unwrap_or_default());
    begin_user(&sent, &mut made);
    for (field, value) in made {
        user.entry(field).or_insert(value);
    }
    user.shift_remove("connection");
}
