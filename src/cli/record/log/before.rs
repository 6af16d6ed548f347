//! The state that the window of a log started from.

use jiff::Timestamp;

use super::super::super::connect::{Session, Target};
use super::super::super::error::CliError;
use super::super::super::snapshot::{self, Shot, Taken};
use super::super::super::{kinds, output};
use super::super::{Recording, around};
use super::clock::{Clock, written};
use crate::catalogue::Kind;
use crate::changeset::Snapshot;
use crate::changeset::from_log::Selection;
use crate::store::{bases, snapshots};

impl Recording<'_> {
    /// Of each kind: the file that was named, else the newest snapshot that is old enough.
    pub(super) fn before(
        &self,
        session: &Session,
        target: &Target,
        selection: &Selection,
        clock: &Clock,
    ) -> Result<Taken, CliError> {
        let old_enough = |at: Timestamp| clock.there(at) <= selection.since;
        if let Some(path) = &self.args.before {
            return self.of_file(path, session, target, (selection, &old_enough));
        }
        let mut shots = Vec::new();
        for kind in kinds::named_or_default(&self.args.kind)? {
            shots.push(kept(kind, session, target, (selection, &old_enough))?);
        }
        Ok(Taken::of_target(target, shots))
    }

    fn of_file(
        &self,
        path: &str,
        session: &Session,
        target: &Target,
        (selection, old_enough): (&Selection, &dyn Fn(Timestamp) -> bool),
    ) -> Result<Taken, CliError> {
        let around = around(&self.args.tenant)?;
        let mut taken = snapshot::of_file(path, (&session.state, &around), &self.args.tenant)?;
        for kind in kinds::named(&self.args.kind)? {
            if taken.shot(kind).is_none() {
                return Err(CliError::usage(format!("{path} holds no {}", kind.name)));
            }
        }
        taken.keep_only(&self.kinds);
        for shot in &mut taken.shots {
            if shot.at.is_none() {
                shot.at = written(path);
                shot.read_by = shot.at;
            }
            if !shot.at.is_some_and(old_enough) {
                let at = shot.at.map_or_else(|| "nobody knows when".to_owned(), |at| at.to_string());
                return Err(CliError::usage(format!(
                    "{path} was fetched {at}, and not before --since {}: what was changed until then is in it already",
                    selection.since
                )));
            }
        }
        let Taken { name, shots, beside, .. } = taken;
        Ok(Taken { name, beside, ..Taken::of_target(target, shots) })
    }
}

/// The newest snapshot of a kind that is kept and old enough.
fn kept(
    kind: &'static Kind,
    session: &Session,
    target: &Target,
    (selection, old_enough): (&Selection, &dyn Fn(Timestamp) -> bool),
) -> Result<Shot, CliError> {
    let all = snapshots::list(&session.state)?;
    let of_kind =
        |kept: &&snapshots::Snapshot| kept.domain == target.domain && kept.kind == *kind.name && kept.whole;
    if let Some(kept) = all.iter().rev().filter(of_kind).find(|kept| old_enough(kept.at))
        && let Some(bodies) = bases::find(&session.state, &kept.digest, &kind.endpoint.id_field)?
    {
        let snapshot = Snapshot { clients: bodies.into_iter().collect() };
        return Ok(Shot { kind, snapshot, at: Some(kept.at), read_by: Some(kept.read_by) });
    }
    let noun = if kind.name.is_default() { String::new() } else { format!("{} of ", kind.name) };
    let get = if kind.name.is_default() { "get --all".to_owned() } else { format!("get {}", kind.name) };
    if let Some(oldest) = all.iter().find(of_kind) {
        let what = format!(
            "the oldest snapshot of {noun}{} that is kept is of {}, later than {}: say --since {} or later; or name an \
             older file of `{get}` with --before FILE",
            target.domain, oldest.at, selection.since, oldest.at
        );
        return Err(CliError::usage(what));
    }
    Err(CliError::usage(format!(
        "the log holds no old values, and no snapshot of {noun}{} is kept that is older than {}: name a file of \
         `{get}` with --before FILE; or --no-before records without, and nothing guards the replay",
        target.domain, selection.since
    ))
    .next(output::command_line_with(&["--no-before"])))
}
