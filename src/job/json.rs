//! JSON jobs: what `get` wrote, edited. Only what was edited since is a change.

use std::collections::HashSet;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::check;
use super::load::{no_base, stem, utf8};
use super::mask;
use super::{Action, Expect, Extras, Input, Job, LoadOptions, Op, Origin, RowLabel, Selector, Term, Update};
use crate::catalogue::load::unknown_kind;
use crate::catalogue::{self, FieldType, Kind, Lookup, Writable, redact, validate};
use crate::model::value::same;
use crate::model::{Body, EntityId, FieldPath, Problem, SourceFile};

/// The key under which `get` leaves the digest of what it fetched.
pub const BASE_KEY: &str = "_base";

/// The key under which `get` says what kind of object it is, where it is not the default one.
pub const KIND_KEY: &str = "_kind";

/// The entries of an object, in order, with doubles: a reader that kept only the last would write what nobody meant.
struct Object<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Object<'t> {
    fn get(&self, key: &str) -> Option<&'t RawValue> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, raw)| *raw)
    }

    /// A key that stands twice, at its second place.
    fn double(&self) -> Option<(&str, &'t RawValue)> {
        let mut seen = HashSet::new();
        self.0.iter().find(|(key, _)| !seen.insert(key)).map(|(key, raw)| (key.as_str(), *raw))
    }
}

impl<'de: 't, 't> Deserialize<'de> for Object<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<'t>(PhantomData<&'t ()>);
        impl<'de: 't, 't> Visitor<'de> for Entries<'t> {
            type Value = Object<'t>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'t>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(Object(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// Reads a JSON job: one object, an array of them, or (`lines`) one a line.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(input: Input<'_>, options: LoadOptions<'_>, lines: bool) -> Result<Job, Vec<Problem>> {
    let text = utf8(input)?;
    let file = SourceFile::new(input.name, mask::keyed(text));
    let objects = if lines { each_line(&file, text)? } else { document(&file, text)? };
    let mut reader = Reader {
        options,
        kind: options.kind,
        file,
        problems: Vec::new(),
        warnings: Vec::new(),
        base_needed: 0,
    };
    let several = objects.len() > 1;
    let updates: Vec<Update> = objects
        .into_iter()
        .enumerate()
        .filter_map(|(at, object)| reader.update(at + 1, object, text, several))
        .collect();
    reader.say_what_has_no_base(several);
    if updates.is_empty() && reader.problems.is_empty() {
        reader
            .warnings
            .push(Problem::new(format!("{} holds no object: nothing to do", input.name)).warning());
    }
    if !reader.problems.is_empty() {
        reader.problems.extend(check::across(&updates));
        return Err(reader.problems);
    }
    Ok(Job { updates, warnings: reader.warnings, ..Job::empty(stem(input.name), options.kinds) })
}

fn document<'t>(file: &Arc<SourceFile>, text: &'t str) -> Result<Vec<&'t RawValue>, Vec<Problem>> {
    let single = text.trim_start().starts_with('{');
    let parsed =
        if single { serde_json::from_str(text).map(|one| vec![one]) } else { serde_json::from_str(text) };
    parsed.map_err(|error| vec![syntax(file, &error, 0)])
}

/// The mistakes of all lines are told: one broken line says nothing about the others.
fn each_line<'t>(file: &Arc<SourceFile>, text: &'t str) -> Result<Vec<&'t RawValue>, Vec<Problem>> {
    let (mut objects, mut problems, mut start) = (Vec::new(), Vec::new(), 0);
    for line in text.split_inclusive('\n') {
        if !line.trim().is_empty() {
            match serde_json::from_str(line) {
                Ok(object) => objects.push(object),
                Err(error) => problems.push(syntax(file, &error, start)),
            }
        }
        start += line.len();
    }
    if problems.is_empty() { Ok(objects) } else { Err(problems) }
}

