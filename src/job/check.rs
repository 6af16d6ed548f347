//! What can be known of a job offline beyond its single values: updates that contradict each other.

use std::collections::HashMap;

use super::{Job, Op, Selector, Update};
use crate::catalogue::Kind;
use crate::model::value::same;
use crate::model::{EntityId, Problem};

/// Updates of the same client that ask for different things, wherever the job names the client by its id.
/// Updates by `match` are compared when the plan knows whom they fit.
pub fn contradictions(job: &Job) -> Vec<Problem> {
    let mut by_id: HashMap<&EntityId, Claims<'_>> = HashMap::new();
    let mut problems = Vec::new();
    for update in &job.updates {
        if let Selector::Id(id) = &update.selector {
            problems.extend(by_id.entry(id).or_default().claim(job.kind, update));
        }
    }
    problems
}

/// What the updates of one client ask for so far: one entry for each path and tenant, however many updates repeat it,
/// so that a file with thousands of rows of one client is not compared row by row.
#[derive(Debug, Default)]
pub struct Claims<'j> {
    held: Vec<(&'j Update, &'j Op)>,
}

impl<'j> Claims<'j> {
    /// Adds an update's operations; says where the first of them contradicts an earlier one, naming both places.
    pub fn claim(&mut self, kind: &Kind, update: &'j Update) -> Option<Problem> {
        for op in &update.ops {
            let apart = |earlier: &Update| {
                earlier.tenant.is_some() && update.tenant.is_some() && earlier.tenant != update.tenant
            };
            let clashing =
                self.held.iter().find(|(earlier, other)| !apart(earlier) && clash(kind, other, op));
            if let Some((earlier, other)) = clashing {
                return Some(contradiction(earlier, other, update, op));
            }
            let known =
                |(earlier, other): &(&Update, &Op)| earlier.tenant == update.tenant && other.path == op.path;
            if !self.held.iter().any(known) {
                self.held.push((update, op));
            }
        }
        None
    }
}

fn contradiction(earlier: &Update, other: &Op, update: &Update, op: &Op) -> Problem {
    let origin = &earlier.origin;
    let place = origin.file.position(other.span.start);
    let what = format!(
        "`{}` is also changed by {} ({}:{}:{}), to something else",
        op.path,
        origin.label.in_words(),
        origin.file.name,
        place.line,
        place.column
    );
    Problem::new(what)
        .at(&update.origin.file, op.span.clone())
        .help("one client gets one value: remove one of the two")
}

/// Whether two operations on one client cannot both be done.
fn clash(kind: &Kind, a: &Op, b: &Op) -> bool {
    if a.path != b.path {
        return a.path.encloses(&b.path) || b.path.encloses(&a.path);
    }
    !same(a.action.after(), b.action.after(), kind.order(&a.path))
}
