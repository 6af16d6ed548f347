//! A tenant's log over HTTP, squashed: what is recorded is what happened, and sent to a copy of the tenant it makes the same.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use patchwave::auth0::{Access, Connection, Credential, Settings};
use patchwave::catalogue::{default_kind, patch};
use patchwave::changeset::differing::differing;
use patchwave::changeset::from_log::{Base, Channel, Log, Selection, Squashed, squash};
use patchwave::model::event::ProgressSink;
use patchwave::model::{Body, EntityId, FieldPath, LogEvent};
use patchwave::sandbox::{DashboardUser, LogOptions, Options, Sandbox, TenantHandle, Tier};
use serde_json::{Value, json};

fn user(name: &str) -> DashboardUser {
    DashboardUser { name: name.to_owned(), email: format!("{name}@acme.example") }
}

async fn sandbox(load: Option<Vec<Body>>) -> Sandbox {
    let log = LogOptions { doubles: 5, ..LogOptions::default() };
    let options = Options { clients: 40, tier: Tier::unlimited(), load, log, ..Options::default() };
    Sandbox::start(options).await.unwrap()
}

fn connect(tenant: &TenantHandle) -> Connection {
    let credential = Credential::ClientSecret {
        client_id: tenant.client_id().into(),
        secret: tenant.client_secret().clone(),
    };
    let access = Access { audience: tenant.audience(), domain: tenant.domain().clone(), credential };
    Connection::open("acme".into(), access, Settings::default(), ProgressSink::none()).unwrap()
}

async fn snapshot(connection: &Connection) -> HashMap<EntityId, Body> {
    let all = connection.reader().list(&default_kind().endpoint, None).await.unwrap();
    all.into_iter().map(|client| (client.id, client.body)).collect()
}

#[expect(clippy::disallowed_methods, reason = "the sandbox stamps its events with this machine's time")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A PATCH as the Dashboard or a program might send one: some fields of every sort, some of them as they were.
fn some_patch(dice: &mut fastrand::Rng, now: &Body) -> Body {
    let mut patch = Body::new();
    let text = dice.choice(["a", "b", "c"]).unwrap_or_default();
    let url = format!("https://{text}.example");
    let urls: Vec<&String> = std::iter::repeat_n(&url, dice.usize(0..2)).collect();
    let initiators = json!({"mode": "custom", "selected_initiators": ["rp-logout", "idp-logout"]});
    let fields = [
        json!({"name": format!("Shop {text}")}),
        json!({"description": text}),
        json!({"description": ""}),
        json!({"callbacks": urls}),
        json!({"web_origins": urls, "allowed_logout_urls": urls}),
        json!({"initiate_login_uri": url}),
        json!({"initiate_login_uri": ""}),
        json!({"client_metadata": {text: text, "b": null}}),
        json!({"client_metadata": {text: null}}),
        json!({"jwt_configuration": {"lifetime_in_seconds": dice.u32(60..90)}}),
        json!({"refresh_token": {"rotation_type": "rotating", "expiration_type": "expiring", "leeway": dice.u32(0..3)}}),
        json!({"refresh_token": null}),
        json!({"oidc_logout": {"backchannel_logout_urls": [url], "backchannel_logout_initiators": initiators}}),
        json!({"oidc_backchannel_logout": {"backchannel_logout_urls": [url]}}),
        json!({"oidc_backchannel_logout": null}),
        json!({"session_transfer": {"can_create_session_transfer_token": dice.bool()}}),
        json!({"session_transfer": null}),
        json!({"native_social_login": {"apple": {"enabled": dice.bool()}}}),
        json!({"mobile": {"ios": {"team_id": text}}}),
        json!({"addons": {"samlp": {"audience": text}, "firebase": {"secret": "hush", "client_email": url}}}),
        json!({"addons": {"wsfed": {}}}),
        json!({"addons": null}),
        json!({"token_quota": {"client_credentials": {"enforce": dice.bool(), "per_day": 7}}}),
        json!({"organization_usage": dice.choice(["deny", "allow"])}),
        json!({"organization_usage": null}),
        json!({"client_authentication_methods": {"private_key_jwt": {"credentials": [{"id": "cred_1"}]}}, "token_endpoint_auth_method": null, "jwt_configuration": {"alg": "RS256"}}),
        json!({"client_authentication_methods": null, "token_endpoint_auth_method": "client_secret_post"}),
        json!({"token_endpoint_auth_method": "client_secret_basic"}),
    ];
    for _ in 0..dice.usize(1..4) {
        patch.extend(fields[dice.usize(0..fields.len())].as_object().unwrap().clone());
    }
    // What becomes of two names of one setting that are asked to differ, nobody knows.
    if patch.contains_key("oidc_logout") {
        patch.shift_remove("oidc_backchannel_logout");
    }
    // Fields that nobody touched, as a form sends them.
    for kept in ["name", "callbacks", "grant_types", "sso_disabled"] {
        if let Some(value) = now.get(kept).filter(|value| !value.is_null() && dice.bool()) {
            patch.entry(kept).or_insert_with(|| value.clone());
        }
    }
    patch
}

