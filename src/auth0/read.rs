//! Reading: lists and single objects. [`Reader`] has no way to write, and none to become a writer.

use std::fmt;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::header::HeaderValue;
use reqwest::{Method, Url};

use crate::model::{Association, Body, Endpoint, Entity, EntityId, Progress};

use tokio::sync::watch;

use super::classify::CallKind;
use super::connection::Shared;
use super::courier::Lane;
use super::error::ApiError;
use super::pages::{Collected, PackedEntity, Page, Paging};
use super::token::Grant;
use super::transport::{Call, Transport};

/// Pages of one list that are asked for at once.
const PAGES_IN_FLIGHT: usize = 4;

/// Reads one tenant. Cheap to clone.
#[derive(Clone)]
pub struct Reader {
    shared: Arc<Shared>,
    agent: HeaderValue,
    max_retries: Option<u32>,
    halt: Option<watch::Receiver<bool>>,
    hurry: Option<watch::Receiver<bool>>,
}

/// The beginning of a list: enough to decide whether to read on, or to read single objects instead.
#[derive(Debug)]
pub struct FirstPage {
    reader: Reader,
    query: ListQuery,
    page: Page,
}

/// What a list asks for, the same on every page.
#[derive(Debug, Clone)]
struct ListQuery {
    endpoint: Endpoint,
    /// All of its query parameters but those of paging.
    parameters: Vec<(String, String)>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>, agent: HeaderValue) -> Self {
        Self { shared, agent, max_retries: None, halt: None, hurry: None }
    }

    /// The same reader, which tries each request once: to see whether a tenant is there.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.max_retries = Some(0);
        self
    }

    /// The same reader, which tries nothing a second time once `hurry` turns true.
    #[must_use]
    pub(crate) fn hurried(mut self, hurry: watch::Receiver<bool>) -> Self {
        self.hurry = Some(hurry);
        self
    }

    /// The same reader, which sends nothing more once `halt` turns true.
    #[must_use]
    pub(crate) fn until(mut self, halt: watch::Receiver<bool>) -> Self {
        self.halt = Some(halt);
        self
    }

    /// Gets a token, where there is none yet, and tells what it allows.
    ///
    /// # Errors
    /// Where the token endpoint gives none or cannot be reached.
    pub async fn sign_in(&self) -> Result<Grant, ApiError> {
        self.shared.lane().tokens.grant().await
    }

    /// All objects, with these top-level fields (besides id and name), or whole where `fields` is `None`. The API may add
    /// fields that were not asked for.
    ///
    /// # Errors
    /// A list is complete or it is an error.
    pub async fn list(&self, endpoint: &Endpoint, fields: Option<&[&str]>) -> Result<Vec<Entity>, ApiError> {
        let all = self.first_page(endpoint, fields).await?.rest().await?;
        Ok(opened(all))
    }

    /// The objects that lists leave out by the endpoint's filter, such as the global client. Empty where nothing is left out.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn list_excluded(
        &self,
        endpoint: &Endpoint,
        fields: Option<&[&str]>,
    ) -> Result<Vec<Entity>, ApiError> {
        if endpoint.excluded_filter.is_empty() {
            return Ok(Vec::new());
        }
        let query = ListQuery::new(endpoint, &endpoint.excluded_filter, fields);
        Ok(opened(self.start(query).await?.rest().await?))
    }

    /// The first page of a list, and how many objects there are.
    ///
    /// # Errors
    /// Where the request fails.
    pub async fn first_page(
        &self,
        endpoint: &Endpoint,
        fields: Option<&[&str]>,
    ) -> Result<FirstPage, ApiError> {
        self.start(ListQuery::new(endpoint, &endpoint.list_filter, fields)).await
    }

    /// The objects that a list has under these filters, whole where `fields` is `None`.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn list_where(
        &self,
        endpoint: &Endpoint,
        filters: &[(String, String)],
        fields: Option<&[&str]>,
    ) -> Result<Vec<Entity>, ApiError> {
        let filters: Vec<_> = endpoint.list_filter.iter().chain(filters).cloned().collect();
        let query = ListQuery::new(endpoint, &filters, fields);
        Ok(opened(self.start(query).await?.rest().await?))
    }

    /// The objects that have just this in the field by which the kind can be looked up; none where it cannot be.
    ///
    /// # Errors
    /// Where the request fails.
    pub async fn look_up(
        &self,
        endpoint: &Endpoint,
        value: &str,
        fields: Option<&[&str]>,
    ) -> Result<Vec<Entity>, ApiError> {
        let Some(lookup) = &endpoint.lookup else { return Ok(Vec::new()) };
        let segments = ["api", "v2"].into_iter().chain(lookup.path.split('/'));
        let mut url = self.shared.courier.transport().url(segments);
        url.query_pairs_mut()
            .append_pair(&lookup.parameter, value)
            .extend_pairs(projection(endpoint, fields));
        Ok(self.fetch(url, &|body| Page::read(body, endpoint)).await?.items)
    }

    /// One page of an association.
    pub(super) async fn association_page<T: Send>(
        &self,
        endpoint: &Endpoint,
        association: &Association,
        id: &EntityId,
        parameters: &[(String, String)],
        parse: &(dyn Fn(&[u8]) -> Result<T, String> + Send + Sync),
    ) -> Result<T, ApiError> {
        let mut url = below(self.shared.courier.transport(), endpoint, id, &association.path, None)?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        self.fetch(url, parse).await
    }

    /// One object, with these top-level fields (besides id and name), or whole where `fields` is `None`.
    ///
    /// # Errors
    /// [`ApiError::NotFound`] where there is none, and whatever else goes wrong.
    pub async fn get(
        &self,
        endpoint: &Endpoint,
        id: &EntityId,
        fields: Option<&[&str]>,
    ) -> Result<Entity, ApiError> {
        let mut url = object_url(self.shared.courier.transport(), endpoint, id)?;
        let projection = projection(endpoint, fields);
        if !projection.is_empty() {
            url.query_pairs_mut().extend_pairs(projection);
        }
        self.fetch(url, &|body| entity(body, endpoint)).await
    }

    async fn start(&self, query: ListQuery) -> Result<FirstPage, ApiError> {
        let first = match query.endpoint.paging {
            modes if modes.numbers => {
                Paging::Number { page: 0, size: query.endpoint.page_size, totals: modes.totals }
            }
            modes if modes.checkpoints => Paging::Checkpoint { take: query.endpoint.page_size, from: None },
            _ => Paging::Whole,
        };
        let page = self.page(&query, &first).await?;
        self.tell_read(page.items.len(), page.total);
        Ok(FirstPage { reader: self.clone(), query, page })
    }

    async fn page(&self, query: &ListQuery, paging: &Paging) -> Result<Page, ApiError> {
        let mut url = self.shared.courier.transport().url(collection_path(&query.endpoint));
        url.query_pairs_mut().extend_pairs(paging.parameters()).extend_pairs(&query.parameters);
        self.fetch(url, &|body| Page::read(body, &query.endpoint)).await
    }

    async fn fetch<T: Send>(
        &self,
        url: Url,
        parse: &(dyn Fn(&[u8]) -> Result<T, String> + Send + Sync),
    ) -> Result<T, ApiError> {
        self.fetch_in(self.shared.lane(), url, parse).await
    }

    /// One page of what is asked for with these parameters, of the tenant's log.
    pub(super) async fn fetch_log<T: Send>(
        &self,
        parameters: &[(&str, &str)],
        parse: &(dyn Fn(&[u8]) -> Result<T, String> + Send + Sync),
    ) -> Result<T, ApiError> {
        let mut url = self.shared.courier.transport().url(["api", "v2", "logs"]);
        url.query_pairs_mut().extend_pairs(parameters);
        self.fetch_in(self.shared.log_lane(), url, parse).await
    }

    async fn fetch_in<T: Send>(
        &self,
        lane: Lane<'_>,
        url: Url,
        parse: &(dyn Fn(&[u8]) -> Result<T, String> + Send + Sync),
    ) -> Result<T, ApiError> {
        let call = Call {
            kind: CallKind::Read,
            method: Method::GET,
            url,
            body: None,
            agent: self.agent.clone(),
            correlation: None,
            max_retries: self.max_retries,
        };
        let lane = Lane { halt: self.halt.as_ref(), hurry: self.hurry.as_ref(), ..lane };
        self.shared.courier.deliver(&call, Some(lane), parse, None).await.result
    }

    fn tell_read(&self, seen: usize, total: Option<usize>) {
        self.shared.progress.tell(Progress::Read { tenant: self.shared.tenant.clone(), seen, total });
    }

    /// Reads on from a first page to the end, once.
    async fn follow(&self, query: &ListQuery, first: Page) -> Result<Collected, ApiError> {
        let mut list = Collected::default();
        let (modes, most) = (query.endpoint.paging, query.endpoint.offset_limit);
        match first.total {
            // All came in one answer.
            _ if !modes.numbers && !modes.checkpoints => drop(list.add(first)),
            Some(total) if total <= most && modes.numbers => {
                self.by_number(query, first, total, &mut list).await?;
            }
            Some(total) if !modes.checkpoints => {
                return Err(ApiError::TooLong { collection: query.endpoint.collection.clone(), total, most });
            }
            // Page numbers end at the limit; a pointer does not.
            None if first.next.is_some() || !modes.numbers => {
                self.by_checkpoint(query, None, &mut list).await?;
            }
            total @ Some(_) => self.by_checkpoint(query, total, &mut list).await?,
            None => self.until_empty(query, first, &mut list).await?,
        }
        Ok(list)
    }

    /// The remaining pages by number, several at once: how many there are is known. A list that grows meanwhile is read on.
    async fn by_number(
        &self,
        query: &ListQuery,
        first: Page,
        total: usize,
        list: &mut Collected,
    ) -> Result<(), ApiError> {
        // The page size is what the answer says: asking 100 may give 50.
        let size = first.limit.unwrap_or(query.endpoint.page_size).max(1);
        list.add(first);
        let totals = query.endpoint.paging.totals;
        let (mut from, mut told) = (1, total);
        loop {
            let pages = stream::iter(from..told.div_ceil(size))
                .map(|page| async move { self.page(query, &Paging::Number { page, size, totals }).await })
                .buffer_unordered(PAGES_IN_FLIGHT);
            let mut pages = std::pin::pin!(pages);
            while let Some(page) = pages.try_next().await? {
                list.add(page);
                self.tell_read(list.len(), Some(told));
            }
            let now = list.told().unwrap_or(told);
            if now <= told || now > query.endpoint.offset_limit {
                return Ok(());
            }
            // It grew meanwhile: what was its last page may be full by now, and others may have come.
            (from, told) = (told / size, now);
        }
    }

    /// From the beginning, each page pointing at the next.
    async fn by_checkpoint(
        &self,
        query: &ListQuery,
        total: Option<usize>,
        list: &mut Collected,
    ) -> Result<(), ApiError> {
        if let Some(total) = total {
            list.expect(total);
        }
        let take = query.endpoint.page_size;
        let mut from = None;
        loop {
            let page = self.page(query, &Paging::Checkpoint { take, from: from.clone() }).await?;
            let next = page.next.clone();
            let grew = list.add(page);
            self.tell_read(list.len(), total);
            // A pointer that leads nowhere new would be followed for ever; whether the list is whole is judged later.
            if next.is_none() || !grew || next == from {
                return Ok(());
            }
            from = next;
        }
    }

    /// An answer without totals: page after page until nothing new comes.
    async fn until_empty(
        &self,
        query: &ListQuery,
        first: Page,
        list: &mut Collected,
    ) -> Result<(), ApiError> {
        let size = query.endpoint.page_size;
        let mut grew = list.add(first);
        let mut page = 1;
        while grew {
            let totals = query.endpoint.paging.totals;
            grew = list.add(self.page(query, &Paging::Number { page, size, totals }).await?);
            self.tell_read(list.len(), None);
            page += 1;
        }
        Ok(())
    }
}

