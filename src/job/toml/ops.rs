//! What an `[[update]]` asks for: `set`, `replace`, `add`, `remove`, `unset` and `expect`.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::Value;
use toml::Spanned as TomlSpanned;
use toml::de::DeValue;

use super::Reader;
use super::tree::Entry;
use crate::catalogue::{self, FieldType, redact, validate};
use crate::job::leaves::{self, Leaf, Spanned, Tree, of_object};
use crate::job::update::overlaps;
use crate::job::{Action, Expect, Op, Term, replace, term, want};
use crate::model::{FieldPath, SourceFile};

impl Reader<'_> {
    fn leaves(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> Vec<Leaf> {
        let span = value.span();
        match self.tree(value) {
            Spanned { value: Tree::Object(entries), .. } => of_object(self.kind(), entries),
            Spanned { .. } => {
                self.fault(format!("`{key}` must be a table of fields"), span, None);
                Vec::new()
            }
        }
    }

    /// The operations, and the paths that are set to what is expected of them: those ask for nothing, whatever the tenant
    /// holds now, and are not even judged, since it may hold what could not be written today.
    pub(super) fn set(
        &mut self,
        value: TomlSpanned<DeValue<'_>>,
        expects: &[Expect],
    ) -> (Vec<Op>, Vec<FieldPath>) {
        let (mut ops, mut idle) = (Vec::new(), Vec::new());
        for leaf in self.leaves("set", value) {
            let span = leaf.span().clone();
            if let Leaf::Value { path, value, .. } = &leaf
                && is_expected(self.kind(), path, value, expects)
            {
                idle.push(path.clone());
                continue;
            }
            let op = match leaf {
                Leaf::Value { path, value: Term::Value(Value::Object(place)), span }
                    if self.kind().is_secret(&path) =>
                {
                    self.secret_op(path, &place, span)
                }
                leaf => leaves::op(self.kind(), leaf),
            };
            match op {
                Ok(op) => ops.push(op),
                Err(faults) => {
                    faults.into_iter().for_each(|(what, help)| self.fault(what, span.clone(), help));
                }
            }
        }
        (ops, idle)
    }

    /// The object in braces, or under a header of its own, is what is meant exactly; the dotted keys before it are its path.
    pub(super) fn replace(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<Op> {
        let dotted = |file: &SourceFile, at| !file.slice(at).starts_with(['{', '[']);
        let paths = self.paths("replace", value, dotted);
        let replaced = |(path, value): (FieldPath, TomlSpanned<DeValue<'_>>)| {
            let at = value.span();
            self.replaced(path, at, value)
        };
        paths.into_iter().filter_map(replaced).collect()
    }

    fn replaced(
        &mut self,
        path: FieldPath,
        span: Range<usize>,
        value: TomlSpanned<DeValue<'_>>,
    ) -> Option<Op> {
        let spanned = self.tree(value);
        let mut places = Vec::new();
        spanned.places(&path, &mut places);
        let term = spanned.into_term()?;
        let is_list = matches!(&term, Term::Value(Value::Array(_)))
            || matches!(&term, Term::Template(tree) if matches!(&**tree, term::Tree::List(_)));
        if is_list {
            // A list is exactly what it is set to.
            let leaf = Leaf::Value { path, value: term, span: span.clone() };
            return leaves::op(self.kind(), leaf)
                .map_err(|faults| {
                    faults.into_iter().for_each(|(what, help)| self.fault(what, span.clone(), help));
                })
                .ok();
        }
        let (faults, warnings) = replace::check(self.kind(), &path, &term);
        // A key inside the braces is marked itself.
        let place = |of: &str| {
            places
                .iter()
                .find(|(path, _)| path.to_string() == of)
                .map_or(span.clone(), |(_, key)| key.clone())
        };
        let sound = faults.is_empty();
        warnings.into_iter().for_each(|fault| self.warn(fault.what, place(&fault.path), fault.help));
        faults.into_iter().for_each(|fault| self.fault(fault.what, place(&fault.path), fault.help));
        sound.then_some(Op { path, action: Action::Replace(term), span })
    }

    /// `add` and `remove`: items of lists.
    pub(super) fn items(
        &mut self,
        key: &str,
        value: TomlSpanned<DeValue<'_>>,
        action: fn(Term) -> Action,
    ) -> Vec<Op> {
        let mut ops = Vec::new();
        for leaf in self.leaves(key, value) {
            let (path, value, span) = match leaf {
                Leaf::Value { path, value, span } => (path, value, span),
                Leaf::Fault { what, help, span } => {
                    self.fault(what, span, help);
                    continue;
                }
            };
            let faults = list_faults(self.kind(), key, &path, &value);
            let sound = faults.is_empty();
            faults.into_iter().for_each(|(what, help)| self.fault(what, span.clone(), help));
            if sound {
                ops.push(Op { path, action: action(value), span });
            }
        }
        ops
    }

    pub(super) fn unset(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<Op> {
        let mut ops = Vec::new();
        for (text, span) in self.list("unset", value) {
            let path: FieldPath = match text.parse() {
                Ok(path) => path,
                Err(error) => {
                    self.fault(format!("`{text}` {error}"), span, None);
                    continue;
                }
            };
            if self.kind().is_secret(&path) {
                self.fault(format!("`{path}` is a secret, which no job may empty"), span.clone(), None);
            } else if let Some(fault) = validate::unset(self.kind(), &path) {
                self.fault(fault.what, span.clone(), fault.help);
            }
            ops.push(Op { path, action: Action::Unset, span });
        }
        ops
    }

    /// Paths of which an update takes the whole: what is expected of one of them is the whole as well.
    pub(super) fn taken_whole(&self, entries: &[Entry<'_>]) -> HashSet<FieldPath> {
        let unset = entries.iter().filter(|(key, ..)| key == "unset");
        let lists = unset.filter_map(|(_, _, value)| value.get_ref().as_array());
        let texts = lists.flatten().filter_map(|item| item.get_ref().as_str());
        texts.filter_map(|text| text.parse().ok()).collect()
    }

    pub(super) fn expect(
        &mut self,
        value: TomlSpanned<DeValue<'_>>,
        whole: &HashSet<FieldPath>,
    ) -> Vec<Expect> {
        let dotted = |file: &SourceFile, at| !file.slice(at).starts_with(['{', '[']);
        let mut found = Vec::new();
        for (path, value) in self.paths("expect", value, dotted) {
            let (span, tree) = (value.span(), self.tree(value));
            match (&tree.value, whole.contains(&path)) {
                (Tree::Object(_), true) => {
                    let value = tree.into_term();
                    found.extend(value.map(|value| Leaf::Value { path, value, span }));
                }
                _ => leaves::leaves(self.kind(), path, span, tree, &mut found),
            }
        }
        // In the order of the file, as they would be printed again.
        found.sort_by_key(|leaf| leaf.span().start);
        let mut expects = Vec::new();
        for leaf in found {
            match leaf {
                Leaf::Value { path, value, span } if secret(self.kind(), &path, &value) => {
                    let what = format!("`{path}` is a secret, and cannot be expected to hold a value");
                    self.fault(what, span, None);
                }
                Leaf::Value { path, value, span } => expects.push(Expect { path, value: Some(value), span }),
                Leaf::Fault { what, help, span } => self.fault(what, span, help),
            }
        }
        expects
    }

    /// That a field is absent has no value to write: it is named.
    pub(super) fn expect_absent(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<Expect> {
        let mut expects = Vec::new();
        for (text, span) in self.list("expect_absent", value) {
            let Some(path) = self.path(&text, &span) else { continue };
            if self.kind().is_secret(&path) {
                self.fault(format!("`{path}` is a secret, and nothing can be expected of it"), span, None);
            } else {
                expects.push(Expect { path, value: None, span });
            }
        }
        expects
    }

    /// Two operations of one update on the same or an enclosing path leave open which one is meant.
    pub(super) fn overlaps(&mut self, ops: &[Op]) {
        for (op, earlier) in overlaps(ops) {
            let place = self.file.position(earlier.span.start);
            let what = format!("`{}` is changed twice in one update", op.path);
            let help = format!(
                "`{}` is also changed at {}:{}:{}: keep one of the two",
                earlier.path, self.file.name, place.line, place.column
            );
            self.fault(what, op.span.clone(), Some(help));
        }
    }

    /// An item that is both added and removed.
    pub(super) fn shared_items(&mut self, ops: &[Op]) {
        for (op, other, item) in want::shared_items(ops) {
            let place = self.file.position(other.span.start);
            let what = format!("`{}`: {item} is both added and removed", op.path);
            let help =
                format!("see also {}:{}:{}: keep one of the two", self.file.name, place.line, place.column);
            self.fault(what, op.span.clone(), Some(help));
        }
    }
}

fn secret(kind: &catalogue::Kind, path: &FieldPath, value: &Term) -> bool {
    match value.literal() {
        Some(value) => redact::holds_secret(kind, path, value),
        None => kind.is_secret(path),
    }
}

/// What is wrong with the items of `add` or `remove`.
fn list_faults(kind: &catalogue::Kind, key: &str, path: &FieldPath, value: &Term) -> Vec<leaves::Fault> {
    if let Some(fault) = validate::may_set(kind, path) {
        return vec![(fault.what, fault.help)];
    }
    let ty = kind.lookup(path).field().map_or(FieldType::Any, |field| field.ty);
    if !matches!(ty, FieldType::Array | FieldType::Any) {
        let what = format!("`{key}` is for lists, and `{path}` is none");
        return vec![(what, Some(format!("write `set.{path}`")))];
    }
    match value {
        Term::Value(Value::Array(items)) if items.is_empty() => {
            vec![(
                format!("`{key}.{path}` has no items"),
                Some("name at least one, or leave it out".to_owned()),
            )]
        }
        Term::Value(Value::Array(items)) => {
            // What stands in the list already may be anything, and can be taken out.
            let faults = if key == "add" { validate::items(kind, path, items) } else { Vec::new() };
            faults.into_iter().map(|fault| (fault.what, fault.help)).collect()
        }
        Term::Template(tree) => leaves::template(kind, path, tree),
        Term::Value(other) => {
            let what = format!("`{key}.{path}` must be a list of items");
            vec![(what, Some(format!("write `{key}.{path} = [{other}]`")))]
        }
    }
}

/// Whether a value is what is expected of its field.
fn is_expected(kind: &catalogue::Kind, path: &FieldPath, value: &Term, expects: &[Expect]) -> bool {
    let Some(value) = value.literal() else { return false };
    expects.iter().any(|expect| {
        let expected = expect.value.as_ref().and_then(Term::literal);
        expect.path == *path && crate::model::value::same(Some(value), expected, kind.order(path))
    })
}