/// Two people edit some clients; what the API refuses is not done.
fn edits(tenant: &TenantHandle, ids: &[EntityId], seed: u64) {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut done = 0;
    while done < 150 {
        let id = ids[dice.usize(0..ids.len())].as_str();
        let who = user(if dice.u8(0..3) > 0 { "ada" } else { "bob" });
        let patch = some_patch(&mut dice, &tenant.client(id).unwrap());
        done += usize::from(tenant.patch_as(&who, id, &patch).is_ok());
    }
}

fn selection(by: Option<&str>) -> Selection {
    Selection {
        since: now() - SignedDuration::from_mins(5),
        until: now() + SignedDuration::from_mins(5),
        by: by.map(str::to_owned),
        channel: Channel::Dashboard,
    }
}

/// A tenant of which a snapshot was taken, and then two people edited it.
struct Edited {
    _sandbox: Sandbox,
    base: HashMap<EntityId, Body>,
    now: HashMap<EntityId, Body>,
    events: Vec<LogEvent>,
}

impl Edited {
    async fn new(seed: u64) -> Self {
        let sandbox = sandbox(None).await;
        let tenant = &sandbox.tenants()[0];
        let connection = connect(tenant);
        let base = snapshot(&connection).await;
        let own = EntityId::new(tenant.client_id());
        let mut ids: Vec<EntityId> = base.keys().filter(|id| **id != own).cloned().collect();
        ids.sort();
        edits(tenant, &ids[..12], seed);
        let window = selection(None);
        let log = connection
            .reader()
            .log_window(&default_kind().endpoint, window.since, window.until)
            .await
            .unwrap();
        assert_eq!((log.events.len(), log.unreadable), (150, 0));
        let now = snapshot(&connection).await;
        Self { base, now, events: log.events, _sandbox: sandbox }
    }

    fn squash(&self, by: Option<&str>) -> Squashed {
        let base = Base { clients: &self.base, read_by: Timestamp::UNIX_EPOCH };
        squash(
            default_kind(),
            &Log { events: &self.events, base: Some(base), now: Some(&self.now) },
            &selection(by),
        )
    }

    /// Copy of the tenant as it was, in which what was recorded is done.
    async fn replayed(&self, squashed: &Squashed) -> (Sandbox, HashMap<EntityId, Body>) {
        let copy = sandbox(Some(self.base.values().cloned().collect())).await;
        let tenant = &copy.tenants()[0];
        for client in &squashed.clients {
            let held = tenant.client(client.id.as_str()).unwrap();
            // A secret in an object that is sent whole is given at replay.
            let mut changes = Vec::new();
            for path in &client.paths {
                changes.push((path.clone(), path.get(&client.after).cloned().map(with_secrets)));
            }
            let body = patch::body(default_kind(), &held, &changes).body;
            if !body.is_empty() {
                tenant.patch_as(&user("eve"), client.id.as_str(), &body).unwrap();
            }
        }
        let state = snapshot(&connect(tenant)).await;
        (copy, state)
    }
}

fn with_secrets(value: Value) -> Value {
    match value {
        Value::String(text) if text == patchwave::catalogue::SECRET_MARKER => json!("hush"),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (key, with_secrets(value))).collect())
        }
        other => other,
    }
}

#[tokio::test]
async fn what_is_recorded_of_a_log_makes_the_same_of_a_copy_of_the_tenant() {
    for seed in 0..4 {
        let edited = Edited::new(seed).await;
        let squashed = edited.squash(None);
        assert_eq!(squashed.gaps, [], "seed {seed}");
        assert_eq!((squashed.edits, squashed.left_out.len()), (150, 0));
        let (_copy, state) = edited.replayed(&squashed).await;
        for (id, now) in &edited.now {
            let recorded = squashed.clients.iter().find(|client| client.id == *id);
            let after = recorded.map_or(&edited.base[id], |client| &client.after);
            assert_eq!(differing(default_kind(), after, now), [], "seed {seed}, after of {id}");
            let mut left = differing(default_kind(), &state[id], now);
            // Of an object with a secret in it each part goes by itself, and an empty one is left.
            let is_left_empty =
                |path: &FieldPath| path.get(&state[id]) == Some(&json!({})) && path.get(now).is_none();
            left.retain(|path| !is_left_empty(path));
            let paths = recorded.map(|client| &client.paths);
            let at = |state: &Body| left.iter().map(|path| path.get(state).cloned()).collect::<Vec<_>>();
            let (base, now, replayed) = (at(&edited.base[id]), at(now), at(&state[id]));
            assert_eq!(
                left,
                [],
                "seed {seed}, {id}: {paths:?}; base {base:?}, now {now:?}, replayed {replayed:?}"
            );
        }
        for client in &squashed.clients {
            assert!(!format!("{client:?}").contains("hush"), "{client:?}");
        }
    }
}

#[tokio::test]
async fn a_write_that_the_log_does_not_tell_of_is_found() {
    let mut edited = Edited::new(7).await;
    let mut found = 0;
    for at in (0..150).step_by(10) {
        let lost = edited.events.remove(at);
        let gaps = edited.squash(None).gaps;
        assert!(gaps.iter().all(|gap| gap.client == lost.target), "{gaps:?}");
        found += usize::from(!gaps.is_empty());
        edited.events.insert(at, lost);
    }
    // Those that changed nothing, or only what the next request names, leave no trace and make no difference.
    assert!(found > 7, "{found} of 15");
}
