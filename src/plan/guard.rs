//! Refusals: what a plan may not do, whatever the job says. Judged before the first write anywhere.

use super::state::TenantState;
use super::types::{Done, Plan};
use crate::catalogue::{Kind, KindName};
use crate::job::{RowLabel, Threshold, Update};
use crate::model::{EntityId, FieldChange, Reason, RowResult, TenantName};

/// Why a guard says no, and what lifts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is refused and why.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// Refuses an update that names by its id what no job may change: the global client, and those that somebody protects.
pub fn named_excluded(
    kind: &Kind,
    state: &TenantState,
    id: &EntityId,
    update: &Update,
    force_protect: bool,
) -> Option<Refusal> {
    let label = update.origin.label.in_words();
    if state.excluded.contains(id) {
        return Some(Refusal {
            what: format!(
                "{label} names {id}, the tenant's global {}, which patchwave never changes",
                kind.singular
            ),
            help: "remove it from the job".to_owned(),
        });
    }
    (!force_protect && state.protected.contains(id)).then(|| Refusal {
        what: format!("{label} names {id}, which is protected"),
        help: "remove it from the job, or from the `protect` list; --force protect lifts the list".to_owned(),
    })
}

/// Refuses an update that selects another number of clients than it says.
pub fn wrong_count(kind: &Kind, state: &TenantState, update: &Update, found: &[EntityId]) -> Option<Refusal> {
    const SHOWN: usize = 5;
    let count = update.extras().count?;
    let name = |id: &EntityId| {
        let body = state.object(id);
        let name = body.as_ref().and_then(|body| body.get(&kind.endpoint.name_field)?.as_str());
        name.map_or_else(|| id.to_string(), |name| format!("{name:?}"))
    };
    let mut names: Vec<String> = found.iter().take(SHOWN).map(name).collect();
    if found.len() > SHOWN {
        names.push(format!("and {} more", found.len() - SHOWN));
    }
    let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
    Some(Refusal {
        what: format!(
            "{} must select {count} {}s, and {} fit{names}",
            update.origin.label.in_words(),
            kind.singular,
            found.len()
        ),
        help: "mend the selector; or change `count`, if the number is right by now".to_owned(),
    })
}

/// Refuses changes to the runner's own client that could lock it out. What cannot (its name and the like) may change.
pub fn own_client(
    kind: &Kind,
    state: &TenantState,
    id: &EntityId,
    changes: &[FieldChange],
    label: RowLabel,
) -> Option<Refusal> {
    let harmful = changes.iter().find(|change| !kind.is_safe_on_own(&change.path))?;
    (state.own.as_ref() == Some(id)).then(|| Refusal {
        what: format!(
            "{} changes `{}` of {id}, the {} that patchwave itself signs in with",
            label.in_words(),
            harmful.path,
            kind.singular
        ),
        help: "a wrong value would lock this tool and others out; change it in the Dashboard, or add --force own-client".to_owned(),
    })
}

/// Leaves a protected client out where a rule hit it.
pub fn rule_protected(
    state: &TenantState,
    id: &EntityId,
    update: &Update,
    force_protect: bool,
) -> Option<Done> {
    if matches!(update.selector, crate::job::Selector::Id(_)) {
        return None;
    }
    let skipped = |why| Some(Done::because(RowResult::Skipped, Reason::Protected, why));
    if state.own.as_ref() == Some(id) {
        skipped("patchwave itself signs in with this client")
    } else if !force_protect && state.protected.contains(id) {
        skipped("it is protected")
    } else {
        None
    }
}

/// Refuses a plan that would change too many clients of a tenant. Each tenant is judged by itself, all of them
/// before the first write. `limit_of` says the limit for a tenant of so many clients, and who set it.
pub fn max_changes(
    plan: &Plan,
    limit_of: impl Fn(&TenantName, usize) -> Option<(Threshold, &'static str)>,
) -> Vec<Refusal> {
    let noun = plan.header.noun();
    let refusal =
        |tenant: &TenantName, (changed, total): (usize, Option<usize>), noun: &str, whole: usize| {
            let (limit, whose) = limit_of(tenant, whole)?;
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            (changed as u64 > limit.of(whole)).then(|| Refusal {
                what: format!("{changed}{of} {noun}s of {tenant} would change; {whose} is {limit}"),
                help:
                    "look at the plan; if so many are meant, say so with --max-changes or --force max-changes"
                        .to_owned(),
            })
        };
    let refused = |part: &super::TenantPlan| {
        // A share is only asked for where the total was read; what was planned is a lower bound in any case.
        let whole = |total: Option<usize>| total.unwrap_or(part.rows.len());
        let of_kinds = part.writes.by_kind();
        if let ([_], true) | ([], _) = (of_kinds.as_slice(), part.totals.len() < 2) {
            let total = part.total();
            return refusal(&part.tenant, (part.writes.len(), total), noun, whole(total));
        }
        // Ten connections are not few because there are ten thousand clients: of each kind its share counts.
        let share = |(kind, changed): &(KindName, usize)| {
            let total = part.totals.get(kind).copied();
            refusal(&part.tenant, (*changed, total), &kind.kind().singular, whole(total))
        };
        of_kinds.iter().find_map(share).or_else(|| {
            let total = part.total();
            refusal(&part.tenant, (part.writes.len(), total), noun, whole(total))
        })
    };
    plan.tenants.iter().filter_map(|tenant| refused(tenant)).collect()
}
