//! Fields that the catalogue does not know, and that the user lets through: Auth0 adds some every month.

use std::sync::OnceLock;

use super::{Field, FieldType, Kind, Lookup, Unset};
use crate::model::FieldPath;

impl Kind {
    /// This kind with further fields. Nothing is known of them: any value is taken, an object is sent whole, null empties.
    ///
    /// Lives as long as the process, as the built-in kinds do; a command makes one at most.
    ///
    /// # Errors
    /// The first path that cannot be a field: one below a text, say.
    pub fn with_extra_fields(&'static self, paths: &[FieldPath]) -> Result<&'static Self, FieldPath> {
        let new: Vec<&FieldPath> =
            paths.iter().filter(|path| matches!(self.lookup(path), Lookup::Unknown { .. })).collect();
        if new.is_empty() {
            return Ok(self);
        }
        let mut root = self.root().clone();
        for path in new {
            add(&mut root, path).ok_or_else(|| path.clone())?;
        }
        Ok(Box::leak(Box::new(Self {
            name: self.name,
            singular: self.singular.clone(),
            identity: self.identity.clone(),
            told_apart: self.told_apart.clone(),
            endpoint: self.endpoint.clone(),
            root,
            linked: self.linked.clone(),
            extra: paths.to_vec(),
            patterns: OnceLock::new(),
        })))
    }
}

fn add(root: &mut Field, path: &FieldPath) -> Option<()> {
    let mut at = root;
    for key in path.keys() {
        if !matches!(at.ty, FieldType::Object | FieldType::Any) {
            return None;
        }
        at = at.fields.entry(key.to_owned()).or_insert_with(anything);
    }
    Some(())
}

fn anything() -> Field {
    Field { ty: FieldType::Any, nullable: true, open: true, unset: Unset::Null, ..Field::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{default_kind, patch, validate};
    use serde_json::json;

    #[test]
    fn a_field_that_was_let_through_takes_anything_and_is_sent_whole() {
        let paths = ["brand_new", "refresh_token.shiny"].map(|path| path.parse::<FieldPath>().unwrap());
        let kind = default_kind().with_extra_fields(&paths).unwrap();
        let below: FieldPath = "brand_new.inner".parse().unwrap();
        assert_eq!(validate::value(kind, &below, &json!([1])), []);
        assert_eq!(validate::value(kind, &paths[1], &json!("x")), []);
        let before = json!({"brand_new": {"a": 1, "inner": 2}}).as_object().unwrap().clone();
        let sent = patch::body(kind, &before, &[(below, Some(json!(3)))]);
        assert_eq!(json!(sent.body), json!({"brand_new": {"a": 1, "inner": 3}}));
        let text: FieldPath = "name.first".parse().unwrap();
        assert_eq!(default_kind().with_extra_fields(std::slice::from_ref(&text)).unwrap_err(), text);
    }
}
