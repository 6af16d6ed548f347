//! Lists that belong to an object and are kept behind endpoints of their own: reading them, and adding and taking out items.
//! What they hold is shown as a field of the object. Pure but for the requests.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::model::endpoint::{Call, Shape};
use crate::model::{Association, Body, Endpoint, EntityId};

use super::error::ApiError;
use super::read::Reader;

/// Pages of one such list, at the most: a list that goes on longer is taken for one that never ends.
const MOST_PAGES: usize = 1000;

impl Reader {
    /// The items of an association of one object, as its field shows them.
    ///
    /// # Errors
    /// Where a request fails.
    pub async fn associated(
        &self,
        endpoint: &Endpoint,
        association: &Association,
        id: &EntityId,
    ) -> Result<Vec<Value>, ApiError> {
        let mut items = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next: Option<String> = None;
        for page in 0..MOST_PAGES {
            let parameters = parameters(association, page, next.as_deref());
            let read = |body: &[u8]| read(body, association);
            let page = self.association_page(endpoint, association, id, &parameters, &read).await?;
            let before = seen.len();
            items.extend(page.items.into_iter().filter(|item| seen.insert(item.to_string())));
            next = page.next;
            let whole = match page.total {
                Some(total) => items.len() >= total,
                None => next.is_none() && (!association.paging.numbers || association.paging.checkpoints),
            };
            if whole || seen.len() == before {
                break;
            }
        }
        Ok(items)
    }
}

struct Page {
    items: Vec<Value>,
    total: Option<usize>,
    next: Option<String>,
}

fn parameters(association: &Association, page: usize, next: Option<&str>) -> Vec<(String, String)> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let size = "100";
    if association.paging.checkpoints {
        let from = next.map(|next| pair("from", next));
        return from.into_iter().chain([pair("take", size)]).collect();
    }
    let mut parameters = Vec::new();
    if association.paging.numbers {
        parameters.extend([pair("page", &page.to_string()), pair("per_page", size)]);
    }
    if association.paging.totals {
        parameters.push(pair("include_totals", "true"));
    }
    parameters
}

/// A page as it was answered: a list, or an object that holds one.
fn read(body: &[u8], association: &Association) -> Result<Page, String> {
    let value: Value = serde_json::from_slice(body).map_err(|_| "it is no list".to_owned())?;
    let (items, total, next) = match value {
        Value::Array(items) => (items, None, None),
        Value::Object(mut object) => {
            let Some(Value::Array(items)) = object.remove(&association.collection) else {
                return Err(format!("a list without `{}`", association.collection));
            };
            let total =
                object.get("total").and_then(Value::as_u64).and_then(|total| usize::try_from(total).ok());
            let next = object.get("next").and_then(Value::as_str).filter(|next| !next.is_empty());
            (items, total, next.map(str::to_owned))
        }
        _ => return Err("it is no list".to_owned()),
    };
    let items = items.iter().map(|item| shown(association, item)).collect::<Result<_, _>>()?;
    Ok(Page { items, total, next })
}

/// An item as the field shows it.
fn shown(association: &Association, item: &Value) -> Result<Value, String> {
    let key = |key: &String| {
        let value = item.get(key).filter(|value| !value.is_null());
        value.cloned().ok_or_else(|| format!("an item without `{key}`"))
    };
    if let (true, Some(only)) = (association.plain, association.keys.first()) {
        return key(only);
    }
    let mut shown = Map::new();
    for name in &association.keys {
        shown.insert(name.clone(), key(name)?);
    }
    for name in &association.attributes {
        if let Some(value) = item.get(name).filter(|value| !value.is_null()) {
            shown.insert(name.clone(), value.clone());
        }
    }
    Ok(Value::Object(shown))
}

/// One request that brings an association nearer to what is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct AssociationCall<'a> {
    /// The method, the path below the object and the form of the body.
    pub call: &'a Call,
    /// The last part of the path, where it names an item.
    pub item: Option<String>,
    /// What is sent; nothing, where there is no body.
    pub body: Option<Value>,
}

