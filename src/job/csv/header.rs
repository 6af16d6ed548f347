//! What the columns of a CSV job mean.

use crate::catalogue::{FieldType, Kind, Lookup, Writable};
use crate::model::FieldPath;
use crate::model::suggest::nearest;
use crate::model::words::a;

/// What one column is for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    /// The client's id.
    Id,
    /// The tenant that the row is for.
    Tenant,
    /// The same, as a report wrote it: where both stand, this one is obeyed, so that a report is a job again.
    RowTenant,
    /// A literal text that the field must have.
    Match(FieldPath),
    /// The field to set.
    Set(FieldPath),
    /// What the field must hold before.
    Expect(FieldPath),
    /// Items to append to a list.
    Add(FieldPath),
    /// Items to take out of a list.
    Remove(FieldPath),
    /// Paths to empty.
    Unset,
    /// The kind of object.
    Kind,
    /// The digest of what `get` fetched.
    Base,
    /// A field that is only read, or not known, in a file that `get` wrote: it must stay as it was.
    Fixed(FieldPath),
    /// Not for patchwave (`_…`, or a header that could not be understood and was reported).
    Ignored,
    /// Without a header: its cells must be empty.
    Nameless,
}

impl Column {
    /// Whether the column can change anything.
    pub(super) fn changes(&self) -> bool {
        matches!(self, Self::Set(_) | Self::Add(_) | Self::Remove(_) | Self::Unset)
    }
}

/// How headers are to be understood.
#[derive(Clone, Copy)]
pub(super) struct Rules<'r> {
    /// Whether `get` wrote the file.
    pub(super) from_get: bool,
    /// Columns that the user wants ignored (`--ignore-column`).
    pub(super) ignored: &'r [String],
}

/// What is wrong with a header.
pub(super) struct HeaderFault {
    pub(super) what: String,
    pub(super) help: Option<String>,
    /// Whether the column may have been meant to say which client: then its lack is not worth a second message.
    pub(super) selector: bool,
}

type Make = fn(FieldPath) -> Column;

/// Understands one header.
pub(super) fn column(kind: &Kind, header: &str, rules: Rules<'_>) -> Result<Column, HeaderFault> {
    let header = header.trim();
    let fault = |what: String, help: Option<String>| HeaderFault { what, help, selector: false };
    match header {
        "" => return Ok(Column::Nameless),
        "tenant" => return Ok(Column::Tenant),
        "_tenant" => return Ok(Column::RowTenant),
        "unset" => return Ok(Column::Unset),
        super::KIND_COLUMN => return Ok(Column::Kind),
        super::BASE_COLUMN => return Ok(Column::Base),
        ignored if rules.ignored.iter().any(|name| name.trim() == ignored) => return Ok(Column::Ignored),
        id if id == kind.endpoint.id_field => return Ok(Column::Id),
        ignored if ignored.starts_with('_') => return Ok(Column::Ignored),
        _ => (),
    }
    let prefixes: [(&str, Make); 4] = [
        ("match.", Column::Match),
        ("expect.", Column::Expect),
        ("add.", Column::Add),
        ("remove.", Column::Remove),
    ];
    for (prefix, make) in prefixes {
        if let Some(rest) = header.strip_prefix(prefix) {
            let path = field(kind, rest, header).map_err(|mut wrong| {
                wrong.help = wrong.help.map(|help| help.replace("mean `", &format!("mean `{prefix}")));
                wrong.selector = prefix == "match.";
                wrong
            })?;
            if kind.is_secret(&path) {
                return Err(fault(
                    format!("column `{header}` is about a secret, which no cell may hold"),
                    None,
                ));
            }
            return items_of_list(kind, prefix, header, &path).map(|()| make(path));
        }
    }
    if rules.from_get {
        return of_get(kind, header);
    }
    let path = field(kind, header, header)?;
    match kind.writable(&path) {
        Writable::Patch if kind.is_secret(&path) => {
            Err(fault(format!("column `{header}` is a secret: a job never takes one from a cell"), None))
        }
        Writable::Patch => Ok(Column::Set(path)),
        Writable::Create | Writable::Never => Err(fault(
            format!("column `{header}` cannot be changed"),
            Some(format!(
                "it is only read; name it `_{header}` to keep it for yourself, or `expect.{header}` to check it"
            )),
        )),
    }
}

/// Only lists have items.
fn items_of_list(kind: &Kind, prefix: &str, header: &str, path: &FieldPath) -> Result<(), HeaderFault> {
    let ty = kind.lookup(path).field().map_or(FieldType::Any, |field| field.ty);
    let for_lists = matches!(prefix, "add." | "remove.");
    let fault = |what: String, help: String| HeaderFault { what, help: Some(help), selector: false };
    if for_lists && !matches!(ty, FieldType::Array | FieldType::Any) {
        let what = format!("column `{header}`: `{path}` is no list");
        return Err(fault(what, format!("to set it, name the column `{path}`")));
    }
    if for_lists && kind.writable(path) != Writable::Patch {
        return Err(fault(format!("column `{header}` cannot be changed"), "it is only read".to_owned()));
    }
    Ok(())
}

/// A column of a file that `get` wrote. What cannot be written may stand there: it must stay as it was.
fn of_get(kind: &Kind, header: &str) -> Result<Column, HeaderFault> {
    let path: FieldPath = header.parse().map_err(|error| HeaderFault {
        what: format!("column `{header}` {error}"),
        help: Some("keys with dots are quoted: `client_metadata.\"a.b\"`".into()),
        selector: false,
    })?;
    let known = !matches!(kind.lookup(&path), Lookup::Unknown { .. });
    let writable = known && kind.writable(&path) == Writable::Patch && !kind.is_secret(&path);
    Ok(if writable { Column::Set(path) } else { Column::Fixed(path) })
}

/// The field that a header names, or its near miss among fields and special columns.
fn field(kind: &Kind, text: &str, header: &str) -> Result<FieldPath, HeaderFault> {
    let path: FieldPath = text.parse().map_err(|error| HeaderFault {
        what: format!("column `{header}` {error}"),
        help: Some("keys with dots are quoted: `client_metadata.\"a.b\"`".into()),
        selector: false,
    })?;
    let Lookup::Unknown { near } = kind.lookup(&path) else { return Ok(path) };
    let id_field = kind.endpoint.id_field.as_str();
    // Behind a prefix only a field can be meant.
    let special = [id_field, "tenant", "match.name", "expect.name", "unset"];
    let special = if text == header { nearest(header, special).map(str::to_owned) } else { None };
    let near = special.or(near);
    Err(HeaderFault {
        what: format!("unknown column `{header}`"),
        selector: near.as_deref().is_some_and(|near| near == id_field || near.starts_with("match.")),
        help: Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let other = if kind.name.is_default() {
                    "; where rows are about something else, say which with --kind"
                } else {
                    ""
                };
                format!(
                    "a column names a field of {}{other}; to have it ignored, begin it with `_`, or --ignore-column '{header}'; if it is new at Auth0, --allow-field '{header}'",
                    a(&kind.singular)
                )
            }
        }),
    })
}
