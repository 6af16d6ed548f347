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
use super::scan::LOW;

/// The one environment: it holds no template and nothing of any job.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(build);

/// Steps that one evaluation may take: far more than any value needs, and soon over where loops stand inside loops.
const FUEL: u64 = 2_000_000;

/// Bytes of the longest text that a replacement makes: as much as the steps allow.
const LONGEST_TEXT: usize = FUEL as usize;

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
    engine.add_filter("bool", |state: &State, value: &Value| {
        if let Some(absent) = absent::of(value) {
            notes::absent(absent.path.as_deref().unwrap_or("none"));
        }
        minijinja::filters::bool(state, value)
    });
    engine.add_filter("removeprefix", |text: String, prefix: String| {
        text.strip_prefix(prefix.as_str()).map_or_else(|| text.clone(), str::to_owned)
    });
    engine.add_filter("removesuffix", |text: String, suffix: String| {
        text.strip_suffix(suffix.as_str()).map_or_else(|| text.clone(), str::to_owned)
    });
    engine.add_filter("regex_replace", |text: String, pattern: String, with: String| {
        with_regex(&pattern, |regex| {
            groups_exist(regex, &with)?;
            replaced(regex, &text, &with)
        })?
    });
    engine.add_test("matching", |value: &Value, pattern: String| {
        with_regex(&pattern, |regex| text_test("matching", value, |text| regex.is_match(text)))?
    });
    engine.add_filter(LOW, low);
    order_tests(&mut engine);
    engine.add_test("startingwith", |value: &Value, start: &str| {
        text_test("startingwith", value, |text| text.starts_with(start))
    });
    engine.add_test("endingwith", |value: &Value, end: &str| {
        text_test("endingwith", value, |text| text.ends_with(end))
    });
    engine.add_test("none", |value: &Value| is_none(value));
    engine.add_test("mapping", |value: &Value| json_of(value).is_some() || value.kind() == ValueKind::Map);
    engine.add_test("defined", |value: &Value| exists(value));
    engine.add_test("undefined", |value: &Value| !exists(value));
    engine
}

/// A test of texts, which what is absent fails.
fn text_test(name: &str, value: &Value, holds: impl Fn(&str) -> bool) -> Result<bool, Error> {
    match value.as_str() {
        Some(text) => Ok(holds(text)),
        None if is_none(value) => Ok(false),
        None => Err(Error::new(ErrorKind::InvalidOperation, format!("`{name}` is a test of texts"))),
    }
}

/// What is absent is neither more nor less than anything.
fn order_tests(engine: &mut Environment<'static>) {
    type Holds = fn(&Value, &Value) -> bool;
    let tests: [(&[&'static str], Holds); 4] = [
        (&["lt", "lessthan", "<"], |a, b| a < b),
        (&["le", "<="], |a, b| a <= b),
        (&["gt", "greaterthan", ">"], |a, b| a > b),
        (&["ge", ">="], |a, b| a >= b),
    ];
    for (names, holds) in tests {
        for name in names {
            engine.add_test(*name, move |a: &Value, b: &Value| !is_none(a) && !is_none(b) && holds(a, b));
        }
    }
}

/// See [`super::scan::with_order`].
fn low(value: &Value) -> Value {
    if is_none(value) { Value::from(()) } else { value.clone() }
}

/// A group that does not exist would be replaced by nothing: `$1_x` is the group `1_x`, where `${1}_x` was meant.
fn groups_exist(regex: &Regex, with: &str) -> Result<(), Error> {
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let word =
            |text: &str| text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let name = match rest.strip_prefix('{') {
            Some(braced) => &braced[..braced.find('}').unwrap_or(braced.len())],
            None => &rest[..word(rest)],
        };
        let numbered = name.parse::<usize>().is_ok_and(|number| number < regex.captures_len());
        if !name.is_empty() && !numbered && !regex.capture_names().flatten().any(|known| known == name) {
            let what = format!(
                "there is no group `{name}` in the pattern; write `${{1}}` where letters follow, and `$$` for a dollar"
            );
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
    }
    Ok(())
}

/// The text with every match replaced. The engine counts a text as steps once it is there, which would be too late for one
/// that a few signs blow up to gigabytes.
fn replaced(regex: &Regex, text: &str, with: &str) -> Result<String, Error> {
    let groups = with.matches('$').count();
    let mut out = String::new();
    let mut end = 0;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        let most = with.len().saturating_add(groups.saturating_mul(whole.len()));
        if out.len().saturating_add(most) > LONGEST_TEXT {
            let what = format!("`regex_replace` makes a text of more than {LONGEST_TEXT} bytes");
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
        out.push_str(&text[end..whole.start()]);
        found.expand(with, &mut out);
        end = whole.end();
    }
    out.push_str(&text[end..]);
    Ok(out)
}

/// Whether the engine itself has a function of this name.
pub(super) fn has_global(name: &str) -> bool {
    ENGINE.globals().any(|(global, _)| global == name)
}

/// Whether a name exists, and a field has a value: who asks whether something is defined means both.
fn exists(value: &Value) -> bool {
    if value.is_undefined() {
        notes::asked_for();
    }
    !value.is_undefined() && absent::of(value).is_none_or(|absent| absent.path.is_none())
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
fn print(out: &mut Output, _state: &mut State, value: &Value) -> Result<(), Error> {
    let text = as_text(value)?;
    out.write_str(&text).map_err(|_| Error::new(ErrorKind::WriteFailure, "the text cannot be written"))
}

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
    // The engine reads `\b` in a text as a backspace; in a pattern it is the edge of a word.
    Regex::new(&pattern.replace('\u{8}', r"\b"))
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, regex_fault(pattern, &error)))
}

/// What is wrong with a regular expression, in one line.
pub(super) fn regex_fault(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
    format!("`{pattern}` is no regular expression: {last}")
}
