//! `patchwave diff`: the fields that differ between two snapshots. Reads, and cannot write.

use serde_json::Value;

use super::args::DiffArgs;
use super::error::CliError;
use super::exit;
use super::interrupt::Interrupt;
use super::kinds;
use super::output::Output;
use super::record::{around, one_tenant, state, tell_unseen};
use super::snapshot::{self, Taken};
use crate::catalogue::Kind;
use crate::changeset::{Edit, Pairs, difference, pairs};
use crate::model::{Body, EntityId, FieldChange, FieldPath};
use crate::report::compared::{Ambiguous, Compared, ComparedClient, Named};
use crate::report::diff::DiffOptions;

/// Compares, and says by the exit code whether there is a difference.
pub(super) async fn run(args: DiffArgs, output: &Output) -> Result<u8, CliError> {
    one_tenant(&args.tenant, "diff")?;
    let kinds = kinds::named(&args.kind)?;
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    let (state, around) = (state(&args.tenant)?, around(&args.tenant)?);
    display.reading();
    let words = (args.before.as_str(), args.after.as_str());
    let reading = snapshot::two(words, (&args.tenant, &args.pace), &around, (&kinds, &state), &display);
    let taken = interrupt.or(Box::pin(reading)).await;
    display.clear();
    let (mut a, mut b) = taken?;
    let not_compared = snapshot::forget_unseen([&mut a, &mut b]);
    tell_unseen(&not_compared, output);
    let identity = args.identity.as_ref();
    let mut kinds: Vec<&'static Kind> = a.shots.iter().chain(&b.shots).map(|shot| shot.kind).collect();
    kinds.sort_by_key(|kind| (!kind.name.is_default(), kind.name));
    kinds.dedup_by_key(|kind| kind.name);
    let mut whole = Compared { a: a.name.clone(), b: b.name.clone(), not_compared, ..Compared::default() };
    for kind in &kinds {
        let pairs = pairs(kind, identity, (a.of(kind), b.of(kind)), a.is_of_the_tenant_of(&b));
        whole.add(compared((kind, identity), (&a, &b), &pairs, !args.no_parametrize));
    }
    let compared = whole;
    let noun = match kinds.as_slice() {
        [only] => only.singular.as_str(),
        _ => "object",
    };
    if output.json() {
        output.object(&compared);
    } else {
        let options = DiffOptions { noun, width: output.width(), full: args.full };
        output.result(&compared.render(options));
    }
    let whole = compared.ambiguous.is_empty() && compared.not_compared.is_empty();
    Ok(match (whole, compared.differs()) {
        (false, _) => exit::ROWS,
        (true, true) => exit::CHANGES,
        (true, false) => exit::OK,
    })
}

fn compared(
    (kind, identity): (&'static Kind, Option<&FieldPath>),
    (a, b): (&Taken, &Taken),
    pairs: &Pairs<'_>,
    parametrize: bool,
) -> Compared {
    // In one tenant a variable's value is a value like any other.
    let parametrize = parametrize && !pairs.same_tenant;
    let (of_a, of_b) = (a.source(identity, parametrize), b.source(identity, parametrize));
    let name = |body: &Body| body.get(&kind.endpoint.name_field).and_then(Value::as_str).map(str::to_owned);
    let named =
        |(id, body): &(EntityId, Body)| Named { kind: kind_told(kind), name: name(body), id: id.clone() };
    let mut found = Compared {
        both: pairs.both.len(),
        only_a: pairs.gone.iter().map(|client| named(client)).collect(),
        only_b: pairs.new.iter().map(|client| named(client)).collect(),
        ambiguous: pairs
            .ambiguous
            .iter()
            .map(|(key, ids)| Ambiguous { key: key.clone(), ids: ids.clone() })
            .collect(),
        ..Compared::default()
    };
    for ((id_a, before), (id_b, after)) in &pairs.both {
        let (as_they_are, left_out) = difference(kind, before, after);
        let shown = if parametrize && !(as_they_are.is_empty() && left_out.is_empty()) {
            difference(kind, &of_a.marked(kind, id_a, before), &of_b.marked(kind, id_b, after))
        } else {
            (as_they_are.clone(), left_out)
        };
        found.by_tenant += as_they_are.len().saturating_sub(shown.0.len());
        let paths = shown.0.iter().map(|edit: &Edit| &edit.path).chain(shown.1.iter().map(|left| &left.path));
        let mut changes: Vec<FieldChange> = paths
            .map(|path| FieldChange {
                path: path.clone(),
                before: path.get(before).cloned(),
                after: path.get(after).cloned(),
                order: kind.order(path),
                items: None,
            })
            .collect();
        changes.sort_by(|a, b| a.path.cmp(&b.path));
        if !changes.is_empty() {
            found.clients.push(ComparedClient {
                kind: kind_told(kind),
                name: name(before),
                id_a: id_a.clone(),
                id_b: id_b.clone(),
                changes,
            });
        }
    }
    found
}

/// The kind of an object, where it is none of the default one.
fn kind_told(kind: &Kind) -> Option<&'static str> {
    Some(kind.name.as_str()).filter(|_| !kind.name.is_default())
}
