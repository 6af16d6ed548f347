//! A change set in the making. Central type: [`Recorder`].

use std::collections::HashSet;
use std::num::NonZeroU64;

use serde_json::Value;

use super::difference::{LeftOut, difference};
use super::pairs::{Pairs, key_of};
use super::source::{Source, masked, var_name};
use crate::catalogue::{Kind, default_kind};
use crate::job::{Printed, Recorded, print, recorded};
use crate::model::{Body, EntityId, FieldPath};

mod changeset;
mod entry;
mod names;
mod printing;

use changeset::comment;
pub use changeset::{ChangeSet, Replaced};
use entry::{Entry, hashed};
use names::{Names, without_placeholders};
use printing::{new_secrets, print_edit};

/// A client that may have changed, without secrets.
#[derive(Debug, Clone, Copy)]
pub struct Edited<'e> {
    /// Its id before.
    pub id: &'e EntityId,
    /// As it was.
    pub before: &'e Body,
    /// Its id after: another one where the two states are of two tenants.
    pub id_after: &'e EntityId,
    /// As it is.
    pub after: &'e Body,
    /// Fields whose new values nobody shows.
    pub masked: &'e [FieldPath],
}

/// Where a change set comes from, for its header.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// The tenant's name in the configuration.
    pub tenant: Option<String>,
    /// When, as RFC 3339 writes it.
    pub at: String,
    /// By which way.
    pub by: String,
    /// The name of the job, where it was one.
    pub job: Option<String>,
}

/// Gathers clients and writes the change set. What it holds of each is the text that will stand in the file.
pub struct Recorder<'r> {
    /// The kinds that were met.
    kinds: Vec<&'r Kind>,
    identity: Option<&'r FieldPath>,
    /// The tenant that the states before are of.
    before: &'r Source<'r>,
    /// The one that the states after are of.
    after: &'r Source<'r>,
    updates: Vec<Entry>,
    left_out: Vec<String>,
    warnings: Vec<String>,
}

