//! How a client comes into being. Central function: [`Clients::create`].

use serde_json::{Value, json};

use super::clients::{Clients, answer, read_body};
use super::generate::refresh_defaults;
use super::merge::merge;
use super::reply::{Refusal, Reply};
use super::rules;
use super::store::lock;
use super::token::Claims;
use super::validate::Purpose;
use super::view::{Projection, Shape, Sight};
use crate::model::Body;

const METHODS: &str = "client_authentication_methods";

impl Clients {
    /// Makes a client.
    ///
    /// # Errors
    /// 400 for a body that does not fit, 403 for a field that the token may not set, 409 for an alias that is in use.
    pub(super) fn create(&self, body: &[u8], claims: &Claims) -> Result<Reply, Refusal> {
        let sent = read_body(body)?;
        self.validator.check(&sent, Purpose::Create)?;
        if sent.contains_key(METHODS) && !claims.any_scope(&["create:client_credentials"]) {
            return Err(Refusal::fields("create", &[METHODS]));
        }
        self.check_aliases(&sent)?;
        let mut client = self.blank(&sent);
        merge(&mut client, &sent);
        self.name_credentials(&mut client);
        rules::check_after(&sent, &client)?;
        let id = client.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let slot = self.store.insert(&id, &client);
        Ok(answer(201, &slot.read(), Sight::of(claims), Shape::Create, &Projection::All))
    }

    /// An alias belongs to one client (OpenAPI, "Create a client", 409). Only a body that has any costs a walk.
    fn check_aliases(&self, sent: &Body) -> Result<(), Refusal> {
        let wanted = aliases(sent);
        let taken = |stored: Body| aliases(&stored).iter().any(|alias| wanted.contains(alias));
        if !wanted.is_empty() && self.store.all().iter().any(|slot| taken(slot.read().body())) {
            return Err(Refusal::new(409, "Another client exists with the same alias."));
        }
        Ok(())
    }

    /// Credentials are given whole; what is stored of them at the client is their ids.
    fn name_credentials(&self, client: &mut Body) {
        let methods = client.get_mut(METHODS).and_then(Value::as_object_mut);
        for method in methods.into_iter().flat_map(|methods| methods.values_mut()) {
            let credentials = method.get_mut("credentials").and_then(Value::as_array_mut);
            for credential in credentials.into_iter().flatten() {
                *credential = json!({ "id": lock(&self.maker).credential() });
            }
        }
    }

    /// What a new client has before what was asked for is laid over it.
    fn blank(&self, sent: &Body) -> Body {
        let (tenant, id, secret) = {
            let mut maker = lock(&self.maker);
            (maker.tenant().to_owned(), maker.id(), maker.secret())
        };
        let mut grants = vec!["authorization_code", "implicit", "refresh_token"];
        if !rules::is_public(sent) {
            grants.push("client_credentials");
        }
        let blank = json!({
            "tenant": tenant,
            "global": false,
            "is_first_party": true,
            "oidc_conformant": false,
            "sso_disabled": false,
            "cross_origin_auth": false,
            "cross_origin_authentication": false,
            "is_token_endpoint_ip_header_trusted": false,
            "custom_login_page_on": true,
            "callback_url_template": false,
            "grant_types": grants,
            "jwt_configuration": { "lifetime_in_seconds": 36000, "secret_encoded": false },
            "refresh_token": refresh_defaults(),
            "signing_keys": [{ "cert": "-----BEGIN CERTIFICATE-----\r\nsandbox\r\n-----END CERTIFICATE-----\r\n", "subject": "/CN=sandbox.example" }],
            "client_id": id,
            "client_secret": secret,
        });
        match blank {
            Value::Object(blank) => blank,
            _ => Body::new(),
        }
    }
}

fn aliases(client: &Body) -> Vec<String> {
    let list = client.get("client_aliases").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}
