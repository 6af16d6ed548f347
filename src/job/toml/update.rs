//! One `[[update]]`.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned as TomlSpanned;
use toml::de::DeValue;

use super::Reader;
use super::selecting::Selecting;
use super::tree::Entry;
use crate::catalogue::load::unknown_kind;
use crate::catalogue::{self, Kind};
use crate::job::selector::Rule;
use crate::job::{Action, Origin, RowLabel, Update};

const KEYS: [&str; 17] = [
    "client_id",
    "match",
    "where",
    "every",
    "count",
    "rows",
    "set",
    "replace",
    "unset",
    "add",
    "remove",
    "expect",
    "expect_absent",
    "unguarded",
    "repeatable",
    "kind",
    "_base",
];

/// An update as it stands in the file; with `rows` it is the pattern of many.
pub(super) struct Written {
    pub(super) update: Update,
    /// The file of rows, and where it is named.
    pub(super) rows: Option<(String, Range<usize>)>,
}

impl Reader<'_> {
    pub(super) fn update(&mut self, number: usize, value: TomlSpanned<DeValue<'_>>) -> Option<Written> {
        let span = value.span();
        let mut entries = self.table("update", value);
        // What is expected is known first: in a file of `get` a value that equals it was not edited.
        entries.sort_by_key(|(key, ..)| !matches!(key.as_str(), "expect" | "expect_absent" | "_base"));
        // Templates may use `row` wherever they stand, also before the key `rows`.
        self.rows_here = entries.iter().any(|(key, ..)| key == "rows");
        let origin =
            Origin { file: Arc::clone(&self.file), span: span.clone(), label: RowLabel::Update(number) };
        self.kind = self.kind_of(&entries)?;
        let mut update = Update::new(self.kind, origin, Rule::default().into());
        let (mut selecting, mut rows) = (Selecting::default(), None);
        let whole = self.taken_whole(&entries);
        let (before, mut unedited) = (self.problems.len(), false);
        for (key, key_span, value) in entries {
            let value_span = value.span();
            match key.as_str() {
                id if id == self.kind().endpoint.id_field => {
                    selecting.tried = true;
                    selecting.id = self.id(value);
                }
                "match" => {
                    selecting.tried = true;
                    selecting.fields = Some(self.patterns(value));
                }
                "where" => {
                    selecting.tried = true;
                    update.extras_mut().condition_at = Some(value_span);
                    selecting.condition = self.condition(value);
                }
                "every" => selecting.every = self.boolean(&key, value),
                "count" => update.extras_mut().count = self.count(value),
                "repeatable" => update.repeatable = self.boolean(&key, value),
                "rows" => rows = self.text(&key, value).map(|name| (name, value_span)),
                "kind" => (),
                super::super::json::BASE_KEY => {
                    update.extras_mut().base = self.text(&key, value).map(Arc::from);
                }
                "set" => {
                    // Only in a file of `get` is a value that equals what is expected no wish.
                    let fetched =
                        if update.extras().base.is_some() { update.expects.as_slice() } else { &[] };
                    let (ops, idle) = self.set(value, fetched);
                    unedited |= !idle.is_empty();
                    update.ops.extend(ops);
                    update.expects.retain(|expect| !idle.contains(&expect.path));
                }
                "replace" => update.ops.extend(self.replace(value)),
                "add" => update.ops.extend(self.items("add", value, Action::Add)),
                "remove" => update.ops.extend(self.items("remove", value, Action::Remove)),
                "unset" => update.ops.extend(self.unset(value)),
                "expect" => update.expects.extend(self.expect(value, &whole)),
                "expect_absent" => update.expects.extend(self.expect_absent(value)),
                "unguarded" => update.extras_mut().unguarded = self.boolean(&key, value),
                _ => self.unknown_key(&key, key_span, &KEYS),
            }
        }
        self.overlaps(&update.ops);
        self.shared_items(&update.ops);
        update.selector = self.selector(number, selecting, &span)?;
        if update.ops.is_empty() && !unedited && self.problems.len() == before {
            let what = format!("update {number} changes nothing");
            self.fault(what, span, Some("say what to change: `set.name = \"…\"`".into()));
        }
        self.count_that_fails_again(&update);
        Some(Written { update, rows })
    }

    /// The kind that an update says it is about, else the one of the file. Of one that is not known nothing can be read.
    pub(super) fn kind_of(&mut self, entries: &[Entry<'_>]) -> Option<&'static Kind> {
        let Some((_, _, value)) = entries.iter().find(|(key, ..)| key == "kind") else {
            return Some(self.options.kind);
        };
        let span = value.span();
        let DeValue::String(name) = value.get_ref() else {
            self.fault("`kind` must be text", span, None);
            return None;
        };
        match catalogue::kind(name) {
            Some(kind) => Some(self.options.kinds.get(kind.name)),
            None => {
                let (what, help) = unknown_kind(name).unwrap_or_default();
                self.fault(what, span, Some(help));
                None
            }
        }
    }

    /// `count` together with a write to what selects holds once and fails the second time.
    fn count_that_fails_again(&mut self, update: &Update) {
        // Where nobody may be selected as well, the second run is in order.
        if update.extras().count.is_none_or(|count| count.allows(0)) {
            return;
        }
        let mut read: Vec<String> =
            update.selector.reads().iter().map(|path| path.root().to_owned()).collect();
        read.extend(update.selector.condition().iter().flat_map(|c| c.uses().fields.iter().cloned()));
        let Some(op) = update.ops.iter().find(|op| read.iter().any(|root| root == op.path.root())) else {
            return;
        };
        let what = format!(
            "`count` will fail when the job runs again: the update selects by `{}` and changes it",
            op.path.root()
        );
        let (span, help) =
            (op.span.clone(), "select by something that stays, or leave `count` out".to_owned());
        self.warn(what, span, Some(help));
    }
}
