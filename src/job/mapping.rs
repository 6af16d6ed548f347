//! `--map`: which clients are meant in which tenant, instead of those that would be found. Central type: [`Mapping`].

use std::collections::{HashMap, HashSet};

use super::{Input, Job, Rule, Selector, Update};
use crate::model::suggest::nearest;
use crate::model::{EntityId, FieldPath, Problem, TenantName};

const COLUMNS: [&str; 3] = ["match", "tenant", "client_id"];

/// Clients by what a job calls them and by tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapping {
    ids: HashMap<TenantName, HashMap<String, EntityId>>,
}

impl Mapping {
    /// Reads a CSV file with the columns `match` (the name or key as the job has it), `tenant` and `client_id`.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its row.
    pub fn read(input: Input<'_>) -> Result<Self, Vec<Problem>> {
        let wrong = |row: u64, what: String| Problem::new(format!("{} row {row}: {what}", input.name));
        let text = std::str::from_utf8(input.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input.bytes))
            .map_err(|_| vec![Problem::new(format!("{} is not UTF-8 text", input.name))])?;
        let header = text.lines().next().unwrap_or_default();
        let delimiter =
            [b',', b';', b'\t'].into_iter().max_by_key(|d| header.bytes().filter(|byte| byte == d).count());
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter.unwrap_or(b',')).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| vec![wrong(1, error.to_string())])?.clone();
        let mut places = [0; 3];
        let mut problems = Vec::new();
        for (place, column) in places.iter_mut().zip(COLUMNS) {
            match header.iter().position(|name| name.trim() == column) {
                Some(at) => *place = at,
                None => {
                    let near = nearest(column, header.iter()).map(|near| format!("is it `{near}`?"));
                    let needed = format!("there is no column `{column}`; it needs {}", COLUMNS.join(", "));
                    problems.push(wrong(1, needed).maybe_help(near));
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut mapping = Self::default();
        for (record, row) in reader.records().zip(2..) {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    problems.push(wrong(row, error.to_string()));
                    continue;
                }
            };
            let [key, tenant, id] = places.map(|at| record.get(at).unwrap_or_default());
            let (tenant, id) = (tenant.trim(), id.trim());
            if key.is_empty() || tenant.is_empty() || id.is_empty() {
                problems.push(wrong(row, "a cell is empty: nobody knows which client is meant".to_owned()));
                continue;
            }
            let of_tenant = mapping.ids.entry(TenantName::new(tenant)).or_default();
            if of_tenant.insert(key.to_owned(), EntityId::new(id)).is_some_and(|before| before.as_str() != id)
            {
                problems.push(wrong(row, format!("\"{key}\" is mapped twice for tenant {tenant}")));
            }
        }
        if problems.is_empty() { Ok(mapping) } else { Err(problems) }
    }

    /// The tenants that it is about.
    pub fn tenants(&self) -> impl Iterator<Item = &TenantName> {
        self.ids.keys()
    }

    /// What is said of a tenant: texts with the ids that they mean there.
    pub fn of(&self, tenant: &TenantName) -> impl Iterator<Item = (&str, &EntityId)> {
        self.ids.get(tenant).into_iter().flatten().map(|(key, id)| (key.as_str(), id))
    }

    /// Whether anything is said of a tenant.
    pub(super) fn is_for(&self, tenant: &TenantName) -> bool {
        self.ids.contains_key(tenant)
    }

    /// The client that a tenant's rule means: by the text that it must fit, or by that text as it was written.
    pub(super) fn id(
        &self,
        tenant: &TenantName,
        rule: &Rule,
        written: Option<&str>,
        key: &FieldPath,
    ) -> Option<&EntityId> {
        let ids = self.ids.get(tenant)?;
        let exact = rule.fields.iter().find(|(path, _)| path == key).and_then(|(_, pattern)| pattern.exact());
        exact.and_then(|exact| ids.get(exact)).or_else(|| ids.get(written?))
    }

    /// Names and keys that the job does not have: rows without effect.
    pub fn unused(&self, job: &Job) -> Vec<String> {
        let known: HashSet<String> = job.updates.iter().flat_map(|update| keys(job, update)).collect();
        let templated = job.updates.iter().any(|update| matches!(update.selector, Selector::Templated(_)));
        let all = self.ids.values().flat_map(HashMap::keys).filter(|key| !templated && !known.contains(*key));
        let mut unused: Vec<String> = all.cloned().collect();
        unused.sort();
        unused.dedup();
        unused
    }
}

fn keys(job: &Job, update: &Update) -> Vec<String> {
    let Selector::Rule(rule) = &update.selector else { return Vec::new() };
    let exact = rule
        .fields
        .iter()
        .filter(|(path, _)| job.is_key(update.kind, path))
        .filter_map(|(_, pattern)| pattern.exact());
    exact.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Mapping, String> {
        Mapping::read(Input { name: "map.csv", bytes: text.as_bytes() }).map_err(|problems| {
            problems.iter().map(|problem| problem.what.clone()).collect::<Vec<_>>().join("; ")
        })
    }

    #[test]
    fn a_map_is_read_with_its_columns_in_any_order_and_what_is_wrong_is_said_by_row() {
        let map = read("tenant;match;client_id\nprod;\"Shop; old\";abc\n").unwrap();
        assert_eq!(map.ids[&TenantName::new("prod")]["Shop; old"].as_str(), "abc");
        for (text, said) in [
            ("match,tenant\nA,prod\n", "no column `client_id`"),
            ("match,tenant,client_id\nA,prod,\n", "row 2: a cell is empty"),
            ("match,tenant,client_id\nA,prod,x\nA,prod,y\n", "row 3: \"A\" is mapped twice for tenant prod"),
        ] {
            assert!(read(text).unwrap_err().contains(said), "{text}: {:?}", read(text));
        }
    }
}
