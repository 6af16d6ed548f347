//! One `[[create]]`: an object that is to be there, made where there is none of its identity.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned as TomlSpanned;
use toml::de::DeValue;

use super::Reader;
use super::update::Written;
use crate::job::selector::Rule;
use crate::job::{Action, Origin, RowLabel, Update};

const KEYS: [&str; 3] = ["kind", "rows", "set"];

impl Reader<'_> {
    pub(super) fn creates(&mut self, span: Range<usize>, value: TomlSpanned<DeValue<'_>>) -> Vec<Written> {
        let DeValue::Array(items) = value.into_inner() else {
            self.fault("`create` must be written `[[create]]`, with two brackets", span, None);
            return Vec::new();
        };
        items.into_iter().enumerate().filter_map(|(at, item)| self.create(at + 1, item)).collect()
    }

    fn create(&mut self, number: usize, value: TomlSpanned<DeValue<'_>>) -> Option<Written> {
        let span = value.span();
        let entries = self.table("create", value);
        self.rows_here = entries.iter().any(|(key, ..)| key == "rows");
        let origin =
            Origin { file: Arc::clone(&self.file), span: span.clone(), label: RowLabel::Create(number) };
        let kind = self.kind_of(&entries)?;
        // What only a create takes may be set here.
        self.kind = kind.creating();
        let mut update = Update::new(self.kind, origin, Rule::default().into());
        update.extras_mut().create = true;
        let (mut rows, before) = (None, self.problems.len());
        for (key, key_span, value) in entries {
            let value_span = value.span();
            match key.as_str() {
                "kind" => (),
                "rows" => rows = self.text(&key, value).map(|name| (name, value_span)),
                "set" => update.ops.extend(self.set(value, &[]).0),
                "match" | "where" | "expect" | "add" | "remove" | "unset" | "replace" => {
                    let help = "a create says with `set` what the new object holds; what is there already is changed by an `[[update]]`";
                    self.fault(format!("a `[[create]]` has no `{key}`"), key_span, Some(help.to_owned()));
                }
                _ => self.unknown_key(&key, key_span, &KEYS),
            }
        }
        self.overlaps(&update.ops);
        if self.problems.len() == before {
            self.says_enough(&update, number, &span);
        }
        Some(Written { update, rows })
    }

    /// A create must name what the API asks for, and that by which the object is found again.
    fn says_enough(&mut self, update: &Update, number: usize, span: &Range<usize>) {
        let sets = |name: &String| {
            let sets = |op: &crate::job::Op| op.path.root() == name && matches!(op.action, Action::Set(_));
            update.ops.iter().any(sets)
        };
        let (endpoint, identity) = (&update.kind.endpoint, &update.kind.identity);
        let needed = endpoint.create_required.iter().chain(identity);
        let mut missing: Vec<&str> = needed.filter(|name| !sets(name)).map(String::as_str).collect();
        missing.dedup();
        if !missing.is_empty() {
            let what = format!(
                "create {number} does not say the {} of the new {}",
                missing.join(" and "),
                update.kind.singular
            );
            let help = missing.iter().map(|name| format!("`set.{name} = …`")).collect::<Vec<_>>().join(", ");
            self.fault(what, span.clone(), Some(format!("add {help}")));
        }
    }
}
