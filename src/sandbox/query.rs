//! The query of a list or a read: parameters checked as the service checks them, and the forms a list is answered in.
//! Central type: [`ListQuery`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::list_form::ListForm;
use super::parameters::Parameters;
use super::reply::{Refusal, Reply};
use super::store::{Filter, From, Span};
use super::view::Projection;
use crate::model::Body;

/// How a list is walked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Paging {
    Number {
        page: usize,
        per_page: usize,
        totals: bool,
    },
    Checkpoint {
        after: Option<u64>,
        take: usize,
    },
    /// All in one answer.
    Whole,
}

/// A list's query, understood.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ListQuery {
    pub(super) paging: Paging,
    pub(super) filter: Filter,
    pub(super) projection: Projection,
    /// The key that holds the items when the list answers an object.
    collection: &'static str,
    /// Whether the answer always is an object with its count, as of kinds that cannot be asked for totals.
    counted: bool,
    /// Everything but the page, for the links to other pages.
    rest: String,
}

const LIST_PARAMETERS: [&str; 12] = [
    "page",
    "per_page",
    "include_totals",
    "from",
    "take",
    "fields",
    "include_fields",
    "is_global",
    "is_first_party",
    "app_type",
    "external_client_id",
    "q",
];
/// What a read of one object takes.
pub(super) const ONE_PARAMETERS: [&str; 2] = ["fields", "include_fields"];

/// The projection that a read of one object asks for, where its kind has any.
///
/// # Errors
/// 400 for a parameter that does not exist or has no sense.
pub(super) fn read_one(query: &str, projection: bool) -> Result<Projection, Refusal> {
    let known: &[&str] = if projection { &ONE_PARAMETERS } else { &[] };
    Parameters::read(query, known)?.projection()
}

/// The value that the other list of a kind is asked for, and the projection.
///
/// # Errors
/// 400 for a parameter that does not exist or has no sense, or where the value is missing.
pub(super) fn read_lookup(query: &str, parameter: &'static str) -> Result<(String, Projection), Refusal> {
    let parameters = Parameters::read(query, &[&ONE_PARAMETERS[..], &[parameter]].concat())?;
    let missing = || {
        let message = format!("Query validation error: 'Missing required property: {parameter}'.");
        Refusal::new(400, message).code("invalid_query_string")
    };
    Ok((parameters.get(parameter).ok_or_else(missing)?.to_owned(), parameters.projection()?))
}

impl ListQuery {
    /// # Errors
    /// 400 for a parameter that does not exist or has no sense.
    pub(super) fn read(query: &str) -> Result<Self, Refusal> {
        let parameters = Parameters::read(query, &LIST_PARAMETERS)?;
        let none = parameters.get("q").map(|q| check_search(q, &parameters)).transpose()?.is_some();
        parameters.length("external_client_id", 1, 120)?;
        let app_types = parameters.get("app_type").map(|list| list.split(',').map(str::to_owned).collect());
        let filter = Filter {
            global: parameters.flag("is_global")?,
            first_party: parameters.flag("is_first_party")?,
            app_types: app_types.unwrap_or_default(),
            external: parameters.get("external_client_id").map(str::to_owned),
            none,
            holds: Vec::new(),
        };
        Ok(Self {
            paging: read_paging(&parameters, 100)?,
            filter,
            projection: parameters.projection()?,
            collection: "clients",
            counted: false,
            rest: without_page(query),
        })
    }

    /// That of another list than the clients.
    ///
    /// # Errors
    /// 400 for a parameter that this list does not take, or that has no sense.
    pub(super) fn read_as(query: &str, form: &ListForm) -> Result<Self, Refusal> {
        let parameters = Parameters::read(query, &form.parameters())?;
        Ok(Self {
            filter: form.filter(&parameters),
            paging: form.paging(&parameters)?,
            projection: parameters.projection()?,
            collection: form.collection,
            counted: form.paging.numbers && !form.paging.totals,
            rest: without_page(query),
        })
    }

    /// Where the page begins and how long it may be.
    pub(super) fn span(&self) -> (From, usize) {
        match self.paging {
            Paging::Number { page, per_page, .. } => (From::Offset(page.saturating_mul(per_page)), per_page),
            Paging::Checkpoint { after, take } => (From::Place(after), take),
            Paging::Whole => (From::Offset(0), usize::MAX),
        }
    }

    /// The answer: a plain list with links, an object with totals, or an object with the checkpoint of the next page.
    pub(super) fn answer(&self, span: Span, items: Vec<Value>, url: &str) -> Reply {
        let mut body = Body::new();
        match self.paging {
            Paging::Number { per_page, .. } if self.counted => {
                // Recorded: nothing is counted where there is nothing.
                if span.total > 0 {
                    body.insert("total".to_owned(), span.total.into());
                }
                body.insert("per_page".to_owned(), per_page.into());
            }
            Paging::Number { page, per_page, totals: true } => {
                body.insert("total".to_owned(), span.total.into());
                body.insert("start".to_owned(), page.saturating_mul(per_page).into());
                body.insert("limit".to_owned(), per_page.into());
            }
            Paging::Number { page, per_page, totals: false } => {
                let links = self.links(page, per_page, span.total, url);
                return Reply::json(200, &Value::Array(items)).header("link", links);
            }
            Paging::Checkpoint { .. } => {
                if let Some(place) = span.next {
                    body.insert("next".to_owned(), checkpoint(place).into());
                }
            }
            Paging::Whole => return Reply::json(200, &Value::Array(items)),
        }
        body.insert(self.collection.to_owned(), Value::Array(items));
        Reply::json(200, &Value::Object(body))
    }

