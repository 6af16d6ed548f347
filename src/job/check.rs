//! What can be known of a job offline beyond its single values: updates that contradict each other.

use std::collections::HashMap;

use super::{Job, Op, Selector, Update};
use crate::catalogue::Kind;
use crate::model::value::same;
use crate::model::{EntityId, Problem};

/// Updates of the same client that ask for different things, wherever the job names the client by its id.
/// Updates by `match` are compared when the plan knows whom they fit.
pub fn contradictions(job: &Job) -> Vec<Problem> {
    let mut by_id: HashMap<&EntityId, Vec<&Update>> = HashMap::new();
    let mut problems = Vec::new();
    for update in &job.updates {
        let Selector::Id(id) = &update.selector else { continue };
        let earlier = by_id.entry(id).or_default();
        problems.extend(earlier.iter().find_map(|first| contradiction(job.kind, first, update)));
        earlier.push(update);
    }
    problems
}

/// Says where two updates of one client contradict each other, naming both places.
pub fn contradiction(kind: &Kind, first: &Update, second: &Update) -> Option<Problem> {
    if let (Some(a), Some(b)) = (&first.tenant, &second.tenant)
        && a != b
    {
        return None;
    }
    let pairs = first.ops.iter().flat_map(|a| second.ops.iter().map(move |b| (a, b)));
    let (a, b) = pairs.into_iter().find(|(a, b)| clash(kind, a, b))?;
    let place = first.origin.file.position(a.span.start);
    let (first, second_file) = (&first.origin, &second.origin.file);
    Some(
        Problem::new(format!(
            "`{}` is also changed by {} ({}:{}:{}), to something else",
            b.path,
            first.label.in_words(),
            first.file.name,
            place.line,
            place.column
        ))
        .at(second_file, b.span.clone())
        .help("one client gets one value: remove one of the two"),
    )
}

/// Whether two operations on one client cannot both be done.
pub fn clash(kind: &Kind, a: &Op, b: &Op) -> bool {
    if a.path != b.path {
        return a.path.encloses(&b.path) || b.path.encloses(&a.path);
    }
    !same(a.action.after(), b.action.after(), kind.order(&a.path))
}
