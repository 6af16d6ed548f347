//! `patchwave status`: which change sets went to which tenants. Looks at the ledger and the configuration; sends nothing.

use std::path::Path;

use serde::Serialize;

use super::args::{ReadArgs, StatusArgs};
use super::connect::{Surroundings, surroundings};
use super::context::{Reading, read_job, state_dir};
use super::error::CliError;
use super::output::{self, Output};
use super::{exit, shard};
use crate::config::{self, Config};
use crate::job::recorded;
use crate::model::suggest::nearest;
use crate::model::{ChangeSetId, Domain, LedgerEntry, TenantName};
use crate::report::status::{Column, Matrix, SameBy, columns, render};
use crate::report::term;
use crate::store::{StateDir, ledger};

/// Letters of a digest that are enough to name it.
const SHORTEST: usize = 4;

/// Shows the matrix of change sets and tenants.
pub(super) fn run(args: &StatusArgs, output: &Output) -> Result<u8, CliError> {
    let surroundings = surroundings(&args.tenant)?;
    let state = state_dir(args.tenant.state_dir.as_deref(), &surroundings.env)?;
    let (state, same) =
        if args.tenant.sandbox { (state.sandbox(), SameBy::Name) } else { (state, SameBy::Domain) };
    let kept = ledger::read(&state)?;
    let tenants = chosen(args, &surroundings, &kept.entries, same)?;
    let wanted = args.change_set.as_deref();
    let wanted = wanted.map(|word| Wanted::of(word, args, &surroundings, (&state, &kept.entries), output));
    let wanted = wanted.transpose()?;
    let only = wanted.as_ref().map(|wanted| wanted.change_sets.clone());
    let matrix = Matrix::of(&kept.entries, tenants, only, same);
    let file = wanted.and_then(|wanted| wanted.file);
    if kept.unreadable > 0 {
        let lines = term::count(kept.unreadable, "line");
        let path = state.ledger();
        output.note(&format!("{lines} of {} cannot be read and count for nothing", path.display()));
    }
    if output.json() {
        let (path, unreadable_lines) = (state.ledger(), kept.unreadable);
        output.object(&StatusJson { ledger: &path, unreadable_lines, file: file.as_ref(), matrix: &matrix });
        return Ok(exit::OK);
    }
    if let Some(file) = &file {
        file.words().iter().for_each(|line| output.result(line));
    }
    if matrix.change_sets.is_empty() {
        output.result("No change set has been replayed from here.");
    } else if matrix.tenants.is_empty() {
        output.result("No tenant is configured here, and none was ever replayed to.");
    } else {
        output.result(&render(&matrix, output.width()));
    }
    Ok(exit::OK)
}

#[derive(Serialize)]
struct StatusJson<'s> {
    ledger: &'s Path,
    unreadable_lines: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'s FileStatus>,
    #[serde(flatten)]
    matrix: &'s Matrix,
}

/// The tenants that were chosen; where none was, all that are configured and all that the ledger knows. Their credentials are
/// of no concern.
fn chosen(
    args: &StatusArgs,
    surroundings: &Surroundings,
    entries: &[LedgerEntry],
    same: SameBy,
) -> Result<Vec<Column>, CliError> {
    let config = surroundings.config.as_ref().filter(|_| !args.tenant.sandbox);
    let all = columns(configured(config), entries, same);
    let (names, groups) = (&args.tenant.tenants, &args.tenant.groups);
    if names.is_empty() && groups.is_empty() {
        return Ok(all);
    }
    let mut chosen: Vec<Column> = Vec::new();
    let mut keep = |column: Column| {
        if !chosen.contains(&column) {
            chosen.push(column);
        }
    };
    for name in names {
        let known = |column: &&Column| column.tenant.as_str() == name || column.domain.as_str() == name;
        match all.iter().find(known) {
            Some(column) => keep(column.clone()),
            None => {
                let selected = select(args, std::slice::from_ref(name), &[], surroundings)?;
                selected.into_iter().for_each(&mut keep);
            }
        }
    }
    if !groups.is_empty() {
        select(args, &[], groups, surroundings)?.into_iter().for_each(&mut keep);
    }
    Ok(chosen)
}

fn configured(config: Option<&Config>) -> Vec<(TenantName, Domain)> {
    let tables = config.map(|config| config.tenants.values()).into_iter().flatten();
    tables.map(|tenant| (tenant.name.clone(), tenant.domain.clone())).collect()
}

