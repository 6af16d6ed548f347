//! Plan after apply is empty, undo gives back what was, and nothing moves but what was asked for: of every kind.

use std::collections::BTreeSet;

use patchwave::catalogue::kinds;
use patchwave::sandbox::Options;
use serde_json::json;

use super::changes::{Change, Inventor};
use super::{Plan, is_the_services, state, tenant, writes};

#[test]
fn of_every_kind_a_job_changes_just_what_it_says_and_is_done_then_and_is_taken_back() {
    for kind in kinds() {
        let served = tenant(Options::default());
        let plan = Plan::of(&served, std::iter::once(kind));
        let case = served.case().file("job.toml", plan.job());
        case.run(["apply", "job.toml", "--yes"]).exits(0);
        assert_eq!(case.result_words(), plan.rows("updated"), "{}", kind.name);
        plan.is_carried_out(&served);
        let sent = writes(&served);
        case.run(["plan", "job.toml", "--detailed-exitcode"]).exits(0);
        case.run(["apply", "job.toml", "--yes"]).exits(0);
        assert_eq!(case.result_words(), plan.rows("unchanged"), "{}", kind.name);
        assert_eq!((writes(&served), served.counters().idle), (sent, 0), "{}", kind.name);
        let run = case.runs().remove(0).file_name().unwrap().to_string_lossy().into_owned();
        let undone = case.run(["undo", &run, "--yes"]);
        assert!(matches!(undone.code, Some(0 | 1)), "{undone}");
        assert!(!case.result_words().contains(&"failed".to_owned()), "{undone}");
        plan.is_taken_back(&served, &case);
    }
}

#[test]
fn of_every_kind_each_field_is_changed_for_which_a_value_can_be_made_up() {
    let served = tenant(Options::default());
    let (plan, state) = (Plan::of_everything(&served), state(&served));
    for kind in kinds() {
        let objects = &state[kind.name.as_str()];
        let inventor = Inventor::new(kind, objects, 0);
        let mine = objects.iter().filter(|body| !is_the_services(&served, kind, body));
        let known: BTreeSet<String> =
            mine.flat_map(|body| inventor.steps(body)).flatten().map(|change| change.what().1).collect();
        let of_kind = plan.planned.iter().filter(|planned| planned.kind.name == kind.name);
        let done: BTreeSet<_> = of_kind.flat_map(|planned| &planned.step).map(Change::what).collect();
        let left: Vec<_> = known.iter().filter(|root| !done.iter().any(|(_, done)| done == *root)).collect();
        assert!(left.is_empty() && done.len() > 1, "{}: {left:?}", kind.name);
        let held = |field: &String| {
            objects.iter().any(|body| body.get(field).is_some_and(|list| *list != json!([])))
        };
        for association in kind.endpoint.associations.iter().filter(|association| held(&association.field)) {
            for word in ["add", "remove"] {
                assert!(done.contains(&(word, association.field.clone())), "{} {done:?}", kind.name);
            }
        }
    }
}

#[test]
fn a_saved_plan_of_every_kind_is_carried_out() {
    let served = tenant(Options::default());
    let plan = Plan::of_everything(&served);
    let case = served.case().file("job.toml", plan.job());
    case.run(["plan", "job.toml", "--out", "plan.jsonl"]).exits(0);
    assert_eq!(writes(&served), 0);
    // What was read too long ago is judged anew before it is sent, and what was written is read again.
    case.run(["apply", "plan.jsonl", "--yes", "--max-age", "1ms", "--verify"]).exits(0);
    assert_eq!(case.result_words(), plan.rows("updated"));
    plan.is_carried_out(&served);
    let sent = writes(&served);
    case.run(["apply", "plan.jsonl", "--yes"]).exits(0);
    assert_eq!(case.result_words(), plan.rows("unchanged"));
    assert_eq!(writes(&served), sent);
}
