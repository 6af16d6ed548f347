//! Lists that belong to an object and are kept behind endpoints of their own: read, added to, taken from and changed. They are
//! stored in the field that shows them.

mod items;

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::super::call::Part;
use super::super::list_form::ListForm;
use super::super::query::ListQuery;
use super::super::reply::{Refusal, Reply};
use super::super::store::{From, Span, Stored, lock};
use super::super::target::calls;
use super::super::validate::check_value;
use super::{Asked, Objects, Shelf};
use crate::model::endpoint::{Association, Call, Shape};
use crate::model::{Body, Verb};
pub(super) use items::field_of;
use items::{body_field, held, is_same, item_field, keys_of, put};

/// What a call does with its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Add,
    Remove,
    Change,
}

impl Objects {
    /// A page of the items.
    pub(super) fn list_items(
        &self,
        shelf: &Shelf,
        association: &'static Association,
        asked: &Asked<'_>,
    ) -> Result<Reply, Refusal> {
        let query = ListQuery::read_as(asked.query, &ListForm::below(association))?;
        let items = held(&shelf.find(&asked.route.id)?.read().body(), association);
        let (from, count) = query.span();
        let start = match from {
            From::Offset(offset) => offset,
            From::Place(place) => place.and_then(|place| usize::try_from(place).ok()).unwrap_or_default(),
        };
        let start = start.min(items.len());
        let end = start.saturating_add(count).min(items.len());
        let next = (end < items.len()).then_some(end as u64);
        let shown = items[start..end].iter().map(|item| self.shown(item)).collect();
        let url = format!(
            "{}{}",
            self.base,
            asked.route.target.path(&asked.route.id, "").trim_start_matches("/api/v2")
        );
        Ok(query.answer(Span { total: items.len(), next }, shown, &url))
    }

    /// One item.
    pub(super) fn one_item(
        &self,
        shelf: &Shelf,
        association: &Association,
        asked: &Asked<'_>,
    ) -> Result<Reply, Refusal> {
        let items = held(&shelf.find(&asked.route.id)?.read().body(), association);
        let wanted = keys_of(association, &asked.route.item);
        let found = items.iter().find(|item| is_same(association, item, &wanted));
        found.map(|item| Reply::json(200, &self.shown(item))).ok_or_else(no_such_item)
    }

    /// Adds, takes out or changes items, all or none of those sent.
    pub(super) fn write_items(
        &self,
        shelf: &Shelf,
        association: &Association,
        asked: &Asked<'_>,
    ) -> Result<Reply, Refusal> {
        let at_item = matches!(asked.route.target.part, Part::Item(_));
        let verb = asked.route.target.verb;
        let meant = calls(association).find(|call| call.verb == verb && call.at_item == at_item);
        let call = meant.ok_or_else(|| Refusal::new(404, "Not Found"))?;
        let sent = items_sent(shelf, association, call, asked)?;
        let slot = shelf.find(&asked.route.id)?;
        let _writing = lock(&self.writing);
        let mut object = slot.read().body();
        let before = held(&object, association);
        let mut after = before.clone();
        let mut last = Value::Null;
        for item in &sent {
            let deed = deed(association, verb, at_item, item);
            if deed == Deed::Add {
                self.check_item(shelf, association, item, &before)?;
            }
            last = apply(shelf, association, call, deed, item, &mut after)?;
        }
        if after == before {
            self.idle.fetch_add(1, Ordering::Relaxed);
        }
        put(&mut object, association, after);
        *slot.hold() = Stored::new(&object);
        Ok(match (verb, call.body) {
            (Verb::Delete, Shape::None) | (Verb::Patch, Shape::List) => Reply::new(204, ""),
            (Verb::Post, Shape::Item) => Reply::json(201, &self.shown(&last)),
            (_, Shape::Item) => Reply::json(200, &self.shown(&last)),
            (Verb::Post, _) => Reply::json(201, &json!({})),
            _ => Reply::json(200, &json!({})),
        })
    }

    /// The connections of a new organization.
    pub(super) fn connections_of(&self, shelf: &Shelf, items: &[Value]) -> Result<Vec<Value>, Refusal> {
        let Some(association) = shelf.kind.endpoint.associations.first() else { return Ok(Vec::new()) };
        let mut list = Vec::new();
        for item in items {
            self.check_item(shelf, association, item, &[])?;
            apply(shelf, association, &association.add, Deed::Add, item, &mut list)?;
        }
        Ok(list)
    }
}

/// The items that a body holds, each an object with its keys.
fn items_sent(
    shelf: &Shelf,
    association: &Association,
    call: &Call,
    asked: &Asked<'_>,
) -> Result<Vec<Value>, Refusal> {
    let item = keys_of(association, &asked.route.item);
    if call.body == Shape::None {
        return Ok(vec![item]);
    }
    let body: Value = serde_json::from_slice(asked.body).map_err(|_| Refusal::unreadable())?;
    check_value(&body_field(call, association, item_field(shelf.kind, association, call)), &body)?;
    let listed = match &call.key {
        Some(key) => body.get(key).cloned().unwrap_or_default(),
        None => body,
    };
    match listed {
        Value::Array(items) => Ok(items),
        Value::Object(mut one) if call.at_item => {
            one.extend(item.as_object().cloned().unwrap_or_default());
            Ok(vec![one.into()])
        }
        one => Ok(vec![one]),
    }
}

/// What is done with an item: of calls that are alike otherwise, its marks tell.
fn deed(association: &Association, verb: Verb, at_item: bool, item: &Value) -> Deed {
    let is = |call: &Call| {
        call.verb == verb
            && call.at_item == at_item
            && call.mark.iter().all(|(key, value)| item.get(key) == Some(value))
    };
    match (is(&association.add), is(&association.remove)) {
        (true, _) => Deed::Add,
        (false, true) => Deed::Remove,
        (false, false) => Deed::Change,
    }
}

/// Carries a deed out on a list, and tells what the item is then.
fn apply(
    shelf: &Shelf,
    association: &Association,
    call: &Call,
    deed: Deed,
    item: &Value,
    list: &mut Vec<Value>,
) -> Result<Value, Refusal> {
    let at = list.iter().position(|held| is_same(association, held, item));
    match (deed, at) {
        // One at a time is refused where it is there already; of many, those are passed over.
        (Deed::Add, Some(_)) if call.body == Shape::Item => Err(Refusal::new(409, "It is there already.")),
        (Deed::Add, Some(at)) => Ok(list[at].clone()),
        (Deed::Add, None) => {
            let new = items::new(shelf.kind, association, item);
            list.push(new.clone());
            Ok(new)
        }
        (Deed::Remove, Some(at)) => Ok(list.remove(at)),
        (Deed::Remove, None) => Ok(item.clone()),
        (Deed::Change, Some(at)) => {
            for attribute in &association.attributes {
                if let Some(value) = item.get(attribute) {
                    list[at][attribute] = value.clone();
                }
            }
            Ok(list[at].clone())
        }
        (Deed::Change, None) => Err(no_such_item()),
    }
}

fn no_such_item() -> Refusal {
    Refusal::new(404, "It is not there.")
}

/// A body as an object; an empty one for what is none.
fn object(value: &Value) -> Body {
    value.as_object().cloned().unwrap_or_default()
}
