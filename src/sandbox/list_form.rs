//! What single lists of the API take: the form of each kind's list, and of the lists that belong to objects. Central type:
//! [`ListForm`].

use super::parameters::Parameters;
use super::query::{ONE_PARAMETERS, Paging, read_paging};
use super::reply::Refusal;
use super::store::{Filter, Holds};
use crate::model::endpoint::{self, Association, Endpoint};

/// So many come where nobody says.
const USUAL: usize = 50;

/// What a list of the API takes and answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListForm {
    pub(super) paging: endpoint::Paging,
    filters: &'static [endpoint::Filter],
    projection: bool,
    /// The key that holds the items when the list answers an object.
    pub(super) collection: &'static str,
    /// The largest page.
    page_size: usize,
    /// Page numbers reach no further than this.
    reach: usize,
}

impl ListForm {
    /// The list of a kind's objects.
    pub(super) fn of(endpoint: &'static Endpoint) -> Self {
        Self {
            paging: endpoint.paging,
            filters: &endpoint.filters,
            projection: endpoint.projection,
            collection: &endpoint.collection,
            page_size: endpoint.page_size,
            reach: endpoint.offset_limit,
        }
    }

    /// The list that belongs to an object.
    pub(super) fn below(association: &'static Association) -> Self {
        Self {
            paging: association.paging,
            filters: &[],
            projection: false,
            collection: &association.collection,
            page_size: 100,
            reach: 1000,
        }
    }

    /// The parameters that it takes.
    pub(super) fn parameters(&self) -> Vec<&'static str> {
        let mut known: Vec<&str> = self.filters.iter().map(|filter| filter.parameter.as_str()).collect();
        let groups: [(bool, &[&'static str]); 4] = [
            (self.paging.numbers, &["page", "per_page"]),
            (self.paging.totals, &["include_totals"]),
            (self.paging.checkpoints, &["from", "take"]),
            (self.projection, &ONE_PARAMETERS),
        ];
        known.extend(groups.iter().filter(|(taken, _)| *taken).flat_map(|(_, names)| names.iter()));
        known
    }

    /// What objects must hold to be listed.
    pub(super) fn filter(&self, parameters: &Parameters) -> Filter {
        let asked = self.filters.iter().filter(|filter| parameters.get(&filter.parameter).is_some());
        let holds = asked.map(|filter| Holds {
            field: filter.field.clone(),
            values: parameters.all(&filter.parameter),
            loose: filter.loose,
        });
        Filter { holds: holds.collect(), ..Filter::default() }
    }

    /// How it is walked.
    ///
    /// # Errors
    /// 400 for page numbers out of range, or beyond what they reach.
    pub(super) fn paging(&self, parameters: &Parameters) -> Result<Paging, Refusal> {
        let paging = read_paging(parameters, self.page_size)?;
        match paging {
            Paging::Number { .. } if !self.paging.numbers && self.paging.checkpoints => {
                Ok(Paging::Checkpoint { after: None, take: USUAL })
            }
            Paging::Number { .. } if !self.paging.numbers => Ok(Paging::Whole),
            Paging::Number { page, per_page, .. }
                if page > 0 && page.saturating_add(1).saturating_mul(per_page) > self.reach =>
            {
                let message = format!("You can only page through the first {} records.", self.reach);
                Err(Refusal::new(400, message).code("invalid_paging"))
            }
            paging => Ok(paging),
        }
    }
}
