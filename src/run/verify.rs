//! `--verify`: what a wave has written is read again, by the page, and compared with the plan.

use std::sync::Arc;

use super::refresh::refresh;
use crate::auth0::{ApiError, Reader};
use crate::catalogue::{Kinds, redact};
use crate::model::Secrets;
use crate::plan::{TenantPlan, check_answer};

/// The writes whose clients do not hold what was planned, each with what they hold.
///
/// # Errors
/// Where the clients cannot be read.
pub(super) async fn mismatches(
    reader: &Reader,
    kinds: &Kinds,
    plan: &Arc<TenantPlan>,
    writes: &[usize],
    secrets: &Arc<Secrets>,
) -> Result<Vec<(usize, String)>, ApiError> {
    if writes.is_empty() {
        return Ok(Vec::new());
    }
    let fresh = refresh(reader, kinds, plan, writes, secrets).await?;
    let mut found = Vec::new();
    for at in writes {
        let Some(write) = plan.writes.get(*at) else { continue };
        let kind = kinds.get(write.kind);
        match fresh.of(&write) {
            Ok(live) => {
                let mut live = live.open();
                redact::strip(kind, &mut live);
                secrets.agree(&write.changes, &mut live);
                let answer = check_answer(kind, &write, &live);
                if !answer.not_as_planned.is_empty() {
                    let words = answer.not_as_planned.join("; ");
                    found.push((*at, format!("when verified, {words}")));
                }
            }
            Err(_) => found.push((*at, format!("when verified, the {} was gone", kind.singular))),
        }
    }
    Ok(found)
}
