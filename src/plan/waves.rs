//! A run in slices: the first clients, then more, each slice only when the one before was good enough.

use super::types::Plan;
use crate::job::WaveSize;

/// The writes of one wave: the tenant's place in the plan, and which of its writes.
pub type Wave = Vec<(usize, Vec<usize>)>;

/// Deals the writes of a plan out to its waves: tenant by tenant, in the plan's order. Sizes are of all changed clients,
/// rounded up, each without those of earlier waves. Without sizes, or for the last clients, there is one wave of all.
/// A wave for which no client is left does not exist.
pub fn waves(plan: &Plan, sizes: &[WaveSize]) -> Vec<Wave> {
    let all: Vec<(usize, usize)> = (0..plan.tenants.len())
        .flat_map(|at| (0..plan.tenants[at].writes.len()).map(move |write| (at, write)))
        .collect();
    let mut left = all.as_slice();
    let mut waves = Vec::new();
    for size in sizes.iter().copied().chain([WaveSize::Rest]) {
        let (now, later) = left.split_at(size.of(all.len(), left.len()));
        left = later;
        if !now.is_empty() {
            waves.push(by_tenant(now));
        }
    }
    waves
}

fn by_tenant(writes: &[(usize, usize)]) -> Wave {
    let mut wave: Wave = Vec::new();
    for (tenant, write) in writes {
        match wave.last_mut() {
            Some((last, writes)) if last == tenant => writes.push(*write),
            _ => wave.push((*tenant, vec![*write])),
        }
    }
    wave
}

/// How many clients a wave has.
pub fn size(wave: &Wave) -> usize {
    wave.iter().map(|(_, writes)| writes.len()).sum()
}
