//! Waves over tenants by a tag: all writes of all tenants of one ring, then those of the next. Central types: [`TagWaves`], as
//! asked for, and [`WavesBy`], with the tenants of each wave by name, as the plan keeps it.

use std::collections::HashSet;
use std::str::FromStr;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::suggest::nearest;
use crate::model::{Body, TenantName, tag};

/// The word for all tenants that no earlier wave has.
const REST: &str = "rest";
/// So many names are listed in a message.
const NAMED: usize = 10;

/// Waves as asked for: `ring=canary,early,rest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagWaves {
    /// The tag.
    pub tag: String,
    /// Its values, a wave each.
    pub values: Vec<String>,
    /// Whether a last wave has the tenants that were not named before.
    pub rest: bool,
}

/// Waves with their tenants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavesBy {
    /// The tag that they were told by.
    pub tag: String,
    /// One after the other. A tenant is in one alone.
    pub waves: Vec<TenantWave>,
}

/// The tenants of a wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantWave {
    /// The value of the tag that they have in common, or `rest`.
    pub name: String,
    /// In the order in which they were chosen.
    pub tenants: Vec<TenantName>,
}

impl TagWaves {
    /// Makes sure that the waves are what was meant: each value is one that a tenant has, and no tenant is left out.
    ///
    /// # Errors
    /// What is wrong, in words, with the values that there are: a misspelt one must not pass a ring over.
    pub fn check<'t>(&self, tenants: impl Iterator<Item = (&'t TenantName, &'t Body)>) -> Result<(), String> {
        let tenants: Vec<_> = tenants.collect();
        let mut found: IndexMap<String, usize> = IndexMap::new();
        for word in tenants.iter().flat_map(|(_, tags)| words(tags.get(&self.tag))) {
            *found.entry(word).or_default() += 1;
        }
        if found.is_empty() {
            return Err(self.unknown_tag(&tenants));
        }
        let known: Vec<&str> = found.keys().map(String::as_str).collect();
        if let Some(wrong) = self.values.iter().find(|value| !found.contains_key(*value)) {
            let near = did_you_mean(wrong, &known);
            let listed = list(&known);
            return Err(format!(
                "no chosen tenant has the tag {} = {wrong}{near}; they have: {listed}",
                self.tag
            ));
        }
        let left: Vec<&str> = tenants
            .iter()
            .filter(|(_, tags)| self.wave_of(tags).is_none())
            .map(|(tenant, _)| tenant.as_str())
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        Err(format!("these tenants are in no wave: {}; name their values, or end with `{REST}`", list(&left)))
    }

    fn unknown_tag(&self, tenants: &[(&TenantName, &Body)]) -> String {
        let tags: HashSet<&str> =
            tenants.iter().flat_map(|(_, tags)| tags.keys().map(String::as_str)).collect();
        let mut tags: Vec<&str> = tags.into_iter().collect();
        tags.sort_unstable();
        let known = match tags.as_slice() {
            [] => "none has any; add `tags = { … }` to their tables in patchwave.toml".to_owned(),
            tags => format!("they have: {}", list(tags)),
        };
        format!("no chosen tenant has a tag `{}`{}; {known}", self.tag, did_you_mean(&self.tag, &tags))
    }

    /// The tenants of each wave. One that several waves fit is in the first of them.
    pub fn divide<'t>(&self, tenants: impl Iterator<Item = (&'t TenantName, &'t Body)>) -> WavesBy {
        let names = self.values.iter().map(String::as_str).chain(self.rest.then_some(REST));
        let wave = |name: &str| TenantWave { name: name.to_owned(), tenants: Vec::new() };
        let mut waves: Vec<TenantWave> = names.map(wave).collect();
        for (tenant, tags) in tenants {
            if let Some(wave) = self.wave_of(tags).and_then(|at| waves.get_mut(at)) {
                wave.tenants.push(tenant.clone());
            }
        }
        WavesBy { tag: self.tag.clone(), waves }
    }

    fn wave_of(&self, tags: &Body) -> Option<usize> {
        let words = words(tags.get(&self.tag));
        let named = self.values.iter().position(|value| words.contains(value));
        named.or_else(|| self.rest.then_some(self.values.len()))
    }
}

/// The words that a tag's value is told by: itself, or each item of a list.
fn words(tag: Option<&Value>) -> Vec<String> {
    tag.into_iter().flat_map(tag::texts).collect()
}

