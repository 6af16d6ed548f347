//! What templates and expressions can see. Central types: [`Scope`] and [`TenantScope`].

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use csv::StringRecord;
use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, Value};

use super::absent::Absent;
use super::engine;
use super::ids::{FUNCTION, Ids};
use super::node::Node;
use super::notes;
use super::outcome::RenderFault;
use super::scan::NONE;
use crate::catalogue::{Kind, redact};
use crate::model::secret::names_credential;
use crate::model::suggest::nearest;
use crate::model::{Body, Domain, FieldPath, SecretPlace, TenantName};

/// Names that are never fields: a field of such a name is reached under `client.` alone.
pub(super) const RESERVED: [&str; 6] = ["client", "row", "vars", "tenant", "env", FUNCTION];

/// What templates see that is the same for every client of a tenant.
#[derive(Clone)]
pub struct TenantScope {
    /// The tenant's name in this run.
    pub name: TenantName,
    tenant: Value,
    vars: Value,
    env: Value,
    /// The function that finds objects by name.
    ids: Value,
    /// Whether the tenant's objects are known yet.
    knows_ids: bool,
    /// Names of the variables.
    known: BTreeSet<String>,
    /// Variables that say where a secret is kept.
    secrets: BTreeMap<String, SecretPlace>,
}

impl TenantScope {
    /// `vars` are those of the job, the tenant and the command line already laid over each other; `env` holds the variables
    /// that the user allowed, and no other.
    pub fn new(
        name: &TenantName,
        domain: Option<&Domain>,
        tags: &Body,
        vars: Body,
        env: BTreeMap<String, String>,
    ) -> Self {
        let mut tenant = Body::new();
        tenant.insert("name".into(), name.as_str().into());
        tenant.insert("domain".into(), domain.map_or_else(|| name.as_str().into(), |d| d.as_str().into()));
        tenant.insert("tags".into(), tags.clone().into());
        let read = move |name: String| {
            env.get(&name).filter(|_| !names_credential(&name)).cloned().ok_or_else(|| {
                let what = format!(
                    "env(\"{name}\") is not allowed or not set: allow it with --allow-env {name}, or allow_env in patchwave.toml (a credential cannot be allowed)"
                );
                Error::new(ErrorKind::InvalidOperation, what)
            })
        };
        let known = vars.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name.clone()).collect();
        Self {
            known,
            secrets: BTreeMap::new(),
            name: name.clone(),
            tenant: Value::from_object(Node::closed(&Arc::new(tenant), "tenant")),
            vars: Value::from_object(Node::closed(&Arc::new(vars), "vars")),
            env: Value::from_function(read),
            ids: Ids::default().function(),
            knows_ids: false,
        }
    }

    /// The same, with variables that say where a secret is kept.
    #[must_use]
    pub fn with_secrets(self, secrets: BTreeMap<String, SecretPlace>) -> Self {
        Self { secrets, ..self }
    }

    /// The same, with the tenant's objects by name.
    #[must_use]
    pub fn with_ids(&self, ids: Ids) -> Self {
        Self { ids: ids.function(), knows_ids: true, ..self.clone() }
    }

    /// Whether objects can be asked for by name: not before the tenant was read.
    pub fn knows_ids(&self) -> bool {
        self.knows_ids
    }

    /// Where the secret is kept that a variable stands for.
    ///
    /// # Errors
    /// Where the variable holds something else: a secret in plain text is none any more.
    pub fn secret(&self, path: &FieldPath, variable: &str) -> Result<SecretPlace, RenderFault> {
        self.secrets.get(variable).cloned().ok_or_else(|| {
            let what = format!("vars.{variable} does not say where a secret is kept, and {path} is a secret");
            RenderFault::new(what).help(format!(
                "write {variable} = {{ env = \"NAME\" }}, {{ file = \"PATH\" }} or {{ command = \"…\" }} into vars of [tenants.{}] in patchwave.toml, or one of the first two into [vars] of the job; plain text, and --var with it, would be in files and process lists",
                self.name
            ))
        })
    }

    /// Whether a variable has a value here.
    pub fn has_var(&self, name: &str) -> bool {
        self.known.contains(name)
    }

    /// The variables that have a value here.
    pub fn var_names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(String::as_str)
    }

    /// Of a tenant with nothing but a name, as tests and `get` use it.
    pub fn plain(name: &TenantName) -> Self {
        Self::new(name, None, &Body::new(), Body::new(), BTreeMap::new())
    }
}

