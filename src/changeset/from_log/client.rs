//! The events of one client, one after the other. Central type: [`History`].

use jiff::Timestamp;
use serde_json::Value;

use super::super::differing::{comparable, differing, says_nothing};
use super::edit::Edit;
use super::masked::{is_masked, leaves};
use super::named::Named;
use super::{Gap, Packed, Selection, gap, state};
use crate::catalogue::{Kind, Writable};
use crate::model::{Author, Body, EntityId, FieldPath, LogAction, LogEvent};

/// What the log tells of one client.
pub(super) struct History<'h> {
    pub(super) kind: &'h Kind,
    pub(super) id: EntityId,
    pub(super) base: Option<Body>,
    /// There is a snapshot, and it does not have the client.
    pub(super) missing: bool,
    /// As the last event left it; `None` where nothing is known.
    pub(super) state: Option<Body>,
    /// The first whole state that was seen.
    pub(super) known: Option<Body>,
    /// The base with the chosen edits, or these alone.
    pub(super) after: Body,
    pub(super) chosen: Vec<Edit>,
    /// Edits that were not chosen, each with how many of the chosen ones went before.
    pub(super) others: Vec<(usize, Edit, Author)>,
    pub(super) masked: Vec<FieldPath>,
    pub(super) gaps: Vec<Gap>,
    pub(super) warnings: Vec<String>,
    pub(super) updates: usize,
    pub(super) created: bool,
    pub(super) deleted: bool,
    pub(super) chosen_events: usize,
    pub(super) rotations: usize,
    pub(super) below: usize,
    /// Chosen edits of lists of which nobody knows what they held.
    pub(super) lists: usize,
    pub(super) name: Option<String>,
    /// The last answer as it stood in the log.
    answer: Option<Body>,
}

impl<'h> History<'h> {
    /// Follows the events, which are in order. `base`: what a snapshot has of the client, and when it was complete.
    pub(super) fn of(
        kind: &'h Kind,
        base: Option<(Option<&Body>, Timestamp)>,
        events: &[&LogEvent],
        selection: &Selection,
    ) -> Self {
        let id = events.first().map_or_else(|| EntityId::new(""), |event| event.target.clone());
        let read_by = base.map(|(_, read_by)| read_by);
        let missing = base.is_some_and(|(body, _)| body.is_none());
        let base = base.and_then(|(body, _)| body).map(|body| state::stripped(kind, body));
        let mut history = Self {
            kind,
            id,
            missing,
            state: base.clone(),
            known: base.clone(),
            after: base.clone().unwrap_or_default(),
            name: None,
            base,
            chosen: Vec::new(),
            others: Vec::new(),
            masked: Vec::new(),
            gaps: Vec::new(),
            warnings: Vec::new(),
            updates: 0,
            created: false,
            deleted: false,
            chosen_events: 0,
            rotations: 0,
            below: 0,
            lists: 0,
            answer: None,
        };
        history.name = history.base.as_ref().and_then(|base| history.name_in(base));
        for event in &events[history.known_already(events, read_by)..] {
            history.follow(event, selection.chooses(event));
        }
        history
    }

    /// How many of the events are in the snapshot already: those up to the last one that left exactly its state.
    fn known_already(&self, events: &[&LogEvent], read_by: Option<Timestamp>) -> usize {
        let Some((base, read_by)) = self.base.as_ref().zip(read_by) else { return 0 };
        let shows_base = |event: &&LogEvent| {
            let named = Named::of(self.kind, &event.request.open(), Some(base));
            let after = state::after(self.kind, Some(base), event, &named);
            event.response.is_some() && gap::unexplained(self.kind, base, &after).is_empty()
        };
        let early = events.iter().take_while(|event| event.at <= read_by).count();
        events[..early].iter().rposition(shows_base).map_or(0, |at| at + 1)
    }

    fn name_in(&self, body: &Body) -> Option<String> {
        body.get(&self.kind.endpoint.name_field).and_then(Value::as_str).map(str::to_owned)
    }

    fn follow(&mut self, event: &LogEvent, chosen: bool) {
        self.chosen_events += usize::from(chosen);
        match event.action {
            LogAction::Below => self.below += usize::from(chosen),
            LogAction::Delete => {
                self.deleted = true;
                self.state = None;
            }
            LogAction::Create => {
                self.created = true;
                self.deleted = false;
                self.state = None;
                self.step(event, false);
            }
            LogAction::RotateSecret => {
                self.rotations += usize::from(chosen);
                self.step(event, false);
            }
            // Answers do not show such a list: without a snapshot nobody knows what else it holds.
            LogAction::Associate if self.base.is_none() => self.lists += usize::from(chosen),
            LogAction::Update | LogAction::Associate => {
                self.updates += usize::from(chosen);
                self.step(event, chosen);
            }
        }
    }

