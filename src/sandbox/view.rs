//! What of a stored client an answer shows: by the token's scopes, by the call, and by the fields asked for.
//! Central types: [`Sight`] and [`Projection`].

use serde_json::{Value, json};

use super::reply::Refusal;
use super::store::Stored;
use super::token::Claims;
use crate::model::Body;

/// What a token may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sight {
    keys: bool,
    credentials: bool,
    /// Whether reads show no more than [`SUMMARY`], and the fields that a scope of their own shows.
    summary_only: bool,
}

/// The call that shows a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    One,
    Patch,
    Create,
}

const SUMMARY: [&str; 4] = ["client_id", "name", "app_type", "description"];
const SECRETS: [&str; 4] =
    ["client_secret", "encryption_key", "signing_keys", "client_authentication_methods"];
/// Shown by the next read, but not in the answer to a PATCH.
pub(super) const NOT_IN_PATCH: [&str; 3] =
    ["external_client_id", "external_metadata_type", "external_metadata_created_by"];

impl Sight {
    pub(super) fn of(claims: &Claims) -> Self {
        let keys = claims.any_scope(&["read:client_keys"]);
        let credentials = claims.any_scope(&["read:client_credentials"]);
        // A token that may not read at all is shown what its own writes lead to.
        let some = credentials || claims.any_scope(&["read:client_summary"]);
        let all = keys || claims.any_scope(&["read:clients"]);
        Self { keys, credentials, summary_only: some && !all }
    }

    fn allows(self, key: &str) -> bool {
        if SECRETS.contains(&key) {
            let with_credentials = matches!(key, "signing_keys" | "client_authentication_methods");
            return self.keys || (self.credentials && with_credentials);
        }
        !self.summary_only || SUMMARY.contains(&key)
    }

    /// Whether a stored client, as it stands, is what this token sees in the answer to a read or a PATCH.
    pub(super) fn shows_all(self, client: &Stored) -> bool {
        self.keys && client.plain
    }

    /// Takes away what an answer does not show.
    pub(super) fn trim(self, client: &mut Body, shape: Shape) {
        if client.get("client_authentication_methods").is_some_and(|methods| !methods.is_null()) {
            client.remove("client_secret");
            client.remove("token_endpoint_auth_method");
        }
        client.retain(|key, _| {
            self.allows(key) && (shape != Shape::Patch || !NOT_IN_PATCH.contains(&key.as_str()))
        });
        match shape {
            Shape::List => name_list_subjects(client),
            Shape::Create => {
                client.insert("encrypted".into(), json!(true));
            }
            Shape::One | Shape::Patch => {}
        }
    }
}

/// Lists call every certificate's subject "deprecated"; single answers give it.
fn name_list_subjects(client: &mut Body) {
    let keys = client.get_mut("signing_keys").and_then(Value::as_array_mut);
    for key in keys.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let Some(subject) = key.get_mut("subject") {
            *subject = json!("deprecated");
        }
    }
}

/// The `fields` and `include_fields` parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Projection {
    All,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Projection {
    pub(super) fn of(fields: Option<&str>, include: bool) -> Self {
        let names = || fields.unwrap_or_default().split(',').map(|name| name.trim().to_owned()).collect();
        match fields {
            None => Self::All,
            Some("") => Self::All,
            Some(_) if include => Self::Only(names()),
            Some(_) => Self::Without(names()),
        }
    }

    /// Refuses a field asked for by name that the token must not see.
    ///
    /// # Errors
    /// 403, naming the fields.
    pub(super) fn check(&self, sight: Sight) -> Result<(), Refusal> {
        let Self::Only(names) = self else { return Ok(()) };
        let hidden: Vec<&str> = names.iter().map(String::as_str).filter(|name| !sight.allows(name)).collect();
        if hidden.is_empty() {
            return Ok(());
        }
        Err(Refusal::fields("read", &hidden))
    }

    pub(super) fn apply(&self, client: &mut Body) {
        match self {
            Self::All => {}
            // `tenant` comes back even when it is not named.
            Self::Only(names) => {
                client.retain(|key, _| key == "tenant" || names.iter().any(|name| name == key));
            }
            Self::Without(names) => client.retain(|key, _| !names.iter().any(|name| name == key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(scope: &str) -> Sight {
        Sight::of(&Claims { scope: scope.into(), ..Claims::default() })
    }

    fn keys(scope: &str, shape: Shape, client: Value) -> Vec<String> {
        let Value::Object(mut client) = client else { panic!("no object") };
        sight(scope).trim(&mut client, shape);
        client.keys().cloned().collect()
    }

    #[test]
    fn secrets_are_shown_to_tokens_with_read_client_keys_alone() {
        let client = json!({"name": "n", "client_secret": "s", "signing_keys": []});
        assert_eq!(
            keys("read:clients read:client_keys", Shape::One, client.clone()),
            ["name", "client_secret", "signing_keys"]
        );
        assert_eq!(keys("read:clients", Shape::One, client.clone()), ["name"]);
        assert_eq!(
            keys("read:clients read:client_credentials", Shape::One, client),
            ["name", "signing_keys"]
        );
        let refusal =
            Projection::of(Some("name,client_secret"), true).check(sight("read:clients")).unwrap_err();
        assert_eq!(refusal.message, "You cannot read the following fields: client_secret");
    }

    #[test]
    fn a_summary_token_sees_four_fields() {
        let client =
            json!({"client_id": "c", "name": "n", "app_type": "spa", "callbacks": [], "tenant": "t"});
        assert_eq!(keys("read:client_summary", Shape::List, client), ["client_id", "name", "app_type"]);
    }

    #[test]
    fn a_token_for_credentials_sees_those_beside_the_summary() {
        let client =
            json!({"name": "n", "callbacks": [], "client_secret": "s", "client_authentication_methods": {}});
        assert_eq!(
            keys("read:client_credentials", Shape::One, client),
            ["name", "client_authentication_methods"]
        );
    }

    #[test]
    fn authentication_methods_hide_the_secret_and_the_old_method() {
        let client = json!({"client_secret": "s", "token_endpoint_auth_method": "none", "client_authentication_methods": {"private_key_jwt": {}}});
        assert_eq!(keys("read:client_keys", Shape::One, client), ["client_authentication_methods"]);
    }

    #[test]
    fn a_patch_does_not_answer_the_external_fields() {
        let client = json!({"name": "n", "external_client_id": "https://a.example"});
        assert_eq!(keys("read:clients", Shape::Patch, client.clone()), ["name"]);
        assert!(!sight("read:client_keys").shows_all(&Stored::new(client.as_object().unwrap())));
    }

    #[test]
    fn a_projection_keeps_the_tenant() {
        let mut client = json!({"name": "n", "tenant": "t", "sso": true}).as_object().unwrap().clone();
        Projection::of(Some("name"), true).apply(&mut client);
        assert_eq!(Value::Object(client), json!({"name": "n", "tenant": "t"}));
    }
}
