//! Laws of reading CSV: however a spreadsheet writes the same rows, the job is the same.

use patchwave::job::{Input, Job, RowLabel, Selector, Term, load};
use patchwave::model::Problem;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::alone;

fn read(bytes: &[u8]) -> Result<Job, Vec<Problem>> {
    load(Input { name: "job.csv", bytes }, alone())
}

/// How a program writes CSV.
#[derive(Debug, Clone)]
struct Style {
    mark: bool,
    sep_line: bool,
    delimiter: char,
    line_break: &'static str,
    always_quoted: bool,
    last_line_break: bool,
}

impl Style {
    fn cell(&self, text: &str) -> String {
        let special = text.contains(['"', '\n', '\r', ',', ';', '\t']);
        if self.always_quoted || special {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }

    fn line(&self, cells: &[&str]) -> String {
        let cells: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
        cells.join(&self.delimiter.to_string())
    }

    fn file(&self, lines: &[String]) -> Vec<u8> {
        let mut text = String::from(if self.mark { "\u{feff}" } else { "" });
        if self.sep_line {
            text.push_str(&format!("sep={}{}", self.delimiter, self.line_break));
        }
        text.push_str(&lines.join(self.line_break));
        if self.last_line_break {
            text.push_str(self.line_break);
        }
        text.into_bytes()
    }
}

fn style() -> impl Strategy<Value = Style> {
    let delimiter = prop_oneof![Just(','), Just(';'), Just('\t')];
    let line_break = prop_oneof![Just("\n"), Just("\r\n")];
    (any::<bool>(), any::<bool>(), delimiter, line_break, any::<bool>(), any::<bool>()).prop_map(
        |(mark, sep_line, delimiter, line_break, always_quoted, last_line_break)| Style {
            mark,
            sep_line,
            delimiter,
            line_break,
            always_quoted,
            last_line_break,
        },
    )
}

/// A row with content, or one that was emptied.
#[derive(Debug, Clone)]
enum Line {
    /// Of the three cells: id, name, description.
    Content([String; 3]),
    /// Nothing at all.
    Empty,
    /// The delimiters alone.
    Cleared,
}

/// Text that a name may hold: no marker, no control characters but the quoted line breaks of a description.
fn lines() -> impl Strategy<Value = Vec<Line>> {
    let name = "[A-Za-zäß€\"',;\t]([ A-Za-z\"',;]{0,12}[A-Za-z\"',;])?";
    let description = "[A-Za-z\"',;]([A-Za-z \"',;\n]{0,20}[A-Za-z\"',;])?";
    let content = ("[A-Za-z0-9]{4,10}", name, description)
        .prop_map(|(id, name, text)| Line::Content([id, name.replace('\t', " x"), text]));
    let line = prop_oneof![6 => content, 1 => Just(Line::Empty), 1 => Just(Line::Cleared)];
    prop::collection::vec(line, 0..12)
}

/// Bytes, and text that is nearly a job.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("[[update]]\n"),
        Just("client_id"),
        Just("name"),
        Just("set.name = "),
        Just("match"),
        Just("\"x\""),
        Just("\"client_id\": \"a\""),
        Just("é"),
        Just("\u{feff}"),
        Just("sep=;\n"),
        Just("{{"),
        Just("}}"),
        Just("{%"),
        Just("%}"),
        Just("{% raw %}"),
        Just("{% endraw %}"),
        Just("where = "),
        Just("replace.refresh_token = "),
        Just("add.callbacks = "),
        Just("rows = "),
        Just("row.x | "),
        Just("_base"),
        Just("\r\n"),
    ];
    let sign = "[\\[\\]{}\"=,.:;#@|'\n\r\t 0-9]".prop_map(String::from);
    let text = prop::collection::vec(prop_oneof![piece.prop_map(str::to_owned), sign], 0..24)
        .prop_map(|pieces| pieces.concat().into_bytes());
    prop_oneof![3 => text, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}

/// What a job says, without how it was written: row, id, and what is set.
type Said = Vec<(RowLabel, String, Vec<(String, Value)>)>;

fn said(job: &Job) -> Said {
    let one = |update: &patchwave::job::Update| {
        let Selector::Id(id) = &update.selector else { panic!("not by id: {:?}", update.selector) };
        let ops = update.ops.iter().map(|op| {
            let value = op.action.term().and_then(Term::literal).unwrap();
            (op.path.to_string(), value.clone())
        });
        (update.origin.label, id.to_string(), ops.collect())
    };
    job.updates.iter().map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rows_mean_the_same_however_they_are_written(style in style(), lines in lines()) {
        let mut written = vec![style.line(&["client_id", "name", "description"])];
        let mut expected: Said = Vec::new();
        // A spreadsheet takes `sep=` for itself and shows the header as row 1.
        for (at, line) in lines.iter().enumerate() {
            match line {
                Line::Content([id, name, text]) => {
                    let id = format!("{id}{at}");
                    written.push(style.line(&[&id, name, text]));
                    let ops = vec![("name".to_owned(), json!(name)), ("description".to_owned(), json!(text))];
                    expected.push((RowLabel::Row(at + 2), id, ops));
                }
                Line::Empty => written.push(String::new()),
                Line::Cleared => written.push(style.delimiter.to_string().repeat(2)),
            }
        }
        let file = style.file(&written);
        let job = read(&file).map_err(|problems| TestCaseError::fail(format!("{problems:?}")))?;
        prop_assert_eq!(said(&job), expected, "{}", String::from_utf8_lossy(&file));
    }

    #[test]
    fn a_mistake_is_in_the_row_that_a_spreadsheet_shows(style in style(), before in lines()) {
        let mut written = vec![style.line(&["client_id", "name", "sso"])];
        for (at, line) in before.iter().enumerate() {
            written.push(match line {
                Line::Content([id, name, _]) => style.line(&[&format!("{id}{at}"), name, "true"]),
                Line::Empty => String::new(),
                Line::Cleared => style.delimiter.to_string().repeat(2),
            });
        }
        let row = written.len() + 1;
        written.push(style.line(&["last", "Last", "maybe"]));
        let problems = read(&style.file(&written)).expect_err("a boolean that is none");
        prop_assert_eq!(problems.len(), 1, "{:?}", problems);
        let start = format!("row {row}, column C (`sso`): ");
        prop_assert!(problems[0].what.starts_with(&start), "{} is not in row {}", problems[0].what, row);
        let (file, span) = problems[0].place.clone().expect("a place");
        prop_assert_eq!(file.slice(span).trim_matches('"'), "maybe");
    }

    #[test]
    fn whatever_a_file_holds_it_is_read_or_refused_in_words(bytes in content()) {
        for name in ["job.csv", "job.toml", "job.json", "-"] {
            if let Err(problems) = load(Input { name, bytes: &bytes }, alone()) {
                prop_assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.what.is_empty()));
            }
        }
    }
}
