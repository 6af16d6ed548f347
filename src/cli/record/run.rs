//! `record --run`, and the change set that every run leaves behind.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use super::super::ended::Ended;
use super::super::error::CliError;
use super::super::{history, output, planned};
use super::{Recording, around, now, state};
use crate::changeset::{ChangeSet, Header, Known, Recorder, Source, from_run};
use crate::model::{Body, TenantName};
use crate::plan::{NamedObject, TenantPlan};
use crate::report::term;
use crate::store::atomic;

impl Recording<'_> {
    /// From the plan and the journal of a run.
    pub(super) fn of_run(&self, word: &str) -> Result<ChangeSet, CliError> {
        let state = state(&self.args.tenant)?;
        let runs = crate::store::history::list(&state)?;
        let run = match word {
            // One that changed nothing is not meant.
            "latest" => runs.runs.iter().rev().find(|run| !run.wrote_nothing()).ok_or_else(|| {
                CliError::usage("no run that is kept here has changed anything")
                    .next(output::verb_line("runs"))
            })?,
            word => history::named(&runs, word)?,
        };
        let (ended, _) = Ended::read(&run.id, run.folder())?;
        let part = self.part(&ended)?;
        let around = around(&self.args.tenant)?;
        let none = Body::new();
        let known = around
            .config
            .iter()
            .flat_map(|config| config.tenants.values())
            .find(|tenant| tenant.domain == part.domain || tenant.name == part.tenant);
        let vars = known.map(|tenant| &tenant.vars).filter(|_| !self.args.no_parametrize).unwrap_or(&none);
        of_ended(&ended, part, vars, self.args.identity.as_ref())
    }

    /// The tenant of a run that is recorded: the one that was chosen, else the first that it changed.
    fn part<'e>(&self, ended: &'e Ended) -> Result<&'e TenantPlan, CliError> {
        let parts = || ended.plan.tenants.iter().map(|part| &**part);
        if let Some(name) = self.args.tenant.tenants.first() {
            let is = |part: &&TenantPlan| part.tenant.as_str() == name || part.domain.as_str() == name;
            return parts().find(is).ok_or_else(|| {
                let names: Vec<&str> = parts().map(|part| part.tenant.as_str()).collect();
                CliError::usage(format!("run {} was not for {name}, but for {}", ended.id, names.join(", ")))
            });
        }
        let all: Vec<&TenantPlan> = ended.changed().collect();
        if let [first, _, ..] = all.as_slice() {
            let note = term::paint(term::WARN, "note:");
            let what = format!(
                "{note} the run changed {} tenants; recorded is what it did in {}",
                all.len(),
                first.tenant
            );
            self.output.note(&format!("{what}. --tenant chooses another."));
        }
        all.first()
            .copied()
            .or_else(|| parts().next())
            .ok_or_else(|| CliError::usage(format!("run {} has no tenant", ended.id)))
    }
}

/// Leaves what a run did in its directory, as a change set: what it did in the first tenant that it changed.
pub(in crate::cli) fn leave(ended: &Ended, vars: &HashMap<TenantName, Body>) -> Result<(), CliError> {
    let Some(part) = ended.changed().next().or_else(|| ended.plan.tenants.first().map(|part| &**part)) else {
        return Ok(());
    };
    let none = Body::new();
    let vars = vars.get(&part.tenant).unwrap_or(&none);
    let changeset = of_ended(ended, part, vars, None)?;
    Ok(atomic::write(&ended.folder.changeset(), |out| changeset.write(out))?)
}

fn hashed(id: &str) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(id)
}

/// What a run did in one tenant. `vars` are those whose values become placeholders.
fn of_ended(
    ended: &Ended,
    part: &TenantPlan,
    vars: &Body,
    identity: Option<&crate::model::FieldPath>,
) -> Result<ChangeSet, CliError> {
    let kinds = planned::kinds_of(&ended.plan.header)?;
    // By hash: there may be a hundred thousand, and they have their ids and names in the plan already.
    let mut places: Vec<(u64, usize)> =
        part.writes.iter().enumerate().map(|(at, write)| (hashed(write.id.as_str()), at)).collect();
    places.sort_unstable();
    // Those that the job called by their names.
    let called: HashMap<&str, &NamedObject> =
        part.named.iter().map(|named| (named.id.as_str(), named)).collect();
    let source = Source::looking_up(Some(&part.domain), vars, |id| {
        if let Some(named) = called.get(id) {
            return Some(Known { kind: named.kind, name: Some(named.name.clone()), alone: true });
        }
        let hash = hashed(id);
        let from = places.partition_point(|(of, _)| *of < hash);
        let same = places[from..].iter().take_while(|(of, _)| *of == hash);
        same.filter_map(|(_, at)| part.writes.get(*at))
            .find(|write| write.id.as_str() == id)
            .map(|write| Known { kind: write.kind, name: write.name, alone: false })
    });
    let mut recorder = Recorder::new(identity, &source, &source);
    from_run::take(&kinds, part, &ended.record, &mut recorder);
    let named = part.tenant.as_str() != part.domain.as_str();
    let at = ended.record.times().map_or_else(now, |(_, ended, _)| ended);
    Ok(recorder.finish(&Header {
        tenant: named.then(|| part.tenant.to_string()),
        at: at.to_string(),
        by: format!("run {}", ended.id),
        job: Some(ended.plan.header.job.clone()),
    }))
}
