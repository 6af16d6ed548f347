//! The embedded sandbox lives as long as its command. For a run of the past it is brought to where that run has left it.

use super::connect::Session;
use super::ended::Ended;
use crate::catalogue::redact;
use crate::model::Body;
use crate::plan::predicted;
use crate::sandbox::TenantHandle;

/// Gives the clients of an embedded sandbox what a run has written to them; real tenants hold it by themselves.
pub(super) fn as_left_by(session: &Session, ended: &Ended) {
    let (Some(sandbox), Ok(kinds)) = (&session.sandbox, super::planned::kinds_of(&ended.plan.header)) else {
        return;
    };
    for part in &ended.plan.tenants {
        let target = session.target(&part.tenant);
        let is = |tenant: &&TenantHandle| target.is_some_and(|target| target.domain == *tenant.domain());
        let Some(tenant) = sandbox.tenants().iter().find(is) else { continue };
        for (write, state) in part.writes.iter().zip(ended.record.writes(&part.tenant)) {
            if !state.is_written() {
                continue;
            }
            let left = predicted(kinds.get(write.kind), &write);
            tenant.edit(write.id.as_str(), |client: &mut Body| {
                for (key, value) in left.iter().filter(|(_, value)| !redact::has_marker(value)) {
                    client.insert(key.clone(), value.clone());
                }
                client.retain(|key, _| left.contains_key(key) || !write.before.contains_key(key));
            });
        }
    }
}