fn select(
    args: &StatusArgs,
    names: &[String],
    groups: &[String],
    surroundings: &Surroundings,
) -> Result<Vec<Column>, CliError> {
    let selected = config::select(names, groups, surroundings.config.as_ref(), &surroundings.env)?;
    let ours = shard::ours(selected, &args.tenant)?;
    let column = |one: config::Selected| Column { tenant: one.tenant, domain: one.domain, configured: true };
    Ok(ours.into_iter().map(column).collect())
}

/// The change sets that a word of the command line means.
struct Wanted {
    change_sets: Vec<ChangeSetId>,
    file: Option<FileStatus>,
}

impl Wanted {
    fn of(
        word: &str,
        args: &StatusArgs,
        surroundings: &Surroundings,
        (state, entries): (&StateDir, &[LedgerEntry]),
        output: &Output,
    ) -> Result<Self, CliError> {
        if word != "-" && !Path::new(word).exists() {
            return known(word, entries).map(|change_sets| Self { change_sets, file: None });
        }
        let bytes =
            read_job(word).map_err(|problem| CliError::job(vec![problem], output::check_line(word)))?;
        let fields = surroundings.config.as_ref().map(|config| config.extra_fields.as_slice());
        let read = ReadArgs {
            kind: None,
            no_base: false,
            allow_field: args.allow_field.clone(),
            ignore_column: Vec::new(),
            encoding: None,
        };
        let reading = Reading { state, args: &read, extra_fields: fields.unwrap_or_default() };
        let mut job = reading.job(word, &bytes, output)?;
        // Any job can be replayed, and counts as a change set then.
        let is_recorded = job.recorded.is_some();
        job.recorded.get_or_insert_default();
        let known = |id: &ChangeSetId| {
            entries.iter().any(|of| of.change_set.digest == id.digest || of.change_set.name == id.name)
        };
        let Some(id) = recorded::id(&job).filter(|id| is_recorded || known(id)) else {
            let what = format!("{word} is no change set: it has no [recorded] table, and was never replayed");
            return Err(CliError::usage(what).next(output::verb_line("status")));
        };
        let file = FileStatus::of(word, &id, entries);
        Ok(Self { change_sets: vec![id], file: Some(file) })
    }
}

/// Change sets of the ledger by name, or by the beginning of a digest.
fn known(word: &str, entries: &[LedgerEntry]) -> Result<Vec<ChangeSetId>, CliError> {
    let is = |id: &ChangeSetId| {
        id.name == word || word.len() >= SHORTEST && id.digest.starts_with(&word.to_lowercase())
    };
    let mut found: Vec<ChangeSetId> = Vec::new();
    // As the newest run knew it.
    for id in entries.iter().rev().map(|entry| &entry.change_set).filter(|id| is(id)) {
        if found.iter().all(|known| known.digest != id.digest) {
            found.push(id.clone());
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let names = entries.iter().map(|entry| entry.change_set.name.as_str());
    let near = nearest(word, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    let what =
        format!("{word} is no file, and no change set of this name or digest was replayed from here{near}");
    Err(CliError::usage(what).next(output::verb_line("status")))
}

/// How a file stands to what was replayed.
#[derive(Serialize)]
struct FileStatus {
    path: String,
    name: String,
    digest: String,
    edited_since_recorded: bool,
    /// What was replayed last under this name, where it was something else.
    replayed_before: Option<Replayed>,
    /// Whether this very change set was ever replayed.
    replayed: bool,
}

#[derive(Serialize)]
struct Replayed {
    digest: String,
    at: jiff::Timestamp,
}

impl FileStatus {
    fn of(path: &str, id: &ChangeSetId, entries: &[LedgerEntry]) -> Self {
        let of_name = entries.iter().filter(|entry| entry.change_set.name == id.name);
        let newest = of_name.max_by_key(|entry| entry.at);
        let before = newest.filter(|entry| entry.change_set.digest != id.digest);
        Self {
            path: path.to_owned(),
            name: id.name.clone(),
            digest: id.digest.clone(),
            edited_since_recorded: id.edited,
            replayed_before: before
                .map(|entry| Replayed { digest: entry.change_set.digest.clone(), at: entry.at }),
            replayed: entries.iter().any(|entry| entry.change_set.digest == id.digest),
        }
    }

    fn words(&self) -> Vec<String> {
        let path = term::safe(&self.path);
        let mut lines = Vec::new();
        if self.edited_since_recorded {
            lines.push(format!("{path} was edited since it was recorded."));
        }
        if let Some(Replayed { digest, at }) = &self.replayed_before {
            let (short, date) = (digest.get(..8).unwrap_or(digest), at.strftime("%Y-%m-%d"));
            lines.push(format!("{path} was edited since it was last replayed, on {date} as {short}."));
        } else if !self.replayed {
            lines.push(format!("{path} was never replayed from here."));
        }
        lines
    }
}