impl FirstPage {
    /// The objects of this page.
    pub fn items(&self) -> &[Entity] {
        &self.page.items
    }

    /// How many there are altogether, where the tenant says so.
    pub fn total(&self) -> Option<usize> {
        self.page.total
    }

    /// Requests that [`rest`](Self::rest) will send if nothing changes meanwhile, where that is known.
    pub fn pages_left(&self) -> Option<usize> {
        let total = self.page.total?;
        let endpoint = &self.query.endpoint;
        let size = self.page.limit.unwrap_or(endpoint.page_size).max(1);
        let by_number = total.div_ceil(size).saturating_sub(1);
        Some(if total <= endpoint.offset_limit {
            by_number
        } else {
            total.div_ceil(endpoint.page_size.max(1))
        })
    }

    /// Reads on to the end.
    ///
    /// # Errors
    /// [`ApiError::Incomplete`] where fewer objects arrive than the tenant says it has, and again when read anew.
    pub async fn rest(self) -> Result<Vec<PackedEntity>, ApiError> {
        let Self { reader, query, page } = self;
        let list = reader.follow(&query, page).await?;
        if list.is_complete() {
            return Ok(list.into_items());
        }
        let again = reader.start(query.clone()).await?;
        reader.follow(&query, again.page).await?.complete(&query.endpoint.collection)
    }
}

