//! A value of a job: plain, or with templates in it that each client fills in. Central type: [`Term`].

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::template::{RenderFault, Rendered, Scope, Template, Uses};
use crate::catalogue::Kind;
use crate::catalogue::cell::{self, Cell};
use crate::model::FieldPath;

/// A value of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// As it stands.
    Value(Value),
    /// With templates in it.
    Template(Arc<Tree>),
}

/// A value in which some texts are templates.
#[derive(Debug, PartialEq)]
pub enum Tree {
    /// A part without any.
    Value(Value),
    /// A text with code in it.
    Text(Box<Template>),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Object(Vec<(String, Tree)>),
}

impl Term {
    /// The value, where no client has to be known for it.
    pub fn literal(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            Self::Template(_) => None,
        }
    }

    /// What its templates use.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        if let Self::Template(tree) = self {
            tree.collect(&mut uses);
        }
        uses
    }

    /// Variables that it cannot do without.
    pub fn needed_vars(&self) -> BTreeSet<String> {
        match self {
            Self::Value(_) => BTreeSet::new(),
            Self::Template(tree) => tree.needed_vars(),
        }
    }

    /// Its value in a scope, as the field at `path` is to have it.
    ///
    /// # Errors
    /// Where a template in it has none.
    pub fn render(&self, kind: &Kind, path: &FieldPath, scope: &Scope) -> Result<Rendered, RenderFault> {
        match self {
            Self::Value(value) => Ok(Rendered::Value(value.clone())),
            Self::Template(tree) => tree.render(kind, path, scope),
        }
    }

    /// The variable that it is, where it is one and nothing else.
    pub fn variable(&self) -> Option<String> {
        let Self::Template(tree) = self else { return None };
        match &**tree {
            Tree::Text(template) => template.variable(),
            _ => None,
        }
    }

    /// Whether it is one whole `{{ row.X … }}`: then a text that comes out is read as a cell.
    pub fn is_row_value(&self) -> bool {
        matches!(self, Self::Template(tree) if matches!(&**tree, Tree::Text(text) if text.is_row_value()))
    }
}

impl From<Value> for Term {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl Tree {
    fn needed_vars(&self) -> BTreeSet<String> {
        match self {
            Self::Value(_) => BTreeSet::new(),
            Self::Text(template) => template.needed_vars(),
            Self::List(items) => items.iter().flat_map(Self::needed_vars).collect(),
            Self::Object(entries) => entries.iter().flat_map(|(_, inner)| inner.needed_vars()).collect(),
        }
    }

    fn collect(&self, uses: &mut Uses) {
        match self {
            Self::Value(_) => (),
            Self::Text(template) => uses.merge(template.uses()),
            Self::List(items) => items.iter().for_each(|item| item.collect(uses)),
            Self::Object(entries) => entries.iter().for_each(|(_, inner)| inner.collect(uses)),
        }
    }

    fn render(&self, kind: &Kind, path: &FieldPath, scope: &Scope) -> Result<Rendered, RenderFault> {
        match self {
            Self::Text(template) => template.render(scope),
            other => other.value(kind, path, scope).map(Rendered::Value),
        }
    }

    /// The value inside an object or a list; none inside an object is a null, which it takes for absent.
    fn value(&self, kind: &Kind, path: &FieldPath, scope: &Scope) -> Result<Value, RenderFault> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Text(template) => match template.render(scope)? {
                Rendered::Value(Value::String(text)) if template.is_row_value() => {
                    cell_inside(kind, path, &text)
                }
                Rendered::Value(value) => Ok(value),
                Rendered::Nothing { of: None } => Ok(Value::Null),
                // Nobody said in so many words that the key is to go.
                Rendered::Nothing { of: Some(lacking) } => {
                    let what = format!("`{lacking}` is none, which would leave `{path}` empty");
                    Err(RenderFault::new(what).help(format!(
                        "if that is meant, write `{{{{ {lacking} | default(none) }}}}`; else say what to write instead"
                    )))
                }
            },
            Self::List(items) => {
                let items = items.iter().map(|item| match item.item(kind, path, scope)? {
                    Value::Null => Err(RenderFault::new("an item of the list is none")
                        .help("say what to write instead: `| default('…')`")),
                    value => Ok(value),
                });
                items.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            Self::Object(entries) => {
                let entry = |(key, inner): &(String, Self)| {
                    Ok((key.clone(), inner.value(kind, &path.child(key), scope)?))
                };
                entries.iter().map(entry).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }

    /// An item of a list: a text stays a text, since the cell rules are about the field as a whole.
    fn item(&self, kind: &Kind, path: &FieldPath, scope: &Scope) -> Result<Value, RenderFault> {
        match self {
            Self::Text(template) => match template.render(scope)? {
                Rendered::Value(Value::String(text)) if template.is_row_value() && text.is_empty() => {
                    Err(empty_inside())
                }
                Rendered::Value(value) => Ok(value),
                Rendered::Nothing { .. } => Ok(Value::Null),
            },
            other => other.value(kind, path, scope),
        }
    }
}

/// A cell as one value of an object that is written as a whole: it is typed by its field, but cannot leave it alone.
fn cell_inside(kind: &Kind, path: &FieldPath, text: &str) -> Result<Value, RenderFault> {
    match cell::read(kind, path, text) {
        Ok(Cell::Value(value)) => Ok(value),
        Ok(Cell::Unset) => Ok(Value::Null),
        Ok(Cell::Leave) => Err(empty_inside()),
        Err(fault) => Err(RenderFault { what: fault.what, help: fault.help, lost: None }),
    }
}

fn empty_inside() -> RenderFault {
    RenderFault::new(
        "an empty cell stands inside a value that is written as a whole, and can leave nothing alone there",
    )
    .help("fill it in, write @null, or use `set` for single keys")
}
