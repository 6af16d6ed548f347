//! Whom an update is about. Central type: [`Selector`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::pattern::Pattern;
use super::template::{Expression, RenderFault, Rendered, Scope, Template, TenantScope, Uses};
use super::{Job, Update};
use crate::catalogue::Kind;
use crate::model::{EntityId, FieldPath, Problem, Reason};

/// Whom an update is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Selector {
    /// The client with this id.
    Id(EntityId),
    /// Clients that fit.
    Rule(Box<Rule>),
    /// One of the two, once the templates in it are filled in: [`bind`] does it for a tenant.
    Templated(Arc<Templated>),
    /// Nobody: an object of the tenant that a template asks for is not to be found. Why, in words.
    Lost(Box<(Reason, String)>),
}

impl From<Rule> for Selector {
    fn from(rule: Rule) -> Self {
        Self::Rule(Box::new(rule))
    }
}

/// Clients whose fields fit all the patterns, and of which the condition holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rule {
    /// Field and pattern; several mean *and*.
    pub fields: Vec<(FieldPath, Pattern)>,
    /// The `where`.
    pub condition: Option<Arc<Expression>>,
    /// Whether an exact name may fit several clients.
    pub every: bool,
}

/// A selector with templates in it, which see variables, the tenant and the row, but no client.
#[derive(Debug, PartialEq)]
pub enum Templated {
    /// The client with the id that comes out.
    Id(Box<Template>),
    /// A rule whose patterns have templates in them.
    Rule {
        /// Field and pattern.
        fields: Vec<(FieldPath, PatternText)>,
        /// The `where`.
        condition: Option<Arc<Expression>>,
        /// Whether an exact name may fit several clients.
        every: bool,
    },
}

/// The text of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum PatternText {
    /// As it stands.
    Pattern(Pattern),
    /// With templates in it.
    Template(Arc<Template>),
}

impl PatternText {
    fn pattern(&self, scope: &Scope) -> Result<Pattern, RenderFault> {
        match self {
            Self::Pattern(pattern) => Ok(pattern.clone()),
            Self::Template(template) => template.pattern(scope),
        }
    }
}

impl Templated {
    /// The template that a field must fit, as it was written.
    fn text_of(&self, key: &FieldPath) -> Option<&str> {
        let Self::Rule { fields, .. } = self else { return None };
        fields.iter().find(|(path, _)| path == key).and_then(|(_, text)| match text {
            PatternText::Template(template) => Some(template.source()),
            PatternText::Pattern(_) => None,
        })
    }

    /// What its templates and its condition use.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        match self {
            Self::Id(template) => uses.merge(template.uses()),
            Self::Rule { fields, .. } => fields.iter().for_each(|(_, text)| {
                if let PatternText::Template(template) = text {
                    uses.merge(template.uses());
                }
            }),
        }
        uses
    }

    /// Fills the templates in.
    ///
    /// # Errors
    /// Where one has no value, or a cell that says which client is meant is empty.
    pub fn bind(&self, kind: &Kind, scope: &Scope) -> Result<Selector, RenderFault> {
        match self {
            Self::Id(template) => {
                let id = match template.render(scope)? {
                    Rendered::Value(serde_json::Value::String(text)) => text.trim().to_owned(),
                    Rendered::Value(number @ serde_json::Value::Number(_)) => number.to_string(),
                    _ => String::new(),
                };
                if id.is_empty() {
                    return Err(no_client("the id is empty"));
                }
                Ok(Selector::Id(EntityId::new(id)))
            }
            Self::Rule { fields, condition, every } => {
                let bind = |(path, text): &(FieldPath, PatternText)| {
                    let pattern = text.pattern(scope)?;
                    // An empty cell is no condition left out: it would fit clients that nobody meant.
                    if pattern.exact() == Some("") && matches!(text, PatternText::Template(_)) {
                        return Err(no_client(&format!("`match.{path}` is empty")));
                    }
                    Ok((path.clone(), pattern.as_kept(kind, path)))
                };
                let fields = fields.iter().map(bind).collect::<Result<_, _>>()?;
                Ok(Rule { fields, condition: condition.clone(), every: *every }.into())
            }
        }
    }
}

