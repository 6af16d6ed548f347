//! `patchwave report --merge`: the runs of one job over different tenants, such as those of all shards, as one report.
//! Plans and journals are joined, and the report is made of them as that of any run.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::ended::Ended;
use super::error::CliError;
use super::live_run::{Format, Reports};
use super::output::Output;
use super::{exit, output};
use crate::model::{Domain, RunId, RunRecord, StopReason, TenantName};
use crate::plan::{Header, Part, Plan, Shard};
use crate::report::{Summary, csv, json, report_rows, summarize, term};
use crate::store::{RunDir, StateDir, StoreError, atomic, history, journal};

/// Runs that began within this time of each other are taken for one: a night, whatever its shards had to wait for.
const TOGETHER: SignedDuration = SignedDuration::from_hours(12);

/// Joins the reports, and ends with the exit code of the whole.
pub(super) fn run(places: &[PathBuf], reports: &Reports, output: &Output) -> Result<u8, CliError> {
    let runs = read(places, output)?;
    check_alike(&runs)?;
    let whole = Whole::of(without_superseded(runs)?)
        .ok_or_else(|| CliError::usage("--merge: no run has a tenant"))?;
    let summary = whole.summary();
    whole.write(&summary, reports).map_err(|error| CliError::setup(error.to_string()))?;
    if output.json() {
        output.object(&json::run(&summary, &whole.plan, &whole.record));
    } else if !output.quiet() || whole.code != exit::OK {
        output.result(&summary.render());
    }
    whole.tell_missing(output);
    Ok(whole.code)
}

/// The runs of these directories, each once.
fn read(places: &[PathBuf], output: &Output) -> Result<Vec<Ended>, CliError> {
    let mut runs: Vec<Ended> = Vec::new();
    let (mut newest_of, mut without) = (Vec::new(), None);
    for place in places {
        let Some(Found { folder, named }) = find(place)? else {
            without = Some(place);
            continue;
        };
        let id = RunId::new(folder.path().file_name().unwrap_or_default().to_string_lossy());
        if !named {
            newest_of.push(id.clone());
        }
        if runs.iter().all(|run| run.id != id) {
            runs.push(Ended::read(&id, folder)?.0);
        }
    }
    // Of shards it is known which tenants there must be; a shard to which none fell leaves nothing behind.
    let sharded = runs.iter().all(|run| run.plan.header.shard.is_some());
    if let Some(place) = without.filter(|_| runs.is_empty() || !sharded) {
        return Err(CliError::usage(format!("--merge {}: no run is kept here", place.display())));
    }
    check_age(&runs, &newest_of)?;
    for place in places.iter().filter(|place| !place.exists()) {
        output.error(&format!(
            "{} {} is not there: right for a shard to which no tenant falls, else a wrong name",
            term::paint(term::WARN, "warning:"),
            place.display()
        ));
    }
    Ok(runs)
}

/// The newest run of a state directory may be of an earlier night, where tonight's did not come to be.
fn check_age(runs: &[Ended], newest_of: &[RunId]) -> Result<(), CliError> {
    let Some(newest) = runs.iter().max_by_key(|run| run.plan.header.made) else { return Ok(()) };
    let old = |run: &&Ended| {
        newest.plan.header.made.duration_since(run.plan.header.made) > TOGETHER && newest_of.contains(&run.id)
    };
    match runs.iter().find(old) {
        None => Ok(()),
        Some(run) => Err(CliError::unusable(format!(
            "--merge: run {} began long before run {}, at {}: it is not of the same time; if it belongs to the report, name its own directory: {}",
            run.id,
            newest.id,
            run.plan.header.made,
            run.folder.path().display()
        ))
        .next(output::verb_line("report --help"))),
    }
}

/// The directory of a run.
struct Found {
    folder: RunDir,
    /// Whether it was named itself.
    named: bool,
}

/// The directory of a run; of a state directory, that of its newest run.
fn find(place: &Path) -> Result<Option<Found>, CliError> {
    // The run's id is its name, which `.` and the like are not.
    let Ok(real) = place.canonicalize() else { return Ok(None) };
    let here = RunDir::at(real.clone());
    if here.plan().exists() {
        not_under_way(&here)?;
        return Ok(Some(Found { folder: here, named: true }));
    }
    let Some(state) = StateDir::find(Some(&real), None, None) else { return Ok(None) };
    let runs = history::list(&state)?;
    let newest = runs.runs.last();
    runs.nothing_hidden_after(newest)?;
    let found = newest.map(|run| Found { folder: run.folder(), named: false });
    found.as_ref().map(|found| not_under_way(&found.folder)).transpose()?;
    Ok(found)
}

/// The report of a run comes with its end: before, it would look like one whose process was killed.
fn not_under_way(folder: &RunDir) -> Result<(), CliError> {
    if !journal::is_held(&folder.journal()) {
        return Ok(());
    }
    let words = format!(
        "--merge: the run in {} is under way; its report comes with its end",
        folder.path().display()
    );
    Err(CliError::locked(words).next(output::verb_line("report --help")))
}

/// Reports of different jobs, or of different choices of tenants, are no report together.
fn check_alike(runs: &[Ended]) -> Result<(), CliError> {
    let Some(first) = runs.first() else { return Ok(()) };
    let of = |run: &Ended| (run.plan.header.job_digest.clone(), run.plan.header.kind);
    let split =
        |run: &Ended| run.plan.header.shard.as_ref().map(|Shard { part, chosen }| (part.of, chosen.clone()));
    for run in runs {
        let why = if run.plan.header.undoes.is_some() {
            format!("run {} is an undo; its report stands for itself", run.id)
        } else if of(run) != of(first) {
            format!("runs {} and {} are not of the same job", first.id, run.id)
        } else if split(run) != split(first) {
            format!("runs {} and {} are not shards of the same tenants", first.id, run.id)
        } else {
            continue;
        };
        return Err(CliError::unusable(format!("--merge: {why}")).next(output::verb_line("report --help")));
    }
    Ok(())
}