fn opened(all: Vec<PackedEntity>) -> Vec<Entity> {
    all.into_iter().map(|(id, body)| Entity { id, body: body.open() }).collect()
}

impl ListQuery {
    fn new(endpoint: &Endpoint, filter: &[(String, String)], fields: Option<&[&str]>) -> Self {
        let parameters = projection(endpoint, fields).into_iter().chain(filter.iter().cloned()).collect();
        Self { endpoint: endpoint.clone(), parameters }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("tenant", &self.shared.tenant).finish_non_exhaustive()
    }
}

/// `fields` and `include_fields`; id and name are always among them.
fn projection(endpoint: &Endpoint, fields: Option<&[&str]>) -> Vec<(String, String)> {
    let Some(fields) = fields.filter(|_| endpoint.projection) else { return Vec::new() };
    let mut names = vec![endpoint.id_field.as_str(), endpoint.name_field.as_str()];
    names.extend(fields);
    let mut seen = std::collections::HashSet::new();
    // What has an endpoint of its own is no field for this one.
    names.retain(|name| !name.is_empty() && endpoint.association(name).is_none() && seen.insert(*name));
    vec![("fields".to_owned(), names.join(",")), ("include_fields".to_owned(), "true".to_owned())]
}

pub(crate) fn collection_path(endpoint: &Endpoint) -> impl Iterator<Item = &str> {
    ["api", "v2"].into_iter().chain(endpoint.path.split('/'))
}

