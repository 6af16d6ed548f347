//! Wrong jobs are files in `tests/cases/`, one mistake each, beside what people must see of it.

use std::path::{Path, PathBuf};

use crate::common::{Case, Done};

/// Checks one job file in a folder of its own.
pub(crate) fn check(name: &str, content: impl AsRef<[u8]>) -> Done {
    Case::new().file(name, content).run(["check", name])
}

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// What stands for a secret in the cases.
pub(crate) const SECRET: &str = "EXAMPLE-not-a-real-secret";

/// A wrong job, and what a person must be told about it.
struct Wrong {
    file: String,
    content: Vec<u8>,
    /// `line:column`; `None` where the mistake is in no place in particular.
    place: Option<String>,
    words: Vec<String>,
}

impl Wrong {
    /// TOML says it in its first line, `# expect 4:5 | words | words`; CSV and JSON in a file beside them, line by line.
    fn read(path: &Path) -> Self {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let content = std::fs::read(path).unwrap();
        let said: Vec<String> = if file.ends_with(".toml") {
            let text = String::from_utf8(content.clone()).unwrap();
            let first = text.lines().next().and_then(|line| line.strip_prefix("# expect "));
            first
                .unwrap_or_else(|| panic!("{file} does not say what to expect"))
                .split(" | ")
                .map(str::to_owned)
                .collect()
        } else {
            let beside = std::fs::read_to_string(path.with_extension("expect"));
            beside
                .unwrap_or_else(|error| panic!("{file}: .expect: {error}"))
                .lines()
                .map(str::to_owned)
                .collect()
        };
        let place = Some(said[0].clone()).filter(|place| place != "-");
        assert!(said.len() > 1, "{file} expects no words");
        Self { file, content, place, words: said[1..].to_vec() }
    }

    fn all(folder: &Path) -> Vec<Self> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| {
            path.extension()
                .is_some_and(|end| ["toml", "csv", "json", "jsonl"].iter().any(|form| end == *form))
        });
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }
}

/// What is not as the case asks, in words.
fn amiss(wrong: &Wrong, done: &Done) -> Vec<String> {
    let place = wrong.place.as_ref().map(|place| format!(" --> {}:{place}\n", wrong.file));
    let next = format!("next:  patchwave check {}\n", wrong.file);
    let words = wrong.words.iter().chain(&place).chain([&next]);
    // Where the first line of a TOML job is shown, its own words are no answer.
    let said: String = done.stderr.split_inclusive('\n').filter(|line| !line.contains("# expect ")).collect();
    let unsaid = words.filter(|words| !said.contains(*words)).map(|words| format!("nothing says {words:?}"));
    let secret = done.shown().contains(SECRET).then(|| "the secret is shown".to_owned());
    let code = (done.code != Some(64) || !done.stdout.is_empty())
        .then(|| "not exit 64 with an error alone".to_owned());
    unsaid.chain(secret).chain(code).collect()
}

#[test]
fn each_mistake_is_shown_with_its_place_its_cause_and_what_to_do() {
    let all = Wrong::all(&cases());
    assert!(all.len() >= 60, "only {} cases were found", all.len());
    let mut beside = insta::Settings::clone_current();
    beside.set_snapshot_path(cases());
    beside.set_prepend_module_to_snapshot(false);
    beside.set_omit_expression(true);
    let mut failures = Vec::new();
    for wrong in all {
        let done = check(&wrong.file, &wrong.content);
        match amiss(&wrong, &done).as_slice() {
            [] => beside.bind(|| insta::assert_snapshot!(wrong.file.replace('.', "-"), done.to_string())),
            amiss => failures.push(format!("{}\n{done}", amiss.join("\n"))),
        }
    }
    assert!(failures.is_empty(), "{} cases:\n{}", failures.len(), failures.join("\n\n"));
}
