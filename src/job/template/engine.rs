//! minijinja as jobs use it: strict, with the filters and tests of the job language. Central item: [`ENGINE`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};
use regex::Regex;

use super::absent::{self, is_none};
use super::node::json_of;
use super::notes;

/// The one environment: it holds no template and nothing of any job.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(build);

/// Steps that one evaluation may take: far more than any value needs, and soon over where loops stand inside loops.
const FUEL: u64 = 2_000_000;

fn build() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    // Errors say where in the template they are.
    engine.set_debug(true);
    let mut syntax = SyntaxConfig::builder();
    syntax.keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        engine.set_syntax(syntax);
    }
    engine.set_formatter(print);
    engine.set_fuel(Some(FUEL));
    engine.remove_global("debug");
    for name in ["default", "d"] {
        engine.add_filter(name, default);
    }
    engine.add_filter("items", items);
    engine.add_filter("removeprefix", |text: String, prefix: String| {
        text.strip_prefix(prefix.as_str()).map_or_else(|| text.clone(), str::to_owned)
    });
    engine.add_filter("removesuffix", |text: String, suffix: String| {
        text.strip_suffix(suffix.as_str()).map_or_else(|| text.clone(), str::to_owned)
    });
    engine.add_filter("regex_replace", |text: String, pattern: String, with: String| {
        with_regex(&pattern, |regex| regex.replace_all(&text, with.as_str()).into_owned())
    });
    engine.add_test("matching", |text: &Value, pattern: String| match text.as_str() {
        Some(text) => with_regex(&pattern, |regex| regex.is_match(text)),
        None if is_none(text) => Ok(false),
        None => Err(Error::new(ErrorKind::InvalidOperation, "`matching` compares texts alone")),
    });
    engine.add_test("none", |value: &Value| is_none(value));
    engine.add_test("mapping", |value: &Value| json_of(value).is_some() || value.kind() == ValueKind::Map);
    engine.add_test("defined", |value: &Value| exists(value));
    engine.add_test("undefined", |value: &Value| !exists(value));
    engine
}

/// Whether the engine itself has a function of this name.
pub(super) fn has_global(name: &str) -> bool {
    ENGINE.globals().any(|(global, _)| global == name)
}

fn exists(value: &Value) -> bool {
    if value.is_undefined() {
        notes::asked_for();
    }
    !value.is_undefined()
}

/// minijinja's own, which takes none for a value, and here most fields of most clients are none.
#[expect(clippy::needless_pass_by_value, reason = "the form that the engine calls")]
fn default(value: &Value, args: Rest<Value>) -> Value {
    let other = args.first().cloned().unwrap_or_else(|| Value::from(""));
    let empty_too = args.get(1).is_some_and(Value::is_true);
    if value.is_undefined() {
        notes::asked_for();
        return other;
    }
    if is_none(value) || empty_too && !value.is_true() { other } else { value.clone() }
}

/// minijinja's own knows only maps of its own.
fn items(value: &Value) -> Result<Value, Error> {
    match json_of(value) {
        Some(object) => {
            let pair = |(key, value): (&String, &serde_json::Value)| {
                Value::from(vec![Value::from(key.as_str()), super::node::shown(value)])
            };
            Ok(object.iter().map(pair).collect::<Vec<_>>().into())
        }
        None => minijinja::filters::items(value),
    }
}

/// Puts a value into text. What cannot be meant to stand there is an error.
fn print(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = as_text(value)?;
    if text.is_empty() && state.lookup("row").is_some_and(|row| !row.is_undefined()) {
        return Err(Error::new(ErrorKind::InvalidOperation, EMPTY_IN_TEXT));
    }
    out.write_str(&text).map_err(|_| Error::new(ErrorKind::WriteFailure, "the text cannot be written"))
}

/// What is said of an empty cell in the midst of text.
pub(super) const EMPTY_IN_TEXT: &str = "an empty cell stands inside longer text";

/// A value as it stands inside longer text.
pub(super) fn as_text(value: &Value) -> Result<String, Error> {
    if let Some(gone) = absent::of(value) {
        notes::absent(gone.path.as_deref().unwrap_or("none"));
    }
    match value.kind() {
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ if is_none(value) => Err(Error::new(ErrorKind::InvalidOperation, "none stands inside text")),
        // As JSON and TOML write it, not as Python does.
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::String | ValueKind::Number => Ok(value.to_string()),
        _ => {
            let what = "a list or an object stands inside text; `| join('|')` makes text of a list";
            Err(Error::new(ErrorKind::InvalidOperation, what))
        }
    }
}

thread_local! {
    /// A pattern meets every client of a tenant: it is compiled once.
    static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
}

/// Patterns kept at a time; one that is made anew for each client must not fill the memory.
const KEPT: usize = 256;

fn with_regex<T>(pattern: &str, use_it: impl FnOnce(&Regex) -> T) -> Result<T, Error> {
    COMPILED.with_borrow_mut(|compiled| {
        if compiled.len() >= KEPT {
            compiled.clear();
        }
        let regex = match compiled.entry(pattern.to_owned()) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(regex(pattern)?),
        };
        Ok(use_it(regex))
    })
}

fn regex(pattern: &str) -> Result<Regex, Error> {
    Regex::new(pattern).map_err(|error| Error::new(ErrorKind::InvalidOperation, regex_fault(pattern, &error)))
}

/// What is wrong with a regular expression, in one line.
pub(super) fn regex_fault(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    format!("`{pattern}` is no regular expression: {last}")
}
