//! Bodies as `get` fetched them: what an edited file is compared with. One file a `get`, named by its digest.

use std::collections::HashMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{StateDir, StoreError, atomic};
use crate::model::{Body, EntityId};

/// Keeps the bodies (without secrets) and returns their digest.
///
/// # Errors
/// Where the state directory cannot be written.
pub fn keep(state: &StateDir, bodies: &[Body]) -> Result<String, StoreError> {
    let mut text = Vec::new();
    for body in bodies {
        serde_json::to_writer(&mut text, body)
            .map_err(|e| StoreError::new("write", &state.bases())(e.into()))?;
        text.push(b'\n');
    }
    let digest: String = Sha256::digest(&text).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let folder = state.bases();
    atomic::make_folder(&folder)?;
    atomic::write(&folder.join(format!("{digest}.jsonl")), |out| out.write_all(&text))?;
    Ok(digest)
}

/// The bodies kept under a digest, by id; `None` where there are none, or where the name is no digest.
///
/// # Errors
/// Where the file is there and cannot be read.
pub fn find(
    state: &StateDir,
    digest: &str,
    id_field: &str,
) -> Result<Option<HashMap<EntityId, Body>>, StoreError> {
    let is_digest = digest.len() == 32 && digest.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_digest {
        return Ok(None);
    }
    let path = state.bases().join(format!("{digest}.jsonl"));
    let Some(text) = atomic::read(&path)? else { return Ok(None) };
    let mut bodies = HashMap::new();
    for line in text.lines() {
        let body: Body = serde_json::from_str(line).map_err(|e| StoreError::new("read", &path)(e.into()))?;
        let id = body.get(id_field).and_then(Value::as_str).map(EntityId::new);
        bodies.extend(id.map(|id| (id, body)));
    }
    Ok(Some(bodies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_kept_is_found_by_digest_and_id() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::find(Some(folder.path()), None, None).unwrap();
        let body = json!({"client_id": "abc", "name": "Billing"}).as_object().unwrap().clone();
        let digest = keep(&state, std::slice::from_ref(&body)).unwrap();
        assert_eq!(find(&state, &digest, "client_id").unwrap().unwrap()[&EntityId::new("abc")], body);
        assert!(find(&state, "../../etc/passwd", "client_id").unwrap().is_none());
    }
}
