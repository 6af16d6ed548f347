//! The tenants of a job split over several processes. Central type: [`Shard`].

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{Domain, TenantName};

/// Which part of the chosen tenants a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Counted from 1.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

/// A part of the tenants, and what it is a part of: enough to put the reports of all parts together again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which part.
    #[serde(flatten)]
    pub part: Part,
    /// All tenants that were chosen, in the order asked for.
    pub chosen: Vec<(TenantName, Domain)>,
}

impl Part {
    /// A part that there is: `index` counts from 1 to `of`.
    pub fn new(index: u32, of: u32) -> Option<Self> {
        (1..=of).contains(&index).then_some(Self { index, of })
    }

    /// Whether a tenant is in it. Told by its domain alone: whoever is added to the group, or in whatever order it is, each
    /// tenant stays in one part, and in the same.
    pub fn has(self, domain: &Domain) -> bool {
        self.index == Self::number(domain, self.of)
    }

    /// The number of the part that a tenant is in, of so many.
    pub fn number(domain: &Domain, of: u32) -> u32 {
        let digest = Sha256::digest(domain.as_str().as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        // Less than `of`, which is 32 bits wide.
        u32::try_from(number % u64::from(of.max(1))).unwrap_or(0) + 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn domain(number: u32) -> Domain {
        Domain::parse(&format!("acme-{number}.eu.auth0.com")).unwrap()
    }

    #[test]
    fn the_part_of_a_tenant_is_the_same_in_every_version() {
        let number = |text: &str, of| Part::number(&Domain::parse(text).unwrap(), of);
        // SHA-256 of `acme.eu.auth0.com` begins with the eight bytes that are divided here.
        let digest = Sha256::digest(b"acme.eu.auth0.com");
        let first = u64::from_be_bytes(digest[..8].try_into().unwrap());
        for of in [1, 2, 3, 7, 64] {
            assert_eq!(u64::from(number("acme.eu.auth0.com", of)), first % u64::from(of) + 1);
        }
        assert_eq!(number("https://ACME.eu.auth0.com/", 64), number("acme.eu.auth0.com", 64));
    }

    #[test]
    fn two_hundred_tenants_are_spread_evenly_enough() {
        let of = 8;
        for index in 1..=of {
            let part = Part::new(index, of).unwrap();
            let count = (0..200).filter(|number| part.has(&domain(*number))).count();
            assert!((12..=38).contains(&count), "part {part} has {count} of 200");
        }
    }

    proptest! {
        #[test]
        fn each_tenant_is_in_exactly_one_part(number in 0_u32..100_000, of in 1_u32..50) {
            let parts = (1..=of).filter_map(|index| Part::new(index, of));
            prop_assert_eq!(parts.filter(|part| part.has(&domain(number))).count(), 1);
        }
    }

    #[test]
    fn there_is_no_part_zero_and_none_after_the_last() {
        assert_eq!((Part::new(0, 3), Part::new(4, 3), Part::new(1, 0)), (None, None, None));
        assert_eq!(Part::new(3, 3).unwrap().to_string(), "3/3");
    }
}
