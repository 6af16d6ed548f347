//! The hand-written part of a kind's catalogue: rules that each say, with their source, what the generated data lacks or has wrong.
//! Rules are laid over the data as JSON, before it becomes [`Field`](super::Field)s, so that a misspelt property is an error there.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::linked::{Link, Twin};

type Node = Map<String, Value>;

/// An overlay file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overlay {
    /// The root fields whose values tell objects apart in any tenant; the name, where nothing is said.
    #[serde(default)]
    pub(super) identity: Vec<String>,
    /// The root fields that tell a new object from those of its identity.
    #[serde(default)]
    pub(super) told_apart: Vec<String>,
    /// What the document does not say of the calls.
    #[serde(default)]
    pub(super) endpoint: Node,
    #[serde(default, rename = "rule")]
    rules: Vec<Rule>,
    #[serde(default, rename = "link")]
    pub(super) links: Vec<Link>,
    #[serde(default, rename = "twin")]
    pub(super) twins: Vec<Twin>,
}

/// Properties for one or several fields.
#[derive(Debug, Deserialize)]
struct Rule {
    /// Dotted; `*` is every known key of an object, `[]` after a key the items of the list.
    paths: Vec<String>,
    /// Where it is known from: for people who doubt it.
    #[serde(rename = "source")]
    _source: String,
    /// Whether the generated data lacks these fields. Said explicitly, so that a misspelt path makes no field.
    #[serde(default)]
    new: bool,
    /// Properties to take away.
    #[serde(default)]
    drop: Vec<String>,
    /// Properties to set, as in the generated data.
    #[serde(flatten)]
    set: Node,
}

/// A rule that does not fit the data it is laid over.
#[derive(Debug, thiserror::Error)]
pub(super) enum RuleError {
    #[error("`{0}` is not in the generated data; say `new = true` if it is missing there")]
    NoSuchField(String),
    #[error("`{0}` is in the generated data by now; take `new = true` away")]
    NotNew(String),
}

impl Overlay {
    pub(super) fn lay_over(&self, root: &mut Node) -> Result<(), RuleError> {
        for rule in &self.rules {
            for path in &rule.paths {
                let steps = steps(path);
                match (rule.visit(root, &steps), rule.new) {
                    (0, false) => return Err(RuleError::NoSuchField(path.clone())),
                    (0, true) => rule.create(root, &steps),
                    (_, true) => return Err(RuleError::NotNew(path.clone())),
                    (_, false) => (),
                }
            }
        }
        Ok(())
    }
}

/// `a.b[].c` as `a`, `b`, `[]`, `c`.
fn steps(path: &str) -> Vec<&str> {
    path.split('.')
        .flat_map(|key| key.strip_suffix("[]").map_or(vec![key], |list| vec![list, "[]"]))
        .collect()
}

impl Rule {
    /// Lays the rule over every field that the steps lead to; returns how many there were. A rule for new fields changes none.
    fn visit(&self, node: &mut Node, steps: &[&str]) -> usize {
        let Some((step, rest)) = steps.split_first() else {
            if !self.new {
                self.lay_over(node);
            }
            return 1;
        };
        if *step == "[]" {
            return node
                .get_mut("items")
                .and_then(Value::as_object_mut)
                .map_or(0, |items| self.visit(items, rest));
        }
        let fields = node.get_mut("fields").and_then(Value::as_object_mut).into_iter().flatten();
        let wanted = fields.filter(|(name, _)| *step == "*" || name == step);
        wanted.filter_map(|(_, field)| field.as_object_mut()).map(|field| self.visit(field, rest)).sum()
    }

    fn lay_over(&self, node: &mut Node) {
        for name in &self.drop {
            node.shift_remove(name);
        }
        for (name, value) in &self.set {
            node.insert(name.clone(), value.clone());
        }
    }

    fn create(&self, node: &mut Node, steps: &[&str]) {
        let Some((step, rest)) = steps.split_first() else { return self.lay_over(node) };
        let inside = if *step == "[]" {
            node.entry("items").or_insert_with(|| json!({}))
        } else {
            let fields = node.entry("fields").or_insert_with(|| json!({}));
            let Some(fields) = fields.as_object_mut() else { return };
            fields.entry(*step).or_insert_with(|| json!({}))
        };
        if let Some(inside) = inside.as_object_mut() {
            self.create(inside, rest);
        }
    }
}

/// Says how a field is emptied where no rule did: null where that is taken, `[]` for lists; what must be there stays.
pub(super) fn derive_unset(node: &mut Node, required: bool) {
    let is = |name: &str, value: &str| node.get(name).is_some_and(|found| found == value);
    let nullable = node.get("nullable").is_some_and(|flag| flag == true);
    let read_only = is("write", "never") || is("write", "create");
    let unset = if read_only || (required && !nullable) {
        Some("no")
    } else if node.contains_key("unset") {
        None
    } else if nullable {
        Some("null")
    } else if is("type", "array") && !node.contains_key("min_items") {
        Some("empty_list")
    } else {
        None
    };
    if let Some(unset) = unset {
        node.insert("unset".to_owned(), json!(unset));
    }
    let required: Vec<Value> = node.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, field) in node.get_mut("fields").and_then(Value::as_object_mut).into_iter().flatten() {
        if let Some(field) = field.as_object_mut() {
            derive_unset(field, required.iter().any(|key| key == name));
        }
    }
}