impl fmt::Debug for TenantScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TenantScope({})", self.name)
    }
}

/// A row of the file that an update's `rows` names.
#[derive(Debug, Clone, PartialEq)]
pub struct RowCells {
    /// The file's own columns.
    pub columns: Arc<Vec<String>>,
    /// The cells beside them.
    pub cells: StringRecord,
    /// As the spreadsheet shows it.
    pub number: usize,
}

impl RowCells {
    fn get(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.cells.get(at)
    }
}

impl Object for RowCells {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let found = RowCells::get(self, key);
        if found.is_none() {
            let near = nearest(key, self.columns.iter().map(String::as_str));
            notes::missing(format!("row['{key}']"), near.map(|near| format!("row['{near}']")));
        }
        if found == Some("") {
            notes::empty_cell(key);
        }
        found.map(Value::from)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.columns.iter().map(|name| Value::from(name.as_str())).collect())
    }
}

/// All that one evaluation can see. What is not there is not seen: an expression that uses it is refused when the job is read.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    client: Option<(Arc<Body>, &'static Kind)>,
    tenant: Option<Arc<TenantScope>>,
    row: Option<Arc<RowCells>>,
}

impl Scope {
    /// Nothing but a row, as the job is read.
    pub fn of_row(row: &Arc<RowCells>) -> Self {
        Self { row: Some(Arc::clone(row)), ..Self::default() }
    }

    /// A tenant, and the row where there is one: what a selector sees.
    pub fn of_tenant(tenant: &Arc<TenantScope>, row: Option<&Arc<RowCells>>) -> Self {
        Self { client: None, tenant: Some(Arc::clone(tenant)), row: row.cloned() }
    }

    /// The same, with a client.
    #[must_use]
    pub fn with_client(&self, client: &Arc<Body>, kind: &'static Kind) -> Self {
        // What stands in place of a secret is no value that anything could be made of.
        let marked = client.values().any(redact::has_marker);
        let seen = if marked { Arc::new(without_markers(client)) } else { Arc::clone(client) };
        Self { client: Some((seen, kind)), ..self.clone() }
    }

    /// The tenant.
    pub fn tenant(&self) -> Option<&TenantScope> {
        self.tenant.as_deref()
    }

    /// The row, for messages.
    pub fn row(&self) -> Option<&RowCells> {
        self.row.as_deref()
    }

    pub(super) fn value(&self) -> Value {
        Value::from_object(Root(self.clone()))
    }
}

fn without_markers(object: &Body) -> Body {
    let kept = object.iter().filter(|(_, value)| !redact::is_marker(value));
    kept.map(|(key, value)| {
        let value = match value {
            serde_json::Value::Object(inner) => without_markers(inner).into(),
            value => value.clone(),
        };
        (key.clone(), value)
    })
    .collect()
}

/// What the engine asks for root names.
#[derive(Debug)]
struct Root(Scope);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let scope = &self.0;
        let tenant = scope.tenant.as_deref();
        match key {
            NONE => Some(Absent::literal()),
            "row" => scope.row.as_ref().map(|row| Value::from_dyn_object(Arc::clone(row))),
            "vars" => tenant.map(|tenant| tenant.vars.clone()),
            "tenant" => tenant.map(|tenant| tenant.tenant.clone()),
            "env" => tenant.map(|tenant| tenant.env.clone()),
            FUNCTION => tenant.map(|tenant| tenant.ids.clone()),
            "client" => scope
                .client
                .as_ref()
                .map(|(body, kind)| Value::from_object(Node::client(body, kind, "client"))),
            field => {
                let (body, kind) = scope.client.as_ref()?;
                // A function of the engine's own is no field that a client lacks.
                let known = body.contains_key(field) || kind.root().fields.contains_key(field);
                if !known && engine::has_global(field) {
                    return None;
                }
                Node::client(body, kind, "").get(field)
            }
        }
    }
}