/// The requests that make these items of those that are there, in the order in which they are sent: what goes first, so that
/// a full list has room for what comes.
pub fn calls<'a>(association: &'a Association, now: &[Value], wanted: &[Value]) -> Vec<AssociationCall<'a>> {
    let held = |list: &[Value], item: &Value| list.iter().any(|other| association.is_same(other, item));
    let changed = |item: &&Value| {
        association.change.is_some() && held(now, item) && !now.iter().any(|other| *other == **item)
    };
    let gone: Vec<&Value> = now.iter().filter(|item| !held(wanted, item)).collect();
    let new: Vec<&Value> = wanted.iter().filter(|item| !held(now, item)).collect();
    let other: Vec<&Value> = wanted.iter().filter(changed).collect();
    let mut calls = batches(association, &association.remove, &gone);
    calls.extend(batches(association, &association.add, &new));
    if let Some(change) = &association.change {
        calls.extend(batches(association, change, &other));
    }
    calls
}

/// Whether a list is what some of the calls from one to another leave, in whatever order they were carried out.
pub fn is_half_way(association: &Association, from: &[Value], to: &[Value], now: &[Value]) -> bool {
    let held = |list: &[Value], item: &Value| list.iter().any(|other| association.is_same(other, item));
    let known = |item: &Value| from.contains(item) || to.contains(item);
    let mut stays = from.iter().filter(|item| held(to, item));
    now.iter().all(known) && stays.all(|item| held(now, item))
}

fn batches<'a>(association: &Association, call: &'a Call, items: &[&Value]) -> Vec<AssociationCall<'a>> {
    let size = if call.body == Shape::List { association.batch.max(1) } else { 1 };
    let one = |items: &[&Value]| {
        let objects: Vec<Body> = items.iter().map(|item| sent(association, call, item)).collect();
        let item = items.first().filter(|_| call.at_item).map(|item| key_of(association, item));
        let body = match (call.body, &call.key) {
            (Shape::None, _) => None,
            (Shape::Item, _) => objects.into_iter().next().map(Value::Object),
            (Shape::List, None) => Some(objects.into_iter().map(Value::Object).collect()),
            (Shape::List, Some(key)) => {
                let list: Value = objects.into_iter().map(Value::Object).collect();
                Some(Value::Object(Map::from_iter([(key.clone(), list)])))
            }
        };
        AssociationCall { call, item, body }
    };
    items.chunks(size).map(one).collect()
}

/// An item as it is sent: with its keys, unless the path has them, and with its attributes, unless it is taken out.
fn sent(association: &Association, call: &Call, item: &Value) -> Body {
    let mut body = Body::new();
    if let (true, Some(key)) = (association.plain, association.keys.first()) {
        body.insert(key.clone(), item.clone());
    } else {
        let named = |name: &String| Some((name.clone(), item.get(name)?.clone()));
        if !call.at_item {
            body.extend(association.keys.iter().filter_map(named));
        }
        if call.body == Shape::Item {
            body.extend(association.attributes.iter().filter_map(named));
        }
    }
    body.extend(call.mark.clone());
    body
}

