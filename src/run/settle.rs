//! A PATCH whose answer was lost may or may not have been carried out: the client itself tells.

use crate::auth0::{ApiError, Reader, Settled};
use crate::catalogue::Kind;
use crate::plan::revive::roots;
use crate::plan::{OnConflict, Rejudged, Write, rejudge};

/// Reads the client and compares: all as planned → it was carried out; each as before or as planned → send again; anything
/// else → somebody else was there, hands off.
pub(super) async fn settle(
    kind: &Kind,
    reader: &Reader,
    write: &Write,
    on_conflict: OnConflict,
) -> Result<Settled, ApiError> {
    let roots = roots(kind, [write]);
    let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
    let live = reader.get(&kind.endpoint, &write.id, Some(&roots)).await?;
    Ok(match rejudge(kind, write, &live.body, on_conflict) {
        Rejudged::Conflict(_) => Settled::GiveUp,
        Rejudged::Apply(_) | Rejudged::NeedsSecret => Settled::SendAgain,
        Rejudged::Already => Settled::Landed(live),
    })
}
