//! TOML jobs.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use super::leaves::{self, Leaf, Spanned, Tree, of_object};
use super::load::{stem, utf8};
use super::mask;
use super::toml_tree::entries;
use super::update::overlaps;
use super::{
    Action, Expect, Guards, Input, Job, LoadOptions, Op, Origin, Pattern, RowLabel, Selector, Update,
};
use crate::catalogue::{Kind, redact, validate};
use crate::model::suggest::nearest;
use crate::model::{EntityId, FieldPath, Problem, SourceFile, TenantName};

/// Keys of the file, with the ones that the job language has and this version does not read yet.
const TOP_KEYS: [&str; 4] = ["name", "tenants", "guards", "update"];
const TOP_LATER: [&str; 2] = ["vars", "identity"];
const GUARD_KEYS: [&str; 2] = ["max_changes", "max_failures"];
const GUARD_LATER: [&str; 2] = ["waves", "protect"];
const UPDATE_KEYS: [&str; 6] = ["client_id", "match", "every", "set", "unset", "expect"];
const UPDATE_LATER: [&str; 8] = ["where", "replace", "add", "remove", "count", "repeatable", "rows", "kind"];

/// Reads a TOML job.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(input: Input<'_>, options: LoadOptions<'_>) -> Result<Job, Vec<Problem>> {
    let text = utf8(input)?;
    let file = SourceFile::new(input.name, mask::keyed(options.kind, text));
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { kind: options.kind, file, problems: Vec::new() };
    for error in errors {
        let span = error.span().unwrap_or_default();
        reader.fault(format!("not valid TOML: {}", error.message()), span, None);
    }
    // A file that does not parse yields half-read tables: complaints about those would be noise.
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let job = reader.job(document.into_inner(), stem(input.name));
    if reader.problems.is_empty() { Ok(job) } else { Err(reader.problems) }
}

/// Reads one file and gathers what is wrong with it.
pub(super) struct Reader {
    kind: &'static Kind,
    file: Arc<SourceFile>,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn fault(&mut self, what: impl Into<String>, span: Range<usize>, help: Option<String>) {
        self.problems.push(Problem::new(what).at(&self.file, span).maybe_help(help));
    }

    fn job(&mut self, document: DeTable<'_>, stem: String) -> Job {
        let mut job = Job {
            name: stem,
            kind: self.kind,
            digest: String::new(),
            allowed_tenants: Vec::new(),
            guards: Guards::default(),
            updates: Vec::new(),
            columns: Vec::new(),
            warnings: Vec::new(),
        };
        let mut updates_seen = false;
        for (key, span, value) in entries(document) {
            match key.as_str() {
                "name" => job.name = self.text(&key, value).unwrap_or(job.name),
                "tenants" => job.allowed_tenants = self.tenants(value),
                "guards" => job.guards = self.guards(value),
                "update" => {
                    updates_seen = true;
                    job.updates = self.updates(span, value);
                }
                _ => self.unknown_key(&key, span, &TOP_KEYS, &TOP_LATER),
            }
        }
        // A misspelt `update` has been reported already.
        if !updates_seen && self.problems.is_empty() {
            self.fault(
                "the job has no `[[update]]`",
                0..0,
                Some("a job says what to change in `[[update]]` tables".into()),
            );
        }
        job
    }