/// Each tenant in one run. Where one run took the place of another, that of the other is left out.
fn without_superseded(mut runs: Vec<Ended>) -> Result<Vec<Ended>, CliError> {
    let ids: Vec<RunId> = runs.iter().map(|run| run.id.clone()).collect();
    let mut seen: HashMap<TenantName, RunId> = HashMap::new();
    for run in &mut runs {
        let (plan, record) = (&mut run.plan, &run.record);
        plan.tenants.retain(|part| record.superseded_by(&part.tenant).is_none_or(|by| !ids.contains(by)));
        for part in &plan.tenants {
            if let Some(other) = seen.insert(part.tenant.clone(), run.id.clone()) {
                return Err(CliError::unusable(format!(
                    "--merge: tenant {} is in run {other} and in run {}, and neither took the place of the other; leave one out",
                    part.tenant, run.id
                ))
                .of_tenant(part.tenant.as_str())
                .next(output::verb_line("report --help")));
            }
        }
        let kept: Vec<TenantName> = plan.tenants.iter().map(|part| part.tenant.clone()).collect();
        run.record.retain(|tenant| kept.contains(tenant));
    }
    runs.retain(|run| !run.plan.tenants.is_empty());
    Ok(runs)
}

/// Several runs as one.
struct Whole {
    ids: Vec<RunId>,
    plan: Plan,
    record: RunRecord,
    /// In which run a tenant's rows were made.
    run_of: HashMap<TenantName, RunId>,
    /// Tenants that were chosen and are in no run, by shard.
    missing: BTreeMap<u32, Vec<TenantName>>,
    shards: u32,
    code: u8,
}

impl Whole {
    fn of(runs: Vec<Ended>) -> Option<Self> {
        let shard = runs.first().and_then(|run| run.plan.header.shard.clone());
        let (of, chosen) = shard.map_or((1, Vec::new()), |shard| (shard.part.of, shard.chosen));
        let run_of: HashMap<TenantName, RunId> = runs
            .iter()
            .flat_map(|run| run.plan.tenants.iter().map(|part| (part.tenant.clone(), run.id.clone())))
            .collect();
        let missing = missing(&chosen, &run_of, of);
        let code = code(&runs, missing.values().map(Vec::len).sum());
        let ids = runs.iter().map(|run| run.id.clone()).collect();
        let mut header = None;
        let (mut tenants, mut records, mut stop) = (Vec::new(), Vec::new(), None);
        for run in runs {
            stop = stop.max(run.summary(code).stop);
            header.get_or_insert(run.plan.header);
            tenants.extend(run.plan.tenants);
            records.push(run.record);
        }
        // In the order in which the tenants were asked for, as if one process had worked on all of them.
        let place = |tenant: &TenantName| chosen.iter().position(|(name, _)| name == tenant);
        tenants.sort_by_key(|part| place(&part.tenant));
        let mut record = RunRecord::joined(records);
        record.stop = stop;
        let plan = Plan { header: Header { shard: None, ..header? }, tenants };
        Some(Self { ids, plan, record, run_of, missing, shards: of, code })
    }

    fn summary(&self) -> Summary {
        let newest = self.ids.iter().max().cloned().unwrap_or_else(|| RunId::new(""));
        let summary = summarize(&self.plan, &self.record, &newest, self.code);
        Summary { merged: self.ids.clone(), ..summary }
    }

    fn write(&self, summary: &Summary, reports: &Reports) -> Result<(), StoreError> {
        let rows = report_rows(&self.plan, &self.record);
        let columns = &self.plan.header.columns;
        for (path, format) in &reports.0 {
            match format {
                Format::Csv => atomic::write(path, |out| {
                    csv::print(columns, &rows, |tenant| self.run_of.get(tenant), out)
                })?,
                Format::Json => {
                    let run = json::run(summary, &self.plan, &self.record);
                    atomic::write(path, |out| Ok(serde_json::to_writer_pretty(out, &run)?))?;
                }
            }
        }
        Ok(())
    }

    fn tell_missing(&self, output: &Output) {
        for (index, tenants) in &self.missing {
            let names: Vec<String> = tenants.iter().map(|tenant| term::safe(tenant.as_str())).collect();
            let part = format!("{index}/{}", self.shards);
            let word = term::paint(term::BAD, "missing:");
            output.error(&format!("{word} the report of shard {part}, with {}", names.join(", ")));
        }
    }
}

fn missing(
    chosen: &[(TenantName, Domain)],
    there: &HashMap<TenantName, RunId>,
    of: u32,
) -> BTreeMap<u32, Vec<TenantName>> {
    let mut missing: BTreeMap<u32, Vec<TenantName>> = BTreeMap::new();
    for (tenant, domain) in chosen.iter().filter(|(tenant, _)| !there.contains_key(tenant)) {
        missing.entry(Part::number(domain, of)).or_default().push(tenant.clone());
    }
    missing
}

/// That of one run over all tenants; those that are missing count as not reached.
fn code(runs: &[Ended], missing: usize) -> u8 {
    let mut codes = vec![exit::SETUP; missing];
    let mut stop: Option<StopReason> = None;
    for run in runs {
        let (of_tenants, of_run) = run.codes();
        codes.extend(of_tenants);
        stop = stop.max(of_run);
    }
    exit::of_run(&codes, stop)
}
