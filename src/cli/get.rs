//! `patchwave get`: clients into a file that is a job again.

use std::path::Path;

use serde_json::Value;

use super::args::GetArgs;
use super::connect::{Target, connect};
use super::error::CliError;
use super::output::Output;
use crate::catalogue::{self, Kind, redact};
use crate::job::json::BASE_KEY;
use crate::model::{Body, Entity, EntityId};
use crate::report::term;
use crate::store::{atomic, bases};

/// Fetches, keeps what was fetched as the base of later edits, and writes the file.
pub(super) async fn run(args: GetArgs, output: &Output) -> Result<u8, CliError> {
    if let Some(path) = args.out.as_deref().filter(|path| path.exists() && !args.overwrite) {
        let message = format!("{} exists, and may hold edits; --overwrite replaces it", path.display());
        return Err(CliError::usage(message));
    }
    let display = output.progress();
    let session = connect(&args.tenant, &args.pace, &display).await?;
    let [target] = session.targets.as_slice() else {
        return Err(CliError::usage("get reads one tenant: choose one with --tenant"));
    };
    let kind = catalogue::default_kind();
    display.reading();
    let fetched = fetch(&args, target, kind).await;
    display.clear();
    let bodies = fetched?;
    let digest = bases::keep(&session.state, &bodies)?;
    let single = !args.all && bodies.len() == 1;
    let count = bodies.len();
    let text = document(bodies, &digest, single)?;
    match &args.out {
        None => output.result(&text),
        Some(path) => {
            write(path, &text)?;
            output.note(&format!(
                "{} from {} in {}. Edit it, then: patchwave apply {}",
                term::count(count, &kind.singular),
                target.domain,
                path.display(),
                path.display()
            ));
        }
    }
    Ok(super::exit::OK)
}

async fn fetch(args: &GetArgs, target: &Target, kind: &Kind) -> Result<Vec<Body>, CliError> {
    let reader = target.connection.reader();
    let failed = |error| CliError::tenant(target.tenant.as_str(), &error);
    let entities: Vec<Entity> = if args.all {
        let all = reader.list(&kind.endpoint, None).await.map_err(failed)?;
        let excluded = |entity: &Entity| {
            kind.excluded_field().and_then(|field| entity.body.get(field)) == Some(&Value::Bool(true))
        };
        all.into_iter().filter(|entity| !excluded(entity)).collect()
    } else {
        let mut entities = Vec::new();
        for id in ids(args, target)? {
            entities.push(
                reader
                    .get(&kind.endpoint, &id, None)
                    .await
                    .map_err(|error| CliError::object(target.tenant.as_str(), &id, &error))?,
            );
        }
        entities
    };
    let stripped = entities.into_iter().map(|mut entity| {
        redact::strip(kind, &mut entity.body);
        entity.body
    });
    Ok(stripped.collect())
}

fn ids(args: &GetArgs, target: &Target) -> Result<Vec<EntityId>, CliError> {
    if !args.own {
        return Ok(args.ids.iter().map(EntityId::new).collect());
    }
    let own = target.connection.own_client().cloned();
    own.map(|id| vec![id]).ok_or_else(|| {
        CliError::usage("--self: the token does not say which client it belongs to; name the id instead")
    })
}

/// The file: each object with the digest of what was fetched, so that edits can be told from what others change meanwhile.
fn document(bodies: Vec<Body>, digest: &str, single: bool) -> Result<String, CliError> {
    let mark = |mut body: Body| {
        body.insert(BASE_KEY.to_owned(), Value::from(digest));
        Value::Object(body)
    };
    let mut marked = bodies.into_iter().map(mark);
    let value = match (single, marked.next()) {
        (true, Some(only)) => only,
        (_, first) => first.into_iter().chain(marked).collect(),
    };
    serde_json::to_string_pretty(&value)
        .map_err(|error| CliError::setup(format!("the fetched clients cannot be written: {error}")))
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    Ok(atomic::write(path, |out| writeln!(out, "{text}"))?)
}
