//! Choosing tenants by what they are tagged with.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use super::entity::Body;
use super::suggest::nearest;

const PREFIX: &str = "tag:";

/// `tag:ring=canary`: tenants whose tag `ring` is, or as a list holds, `canary`; `tag:ring`: tenants that have it at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagQuery {
    key: String,
    value: Option<String>,
}

impl TagQuery {
    /// Reads one; `None` for what does not begin with `tag:`, which no tenant's name does.
    pub fn parse(text: &str) -> Option<Self> {
        let tag = text.trim().strip_prefix(PREFIX)?;
        let (key, value) = tag.split_once('=').map_or((tag, None), |(key, value)| (key, Some(value)));
        Some(Self { key: key.trim().to_owned(), value: value.map(|value| value.trim().to_owned()) })
    }

    /// Whether a tenant with these tags is meant.
    pub fn fits(&self, tags: &Body) -> bool {
        let Some(tag) = tags.get(&self.key) else { return false };
        self.value.as_ref().is_none_or(|value| texts(tag).any(|text| text == *value))
    }
}

impl fmt::Display for TagQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(f, "{PREFIX}{}={value}", self.key),
            None => write!(f, "{PREFIX}{}", self.key),
        }
    }
}

/// What to do where no tenant fits: the tags that there are, and the near miss among them.
pub fn help<'t>(query: &TagQuery, all: impl Iterator<Item = &'t Body>) -> String {
    let tags: BTreeSet<String> = all.flat_map(written).map(|tag| format!("{PREFIX}{tag}")).collect();
    if tags.is_empty() {
        return "no tenant has tags; add tags = { ring = \"canary\" } to their tables".to_owned();
    }
    let known = format!("tags: {}", tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "));
    match nearest(&query.to_string(), tags.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? {known}"),
        None => known,
    }
}

/// Tags as they can be asked for: `ring=canary`, a list with one for each item.
pub fn written(tags: &Body) -> impl Iterator<Item = String> {
    tags.iter().flat_map(|(key, tag)| texts(tag).map(move |text| format!("{key}={text}")))
}

/// A tag, or the items of a list, as text: numbers and booleans as they print.
pub fn texts(tag: &Value) -> impl Iterator<Item = String> {
    let items = match tag {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tag_is_compared_as_text_and_a_list_by_its_items() {
        let tags = json!({"ring": "canary", "tier": 2, "eu": true, "teams": ["shop", "web"], "share": 0.5});
        let Value::Object(tags) = tags else { panic!() };
        let fits = |text: &str| TagQuery::parse(text).unwrap().fits(&tags);
        for text in [
            "tag:ring=canary",
            "tag:tier=2",
            "tag:eu=true",
            "tag:teams=web",
            "tag:ring",
            " tag: ring = canary ",
            "tag:share=0.5",
        ] {
            assert!(fits(text), "{text}");
        }
        for text in
            ["tag:ring=Canary", "tag:ring=", "tag:team=web", "tag:tier=02", "tag:", "tag:teams=shop,web"]
        {
            assert!(!fits(text), "{text}");
        }
        assert_eq!(TagQuery::parse("ring=canary"), None);
        assert_eq!(
            written(&tags).collect::<Vec<_>>(),
            ["ring=canary", "tier=2", "eu=true", "teams=shop", "teams=web", "share=0.5"]
        );
    }
}
