//! TOML jobs. Central function: [`read`].
//!
//! `update` reads one `[[update]]` (`selecting` whom it is about, `ops` what it asks for, `places` where it says that secrets are kept), `rows` makes one update of each row of the file that an update's `rows` names, and
//! `tree` turns TOML's values into the ones that all readers share.

mod creates;
mod ops;
mod places;
mod rows;
mod selecting;
mod tree;
mod update;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;
use toml::Spanned as TomlSpanned;
use toml::de::{DeTable, DeValue};

use super::check;
use super::leaves;
use super::load::{stem, utf8};
use super::mask;
use super::{Guards, Input, Job, LoadOptions, Recorded, WaveSize};
use crate::catalogue::Kind;
use crate::model::suggest::nearest;
use crate::model::{Body, EntityId, FieldPath, Problem, SourceFile, TenantName};
use rows::{Columns, SpreadSheets};
use tree::entries;
use update::Written;

const TOP_KEYS: [&str; 8] = ["name", "tenants", "identity", "recorded", "vars", "guards", "update", "create"];
const RECORDED_KEYS: [&str; 5] = ["tenant", "at", "by", "job", "digest"];
const GUARD_KEYS: [&str; 4] = ["max_changes", "max_failures", "waves", "protect"];

/// Reads a TOML job.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(input: Input<'_>, options: LoadOptions<'_>) -> Result<Job, Vec<Problem>> {
    let text = utf8(input)?;
    let file = SourceFile::new(input.name, mask::keyed(text));
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader {
        options,
        kind: options.kind,
        file,
        problems: Vec::new(),
        warnings: Vec::new(),
        rows_here: false,
        told_columns: HashSet::new(),
    };
    for error in errors {
        let span = error.span().unwrap_or_default();
        reader.fault(format!("not valid TOML: {}", error.message()), span, None);
    }
    // A file that does not parse yields half-read tables: complaints about those would be noise.
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let mut job = reader.job(document.into_inner(), stem(input.name));
    job.warnings = reader.warnings;
    if reader.problems.is_empty() {
        return Ok(job);
    }
    reader.problems.extend(check::across(&job.updates));
    Err(reader.problems)
}

/// Reads one file and gathers what is wrong with it.
struct Reader<'o> {
    options: LoadOptions<'o>,
    /// Of the update that is being read.
    kind: &'static Kind,
    file: Arc<SourceFile>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// Whether the update that is being read names a file of rows.
    rows_here: bool,
    /// Columns that a file of rows does not have and that were told, by the place that uses them.
    told_columns: HashSet<(usize, String)>,
}

