//! Makes up clients: pure, and the same for the same seed. Central type: [`Maker`].

use serde_json::{Value, json};

use super::details;
use super::names::{SAMPLES, made_up};
use crate::model::Body;

/// The name of the client that tokens are issued to.
pub(super) const RUNNER: &str = "Patchwave Runner";

/// Makes the clients of one tenant. What a sample client holds is the same everywhere; ids and secrets are the tenant's own.
pub(super) struct Maker {
    tenant: String,
    /// For ids and secrets.
    own: fastrand::Rng,
    /// For what clients hold: the same in every tenant, as the stages of one landscape resemble each other.
    shared_seed: u64,
}

impl Maker {
    /// `number` counts tenants from 1.
    pub(super) fn new(seed: u64, number: usize) -> Self {
        let own = fastrand::Rng::with_seed(mix(seed, number as u64));
        Self { tenant: format!("sandbox-{number}"), own, shared_seed: seed }
    }

    /// The tenant's short name, as its clients show it.
    pub(super) fn tenant(&self) -> &str {
        &self.tenant
    }

    /// 32 letters and digits.
    pub(super) fn id(&mut self) -> String {
        self.text(32)
    }

    /// 64 letters and digits.
    pub(super) fn secret(&mut self) -> String {
        self.text(64)
    }

    /// The id of a credential.
    pub(super) fn credential(&mut self) -> String {
        format!("cred_{}", self.text(22))
    }

    /// So many letters and digits.
    pub(super) fn text(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.own.alphanumeric()).take(length).collect()
    }

    /// So many hexadecimal digits.
    pub(super) fn hex(&mut self, length: usize) -> String {
        std::iter::repeat_with(|| self.own.digit(16)).take(length).collect()
    }

    /// Hexadecimal digits in the groups of a UUID.
    pub(super) fn uuid(&mut self) -> String {
        [8, 4, 4, 4, 12].map(|length| self.hex(length)).join("-")
    }

    /// The tenant's "All Applications".
    pub(super) fn global(&mut self) -> Body {
        let mut client = self.base("All Applications", "non_interactive");
        client.insert("global".into(), json!(true));
        client.insert("callbacks".into(), json!([]));
        client.remove("app_type");
        client
    }

    /// The client that tokens are issued to.
    pub(super) fn runner(&mut self) -> Body {
        let mut client = self.base(RUNNER, "non_interactive");
        client.insert("grant_types".into(), json!(["client_credentials"]));
        client.insert("token_endpoint_auth_method".into(), json!("client_secret_post"));
        client
    }

    /// The client with that index, from 0.
    pub(super) fn client(&mut self, index: usize) -> Body {
        // What a sample holds does not hang on the seed.
        let seed = if index < SAMPLES.len() { 0 } else { self.shared_seed };
        let mut rng = fastrand::Rng::with_seed(mix(seed, index as u64 + 1));
        let (name, app_type) = match SAMPLES.get(index) {
            Some((name, app_type)) => ((*name).to_owned(), *app_type),
            None => made_up(index, &mut rng),
        };
        let mut client = self.base(&name, app_type);
        details::add(&mut client, &name, app_type, index, &mut rng);
        client
    }

    /// A client as one made with nothing but a name, the server's defaults filled in.
    fn base(&mut self, name: &str, app_type: &str) -> Body {
        let (id, secret, certificate) = (self.id(), self.secret(), self.text(40));
        let body = json!({
            "tenant": self.tenant,
            "global": false,
            "is_token_endpoint_ip_header_trusted": false,
            "name": name,
            "is_first_party": true,
            "oidc_conformant": true,
            "sso_disabled": false,
            "cross_origin_auth": false,
            "cross_origin_authentication": false,
            "refresh_token": refresh_defaults(),
            "signing_keys": [{
                "cert": format!("-----BEGIN CERTIFICATE-----\r\n{certificate}\r\n-----END CERTIFICATE-----\r\n"),
                "subject": format!("/CN={}.sandbox.example", self.tenant),
            }],
            "client_id": id,
            "callback_url_template": false,
            "client_secret": secret,
            "jwt_configuration": { "alg": "RS256", "lifetime_in_seconds": 36000, "secret_encoded": false },
            "app_type": app_type,
            "grant_types": ["authorization_code", "implicit", "refresh_token"],
            "custom_login_page_on": true,
        });
        match body {
            Value::Object(body) => body,
            _ => Body::new(),
        }
    }
}

/// What a client has that never asked for anything else.
pub(super) fn refresh_defaults() -> Value {
    json!({
        "expiration_type": "non-expiring",
        "leeway": 0,
        "infinite_token_lifetime": true,
        "infinite_idle_token_lifetime": true,
        "token_lifetime": 31_557_600,
        "idle_token_lifetime": 2_592_000,
        "rotation_type": "non-rotating",
    })
}

/// Two numbers into one seed (SplitMix64), so that neighbours have nothing in common.
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let mut z = a.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(b.wrapping_mul(0xbf58_476d_1ce4_e5b9));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::names::TWIN;
    use crate::sandbox::validate::{Purpose, Validator};

    fn clients(seed: u64, number: usize, count: usize) -> Vec<Body> {
        let mut maker = Maker::new(seed, number);
        (0..count).map(|index| maker.client(index)).collect()
    }

    #[test]
    fn a_seed_makes_the_same_clients_again_and_another_seed_others() {
        assert_eq!(clients(7, 1, 60), clients(7, 1, 60));
        assert_ne!(clients(7, 1, 60)[45]["name"], clients(8, 1, 60)[45]["name"]);
    }

    #[test]
    fn sample_clients_are_alike_in_every_sandbox_but_for_ids_and_secrets() {
        const OWN: [&str; 4] = ["client_id", "client_secret", "tenant", "signing_keys"];
        let strip = |mut client: Body| {
            client.retain(|key, _| !OWN.contains(&key.as_str()));
            client
        };
        for (here, there) in clients(1, 1, SAMPLES.len()).into_iter().zip(clients(2, 2, SAMPLES.len())) {
            assert_ne!(here["client_id"], there["client_id"]);
            assert_eq!(strip(here), strip(there));
        }
    }

    #[test]
    fn names_are_unique_but_for_the_twins() {
        let mut seen = std::collections::HashMap::<String, usize>::new();
        for client in clients(1, 1, 2000) {
            *seen.entry(client["name"].to_string()).or_default() += 1;
        }
        let doubles: Vec<_> = seen.into_iter().filter(|(_, count)| *count > 1).collect();
        assert_eq!(doubles, [("\"Reporting\"".to_owned(), 2)]);
        assert_eq!(clients(1, 1, TWIN + 1)[TWIN]["name"], "Reporting");
    }

    #[test]
    fn what_is_made_up_could_be_sent_to_the_service() {
        let validator = Validator::new(crate::catalogue::kind("clients").unwrap().root());
        for mut client in clients(3, 1, 200) {
            const SERVERS: [&str; 7] = [
                "tenant",
                "global",
                "signing_keys",
                "client_id",
                "callback_url_template",
                "cross_origin_auth",
                "client_secret",
            ];
            client.retain(|key, value| !SERVERS.contains(&key.as_str()) && !value.is_null());
            if let Some(metadata) = client.get_mut("client_metadata").and_then(Value::as_object_mut) {
                // Stored long ago, when dots were allowed in keys.
                metadata.remove("cost.center");
            }
            validator
                .check(&client, Purpose::Create)
                .unwrap_or_else(|refusal| panic!("{client:?}: {}", refusal.message));
        }
    }
}
