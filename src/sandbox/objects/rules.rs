//! What no schema says of single kinds: values that the service refuses because of other values, and those that it sets itself.

use serde_json::{Value, json};

use super::super::facts::facts;
use super::super::reply::Refusal;
use super::{Objects, Shelf};
use crate::catalogue::Kind;
use crate::model::Body;

/// Judges a change against the object as it is.
///
/// # Errors
/// With the first rule it breaks.
pub(super) fn check_before(kind: &Kind, before: &Body, sent: &Body) -> Result<(), Refusal> {
    match kind.name.as_str() {
        "resource-servers" => system_api(before, sent),
        "users" => one_at_a_time(sent),
        _ => Ok(()),
    }
}

/// Of the tenant's own API most is fixed (Auth0's deploy CLI sends no more than these; the wording is assumed).
fn system_api(before: &Body, sent: &Body) -> Result<(), Refusal> {
    const OPEN: [&str; 4] = [
        "token_lifetime",
        "skip_consent_for_verifiable_first_party_clients",
        "subject_type_authorization",
        "proof_of_possession",
    ];
    let fixed: Vec<&str> = sent.keys().map(String::as_str).filter(|field| !OPEN.contains(field)).collect();
    if before.get("is_system") != Some(&Value::Bool(true)) || fixed.is_empty() {
        return Ok(());
    }
    Err(Refusal::body(format!("System API: these fields cannot be changed: {}", fixed.join(", "))))
}

/// What somebody signs in by is changed on its own (Auth0, "Update a user"; the wording is assumed).
fn one_at_a_time(sent: &Body) -> Result<(), Refusal> {
    const IDENTIFYING: [&str; 4] = ["email", "phone_number", "username", "password"];
    let named: Vec<&str> = IDENTIFYING.into_iter().filter(|field| sent.contains_key(*field)).collect();
    match named.as_slice() {
        [first, second, ..] => {
            Err(Refusal::body(format!("Cannot update {first} and {second} simultaneously")))
        }
        _ => Ok(()),
    }
}

/// What an update that does not name it sets back (documented of connections: what they are called on the screen, and their
/// realm). Where there was no such name, that there is none afterwards is assumed.
pub(super) fn set_back(kind: &Kind, sent: &Body, after: &mut Body) {
    if kind.name != "connections" || sent.is_empty() {
        return;
    }
    let name = after.get("name").cloned().unwrap_or_default();
    for (field, value) in [("display_name", name.clone()), ("realms", json!([name]))] {
        if !sent.contains_key(field) && after.contains_key(field) {
            after.insert(field.to_owned(), value);
        }
    }
}

/// What the service does of itself to an object that was made or changed.
pub(super) fn settle(kind: &Kind, sent: &Body, after: &mut Body, now: &str) {
    match kind.name.as_str() {
        "actions" => hide_secrets(sent, after, now),
        "client-grants" if after.get("allow_all_scopes") == Some(&Value::Bool(true)) => {
            after.shift_remove("scope");
        }
        "connections" => {
            // Null empties the list, which is there all the same.
            after.entry("enabled_clients").or_insert_with(|| json!([]));
            keep_methods(after);
        }
        "users" => lower_mail(after),
        _ => {}
    }
}

/// Secrets are written and never read: their names stay, and when each was set.
fn hide_secrets(sent: &Body, after: &mut Body, now: &str) {
    if !sent.contains_key("secrets") {
        return;
    }
    let secrets = after.get_mut("secrets").and_then(Value::as_array_mut);
    for secret in secrets.into_iter().flatten() {
        *secret = json!({ "name": secret["name"], "updated_at": now });
    }
}

/// A database connection always tells how people sign in (recorded: options without these come back with them).
fn keep_methods(after: &mut Body) {
    if after.get("strategy").and_then(Value::as_str) != Some("auth0") {
        return;
    }
    let Some(options) = after.get_mut("options").and_then(Value::as_object_mut) else { return };
    for (field, value) in [
        (
            "authentication_methods",
            json!({
                "passkey": { "enabled": false },
                "password": { "enabled": true, "api_behavior": "required", "signup_behavior": "allow" },
            }),
        ),
        (
            "passkey_options",
            json!({
                "challenge_ui": "both",
                "local_enrollment_enabled": true,
                "progressive_enrollment_enabled": true,
            }),
        ),
    ] {
        options.entry(field).or_insert(value);
    }
}

