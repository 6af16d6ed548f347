//! One field that takes what any of several alternatives takes. Which keys go together, the server is left to judge.

use patchwave::catalogue::{Field, FieldType};

/// The union of alternatives: every key of any, required where all of them require it.
pub(crate) fn of(alternatives: Vec<Field>) -> Field {
    alternatives.into_iter().reduce(both).unwrap_or_default()
}

fn both(one: Field, other: Field) -> Field {
    if one == other {
        return one;
    }
    if one.ty != other.ty {
        return Field { nullable: one.nullable || other.nullable, ..Field::default() };
    }
    if one.ty != FieldType::Object {
        // Limits that differ are those of one alternative alone.
        let nullable = one.nullable || other.nullable;
        return Field { ty: one.ty, nullable, values: listed(one.values, other.values), ..Field::default() };
    }
    let mut union = one;
    union.open |= other.open;
    union.nullable |= other.nullable;
    union.required.retain(|name| other.required.contains(name));
    for (name, field) in other.fields {
        let field = match union.fields.shift_remove(&name) {
            Some(known) => both(known, field),
            None => field,
        };
        union.fields.insert(name, field);
    }
    union
}

fn listed(mut one: Vec<String>, other: Vec<String>) -> Vec<String> {
    if one.is_empty() || other.is_empty() {
        return Vec::new();
    }
    for value in other {
        if !one.contains(&value) {
            one.push(value);
        }
    }
    one
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn union(alternatives: Value) -> Value {
        let fields: Vec<Field> = serde_json::from_value(alternatives).unwrap();
        serde_json::to_value(of(fields)).unwrap()
    }

    #[test]
    fn a_union_has_every_key_and_requires_what_all_require() {
        let http = json!({"type": "object", "required": ["name", "url"], "fields": {
            "name": {"type": "string", "max_length": 3}, "url": {"type": "string", "pattern": "^https"},
            "type": {"type": "string", "enum": ["http"]},
        }});
        let token = json!({"type": "object", "required": ["name"], "fields": {
            "name": {"type": "string", "max_length": 5}, "type": {"type": "string", "enum": ["http", "token"]},
            "url": {"type": "integer"},
        }});
        assert_eq!(
            union(json!([http, token])),
            json!({"type": "object", "required": ["name"], "fields": {
                "name": {"type": "string"}, "type": {"type": "string", "enum": ["http", "token"]}, "url": {"type": "any"},
            }})
        );
        assert_eq!(union(json!([http])), http);
    }

    #[test]
    fn a_list_of_values_holds_only_where_every_alternative_has_one() {
        let alternatives = json!([{"type": "string", "enum": ["a"]}, {"type": "string", "nullable": true}]);
        assert_eq!(union(alternatives), json!({"type": "string", "nullable": true}));
    }
}
