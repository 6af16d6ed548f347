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
        let listed = !one.values.is_empty() && !other.values.is_empty();
        let mut values = one.values;
        values.extend(other.values);
        let mut seen = Vec::new();
        values.retain(|value| {
            listed && !seen.contains(value) && {
                seen.push(value.clone());
                true
            }
        });
        let nullable = one.nullable || other.nullable;
        return Field {
            ty: one.ty,
            nullable,
            values,
            items: one.items.filter(|_| one.ty == FieldType::Array),
            ..Field::default()
        };
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
