//! Reads schemas of an OpenAPI 3.1 document as fields of the catalogue. A keyword it does not know is an error:
//! a limit that silently went missing would be found by the server, in the middle of a run.

use patchwave::catalogue::{Field, FieldType};
use serde_json::{Map, Value};

use crate::union;

/// Deeper than any schema goes that does not contain itself.
const MAX_DEPTH: usize = 24;

/// Keywords that say nothing a write depends on.
const IGNORED: [&str; 8] =
    ["description", "title", "example", "examples", "$ref", "x-release-lifecycle", "deprecated", "readOnly"];

/// An OpenAPI document, with its references resolved on the way.
pub(crate) struct Document<'d>(&'d Value);

impl<'d> Document<'d> {
    pub(crate) fn new(document: &'d Value) -> Self {
        Self(document)
    }

    /// The schema of a request body, or of the answer with that status.
    pub(crate) fn body(&self, path: &str, verb: &str, answer: Option<&str>) -> Result<&'d Value, String> {
        let holder = self.call(path, verb).and_then(|call| match answer {
            Some(status) => call.get("responses")?.get(status),
            None => call.get("requestBody"),
        });
        holder
            .and_then(|holder| holder.get("content")?.get("application/json")?.get("schema"))
            .ok_or_else(|| format!("the document has no JSON schema for {verb} {path}"))
    }

    /// The names of a call's query parameters.
    pub(crate) fn parameters(&self, path: &str, verb: &str) -> Result<Vec<String>, String> {
        let call = self.call(path, verb).ok_or_else(|| format!("the document has no {verb} {path}"))?;
        let listed = call.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let named = listed.iter().map(|parameter| {
            let (parameter, _) = self.resolve(parameter, path)?;
            Ok(parameter.get("name").and_then(Value::as_str).unwrap_or_default().to_owned())
        });
        named.collect()
    }

    /// The scopes any of which a call needs.
    pub(crate) fn scopes(&self, path: &str, verb: &str) -> Vec<String> {
        let ways = self.call(path, verb).and_then(|call| call.get("security")?.as_array());
        let lists = ways.into_iter().flatten().filter_map(Value::as_object).flat_map(Map::values);
        let scopes = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        scopes.map(str::to_owned).collect()
    }

    /// The key that holds the items where a list answers an object.
    pub(crate) fn collection(&self, path: &str) -> Result<Option<String>, String> {
        let (schema, _) = self.resolve(self.body(path, "get", Some("200"))?, path)?;
        let forms = alternatives(schema).map(|forms| forms.iter().collect::<Vec<_>>());
        let forms = match &forms {
            Some(forms) => {
                forms.iter().map(|form| self.resolve(form, path)).collect::<Result<Vec<_>, _>>()?
            }
            None => vec![(schema, false)],
        };
        let lists = forms.into_iter().filter_map(|(form, _)| form.get("properties")?.as_object());
        let mut keys = lists.flatten().filter(|(_, schema)| {
            self.resolve(schema, path)
                .is_ok_and(|(schema, _)| schema.get("type").is_some_and(|ty| ty == "array"))
        });
        Ok(keys.next().map(|(key, _)| key.clone()))
    }

    fn call(&self, path: &str, verb: &str) -> Option<&'d Value> {
        self.0.get("paths")?.get(path)?.get(verb)
    }

    /// The object that a schema describes: of several alternatives what any of them has. Of the root fields that are `loose`
    /// only that they are objects is said.
    pub(crate) fn object(&self, schema: &'d Value, place: &str, loose: &[&str]) -> Result<Field, String> {
        let (root, _) = self.resolve(schema, place)?;
        let forms = alternatives(root).map_or_else(|| vec![schema], |forms| forms.iter().collect());
        let mut objects = Vec::new();
        for form in forms {
            let (form, _) = self.resolve(form, place)?;
            let mut object = Field { ty: FieldType::Object, ..Field::default() };
            let properties = form.get("properties").and_then(Value::as_object);
            for (name, schema) in properties.into_iter().flatten() {
                let field = if loose.contains(&name.as_str()) {
                    Field { ty: FieldType::Object, open: true, ..Field::default() }
                } else {
                    self.field(schema, &format!("{place}.{name}"))?
                };
                object.fields.insert(name.clone(), field);
            }
            let required = form.get("required").and_then(Value::as_array).into_iter().flatten();
            object.required = required.filter_map(Value::as_str).map(str::to_owned).collect();
            objects.push(object);
        }
        Ok(union::of(objects))
    }

    /// The field that a schema describes; `place` names it in errors.
    pub(crate) fn field(&self, schema: &'d Value, place: &str) -> Result<Field, String> {
        self.field_at(schema, place, 0)
    }

    fn field_at(&self, schema: &'d Value, place: &str, depth: usize) -> Result<Field, String> {
        if depth > MAX_DEPTH {
            return Err(format!("{place}: the schema contains itself"));
        }
        let (schema, deprecated) = self.resolve(schema, place)?;
        let mut field = match alternatives(schema) {
            Some(alternatives) => self.one_of(alternatives, place, depth)?,
            None => self.plain(schema, place, depth)?,
        };
        field.deprecated |= deprecated;
        Ok(field)
    }

    /// Follows references; a mark beside one of them counts.
    fn resolve(&self, schema: &'d Value, place: &str) -> Result<(&'d Map<String, Value>, bool), String> {
        let mut at = schema;
        let mut deprecated = false;
        for _ in 0..MAX_DEPTH {
            let map = at.as_object().ok_or_else(|| format!("{place}: the schema is no object"))?;
            deprecated |= map.get("x-release-lifecycle").is_some_and(|stage| stage == "deprecated");
            deprecated |= map.get("deprecated").is_some_and(|flag| flag == true);
            let Some(reference) = map.get("$ref").and_then(Value::as_str) else {
                return Ok((map, deprecated));
            };
            let pointer = reference.strip_prefix('#').unwrap_or(reference);
            at = self.0.pointer(pointer).ok_or_else(|| format!("{place}: {reference} leads nowhere"))?;
        }
        Err(format!("{place}: the reference contains itself"))
    }

    /// Alternatives of one type are that type with every format, objects one object; of several types, they are listed.
    fn one_of(&self, alternatives: &'d [Value], place: &str, depth: usize) -> Result<Field, String> {
        let is_null = |schema: &&Value| schema.get("type").is_some_and(|ty| ty == "null");
        let nullable = alternatives.iter().any(|schema| is_null(&schema));
        let mut fields = Vec::new();
        for schema in alternatives.iter().filter(|schema| !is_null(schema)) {
            fields.push(self.field_at(schema, place, depth + 1)?);
        }
        let formats: Vec<String> = fields.iter().filter_map(|field| field.format.clone()).collect();
        let bare = |field: &Field| Field { format: None, ..field.clone() };
        let alike = fields.windows(2).all(|pair| bare(&pair[0]) == bare(&pair[1]));
        let objects = fields.iter().all(|field| field.ty == FieldType::Object);
        let mut field = match fields.first() {
            Some(first) if alike => bare(first),
            Some(_) if objects => union::of(fields.clone()),
            _ => Field { one_of: fields.clone(), ..Field::default() },
        };
        if alike && formats.len() == fields.len() && !formats.is_empty() {
            field.format = Some(formats.join("|"));
        }
        field.nullable |= nullable;
        Ok(field)
    }

    fn plain(&self, schema: &'d Map<String, Value>, place: &str, depth: usize) -> Result<Field, String> {
        let mut field = Field::default();
        for (keyword, value) in schema {
            let wrong = || format!("{place}: `{keyword}` is {value}, which is not understood");
            match keyword.as_str() {
                "type" => (field.ty, field.nullable) = types(value).ok_or_else(wrong)?,
                "properties" => {
                    for (name, schema) in value.as_object().ok_or_else(wrong)? {
                        let inner = self.field_at(schema, &format!("{place}.{name}"), depth + 1)?;
                        field.fields.insert(name.clone(), inner);
                    }
                }
                "items" => {
                    field.items = Some(Box::new(self.field_at(value, &format!("{place}[]"), depth + 1)?));
                }
                "additionalProperties" if value.is_object() => {
                    field.items = Some(Box::new(self.field_at(value, &format!("{place}.*"), depth + 1)?));
                }
                other => limit(&mut field, other, value).ok_or_else(wrong)?,
            }
        }
        let closed = schema.get("additionalProperties").is_some_and(|extra| extra == false);
        field.open = field.ty == FieldType::Object && !closed;
        Ok(field)
    }
}

