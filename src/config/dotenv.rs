//! `.env` files: dotenvy's grammar, except that `$` stands for itself and a `;` behind a quoted value is overlooked.
//!
//! A key in PEM may stand there without quotes, as it was pasted.
//!
//! dotenvy replaces `$NAME` by the variable, or by nothing, which would mangle a secret without a word; the lines of
//! Auth0's tutorial end in `;`, which dotenvy refuses. Both are settled before dotenvy sees a line.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use crate::model::{Problem, SourceFile};

use super::env::{Origin, Var};
use super::mask;

/// The file to read, if any: its name as shown to people, and its text.
pub(super) fn find(named: Option<&Path>, cwd: &Path) -> Result<Option<(String, String)>, Problem> {
    let (name, path) = match named {
        Some(path) => (path.display().to_string(), cwd.join(path)),
        None => (".env".to_owned(), cwd.join(".env")),
    };
    // A folder called `.env` is commonly a Python environment.
    if named.is_none() && path.is_dir() {
        return Ok(None);
    }
    match std::fs::read(&path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some((name, text))),
            Err(_) => Err(Problem::new(format!("{name} is not UTF-8 text"))
                .help("save it as UTF-8; `>` in PowerShell writes UTF-16")),
        },
        Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Problem::new(format!("{name} (--env-file) does not exist"))
                .help("name an existing file, or leave --env-file out to read .env where there is one"))
        }
        Err(error) => Err(Problem::new(format!("{name} cannot be read: {error}"))
            .help("let this user read it, or name another file with --env-file")),
    }
}

/// All variables of the text. Where a name is set twice the last one holds, as in a shell.
pub(super) fn parse(name: &str, text: &str) -> Result<BTreeMap<String, Var>, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    let file = SourceFile::new(name, mask::env_file(&text));
    let shown_name: Arc<str> = Arc::from(name);
    let mut vars = BTreeMap::new();
    let mut problems = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let entry = next_entry(&text[at..]);
        let span = at + entry.name.start..at + entry.name.end;
        at += entry.length;
        match read_entry(&entry) {
            Ok(None) => {}
            Ok(Some((key, value))) => {
                let line = file.position(span.start).line;
                let var = Var::new(value, Origin::EnvFile(Arc::clone(&shown_name), line));
                problems.extend(contradiction(&key, &var, vars.get(&key)).map(|p| p.at(&file, span)));
                vars.insert(key, var);
            }
            Err((what, help)) => problems.push(Problem::new(what).at(&file, span).help(help)),
        }
    }
    if problems.is_empty() { Ok(vars) } else { Err(problems) }
}

/// A credential that is set twice and differently may be two tenants' in one file.
fn contradiction(key: &str, new: &Var, old: Option<&Var>) -> Option<Problem> {
    let old = old.filter(|old| old.expose() != new.expose())?;
    (key.starts_with("AUTH0_") || key.starts_with("CLIENT_")).then(|| {
        Problem::new(format!("{key} is set before, at {}, to another value", old.origin))
            .label("set again here")
            .help("keep the one that belongs to the tenant you mean")
    })
}

/// A variable, a comment or an empty line, as far as its text goes.
struct Entry {
    /// Bytes it takes up, with its line end.
    length: usize,
    /// The bytes to mark when it cannot be read.
    name: Range<usize>,
    /// What dotenvy is to read.
    plain: String,
    /// Whether a quote was opened and never closed.
    open_quote: bool,
}

fn read_entry(entry: &Entry) -> Result<Option<(String, String)>, (&'static str, &'static str)> {
    if entry.open_quote {
        return Err((
            "the quote that this value begins with is never closed",
            "close it, on the same line for a secret",
        ));
    }
    let mut found = dotenvy::from_read_iter(entry.plain.as_bytes());
    match found.next() {
        None => Ok(None),
        // dotenvy's own error repeats the line, which may hold a secret.
        Some(Err(_)) => Err((
            "this line cannot be read",
            "write NAME=value, with single quotes around a value that has blanks, quotes or backslashes",
        )),
        Some(Ok(pair)) => Ok(Some(pair)),
    }
}

fn next_entry(text: &str) -> Entry {
    let line_length = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = &text[..line_length];
    let start = line.len() - line.trim_start().len();
    let trimmed = line.trim();
    let whole = Entry {
        length: line_length,
        name: start.min(line.len())..start + trimmed.len(),
        plain: format!("{trimmed}\n"),
        open_quote: false,
    };
    match line.find('=') {
        Some(equals) if !trimmed.starts_with('#') => {
            let value = text.get(equals + 1..).unwrap_or_default();
            let value = pasted_key(value).unwrap_or_else(|| scan_value(value));
            let name_end = start + text[start..equals].trim_end().len();
            Entry {
                length: equals + 1 + value.length,
                name: start..name_end,
                plain: format!("{}={}\n", &text[start..equals], value.plain.trim()),
                open_quote: value.open_quote,
            }
        }
        _ => whole,
    }
}

#[derive(Default)]
struct Value {
    length: usize,
    plain: String,
    open_quote: bool,
}

/// A key in PEM that was pasted as it is, without quotes, in one line or many: it ends where it says so.
fn pasted_key(text: &str) -> Option<Value> {
    const END: &str = "-----END ";
    const DASHES: &str = "-----";
    text.trim_start_matches([' ', '\t']).starts_with("-----BEGIN ").then_some(())?;
    let label = text.find(END)? + END.len();
    let end = label + text.get(label..)?.find(DASHES)? + DASHES.len();
    let (key, rest) = text.split_at_checked(end)?;
    let rest_of_line = rest.split_inclusive('\n').next().unwrap_or_default();
    // What is no line of a key belongs to another variable: the end was that of another key.
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '\\' | ' ' | '\t');
    let is_of_key = |line: &str| line.trim_end().trim_end_matches('=').chars().all(legal);
    (ends_here(rest_of_line) && key.split("\\n").flat_map(str::lines).all(is_of_key)).then(|| Value {
        length: end + rest_of_line.len(),
        plain: format!("'{}'", key.trim()),
        open_quote: false,
    })
}

/// Walks to the end of a value, which a quoted one may have on a later line.
fn scan_value(text: &str) -> Value {
    let mut value = Value { length: text.len(), ..Value::default() };
    let mut quote = None;
    let mut before = ' ';
    let mut closed = false;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, '\n') => {
                value.length = at + 1;
                return value;
            }
            (None, '#') if before == ' ' || before == '\t' => {
                value.length = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
                return value;
            }
            (None, ';') if closed && ends_here(&text[at + 1..]) => {}
            (None | Some('"'), '\\') => {
                value.plain.push('\\');
                value.plain.extend(chars.next().map(|(_, escaped)| escaped));
            }
            (None | Some('"'), '$') => value.plain.push_str("\\$"),
            (None, '"' | '\'') => {
                quote = Some(c);
                value.plain.push(c);
            }
            (Some(open), c) => {
                quote = (c != open).then_some(open);
                value.plain.push(c);
            }
            (None, c) => value.plain.push(c),
        }
        before = c;
        closed = match c {
            '"' | '\'' => quote.is_none(),
            ' ' | '\t' => closed,
            _ => false,
        };
    }
    value.open_quote = quote.is_some();
    value
}

/// Whether nothing but blanks or a comment is left on the line.
fn ends_here(rest: &str) -> bool {
    let line = rest.split('\n').next().unwrap_or_default().trim_start();
    line.is_empty() || line.starts_with('#')
}