fn no_client(what: &str) -> RenderFault {
    let help = "fill it in, or take the row out";
    RenderFault {
        what: format!("{what}: nobody knows which client is meant"),
        help: Some(help.to_owned()),
        lost: None,
    }
}

impl Selector {
    /// Variables that it cannot do without.
    pub fn needed_vars(&self) -> BTreeSet<String> {
        let Self::Templated(templated) = self else { return BTreeSet::new() };
        match &**templated {
            Templated::Id(template) => template.needed_vars(),
            Templated::Rule { fields, .. } => {
                let templates = fields.iter().filter_map(|(_, text)| match text {
                    PatternText::Template(template) => Some(template),
                    PatternText::Pattern(_) => None,
                });
                templates.flat_map(|template| template.needed_vars()).collect()
            }
        }
    }

    /// A rule of patterns alone.
    pub fn matching(fields: Vec<(FieldPath, Pattern)>) -> Self {
        Rule { fields, ..Rule::default() }.into()
    }

    /// The paths whose values decide.
    pub fn reads(&self) -> Vec<&FieldPath> {
        match self {
            Self::Rule(rule) => rule.fields.iter().map(|(path, _)| path).collect(),
            Self::Templated(templated) => match &**templated {
                Templated::Rule { fields, .. } => fields.iter().map(|(path, _)| path).collect(),
                Templated::Id(_) => Vec::new(),
            },
            Self::Id(_) | Self::Lost(_) => Vec::new(),
        }
    }

    /// The `where`.
    pub fn condition(&self) -> Option<&Arc<Expression>> {
        match self {
            Self::Rule(rule) => rule.condition.as_ref(),
            Self::Templated(templated) => match &**templated {
                Templated::Rule { condition, .. } => condition.as_ref(),
                Templated::Id(_) => None,
            },
            Self::Id(_) | Self::Lost(_) => None,
        }
    }
}

/// The job with its selectors filled in for a tenant.
///
/// # Errors
/// All selectors that have no value there.
pub fn bind<'j>(job: &'j Job, tenant: &Arc<TenantScope>) -> Result<Cow<'j, Job>, Vec<Problem>> {
    let mapping = job.mapping.clone().filter(|mapping| mapping.is_for(&tenant.name));
    let templated = |update: &Update| matches!(update.selector, Selector::Templated(_));
    if mapping.is_none() && !job.updates.iter().any(templated) {
        return Ok(Cow::Borrowed(job));
    }
    let mut job = job.clone();
    let mut problems = Vec::new();
    let identity = job.identity.clone();
    for update in &mut job.updates {
        let mut written = None;
        if let Selector::Templated(templated) = &update.selector {
            written = Some(Arc::clone(templated));
            match templated.bind(update.kind, &Scope::of_tenant(tenant, update.row.as_ref())) {
                Ok(selector) => update.selector = selector,
                // Before the tenant was read nobody knows its objects.
                Err(RenderFault { lost: Some(_), .. }) if !tenant.knows_ids() => (),
                Err(RenderFault { lost: Some(reason), what, .. }) => {
                    update.selector = Selector::Lost(Box::new((reason, what)));
                }
                Err(fault) => problems.push(unbound(update, &fault)),
            }
        }
        let (Some(mapping), Selector::Rule(rule)) = (&mapping, &update.selector) else { continue };
        let keys = [Some(FieldPath::root_field(&update.kind.endpoint.name_field)), identity.clone()];
        let mapped = keys.iter().flatten().find_map(|key| {
            let text = written.as_ref().and_then(|written| written.text_of(key));
            mapping.id(&tenant.name, rule, text, key)
        });
        if let Some(id) = mapped {
            update.selector = Selector::Id(id.clone());
        }
    }
    if problems.is_empty() { Ok(Cow::Owned(job)) } else { Err(problems) }
}

fn unbound(update: &Update, fault: &RenderFault) -> Problem {
    Problem::new(format!("{}: {}", update.origin.label.in_words(), fault.what))
        .at(&update.origin.file, update.origin.span.clone())
        .maybe_help(fault.help.clone())
}
