//! Templates that have no value, told once for all clients that share the fault: a job that is wrong is wrong for thousands.

use std::ops::Range;

use indexmap::IndexMap;

use crate::job::Update;
use crate::job::template::RenderFault;
use crate::model::Problem;

/// Faults by update, place and words, in the order in which they were met.
#[derive(Default)]
pub(super) struct Faults(IndexMap<(String, usize, String), Shared>);

struct Shared {
    /// The first client.
    client: String,
    /// A problem without its words.
    place: Problem,
    /// How many clients besides.
    more: usize,
}

impl Faults {
    /// Adds the fault of an update in a client, named for people.
    pub(super) fn add(&mut self, update: &Update, client: &str, span: Range<usize>, fault: RenderFault) {
        let label = update.origin.label.in_words();
        // The row has just been named.
        let what = fault.what.strip_prefix(&format!("{label}: ")).unwrap_or(&fault.what).to_owned();
        let key = (label, span.start, what);
        if let Some(known) = self.0.get_mut(&key) {
            known.more += 1;
            return;
        }
        let place = Problem::new("").at(&update.origin.file, span).maybe_help(fault.help);
        self.0.insert(key, Shared { client: client.to_owned(), place, more: 0 });
    }

    pub(super) fn into_problems(self) -> impl Iterator<Item = Problem> {
        self.0.into_iter().map(|((label, _, what), shared)| {
            let more = if shared.more > 0 { format!(" and {} more", shared.more) } else { String::new() };
            Problem { what: format!("{label}, {}{more}: {what}", shared.client), ..shared.place }
        })
    }
}
