//! `--verify`: what a wave has written is read again, by the page, and compared with the plan.

use std::sync::Arc;

use super::refresh::refresh;
use crate::auth0::{ApiError, Reader};
use crate::catalogue::{Kinds, redact};
use crate::model::{EntityId, Secrets};
use crate::plan::creates::differences;
use crate::plan::{TenantPlan, Write, check_answer};

/// A write that was made: its place in the plan, and the id of what it changed or made.
pub(super) type Made = (usize, EntityId);

/// The writes whose clients do not hold what was planned, each with what they hold.
///
/// # Errors
/// Where the clients cannot be read.
pub(super) async fn mismatches(
    reader: &Reader,
    kinds: &Kinds,
    plan: &Arc<TenantPlan>,
    made: &[Made],
    secrets: &Arc<Secrets>,
) -> Result<Vec<(usize, String)>, ApiError> {
    if made.is_empty() {
        return Ok(Vec::new());
    }
    // A plan knows no id of what it makes: the outcome does.
    let known = |(at, id): &Made| Some(Write { id: id.clone(), ..plan.writes.get(*at)? });
    let writes: Vec<Write> = made.iter().filter_map(known).collect();
    let fresh = refresh(reader, kinds, plan, &writes, secrets).await?;
    let mut found = Vec::new();
    for ((at, _), write) in made.iter().zip(&writes) {
        let kind = kinds.get(write.kind);
        match fresh.of(write) {
            Ok(live) => {
                let mut live = live.open();
                redact::strip(kind, &mut live);
                secrets.agree(&write.changes, &mut live);
                let wrong = if write.create {
                    differences(kind, &write.changes, &live)
                } else {
                    check_answer(kind, write, &live).not_as_planned
                };
                if !wrong.is_empty() {
                    let words = wrong.join("; ");
                    found.push((*at, format!("when verified, {words}")));
                }
            }
            Err(_) => found.push((*at, format!("when verified, the {} was gone", kind.singular))),
        }
    }
    Ok(found)
}
