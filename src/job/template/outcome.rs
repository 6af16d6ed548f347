//! What came of a template: a value as JSON, none, or why there is neither. Central types: [`Rendered`] and [`RenderFault`].

use minijinja::value::ValueKind;
use minijinja::{ErrorKind, Value as Shown};
use serde_json::{Map, Value};

use super::scan::foreign_sign;
use super::scope::Scope;
use super::uses::Wrong;
use super::{absent, node, notes};
use crate::model::Reason;

/// What came of a template.
#[derive(Debug, Clone, PartialEq)]
pub enum Rendered {
    /// A value; of a template with text around its expressions, a text.
    Value(Value),
    /// None: the job says so itself (`of` is `None`), or the client lacks the path that is named.
    Nothing {
        /// The path that the client lacks.
        of: Option<String>,
    },
}

/// Why a template has no value for a client or row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderFault {
    /// In one line.
    pub what: String,
    /// What to do.
    pub help: Option<String>,
    /// Where it names an object of the tenant that is not to be found, or not to be told from another: no mistake of the
    /// job, and the end of the row.
    pub lost: Option<Reason>,
}

impl RenderFault {
    pub(in crate::job) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), help: None, lost: None }
    }

    pub(in crate::job) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// A syntax error of the engine's; `base` is where its source begins in the template.
pub(super) fn syntax(error: &minijinja::Error, code: &str, base: usize) -> Wrong {
    let at = error.range().filter(|at| at.start < at.end).unwrap_or(0..code.len());
    let detail = error.detail().unwrap_or("it cannot be read");
    let wrong = Wrong::new(format!("not a valid expression: {detail}"), base + at.start..base + at.end);
    if code.get(at).is_some_and(|marked| marked.starts_with('=')) {
        wrong.help("a comparison is written with two signs: `==`")
    } else if detail == "unexpected input after expression" && code.contains("row.") {
        wrong.help("a column whose name is not one word is written `row['Column name']`")
    } else if detail.contains("unexpected end of string") {
        wrong.help("close the quote: 'text'")
    } else {
        wrong
    }
}

/// The same of code that was rewritten before the engine saw it, so that its places are not those of the template.
pub(super) fn syntax_somewhere(error: &minijinja::Error, code: &str, base: usize) -> Wrong {
    Wrong { at: base..base + code.len(), ..syntax(error, code, base) }
}

/// A sign that means nothing in code.
pub(super) fn foreign(code: &str, base: usize) -> Option<Wrong> {
    let (at, help) = foreign_sign(code)?;
    let wrong = Wrong::new(
        format!("not a valid expression: `{}` means nothing here", &code[at.clone()]),
        base + at.start..base + at.end,
    );
    Some(match help {
        Some(help) => wrong.help(help),
        None => wrong,
    })
}

/// The outcome of an evaluation, with what was noted on the way: that tells more than the engine's own error.
pub(super) fn told<T>(result: Result<T, minijinja::Error>, notes: &notes::Notes) -> Result<T, RenderFault> {
    if let Some((what, reason)) = &notes.lost {
        return Err(RenderFault { lost: Some(*reason), ..RenderFault::new(what.clone()) });
    }
    if let Some(missing) = notes.missing.first() {
        let fault = RenderFault::new(format!("there is no `{}`", missing.name));
        return Err(match &missing.near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None if missing.name.starts_with("vars.") => {
                let name = missing.name.trim_start_matches("vars.");
                fault.help(format!(
                    "give it with --var {name}=…, in the tenant's `vars`, or in the job's [vars]"
                ))
            }
            None => fault.help("where it may be missing, write `| default('')`"),
        });
    }
    if let Some(path) = &notes.absent {
        return Err(none_in_text(path));
    }
    if notes.structure {
        let what = "text is made of a list or an object";
        return Err(RenderFault::new(what).help("`| join('|')` makes text of a list"));
    }
    result.map_err(|error| {
        let what = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => "it takes too many steps: a loop inside a loop?".to_owned(),
            (ErrorKind::UndefinedError, Some(detail)) => {
                format!("a value that does not exist is used: {detail}")
            }
            (ErrorKind::UndefinedError, None) => "a value that does not exist is used".to_owned(),
            (_, Some(detail)) => detail.to_owned(),
            (kind, None) => kind.to_string(),
        };
        match &notes.met {
            Some(path) => RenderFault::new(format!("{what}; `{path}` is none"))
                .help(format!("say what to take instead: `{path} | default(…)`")),
            None => RenderFault::new(what),
        }
    })
}

/// What is said where text would be made of none.
pub(super) fn none_in_text(path: &str) -> RenderFault {
    RenderFault::new(format!("`{path}` is none, and none cannot be made text of"))
        .help(format!("say what to write instead: `{path} | default('')`"))
}

/// What is said of an empty cell in the midst of text.
pub(super) fn empty_in_text(scope: &Scope, column: &str) -> RenderFault {
    let row = scope.row().map(|row| format!("row {}: ", row.number)).unwrap_or_default();
    RenderFault::new(format!("{row}the cell of `{column}` is empty, and stands inside longer text"))
        .help("fill it in; or say what to write instead, as in `row.x or 'none'`")
}

/// What the engine gives, as JSON.
pub(super) fn rendered(value: &Shown) -> Result<Rendered, RenderFault> {
    if let Some(absent) = absent::of(value) {
        return Ok(Rendered::Nothing { of: absent.path.clone() });
    }
    if value.is_undefined() {
        let what = "the expression has no value";
        return Err(RenderFault::new(what).help("where a name may be missing, write `| default('')`"));
    }
    json(value).map(Rendered::Value)
}

fn json(value: &Shown) -> Result<Value, RenderFault> {
    let unfit = |what: &str| RenderFault::new(format!("{what} cannot be stored in a field"));
    if absent::is_none(value) {
        return Ok(Value::Null);
    }
    if let Some(object) = node::json_of(value) {
        return Ok(Value::Object(object));
    }
    match value.kind() {
        ValueKind::Bool => Ok(Value::Bool(value.is_true())),
        ValueKind::Number => number(value).ok_or_else(|| unfit("this number")),
        ValueKind::String => Ok(Value::String(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| RenderFault::new(error.to_string()))?;
            items.map(|item| json(&item)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        ValueKind::Map => {
            let keys = value.try_iter().map_err(|error| RenderFault::new(error.to_string()))?;
            let entry = |key: Shown| {
                let inner = value.get_item(&key).map_err(|error| RenderFault::new(error.to_string()))?;
                Ok((key.to_string(), json(&inner)?))
            };
            keys.map(entry).collect::<Result<Map<_, _>, RenderFault>>().map(Value::Object)
        }
        _ => Err(unfit("what comes out of this expression")),
    }
}

/// A number as JSON; one without a fraction is whole.
fn number(value: &Shown) -> Option<Value> {
    if let Ok(whole) = i64::try_from(value.clone()) {
        return Some(Value::from(whole));
    }
    let float = f64::try_from(value.clone()).ok()?;
    serde_json::Number::from_f64(float).map(Value::Number)
}