fn alternatives(schema: &Map<String, Value>) -> Option<&[Value]> {
    let value = schema.get("oneOf").or_else(|| schema.get("anyOf"))?;
    value.as_array().map(Vec::as_slice)
}

fn types(value: &Value) -> Option<(FieldType, bool)> {
    let names: Vec<&str> = match value {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(Value::as_str).collect::<Option<_>>()?,
        _ => return None,
    };
    let real: Vec<&str> = names.iter().copied().filter(|name| *name != "null").collect();
    let ty = match real.as_slice() {
        ["string"] => FieldType::String,
        ["integer"] => FieldType::Integer,
        ["number"] => FieldType::Number,
        ["boolean"] => FieldType::Boolean,
        ["object"] => FieldType::Object,
        ["array"] => FieldType::Array,
        [_, _, ..] => FieldType::Any,
        _ => return None,
    };
    Some((ty, real.len() < names.len()))
}

/// Takes a keyword that limits the value; `None` where it, or its value, is not understood.
fn limit(field: &mut Field, keyword: &str, value: &Value) -> Option<()> {
    match keyword {
        "enum" => {
            let listed = value.as_array()?.iter().filter(|value| !value.is_null());
            field.values = listed.map(|value| value.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        }
        "required" => {
            let names = value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned));
            field.required = names.collect::<Option<_>>()?;
        }
        "pattern" => field.pattern = Some(value.as_str()?.to_owned()),
        "format" => field.format = Some(value.as_str()?.to_owned()),
        "minLength" => field.min_length = Some(value.as_u64()?),
        "maxLength" => field.max_length = Some(value.as_u64()?),
        "minimum" => field.minimum = Some(value.as_i64()?),
        "maximum" => field.maximum = Some(value.as_i64()?),
        "minItems" => field.min_items = Some(value.as_u64()?).filter(|least| *least > 0),
        "maxItems" => field.max_items = Some(value.as_u64()?),
        "uniqueItems" => field.unique_items = value.as_bool()?,
        "minProperties" => field.min_properties = Some(value.as_u64()?).filter(|least| *least > 0),
        "maxProperties" => field.max_properties = Some(value.as_u64()?),
        "additionalProperties" => drop(value.as_bool()?),
        "default" => field.default = Some(value.clone()).filter(|value| !value.is_null()),
        ignored if IGNORED.contains(&ignored) => (),
        _ => return None,
    }
    Some(())
}
