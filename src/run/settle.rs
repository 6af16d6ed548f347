//! A PATCH whose answer was lost may or may not have been carried out: the client itself tells.

use crate::auth0::{ApiError, Reader, Settled};
use crate::catalogue::{Kind, redact};
use crate::model::three_way::judge_change;
use crate::model::{Entity, FieldChange, Verdict};
use crate::plan::{Write, as_planned, predicted};

/// Reads the client and judges each written field: all as planned → it was carried out; otherwise each as before or as
/// planned → send again; anything else → somebody else was there, hands off.
pub(super) async fn settle(kind: &Kind, reader: &Reader, write: &Write) -> Result<Settled, ApiError> {
    let roots: Vec<&str> = write.before.keys().map(String::as_str).collect();
    let live = reader.get(&kind.endpoint, &write.id, Some(&roots)).await?;
    let verdicts = verdicts(kind, write, &live);
    Ok(if verdicts.contains(&Verdict::Conflict) {
        Settled::GiveUp
    } else if verdicts.contains(&Verdict::Apply) {
        Settled::SendAgain
    } else {
        Settled::Landed(live)
    })
}

/// Compares each written field: before, as planned, now.
pub(super) fn verdicts(kind: &Kind, write: &Write, live: &Entity) -> Vec<Verdict> {
    let planned = predicted(kind, write);
    // The plan has markers where the tenant has secrets.
    let mut now = live.body.clone();
    redact::strip(kind, &mut now);
    let verdict = |change: &FieldChange| {
        let (planned, now) = (change.path.get(&planned), change.path.get(&now));
        if as_planned(kind, change, planned, now) {
            Verdict::Already
        } else {
            judge_change(change, planned, now)
        }
    };
    write.changes.iter().map(verdict).collect()
}
