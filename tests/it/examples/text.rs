//! Takes commands and values out of the examples. Of YAML it knows what they use: blocks by indentation, texts behind `|`,
//! one item a line. A file that has more than that fails here first.

use std::path::Path;

use regex::Regex;

/// A file of the repository.
pub(super) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) mod file {
    use std::path::Path;

    /// All files below a folder of the repository.
    pub(crate) fn all(folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() { found.extend(all(&path)) } else { found.push(path) }
        }
        found.sort();
        found
    }
}

/// A `patchwave …` that stands in a file.
pub(super) struct Command {
    pub(super) words: String,
    /// Whether a comment tells people to type it.
    pub(super) comment: bool,
}

/// The lines of a file that are commands, whatever stands before them: a comment sign and an indentation, the times of a
/// crontab, a key.
pub(super) fn commands(text: &str) -> Vec<Command> {
    let start = r"(?m)^(?P<comment> *#   )?(?P<key> *(run: |- |ExecStart\w*=/usr/local/bin/|[\d*]+( +[\d*]+){4} +))?(sudo -u patchwave )?";
    let command = Regex::new(&format!("{start} *patchwave (?P<words>[a-z]+[^|>\\n]*)")).unwrap();
    let found = |found: regex::Captures<'_>| Command {
        words: format!("patchwave {}", found["words"].split(" #").next().unwrap().replace('"', "")),
        comment: found.name("comment").is_some(),
    };
    command.captures_iter(&text.replace("\\\n", " ")).map(found).collect()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// What stands below each key of this name or behind it, wherever it is; of a block, without its indentation.
pub(super) fn below(yaml: &str, key: &str) -> Vec<String> {
    let lines: Vec<&str> = yaml.lines().collect();
    let of = |(at, line): (usize, &&str)| {
        assert!(!line.contains('\t'), "YAML has no tabs: {line}");
        let value = line.trim_start().trim_start_matches("- ").strip_prefix(key)?.strip_prefix(':')?;
        Some(match value.trim().split(" #").next().unwrap() {
            "" | "|" => block(&lines[at + 1..], indentation(line)),
            value if value.starts_with('&') => block(&lines[at + 1..], indentation(line)),
            value => value.trim_matches('"').to_owned(),
        })
    };
    lines.iter().enumerate().filter_map(of).collect()
}

fn block(lines: &[&str], above: usize) -> String {
    let of_block = |line: &&&str| line.trim().is_empty() || indentation(line) > above;
    let lines: Vec<&str> = lines.iter().take_while(of_block).copied().collect();
    let least = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indentation(line)).min();
    let lines = lines.iter().map(|line| line.get(least.unwrap_or(0)..).unwrap_or_default());
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The value that a path of keys leads to.
pub(super) fn at(yaml: &str, path: &[&str]) -> String {
    let step = |text: String, key: &&str| {
        let here = text.lines().filter(|line| indentation(line) == 0);
        let is = here.filter(|line| line.starts_with(&format!("{key}:"))).count();
        assert_eq!(is, 1, "{path:?}: `{key}` in\n{text}");
        let start = text.lines().position(|line| line.starts_with(&format!("{key}:"))).unwrap();
        let rest: String = text.lines().skip(start).flat_map(|line| [line, "\n"]).collect();
        below(&rest, key).swap_remove(0)
    };
    path.iter().fold(yaml.to_owned(), step)
}

/// The items of a list that has one a line.
pub(super) fn items(list: &str) -> Vec<String> {
    let lines = list.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    lines
        .map(|line| line.strip_prefix("- ").unwrap_or_else(|| panic!("no item: {line}")).to_owned())
        .collect()
}
