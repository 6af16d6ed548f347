//! Problems with files, as people see them: file, line, column, the source line, what, why, and what to do.

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet};

use super::term;
use crate::model::problem::{Problem, Severity};

/// So many problems are shown in full; the rest is counted.
const SHOWN: usize = 50;
/// Warnings stop nothing: a few show what they are about.
const WARNINGS: usize = 5;

/// Renders problems in the order given, coloured: whoever prints takes the colour out where there is no terminal.
pub fn render(problems: &[Problem]) -> String {
    let renderer = Renderer::styled();
    let warnings_alone = problems.iter().all(|problem| problem.severity == Severity::Warning);
    let most = if warnings_alone { WARNINGS } else { SHOWN };
    let shown: Vec<String> = problems.iter().take(most).map(|problem| one(problem, &renderer)).collect();
    let mut text = shown.join("\n\n");
    if problems.len() > most {
        text.push_str(&format!("\n\n… and {} more like these", problems.len() - most));
    }
    text
}

fn one(problem: &Problem, renderer: &Renderer) -> String {
    let Some((file, span)) = &problem.place else { return without_place(problem) };
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level.primary_title(term::safe(&problem.what)).elements(Vec::<Element<'_>>::new());
    let (line, text, within) = excerpt(&file.text, span.clone());
    let annotation = AnnotationKind::Primary.span(within).label(problem.label.clone());
    group =
        group.element(Snippet::source(text).path(file.name.clone()).line_start(line).annotation(annotation));
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(term::safe(help)));
    }
    renderer.render(&[group])
}

fn without_place(problem: &Problem) -> String {
    let (style, word) = match problem.severity {
        Severity::Error => (term::BAD, "error:"),
        Severity::Warning => (term::WARN, "warning:"),
    };
    let help = problem
        .help
        .as_ref()
        .map(|help| format!("\n  {} {}", term::paint(term::FAINT, "help:"), term::safe(help)));
    format!("{} {}{}", term::paint(style, word), term::safe(&problem.what), help.unwrap_or_default())
}

/// The line that a span begins in, made harmless, with the span inside it. Of a span over several lines only the first
/// is marked: what is wrong begins there.
fn excerpt(text: &str, span: std::ops::Range<usize>) -> (usize, String, std::ops::Range<usize>) {
    let start = (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let line = text[..line_start].matches('\n').count() + 1;
    let source = text[line_start..line_end].trim_end_matches('\r');
    let end = span.end.clamp(start, line_start + source.len().max(start - line_start));
    let end = (start..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
    let before = term::safe(&text[line_start..start]);
    let marked = term::safe(&text[start..end]);
    let after = term::safe(source.get(end - line_start..).unwrap_or_default());
    let within = before.len()..before.len() + marked.len();
    (line, format!("{before}{marked}{after}"), within)
}
