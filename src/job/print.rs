//! A job as TOML that is read back as the same job. Central function: [`toml()`].
//!
//! Texts that hold the marks of a template are written so that they come out as they are; templates as they were written.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::selector::{PatternText, Selector, Templated};
use super::template::{escaped, is_template};
use super::term::{Term, Tree};
use super::{Guards, Job, Pattern, Recorded, Update};
use crate::catalogue::Kind;
use crate::model::FieldPath;

/// The job's own settings and its updates. Updates that rows of a file made are written out one by one.
pub fn toml(job: &Job) -> String {
    let mut out = String::new();
    // A change set is known by its file, which may be named anything.
    if job.recorded.is_none() {
        line(&mut out, format_args!("name = {}", text(&job.name)));
    }
    settings(job, &mut out);
    if let Some(recorded) = &job.recorded {
        header(recorded, &mut out);
    }
    rest(job, &mut out);
    out
}

/// What a job asks for, without its name and where it comes from.
pub(super) fn asked(job: &Job) -> String {
    let mut out = String::new();
    settings(job, &mut out);
    rest(job, &mut out);
    out
}

fn settings(job: &Job, out: &mut String) {
    if !job.allowed_tenants.is_empty() {
        let names: Vec<String> = job.allowed_tenants.iter().map(|name| text(name.as_str())).collect();
        line(out, format_args!("tenants = [{}]", names.join(", ")));
    }
    if let Some(path) = &job.identity {
        identity(path, out);
    }
    if job.updates.is_empty() {
        no_updates(out);
    }
}

/// The path that names one client.
pub fn identity(path: &FieldPath, out: &mut String) {
    line(out, format_args!("identity = {}", text(&path.to_string())));
}

/// A job without any word of updates is taken for a mistake.
pub fn no_updates(out: &mut String) {
    line(out, format_args!("update = []"));
}

/// Where a change set comes from.
pub fn header(recorded: &Recorded, out: &mut String) {
    line(out, format_args!("[recorded]"));
    let Recorded { tenant, at, by, job, digest } = recorded;
    for (name, value) in [("tenant", tenant), ("at", at), ("by", by), ("job", job), ("digest", digest)] {
        if let Some(value) = value {
            line(out, format_args!("{name} = {}", text(value)));
        }
    }
}

