//! Leave to write: the token's, and that of whoever is there to ask.

use std::collections::{BTreeMap, BTreeSet};

use super::args::RunArgs;
use super::connect::{Session, Target};
use super::error::CliError;
use super::{output, prompt};
use crate::catalogue::KindName;
use crate::model::TenantName;
use crate::plan::{Plan, TenantPlan};
use crate::report::term;

/// The root fields that are written, kind by kind.
#[derive(Default)]
pub(super) struct Written {
    fields: BTreeMap<KindName, BTreeSet<String>>,
    /// Of which new ones are made, and of which some are changed.
    creating: Vec<KindName>,
    updating: Vec<KindName>,
}

/// What leave is asked for.
pub(super) struct Asked {
    /// What one of them is called.
    pub(super) noun: &'static str,
    /// What is done to them: `Change`, `Take back what was done to`.
    pub(super) verb: &'static str,
    /// Clients that may change, tenant by tenant; none has none.
    pub(super) changes: Vec<(TenantName, usize)>,
    /// The root fields that are written, tenant by tenant and kind by kind: some need a scope of their own.
    pub(super) fields: Vec<(TenantName, Written)>,
    /// Whether the tenants were named above, with their domains.
    pub(super) named: bool,
}

impl Asked {
    /// Everything in a plan; `named` where it was shown.
    pub(super) fn of(plan: &Plan, named: bool) -> Self {
        let changes = plan.tenants.iter().map(|part| (part.tenant.clone(), part.writes.len()));
        let verb = if plan.header.undoes.is_some() { "Put back" } else { "Change" };
        let changes = changes.filter(|(_, writes)| *writes > 0).collect();
        Self { noun: plan.header.noun(), verb, changes, fields: fields_of(plan), named }
    }

    /// The scope that writing a single field needs and that the token does not have, with the field.
    fn scope_of_a_field(&self, tenant: &TenantName, has: impl Fn(&str) -> bool) -> Option<String> {
        self.written(tenant).flat_map(|written| &written.fields).find_map(|(name, written)| {
            let of_lists = written.iter().filter_map(|field| name.kind().endpoint.association(field));
            let calls = of_lists.flat_map(|list| [&list.add, &list.remove].map(|call| (list, call)));
            let mut barred = calls.filter(|(_, call)| !call.scopes.iter().any(|scope| has(scope)));
            if let Some((list, call)) = barred.next() {
                let scope = call.scopes.first().map(String::as_str).unwrap_or_default();
                return Some(format!("{scope}, which writing {} needs", list.field));
            }
            let scopes = name.kind().field_scopes().into_iter();
            let mut lacking = scopes.filter(|(scope, _)| !has(scope)).filter_map(|(scope, fields)| {
                let field = fields.into_iter().find(|field| written.contains(*field))?;
                Some(format!("{scope}, which writing {field} needs"))
            });
            lacking.next()
        })
    }

    /// The scope that updating one of the kinds needs and that the token does not have.
    fn scope_of_a_kind(&self, tenant: &TenantName, has: impl Fn(&str) -> bool) -> Option<String> {
        let lacking = |any_of: &[String]| {
            let granted = any_of.iter().any(|scope| has(scope));
            any_of.first().filter(|_| !granted).cloned()
        };
        self.written(tenant).find_map(|written| {
            let update = |name: &KindName| {
                let endpoint = &name.kind().endpoint;
                let then = || endpoint.then.as_ref().and_then(|then| lacking(&then.scopes));
                lacking(&endpoint.scopes.update).or_else(then)
            };
            let create = |name: &KindName| lacking(&name.kind().endpoint.scopes.create);
            written.updating.iter().find_map(update).or_else(|| written.creating.iter().find_map(create))
        })
    }

    fn written(&self, tenant: &TenantName) -> impl Iterator<Item = &Written> {
        self.fields.iter().filter(move |(of, _)| of == tenant).map(|(_, written)| written)
    }

