//! Pages of a list: what is asked for, what an answer holds, and how pages are joined. Pure.

use std::collections::HashSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Body, Endpoint, Entity, EntityId, Packed};

use super::error::ApiError;
use super::read::with_id;

/// Which page to ask for.
#[derive(Debug, Clone)]
pub(crate) enum Paging {
    /// By number, from 0.
    Number { page: usize, size: usize, totals: bool },
    /// By pointer; none for the first.
    Checkpoint { take: usize, from: Option<String> },
    /// All at once: there are no pages.
    Whole,
}

impl Paging {
    pub(crate) fn parameters(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Number { page, size, totals } => {
                let totals = totals.then(|| ("include_totals", "true".to_owned()));
                let page = [("page", page.to_string()), ("per_page", size.to_string())];
                page.into_iter().chain(totals).collect()
            }
            Self::Whole => Vec::new(),
            Self::Checkpoint { take, from } => {
                let take = ("take", take.to_string());
                from.iter().map(|from| ("from", from.clone())).chain([take]).collect()
            }
        }
    }
}

/// One page as answered.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) items: Vec<Entity>,
    pub(crate) total: Option<usize>,
    pub(crate) limit: Option<usize>,
    pub(crate) next: Option<String>,
}

impl Page {
    /// Reads a plain array, `{total, start, limit, ITEMS}`, or `{next, ITEMS}`.
    pub(crate) fn read(body: &[u8], endpoint: &Endpoint) -> Result<Self, String> {
        if body.trim_ascii_start().starts_with(b"[") {
            return Self::of(parse(body)?, endpoint);
        }
        let mut object: Body = parse(body)?;
        let items = object.remove(&endpoint.collection);
        let items = items.ok_or_else(|| format!("a list without `{}`", endpoint.collection))?;
        let items =
            serde_json::from_value(items).map_err(|_| format!("`{}` is no list", endpoint.collection))?;
        let number = |key: &str| count(object.get(key)?);
        let next = object.get("next").and_then(Value::as_str).filter(|next| !next.is_empty());
        Ok(Self {
            total: number("total"),
            limit: number("limit").or_else(|| number("per_page")).filter(|limit| *limit > 0),
            next: next.map(str::to_owned),
            ..Self::of(items, endpoint)?
        })
    }

    fn of(bodies: Vec<Body>, endpoint: &Endpoint) -> Result<Self, String> {
        let items = bodies.into_iter().map(|body| with_id(body, endpoint)).collect::<Result<_, _>>()?;
        Ok(Self { items, total: None, limit: None, next: None })
    }
}

/// A count, which may come as `250.0`.
fn count(value: &Value) -> Option<usize> {
    let whole = || value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..1e15).contains(number));
    let count = value.as_u64().or_else(|| whole().map(|number| number as u64));
    usize::try_from(count?).ok()
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|_| "it is no list".to_owned())
}

/// An object of a list that may be long.
pub type PackedEntity = (EntityId, Packed<Body>);

/// Pages joined by id. Paging by number is no snapshot: an object may come twice or slip through between two pages.
#[derive(Debug, Default)]
pub(crate) struct Collected {
    items: Vec<PackedEntity>,
    ids: HashSet<EntityId>,
    total: Option<usize>,
}

impl Collected {
    /// Adds a page's objects, each once. Tells whether there was a new one.
    pub(crate) fn add(&mut self, page: Page) -> bool {
        if let Some(total) = page.total {
            self.expect(total);
        }
        let before = self.items.len();
        let ids = &mut self.ids;
        let new = page.items.into_iter().filter(|item| ids.insert(item.id.clone()));
        self.items.extend(new.map(|item| (item.id, Packed::new(&item.body))));
        self.items.len() > before
    }

    /// So many must come. The largest total counts: a list that shrinks while it is read may have skipped one.
    pub(crate) fn expect(&mut self, total: usize) {
        self.total = self.total.max(Some(total));
    }

    /// How many must come, where that is known.
    pub(crate) fn told(&self) -> Option<usize> {
        self.total
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.total.is_none_or(|total| self.items.len() >= total)
    }

    pub(crate) fn into_items(self) -> Vec<PackedEntity> {
        self.items
    }

    /// The objects, if they are all there.
    pub(crate) fn complete(self, collection: &str) -> Result<Vec<PackedEntity>, ApiError> {
        match self.total {
            Some(total) if self.items.len() < total => Err(ApiError::Incomplete {
                collection: collection.to_owned(),
                total,
                arrived: self.items.len(),
            }),
            _ => Ok(self.items),
        }
    }
}