    fn links(&self, at: usize, per_page: usize, total: usize, url: &str) -> String {
        let last = total.saturating_sub(1) / per_page.max(1);
        let joint = if self.rest.is_empty() { "" } else { "&" };
        let link = |page: usize, rel: &str| format!("<{url}?{}{joint}page={page}>; rel=\"{rel}\"", self.rest);
        let mut links = vec![link(0, "first")];
        if at > 0 {
            links.push(link(at.min(last + 1) - 1, "prev"));
        }
        if at < last {
            links.push(link(at + 1, "next"));
        }
        links.push(link(last, "last"));
        links.join(", ")
    }
}

const FILTERS: [&str; 4] = ["is_global", "is_first_party", "app_type", "external_client_id"];

/// A search for clients by their grants: two are permitted, with checkpoints and without another filter. No client here has
/// a grant for an organization, so that a good search finds none; the words of a refusal are the sandbox's own.
fn check_search(q: &str, parameters: &Parameters) -> Result<(), Refusal> {
    let organization = q
        .strip_prefix("client_grant.organization_id:")
        .is_some_and(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    if !organization && q != "client_grant.allow_any_organization:true" {
        let permitted =
            "client_grant.organization_id:{organization_id}, client_grant.allow_any_organization:true";
        return Err(Refusal::query(&format!("Permitted queries are: {permitted}"), "q"));
    }
    if let Some(filter) = FILTERS.iter().find(|filter| parameters.get(filter).is_some()) {
        return Err(Refusal::query(&format!("Cannot be used together with {filter}"), "q"));
    }
    if parameters.get("from").is_none() && parameters.get("take").is_none() {
        return Err(Refusal::query("Requires the paging parameters from and take", "q"));
    }
    Ok(())
}

/// Everything but the page.
fn without_page(query: &str) -> String {
    let rest: Vec<&str> =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("page=")).collect();
    rest.join("&")
}

/// How a list is walked, by what is asked.
pub(super) fn read_paging(parameters: &Parameters, page_size: usize) -> Result<Paging, Refusal> {
    let take = parameters.number("take", 1, page_size)?;
    let from = parameters.get("from").map(read_checkpoint).transpose()?;
    if take.is_some() || from.is_some() {
        return Ok(Paging::Checkpoint { after: from, take: take.unwrap_or(50) });
    }
    Ok(Paging::Number {
        page: parameters.number("page", 0, usize::MAX)?.unwrap_or(0),
        per_page: parameters.number("per_page", 0, page_size)?.unwrap_or(50),
        totals: parameters.flag("include_totals")?.unwrap_or(false),
    })
}

fn checkpoint(place: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("after:{place}"))
}

fn read_checkpoint(text: &str) -> Result<u64, Refusal> {
    let decoded = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let place = decoded.as_deref().and_then(|text| text.strip_prefix("after:")?.parse().ok());
    place.ok_or_else(|| Refusal::query("Object didn't pass validation for format checkpoint", "from"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_paging_fifty_come() {
        assert_eq!(
            ListQuery::read("").unwrap().paging,
            Paging::Number { page: 0, per_page: 50, totals: false }
        );
    }

    #[test]
    fn parameters_out_of_range_or_unknown_are_refused() {
        for (query, said) in [
            ("per_page=101", "'Value 101 is greater than maximum 100' on property per_page."),
            ("take=0", "'Value 0 is less than minimum 1' on property take."),
            ("page=x", "Expected type integer"),
            ("is_global=1", "Expected type boolean"),
            ("from=%21", "property from"),
            ("q=client_grant.organization_id%3Aorg_1", "Requires the paging parameters"),
            ("take=10&q=client_grant.organization_id%3Aorg_1&is_global=false", "together with is_global"),
            ("take=10&q=name%3Ashop", "Permitted queries are"),
            (
                "external_client_id=",
                "'String is too short (0 chars), minimum 1' on property external_client_id.",
            ),
            ("perpage=1", "Additional properties not allowed: perpage"),
        ] {
            let refusal = ListQuery::read(query).unwrap_err();
            assert!(refusal.message.contains(said), "{query}: {}", refusal.message);
            assert_eq!((refusal.status, refusal.code), (400, Some("invalid_query_string")));
        }
    }

    #[test]
    fn a_checkpoint_reads_back() {
        assert_eq!(read_checkpoint(&checkpoint(77)).unwrap(), 77);
    }

    #[test]
    fn links_lead_to_the_neighbours() {
        let query = ListQuery::read("fields=name&page=1&per_page=2").unwrap();
        assert_eq!(
            query.links(1, 2, 5, "http://t/c"),
            "<http://t/c?fields=name&per_page=2&page=0>; rel=\"first\", <http://t/c?fields=name&per_page=2&page=0>; rel=\"prev\", \
             <http://t/c?fields=name&per_page=2&page=2>; rel=\"next\", <http://t/c?fields=name&per_page=2&page=2>; rel=\"last\""
        );
    }
}
