//! A CSV file of any layout: what `rows` of a TOML job names. Its columns mean nothing by themselves.

use std::sync::Arc;

use encoding_rs::Encoding;

use super::dialect::{self, Dialect, detect};
use super::rows::Rows;
use crate::catalogue::Kind;
use crate::job::mask;
use crate::job::template::is_template;
use crate::job::term::{Term, Tree};
use crate::model::{Problem, SourceFile};

pub(in crate::job) use super::names_secret;
pub(in crate::job) use super::rows::{Row, letter};

/// A file as read.
pub(in crate::job) struct Sheet {
    /// Its text, as errors may show it.
    pub(in crate::job) file: Arc<SourceFile>,
    pub(in crate::job) delimiter: u8,
    pub(in crate::job) columns: Arc<Vec<String>>,
    pub(in crate::job) rows: Vec<Row>,
}

impl Sheet {
    /// The column that a row value is about.
    pub(in crate::job) fn column_of(&self, term: &Term) -> Option<usize> {
        let Term::Template(tree) = term else { return None };
        let Tree::Text(template) = &**tree else { return None };
        let source = template.source();
        debug_assert!(is_template(source));
        let named = |name: &String| {
            [format!("row.{name}"), format!("row['{name}']"), format!("row[\"{name}\"]")]
                .iter()
                .any(|spelling| source.contains(spelling.as_str()))
        };
        // The longest name: `row.name_new` also holds `row.name`.
        let found = self.columns.iter().enumerate().filter(|(_, name)| named(name));
        found.max_by_key(|(_, name)| name.len()).map(|(at, _)| at)
    }
}

/// Reads a file: headers as they stand, ragged rows and bytes that are no text refused.
pub(in crate::job) fn read(
    kind: &Kind,
    name: &str,
    bytes: &[u8],
    encoding: Option<&'static Encoding>,
) -> Result<Sheet, Vec<Problem>> {
    let Dialect { text, start, delimiter, lossy } = detect(bytes, encoding);
    let file = SourceFile::new(name, text);
    let mut problems = Vec::new();
    let mut reader = Rows::new(&file, start, delimiter);
    let Some(header) = reader.next(&mut problems) else {
        problems.push(Problem::new(format!("{name} is empty")).help("it begins with a header row"));
        return Err(problems);
    };
    let columns: Vec<String> = header.record.iter().map(|name| name.trim().to_owned()).collect();
    let shown = if columns.iter().any(|name| names_secret(kind, name)) {
        SourceFile::new(name, mask::from(&file.text, header.span.end))
    } else {
        Arc::clone(&file)
    };
    for (at, column) in columns.iter().enumerate() {
        if !column.is_empty() && columns[..at].contains(column) {
            let what = format!("row 1, column {}: `{column}` stands twice in the header", letter(at));
            problems.push(Problem::new(what).at(&shown, header.cell(&file.text, delimiter, at)));
        }
    }
    let mut rows = Vec::new();
    while let Some(row) = reader.next(&mut problems) {
        if let Some(at) = row.record.iter().position(|cell| lossy && cell.contains('\u{fffd}')) {
            let what = format!("row {}, column {} {}", row.number, letter(at), dialect::not_text(encoding));
            let problem = Problem::new(what).at(&shown, row.cell(&file.text, delimiter, at));
            problems.push(problem.help(dialect::ENCODING_HELP));
            break;
        }
        if let Some(at) = row.stray_quote(&file.text, delimiter) {
            let what = format!("row {}: a quoted cell goes on behind its closing quote", row.number);
            problems
                .push(Problem::new(what).at(&shown, at..at + 1).help("double a quote that is meant as text"));
        }
        match row.ragged(columns.len(), &shown) {
            Some(problem) => problems.push(problem),
            None => rows.push(row),
        }
    }
    if let Some(at) = rows.last().unwrap_or(&header).unclosed_quote(&file.text, delimiter) {
        problems.push(Problem::new("a quote is opened and never closed").at(&shown, at..at + 1));
    }
    if problems.is_empty() {
        Ok(Sheet { file: shown, delimiter, columns: Arc::new(columns), rows })
    } else {
        Err(problems)
    }
}