fn rest(job: &Job, out: &mut String) {
    if !job.vars.is_empty() {
        line(out, format_args!("\n[vars]"));
        for (name, value) in &job.vars {
            line(out, format_args!("{} = {}", key(name), data(value)));
        }
    }
    guards(job, out);
    for update in &job.updates {
        print_update(update, out);
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    let _ = writeln!(out, "{text}");
}

fn guards(job: &Job, out: &mut String) {
    let of = [("max_changes", job.guards.max_changes), ("max_failures", job.guards.max_failures)];
    if job.guards == Guards::default() {
        return;
    }
    line(out, format_args!("\n[guards]"));
    for (name, guard) in of {
        if let Some(guard) = guard {
            line(out, format_args!("{name} = {}", text(&guard.to_string())));
        }
    }
    if !job.guards.waves.is_empty() {
        let waves: Vec<String> = job.guards.waves.iter().map(|wave| text(&wave.to_string())).collect();
        line(out, format_args!("waves = [{}]", waves.join(", ")));
    }
    if !job.guards.protect.is_empty() {
        let ids: Vec<String> = job.guards.protect.iter().map(|id| text(id.as_str())).collect();
        line(out, format_args!("protect = [{}]", ids.join(", ")));
    }
}

fn print_update(update: &Update, out: &mut String) {
    line(out, format_args!("\n[[update]]"));
    if !update.kind.name.is_default() {
        line(out, format_args!("kind = {}", text(&update.kind.name)));
    }
    selector(update.kind, &update.selector, out);
    if let Some(count) = update.extras().count {
        line(out, format_args!("count = {}", text(&count.to_string())));
    }
    if let Some(base) = &update.extras().base {
        line(out, format_args!("_base = {}", text(base)));
    }
    if !update.repeatable {
        line(out, format_args!("repeatable = false"));
    }
    if update.extras().unguarded {
        line(out, format_args!("unguarded = true"));
    }
    let mut unset = Vec::new();
    for op in &update.ops {
        match op.action.term() {
            Some(term) => {
                line(out, format_args!("{}.{} = {}", op.action.verb(), dotted(&op.path), print_term(term)));
            }
            None => unset.push(text(&op.path.to_string())),
        }
    }
    if !unset.is_empty() {
        line(out, format_args!("unset = [{}]", unset.join(", ")));
    }
    let mut absent = Vec::new();
    for expect in &update.expects {
        match &expect.value {
            Some(term) => {
                line(out, format_args!("expect.{} = {}", dotted(&expect.path), print_term(term)));
            }
            None => absent.push(text(&expect.path.to_string())),
        }
    }
    if !absent.is_empty() {
        line(out, format_args!("expect_absent = [{}]", absent.join(", ")));
    }
}

fn selector(kind: &Kind, selector: &Selector, out: &mut String) {
    let id_field = &kind.endpoint.id_field;
    let (fields, condition, every): (Vec<(&FieldPath, String)>, _, _) = match selector {
        // Only once a tenant was read can that be known.
        Selector::Lost(_) => return,
        Selector::Id(id) => return line(out, format_args!("{id_field} = {}", template_text(id.as_str()))),
        Selector::Templated(templated) => match &**templated {
            Templated::Id(template) => {
                return line(out, format_args!("{id_field} = {}", text(template.source())));
            }
            Templated::Rule { fields, condition, every } => {
                let pattern = |text: &PatternText| match text {
                    PatternText::Pattern(pattern) => pattern_text(pattern),
                    PatternText::Template(template) => self::text(template.source()),
                };
                (fields.iter().map(|(path, text)| (path, pattern(text))).collect(), condition, every)
            }
        },
        Selector::Rule(rule) => {
            let fields = rule.fields.iter().map(|(path, pattern)| (path, pattern_text(pattern)));
            (fields.collect(), &rule.condition, &rule.every)
        }
    };
    for (path, pattern) in fields {
        line(out, format_args!("match.{} = {pattern}", dotted(path)));
    }
    if let Some(condition) = condition {
        line(out, format_args!("where = {}", text(condition.source())));
    }
    if *every {
        line(out, format_args!("every = true"));
    }
}

/// In a block, which keeps marks of templates apart, a star is a star.
fn pattern_text(pattern: &Pattern) -> String {
    match pattern.exact() {
        Some(exact) if is_template(exact) => template_text(exact),
        _ => template_text(&pattern.to_string()),
    }
}

fn print_term(term: &Term) -> String {
    match term {
        Term::Value(value) => print_value(value, &template_text),
        Term::Template(tree) => print_tree(tree),
    }
}

fn print_tree(tree: &Tree) -> String {
    match tree {
        Tree::Value(value) => print_value(value, &template_text),
        Tree::Text(template) => text(template.source()),
        Tree::List(items) => format!("[{}]", items.iter().map(print_tree).collect::<Vec<_>>().join(", ")),
        Tree::Object(entries) => {
            let entries =
                entries.iter().map(|(name, inner)| format!("{} = {}", key(name), print_tree(inner)));
            inline(&entries.collect::<Vec<_>>())
        }
    }
}

/// A value of `[vars]`, which is data.
fn data(value: &Value) -> String {
    print_value(value, &text)
}

/// Nulls have no spelling: inside an object an absent key is the same.
pub(super) fn print_value(value: &Value, text: &dyn Fn(&str) -> String) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::String(inner) => text(inner),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| print_value(item, text)).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => object(map, text),
        Value::Number(number) if number.is_f64() => float(number),
        other => other.to_string(),
    }
}

/// TOML wants a digit on both sides of the point, JSON writes `1e300`.
fn float(number: &serde_json::Number) -> String {
    let text = number.to_string();
    if text.contains(['.', 'e', 'E']) { text } else { format!("{text}.0") }
}

fn object(map: &Map<String, Value>, text: &dyn Fn(&str) -> String) -> String {
    let entries = map.iter().filter(|(_, value)| !value.is_null());
    let entries = entries.map(|(name, value)| format!("{} = {}", key(name), print_value(value, text)));
    inline(&entries.collect::<Vec<_>>())
}

fn inline(entries: &[String]) -> String {
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

/// A text where templates are read: marks of templates are escaped.
pub(super) fn template_text(inner: &str) -> String {
    text(&escaped(inner))
}

/// A TOML basic string.
pub(super) fn text(inner: &str) -> String {
    let mut out = String::from("\"");
    for c in inner.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { text(name) }
}

pub(super) fn dotted(path: &FieldPath) -> String {
    path.keys().map(key).collect::<Vec<_>>().join(".")
}