    /// From the state before an event to that after it.
    fn step(&mut self, event: &LogEvent, chosen: bool) {
        let request = event.request.open();
        let named = Named::of(self.kind, &request, self.state.as_ref());
        let after = state::after(self.kind, self.state.as_ref(), event, &named);
        let belonging = event.action == LogAction::Associate;
        let answer = event.response.as_ref().filter(|_| !belonging).map(Packed::open);
        let answer = answer.filter(|body| !body.is_empty());
        let masked = if belonging { Vec::new() } else { self.masked_by(&request, answer.as_ref()) };
        // Of an object of which nothing was seen, a request alone shows a part.
        let whole = answer.is_some() || self.state.is_some();
        let edits = match self.state.take() {
            Some(before) => self.edits(event, &named, &before, &after),
            None if chosen => self.unguarded(&named, &after, &masked),
            None => Vec::new(),
        };
        if chosen {
            if answer.is_none() && !belonging {
                self.warnings.push(format!(
                    "the log does not show what {} answered; what was sent at {} is taken at its word",
                    self.id, event.at
                ));
            }
            self.masked.retain(|path| !edits.iter().any(|edit| edit.path.encloses(path)));
            self.masked.extend(masked);
            edits.into_iter().for_each(|edit| self.choose(edit));
        } else {
            let before = self.chosen.len();
            self.others.extend(edits.into_iter().map(|edit| (before, edit, event.by.clone())));
        }
        self.name = self.name.take().or_else(|| self.name_in(&after));
        if whole {
            self.known.get_or_insert_with(|| after.clone());
            self.state = Some(after);
        }
        if !belonging {
            self.answer = answer;
        }
    }

    /// What an event changed: all that its request explains. The rest somebody else did, unseen.
    fn edits(&mut self, event: &LogEvent, named: &Named, before: &Body, after: &Body) -> Vec<Edit> {
        let (explained, rest): (Vec<_>, Vec<_>) =
            differing(self.kind, before, after).into_iter().partition(|path| named.explains(path));
        for path in rest {
            let (was, is) = (path.get(before), path.get(after));
            if !says_nothing(self.kind, &path, was, is) {
                self.gaps.push(Gap {
                    client: self.id.clone(),
                    name: self.name.clone(),
                    before: was.cloned(),
                    after: is.cloned(),
                    path: Some(path),
                    event: Some((event.id.clone(), event.at)),
                });
            }
        }
        explained.into_iter().map(|path| Edit::between(self.kind, path, before, after)).collect()
    }

    /// Where nothing is known of the state before: whatever the request names.
    fn unguarded(&self, named: &Named, after: &Body, masked: &[FieldPath]) -> Vec<Edit> {
        let units = named.units.iter().filter(|unit| comparable(self.kind, unit) && !masked.contains(unit));
        units.map(|unit| Edit::between(self.kind, unit.clone(), &Body::new(), after)).collect()
    }

    /// The paths of a request whose new values the log does not show.
    fn masked_by(&self, request: &Body, answer: Option<&Body>) -> Vec<FieldPath> {
        let hidden = |(path, sent): &(FieldPath, &Value)| {
            let answered = answer.and_then(|answer| path.get(answer));
            let before = self.answer.as_ref().and_then(|answer| path.get(answer));
            let shown = answered.is_some_and(|value| !is_masked(value));
            match self.kind.is_secret(path) {
                // Seen twice to be the same, it was not changed.
                true => !(sent.is_null() || shown && answered == before),
                false => !shown && (answered.is_some() || answer.is_none() && is_masked(sent)),
            }
        };
        let writable = |(path, _): &(FieldPath, &Value)| self.kind.writable(path) == Writable::Patch;
        leaves(request).into_iter().filter(writable).filter(hidden).map(|(path, _)| path).collect()
    }

    fn choose(&mut self, edit: Edit) {
        if self.base.is_none() && edit.path.get(&self.after).is_none() {
            // What else stands there is not known to be absent.
            edit.take_over(&mut self.after);
            self.chosen.push(edit);
            return;
        }
        let other = self.others.iter().rev().find(|(_, other, _)| other.concerns(&edit.path));
        if let Some((_, _, by)) = other.filter(|_| !edit.found_in(&self.after)) {
            self.warnings.push(format!(
                "{} was changed by {by} before, which is not recorded: the recorded change starts from what was there before that",
                edit.path
            ));
        }
        edit.make(&mut self.after);
        self.chosen.push(edit);
    }
}
