//! The examples of `docs/job-files.md` and `docs/kinds.md`, taken out of the pages. Central type: [`Example`].
//!
//! The page says beside each example what a test must know, in a form that readers need not notice:
//!
//! - ``<!-- flags: … -->`` in the line before a block: the flags that it is planned with.
//! - `` `apps.csv`: `` in the paragraph before a CSV block: it is no job but that file, beside the example before it.
//! - a `text` block after an example: lines of its plan, without ids. `…` alone in a line stands for lines that are left out.

use regex::Regex;

use crate::common::{Case, Done};

/// A job on the page.
pub(super) struct Example {
    name: String,
    text: String,
    flags: Vec<String>,
    /// Files beside it: name, text.
    beside: Vec<(String, String)>,
    /// What the page shows of its plan.
    pub(super) shown: Option<String>,
}

impl Example {
    /// A folder with the job and its files.
    pub(super) fn case(&self) -> Case {
        // One example sets a secret that is kept there.
        let case = Case::new().file(&self.name, &self.text).env("PORTAL_SECRET", "s3cret-0123456789abcdef");
        self.beside.iter().fold(case, |case, (name, text)| case.file(name, text))
    }

    pub(super) fn check(&self) -> Done {
        self.case().run(["check", &self.name])
    }

    /// Plans it for a simulated tenant.
    pub(super) fn plan(&self) -> Done {
        let args = ["plan", &self.name, "--sandbox"].into_iter();
        self.case().run(args.chain(self.flags.iter().map(String::as_str)))
    }

    /// The parts of what the page shows that the plan does not say.
    pub(super) fn missing(&self, told: &str) -> Vec<String> {
        missing(self.shown.as_deref().unwrap_or_default(), told)
    }
}

/// The parts of what a page shows, between lines of `…`, that were not told.
pub(super) fn missing(shown: &str, told: &str) -> Vec<String> {
    let (told, shown) = (plain(told), format!("\n{}", plain(shown)));
    let parts = shown.split("\n…\n").map(|part| part.trim().to_owned());
    parts.filter(|part| !told.contains(part)).collect()
}

impl std::fmt::Display for Example {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:\n{}", self.name, self.text)
    }
}

/// All examples of a page, in its order.
pub(super) fn of(page: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let (mut before, mut lines) = ("", page.lines());
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").flat_map(|l| [l, "\n"]).collect();
            add(&mut examples, language, before, text);
        }
        if !line.is_empty() {
            before = line;
        }
    }
    examples
}

fn add(examples: &mut Vec<Example>, language: &str, before: &str, text: String) {
    let file = before.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
    match (language, file, examples.last_mut()) {
        ("text", _, Some(example)) => example.shown = Some(text),
        ("csv", Some(file), Some(example)) => example.beside.push((file.to_owned(), text)),
        ("toml" | "csv" | "json", ..) => examples.push(Example {
            name: format!("example-{}.{language}", examples.len() + 1),
            text,
            flags: flags(before),
            beside: Vec::new(),
            shown: None,
        }),
        _ => (),
    }
}

fn flags(before: &str) -> Vec<String> {
    let flags = before.strip_prefix("<!-- flags: ").and_then(|rest| rest.strip_suffix(" -->"));
    flags.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Without what differs from run to run (ids, ports) and what depends on the longest name (blanks).
fn plain(text: &str) -> String {
    let id = Regex::new(concat!(
        r"\b[A-Za-z0-9]{32}\b|\b(con|cgr|rol|org|rul)_[A-Za-z0-9]{16}\b",
        r"|\b(auth0\|)?[0-9a-f]{24}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    ))
    .unwrap();
    let port = Regex::new(r"localhost:\d+").unwrap();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = port.replace_all(text, "localhost:[PORT]");
    id.replace_all(&text, "").lines().flat_map(|line| [words(line), "\n".to_owned()]).collect()
}