/// The address of one object.
///
/// # Errors
/// An id that a path would swallow (empty, `.`, `..`) names no object, and must not come to name the whole collection.
pub(crate) fn object_url(transport: &Transport, endpoint: &Endpoint, id: &EntityId) -> Result<Url, ApiError> {
    if matches!(id.as_str(), "" | "." | "..") {
        return Err(ApiError::NotFound { error_code: None, message: format!("`{id}` cannot be an id") });
    }
    Ok(transport.url(collection_path(endpoint).chain([id.as_str()])))
}

/// The address of something that belongs to one object.
///
/// # Errors
/// As [`object_url`].
pub(crate) fn below(
    transport: &Transport,
    endpoint: &Endpoint,
    id: &EntityId,
    path: &str,
    item: Option<&str>,
) -> Result<Url, ApiError> {
    object_url(transport, endpoint, id)?;
    let segments = collection_path(endpoint).chain([id.as_str()]).chain(path.split('/')).chain(item);
    Ok(transport.url(segments))
}

/// One object from the body of an answer.
pub(crate) fn entity(body: &[u8], endpoint: &Endpoint) -> Result<Entity, String> {
    let body: Body = serde_json::from_slice(body).map_err(|_| "it is not a JSON object".to_owned())?;
    with_id(body, endpoint)
}

/// An object with its id taken from its body.
pub(crate) fn with_id(body: Body, endpoint: &Endpoint) -> Result<Entity, String> {
    match body.get(&endpoint.id_field).and_then(|id| id.as_str()) {
        Some(id) => Ok(Entity { id: EntityId::new(id), body }),
        None => Err(format!("an object without `{}`", endpoint.id_field)),
    }
}