impl Reader<'_> {
    fn kind(&self) -> &'static Kind {
        self.kind
    }

    fn fault(&mut self, what: impl Into<String>, span: Range<usize>, help: Option<String>) {
        self.problems.push(Problem::new(what).at(&self.file, span).maybe_help(help));
    }

    fn warn(&mut self, what: impl Into<String>, span: Range<usize>, help: Option<String>) {
        self.warnings.push(Problem::new(what).at(&self.file, span).maybe_help(help).warning());
    }

    fn job(&mut self, document: DeTable<'_>, stem: String) -> Job {
        let mut job = Job::empty(stem, self.options.kinds);
        let mut written: Option<Vec<Written>> = None;
        let mut named = false;
        let mut identity = None;
        for (key, span, value) in entries(document) {
            match key.as_str() {
                "name" => {
                    named = true;
                    job.name = self.text(&key, value).unwrap_or(job.name);
                }
                "tenants" => job.allowed_tenants = self.tenants(value),
                "identity" => identity = Some(value),
                "recorded" => job.recorded = Some(self.recorded(value)),
                "vars" => job.vars = self.vars(value),
                "guards" => self.guards(value, &mut job),
                "update" => written.get_or_insert_with(Vec::new).extend(self.updates(span, value)),
                "create" => written.get_or_insert_with(Vec::new).extend(self.creates(span, value)),
                _ => self.unknown_key(&key, span, &TOP_KEYS),
            }
        }
        // A misspelt `update` has been reported already.
        if written.is_none() && self.problems.is_empty() {
            let help = "a job says what to change in `[[update]]` tables";
            self.fault("the job has no `[[update]]`", 0..0, Some(help.into()));
        }
        self.expand(written.unwrap_or_default(), &mut job);
        // Which kinds must have it is known only now.
        job.identity = identity.and_then(|value| self.identity(value, &job.used()));
        // The file that a run leaves is called the same for every run.
        let of_run = job.recorded.as_ref().and_then(|recorded| recorded.job.clone());
        if let Some(name) = of_run.filter(|_| !named && job.name == "changeset") {
            job.name = name;
        }
        job
    }

    fn unknown_key(&mut self, key: &str, span: Range<usize>, known: &[&str]) {
        let help = nearest(key, known.iter().copied()).map_or_else(
            || format!("known here: {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.fault(format!("unknown key `{key}`"), span, Some(help));
    }

    fn tenants(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<TenantName> {
        self.list("tenants", value).into_iter().map(|(name, _)| TenantName::new(name)).collect()
    }

    /// The header of a change set.
    fn recorded(&mut self, value: TomlSpanned<DeValue<'_>>) -> Recorded {
        let mut recorded = Recorded::default();
        for (key, span, value) in self.table("recorded", value) {
            let place = match key.as_str() {
                "tenant" => &mut recorded.tenant,
                "at" => &mut recorded.at,
                "by" => &mut recorded.by,
                "job" => &mut recorded.job,
                "digest" => &mut recorded.digest,
                _ => {
                    self.unknown_key(&key, span, &RECORDED_KEYS);
                    continue;
                }
            };
            *place = self.text(&key, value);
        }
        recorded
    }

    /// A path that one of the kinds has.
    fn identity(&mut self, value: TomlSpanned<DeValue<'_>>, kinds: &[&'static Kind]) -> Option<FieldPath> {
        let span = value.span();
        let text = self.text("identity", value)?;
        let has = |kind: &&&Kind| text.parse().is_ok_and(|path| leaves::unknown(kind, &path).is_none());
        self.kind = kinds.iter().find(has).or(kinds.first()).copied().unwrap_or(self.kind);
        self.path(&text, &span)
    }

    /// A path that the catalogue knows.
    fn path(&mut self, text: &str, span: &Range<usize>) -> Option<FieldPath> {
        match text.parse::<FieldPath>() {
            Err(error) => self.fault(format!("`{text}` {error}"), span.clone(), None),
            Ok(path) => match leaves::unknown(self.kind(), &path) {
                None => return Some(path),
                Some((what, help)) => self.fault(what, span.clone(), help),
            },
        }
        None
    }

    /// Variables are data: a text in them is never evaluated.
    fn vars(&mut self, value: TomlSpanned<DeValue<'_>>) -> Body {
        let span = value.span();
        let mut vars = Body::new();
        if !matches!(value.get_ref(), DeValue::Table(_)) {
            self.fault(
                "`vars` must be a table of variables",
                span,
                Some("write `[vars]` and `name = value`".into()),
            );
            return vars;
        }
        for (key, _, value) in self.table("vars", value) {
            if let Some(value) = self.data(value) {
                vars.insert(key, value);
            }
        }
        vars
    }

    fn data(&mut self, value: TomlSpanned<DeValue<'_>>) -> Option<Value> {
        match value.into_inner() {
            DeValue::String(text) => Some(Value::String(text.into_owned())),
            DeValue::Table(table) => entries(table)
                .into_iter()
                .map(|(key, _, value)| Some((key, self.data(value)?)))
                .collect::<Option<Body>>()
                .map(Value::Object),
            DeValue::Array(items) => {
                items.into_iter().map(|item| self.data(item)).collect::<Option<Vec<_>>>().map(Value::Array)
            }
            // A date is the text that stands there.
            DeValue::Datetime(date) => Some(Value::String(date.to_string())),
            other => match self.tree(TomlSpanned::new(0..0, other)).into_term()? {
                super::Term::Value(value) => Some(value),
                super::Term::Template(_) => None,
            },
        }
    }

    fn guards(&mut self, value: TomlSpanned<DeValue<'_>>, job: &mut Job) {
        let mut guards = Guards::default();
        for (key, span, value) in self.table("guards", value) {
            match key.as_str() {
                "max_changes" => guards.max_changes = self.threshold(&key, value),
                "max_failures" => guards.max_failures = self.threshold(&key, value),
                "protect" => {
                    let ids = self.list("protect", value);
                    guards.protect = ids.into_iter().filter_map(|(id, at)| self.protected(&id, at)).collect();
                }
                "waves" => guards.waves = self.waves(value),
                _ => self.unknown_key(&key, span, &GUARD_KEYS),
            }
        }
        job.guards = guards;
    }

    /// The slices of a run: numbers, shares, and `rest`.
    fn waves(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<WaveSize> {
        let span = value.span();
        let DeValue::Array(items) = value.into_inner() else {
            let help = "write `waves = [1, \"10%\", \"rest\"]`".to_owned();
            self.fault("`waves` must be a list", span, Some(help));
            return Vec::new();
        };
        let waves: Vec<WaveSize> = items.into_iter().filter_map(|item| self.wave(item)).collect();
        if let Err(wrong) = WaveSize::check(&waves) {
            self.fault(wrong, span, None);
        }
        waves
    }

    /// An id to protect. A name or a pattern would fit no id, and protect nobody.
    fn protected(&mut self, id: &str, at: Range<usize>) -> Option<EntityId> {
        let id = id.trim();
        if id.is_empty() || id.contains(|c: char| c.is_whitespace() || matches!(c, '*' | '{')) {
            let what = format!("`protect` takes ids of {}s, and {id:?} is none", self.kind().singular);
            self.fault(
                what,
                at,
                Some("a `where` on the updates leaves out whom a condition tells".to_owned()),
            );
            return None;
        }
        Some(EntityId::new(id))
    }

    fn updates(&mut self, span: Range<usize>, value: TomlSpanned<DeValue<'_>>) -> Vec<Written> {
        let DeValue::Array(items) = value.into_inner() else {
            self.fault("`update` must be written `[[update]]`, with two brackets", span, None);
            return Vec::new();
        };
        items.into_iter().enumerate().filter_map(|(at, item)| self.update(at + 1, item)).collect()
    }

    /// Updates as they were written become updates of the job: one each, or one a row.
    fn expand(&mut self, written: Vec<Written>, job: &mut Job) {
        let several = written.iter().filter(|one| one.rows.is_some()).count() > 1;
        let mut sheets = SpreadSheets::default();
        let mut columns = Columns::default();
        for one in written {
            self.kind = one.update.kind;
            match &one.rows {
                None => job.updates.push(one.update),
                Some(rows) => {
                    if let Some(sheet) = sheets.read(self, rows, &mut columns) {
                        job.updates.extend(self.rows(&one, &sheet, several));
                    }
                }
            }
        }
        job.columns = columns.fill(&mut job.updates);
        job.digest = sheets.digests();
    }
}
