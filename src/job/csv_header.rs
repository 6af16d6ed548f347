//! What the columns of a CSV job mean.

use crate::catalogue::{Kind, Lookup, Writable};
use crate::model::FieldPath;
use crate::model::suggest::nearest;

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
    /// Not for patchwave (`_…`, or a header that could not be understood and was reported).
    Ignored,
    /// Without a header: its cells must be empty.
    Nameless,
}

/// What is wrong with a header.
pub(super) struct HeaderFault {
    pub(super) what: String,
    pub(super) help: Option<String>,
    /// Whether the column may have been meant to say which client: then its lack is not worth a second message.
    pub(super) selector: bool,
}

/// Columns of the job language that this version does not read yet.
const LATER: [&str; 2] = ["unset", "kind"];

/// Understands one header.
pub(super) fn column(kind: &Kind, header: &str) -> Result<Column, HeaderFault> {
    let header = header.trim();
    let fault = |what: String, help: Option<String>| HeaderFault { what, help, selector: false };
    match header {
        "" => return Ok(Column::Nameless),
        "tenant" => return Ok(Column::Tenant),
        "_tenant" => return Ok(Column::RowTenant),
        id if id == kind.endpoint.id_field => return Ok(Column::Id),
        ignored if ignored.starts_with('_') => return Ok(Column::Ignored),
        _ => (),
    }
    if LATER.contains(&header) || header.starts_with("add.") || header.starts_with("remove.") {
        return Err(fault(format!("column `{header}` is not supported by this version of patchwave"), None));
    }
    for (prefix, make) in [("match.", Column::Match as fn(FieldPath) -> Column), ("expect.", Column::Expect)]
    {
        if let Some(rest) = header.strip_prefix(prefix) {
            let path = field(kind, rest, header);
            if path.as_ref().is_ok_and(|path| kind.is_secret(path)) {
                return Err(fault(
                    format!("column `{header}` is about a secret, which no cell may hold"),
                    None,
                ));
            }
            return path.map(make).map_err(|mut wrong| {
                wrong.help = wrong.help.map(|help| help.replace("mean `", &format!("mean `{prefix}")));
                wrong.selector = prefix == "match.";
                wrong
            });
        }
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

/// The field that a header names, or its near miss among fields and special columns.
fn field(kind: &Kind, text: &str, header: &str) -> Result<FieldPath, HeaderFault> {
    let path: FieldPath = text.parse().map_err(|error| HeaderFault {
        what: format!("column `{header}` {error}"),
        help: Some("keys with dots are quoted: `client_metadata.\"a.b\"`".into()),
        selector: false,
    })?;
    let Lookup::Unknown { near } = kind.lookup(&path) else { return Ok(path) };
    let id_field = kind.endpoint.id_field.as_str();
    let near = nearest(header, [id_field, "tenant", "match.name", "expect.name"]).map(str::to_owned).or(near);
    Err(HeaderFault {
        what: format!("unknown column `{header}`"),
        selector: near.as_deref().is_some_and(|near| near == id_field || near.starts_with("match.")),
        help: Some(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                format!("a column names a field of a {}; begin it with `_` to have it ignored", kind.singular)
            }
        }),
    })
}
