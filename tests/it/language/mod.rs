//! The job language, rule by rule: each test is one sentence of it. A job and the clients of a tenant go in, what is planned
//! comes out as text, in process and without a network.

#![expect(clippy::needless_pass_by_value, reason = "called with literals")]

mod csv;
mod csv_cells;
mod csv_files;
mod equality;
mod expect;
mod get_csv;
mod get_files;
mod get_secrets;
mod get_toml;
mod lists;
mod narrowing;
mod operations;
mod repeatable;
mod replace;
mod rows;
mod selectors;
mod several_updates;
mod template_none;
mod template_tools;
mod template_values;
mod templates;
mod traps;
mod whom;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use patchwave::catalogue::{Kind, Kinds, redact};
use patchwave::job::fetched::{self, Fetched, Form};
use patchwave::job::{Bases, Expression, Files, Input, Job, LoadOptions, TenantScope, load};
use patchwave::model::{Body, Domain, EntityId, Packed, Problem, TenantName};
use patchwave::plan::{
    PlanOptions, Row, RowState, TenantState, Unplannable, Write, plan_tenant, predicted, resolve::Resolved,
    warnings,
};
use serde_json::Value;

/// A tenant with clients, and the files that a job may name.
pub(crate) struct World {
    clients: Vec<Body>,
    files: HashMap<String, Vec<u8>>,
    tenant: String,
    vars: Body,
    given: Body,
    env: BTreeMap<String, String>,
    allow_fields: Vec<String>,
    ignored: Vec<String>,
    encoding: Option<String>,
    narrow: Option<String>,
    options: PlanOptions,
    without_base: bool,
    own: Option<EntityId>,
    excluded: Vec<EntityId>,
    kept: RefCell<HashMap<(String, EntityId), Arc<Body>>>,
}

fn object(value: Value) -> Body {
    match value {
        Value::Object(body) => body,
        other => panic!("no object: {other}"),
    }
}

impl World {
    pub(crate) fn new(clients: Value) -> Self {
        let Value::Array(clients) = clients else { panic!("no list of clients") };
        Self {
            clients: clients.into_iter().map(object).collect(),
            files: HashMap::new(),
            tenant: "dev".to_owned(),
            vars: Body::new(),
            given: Body::new(),
            env: BTreeMap::new(),
            allow_fields: Vec::new(),
            ignored: Vec::new(),
            encoding: None,
            narrow: None,
            options: PlanOptions::default(),
            without_base: false,
            own: None,
            excluded: Vec::new(),
            kept: RefCell::default(),
        }
    }