impl<'r> Recorder<'r> {
    /// Of nothing yet. Objects are found elsewhere by what their kind calls their identity, or by what they have at `identity`.
    pub fn new(identity: Option<&'r FieldPath>, before: &'r Source<'r>, after: &'r Source<'r>) -> Self {
        Self {
            kinds: Vec::new(),
            identity,
            before,
            after,
            updates: Vec::new(),
            left_out: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds an object of a kind, if it changed.
    pub fn take(&mut self, kind: &'r Kind, client: Edited<'_>) {
        if client.before == client.after && client.masked.is_empty() {
            return;
        }
        let before = self.before.marked(kind, client.id, client.before);
        let after = self.after.marked(kind, client.id_after, client.after);
        let (edits, left_out) = difference(kind, &before, &after);
        let name = key_of(kind, None, client.before).unwrap_or_else(|| client.id.to_string());
        self.leave_out(&name, left_out);
        let mut paths = client.masked.to_vec();
        paths.extend(new_secrets(client.before, client.after));
        paths.sort();
        paths.dedup();
        let secrets = paths.into_iter().map(|path| (path.clone(), masked(&path, &name)));
        let mut printed = Printed::default();
        for edit in &edits {
            print_edit(&mut printed, edit);
        }
        for (path, value) in secrets {
            printed.set(&path, &value);
        }
        let renamed = key_of(kind, None, client.after).filter(|new| *new != name);
        let renamed = renamed.as_deref().map(hashed);
        self.keep(kind, client.id, (&name, renamed), (client.before, &before), printed);
    }

    /// Adds a client of which nobody knows how it was before: what it holds now at these paths is asked for, whatever stands
    /// there.
    pub fn take_unguarded(
        &mut self,
        kind: &'r Kind,
        id: &EntityId,
        known_as: &Body,
        fields: &[(FieldPath, Option<Value>)],
        masked_paths: &[FieldPath],
    ) {
        let name = key_of(kind, None, known_as).unwrap_or_else(|| id.to_string());
        let mut state = Body::new();
        for (path, value) in fields {
            if let Some(value) = value {
                path.put(&mut state, value.clone());
            }
        }
        let state = self.after.marked(kind, id, &state);
        let mut printed = Printed::unguarded();
        for (path, value) in fields {
            match (value, path.get(&state)) {
                (Some(_), Some(marked)) => printed.set(path, marked),
                _ => printed.unset(path),
            }
        }
        for path in masked_paths {
            printed.set(path, &masked(path, &name));
        }
        let marked = self.after.marked(kind, id, known_as);
        self.keep(kind, id, (&name, None), (known_as, &marked), printed);
    }

    /// Notes what is not in the change set.
    pub fn note(&mut self, what: String) {
        self.left_out.push(what);
    }

    /// Notes what somebody who reviews the change set should know.
    pub fn warn(&mut self, what: String) {
        self.warnings.push(what);
    }

    /// Notes which clients two snapshots do not share: nothing of them is recorded.
    pub fn note_pairs(&mut self, kind: &Kind, pairs: &Pairs<'_>) {
        let name =
            |client: &(EntityId, Body)| key_of(kind, None, &client.1).unwrap_or_else(|| client.0.to_string());
        let one = &kind.singular;
        let gone = pairs
            .gone
            .iter()
            .map(|client| format!("{}: the {one} is gone, and nothing deletes one", name(client)));
        let new = pairs
            .new
            .iter()
            .map(|client| format!("{}: the {one} is new, and nothing creates one", name(client)));
        let several = pairs.ambiguous.iter().map(|(key, ids)| {
            let ids: Vec<&str> = ids.iter().map(EntityId::as_str).collect();
            format!("{key}: several {one}s are called so: {}", ids.join(", "))
        });
        let notes: Vec<String> = gone.chain(new).chain(several).collect();
        self.left_out.extend(notes);
    }

    fn leave_out(&mut self, name: &str, left_out: Vec<LeftOut>) {
        let said = left_out.into_iter().map(|LeftOut { path, why }| {
            // What is wrong with a value names its field itself.
            let why = why.strip_prefix(&path.to_string()).map_or(why.as_str(), str::trim_start);
            format!("{name}: {path}: {why}")
        });
        self.left_out.extend(said);
    }

    fn keep(
        &mut self,
        kind: &'r Kind,
        id: &EntityId,
        (name, renamed): (&str, Option<NonZeroU64>),
        (state, marked): (&Body, &Body),
        printed: Printed,
    ) {
        if printed.is_empty() {
            return;
        }
        let paths = kind.identity_or(self.identity);
        let mut identity: Vec<(&FieldPath, &Value)> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for path in &paths {
            let (Some(key), Some(selector)) = (key_of(kind, Some(path), state), path.get(marked)) else {
                let what = format!("{name}: it has no {path}, by which it would be found elsewhere");
                return self.left_out.push(what);
            };
            // Only under another name an object is looked for once more.
            let is_name = path.depth() == 1 && path.root() == kind.endpoint.name_field;
            if printed.sets(path) && (!is_name || self.identity.is_some_and(|identity| *identity == **path)) {
                let what = format!("{name}: its {path} changed, by which it would be found elsewhere");
                return self.left_out.push(what);
            }
            // Of several, an id among them is another one in each tenant.
            keys.push(if paths.len() > 1 { selector.to_string() } else { key });
            identity.push((path, selector));
        }
        let text = printed.finish(kind, &identity);
        let shown = without_placeholders(&text);
        let leak = self.before.leak(id, &shown).or_else(|| self.after.leak(id, &shown));
        if let Some(leak) = leak {
            let what = format!("{name}: {leak} stands where no placeholder can, such as in a key");
            return self.left_out.push(what);
        }
        let place = self.place_of(kind);
        match Entry::new(place, &keys.join(" "), name, renamed, &text) {
            Some(entry) => self.updates.push(entry),
            None => self.left_out.push(format!("{name}: what it is found by is too long")),
        }
    }

    /// Where the kinds of a change set stand: as they are met, each with the number that its entries have.
    fn place_of(&mut self, kind: &'r Kind) -> u8 {
        let known = self.kinds.iter().position(|of| of.name == kind.name);
        let place = known.unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        });
        // There are not so many kinds.
        u8::try_from(place).unwrap_or(u8::MAX)
    }

