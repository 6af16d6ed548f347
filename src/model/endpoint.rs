//! Where and how objects of one kind are reached. The catalogue fills this in; the API client follows it blindly.

use serde::Deserialize;
use serde_json::Value;

use super::Body;

/// The API surface of one kind of object.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Path below `/api/v2`, without slashes at the ends: `clients`.
    pub path: String,
    /// The key that holds the items when a list answers an object.
    pub collection: String,
    /// The field that holds an object's id.
    pub id_field: String,
    /// The field people know an object by.
    pub name_field: String,
    /// Query parameters that every list asks for, such as `is_global=false`.
    #[serde(default)]
    pub list_filter: Vec<(String, String)>,
    /// Query parameters that list what `list_filter` leaves out, such as `is_global=true`; empty where nothing is.
    #[serde(default)]
    pub excluded_filter: Vec<(String, String)>,
    /// How lists are walked.
    #[serde(default)]
    pub paging: Paging,
    /// Up to how many objects page numbers are used; above it, checkpoint paging, or none.
    #[serde(default = "most_by_number")]
    pub offset_limit: usize,
    /// Largest page that may be asked for.
    #[serde(default = "largest_page")]
    pub page_size: usize,
    /// Whether `fields` and `include_fields` are taken.
    #[serde(default)]
    pub projection: bool,
    /// Query parameters of lists that take what a field must hold, each with the field.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Another list, of the objects that have just this in a field (users by mail).
    #[serde(default)]
    pub lookup: Option<Lookup>,
    /// How an object is changed.
    #[serde(default)]
    pub update: Verb,
    /// What follows a change, where a field says that it must.
    #[serde(default)]
    pub then: Option<Then>,
    /// Scopes that calls need.
    pub scopes: Scopes,
    /// Root fields that a create must name.
    #[serde(default)]
    pub create_required: Vec<String>,
    /// Error codes of a 404; none where it has none.
    #[serde(default)]
    pub absent_code: Option<String>,
    /// What ids look like: the letters before the random part, as in `con_`.
    #[serde(default)]
    pub id_prefix: Option<String>,
    /// Lists that belong to an object and are kept behind endpoints of their own.
    #[serde(default)]
    pub associations: Vec<Association>,
}

fn most_by_number() -> usize {
    1000
}

fn largest_page() -> usize {
    100
}

/// How a list is walked; all in one answer, where by neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Paging {
    /// By `page` and `per_page`.
    pub numbers: bool,
    /// Whether `include_totals` is taken.
    pub totals: bool,
    /// By `from` and `take`.
    pub checkpoints: bool,
}

/// A query parameter of a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Its name.
    pub parameter: String,
    /// The field whose value it takes.
    pub field: String,
    /// Whether it finds more than what is equal (`name_filter` of roles), so that what comes must be looked at.
    #[serde(default)]
    pub loose: bool,
}

/// A list of objects that have this in a field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lookup {
    /// The field.
    pub field: String,
    /// Path below `/api/v2`.
    pub path: String,
    /// The query parameter that takes the value.
    pub parameter: String,
}

/// An HTTP method that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    /// Some fields of an object.
    #[default]
    Patch,
    /// An object as a whole.
    Put,
    /// Something new.
    Post,
    /// Something less.
    Delete,
}

impl Verb {
    /// Its name, as HTTP writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A call that follows a change of an object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Below the object: `deploy`.
    pub path: String,
    /// The field that was true before, and must be again (`all_changes_deployed`).
    pub keeps: String,
    /// Scopes, any of which will do.
    pub scopes: Vec<String>,
}

/// Scopes, any of which will do; the first is the one that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scopes {
    /// To list and read.
    pub read: Vec<String>,
    /// To change.
    pub update: Vec<String>,
    /// To create.
    pub create: Vec<String>,
}

/// A list that belongs to an object and is kept behind an endpoint of its own, shown as a field of the object: the
/// check-boxes of the Dashboard.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Association {
    /// The root field that shows it.
    pub field: String,
    /// Below the object: `clients`.
    pub path: String,
    /// The key that holds the items when the list answers an object.
    pub collection: String,
    /// How the list is walked.
    #[serde(default)]
    pub paging: Paging,
    /// The keys that tell items apart.
    pub keys: Vec<String>,
    /// Whether the field shows the text of the only key in place of an object.
    #[serde(default)]
    pub plain: bool,
    /// Further keys that the field shows of an item.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Most items in one request.
    #[serde(default = "one")]
    pub batch: usize,
    /// The call that adds.
    pub add: Call,
    /// The call that takes out.
    pub remove: Call,
    /// The call that changes attributes, where there are some.
    #[serde(default)]
    pub change: Option<Call>,
    /// Scopes that reading needs.
    pub read_scopes: Vec<String>,
}

impl Association {
    /// Whether two items are the same one, whatever their attributes.
    pub fn is_same(&self, a: &Value, b: &Value) -> bool {
        if self.plain { a == b } else { self.keys.iter().all(|key| a.get(key) == b.get(key)) }
    }
}

fn one() -> usize {
    1
}

/// How items of an association are sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The method.
    pub verb: Verb,
    /// Whether the first key of the item ends the path (`enabled_connections/ID`), and does not stand in the body.
    #[serde(default)]
    pub at_item: bool,
    /// What the body is.
    #[serde(default)]
    pub body: Shape,
    /// The key around the items, where the body is an object of one list.
    #[serde(default)]
    pub key: Option<String>,
    /// What stands in each item beside its own keys (`status = true`).
    #[serde(default)]
    pub mark: Body,
    /// Scopes, any of which will do.
    pub scopes: Vec<String>,
}

/// What the body of such a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// There is none.
    #[default]
    None,
    /// One item.
    Item,
    /// A list of items; in an object, where the call has a key.
    List,
}

impl Endpoint {
    /// The scope that is asked for where none is there that allows reading.
    pub fn read_scope(&self) -> &str {
        self.scopes.read.first().map(String::as_str).unwrap_or_default()
    }

    /// The scope that is asked for where none is there that allows updating.
    pub fn update_scope(&self) -> &str {
        self.scopes.update.first().map(String::as_str).unwrap_or_default()
    }

    /// The association that a root field shows.
    pub fn association(&self, root: &str) -> Option<&Association> {
        self.associations.iter().find(|association| association.field == root)
    }
}