    pub(crate) fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(name.to_owned(), content.as_ref().to_vec());
        self
    }

    pub(crate) fn vars(mut self, vars: Value) -> Self {
        self.vars = object(vars);
        self
    }

    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.given.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn narrowed(mut self, expression: &str) -> Self {
        self.narrow = Some(expression.to_owned());
        self
    }

    pub(crate) fn limit(mut self, limit: usize) -> Self {
        self.options.limit = Some(limit);
        self
    }

    pub(crate) fn own(mut self, id: &str) -> Self {
        self.own = Some(id.into());
        self
    }

    pub(crate) fn excluded(mut self, id: &str) -> Self {
        self.excluded.push(id.into());
        self
    }

    pub(crate) fn allow_field(mut self, path: &str) -> Self {
        self.allow_fields.push(path.to_owned());
        self
    }

    pub(crate) fn allow_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn ignore_column(mut self, name: &str) -> Self {
        self.ignored.push(name.to_owned());
        self
    }

    pub(crate) fn encoding(mut self, name: &str) -> Self {
        self.encoding = Some(name.to_owned());
        self
    }

    pub(crate) fn force(mut self, what: &str) -> Self {
        match what {
            "protect" => self.options.force_protect = true,
            "own-client" => self.options.force_own_client = true,
            other => panic!("--force {other}"),
        }
        self
    }

    pub(crate) fn no_base(mut self) -> Self {
        self.without_base = true;
        self
    }

    pub(crate) fn tenant(mut self, name: &str) -> Self {
        self.tenant = name.to_owned();
        self
    }

    /// Somebody else edits a client: these fields are replaced.
    pub(crate) fn elsewhere(mut self, id: &str, fields: Value) -> Self {
        let client = self.clients.iter_mut().find(|client| client["client_id"] == id).unwrap();
        client.extend(object(fields));
        self
    }

    fn kinds(&self) -> Kinds {
        let paths: Vec<_> = self.allow_fields.iter().map(|path| path.parse().unwrap()).collect();
        Kinds::with_extra_fields(&paths).unwrap()
    }

    fn kind(&self) -> &'static Kind {
        self.kinds().default_kind()
    }

    /// The job itself.
    pub(crate) fn read(&self, input: Input<'_>) -> Result<Job, Vec<Problem>> {
        self.load(input.name, input.bytes)
    }

    /// The world once a job was applied, as the plan predicts it; `None` where the job is refused or changes nothing.
    pub(crate) fn applied(&self, name: &str, content: impl AsRef<[u8]>) -> Option<Self> {
        let job = self.load(name, content.as_ref()).ok()?;
        let (writes, _) = self.planned(&job).ok()?;
        let mut after = self.clients.clone();
        for write in writes.iter() {
            let client = after.iter_mut().find(|client| client["client_id"] == write.id.as_str()).unwrap();
            *client = predicted(self.kinds().get(write.kind), &write);
        }
        (!writes.is_empty()).then(|| Self::new(after.into_iter().map(Value::Object).collect()))
    }

    /// The writes and rows that a job comes to; `None` where it is refused.
    pub(crate) fn resolved(&self, name: &str, content: impl AsRef<[u8]>) -> Option<(Vec<Write>, Vec<Row>)> {
        let job = self.load(name, content.as_ref()).ok()?;
        let (writes, rows) = self.planned(&job).ok()?;
        Some((writes.iter().collect(), rows))
    }

    fn load(&self, name: &str, content: &[u8]) -> Result<Job, Vec<Problem>> {
        let encoding = |name: &String| encoding_rs::Encoding::for_label(name.as_bytes()).unwrap();
        let options = LoadOptions {
            kinds: &self.kinds(),
            kind: self.kind(),
            bases: self,
            files: self,
            without_base: self.without_base,
            ignored_columns: &self.ignored,
            encoding: self.encoding.as_ref().map(encoding),
        };
        load(Input { name, bytes: content }, options)
    }

    fn stripped(&self) -> impl Iterator<Item = Body> {
        self.clients.iter().cloned().map(|mut body| {
            redact::strip(self.kind(), &mut body);
            body
        })
    }

    fn state(&self, job: &Job) -> TenantState {
        let objects = self
            .stripped()
            .map(|body| (EntityId::new(body["client_id"].as_str().unwrap()), Packed::new(&body)));
        TenantState {
            objects: objects.collect(),
            own: self.own.clone(),
            excluded: self.excluded.clone(),
            protected: job.guards.protect.iter().cloned().collect(),
            ..TenantState::default()
        }
    }

    fn planned(&self, job: &Job) -> Result<Resolved, Unplannable> {
        let name = TenantName::new(&self.tenant);
        let domain = Domain::parse(&format!("{}.example.com", self.tenant)).unwrap();
        let mut vars = job.vars.clone();
        vars.extend(self.vars.clone());
        vars.extend(self.given.clone());
        let scope = Arc::new(TenantScope::new(&name, Some(&domain), &Body::new(), vars, self.env.clone()));
        let parsed =
            |kind: &'static Kind| Some((kind.name, Expression::parse(self.narrow.as_ref()?, kind).unwrap()));
        let narrow = job.used().into_iter().filter_map(parsed).collect();
        let options = PlanOptions { narrow, ..self.options.clone() };
        plan_tenant(job, &scope, &self.state(job).into(), &options)
    }

    /// What a job comes to, as text: see `told`.
    pub(crate) fn plan(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let job = match self.load(name, content.as_ref()) {
            Ok(job) => job,
            Err(problems) => return refused(&problems),
        };
        let mut lines: Vec<String> =
            job.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
        match self.planned(&job) {
            Ok(resolved) => {
                let state = self.state(&job);
                let warnings = warnings(&job, &TenantName::new(&self.tenant), &state.into(), &resolved);
                lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
                told(&resolved, &mut lines);
            }
            Err(Unplannable::Job(problems)) => lines.push(refused(&problems)),
            Err(Unplannable::Refused(refusals)) => {
                lines.extend(
                    refusals.iter().map(|refusal| format!("exit 4: {} ({})", refusal.what, refusal.help)),
                );
            }
        }
        lines.join("\n")
    }

    /// The body of each PATCH.
    pub(crate) fn sent(&self, name: &str, content: impl AsRef<[u8]>) -> Vec<(String, Value)> {
        let job =
            self.load(name, content.as_ref()).unwrap_or_else(|problems| panic!("{}", refused(&problems)));
        let (writes, _) = self.planned(&job).unwrap_or_else(|error| panic!("{error:?}"));
        writes.iter().map(|write| (write.id.to_string(), Value::Object(write.body))).collect()
    }

    /// What `get --all` writes of these clients; its base is kept.
    pub(crate) fn get(&self, form: &str) -> String {
        let form = match form {
            "json" => Form::Json,
            "jsonl" => Form::JsonLines,
            "csv" => Form::Csv,
            "toml" => Form::Toml,
            other => panic!("no form {other}"),
        };
        let bodies: Vec<Body> = self.stripped().collect();
        let digest = "0123456789abcdef0123456789abcdef";
        for body in &bodies {
            let id = EntityId::new(body["client_id"].as_str().unwrap());
            self.kept.borrow_mut().insert((digest.to_owned(), id), Arc::new(body.clone()));
        }
        let mut out = Vec::new();
        let fetched = Fetched { kind: self.kind(), bodies, digest: digest.to_owned() };
        fetched::write(form, vec![fetched], false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

impl Bases for World {
    fn find(&self, _kind: &Kind, digest: &str, id: &EntityId) -> Result<Option<Arc<Body>>, String> {
        Ok(self.kept.borrow().get(&(digest.to_owned(), id.clone())).cloned())
    }
}

impl Files for World {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.files.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }
}

fn refused(problems: &[Problem]) -> String {
    problems.iter().map(|problem| format!("exit 64: {problem}")).collect::<Vec<_>>().join("\n")
}

/// A line a changed field, then a line for each row that comes to no write.
fn told((writes, rows): &Resolved, lines: &mut Vec<String>) {
    let shown = |value: Option<&Value>| value.map_or_else(|| "absent".to_owned(), Value::to_string);
    for Write { id, changes, .. } in writes.iter() {
        for change in changes {
            let (before, after) = (shown(change.before.as_ref()), shown(change.after.as_ref()));
            lines.push(format!("{id} {} {before} → {after}", change.path));
        }
    }
    for row in rows {
        let RowState::Done(done) = &row.state else { continue };
        let id = row.id.as_ref().map_or("-", EntityId::as_str);
        let reason = done.reason.map(|reason| format!(" {reason}")).unwrap_or_default();
        lines.push(format!("{id} {}{reason}", done.result));
    }
}

/// A job checked offline: "ok", or all that is wrong.
pub(crate) fn check(name: &str, content: impl AsRef<[u8]>) -> String {
    let world = World::new(Value::Array(Vec::new()));
    match world.load(name, content.as_ref()) {
        Ok(_) => "ok".to_owned(),
        Err(problems) => refused(&problems),
    }
}