/// `start` is where the text that was parsed begins in the file.
fn syntax(file: &Arc<SourceFile>, error: &serde_json::Error, start: usize) -> Problem {
    let lines = file.text[start..].split_inclusive('\n');
    let line_start: usize = start + lines.take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let at = (line_start + error.column().saturating_sub(1)).min(file.text.len());
    // serde_json counts bytes and may point between the bytes of a character.
    let at = (0..=at).rev().find(|at| file.text.is_char_boundary(*at)).unwrap_or(0);
    let before = file.text[..at].trim_end();
    if before.ends_with(',') && file.text[at..].trim_start().starts_with(['}', ']']) {
        let comma = before.len() - 1;
        return Problem::new("not valid JSON: a comma stands behind the last entry")
            .at(file, comma..comma + 1)
            .help("remove the comma");
    }
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text).to_owned();
    Problem::new(format!("not valid JSON: {what}")).at(file, at..at + 1)
}

/// The bytes of `text` that a raw value borrowed from it stands at.
fn span_of(raw: &RawValue, text: &str) -> Range<usize> {
    let begin = (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    begin..begin + raw.get().len()
}

/// The bytes of the key before a value; those of the value where the key is spelt with escapes.
fn key_span(op: &Op, text: &str) -> Range<usize> {
    let key = format!("\"{}\"", op.path.last());
    let before = text[..op.span.start].trim_end().trim_end_matches(':').trim_end();
    if before.ends_with(&key) { before.len() - key.len()..before.len() } else { op.span.clone() }
}

struct Reader<'o> {
    options: LoadOptions<'o>,
    /// Of the object that is being read.
    kind: &'static Kind,
    file: Arc<SourceFile>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Objects whose base is not to be had.
    base_needed: usize,
}

/// One object being compared with its base.
struct Comparison<'t> {
    text: &'t str,
    /// Whether the object as fetched is known; without it nothing can be told unchanged here.
    has_base: bool,
    ops: Vec<Op>,
    expects: Vec<Expect>,
    fixed: Vec<Op>,
}

