//! The clients that a tenant starts with. Central function: [`populate`].

use serde_json::{Value, json};

use super::generate::Maker;
use super::options::Options;
use super::store::Store;
use crate::model::Body;

const METHODS: &str = "client_authentication_methods";

/// Fills a store: the global client first, then the runner's own, then what is loaded or made up. Returns the runner's own.
pub(super) fn populate(store: &Store, maker: &mut Maker, options: &Options) -> Body {
    let mut runner = maker.runner();
    if options.public_key.is_some() {
        runner.insert(
            METHODS.into(),
            json!({ "private_key_jwt": { "credentials": [{ "id": maker.credential() }] } }),
        );
    }
    let loaded = options.load.as_deref();
    let is_global = |client: &&Body| client.get("global") == Some(&Value::Bool(true));
    match loaded.and_then(|clients| clients.iter().find(is_global)) {
        Some(global) => insert(store, maker, global.clone()),
        None => {
            let global = maker.global();
            insert(store, maker, global);
        }
    }
    insert(store, maker, runner.clone());
    match loaded {
        Some(clients) => {
            for client in clients.iter().filter(|client| !is_global(client)) {
                let mut client = client.clone();
                // The runner's own client, kept from a sandbox of this seed: whoever is told its secret has to get in.
                if client.get("client_id") == runner.get("client_id") {
                    client.insert("client_secret".into(), runner["client_secret"].clone());
                    match runner.get(METHODS) {
                        Some(methods) => client.insert(METHODS.into(), methods.clone()),
                        None => client.shift_remove(METHODS),
                    };
                    // A file with some fields alone leaves out what it signs in by.
                    let grants = || runner["grant_types"].clone();
                    client.entry("grant_types").or_insert_with(grants);
                }
                insert(store, maker, client);
            }
        }
        None => {
            for index in 0..options.clients {
                let client = maker.client(index);
                insert(store, maker, client);
            }
        }
    }
    runner
}

/// Adds a client; one that comes without an id or a secret (as files that people keep often do) gets its own.
pub(super) fn insert(store: &Store, maker: &mut Maker, mut client: Body) {
    let id = match client.get("client_id").and_then(Value::as_str) {
        Some(id) => id.to_owned(),
        None => maker.id(),
    };
    client.insert("client_id".into(), id.as_str().into());
    if client.get("client_secret").is_none_or(Value::is_null) {
        client.insert("client_secret".into(), maker.secret().into());
    }
    store.insert(&id, &client);
}