fn key_of(association: &Association, item: &Value) -> String {
    let key =
        if association.plain { Some(item) } else { association.keys.first().and_then(|key| item.get(key)) };
    key.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// What somebody's request made of an association, as `{field: {add: […], remove: […]}}` with items as the field shows them:
/// the other way round than [`calls`]. `below` is the path from the object's id on. `None`, where it was none of these calls.
pub(super) fn written(endpoint: &Endpoint, method: &str, below: &[String], body: &Value) -> Option<Body> {
    let (path, item) = match below {
        [_, path] => (path, None),
        [_, path, item] => (path, Some(item)),
        _ => return None,
    };
    let association = endpoint.associations.iter().find(|association| association.path == *path)?;
    // A body may come as text.
    let text = body.as_str().and_then(|text| serde_json::from_str(text).ok());
    let body: &Value = text.as_ref().unwrap_or(body);
    let takes =
        |call: &&Call| call.verb.name().eq_ignore_ascii_case(method) && call.at_item == item.is_some();
    let (mut add, mut remove) = (Vec::new(), Vec::new());
    for sent in [&association.add, &association.remove].into_iter().chain(&association.change).filter(takes) {
        let out = std::ptr::eq(sent, &association.remove);
        let list = match (sent.body, &sent.key) {
            (Shape::None, _) => vec![Value::Object(Map::new())],
            (Shape::Item, _) => vec![body.clone()],
            (Shape::List, None) => body.as_array()?.clone(),
            (Shape::List, Some(key)) => body.get(key)?.as_array()?.clone(),
        };
        for mut one in list {
            let marked = sent.mark.iter().all(|(key, value)| one.get(key) == Some(value));
            if let (Some(item), Some(key), Value::Object(one)) = (item, association.keys.first(), &mut one) {
                one.insert(key.clone(), item.as_str().into());
            }
            let Some(one) = shown(association, &one).ok().filter(|_| marked) else { continue };
            if out { remove.push(one) } else { add.push(one) }
        }
    }
    let mut items = Map::new();
    items.insert("add".to_owned(), add.into());
    items.insert("remove".to_owned(), remove.into());
    Some(Body::from_iter([(association.field.clone(), items.into())]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::endpoint::Verb;
    use serde_json::json;

    fn call(verb: Verb, body: Shape) -> Call {
        Call { verb, at_item: false, body, key: None, mark: Body::new(), scopes: Vec::new() }
    }

    fn association(keys: &[&str], add: Call, remove: Call) -> Association {
        Association {
            field: "members".into(),
            path: "members".into(),
            collection: "members".into(),
            paging: Default::default(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            plain: false,
            attributes: Vec::new(),
            batch: 2,
            add,
            remove,
            change: None,
            read_scopes: Vec::new(),
        }
    }

    fn told(association: &Association, now: Value, wanted: Value) -> Vec<(Option<String>, Option<Value>)> {
        let list = |value: Value| value.as_array().unwrap().clone();
        calls(association, &list(now), &list(wanted)).into_iter().map(|call| (call.item, call.body)).collect()
    }

    #[test]
    fn marked_items_are_sent_in_batches_and_what_goes_is_sent_first() {
        let mark = |status: bool| json!({ "status": status }).as_object().unwrap().clone();
        let plain = Association {
            plain: true,
            ..association(
                &["client_id"],
                Call { mark: mark(true), ..call(Verb::Patch, Shape::List) },
                Call { mark: mark(false), ..call(Verb::Patch, Shape::List) },
            )
        };
        let sent = told(&plain, json!(["a", "b"]), json!(["b", "c", "d", "e"]));
        assert_eq!(
            sent,
            [
                (None, Some(json!([{"client_id": "a", "status": false}]))),
                (None, Some(json!([{"client_id": "c", "status": true}, {"client_id": "d", "status": true}]))),
                (None, Some(json!([{"client_id": "e", "status": true}]))),
            ]
        );
    }

    #[test]
    fn items_that_end_the_path_are_sent_one_by_one_and_a_changed_attribute_changes_the_item() {
        let of = Association {
            attributes: vec!["shown".into()],
            change: Some(Call { at_item: true, ..call(Verb::Patch, Shape::Item) }),
            ..association(
                &["id"],
                call(Verb::Post, Shape::Item),
                Call { at_item: true, ..call(Verb::Delete, Shape::None) },
            )
        };
        let sent = told(
            &of,
            json!([{"id": "a", "shown": true}, {"id": "b", "shown": true}]),
            json!([{"id": "b", "shown": false}, {"id": "c", "shown": true}]),
        );
        assert_eq!(
            sent,
            [
                (Some("a".to_owned()), None),
                (None, Some(json!({"id": "c", "shown": true}))),
                (Some("b".to_owned()), Some(json!({"shown": false}))),
            ]
        );
    }

    #[test]
    fn half_way_is_what_some_of_the_calls_leave_and_nothing_else() {
        let of = association(&["id"], call(Verb::Post, Shape::Item), call(Verb::Delete, Shape::None));
        let item = |id: &str, shown: bool| json!({"id": id, "shown": shown});
        let (from, to) = ([item("a", true), item("b", true)], [item("b", false), item("c", true)]);
        let half_way = |now: &[Value]| is_half_way(&of, &from, &to, now);
        assert!(half_way(&from) && half_way(&to) && half_way(&[item("b", true)]));
        assert!(!half_way(&[item("a", true), item("c", true)]), "what stays is gone");
        assert!(!half_way(&[item("b", true), item("d", true)]), "somebody else's");
    }

    #[test]
    fn nothing_is_sent_where_nothing_differs() {
        let of = association(&["id"], call(Verb::Post, Shape::List), call(Verb::Delete, Shape::List));
        assert!(told(&of, json!([{"id": "a"}]), json!([{"id": "a"}])).is_empty());
    }
}
