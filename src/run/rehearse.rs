//! A run in virtual time, for its forecast: the same waves, pauses and verifications as in `coordinator.rs`, with each
//! tenant's requests at the pace that its limiter would have. Central type: [`Course`].

use std::time::Duration;

use serde_json::Value;

use crate::auth0::{Rehearsal, calls};
use crate::catalogue::Kind;
use crate::plan::waves::Wave;
use crate::plan::{Plan, TenantPlan, Write};

/// How a run will go.
#[derive(Debug)]
pub struct Course<'c> {
    /// What is to be done.
    pub plan: &'c Plan,
    /// Its slices.
    pub waves: &'c [Wave],
    /// Between two of them.
    pub pause: Duration,
    /// Whether each is read again and compared.
    pub verify: bool,
    /// After how long clients are read again before they are written.
    pub max_age: Duration,
}

/// What a tenant's part comes to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rehearsed {
    /// Requests, reads included.
    pub requests: u64,
    /// When its last request is answered, from the beginning of the run.
    pub ends: Duration,
}

impl Course<'_> {
    /// Goes through it: one rehearsal a tenant of the plan, none for those that take no part.
    pub fn rehearse(&self, mut tenants: Vec<Option<Rehearsal>>) -> Vec<Rehearsed> {
        let mut rehearsed = vec![Rehearsed::default(); tenants.len()];
        let mut start = Duration::ZERO;
        for wave in self.waves {
            let mut end = start;
            for (place, writes) in wave {
                let (Some(tenant), Some(part)) =
                    (tenants.get_mut(*place).and_then(Option::as_mut), self.part(*place))
                else {
                    continue;
                };
                tenant.wait_until(start);
                let requests = self.write(tenant, part, writes);
                rehearsed[*place].requests += requests;
                rehearsed[*place].ends = tenant.elapsed();
                end = end.max(tenant.elapsed());
            }
            if self.verify {
                end = self.verified(wave, &mut tenants, &mut rehearsed, end);
            }
            start = end + self.pause;
        }
        rehearsed
    }

    fn part(&self, place: usize) -> Option<&TenantPlan> {
        self.plan.tenants.get(place).map(|part| &**part)
    }

    /// The writes of a wave in one tenant, with the reads that some of them need, and those of clients that have grown old.
    /// Tells how many requests that takes.
    fn write(&self, tenant: &mut Rehearsal, part: &TenantPlan, writes: &[usize]) -> u64 {
        let composed = writes.iter().filter(|at| part.writes.is_composed(**at));
        let sent = (writes.len() + composed.count()) as u64 + beside(part, writes);
        let began = tenant.elapsed();
        tenant.write(sent);
        let took = tenant.elapsed().saturating_sub(began).as_secs_f64();
        let times = took / self.max_age.as_secs_f64().max(0.001);
        let again: u64 = (1..)
            .map(f64::from)
            .take_while(|nth| *nth < times)
            .map(|nth| self.reads((writes.len() as f64 * (1.0 - nth / times)) as usize, part))
            .sum();
        tenant.read(again);
        sent + again
    }

    /// Tenant by tenant, as it is done.
    fn verified(
        &self,
        wave: &Wave,
        tenants: &mut [Option<Rehearsal>],
        rehearsed: &mut [Rehearsed],
        begins: Duration,
    ) -> Duration {
        let mut end = begins;
        for (place, writes) in wave {
            let (Some(tenant), Some(part)) =
                (tenants.get_mut(*place).and_then(Option::as_mut), self.part(*place))
            else {
                continue;
            };
            let reads = self.reads(writes.len(), part);
            tenant.wait_until(end);
            tenant.read(reads);
            end = tenant.elapsed();
            rehearsed[*place].requests += reads;
            rehearsed[*place].ends = end;
        }
        end
    }

    /// Requests that it takes to read so many clients again: by the page, or one by one where that is cheaper.
    fn reads(&self, clients: usize, part: &TenantPlan) -> u64 {
        let kind = part.writes.by_kind().first().map(|(kind, _)| *kind).unwrap_or_default();
        let endpoint = &kind.kind().endpoint;
        let page = endpoint.page_size.max(1);
        let total = part.totals.get(&kind).copied().unwrap_or(clients).max(clients);
        let first_page = clients as f64 * (page as f64 / total.max(1) as f64).min(1.0);
        let missing = clients - first_page.round() as usize;
        let pages = total.div_ceil(page);
        let rest = if total <= endpoint.offset_limit { pages.saturating_sub(1) } else { pages };
        match clients {
            0 | 1 => clients as u64,
            _ => 1 + missing.min(rest) as u64,
        }
    }
}

/// The requests of writes beyond one each: for lists that have endpoints of their own, and for what must follow a change.
fn beside(part: &TenantPlan, writes: &[usize]) -> u64 {
    let more = |kind: &Kind| {
        !kind.endpoint.associations.is_empty()
            || kind.endpoint.then.is_some()
            || kind.root().fields.values().any(|field| field.sent_along)
    };
    // Opening each of a hundred thousand takes time, and most kinds have neither.
    if !part.writes.by_kind().iter().any(|(name, _)| more(name.kind())) {
        return 0;
    }
    writes.iter().filter_map(|at| part.writes.get(*at)).map(|write| beside_one(&write)).sum()
}

fn beside_one(write: &Write) -> u64 {
    let kind = write.kind.kind();
    let endpoint = &kind.endpoint;
    let follows =
        endpoint.then.as_ref().is_some_and(|then| write.before.get(&then.keeps) == Some(&Value::Bool(true)));
    let is_asked = |root: &str| write.changes.iter().any(|change| change.path.root() == root);
    let sent_along =
        |root: &String| kind.root().fields.get(root).is_some_and(|field| field.sent_along) && !is_asked(root);
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let steps: Vec<u64> = write
        .body
        .iter()
        .filter_map(|(root, wanted)| Some((endpoint.association(root)?, root, wanted)))
        .map(|(association, root, wanted)| {
            calls(association, &list(write.before.get(root)), &list(Some(wanted))).len() as u64
        })
        .collect();
    let (lists, fields) = (steps.len() as u64, write.body.len() > steps.len());
    // What is composed is counted with those of every kind.
    let looked = !write.create && !write.compose;
    let looked = looked && (follows || lists > 0 || write.body.keys().any(sent_along));
    // Each list is read before, unless the object is new, and after.
    let reads = if write.create { lists } else { 2 * lists };
    u64::from(looked) + u64::from(follows) + reads + steps.iter().sum::<u64>()
        - u64::from(!fields && lists > 0)
}
