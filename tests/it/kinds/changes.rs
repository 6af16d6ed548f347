//! Changes that can be made to an object, derived from the catalogue and from what the tenant holds.

use std::cell::Cell;
use std::collections::BTreeSet;

use patchwave::catalogue::{Field, FieldType, Kind, Unset, linked, patch, validate};
use patchwave::model::{Association, Body, FieldPath};
use serde_json::{Value, json};

use super::values::{another, is_open, key, text, toml};

/// Fields that the service refuses to change in one request: the catalogue has no word for it (see users.toml).
const ONE_AT_A_TIME: [(&str, &[&str]); 1] = [("users", &["email", "phone_number", "username"])];

/// Fields below one that are changed of an object.
const SOME: usize = 3;

/// One thing to do to an object.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) path: FieldPath,
    /// What the field holds then; nothing, where it is emptied.
    pub(super) after: Option<Value>,
    /// The line of a job that says so.
    pub(super) line: String,
    /// What is done, in a word.
    word: &'static str,
}

/// Changes that are made together or not at all: keys that an object must have come together.
pub(super) type Step = Vec<Change>;

impl Change {
    fn set(path: FieldPath, value: Value) -> Self {
        let line = format!("set.{} = {}", key(&path), toml(&value));
        Self { path, after: Some(value), line, word: "set" }
    }

    fn unset(path: FieldPath) -> Self {
        let line = format!("unset = [{}]", json!(path.to_string()));
        Self { path, after: None, line, word: "unset" }
    }

    fn item(word: &'static str, path: FieldPath, item: &Value, after: Value) -> Self {
        let line = format!("{word}.{} = [{}]", key(&path), toml(item));
        Self { path, after: Some(after), line, word }
    }

    /// What is done to which root field, whatever the value.
    pub(super) fn what(&self) -> (&'static str, String) {
        (self.word, self.path.root().to_owned())
    }

    fn pair(&self) -> (FieldPath, Option<Value>) {
        (self.path.clone(), self.after.clone())
    }
}

/// Makes up changes; no value is made twice.
pub(super) struct Inventor<'t> {
    kind: &'static Kind,
    /// All objects of the kind: what belongs to one may belong to another.
    objects: &'t [Body],
    number: Cell<usize>,
}

impl<'t> Inventor<'t> {
    pub(super) fn new(kind: &'static Kind, objects: &'t [Body], first: usize) -> Self {
        Self { kind, objects, number: Cell::new(first) }
    }

    fn number(&self) -> usize {
        self.number.set(self.number.get() + 1);
        self.number.get()
    }

    /// Everything that can be done to an object, each by itself.
    pub(super) fn steps(&self, body: &Body) -> Vec<Step> {
        let mut steps = Vec::new();
        for (name, field) in &self.kind.root().fields {
            let path = FieldPath::root_field(name);
            match self.kind.endpoint.association(name) {
                Some(association) => {
                    steps.extend(self.belonging(association, body).map(|change| vec![change]));
                }
                None => self.walk(&path, field, body, &mut steps),
            }
        }
        steps.retain(|step| self.is_possible(step, body));
        steps
    }

    /// Steps that can be made together, up to so many; first those that were not made to another object.
    pub(super) fn together(
        &self,
        body: &Body,
        most: usize,
        done: &mut BTreeSet<(&'static str, String)>,
    ) -> Step {
        let is_new = |step: &Step| step.iter().any(|change| !done.contains(&change.what()));
        let (new, old): (Vec<Step>, Vec<Step>) = self.steps(body).into_iter().partition(is_new);
        let mut taken = Step::new();
        let mut count = 0;
        for step in new.iter().chain(&old) {
            let both: Step = taken.iter().chain(step).cloned().collect();
            if count < most && are_apart(self.kind, &taken, step) && self.is_possible(&both, body) {
                taken = both;
                count += 1;
            }
        }
        done.extend(taken.iter().map(Change::what));
        taken
    }

    fn walk(&self, path: &FieldPath, field: &Field, body: &Body, steps: &mut Vec<Step>) {
        if !is_open(field) {
            return;
        }
        let now = path.get(body).filter(|value| !value.is_null());
        if field.ty != FieldType::Object {
            steps.extend(self.plain(path, field, now));
            return;
        }
        match now {
            Some(_) => {
                // Some of many, others in each object.
                let (first, all) = (self.number(), field.fields.len());
                for (name, inner) in field.fields.iter().cycle().skip(first % all.max(1)).take(all.min(SOME))
                {
                    self.walk(&path.child(name), inner, body, steps);
                }
            }
            // Absent, it comes with all that it must have.
            None if !field.required.is_empty() => {
                let made = another(self.kind, path, field, None, self.number());
                let parts = made.as_ref().and_then(Value::as_object);
                let parts = parts.into_iter().flatten();
                steps.push(parts.map(|(name, value)| Change::set(path.child(name), value.clone())).collect());
            }
            None => {
                if let Some((name, inner)) = field.fields.iter().find(|(_, inner)| is_open(inner)) {
                    self.walk(&path.child(name), inner, body, steps);
                }
            }
        }
        if field.open {
            let new = path.child(&format!("made_{}", self.number()));
            steps.push(vec![Change::set(new, json!(format!("Made up {}", self.number())))]);
            let held = now.and_then(Value::as_object).into_iter().flatten();
            let mut of_text =
                held.filter(|(name, value)| value.is_string() && !field.fields.contains_key(*name));
            if let Some((name, _)) = of_text.clone().next() {
                steps.push(vec![Change::set(path.child(name), json!(format!("Other {}", self.number())))]);
            }
            steps.extend(of_text.next_back().map(|(name, _)| vec![Change::unset(path.child(name))]));
        }
    }

    fn plain(&self, path: &FieldPath, field: &Field, now: Option<&Value>) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(value) = another(self.kind, path, field, now, self.number()) {
            let held = now.and_then(Value::as_array).map_or(0, Vec::len);
            let longer =
                value.as_array().filter(|items| items.len() == held + 1).and_then(|items| items.last());
            steps.push(vec![match longer.cloned() {
                Some(new) if held > 0 => Change::item("add", path.clone(), &new, value),
                _ => Change::set(path.clone(), value),
            }]);
        }
        let first =
            now.and_then(Value::as_array).filter(|items| items.len() > 1).and_then(|items| items.first());
        if let (Some(first), Some(items)) = (first, now.and_then(Value::as_array)) {
            steps.push(vec![Change::item("remove", path.clone(), first, json!(items[1..]))]);
        }
        if now.is_some() && field.unset != Unset::No && !self.kind.is_empty(path, now) {
            steps.push(vec![Change::unset(path.clone())]);
        }
        steps
    }