fn did_you_mean(word: &str, known: &[&str]) -> String {
    let near = nearest(word, known.iter().copied());
    near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

fn list(names: &[&str]) -> String {
    let (some, more) = names.split_at(names.len().min(NAMED));
    let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
    some.join(", ") + &more
}

impl FromStr for TagWaves {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (tag, values) = text
            .split_once('=')
            .filter(|(tag, _)| !tag.trim().is_empty())
            .ok_or_else(|| format!("`{text}` names no tag; write it as in ring=canary,early,{REST}"))?;
        let mut values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        let rest = values.pop_if(|last| last == REST).is_some();
        if values.iter().any(|value| value == REST) {
            return Err(format!("`{REST}` takes all tenants that are left, and must be the last wave"));
        }
        if values.is_empty() || values.iter().any(String::is_empty) {
            return Err(format!(
                "`{text}` has a wave without a value; write it as in ring=canary,early,{REST}"
            ));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = values.iter().find(|value| !seen.insert(value.as_str())) {
            return Err(format!("`{twice}` is named twice"));
        }
        Ok(Self { tag: tag.trim().to_owned(), values, rest })
    }
}

impl std::fmt::Display for TagWaves {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.values.iter().map(String::as_str).chain(self.rest.then_some(REST));
        write!(f, "{}={}", self.tag, names.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tenants() -> Vec<(TenantName, Body)> {
        let tags = [
            ("a", json!({"ring": "canary"})),
            ("b", json!({"ring": ["early", "canary"], "region": "eu"})),
            ("c", json!({"ring": 2})),
            ("d", json!({"ring": true})),
            ("e", json!({})),
        ];
        tags.into_iter()
            .map(|(name, tags)| (TenantName::new(name), tags.as_object().unwrap().clone()))
            .collect()
    }

    fn check(waves: &str) -> Result<(), String> {
        waves.parse::<TagWaves>().unwrap().check(tenants().iter().map(|(name, tags)| (name, tags)))
    }

    fn divided(waves: &str) -> Vec<(String, Vec<String>)> {
        let waves = waves.parse::<TagWaves>().unwrap();
        let by = waves.divide(tenants().iter().map(|(name, tags)| (name, tags)));
        let names = |wave: TenantWave| (wave.name, wave.tenants.iter().map(TenantName::to_string).collect());
        by.waves.into_iter().map(names).collect()
    }

    fn wave(name: &str, tenants: &[&str]) -> (String, Vec<String>) {
        (name.to_owned(), tenants.iter().map(|&tenant| tenant.to_owned()).collect())
    }

    #[test]
    fn each_tenant_is_in_the_first_wave_that_fits_it_and_rest_has_the_others() {
        assert_eq!(
            divided("ring=early,canary,rest"),
            [wave("early", &["b"]), wave("canary", &["a"]), wave("rest", &["c", "d", "e"])]
        );
        assert_eq!(
            divided("ring=2,true,canary,rest"),
            [wave("2", &["c"]), wave("true", &["d"]), wave("canary", &["a", "b"]), wave("rest", &["e"])]
        );
        check("ring=early,canary,rest").unwrap();
    }

    #[test]
    fn a_misspelt_value_or_tag_is_answered_with_what_there_is() {
        let wrong = check("ring=canray,rest").unwrap_err();
        assert!(
            wrong.contains("did you mean `canary`?") && wrong.contains("canary, early, 2, true"),
            "{wrong}"
        );
        let wrong = check("rnig=canary,rest").unwrap_err();
        assert!(wrong.contains("no chosen tenant has a tag `rnig`; did you mean `ring`?"), "{wrong}");
        assert!(wrong.contains("they have: region, ring"), "{wrong}");
    }

    #[test]
    fn tenants_that_no_wave_has_are_named() {
        let wrong = check("ring=canary,2").unwrap_err();
        assert!(wrong.contains("in no wave: d, e;"), "{wrong}");
    }

    #[test]
    fn what_names_no_waves_is_refused() {
        for wrong in ["canary", "=canary", "ring=", "ring=rest", "ring=rest,canary", "ring=a,,b", "ring=a,a"]
        {
            wrong.parse::<TagWaves>().unwrap_err();
        }
        assert_eq!("ring = canary, rest".parse::<TagWaves>().unwrap().to_string(), "ring=canary,rest");
    }
}
