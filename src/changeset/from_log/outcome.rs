//! What comes of the events of one client.

use super::super::difference::difference;
use super::client::History;
use super::edit::Edit;
use super::{Gap, LeftOut, Recorded, Squashed, WhyLeftOut, gap};
use crate::model::{Body, FieldPath};

impl History<'_> {
    /// The gaps between what the events left behind and the state now.
    pub(super) fn gaps_until(&self, now: Option<&Body>) -> Vec<Gap> {
        match &self.state {
            Some(state) if !self.created && !self.missing => gap::unlogged(self.kind, &self.id, state, now),
            _ => Vec::new(),
        }
    }

    /// Adds what came of it.
    pub(super) fn finish(mut self, squashed: &mut Squashed) {
        squashed.gaps.append(&mut self.gaps);
        let mut leave_out = |why, events| {
            if events > 0 {
                squashed.left_out.push(LeftOut { id: self.id.clone(), name: self.name.clone(), why, events });
            }
        };
        let whole = match (self.created, self.deleted, self.missing) {
            (_, true, _) => Some(WhyLeftOut::Deleted),
            (true, ..) => Some(WhyLeftOut::Created),
            (.., true) => Some(WhyLeftOut::NotInBase),
            _ => None,
        };
        if let Some(why) = whole {
            return leave_out(why, self.chosen_events);
        }
        leave_out(WhyLeftOut::SecretRotated, self.rotations);
        leave_out(WhyLeftOut::Credentials, self.below);
        leave_out(WhyLeftOut::ListUnknown, self.lists);
        if self.updates == 0 {
            return;
        }
        match self.recorded() {
            Some(recorded) => squashed.clients.push(recorded),
            None => squashed.unchanged += 1,
        }
    }

    fn recorded(mut self) -> Option<Recorded> {
        let paths = match &self.base {
            Some(base) => {
                let (edits, left_out) = difference(self.kind, base, &self.after);
                let paths = edits.into_iter().map(|edit| edit.path);
                paths.chain(left_out.into_iter().map(|left| left.path)).collect()
            }
            None => self.chosen_paths(),
        };
        let after = &self.after;
        self.masked.retain(|path| {
            path.parent().is_none_or(|parent| self.base.is_none() || parent.get(after).is_some())
        });
        self.masked.sort();
        self.masked.dedup();
        if paths.is_empty() && self.masked.is_empty() {
            return None;
        }
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.changed_again(&paths));
        Some(Recorded {
            id: self.id,
            known: self.known.unwrap_or_default(),
            before: self.base,
            after: self.after,
            paths,
            masked: self.masked,
            warnings,
        })
    }

    /// Without a snapshot: every path that was chosen, the shallowest, of two names of one setting the newer.
    fn chosen_paths(&self) -> Vec<FieldPath> {
        let mut paths: Vec<FieldPath> = Vec::new();
        for edit in &self.chosen {
            if !paths.iter().any(|path| path.encloses(&edit.path)) {
                paths.retain(|path| !edit.path.encloses(path));
                paths.push(edit.path.clone());
            }
        }
        let roots: Vec<String> = paths.iter().map(|path| path.root().to_owned()).collect();
        paths.retain(|path| {
            let twins = self.kind.moves_with(path.root());
            !self.kind.is_older_name(&FieldPath::root_field(path.root()))
                || !roots.iter().any(|root| twins.contains(root))
        });
        paths
    }

    /// Where somebody whose edits are not recorded has changed a recorded field again.
    fn changed_again(&self, paths: &[FieldPath]) -> Vec<String> {
        let Some(state) = &self.state else { return Vec::new() };
        let mut warnings = Vec::new();
        for path in paths {
            let chosen = |edit: &&Edit| edit.concerns(path);
            let last = self.chosen.iter().rposition(|edit| chosen(&edit));
            let Some((last, edit)) = last.and_then(|at| Some((at, self.chosen.get(at)?))) else { continue };
            let again =
                self.others.iter().rev().find(|(before, other, _)| *before > last && other.concerns(path));
            if let Some((_, _, by)) = again.filter(|_| !edit.stands_in(state)) {
                warnings.push(format!(
                    "{path} was changed again by {by}, which is not recorded: the recorded value is no longer this tenant's"
                ));
            }
        }
        warnings
    }
}
