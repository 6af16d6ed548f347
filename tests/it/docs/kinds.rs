//! The page about kinds is complete, and its commands do what it shows.

use patchwave::catalogue::kinds;

use super::examples::missing;
use super::{blocks, read};
use crate::common::Case;

const PAGE: &str = "docs/kinds.md";

/// The cells of each row of the page's tables.
fn rows() -> Vec<Vec<String>> {
    let page = read(PAGE);
    let cells = |line: &str| -> Option<Vec<String>> {
        let line = line.strip_prefix("| ")?.strip_suffix(" |")?;
        Some(line.split(" | ").map(|cell| cell.trim().to_owned()).collect())
    };
    page.lines().filter_map(cells).collect()
}

#[test]
fn every_kind_has_a_row_a_section_and_what_it_is_found_by() {
    let (page, rows) = (read(PAGE), rows());
    for kind in kinds() {
        let name = format!("`{}`", kind.name);
        let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no row for {name}"));
        for field in &kind.identity {
            assert!(row[2].contains(&format!("`{field}`")), "{name} is found by {field}: {row:?}");
        }
        let mut title = kind.name.replace('-', " ");
        title[..1].make_ascii_uppercase();
        assert!(kind.name == "clients" || page.contains(&format!("\n## {title}\n")), "no section {title}");
        for association in &kind.endpoint.associations {
            let field = format!("`{}` of {}", association.field, kind.name);
            assert!(page.contains(&field), "{field} is not explained");
        }
    }
}

#[test]
fn the_table_of_scopes_has_those_that_the_catalogue_asks_for() {
    let rows = rows();
    for kind in kinds() {
        let of_scopes = |row: &&Vec<String>| row[0] == format!("`{}`", kind.name) && row[1].contains("read:");
        let row = rows.iter().find(of_scopes).unwrap_or_else(|| panic!("no scopes of {}", kind.name));
        let scopes = &kind.endpoint.scopes;
        for (at, scopes) in [&scopes.read, &scopes.update, &scopes.create].into_iter().enumerate() {
            // Any of them will do; the first is the one that is asked for.
            assert!(row[at + 1].contains(&format!("`{}`", scopes[0])), "{}: {row:?}", scopes[0]);
        }
        for association in &kind.endpoint.associations {
            let calls = [Some(&association.add), Some(&association.remove), association.change.as_ref()];
            let of_calls = calls.into_iter().flatten().flat_map(|call| &call.scopes);
            for scope in of_calls.chain(&association.read_scopes) {
                assert!(row.iter().any(|cell| cell.contains(&format!("`{scope}`"))), "{scope}: {row:?}");
            }
        }
    }
}

#[test]
fn the_commands_of_the_page_print_what_it_shows() {
    let blocks = blocks(PAGE, "console");
    assert!(blocks.len() >= 3, "the commands were not found");
    for block in blocks {
        let (command, shown) = block.strip_prefix("$ ").and_then(|block| block.split_once('\n')).unwrap();
        let done = Case::new().shell(command);
        let missing = missing(shown, &done.exits(0).stdout);
        assert!(missing.is_empty(), "not printed:\n{}\n{done}", missing.join("\n…\n"));
    }
}

#[test]
fn the_sample_jobs_that_the_page_names_are_there() {
    let page = read(PAGE);
    let named: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("patchwave apply ")?.split(' ').next()).collect();
    assert!(named.len() >= 9, "the commands were not found: {named:?}");
    for job in named {
        assert!(!read(job).is_empty());
    }
}
