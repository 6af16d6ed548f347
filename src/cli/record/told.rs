//! What is said of a recording, and its file.

use serde_json::json;

use super::super::args::RecordArgs;
use super::super::error::CliError;
use super::super::exit;
use super::super::output::Output;
use crate::changeset::ChangeSet;
use crate::report::term;
use crate::store::atomic;

pub(super) fn write(changeset: &ChangeSet, args: &RecordArgs, output: &Output) -> Result<u8, CliError> {
    if let Some(path) = &args.out {
        atomic::write(path, |out| changeset.write(out))
            .map_err(|error| CliError::setup(error.to_string()))?;
    }
    if output.json() {
        output.object(&as_json(changeset, args));
    } else if args.out.is_none() {
        output.result(&changeset.text());
    }
    tell(changeset, args, output);
    Ok(exit::OK)
}

fn as_json(changeset: &ChangeSet, args: &RecordArgs) -> serde_json::Value {
    let replaced = changeset.replaced.iter();
    json!({
        "path": args.out,
        "changeset": args.out.is_none().then(|| changeset.text()),
        "digest": changeset.digest,
        "clients": changeset.clients(),
        "replaced": replaced.map(|one| json!({"by": one.code, "count": one.count})).collect::<Vec<_>>(),
        "required_variables": changeset.required,
        "left_out": changeset.left_out,
        "warnings": changeset.warnings,
    })
}

/// What was recorded, which values became placeholders, and what is not in the file.
fn tell(changeset: &ChangeSet, args: &RecordArgs, output: &Output) {
    for one in &changeset.replaced {
        let times = term::count(one.count, "value");
        output.note(&format!(
            "  {times} replaced by {{{{ {} }}}}, as in {}",
            one.code,
            term::safe(&one.client)
        ));
    }
    if !changeset.required.is_empty() {
        let names = changeset.required.join(", ");
        output.note(&format!(
            "{} every target needs these variables: {names}",
            term::paint(term::WARN, "note:")
        ));
    }
    for what in &changeset.warnings {
        output.error(&format!("{} {}", term::paint(term::WARN, "warning:"), term::safe(what)));
    }
    for what in &changeset.left_out {
        output.error(&format!("{} {}", term::paint(term::WARN, "left out:"), term::safe(what)));
    }
    if changeset.clients() == 0 {
        output.error(&format!("{} nothing was recorded", term::paint(term::WARN, "warning:")));
    }
    let clients = term::count(changeset.clients(), &changeset.noun);
    let place = args.out.as_deref().map(|path| format!(" in {}", path.display())).unwrap_or_default();
    output.note(&format!("{clients} recorded{place}."));
    if let Some(path) = args.out.as_deref().filter(|_| changeset.clients() > 0) {
        output.note(&format!(
            "To see what it would do elsewhere: patchwave replay {} --tenant NAME --dry-run",
            path.display()
        ));
    }
}
