//! The objects of a tenant at one time: out of a file of `get`, or read now. Central type: [`Taken`].

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::LazyLock;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::args::{PaceArgs, TenantArgs};
use super::connect::{Session, Surroundings, Target, connect};
use super::error::CliError;
use super::sandbox::loaded;
use crate::auth0::{ApiError, Reader};
use crate::catalogue::{self, Kind, KindName, default_kind, redact};
use crate::changeset::{Named, Snapshot, Source};
use crate::config::{self, Config};
use crate::job::json::BASE_KEY;
use crate::model::{Body, Domain, Entity, EntityId, FieldPath, TenantName};
use crate::report::progress::Display;
use crate::run::live;
use crate::store::{StateDir, bases, snapshots};

/// A snapshot, and where it is from.
pub(super) struct Taken {
    /// As it was named.
    pub(super) name: String,
    /// What was read, kind by kind.
    pub(super) shots: Vec<Shot>,
    /// Objects of other kinds, that those may name: only what they are called is looked at.
    pub(super) beside: Vec<Shot>,
    /// The tenant, where it is configured.
    pub(super) tenant: Option<TenantName>,
    /// Where that is known.
    pub(super) domain: Option<Domain>,
    /// The tenant's variables.
    pub(super) vars: Body,
}

/// The objects of one kind.
pub(super) struct Shot {
    /// The kind.
    pub(super) kind: &'static Kind,
    /// The objects, without secrets.
    pub(super) snapshot: Snapshot,
    /// When it was begun, where that is known.
    pub(super) at: Option<Timestamp>,
    /// When it was complete, likewise.
    pub(super) read_by: Option<Timestamp>,
}

impl Taken {
    /// What was read of a kind; nothing, where it was not.
    pub(super) fn of(&self, kind: &Kind) -> &Snapshot {
        static NOTHING: LazyLock<Snapshot> = LazyLock::new(Snapshot::default);
        self.shot(kind).map_or(&NOTHING, |shot| &shot.snapshot)
    }

    /// What was read of a kind, where it was read.
    pub(super) fn shot(&self, kind: &Kind) -> Option<&Shot> {
        self.shots.iter().find(|shot| shot.kind.name == kind.name)
    }

    /// Leaves other kinds out; where none is named, none.
    pub(super) fn keep_only(&mut self, kinds: &[&'static Kind]) {
        let is_meant = |shot: &Shot| kinds.is_empty() || kinds.iter().any(|kind| kind.name == shot.kind.name);
        let (shots, others) = std::mem::take(&mut self.shots).into_iter().partition(is_meant);
        self.shots = shots;
        self.beside.extend::<Vec<Shot>>(others);
    }

    /// These, read of a tenant.
    pub(super) fn of_target(target: &Target, shots: Vec<Shot>) -> Self {
        Self {
            name: target.tenant.to_string(),
            shots,
            beside: Vec::new(),
            tenant: Some(target.tenant.clone()),
            domain: Some(target.domain.clone()),
            vars: target.vars.clone(),
        }
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> usize {
        self.shots.iter().map(|shot| shot.snapshot.clients.len()).sum()
    }

    /// When the last of it was begun, where that is known.
    pub(super) fn at(&self) -> Option<Timestamp> {
        self.shots.iter().filter_map(|shot| shot.at).max()
    }

    /// What belongs to its tenant alone. Without `parametrize` variables stay what they are. Objects are found elsewhere by what
    /// they have at `identity`.
    pub(super) fn source(&self, identity: Option<&FieldPath>, parametrize: bool) -> Source<'static> {
        let none = Body::new();
        let vars = if parametrize { &self.vars } else { &none };
        Source::new(self.domain.as_ref(), vars, self.named(identity))
    }

    /// What belongs to the one tenant that this and a later snapshot are of. A client that one of them alone has is known in
    /// both, and one that was renamed by its name here: else what nobody touched would differ by its placeholders.
    pub(super) fn source_with(
        &self,
        later: &Self,
        identity: Option<&FieldPath>,
        parametrize: bool,
    ) -> Source<'static> {
        let told = [later, self].into_iter().find(|taken| taken.tenant.is_some()).unwrap_or(later);
        let none = Body::new();
        let vars = if parametrize { &told.vars } else { &none };
        // Of two entries of one id the last one counts.
        let objects = later.named(identity).chain(self.named(identity));
        Source::new(later.domain.as_ref().or(self.domain.as_ref()), vars, objects)
    }

