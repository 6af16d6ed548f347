//! Whom an `[[update]]` is about: `client_id`, `match` and `where`.

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned as TomlSpanned;
use toml::de::DeValue;

use super::Reader;
use super::tree::{decimal, type_name};
use crate::job::selector::{PatternText, Rule, Templated};
use crate::job::template::{Expression, Template, is_template};
use crate::job::{Pattern, Selector};
use crate::model::{EntityId, FieldPath};

/// What selects, as far as it was read.
#[derive(Default)]
pub(super) struct Selecting {
    pub(super) id: Option<IdText>,
    pub(super) fields: Option<Vec<(FieldPath, PatternText)>>,
    pub(super) condition: Option<Arc<Expression>>,
    /// Whether a selector stands there, be it a wrong one.
    pub(super) tried: bool,
    pub(super) every: bool,
}

pub(super) enum IdText {
    Id(EntityId),
    Template(Box<Template>),
}

impl Reader<'_> {
    pub(super) fn selector(
        &mut self,
        number: usize,
        selecting: Selecting,
        span: &Range<usize>,
    ) -> Option<Selector> {
        let Selecting { id, fields, condition, tried, every } = selecting;
        let id_field = &self.kind().endpoint.id_field;
        match (id, fields, condition) {
            (Some(_), fields, condition) if fields.is_some() || condition.is_some() => {
                let what =
                    format!("an update selects by `{id_field}`, or by `match` and `where`, not by both");
                let help = format!(
                    "to check a client that is named by its id, use `expect` instead of `{}`",
                    if fields.is_some() { "match" } else { "where" }
                );
                self.fault(what, span.clone(), Some(help));
                None
            }
            (Some(_), ..) if every => {
                let what = format!("`every` is for names that several clients have; an `{id_field}` has one");
                self.fault(what, span.clone(), Some("leave `every` out".to_owned()));
                None
            }
            (Some(IdText::Id(id)), ..) => Some(Selector::Id(id)),
            (Some(IdText::Template(template)), ..) => {
                Some(Selector::Templated(Arc::new(Templated::Id(template))))
            }
            (None, None, None) => {
                if !tried {
                    let help = format!(
                        "say whom to change: `{id_field} = \"…\"`, `match = {{ name = \"…\" }}` or `where = \"…\"`"
                    );
                    self.fault(format!("update {number} selects no client"), span.clone(), Some(help));
                }
                None
            }
            (None, fields, condition) => Some(rule(fields.unwrap_or_default(), condition, every)),
        }
    }

    pub(super) fn id(&mut self, value: TomlSpanned<DeValue<'_>>) -> Option<IdText> {
        let span = value.span();
        let id_field = self.kind().endpoint.id_field.clone();
        let text = self.text(&id_field, value)?;
        if is_template(&text) {
            let template = self.selecting_template(&id_field, &text, &span)?;
            return Some(IdText::Template(Box::new(template)));
        }
        if text.trim().is_empty() {
            self.fault(format!("`{id_field}` is empty"), span, None);
            return None;
        }
        Some(IdText::Id(EntityId::new(text.trim())))
    }

    /// A template that says whom an update is about cannot see a client: none has been chosen yet.
    fn selecting_template(&mut self, key: &str, text: &str, span: &Range<usize>) -> Option<Template> {
        let template = self.template(text, span)?;
        if !template.uses().client() {
            return Some(template);
        }
        let used = template.uses().fields.first().map_or("client", String::as_str);
        let what = format!("`{key}` cannot use `{used}`: no client is chosen yet");
        let help = "it sees `row`, `vars`, `tenant` and `env`; a condition on a client's fields is a `where`";
        let at = self
            .file
            .slice(span.clone())
            .find(used)
            .map_or(span.clone(), |at| span.start + at..span.start + at + used.len());
        self.fault(what, at, Some(help.to_owned()));
        None
    }

    pub(super) fn condition(&mut self, value: TomlSpanned<DeValue<'_>>) -> Option<Arc<Expression>> {
        let span = value.span();
        let text = self.text("where", value)?;
        if text.trim().is_empty() {
            let help = "to mean every client, write `match = { name = \"*\" }`";
            self.fault("`where` is empty", span, Some(help.to_owned()));
            return None;
        }
        if is_template(&text) {
            let help = "write it without braces: `where = \"app_type == 'spa'\"`";
            self.fault("`where` is an expression, not a template", span, Some(help.to_owned()));
            return None;
        }
        match Expression::parse(&text, self.kind()) {
            Ok(expression) if expression.uses().row && !self.rows_here => {
                let help = "name the file with `rows = \"file.csv\"`";
                self.fault("`row` is used, but the update has no `rows`", span, Some(help.to_owned()));
                None
            }
            Ok(expression) => Some(Arc::new(expression)),
            Err(wrong) => {
                self.wrong(&text, &span, wrong);
                None
            }
        }
    }

    pub(super) fn patterns(&mut self, value: TomlSpanned<DeValue<'_>>) -> Vec<(FieldPath, PatternText)> {
        let (span, before) = (value.span(), self.problems.len());
        let mut patterns = Vec::new();
        for (path, value, span) in self.match_entries(value) {
            let at = span.clone();
            let pattern = match value {
                DeValue::String(text) if is_template(&text) => {
                    let key = format!("match.{path}");
                    self.selecting_template(&key, &text, &span)
                        .map(|text| PatternText::Template(Arc::new(text)))
                }
                DeValue::String(text) => {
                    Some(PatternText::Pattern(Pattern::glob(&text).as_kept(self.kind(), &path)))
                }
                DeValue::Boolean(flag) => Some(PatternText::Pattern(Pattern::literal(&flag.to_string()))),
                DeValue::Integer(number) => Some(PatternText::Pattern(Pattern::literal(&decimal(&number)))),
                DeValue::Float(number) => Some(PatternText::Pattern(Pattern::literal(number.as_str()))),
                other => {
                    let what = format!("`match.{path}` must be text, not {}", type_name(&other));
                    self.fault(
                        what,
                        span,
                        Some("of a list one item suffices: `match.callbacks = \"https://…\"`".into()),
                    );
                    None
                }
            };
            let empty =
                matches!(&pattern, Some(PatternText::Pattern(pattern)) if pattern.exact() == Some(""));
            if empty {
                let help = format!("clients without it: `where = \"{path} is none\"`");
                self.fault(format!("`match.{path}` is empty"), at.clone(), Some(help));
            }
            if let Some(PatternText::Pattern(pattern)) = &pattern {
                self.spelt_as_listed(&path, pattern, &at);
            }
            patterns.extend(pattern.filter(|_| !empty).map(|pattern| (path, pattern)));
        }
        if patterns.is_empty() && self.problems.len() == before {
            let help = "to mean every client, write `match = { name = \"*\" }`";
            self.fault("`match` is empty, which would fit every client", span, Some(help.into()));
        }
        patterns
    }

    /// A listed value in another spelling fits nobody, which looks like a job that has nothing to do.
    fn spelt_as_listed(&mut self, path: &FieldPath, pattern: &Pattern, at: &Range<usize>) {
        let Some(text) = pattern.exact() else { return };
        let listed = self.kind().lookup(path).field().and_then(|field| field.spelt_otherwise(text));
        if let Some(listed) = listed {
            let what = format!("`{path}` is never {text:?}");
            self.fault(what, at.clone(), Some(format!("did you mean {listed:?}?")));
        }
    }

    /// The paths of `match`, each with its value.
    fn match_entries<'t>(
        &mut self,
        value: TomlSpanned<DeValue<'t>>,
    ) -> Vec<(FieldPath, DeValue<'t>, Range<usize>)> {
        let mut found = Vec::new();
        for (path, value) in self.paths("match", value, |_, _| true) {
            let at = value.span();
            if self.kind().is_secret(&path) {
                self.fault(format!("`match.{path}` is a secret, which no job may hold"), at, None);
            } else {
                found.push((path, value.into_inner(), at));
            }
        }
        found
    }
}

/// A selector by patterns and condition, concrete where no template is in it.
fn rule(fields: Vec<(FieldPath, PatternText)>, condition: Option<Arc<Expression>>, every: bool) -> Selector {
    let plain: Option<Vec<(FieldPath, Pattern)>> = fields
        .iter()
        .map(|(path, text)| match text {
            PatternText::Pattern(pattern) => Some((path.clone(), pattern.clone())),
            PatternText::Template(_) => None,
        })
        .collect();
    match plain {
        Some(fields) => Rule { fields, condition, every }.into(),
        None => Selector::Templated(Arc::new(Templated::Rule { fields, condition, every })),
    }
}
