//! The folders of `src/` use each other only as the table in `src/lib.rs` says.
//!
//! Code is read as text: what stands in comments and in tests does not count ([`source`]), what is left is searched for
//! paths that begin at the crate's root ([`arrows`]) and for words that belong to the catalogue ([`words`]).

mod arrows;
mod source;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use source::Source;

/// `src/`.
fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of a folder of `src/` that is part of the product, with the folder's name.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![src()];
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                found.push(Source::read(&path, &src()));
            }
        }
    }
    // Files at the top are the map itself and the few lines of `main`.
    found.retain(|source| source.folder().is_some());
    assert!(found.len() > 50, "the sources were not found");
    found
}

/// What the table in `src/lib.rs` allows: each folder with the folders that it uses.
fn table() -> BTreeMap<String, Vec<String>> {
    let map = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let rows = map.lines().filter_map(|line| line.strip_prefix("//! | [`"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let folder = cells[0].trim_end_matches("`]").to_owned();
        (folder, used(cells[2]))
    })
    .collect()
}

fn used(cell: &str) -> Vec<String> {
    match cell {
        "–" => Vec::new(),
        "everything" => modules(),
        // Which data is for `arrows::IN_PART` to say.
        cell => cell
            .split(", ")
            .map(|word| word.strip_prefix("the catalogue's data").map_or(word, |_| "catalogue").to_owned())
            .collect(),
    }
}

/// The modules that `src/lib.rs` declares.
fn modules() -> Vec<String> {
    let map = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let names = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(str::to_owned).collect()
}

#[test]
fn the_table_names_each_module_once_and_nothing_else() {
    let mut modules = modules();
    modules.sort();
    assert_eq!(table().into_keys().collect::<Vec<_>>(), modules);
    for (folder, used) in table() {
        for word in &used {
            assert!(modules.contains(word), "{folder} uses `{word}`, which is no module");
        }
    }
}

#[test]
fn no_two_folders_use_each_other() {
    let table = table();
    for (folder, used) in &table {
        for other in used.iter().filter(|other| *other != folder) {
            // Whoever uses `cli` would reach everything, itself included.
            assert!(!table[other].contains(folder), "{folder} and {other} use each other");
        }
    }
}

#[test]
fn a_folder_uses_only_what_the_table_allows() {
    let table = table();
    let wrong: Vec<String> = sources().iter().flat_map(|source| arrows::forbidden(source, &table)).collect();
    assert!(wrong.is_empty(), "arrows that are not in the table of src/lib.rs:\n{}", wrong.join("\n"));
}

#[test]
fn words_of_the_catalogue_and_of_the_api_stand_where_they_belong() {
    let wrong: Vec<String> = sources().iter().flat_map(words::misplaced).collect();
    assert!(
        wrong.is_empty(),
        "names of fields and endpoints outside catalogue and auth0 (take them from the Kind, or say in words::ALLOWED why not):\n{}",
        wrong.join("\n")
    );
}

#[test]
fn each_exception_is_still_needed() {
    let sources = sources();
    let stands = |folder: &str, word: &str| {
        let of = sources.iter().filter(|source| source.folder() == Some(folder));
        of.flat_map(words::in_source).any(|(_, found)| found == word)
    };
    let idle = words::ALLOWED.iter().filter(|(folder, word, _)| !stands(folder, word));
    let idle: Vec<String> = idle.map(|(folder, word, _)| format!("{folder}: {word}")).collect();
    assert!(idle.is_empty(), "remove from words::ALLOWED: {}", idle.join(", "));
}