    fn targets<'s>(&self, session: &'s Session) -> Vec<&'s Target> {
        self.changes.iter().filter_map(|(tenant, _)| session.target(tenant)).collect()
    }
}

/// The root fields that a plan writes, tenant by tenant.
pub(super) fn fields_of(plan: &Plan) -> Vec<(TenantName, Written)> {
    let written = |part: &TenantPlan| Written {
        fields: part.writes.fields().clone(),
        creating: part.writes.creating(),
        updating: part.writes.updating(),
    };
    plan.tenants.iter().map(|part| (part.tenant.clone(), written(part))).collect()
}

/// Tokens that may not write are found out before the first write, not by it: the tenants that have one, each with the error.
pub(super) async fn barred(session: &Session, asked: &Asked) -> Vec<(TenantName, CliError)> {
    let targets = asked.targets(session);
    let checks = targets.iter().map(|target| check_scopes(target, asked));
    let checked = futures::future::join_all(checks).await;
    let named = targets.iter().zip(checked);
    named.filter_map(|(target, checked)| Some((target.tenant.clone(), checked.err()?))).collect()
}

async fn check_scopes(target: &Target, asked: &Asked) -> Result<(), CliError> {
    let grant = target.connection.reader().sign_in().await;
    let grant = grant.map_err(|error| CliError::tenant(target.tenant.as_str(), &error))?;
    let Some(scopes) = grant.scopes else { return Ok(()) };
    let has = |scope: &str| scopes.contains(scope);
    let of_kind = asked.scope_of_a_kind(&target.tenant, has);
    let Some(missing) = of_kind.or_else(|| asked.scope_of_a_field(&target.tenant, has)) else {
        return Ok(());
    };
    let what = format!(
        "the token for {} lacks the scope {missing}: grant it to the application, on its \"APIs\" page in the Auth0 Dashboard; nothing was written",
        target.domain
    );
    Err(CliError::setup(what).of_tenant(target.tenant.as_str()))
}

/// Where something is written. Of many tenants the plan above has the names, if it was shown.
fn places(targets: &[&Target], named: bool) -> String {
    const NAMED: usize = 20;
    if targets.len() > NAMED && named {
        return format!("the {} named above", term::count(targets.len(), "tenant"));
    }
    let place = |target: &&Target| format!("{} (credentials from {})", target.domain, target.origin);
    targets.iter().map(place).collect::<Vec<_>>().join(", ")
}

/// Asks, unless the command line has answered already, or nothing can come to harm.
pub(super) async fn ask(args: &RunArgs, session: &Session, asked: &Asked) -> Result<(), CliError> {
    let writes: usize = asked.changes.iter().map(|(_, writes)| writes).sum();
    if session.sandbox.is_some() || writes == 0 {
        return Ok(());
    }
    let targets = asked.targets(session);
    let asks = !args.yes;
    if asks && !prompt::can_ask() {
        return Err(CliError::no_consent(
            "nobody is there to ask, and --yes is not given; nothing was written",
        )
        .next(output::command_line_with(&["--yes"])));
    }
    for target in targets.iter().filter(|target| target.protected) {
        let name = target.known_as.as_str();
        if args.confirm_tenant.iter().any(|confirmed| confirmed == name) {
            continue;
        }
        let typed = asks && prompt::typed(format!("{} is protected.", target.domain), name).await;
        if !typed {
            return Err(CliError::no_consent(format!(
                "tenant {name} is protected and was not confirmed; nothing was written"
            ))
            .next(output::command_line_with(&["--yes", &format!("--confirm-tenant={name}")])));
        }
    }
    let question =
        format!("{} {} in {}?", asked.verb, term::count(writes, asked.noun), places(&targets, asked.named));
    if asks && !prompt::yes(question).await {
        return Err(CliError::no_consent("not confirmed; nothing was written"));
    }
    Ok(())
}
