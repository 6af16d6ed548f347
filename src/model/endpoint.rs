//! Where and how objects of one kind are reached. The catalogue fills this in; the API client follows it blindly.

/// The API surface of one kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub list_filter: Vec<(String, String)>,
    /// Query parameters that list what `list_filter` leaves out, such as `is_global=true`; empty where nothing is.
    pub excluded_filter: Vec<(String, String)>,
    /// Up to how many objects page numbers are used; above it, checkpoint paging.
    pub offset_limit: usize,
    /// Largest page that may be asked for.
    pub page_size: usize,
    /// A scope that allows reading, as the token's `scope` names it.
    pub read_scope: String,
    /// A scope that allows updating.
    pub update_scope: String,
}
