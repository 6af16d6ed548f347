//! What follows a change of an object: a version of it goes live.

use serde_json::{Value, json};

use super::super::generate::Maker;
use super::super::reply::{Refusal, Reply};
use super::super::store::{Stored, lock};
use super::{Asked, Objects, Shelf};
use crate::model::Body;

/// What a version takes over from the object.
const COPIED: [&str; 5] = ["code", "dependencies", "runtime", "secrets", "supported_triggers"];

impl Objects {
    /// Makes a version of an object as it stands, and answers it (recorded: `deployed_version` of actions).
    pub(super) fn follow(&self, shelf: &Shelf, asked: &Asked<'_>) -> Result<Reply, Refusal> {
        let then = shelf.kind.endpoint.then.as_ref().ok_or_else(|| shelf.absent())?;
        let slot = shelf.find(&asked.route.id)?;
        let _writing = lock(&self.writing);
        let mut object = slot.read().body();
        let version = version(&object, &mut lock(&self.maker), asked.now);
        object.insert(then.keeps.clone(), true.into());
        object.insert("deployed_version".into(), version.clone());
        *slot.hold() = Stored::new(&object);
        let mut answered = version;
        answered["action"] = shelf.show(object, &super::Projection::All);
        Ok(Reply::json(202, &answered))
    }
}

fn version(object: &Body, maker: &mut Maker, now: &str) -> Value {
    let last = object.get("deployed_version").and_then(|version| version.get("number")?.as_u64());
    let mut version = json!({
        "id": maker.uuid(),
        "deployed": true,
        "number": last.unwrap_or_default() + 1,
        "status": "built",
        "built_at": now,
        "created_at": now,
        "updated_at": now,
    });
    for field in COPIED {
        if let Some(value) = object.get(field) {
            version[field] = value.clone();
        }
    }
    version
}
