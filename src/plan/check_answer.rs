//! Whether a write did what was planned: each answer is the full stored client, and is compared.

use serde_json::Value;

use super::compose::predicted;
use super::types::{Write, is_from_place};
use crate::catalogue::{Kind, Unset, redact};
use crate::model::value::same;
use crate::model::{Body, FieldChange, FieldPath, ListOrder};

/// What an answer shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Written fields that are not as planned, in words.
    pub not_as_planned: Vec<String>,
    /// Fields that were read, were not written, and moved all the same.
    pub changed_elsewhere: Vec<String>,
}

/// Compares the object that the server answered with what the plan says it will be. Only fields that the plan has read
/// are compared.
pub fn check_answer(kind: &Kind, write: &Write, answered: &Body) -> Answer {
    // The answer has secrets where the plan has markers; none may reach a comparison that prints what differs.
    let mut answered = answered.clone();
    redact::strip(kind, &mut answered);
    let answered = &answered;
    let planned = predicted(kind, write);
    let mut answer = Answer::default();
    for change in &write.changes {
        let (planned, now) = (change.path.get(&planned), change.path.get(answered));
        if !as_planned(kind, change, planned, now) {
            answer.not_as_planned.push(format!(
                "{} is {}, planned was {}",
                change.path,
                shown(now),
                shown(planned)
            ));
        }
    }
    let roots = write.before.iter().filter(|(key, value)| answered.contains_key(*key) || !value.is_null());
    let seen = Seen { kind, write, planned: &planned, answered };
    for (key, before) in roots {
        seen.moved(&FieldPath::root_field(key), before, &mut answer.changed_elsewhere);
    }
    answer
}

/// Whether a field holds what was planned. A key that was left out of an object may be filled in by the service: with its
/// default, where it has a known one. A whole object is nothing that it fills in.
pub fn as_planned(kind: &Kind, change: &FieldChange, planned: Option<&Value>, now: Option<&Value>) -> bool {
    if let Some(items) = &change.items {
        return items.is_done(now);
    }
    if is_from_place(change) {
        // A token that may write a secret need not be one that sees it.
        let unseen = change.path.depth() == 1 && now.is_none_or(Value::is_null);
        return unseen || now == change.after.as_ref();
    }
    let left_out = change.after.is_none()
        && kind.unset_of(&change.path) == Unset::No
        && !now.is_some_and(Value::is_object);
    let filled_in = || match kind.default_of(&change.path) {
        Some(default) => same(Some(default), now, change.order),
        None => true,
    };
    same(planned, now, change.order) || left_out && filled_in()
}

/// A write's answer beside what was planned.
struct Seen<'s> {
    kind: &'s Kind,
    write: &'s Write,
    planned: &'s Body,
    answered: &'s Body,
}

impl Seen<'_> {
    /// Walks what was there before down to its leaves; those that nobody asked to change must be as they were. What moves
    /// along with a written field is planned too.
    fn moved(&self, path: &FieldPath, before: &Value, out: &mut Vec<String>) {
        // Some servers show null where an object is absent: what was written below it made it spring up.
        let ours = |change: &FieldChange| {
            change.path.encloses(path) || before.is_null() && path.encloses(&change.path)
        };
        if self.write.changes.iter().any(ours) {
            return;
        }
        if let Value::Object(entries) = before {
            for (key, inner) in entries {
                self.moved(&path.child(key), inner, out);
            }
            return;
        }
        let now = path.get(self.answered);
        let order = if before.is_array() { self.kind.order(path) } else { ListOrder::Ordered };
        if !same(Some(before), now, order)
            && !same(path.get(self.planned), now, order)
            && !self.is_still_secret(path, now)
        {
            out.push(format!("{path} was {}, is {}", shown(Some(before)), shown(now)));
        }
    }
}