    /// What belongs to an object and has an endpoint of its own: an item of another object comes, one goes, and one is changed.
    fn belonging<'a>(&'a self, of: &'a Association, body: &Body) -> impl Iterator<Item = Change> + use<'a> {
        let path = FieldPath::root_field(&of.field);
        let list = |body: &Body| body.get(&of.field).and_then(Value::as_array).cloned().unwrap_or_default();
        let held = list(body);
        let is_same = |a: &Value, b: &Value| {
            if of.plain { a == b } else { of.keys.iter().all(|key| a.get(key) == b.get(key)) }
        };
        let new =
            self.objects.iter().flat_map(list).find(|item| !held.iter().any(|held| is_same(held, item)));
        let mut changes = Vec::new();
        if let Some(new) = new {
            let after = held.iter().chain([&new]).cloned().collect();
            changes.push(Change::item("add", path.clone(), &new, after));
            changes.push(Change::set(path.clone(), json!([new])));
        }
        if let Some(first) = held.first() {
            changes.push(Change::item("remove", path.clone(), first, json!(held[1..])));
            let attribute =
                of.attributes.iter().find(|name| first.get(name.as_str()).is_some_and(Value::is_boolean));
            if let Some(name) = attribute {
                let mut other = held.clone();
                other[0][name] = json!(first[name] == json!(false));
                changes.push(Change { word: "change", ..Change::set(path, other.into()) });
            }
        }
        changes.into_iter()
    }

    /// Whether nothing of the catalogue stands against it, and nothing else moves along.
    fn is_possible(&self, step: &Step, body: &Body) -> bool {
        let pairs: Vec<_> = step.iter().map(Change::pair).collect();
        let judged = |(path, after): &(FieldPath, Option<Value>)| match after {
            Some(value) => validate::value(self.kind, path, value).is_empty(),
            None => validate::unset(self.kind, path).is_none(),
        };
        let after = patch::predict(self.kind, body, &pairs);
        let whole = |(path, _): &(FieldPath, Option<Value>)| {
            let root = FieldPath::root_field(path.root());
            root.get(&after).is_none_or(|value| validate::object_after(self.kind, &root, value).is_empty())
        };
        !pairs.is_empty()
            && pairs.iter().all(judged)
            && pairs.iter().all(whole)
            && linked::faults(self.kind, body, &pairs).is_empty()
            && linked::moved_along(self.kind, body, &pairs).is_empty()
            && validate::together(self.kind, &pairs).is_empty()
    }
}

/// Whether no two changes are about one place, or about fields that go one at a time.
fn are_apart(kind: &Kind, taken: &Step, step: &Step) -> bool {
    let alone =
        ONE_AT_A_TIME.iter().find(|(name, _)| kind.name == **name).map_or(&[][..], |(_, fields)| fields);
    let is_alone = |change: &Change| alone.contains(&change.path.root());
    !step.iter().any(|new| {
        taken.iter().any(|old| {
            old.path.encloses(&new.path) || new.path.encloses(&old.path) || is_alone(old) && is_alone(new)
        })
    })
}

/// The lines of an update that makes these changes.
pub(super) fn lines(step: &Step) -> String {
    // There is one `unset` in an update.
    let (gone, rest): (Vec<&Change>, Vec<&Change>) = step.iter().partition(|change| change.after.is_none());
    let gone: Vec<String> = gone.iter().map(|change| json!(change.path.to_string()).to_string()).collect();
    let mut lines: Vec<String> = rest.iter().map(|change| change.line.clone()).collect();
    if !gone.is_empty() {
        lines.push(format!("unset = [{}]", gone.join(", ")));
    }
    lines.join("\n")
}

/// Whom an update is about: by what tells the object from all others, where that stays, else by its id.
pub(super) fn selector(kind: &Kind, body: &Body, step: &Step, by_name: bool) -> String {
    let stays = |field: &String| {
        !text(body, field).is_empty() && !step.iter().any(|change| change.path.root() == field)
    };
    if by_name && kind.identity.iter().all(stays) {
        let pairs = kind.identity.iter().map(|field| format!("{field} = {}", json!(text(body, field))));
        return format!("match = {{ {} }}", pairs.collect::<Vec<_>>().join(", "));
    }
    let id = &kind.endpoint.id_field;
    format!("{id} = {}", json!(text(body, id)))
}