impl Reader<'_> {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    fn fault(&mut self, what: impl Into<String>, span: Range<usize>, help: Option<String>) {
        self.problems.push(Problem::new(what).at(&self.file, span).maybe_help(help));
    }

    fn update(&mut self, number: usize, raw: &RawValue, text: &str, several: bool) -> Option<Update> {
        let span = span_of(raw, text);
        let head = span.start..span.start + 1;
        let Ok(object) = serde_json::from_str::<Object<'_>>(raw.get()) else {
            self.fault(
                format!("item {number} is not an object"),
                span,
                Some("each item is a client as `get` wrote it".into()),
            );
            return None;
        };
        self.kind = self.kind_of(&object, text)?;
        let id_field = &self.kind().endpoint.id_field;
        let Some(id) = object.get(id_field).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
        else {
            let help =
                format!("`get` writes it; without it nobody knows which {} is meant", self.kind().singular);
            self.fault(format!("item {number} has no `{id_field}`"), head, Some(help));
            return None;
        };
        let id = EntityId::new(id);
        let base = self.base(&object, &id, text)?;
        if base.is_none() && several && !self.options.without_base {
            let lost = object.get(BASE_KEY).is_none() && text.contains(&format!("\"{BASE_KEY}\""));
            if lost {
                // The others have theirs: this one was taken away, or the object was added by hand.
                let help = "put back what `get` wrote, or compare with the live state: --no-base".to_owned();
                self.fault(format!("item {number} has no `{BASE_KEY}`, as others have"), head, Some(help));
                return None;
            }
            self.base_needed += 1;
            return None;
        }
        self.base_needed += usize::from(base.is_none());
        let mut comparison = Comparison {
            text,
            has_base: base.is_some(),
            ops: Vec::new(),
            expects: Vec::new(),
            fixed: Vec::new(),
        };
        self.doubles(&object, text);
        for (key, raw) in &object.0 {
            if key != id_field && !key.starts_with('_') {
                let before = base.as_ref().and_then(|base| base.get(key));
                self.compare(&mut comparison, &FieldPath::root_field(key), raw, before);
            }
        }
        let Comparison { mut ops, mut expects, fixed, .. } = comparison;
        ops.shrink_to_fit();
        expects.shrink_to_fit();
        let origin = Origin { file: Arc::clone(&self.file), span: head, label: RowLabel::Update(number) };
        let base = object.get(BASE_KEY).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let extras = Extras { compared: base.is_none(), base, fixed, ..Extras::default() };
        Some(Update { ops, expects, ..Update::new(self.kind, origin, Selector::Id(id)) }.with(extras))
    }

    /// The kind that an object says it is of, else the one of the file.
    fn kind_of(&mut self, object: &Object<'_>, text: &str) -> Option<&'static Kind> {
        let Some(raw) = object.get(KIND_KEY) else { return Some(self.options.kind) };
        let name = serde_json::from_str::<String>(raw.get()).unwrap_or_default();
        match catalogue::kind(&name) {
            Some(kind) => Some(self.options.kinds.get(kind.name)),
            None => {
                let (what, help) = unknown_kind(&name).unwrap_or_default();
                self.fault(what, span_of(raw, text), Some(help));
                None
            }
        }
    }

    fn doubles(&mut self, object: &Object<'_>, text: &str) {
        if let Some((key, raw)) = object.double() {
            let help = Some("keep the one that is meant".to_owned());
            self.fault(format!("`{key}` stands twice in one object"), span_of(raw, text), help);
        }
    }

    /// The object as `get` fetched it: `Some(None)` where that is not known, `None` after a problem.
    fn base(&mut self, object: &Object<'_>, id: &EntityId, text: &str) -> Option<Option<Arc<Body>>> {
        let Some(raw) = object.get(BASE_KEY) else { return Some(None) };
        let Ok(digest) = serde_json::from_str::<String>(raw.get()) else {
            self.fault(format!("`{BASE_KEY}` must be text as `get` wrote it"), span_of(raw, text), None);
            return None;
        };
        match self.options.bases.find(self.kind, &digest, id) {
            Ok(base) => Some(base),
            Err(error) => {
                self.fault(
                    format!("the state that `get` kept cannot be read: {error}"),
                    span_of(raw, text),
                    None,
                );
                None
            }
        }
    }

    fn compare(&mut self, to: &mut Comparison<'_>, path: &FieldPath, raw: &RawValue, before: Option<&Value>) {
        let kind = self.kind();
        let object =
            raw.get().starts_with('{').then(|| serde_json::from_str::<Object<'_>>(raw.get()).ok()).flatten();
        // An object without keys says that there is one: an add-on is on where it has its object.
        let matters = !kind.merges(path) && !kind.is_older_name(path);
        let springs_up =
            |object: &Object<'_>| matters && object.0.is_empty() && !before.is_some_and(Value::is_object);
        if let Some(object) = object.filter(|object| holds_keys(kind, path) && !springs_up(object)) {
            self.doubles(&object, to.text);
            for (key, inner) in &object.0 {
                let before = before.and_then(Value::as_object).and_then(|before| before.get(key));
                self.compare(to, &path.child(key), inner, before);
            }
            return;
        }
        let span = span_of(raw, to.text);
        let value = match serde_json::from_str::<Value>(raw.get()) {
            Ok(value) => value,
            Err(error) => {
                // A number that is none, half of a character: the parser of the whole file passes over it.
                let text = error.to_string();
                let what =
                    format!("`{path}` cannot be read: {}", text.split(" at line ").next().unwrap_or(&text));
                return self.fault(what, span, None);
            }
        };
        if to.has_base && same(Some(&value), before, kind.order(path)) {
            return;
        }
        // Files are copied from one client to another, with what the server shows of its own accord.
        let fixed = kind.writable(path) != Writable::Patch;
        let as_default = || to.has_base && kind.default_of(path).is_some_and(|default| *default == value);
        if fixed && before.is_none() && (as_default() || redact::is_never_read(kind, path)) {
            return;
        }
        if redact::has_place(&value) {
            let what = format!("`{path}` holds the text that stands for a secret in plans");
            let help = "a secret is set by a TOML job, from where it is kept".to_owned();
            return self.fault(what, span, Some(help));
        }
        if redact::has_kept(&value) {
            if to.has_base && !before.is_some_and(redact::has_kept) {
                let what = format!("`{path}` holds the mark of a secret, and `get` found none there");
                self.fault(what, span, Some("write what is meant, or take the key out".to_owned()));
            }
            return;
        }
        let action = if value.is_null() { Action::Unset } else { Action::Set(value.into()) };
        let op = Op { path: path.clone(), action, span };
        if !to.has_base && kind.is_secret(path) && !matches!(op.action, Action::Unset) {
            return self
                .faults(&op)
                .into_iter()
                .for_each(|(what, help)| self.fault(what, op.span.clone(), help));
        }
        if !to.has_base {
            self.unless_the_tenant_holds_it(&op, to.text);
            if self.writable(path) {
                to.ops.push(op);
            } else {
                to.fixed.push(op);
            }
            return;
        }
        let faults = self.faults(&op);
        if faults.is_empty() {
            let value = before.filter(|v| !v.is_null()).cloned().map(Into::into);
            to.expects.push(Expect { path: path.clone(), value, span: op.span.clone() });
            to.ops.push(op);
            return;
        }
        for (what, help) in faults {
            self.fault(what, op.span.clone(), help);
        }
    }

    /// Without a base it is not known whether a doubtful value stood there before; a misspelt field certainly did not.
    fn unless_the_tenant_holds_it(&mut self, op: &Op, text: &str) {
        let misspelt = matches!(self.kind().lookup(&op.path), Lookup::Unknown { near: Some(_) });
        if !misspelt && !self.writable(&op.path) {
            return;
        }
        for (what, help) in self.faults(op) {
            let problem = Problem::new(what).maybe_help(help);
            if misspelt {
                self.problems.push(problem.at(&self.file, key_span(op, text)));
            } else {
                let problem = problem.at(&self.file, op.span.clone());
                self.warnings.push(problem.label("unless the tenant holds it already").warning());
            }
        }
    }

    /// Whether a later check, when the state of the tenant is known, may allow a change here.
    fn writable(&self, path: &FieldPath) -> bool {
        !matches!(self.kind().lookup(path), Lookup::Unknown { .. })
            && self.kind().writable(path) == Writable::Patch
            && !self.kind().is_secret(path)
    }

    fn faults(&self, op: &Op) -> Vec<(String, Option<String>)> {
        let faults = match op.action.term().and_then(Term::literal) {
            Some(value) => validate::value(self.kind(), &op.path, value),
            None => validate::unset(self.kind(), &op.path).into_iter().collect(),
        };
        faults.into_iter().map(|fault| (fault.what, fault.help)).collect()
    }

    fn say_what_has_no_base(&mut self, several: bool) {
        if self.base_needed == 0 {
            return;
        }
        let refused = several && !self.options.without_base;
        let problem = no_base(&self.file.name, refused);
        if refused { self.problems.push(problem) } else { self.warnings.push(problem) }
    }
}

/// Whether this is an object whose keys are compared one by one; an unknown field is compared as a whole.
fn holds_keys(kind: &Kind, path: &FieldPath) -> bool {
    match kind.lookup(path) {
        Lookup::Field(field) => field.ty == FieldType::Object,
        Lookup::OpenKey { value, .. } => value.is_some_and(|value| value.ty == FieldType::Object),
        Lookup::Unknown { .. } => false,
    }
}
