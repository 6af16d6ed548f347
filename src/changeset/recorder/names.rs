//! Placeholders on their way into the file: what has no name yet gets one. Central type: [`Names`].

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::super::source::{UNNAMED, var_code};
use super::changeset::Replaced;
use crate::job::printed::{CLOSE, OPEN};

/// A text as it will be read elsewhere, as far as it is the same for all tenants.
pub(super) fn without_placeholders(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        rest = after.split_once(CLOSE).map_or("", |(_, behind)| behind);
    }
    out + rest
}

/// Names of placeholders, given in the order of the file.
#[derive(Default)]
pub(super) struct Names {
    /// What has been named, by its unnamed form.
    pub(super) given: HashMap<String, String>,
    /// Names that mean something already: the source's own variables among them.
    pub(super) taken: HashSet<String>,
    pub(super) required: Vec<String>,
    pub(super) used: IndexMap<String, Replaced>,
}

impl Names {
    /// Copies a text with its placeholders as templates spell them.
    pub(super) fn named(&mut self, text: &str, client: &str, out: &mut String) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let Some((code, behind)) = after.split_once(CLOSE) else { break };
            out.push_str(before);
            let code = self.code(code);
            let used = self.used.entry(code.clone());
            used.or_insert_with(|| Replaced { code: code.clone(), count: 0, client: client.to_owned() })
                .count += 1;
            out.push_str(&code);
            rest = behind;
        }
        out.push_str(rest);
    }

    fn code(&mut self, code: &str) -> String {
        let Some(unnamed) = code.strip_prefix(UNNAMED) else { return code.to_owned() };
        if let Some(name) = self.given.get(unnamed) {
            return name.clone();
        }
        let base = unnamed.split_once(':').map_or(unnamed, |(base, _)| base);
        let numbered = (2..).map(|number| format!("{base}_{number}"));
        let name = std::iter::once(base.to_owned()).chain(numbered).find(|name| !self.taken.contains(name));
        let name = name.unwrap_or_else(|| base.to_owned());
        self.taken.insert(name.clone());
        self.required.push(name.clone());
        let code = var_code(&name);
        self.given.insert(unnamed.to_owned(), code.clone());
        code
    }
}