fn lower_mail(after: &mut Body) {
    if let Some(Value::String(mail)) = after.get_mut("email") {
        *mail = mail.to_lowercase();
    }
}

impl Objects {
    /// An id in a field must be that of something, unless it stood there before.
    pub(super) fn check_references(
        &self,
        shelf: &Shelf,
        before: Option<&Body>,
        after: &Body,
    ) -> Result<(), Refusal> {
        for (name, field) in &shelf.kind.root().fields {
            let of_items = field.items.as_ref().and_then(|items| items.references.as_ref());
            let Some(kind) = field.references.as_ref().or(of_items) else { continue };
            let known = before.and_then(|before| before.get(name)).map(ids).unwrap_or_default();
            let named = after.get(name).map(ids).unwrap_or_default();
            if let Some(unknown) = named.iter().find(|id| !known.contains(*id) && !self.exists(kind, id)) {
                return Err(no_such(kind, unknown));
            }
        }
        Ok(())
    }

    /// What makes an object unique is one object's alone.
    pub(super) fn check_unique(
        &self,
        shelf: &Shelf,
        own: Option<&str>,
        before: &Body,
        after: &Body,
    ) -> Result<(), Refusal> {
        let unique = &shelf.facts.unique;
        let values: Vec<(&str, &Value)> =
            unique.iter().map(|field| (field.as_str(), after.get(field).unwrap_or(&Value::Null))).collect();
        let moved = unique.iter().any(|field| before.get(field) != after.get(field));
        if !moved || values.is_empty() {
            return Ok(());
        }
        match shelf.having(&values) {
            Some(other) if other.get(&shelf.kind.endpoint.id_field).and_then(Value::as_str) != own => {
                Err(shelf.taken())
            }
            _ => Ok(()),
        }
    }
}

impl Objects {
    /// A mail is one user's in a connection.
    pub(super) fn check_mail(&self, shelf: &Shelf, before: &Body, after: &Body) -> Result<(), Refusal> {
        let Some(mail) =
            after.get("email").filter(|mail| shelf.kind.name == "users" && before.get("email") != Some(mail))
        else {
            return Ok(());
        };
        let connection = connection_of(after);
        let there = |user: Body| {
            user.get("email") == Some(mail)
                && user.get("user_id") != after.get("user_id")
                && connection_of(&user) == connection
        };
        let all = shelf.store.all();
        let mut likely = all.iter().map(|slot| slot.read()).filter(|stored| stored.mentions(mail));
        if likely.any(|stored| there(stored.body())) { Err(shelf.taken()) } else { Ok(()) }
    }
}

/// The connection that a user came by first.
fn connection_of(user: &Body) -> Option<&str> {
    user.get("identities")?.get(0)?.get("connection")?.as_str()
}

impl Shelf {
    /// Why an object is not made beside one like it.
    pub(super) fn taken(&self) -> Refusal {
        let told = self.facts.taken.clone();
        let refusal = Refusal::new(
            409,
            told.unwrap_or_else(|| format!("A {} like this already exists.", self.kind.singular)),
        );
        match self.facts.taken_code.as_deref() {
            Some(code) => refusal.code(code),
            None => refusal,
        }
    }
}

/// Why a body that names something unknown is refused. Assumed: a 404 would say that the object itself is not there.
pub(super) fn no_such(kind: &str, id: &str) -> Refusal {
    let absent = facts(kind).absent.as_deref().unwrap_or("Not found");
    Refusal::body(format!("{}: {id}", absent.trim_end_matches('.')))
}

fn ids(value: &Value) -> Vec<&str> {
    match value {
        Value::String(id) => vec![id],
        Value::Array(ids) => ids.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