impl Seen<'_> {
    /// Of secrets that were not written nobody knows more than that they are there; of one that stands by itself not even that.
    fn is_still_secret(&self, path: &FieldPath, now: Option<&Value>) -> bool {
        self.kind.is_secret(path) && (path.depth() == 1 || now.is_some_and(redact::is_marker))
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::default_kind;
    use crate::job::RowLabel;
    use serde_json::json;
    use std::sync::Arc;

    fn object(value: &Value) -> Body {
        value.as_object().unwrap().clone()
    }

    /// A write that renames a client and sets one metadata key, of which name, metadata and callbacks were read.
    fn write() -> Write {
        let change = |path: &str, before: Value, after: Value| FieldChange {
            path: path.parse().unwrap(),
            before: Some(before),
            after: Some(after),
            order: ListOrder::Ordered,
            items: None,
        };
        Write {
            kind: Default::default(),
            create: false,
            id: "abc".into(),
            name: None,
            label: RowLabel::Row(2),
            changes: vec![
                change("name", json!("Billing"), json!("Billing EU")),
                change("client_metadata.owner", json!("web"), json!("identity")),
            ],
            body: Body::new(),
            compose: false,
            before: Arc::new(object(&json!({
                "name": "Billing", "client_metadata": {"owner": "web", "tier": "gold"}, "callbacks": ["https://a.example"],
                "addons": {"azure_sb": {"sasKey": redact::SECRET_MARKER, "namespace": "acme"}},
            }))),
            left: Vec::new(),
        }
    }

    fn answer(change: impl FnOnce(&mut Body)) -> Answer {
        let mut body = object(&json!({
            "name": "Billing EU", "client_metadata": {"owner": "identity", "tier": "gold"}, "callbacks": ["https://a.example"],
            "addons": {"azure_sb": {"sasKey": "hush", "namespace": "acme"}}, "sso": true,
        }));
        change(&mut body);
        check_answer(default_kind(), &write(), &body)
    }

    #[test]
    fn an_answer_as_planned_raises_nothing_and_unread_fields_and_secrets_are_not_compared() {
        assert_eq!(answer(|_| ()), Answer::default());
    }

    #[test]
    fn a_written_field_that_is_not_as_planned_is_named_with_both_values() {
        let found = answer(|body| drop(body.insert("name".into(), json!("Billing"))));
        assert_eq!(found.not_as_planned, [r#"name is "Billing", planned was "Billing EU""#]);
        assert!(found.changed_elsewhere.is_empty());
    }

    #[test]
    fn a_field_that_moved_though_nobody_wrote_it_is_told_apart() {
        let found = answer(|body| {
            body["client_metadata"]["tier"] = json!("silver");
            body.shift_remove("callbacks");
        });
        assert!(found.not_as_planned.is_empty());
        let moved = [
            r#"client_metadata.tier was "gold", is "silver""#,
            r#"callbacks was ["https://a.example"], is absent"#,
        ];
        assert_eq!(found.changed_elsewhere, moved);
    }

    #[test]
    fn a_secret_in_the_answer_is_never_part_of_what_is_told() {
        let mut write = write();
        write.changes[0].path = "addons".parse().unwrap();
        write.changes[0].after = None;
        let body = object(
            &json!({"addons": {"azure_sb": {"sasKey": "hush", "namespace": "acme"}}, "client_metadata": {"owner": "identity"}}),
        );
        let told = format!("{:?}", check_answer(default_kind(), &write, &body));
        assert!(told.contains("addons is") && !told.contains("hush"), "{told}");
    }

    #[test]
    fn an_object_that_was_null_and_sprang_up_by_the_write_is_no_foreign_change() {
        let mut write = write();
        write.before = Arc::new(object(&json!({"name": "Billing", "client_metadata": null})));
        let body = object(&json!({"name": "Billing EU", "client_metadata": {"owner": "identity"}}));
        assert_eq!(check_answer(default_kind(), &write, &body), Answer::default());
    }
}
