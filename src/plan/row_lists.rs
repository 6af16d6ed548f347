//! Which rows wait for which client: lists that run through the rows, four bytes a row and a client. Central type: [`RowLists`].
//!
//! As lists of their own, those of a hundred thousand clients took ten megabytes, mostly for one row each.

use std::collections::HashSet;

const NONE: u32 = u32::MAX;

/// For each client, named by its place in the tenant's state, the rows that wait for it, in the order of the input.
#[derive(Default)]
pub(super) struct RowLists {
    /// Clients that a row waits for, in the order in which they were first hit.
    order: Vec<u32>,
    /// By client: its first and its last row.
    ends: Vec<(u32, u32)>,
    /// By row: the next row of the same client.
    next: Vec<u32>,
    /// Rows that wait no longer.
    left: HashSet<u32>,
}

impl RowLists {
    /// Nobody was hit yet, of so many clients.
    pub(super) fn of(clients: usize) -> Self {
        Self { ends: vec![(NONE, NONE); clients], ..Self::default() }
    }

    /// A row waits for a client. What is beyond four billion rows or clients is no job that fits a machine: it is left out
    /// of no report, since planning such a job ends before.
    pub(super) fn add(&mut self, client: usize, row: usize) {
        let (Ok(place), Ok(row)) = (u32::try_from(client), u32::try_from(row)) else { return };
        let Some((first, last)) = self.ends.get_mut(client) else { return };
        self.next.resize(self.next.len().max(row as usize + 1), NONE);
        if *first == NONE {
            *first = row;
            self.order.push(place);
        } else {
            self.next[*last as usize] = row;
        }
        *last = row;
    }

    /// A row waits no longer.
    pub(super) fn leave(&mut self, row: usize) {
        self.left.extend(u32::try_from(row).ok());
    }

    /// How many clients were hit.
    pub(super) fn clients(&self) -> usize {
        self.order.len()
    }

    /// The place of the client that was hit so-manieth.
    pub(super) fn client(&self, at: usize) -> Option<usize> {
        self.order.get(at).map(|place| *place as usize)
    }

    /// The rows that wait for a client.
    pub(super) fn rows(&self, client: usize) -> Vec<usize> {
        let mut rows = Vec::new();
        let mut at = self.ends.get(client).map_or(NONE, |(first, _)| *first);
        while at != NONE {
            if !self.left.contains(&at) {
                rows.push(at as usize);
            }
            at = self.next.get(at as usize).copied().unwrap_or(NONE);
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indexmap::IndexMap;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_listed_by_client_as_a_map_of_lists_would(hits in prop::collection::vec((0_usize..5, any::<bool>()), 0..20)) {
            let (mut lists, mut map) = (RowLists::of(5), IndexMap::<usize, Vec<usize>>::new());
            for (row, (client, _)) in hits.iter().enumerate() {
                lists.add(*client, row);
                map.entry(*client).or_default().push(row);
            }
            for (row, (client, _)) in hits.iter().enumerate().filter(|(_, (_, leaves))| *leaves) {
                lists.leave(row);
                map[client].retain(|other| *other != row);
            }
            let listed: Vec<(usize, Vec<usize>)> = (0..lists.clients())
                .filter_map(|at| lists.client(at)).map(|client| (client, lists.rows(client))).collect();
            prop_assert_eq!(listed, map.into_iter().collect::<Vec<_>>());
        }
    }
}
