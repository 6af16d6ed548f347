//! A value of a job: plain, or with templates in it that each client fills in. Central type: [`Term`].

use std::sync::Arc;

use serde_json::{Map, Value};

use super::template::{RenderFault, Rendered, Scope, Template, Uses};

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

    /// Its value in a scope.
    ///
    /// # Errors
    /// Where a template in it has none.
    pub fn render(&self, scope: &Scope) -> Result<Rendered, RenderFault> {
        match self {
            Self::Value(value) => Ok(Rendered::Value(value.clone())),
            Self::Template(tree) => tree.render(scope),
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
    fn collect(&self, uses: &mut Uses) {
        match self {
            Self::Value(_) => (),
            Self::Text(template) => uses.merge(template.uses()),
            Self::List(items) => items.iter().for_each(|item| item.collect(uses)),
            Self::Object(entries) => entries.iter().for_each(|(_, inner)| inner.collect(uses)),
        }
    }

    fn render(&self, scope: &Scope) -> Result<Rendered, RenderFault> {
        match self {
            Self::Text(template) => template.render(scope),
            other => other.value(scope).map(Rendered::Value),
        }
    }

    /// The value; none inside a list or an object is a null, which an object takes for absent.
    fn value(&self, scope: &Scope) -> Result<Value, RenderFault> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::Text(template) => match template.render(scope)? {
                Rendered::Value(value) => Ok(value),
                Rendered::Nothing { .. } => Ok(Value::Null),
            },
            Self::List(items) => {
                let items = items.iter().map(|item| match item.value(scope)? {
                    Value::Null => Err(RenderFault {
                        what: "an item of the list is none".to_owned(),
                        help: Some("say what to write instead: `| default('…')`".to_owned()),
                    }),
                    value => Ok(value),
                });
                items.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            Self::Object(entries) => {
                let entry = |(key, inner): &(String, Self)| Ok((key.clone(), inner.value(scope)?));
                entries.iter().map(entry).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
        }
    }
}
