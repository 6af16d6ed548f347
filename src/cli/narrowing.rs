//! What of a run an undo takes back: `--client`, `--field`, `--wave`. A word that fits nothing is a mistake, not nothing to do.

use std::collections::{BTreeSet, HashSet};

use indexmap::IndexSet;

use super::args::UndoArgs;
use super::ended::Ended;
use super::error::CliError;
use super::output;
use crate::catalogue::Kinds;
use crate::model::{FieldPath, suggest};
use crate::plan::Write;
use crate::plan::undo::{Narrowed, paths};
use crate::plan::waves::waves;
use crate::report::term;

/// What of the run is taken back, tenant by tenant of its plan: what reached the tenants, or may have, and was not left out.
pub(super) fn narrowed(args: &UndoArgs, kinds: &Kinds, ended: &Ended) -> Result<Vec<Narrowed>, CliError> {
    for path in &args.fields {
        check_field(kinds, ended, path)?;
    }
    for word in &args.clients {
        check_client(ended, word)?;
    }
    let of_waves = of_waves(args, ended)?;
    let mut all = Vec::new();
    for (place, part) in ended.plan.tenants.iter().enumerate() {
        let states = ended.record.writes(&part.tenant);
        let mut writes = BTreeSet::new();
        for (at, write) in part.writes.iter().enumerate() {
            let takes = args.clients.is_empty() || args.clients.iter().any(|word| is_named(&write, word));
            let in_wave = of_waves.as_ref().is_none_or(|of| of.contains(&(place, at)));
            let written = states.get(at).is_some_and(|state| state.is_written());
            if takes && in_wave && written {
                writes.insert(at);
            }
        }
        all.push(Narrowed { writes, fields: args.fields.clone() });
    }
    Ok(all)
}

fn is_named(write: &Write, word: &str) -> bool {
    write.id.as_str() == word || write.name.as_deref() == Some(word)
}

/// A word must mean a client that the run changed, and one alone of each tenant.
fn check_client(ended: &Ended, word: &str) -> Result<(), CliError> {
    let wrong = |what: String| {
        let next = output::run_line("runs show", &ended.id, &[]);
        Err(CliError::usage(format!("--client {word}: {what}")).next(next))
    };
    let mut found = false;
    for part in &ended.plan.tenants {
        let named = part.writes.iter().filter(|write| is_named(write, word));
        let hit: Vec<String> = named.map(|write| write.id.to_string()).collect();
        if hit.len() > 1 {
            let (noun, ids) = (ended.plan.header.noun(), hit.join(" and "));
            return wrong(format!("run {} has more than one {noun} of this name: say {ids}", ended.id));
        }
        found |= !hit.is_empty();
    }
    if found {
        return Ok(());
    }
    let writes = ended.plan.tenants.iter().flat_map(|part| part.writes.iter());
    let known: Vec<String> =
        writes.flat_map(|write| [Some(write.id.to_string()), write.name]).flatten().collect();
    let near = near(word, known.iter().map(String::as_str));
    wrong(format!("run {} changed no {} of this id or name{near}", ended.id, ended.plan.header.noun()))
}

fn near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    let near = suggest::nearest(word, known);
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// Fields that a message names.
const FIELDS_SHOWN: usize = 10;

/// A misspelt field would take nothing back, and look as if nothing were to be taken back.
fn check_field(kinds: &Kinds, ended: &Ended, path: &FieldPath) -> Result<(), CliError> {
    let writes = ended.plan.tenants.iter().flat_map(|part| part.writes.iter());
    let known: IndexSet<FieldPath> = writes.flat_map(|write| paths(kinds.get(write.kind), &write)).collect();
    if known.iter().any(|known| path.encloses(known)) {
        return Ok(());
    }
    let known: Vec<String> = known.iter().map(FieldPath::to_string).collect();
    let near = near(&path.to_string(), known.iter().map(String::as_str));
    let (some, more) = known.split_at(known.len().min(FIELDS_SHOWN));
    let more = if more.is_empty() { String::new() } else { format!(" and {} others", more.len()) };
    Err(CliError::usage(format!(
        "--field {path}: run {} changed no such field of any {}{near}; it changed {}{more}",
        ended.id,
        ended.plan.header.noun(),
        some.join(", ")
    )))
}

fn of_waves(args: &UndoArgs, ended: &Ended) -> Result<Option<HashSet<(usize, usize)>>, CliError> {
    if args.of_waves.is_empty() {
        return Ok(None);
    }
    let waves = waves(&ended.plan);
    let mut chosen = HashSet::new();
    for number in &args.of_waves {
        let Some(wave) = waves.get(*number as usize - 1) else {
            let what = format!("--wave {number}: run {} has {}", ended.id, term::count(waves.len(), "wave"));
            return Err(CliError::usage(what));
        };
        chosen.extend(wave.iter().flat_map(|(place, writes)| writes.iter().map(|at| (*place, *at))));
    }
    Ok(Some(chosen))
}
