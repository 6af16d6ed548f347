//! The file that `get` leaves, in each of its forms; every form is a job again. Central type: [`Form`].

use std::io::{self, Write};
use std::sync::Arc;

use serde_json::Value;

use super::json::{BASE_KEY, KIND_KEY};
use super::update::{Action, Expect, Extras, Op, Origin, Update};
use super::{Job, RowLabel, Selector, csv, print};
use crate::catalogue::{Kind, Kinds, Lookup, Writable, redact};
use crate::model::{Body, EntityId, FieldPath, SourceFile};

/// How fetched clients are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One object, or an array of them.
    Json,
    /// One object a line.
    JsonLines,
    /// A spreadsheet: a row a client, a column a leaf.
    Csv,
    /// A TOML job with `expect.X` beside `set.X`.
    Toml,
}

/// Objects of one kind that were fetched together.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// The kind.
    pub kind: &'static Kind,
    /// The objects.
    pub bodies: Vec<Body>,
    /// Names what was kept of this fetch, so that edits can be told from what others change meanwhile.
    pub digest: String,
}

impl Form {
    /// Whether a file of this form holds objects of several kinds: one has a header, and in the other nothing says of which
    /// tenant's state its values are but the one digest.
    pub fn holds_several_kinds(self) -> bool {
        matches!(self, Self::Json | Self::JsonLines)
    }
}

/// Writes objects, kind after kind; several kinds where the form [holds them](Form::holds_several_kinds). `single`: one object
/// was asked for, and stands alone.
///
/// # Errors
/// Those of the writer.
pub fn write(form: Form, all: Vec<Fetched>, single: bool, out: &mut dyn Write) -> io::Result<()> {
    let marked = |Fetched { kind, bodies, digest }: Fetched| {
        bodies.into_iter().map(move |mut body| {
            if !kind.name.is_default() {
                body.insert(KIND_KEY.to_owned(), Value::from(kind.name.as_str()));
            }
            body.insert(BASE_KEY.to_owned(), Value::from(digest.as_str()));
            Value::Object(body)
        })
    };
    match form {
        Form::Csv => all.iter().try_for_each(|of| csv::write::print(of.kind, &of.bodies, &of.digest, out)),
        Form::Toml => all
            .iter()
            .try_for_each(|of| out.write_all(print::toml(&job(of.kind, &of.bodies, &of.digest)).as_bytes())),
        Form::JsonLines => {
            for body in all.into_iter().flat_map(marked) {
                serde_json::to_writer(&mut *out, &body)?;
                out.write_all(b"\n")?;
            }
            Ok(())
        }
        Form::Json => {
            let mut marked = all.into_iter().flat_map(marked);
            let value: Value = match (single, marked.next()) {
                (true, Some(only)) => only,
                (_, first) => first.into_iter().chain(marked).collect(),
            };
            serde_json::to_writer_pretty(&mut *out, &value)?;
            out.write_all(b"\n")
        }
    }
}

/// The job that asks of each client what it holds: a value that is edited becomes a change, with the other as its before.
fn job(kind: &'static Kind, bodies: &[Body], digest: &str) -> Job {
    let file = SourceFile::new("", "");
    let digest: Arc<str> = Arc::from(digest);
    let update = |(at, body): (usize, &Body)| {
        let id = body.get(&kind.endpoint.id_field).and_then(Value::as_str)?;
        let origin = Origin { file: Arc::clone(&file), span: 0..0, label: RowLabel::Update(at + 1) };
        let base = Some(Arc::clone(&digest));
        let extras = Extras { base, ..Extras::default() };
        let mut update = Update::new(kind, origin, Selector::Id(EntityId::new(id))).with(extras);
        for (key, value) in body {
            leaves(kind, FieldPath::root_field(key), value, &mut update);
        }
        (!update.ops.is_empty()).then_some(update)
    };
    let updates = bodies.iter().enumerate().filter_map(update).collect();
    Job { updates, ..Job::empty(format!("edit-{}", kind.name), Kinds::built_in()) }
}

fn leaves(kind: &Kind, path: FieldPath, value: &Value, update: &mut Update) {
    let known = !matches!(kind.lookup(&path), Lookup::Unknown { .. });
    if !known || kind.writable(&path) != Writable::Patch || kind.is_secret(&path) {
        return;
    }
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, inner)| leaves(kind, path.child(key), inner, update));
        }
        // Neither has a spelling that would come back as it is.
        value if redact::has_marker(value) || cannot_be_written(value) => (),
        value => {
            let (action, expected) = (Action::Set(value.clone().into()), Some(value.clone().into()));
            update.ops.push(Op { path: path.clone(), action, span: 0..0 });
            update.expects.push(Expect { path, value: expected, span: 0..0 });
        }
    }
}

/// TOML has no null, and no whole number beyond 64 bits with a sign.
fn cannot_be_written(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Number(number) => number.is_u64() && !number.is_i64(),
        Value::Array(items) => items.iter().any(cannot_be_written),
        Value::Object(map) => map.values().any(|value| !value.is_null() && cannot_be_written(value)),
        _ => false,
    }
}