    fn named<'s>(&'s self, identity: Option<&'s FieldPath>) -> impl Iterator<Item = Named<'s>> {
        self.shots.iter().chain(&self.beside).flat_map(move |shot| {
            let paths = shot.kind.identity_or(identity);
            // Of those that only several fields tell apart nobody asks by name.
            let path = paths.into_iter().next().filter(|_| shot.kind.identity.len() == 1);
            let name = move |body: &Body| path.as_ref()?.get(body).and_then(Value::as_str).map(str::to_owned);
            shot.snapshot.clients.iter().map(move |(id, body)| (shot.kind.name, id, name(body)))
        })
    }

    /// Whether both are of one tenant, where that is known.
    pub(super) fn is_of_the_tenant_of(&self, other: &Self) -> Option<bool> {
        Some(self.domain.as_ref()? == other.domain.as_ref()?)
    }

    /// The name of the tenant as a change set may have it: the domain stays out of it.
    pub(super) fn label(&self) -> Option<String> {
        let name = self.tenant.as_ref()?.to_string();
        (self.domain.as_ref().map(Domain::as_str) != Some(name.as_str())).then_some(name)
    }
}

/// Every client of a tenant but those that lists leave out on purpose.
pub(super) async fn entities(reader: &Reader, kind: &Kind) -> Result<Vec<Entity>, ApiError> {
    let excluded = |entity: &Entity| {
        kind.excluded_field().and_then(|field| entity.body.get(field)) == Some(&Value::Bool(true))
    };
    let all = live::all(reader, kind).await?;
    Ok(all.into_iter().filter(|entity| !excluded(entity)).collect())
}