    /// A client that takes a name which another gives up cannot be told from it when the change set is replayed again.
    fn leave_out_names_that_move_on(&mut self) {
        if self.identity.is_some() {
            return;
        }
        let given_up: HashSet<(u8, NonZeroU64)> = self
            .updates
            .iter()
            .filter(|entry| entry.renamed().is_some())
            .map(|entry| (entry.kind(), hashed(entry.key())))
            .collect();
        let takes =
            |entry: &mut Entry| entry.renamed().is_some_and(|new| given_up.contains(&(entry.kind(), new)));
        for entry in self.updates.extract_if(.., takes) {
            self.left_out.push(format!(
                "{}: it takes a name that another gives up, and by name nobody could tell the two apart; --identity does",
                entry.name()
            ));
        }
    }

    /// Whether a text says nothing of the tenants.
    fn is_anybodys(&self, text: &str) -> bool {
        let mut body = Body::new();
        body.insert(String::new(), text.into());
        let own = EntityId::new("");
        [self.before, self.after].iter().all(|source| source.marked(default_kind(), &own, &body) == body)
    }

    /// The updates in the order of their keys, without those of which several have one.
    fn told_apart(&mut self) -> Vec<Entry> {
        let mut updates = std::mem::take(&mut self.updates);
        // The default kind goes first, the others by their names: whoever met them in which order, it is one file. Those of one
        // key all go, so their order among themselves is nothing.
        let kind = |entry: &Entry| {
            self.kinds.get(usize::from(entry.kind())).map(|kind| kind.name).unwrap_or_default()
        };
        let rank = |entry: &Entry| (!kind(entry).is_default(), kind(entry));
        updates.sort_unstable_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.key().cmp(b.key())));
        let same = |a: &Entry, b: &Entry| a.kind() == b.kind() && a.key() == b.key();
        let mut twice: HashSet<(u8, String)> = HashSet::new();
        for same in updates.chunk_by(same).filter(|same| same.len() > 1) {
            // Elsewhere there is one of that name at the most, and it cannot become two things.
            self.left_out.push(format!(
                "{}: {} {}s of this name changed; --identity tells them apart",
                same[0].key(),
                same.len(),
                kind(&same[0]).kind().singular
            ));
            twice.insert((same[0].kind(), same[0].key().to_owned()));
        }
        if !twice.is_empty() {
            updates.retain(|entry| !twice.contains(&(entry.kind(), entry.key().to_owned())));
        }
        updates
    }

    /// What one of these is called.
    fn noun(&self, updates: &[Entry]) -> String {
        let kinds: HashSet<u8> = updates.iter().map(Entry::kind).collect();
        let only = kinds.iter().next().filter(|_| kinds.len() == 1);
        let kind = only.and_then(|only| self.kinds.get(usize::from(*only)).copied());
        match kind {
            Some(kind) => kind.singular.clone(),
            None if kinds.is_empty() => default_kind().singular.clone(),
            None => "object".to_owned(),
        }
    }

    /// The change set.
    pub fn finish(mut self, header: &Header) -> ChangeSet {
        self.leave_out_names_that_move_on();
        let own = self.before.var_names().chain(self.after.var_names()).map(str::to_owned);
        let mut names = Names { taken: own.collect(), ..Names::default() };
        let mut named = |entry: Entry| -> Box<str> {
            let mut text = String::with_capacity(entry.text().len());
            names.named(entry.text(), entry.name(), &mut text);
            text.into()
        };
        let told_apart = self.told_apart();
        let noun = self.noun(&told_apart);
        let updates: Vec<Box<str>> = told_apart.into_iter().map(&mut named).collect();
        let mut identity = String::new();
        if let Some(path) = self.identity {
            print::identity(path, &mut identity);
        }
        let digest = recorded::digest_of(&identity, updates.iter().map(|update| &**update));
        let of_header = Recorded {
            tenant: header.tenant.clone(),
            at: Some(header.at.clone()),
            by: Some(header.by.clone()),
            job: header.job.clone().filter(|job| self.is_anybodys(job)),
            digest: Some(digest.clone()),
        };
        let vars = names.used.keys().filter_map(|code| var_name(code));
        let mut head = comment(vars.collect());
        head.push_str(&identity);
        if updates.is_empty() {
            print::no_updates(&mut head);
        }
        print::header(&of_header, &mut head);
        let replaced = names.used.into_values().collect();
        let Self { left_out, warnings, .. } = self;
        ChangeSet { head, updates, noun, digest, replaced, required: names.required, left_out, warnings }
    }
}

#[cfg(test)]
mod tests;
