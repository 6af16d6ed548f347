//! One change set in two hundred tenants: the rings one after the other, a kill in the middle, and the way back.

use super::{Tenants, name};

const TENANTS: usize = 200;

/// Ten clients change.
fn changes() -> String {
    let update = |at: usize| {
        format!(
            "\n[[update]]\nmatch.name = \"App {at:03}\"\nset.name = \"Portal {at}\"\nadd.callbacks = [\"https://{{{{ vars.host }}}}/new\"]\nexpect.name = \"App {at:03}\"\n"
        )
    };
    format!("[recorded]\n{}", (0..10).map(update).collect::<String>())
}

#[test]
fn two_hundred_tenants_by_rings_are_killed_and_resumed_and_brought_back() {
    let tenants = Tenants::new(TENANTS, 12);
    let tenants = Tenants { case: tenants.case.file("changes.toml", changes()), ..tenants };
    let before: Vec<_> = (0..TENANTS).map(|at| tenants.state(at)).collect();
    let all = format!("--tenant={}", (0..TENANTS).map(name).collect::<Vec<_>>().join(","));
    let rings = "--waves-by=ring=canary,early,late";
    let running = tenants.case.spawn(["replay", "changes.toml", &all, "--yes", rings]);
    // In the middle of the last ring.
    tenants.served.until_at(TENANTS / 2, |counters| counters.patch > 2);
    running.kill();
    let sent: u64 = tenants.patches().iter().sum();
    assert!(sent < 2000, "nothing was left to resume");
    tenants.case.run(["resume", &all, "--yes"]).exits(0);
    let rows = tenants.case.results();
    assert_eq!((rows.len(), rows.iter().filter(|row| row["_result"] == "updated").count()), (2000, 2000));
    for at in [0, 1, 57, TENANTS - 1] {
        assert_eq!(
            tenants.client(at, "Portal 3")["callbacks"][1],
            format!("https://{}.acme.example/new", name(at))
        );
    }
    tenants.case.run(["undo", "latest", &all, "--yes"]).exits(0);
    for (at, before) in before.into_iter().enumerate() {
        assert_eq!(
            serde_json::Value::Object(tenants.state(at)),
            serde_json::Value::Object(before),
            "{}",
            name(at)
        );
    }
}