/// Reads a tenant now, and keeps what was read.
pub(super) async fn of_tenant(
    target: &Target,
    kinds: &[&'static Kind],
    state: &StateDir,
) -> Result<Taken, CliError> {
    let mut shots = Vec::new();
    for kind in kinds {
        shots.push(shot(target, kind, state).await?);
    }
    let mut taken = Taken::of_target(target, shots);
    taken.know_others(target).await?;
    Ok(taken)
}

async fn shot(target: &Target, kind: &'static Kind, state: &StateDir) -> Result<Shot, CliError> {
    let at = now();
    let failed = |error| CliError::tenant(target.tenant.as_str(), &error);
    let read = entities(&target.connection.reader(), kind).await.map_err(failed)?;
    let mut bodies: Vec<Body> = read.into_iter().map(|entity| entity.body).collect();
    bodies.iter_mut().for_each(|body| {
        redact::strip(kind, body);
    });
    snapshots::keep(state, &bodies, (&target.domain, &kind.name), (at, now(), true))?;
    Ok(Shot { kind, snapshot: Snapshot::of(kind, bodies), at: Some(at), read_by: Some(now()) })
}

/// Reads a file of `get`. Which tenant it is of is told by what is kept of that `get`, or by the tenant that was chosen.
pub(super) fn of_file(
    path: &str,
    (state, surroundings): (&StateDir, &Surroundings),
    chosen: &TenantArgs,
) -> Result<Taken, CliError> {
    let wrong = |cause: String| CliError::usage(format!("{path}: {cause}"));
    let extension =
        Path::new(path).extension().and_then(|extension| extension.to_str()).map(str::to_lowercase);
    if let Some(form @ ("csv" | "toml")) = extension.as_deref() {
        let form = form.to_uppercase();
        return Err(wrong(format!("{form} leaves out what clients hold; `get --all -o FILE.json` keeps it")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let mut by_kind: IndexMap<KindName, Vec<Body>> = IndexMap::new();
    for (kind, body) in loaded::objects(&text).map_err(wrong)? {
        by_kind.entry(kind.name).or_default().push(body);
    }
    // A file without objects is one without clients.
    if by_kind.is_empty() {
        by_kind.insert(KindName::default(), Vec::new());
    }
    let kept = snapshots::list(state)?;
    let mut taken = Taken {
        name: path.to_owned(),
        shots: Vec::new(),
        beside: Vec::new(),
        tenant: None,
        domain: None,
        vars: Body::new(),
    };
    for (name, bodies) in by_kind {
        let (shot, domain) = shot_of_file(name.kind(), bodies, &kept, state)?;
        taken.domain = taken.domain.or(domain);
        taken.shots.push(shot);
    }
    if let Some(config) = &surroundings.config {
        taken.know(config, chosen)?;
    }
    Ok(taken)
}

/// The objects of one kind out of a file, and of which tenant they are, where that is known.
fn shot_of_file(
    kind: &'static Kind,
    mut bodies: Vec<Body>,
    kept: &[snapshots::Snapshot],
    state: &StateDir,
) -> Result<(Shot, Option<Domain>), CliError> {
    let digest = bodies.iter().find_map(|body| body.get(BASE_KEY)?.as_str().map(str::to_owned));
    for body in &mut bodies {
        body.shift_remove(BASE_KEY);
        redact::strip(kind, body);
    }
    fill_in(&mut bodies, digest.as_deref(), kind, state)?;
    let kept =
        kept.iter().rev().find(|kept| Some(&kept.digest) == digest.as_ref() && kept.kind == *kind.name);
    let (at, read_by) = (kept.map(|kept| kept.at), kept.map(|kept| kept.read_by));
    let shot = Shot { kind, snapshot: Snapshot::of(kind, bodies), at, read_by };
    Ok((shot, kept.map(|kept| kept.domain.clone())))
}

/// A field that `--fields` left out of the file was not gone from the tenant: what is kept of that `get` has it.
fn fill_in(bodies: &mut [Body], digest: Option<&str>, kind: &Kind, state: &StateDir) -> Result<(), CliError> {
    let id_field = &kind.endpoint.id_field;
    let Some(kept) = digest.map(|digest| bases::find(state, digest, id_field)).transpose()?.flatten() else {
        return Ok(());
    };
    let there: HashSet<String> = bodies.iter().flat_map(|body| body.keys().cloned()).collect();
    for body in bodies {
        let id = body.get(id_field).and_then(Value::as_str).map(EntityId::new);
        let Some(whole) = id.and_then(|id| kept.get(&id)) else { continue };
        for (key, value) in whole.iter().filter(|(key, _)| !there.contains(*key)) {
            body.insert(key.clone(), value.clone());
        }
    }
    Ok(())
}

/// Takes fields out of both snapshots that need a scope of their own and that no client of the second has: more likely its
/// token was not shown them than that every client lost them.
pub(super) fn forget_unseen([before, after]: [&mut Taken; 2]) -> Vec<String> {
    let mut all = Vec::new();
    for shot in &mut before.shots {
        let kind = shot.kind;
        let Some(other) = after.shots.iter_mut().find(|other| other.kind.name == kind.name) else { continue };
        let seen = |snapshot: &Snapshot, root: &str| {
            snapshot.clients.iter().any(|(_, body)| body.get(root).is_some_and(|value| !value.is_null()))
        };
        let scoped = kind.root().fields.keys().filter(|root| !kind.read_scopes_of(root).is_empty());
        let unseen: Vec<String> = scoped
            .filter(|root| seen(&shot.snapshot, root) && !seen(&other.snapshot, root))
            .cloned()
            .collect();
        for (_, body) in shot.snapshot.clients.iter_mut().chain(&mut other.snapshot.clients) {
            unseen.iter().for_each(|root| drop(body.shift_remove(root)));
        }
        all.extend(unseen);
    }
    all
}

impl Taken {
    /// Reads what objects are called that those which were read may name: ids differ from tenant to tenant, names do not.
    pub(super) async fn know_others(&mut self, target: &Target) -> Result<(), CliError> {
        let named: BTreeSet<&str> = self.shots.iter().flat_map(|shot| shot.kind.references()).collect();
        let known =
            |kind: &&Kind| self.shots.iter().chain(&self.beside).any(|shot| shot.kind.name == kind.name);
        let others: Vec<&'static Kind> =
            catalogue::kinds().filter(|kind| named.contains(kind.name.as_str()) && !known(kind)).collect();
        for kind in others {
            let roots: Vec<&str> = kind.identity.iter().map(String::as_str).collect();
            let read = target.connection.reader().list(&kind.endpoint, Some(&roots)).await;
            // Whose names are not known stays an id, as where nobody asked.
            let Ok(read) = read else { continue };
            let clients = read.into_iter().map(|entity| (entity.id, entity.body)).collect();
            self.beside.push(Shot { kind, snapshot: Snapshot { clients }, at: None, read_by: None });
        }
        Ok(())
    }

    /// Looks the tenant up in the configuration: the one that was chosen, else the one of this domain.
    fn know(&mut self, config: &Config, chosen: &TenantArgs) -> Result<(), CliError> {
        let named = chosen.tenants.first().map(TenantName::new);
        let known = match &named {
            Some(name) => config.tenants.get(name),
            None => config.tenants.values().find(|tenant| Some(&tenant.domain) == self.domain.as_ref()),
        };
        let Some(known) = known else {
            return match named {
                // The environment's tenant has no variables, and its domain tells who it is.
                Some(name) => {
                    let domain = Domain::parse(name.as_str()).ok();
                    let unknown = || CliError::usage(format!("unknown tenant `{name}`"));
                    self.domain = Some(domain.ok_or_else(unknown)?);
                    Ok(())
                }
                None => Ok(()),
            };
        };
        if self.domain.as_ref().is_some_and(|domain| *domain != known.domain) {
            let what = format!("{} was fetched from another tenant than {}", self.name, known.name);
            return Err(CliError::usage(what));
        }
        self.tenant = Some(known.name.clone());
        self.domain = Some(known.domain.clone());
        self.vars = known.vars.clone();
        Ok(())
    }
}

/// Two snapshots: files are read, and tenants are asked, both at once. What is a file is no tenant's name. Of tenants the kinds
/// are read that are named; else those of the file beside, else clients.
pub(super) async fn two(
    (a, b): (&str, &str),
    (tenant, pace): (&TenantArgs, &PaceArgs),
    surroundings: &Surroundings,
    (kinds, state): (&[&'static Kind], &StateDir),
    display: &Display,
) -> Result<(Taken, Taken), CliError> {
    let is_file =
        |word: &str| Path::new(word).is_file() || word.ends_with(".json") || word.ends_with(".jsonl");
    let names: Vec<String> = [a, b].into_iter().filter(|word| !is_file(word)).map(str::to_owned).collect();
    let session = if names.is_empty() { None } else { Some(opened(names, (tenant, pace), display).await?) };
    let read = |word: &str| is_file(word).then(|| of_file(word, (state, surroundings), tenant)).transpose();
    let files = (read(a)?, read(b)?);
    let mut wanted: Vec<&'static Kind> = kinds.to_vec();
    if kinds.is_empty() {
        let of_files = [&files.0, &files.1].into_iter().flatten().flat_map(|taken| &taken.shots);
        wanted.extend(of_files.map(|shot| shot.kind));
    }
    if wanted.is_empty() {
        wanted.push(default_kind());
    }
    let one = async |word: &str, file: Option<Taken>| match (&session, file) {
        (_, Some(mut taken)) => {
            taken.keep_only(kinds);
            if let Some(lacking) = kinds.iter().find(|kind| taken.shot(kind).is_none()) {
                return Err(CliError::usage(format!("{word} holds no {}", lacking.name)));
            }
            Ok(taken)
        }
        (Some(session), None) => {
            let target = target_named(session, word, surroundings)?;
            of_tenant(target, &wanted, state).await
        }
        (None, None) => Err(CliError::usage(format!("{word} is neither a file nor a tenant"))),
    };
    let (a, b) = futures::join!(one(a, files.0), one(b, files.1));
    Ok((a?, b?))
}

async fn opened(
    names: Vec<String>,
    (tenant, pace): (&TenantArgs, &PaceArgs),
    display: &Display,
) -> Result<Session, CliError> {
    let tenant = TenantArgs { tenants: names, groups: Vec::new(), ..tenant.clone() };
    connect(&tenant, pace, &[], display).await
}

/// The tenant that a word chose, by its name or its domain.
fn target_named<'s>(session: &'s Session, word: &str, around: &Surroundings) -> Result<&'s Target, CliError> {
    let by_name = session.target(&TenantName::new(word));
    let selected = || config::select(&[word.to_owned()], &[], around.config.as_ref(), &around.env).ok();
    let found = by_name.or_else(|| session.target(&selected()?.first()?.tenant));
    found.ok_or_else(|| CliError::usage(format!("{word} is neither a file nor a tenant")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock that snapshots are dated by"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
