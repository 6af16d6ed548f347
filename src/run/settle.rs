//! A PATCH whose answer was lost may or may not have been carried out: the client itself tells.

use super::live::live;
use crate::auth0::{ApiError, Reader, Settled};
use crate::catalogue::{Kind, redact};
use crate::model::Secrets;
use crate::plan::revive::visible_roots;
use crate::plan::{OnConflict, Rejudged, Write, rejudge};

/// Reads the client and compares: all as planned → it was carried out; each as before or as planned → send again; anything
/// else → somebody else was there, hands off.
pub(super) async fn settle(
    kind: &Kind,
    reader: &Reader,
    write: &Write,
    (on_conflict, secrets): (OnConflict, &Secrets),
) -> Result<Settled, ApiError> {
    let roots = visible_roots(kind, write);
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    let mut live = live(reader, kind, &write.id, Some(&roots)).await?;
    redact::mark(kind, &mut live.body, secrets);
    secrets.agree(&write.changes, &mut live.body);
    Ok(match rejudge(kind, write, &live.body, on_conflict) {
        Rejudged::Conflict(_) => Settled::GiveUp,
        Rejudged::Apply(_) | Rejudged::NeedsSecret => Settled::SendAgain,
        Rejudged::Already => Settled::Landed(live),
    })
}
