//! The walk-through of the examples does what it says, on simulated tenants that it serves itself.

use crate::common::Case;

#[test]
fn the_walk_through_from_dev_to_staging_to_production_works_as_it_stands() {
    let case = Case::new();
    if !case.shell("command -v curl || true").stdout.contains("curl") {
        println!("skipped: there is no curl on this machine");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/replay/walkthrough.sh");
    let done = case.shell(&format!("mkdir made\nsh {script} \"$PWD/made\""));
    done.exits(0);
    let changes = case.read("made/changes.toml");
    for (said, times) in
        [("[[update]]", 2), ("vars.host", 1), ("Mobile", 0), ("acme.example", 0), ("set.sso", 1)]
    {
        assert_eq!(changes.matches(said).count(), times, "{said}: {changes}");
    }
    assert_eq!(done.stdout.matches("0 clients to change, 2 unchanged").count(), 2, "{done}");
    assert!(done.stdout.contains("https://prod.acme.example/shop/new"), "{done}");
    assert!(done.stdout.contains("0 of 8 clients differ"), "{done}");
}
