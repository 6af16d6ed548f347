//! Which folders a file uses: the paths that begin at the crate's root.

use std::collections::BTreeMap;

use super::source::Source;

/// Of a folder that is used in part: who uses it, and the names that are open to them.
///
/// The sandbox judges what the planner composed. Were it to use the code that composes and validates, it would share
/// its mistakes and find none of them; so it may see the catalogue's data, and no function that decides anything.
const IN_PART: [(&str, &str, &[&str]); 1] = [(
    "sandbox",
    "catalogue",
    &[
        "Field",
        "FieldType",
        "Kind",
        "Lookup",
        "Merge",
        "Unset",
        "Writable",
        "default_kind",
        "field",
        "kind",
        "kinds",
    ],
)];

/// A use of another folder.
#[derive(Debug, PartialEq)]
struct Arrow {
    at: usize,
    to: String,
    /// What of it; empty where all of it is named.
    name: String,
}

/// The arrows of a file that the table does not allow, each with its place.
pub(super) fn forbidden(source: &Source, table: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let folder = source.folder().unwrap();
    let allowed = |arrow: &Arrow| {
        let part = IN_PART.iter().find(|(from, to, _)| *from == folder && *to == arrow.to);
        arrow.to == folder
            || table[folder].contains(&arrow.to)
                && part.is_none_or(|(_, _, names)| names.contains(&arrow.name.as_str()))
    };
    // `use crate::catalogue;` is followed by `catalogue::name`, which is judged instead.
    let mut found: Vec<Arrow> =
        arrows(source).into_iter().filter(|arrow| !imported_whole(source, arrow)).collect();
    found.extend(through_imports(source));
    let wrong = found.into_iter().filter(|arrow| !allowed(arrow));
    wrong
        .map(|arrow| format!("{}: {folder} uses {}::{}", source.place(arrow.at), arrow.to, arrow.name))
        .collect()
}

fn imported_whole(source: &Source, arrow: &Arrow) -> bool {
    arrow.name.is_empty()
        && IN_PART.iter().any(|(from, to, _)| source.folder() == Some(*from) && *to == arrow.to)
}

/// Uses of a folder by its bare name, where only a part of it is open.
fn through_imports(source: &Source) -> Vec<Arrow> {
    let partly = IN_PART.iter().filter(|(from, ..)| source.folder() == Some(*from));
    let uses = partly.flat_map(|(_, to, _)| {
        let start = format!("{to}::");
        let places: Vec<usize> = source.code.match_indices(&start).map(|(at, _)| at).collect();
        places
            .into_iter()
            .filter(|at| {
                !source.code[..*at].ends_with([':', '_'])
                    && !source.code[..*at].ends_with(char::is_alphanumeric)
            })
            .map(move |at| Arrow {
                at,
                to: (*to).to_owned(),
                name: word(&source.code[at + to.len() + 2..]).to_owned(),
            })
            .collect::<Vec<_>>()
    });
    uses.collect()
}

/// All paths of a file that begin at the crate's root, as `crate::…`, `crate::{…}` or enough `super::`.
fn arrows(source: &Source) -> Vec<Arrow> {
    let code = &source.code;
    let up = "super::".repeat(source.depth());
    let mut found = Vec::new();
    for start in ["crate::", &up] {
        for (at, _) in code.match_indices(start) {
            let whole = !code[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':'));
            if whole {
                targets(code, at + start.len(), &mut found);
            }
        }
    }
    found
}

/// Reads `a::B`, `a::{B, c::D}` or `{a, b::C}`.
fn targets(code: &str, at: usize, found: &mut Vec<Arrow>) {
    for (at, to) in members(code, at) {
        let rest = &code[at + to.len()..];
        match rest.strip_prefix("::") {
            None => found.push(Arrow { at, to: to.to_owned(), name: String::new() }),
            Some(_) => {
                let names = members(code, at + to.len() + 2);
                found.extend(names.into_iter().map(|(at, name)| Arrow {
                    at,
                    to: to.to_owned(),
                    name: name.to_owned(),
                }));
            }
        }
    }
}

/// The first words of the members of `{…}`, else the one word here.
fn members(code: &str, at: usize) -> Vec<(usize, &str)> {
    if !code[at..].starts_with('{') {
        return vec![(at, word(&code[at..]))];
    }
    let (mut depth, mut fresh, mut found) = (0, true, Vec::new());
    for (offset, c) in code[at..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && fresh && !c.is_whitespace() && c != '{' && c != ',' {
            found.push((at + offset, word(&code[at + offset..])));
        }
        fresh = depth == 1 && (matches!(c, '{' | ',') || fresh && c.is_whitespace());
    }
    found
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '*').unwrap_or(text.len());
    &text[..end]
}

#[test]
fn every_form_of_a_path_is_seen() {
    let code = "
        use crate::model::{A, value::{b, C}};
        use crate::{plan, job::{check, Job}, store::*};
        pub use super::super::auth0::Writer;
        fn f(x: crate::run::Limits) { super::near(); $crate::x!(); mycrate::y(); }
    ";
    let source = Source::parse("report/rows.rs".into(), code);
    let found: Vec<String> =
        arrows(&source).into_iter().map(|arrow| format!("{}/{}", arrow.to, arrow.name)).collect();
    let all = [
        "model/A",
        "model/value",
        "plan/",
        "job/check",
        "job/Job",
        "store/*",
        "run/Limits",
        "x/",
        "auth0/Writer",
    ];
    assert_eq!(found, all);
}

#[test]
fn an_arrow_that_is_not_in_the_table_is_found_with_its_place() {
    let table = [("sandbox", vec!["model", "catalogue"]), ("model", vec![])];
    let table =
        table.map(|(folder, used)| (folder.to_owned(), used.into_iter().map(str::to_owned).collect())).into();
    let model = Source::parse("model/id.rs".into(), "\nuse crate::sandbox::Tier;");
    assert_eq!(forbidden(&model, &table), ["src/model/id.rs:2: model uses sandbox::Tier"]);
    let judge = "use crate::catalogue::{self, Kind, patch};\nfn f() { catalogue::kind(1); catalogue::validate::value(2) }";
    let sandbox = Source::parse("sandbox/merge.rs".into(), judge);
    let found = forbidden(&sandbox, &table);
    assert!(found.iter().any(|line| line.contains("catalogue::patch")), "{found:?}");
    assert!(found.iter().any(|line| line.contains("catalogue::validate")), "{found:?}");
    assert!(!found.iter().any(|line| line.contains("catalogue::kind")), "{found:?}");
}