    fn unknown_key(&mut self, key: &str, span: Range<usize>, known: &[&str], later: &[&str]) {
        if later.contains(&key) {
            self.fault(format!("`{key}` is not supported by this version of patchwave"), span, None);
        } else {
            let near = nearest(key, known.iter().chain(later).copied());
            let help = near.map_or_else(
                || format!("known here: {}", known.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            self.fault(format!("unknown key `{key}`"), span, Some(help));
        }
    }

    fn tenants(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<TenantName> {
        self.list("tenants", value).into_iter().map(|(name, _)| TenantName::new(name)).collect()
    }

    fn guards(&mut self, value: TomlSpanned<DeValue<'_>>) -> Guards {
        let mut guards = Guards::default();
        for (key, span, value) in self.table("guards", value) {
            match key.as_str() {
                "max_changes" => guards.max_changes = self.threshold(&key, value),
                "max_failures" => guards.max_failures = self.threshold(&key, value),
                _ => self.unknown_key(&key, span, &GUARD_KEYS, &GUARD_LATER),
            }
        }
        guards
    }

    fn updates(&mut self, span: Range<usize>, value: TomlSpanned<DeValue<'_>>) -> Vec<Update> {
        let DeValue::Array(items) = value.into_inner() else {
            self.fault("`update` must be written `[[update]]`, with two brackets", span, None);
            return Vec::new();
        };
        items.into_iter().enumerate().filter_map(|(at, item)| self.update(at + 1, item)).collect()
    }

    fn update(&mut self, number: usize, value: TomlSpanned<DeValue<'_>>) -> Option<Update> {
        let span = value.span();
        let (mut id, mut fields, mut every) = (None, None, false);
        let (mut ops, mut expects) = (Vec::new(), Vec::new());
        for (key, span, value) in self.table("update", value) {
            match key.as_str() {
                "client_id" => id = self.id(value),
                "match" => fields = Some(self.patterns(value)),
                "every" => every = self.boolean(&key, value),
                "set" => ops.extend(self.set(value)),
                "unset" => ops.extend(self.unset(value)),
                "expect" => expects = self.expect(value),
                _ => self.unknown_key(&key, span, &UPDATE_KEYS, &UPDATE_LATER),
            }
        }
        self.overlaps(&ops);
        let selector = match (id, fields) {
            (Some(id), None) => Selector::Id(id),
            (None, Some(fields)) => Selector::Match { fields, every },
            (Some(_), Some(_)) => {
                self.fault("an update selects by `client_id` or by `match`, not by both", span, None);
                return None;
            }
            (None, None) => {
                let help = "say whom to change: `client_id = \"…\"` or `match = { name = \"…\" }`";
                self.fault(format!("update {number} selects no client"), span, Some(help.into()));
                return None;
            }
        };
        if ops.is_empty() && self.problems.is_empty() {
            self.fault(
                format!("update {number} changes nothing"),
                span.clone(),
                Some("say what to change: `set.name = \"…\"`".into()),
            );
        }
        let origin = Origin { file: Arc::clone(&self.file), span, label: RowLabel::Update(number) };
        Some(Update {
            origin,
            tenant: None,
            selector,
            base: None,
            ops,
            expects,
            fixed: Vec::new(),
            cells: Vec::new(),
        })
    }

    fn id(&mut self, value: TomlSpanned<DeValue<'_>>) -> Option<EntityId> {
        let span = value.span();
        let id = self.text(&self.kind.endpoint.id_field, value)?;
        if id.trim().is_empty() {
            self.fault(format!("`{}` is empty", self.kind.endpoint.id_field), span, None);
        }
        Some(EntityId::new(id.trim()))
    }

    fn patterns(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<(FieldPath, Pattern)> {
        let span = value.span();
        let mut patterns = Vec::new();
        for leaf in self.leaves("match", value) {
            match leaf {
                Leaf::Value { path, span, .. } if self.kind.is_secret(&path) => {
                    self.fault(format!("`match.{path}` is a secret, which no job may hold"), span, None);
                }
                Leaf::Value { path, value: Value::String(text), .. } => {
                    patterns.push((path, Pattern::glob(&text)));
                }
                Leaf::Value { path, value: value @ (Value::Bool(_) | Value::Number(_)), .. } => {
                    patterns.push((path, Pattern::literal(&value.to_string())));
                }
                Leaf::Value { path, span, .. } => {
                    self.fault(format!("`match.{path}` must be text"), span, None);
                }
                Leaf::Fault { what, help, span } => self.fault(what, span, help),
            }
        }
        if patterns.is_empty() && self.problems.is_empty() {
            self.fault(
                "`match` is empty, which would fit every client",
                span,
                Some("to mean every client, write `match = { name = \"*\" }`".into()),
            );
        }
        patterns
    }

    fn leaves(&mut self, key: &str, value: TomlSpanned<DeValue<'_>>) -> Vec<Leaf> {
        let span = value.span();
        match self.tree(value) {
            Spanned { value: Tree::Object(entries), .. } => of_object(self.kind, entries),
            Spanned { .. } => {
                self.fault(format!("`{key}` must be a table of fields"), span, None);
                Vec::new()
            }
        }
    }

    fn set(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<Op> {
        let mut ops = Vec::new();
        for leaf in self.leaves("set", value) {
            let span = leaf.span().clone();
            match leaves::op(self.kind, leaf) {
                Ok(op) => ops.push(op),
                Err(faults) => {
                    faults.into_iter().for_each(|(what, help)| self.fault(what, span.clone(), help));
                }
            }
        }
        ops
    }

    fn unset(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<Op> {
        let mut ops = Vec::new();
        for (text, span) in self.list("unset", value) {
            let path: FieldPath = match text.parse() {
                Ok(path) => path,
                Err(error) => {
                    self.fault(format!("`{text}` {error}"), span, None);
                    continue;
                }
            };
            if self.kind.is_secret(&path) {
                self.fault(format!("`{path}` is a secret, which no job may empty"), span.clone(), None);
            } else if let Some(fault) = validate::unset(self.kind, &path) {
                self.fault(fault.what, span.clone(), fault.help);
            }
            ops.push(Op { path, action: Action::Unset, span });
        }
        ops
    }

    fn expect(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<Expect> {
        let mut expects = Vec::new();
        for leaf in self.leaves("expect", value) {
            match leaf {
                Leaf::Value { path, value, span } if redact::holds_secret(self.kind, &path, &value) => {
                    let what = format!("`{path}` is a secret, and cannot be expected to hold a value");
                    self.fault(what, span, None);
                }
                Leaf::Value { path, value, span } => expects.push(Expect { path, value: Some(value), span }),
                Leaf::Fault { what, help, span } => self.fault(what, span, help),
            }
        }
        expects
    }

    /// Two operations of one update on the same or an enclosing path leave open which one is meant.
    fn overlaps(&mut self, ops: &[Op]) {
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
}
