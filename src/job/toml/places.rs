//! `set.client_secret = { env = "NAME" }`: a secret is named by where it is kept.

use std::ops::Range;

use serde_json::{Map, Value};

use super::Reader;
use crate::catalogue::validate;
use crate::job::leaves::Fault;
use crate::job::{Action, Op};
use crate::model::secret::names_own_credential;
use crate::model::{FieldPath, SecretPlace};

const FORMS: &str = "write { env = \"NAME\" } or { file = \"PATH\" }";

impl Reader<'_> {
    /// The operation that sets a secret field from where its value is kept. Nothing is looked up there yet.
    pub(super) fn secret_op(
        &self,
        path: FieldPath,
        place: &Map<String, Value>,
        span: Range<usize>,
    ) -> Result<Op, Vec<Fault>> {
        if let Some(fault) = validate::may_set_from_place(self.kind(), &path) {
            return Err(vec![(fault.what, fault.help)]);
        }
        let place = self.place(&path, place).map_err(|fault| vec![fault])?;
        Ok(Op { path, action: Action::Set(place.marker().into()), span })
    }

    fn place(&self, path: &FieldPath, place: &Map<String, Value>) -> Result<SecretPlace, Fault> {
        let fault = |what: String, help: &str| Err((what, Some(help.to_owned())));
        let entry = place.iter().next().filter(|_| place.len() == 1);
        let Some((key, Value::String(name))) = entry else {
            return fault(format!("{path} is a secret: it needs one place where it is kept"), FORMS);
        };
        match key.as_str() {
            "env" if names_own_credential(name) => fault(
                format!("{path}: {name} is patchwave's own, and no job may send it anywhere"),
                "give the secret a variable of its own",
            ),
            "env" if is_variable(name) => Ok(SecretPlace::Env(name.clone())),
            "env" => fault(
                format!("{path}: `env` does not hold the name of a variable"),
                "a name has letters, digits and `_`, such as SHOP_SECRET; the secret itself is never in a job",
            ),
            "file" if name.is_empty() => fault(format!("{path}: `file` is empty"), FORMS),
            "file" => Ok(SecretPlace::file(&self.options.files.path(name))),
            "command" => fault(
                format!("{path}: a job runs no commands"),
                "give each tenant a variable in patchwave.toml, vars = { NAME = { command = \"…\" } }, and set the field to \"{{ vars.NAME }}\"",
            ),
            other => fault(format!("{path}: a secret is kept in no `{other}`"), FORMS),
        }
    }
}

fn is_variable(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
