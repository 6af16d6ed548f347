//! `--shard`: which part of the chosen tenants this process takes.

use serde_json::json;

use super::args::{ShardArg, TenantArgs};
use super::connect::{Surroundings, surroundings};
use super::error::CliError;
use super::exit;
use super::output::Output;
use crate::config::{self, Environment, Selected, process_environment};
use crate::plan::{Part, Shard};

/// Where Kubernetes puts the number of a pod of an Indexed Job, from 0 on.
const INDEX: &str = "JOB_COMPLETION_INDEX";
/// How many there are, which Kubernetes does not say.
const COUNT: &str = "PATCHWAVE_SHARDS";

/// The part that is asked for.
pub(super) fn part(tenant: &TenantArgs) -> Result<Option<Part>, CliError> {
    match tenant.shard {
        None => Ok(None),
        Some(ShardArg::Part(part)) => Ok(Some(part)),
        Some(ShardArg::Auto) => automatic(&Environment::new(process_environment())).map(Some),
    }
}

/// From the environment of the process alone: a file that comes with a project must not say who does what.
fn automatic(env: &Environment) -> Result<Part, CliError> {
    let number = |name: &str| {
        let text = env.get(name).map(|var| var.expose()).unwrap_or_default();
        text.parse::<u32>().map_err(|_| {
            let found = if text.is_empty() { "it is not set".to_owned() } else { format!("it is `{text}`") };
            CliError::usage(format!(
                "--shard auto reads {INDEX} (from 0 on, set by an Indexed Job) and {COUNT} (how many there are): {name} is no number: {found}"
            ))
        })
    };
    let (index, of) = (number(INDEX)?, number(COUNT)?);
    index.checked_add(1).and_then(|index| Part::new(index, of)).ok_or_else(|| {
        CliError::usage(format!("--shard auto: {INDEX} is {index}, and {COUNT} says that there are {of}"))
    })
}

/// Leaves of the chosen tenants those of the part, and says what it is a part of.
pub(super) fn divide(selected: Vec<Selected>, part: Part) -> (Vec<Selected>, Shard) {
    let chosen = selected.iter().map(|one| (one.tenant.clone(), one.domain.clone())).collect();
    let ours = selected.into_iter().filter(|one| part.has(&one.domain)).collect();
    (ours, Shard { part, chosen })
}

/// Of tenants that are only looked at, those that fall to the part, where one is asked for.
pub(super) fn ours(selected: Vec<Selected>, tenant: &TenantArgs) -> Result<Vec<Selected>, CliError> {
    let part = part(tenant)?;
    Ok(selected.into_iter().filter(|one| part.is_none_or(|part| part.has(&one.domain))).collect())
}

/// Where no tenant falls to this part, there is nothing to do, and that is no failure: says so, and tells that all is done.
/// What cannot be chosen at all is left to the verb to complain of.
pub(super) fn is_empty(tenant: &TenantArgs, output: &Output) -> Result<Option<u8>, CliError> {
    let Some(part) = part(tenant)? else { return Ok(None) };
    let Surroundings { env, config } = surroundings(tenant)?;
    let Ok(selected) = config::select(&tenant.tenants, &tenant.groups, config.as_ref(), &env) else {
        return Ok(None);
    };
    if selected.iter().any(|one| part.has(&one.domain)) {
        return Ok(None);
    }
    if output.json() {
        output.result(&json!({ "shard": part, "tenants": [] }).to_string());
    } else {
        let count = selected.len();
        output.note(&format!("None of the {count} chosen tenants falls to shard {part}: nothing to do."));
    }
    Ok(Some(exit::OK))
}

/// `--shard` as it must be typed where this process' number is not in the environment.
pub(super) fn spelled_out(value: &str) -> String {
    let automatic = || automatic(&Environment::new(process_environment())).ok();
    let part = Some(value).filter(|value| *value == "auto").and_then(|_| automatic());
    part.map_or_else(|| value.to_owned(), |part| part.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(index: &str, count: &str) -> Environment {
        let vars = [(INDEX, index), (COUNT, count)];
        Environment::new(vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn the_first_pod_of_an_indexed_job_is_shard_1() {
        assert_eq!(automatic(&env("0", "4")).unwrap().to_string(), "1/4");
        assert_eq!(automatic(&env("3", "4")).unwrap().to_string(), "4/4");
        for (index, count, said) in
            [("4", "4", "says that there are 4"), ("", "4", "not set"), ("0", "four", "`four`")]
        {
            let error = automatic(&env(index, count)).unwrap_err();
            assert!(error.message().contains(said), "{}", error.message());
        }
    }
}
