//! The same laws with the binary against a simulated tenant, which judges by rules of its own.

use std::collections::BTreeSet;

use patchwave::catalogue;
use patchwave::model::Body;
use patchwave::sandbox::Options;
use proptest::prelude::*;

use super::equal::differing;
use super::laws::names;
use super::newest;
use super::pool::{clients, ops};
use crate::common::{Case, Served};
use crate::pool::{REPEATABLE, few, job};

/// The clients of a tenant by id; what the service alone sets is left out.
fn seen(served: &Served) -> Vec<Body> {
    served
        .tenant()
        .state()
        .into_iter()
        .filter(|client| client["client_id"].as_str().unwrap().len() == 2)
        .collect()
}

/// Asserts that two states are the same but for what the newest run reports of each client.
fn same_but_told(case: &Case, wanted: &[Body], found: &[Body], job: &str) -> Result<(), TestCaseError> {
    let kind = catalogue::default_kind();
    for (wanted, found) in wanted.iter().zip(found) {
        let rows = case
            .results()
            .into_iter()
            .filter(|row| row["_client_id"] == wanted["client_id"].as_str().unwrap());
        let words: BTreeSet<String> = rows.map(|row| row["_error"].clone()).collect();
        for path in differing(kind, wanted, found) {
            let told = words.iter().any(|words| names(words, &path));
            prop_assert!(told, "{path}: {wanted:?}\n{found:?}\n{words:?}\n{job}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(few(16))]

    #[test]
    fn over_http_undo_gives_the_state_before_and_its_own_undo_the_state_after(
        clients in clients(), job in job(&REPEATABLE, &ops()), saved in any::<bool>()
    ) {
        let load: Vec<Body> = serde_json::from_value(clients).unwrap();
        let served = Served::with(Options { tier: "unlimited".parse().unwrap(), load: Some(load), ..Options::default() });
        let domain = served.tenant().domain().to_string();
        let case = served.case().file("job.toml", &job);
        let before = seen(&served);
        let what = if saved { "plan.jsonl" } else { "job.toml" };
        case.run(["plan", "job.toml", "--out", "plan.jsonl"]);
        let applied = case.run(["apply", what, "--yes"]);
        let sent = served.counters().patch;
        if sent == 0 {
            return Ok(());
        }
        let after = seen(&served);
        let again = case.run(["apply", what, "--yes"]);
        prop_assert_eq!(served.counters().patch, sent, "{}\n{}", applied, again);
        let undone = case.run(["undo", "latest", "--tenant", &domain, "--yes"]);
        prop_assert!(matches!(undone.code, Some(0 | 1)), "{job}\n{applied}\n{undone}");
        prop_assert!(!case.result_words().contains(&"failed".to_owned()), "{job}\n{applied}\n{undone}");
        same_but_told(&case, &before, &seen(&served), &job)?;
        // What was read too long ago is judged anew before it is sent.
        let forth = case.run(["undo", &newest(&case), "--yes", "--max-age", "1ms"]);
        prop_assert!(matches!(forth.code, Some(0 | 1)), "{job}\n{undone}\n{forth}");
        same_but_told(&case, &after, &seen(&served), &job)?;
        let planned = case.run(["plan", "job.toml", "--detailed-exitcode"]);
        prop_assert!(matches!(planned.code, Some(0 | 1)), "{job}\n{undone}\n{forth}\n{planned}");
    }
}
