//! `patchwave get`: clients into a file that is a job again.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{FormArg, GetArgs};
use super::connect::{Target, connect};
use super::context::expression;
use super::error::CliError;
use super::interrupt::Interrupt;
use super::output::Output;
use super::{kinds, snapshot};
use crate::catalogue::{self, Kind, redact};
use crate::job::fetched::{self, Fetched, Form};
use crate::job::{Expression, Scope, TenantScope};
use crate::model::suggest::nearest;
use crate::model::words::a;
use crate::model::{Body, Entity, EntityId, FieldPath};
use crate::report::term;
use crate::run::live::live;
use crate::store::{atomic, snapshots};

/// Fetches, keeps what was fetched as the base of later edits, and writes the file.
pub(super) async fn run(args: GetArgs, output: &Output) -> Result<u8, CliError> {
    let form = form(&args)?;
    let all = Asked::all(&args, form)?;
    if let Some(path) = args.out.as_deref().filter(|path| path.exists() && !args.overwrite) {
        let message = format!("{} exists, and may hold edits; --overwrite replaces it", path.display());
        return Err(CliError::usage(message).next(super::output::command_line_with(&["--overwrite"])));
    }
    let display = output.progress();
    let interrupt = Interrupt::listen(&display);
    let session = interrupt.or(connect(&args.tenant, &args.pace, &[], &display)).await?;
    let [target] = session.targets.as_slice() else {
        return Err(CliError::usage("get reads one tenant: choose one with --tenant"));
    };
    display.reading();
    let mut parts = Vec::new();
    for asked in &all {
        let began = now();
        let fetched = interrupt.or(asked.fetch(target)).await;
        if fetched.is_err() {
            display.clear();
        }
        let bodies = fetched?;
        let whole = asked.list && asked.condition.is_none();
        let from = (&target.domain, asked.kind.name.as_str());
        let digest = snapshots::keep(&session.state, &bodies, from, (began, now(), whole))?;
        let bodies: Vec<Body> = bodies.into_iter().map(|body| asked.pruned(body)).collect();
        parts.push(Fetched { kind: asked.kind, bodies, digest });
    }
    display.clear();
    let count: usize = parts.iter().map(|part| part.bodies.len()).sum();
    let noun = match all.as_slice() {
        [only] => only.kind.singular.as_str(),
        _ => "object",
    };
    let single = all.iter().all(|asked| !asked.list && asked.email.is_empty()) && count == 1;
    let write = |out: &mut dyn std::io::Write| fetched::write(form, parts, single, out);
    let Some(path) = &args.out else {
        let mut text = Vec::new();
        write(&mut text)
            .map_err(|error| CliError::setup(format!("what was read cannot be written: {error}")))?;
        output.result(&String::from_utf8_lossy(&text));
        return Ok(super::exit::OK);
    };
    atomic::write(path, |out| write(out)).map_err(|error| CliError::setup(error.to_string()))?;
    output.note(&format!(
        "{} from {} in {}. Edit it, then: patchwave apply {}{}",
        term::count(count, noun),
        target.domain,
        path.display(),
        path.display(),
        same_tenant(&args)
    ));
    Ok(super::exit::OK)
}

/// The flags with which the file goes back to where it came from.
fn same_tenant(args: &GetArgs) -> String {
    let tenant = &args.tenant;
    let mut flags = String::from(if tenant.sandbox { " --sandbox" } else { "" });
    for name in &tenant.tenants {
        flags.push_str(&format!(" --tenant {name}"));
    }
    let files =
        [("--config", &tenant.config), ("--env-file", &tenant.env_file), ("--state-dir", &tenant.state_dir)];
    for (flag, path) in files.into_iter().filter_map(|(flag, path)| Some((flag, path.as_ref()?))) {
        flags.push_str(&format!(" {flag} {}", path.display()));
    }
    flags
}

/// The form that was asked for, else the one that the file's extension tells.
fn form(args: &GetArgs) -> Result<Form, CliError> {
    let extension = args.out.as_deref().and_then(Path::extension).and_then(|extension| extension.to_str());
    let told = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("json") => Some(Form::Json),
        Some("jsonl" | "ndjson") => Some(Form::JsonLines),
        Some("csv") => Some(Form::Csv),
        Some("toml") => Some(Form::Toml),
        _ => None,
    };
    let asked = args.format.map(|format| match format {
        FormArg::Json => Form::Json,
        FormArg::Jsonl => Form::JsonLines,
        FormArg::Csv => Form::Csv,
        FormArg::Toml => Form::Toml,
    });
    match (asked, told) {
        // Under another extension it would be read as something else than it is.
        (Some(asked), Some(told)) if asked != told => Err(CliError::usage(
            "--format and the file's extension say different forms; leave one of them out",
        )),
        (None, None) if extension.is_some() => Err(CliError::usage(format!(
            "{} is no form that `get` writes: name the file .csv, .toml, .json or .jsonl, or say --format",
            extension.unwrap_or_default()
        ))
        .next(super::output::command_line_with(&["--format=csv"]))),
        (asked, told) => Ok(asked.or(told).unwrap_or(Form::Json)),
    }
}

/// What is to be fetched.
struct Asked {
    kind: &'static Kind,
    /// Whether the tenant's list is asked for, rather than single clients.
    list: bool,
    ids: Vec<EntityId>,
    own: bool,
    /// What they are looked up by.
    email: Vec<String>,
    condition: Option<Expression>,
    /// Empty: all fields.
    fields: Vec<FieldPath>,
}

impl Asked {
    /// Kind by kind, where several are named in one word.
    fn all(args: &GetArgs, form: Form) -> Result<Vec<Self>, CliError> {
        let several = args.ids.first().filter(|word| *word == kinds::ALL || word.contains(','));
        let Some(words) = several else { return Ok(vec![Self::from_args(args)?]) };
        let words: Vec<String> = words.split(',').map(str::to_owned).collect();
        let kinds = kinds::named(&words)?;
        let wrong = |what: String| Err(CliError::usage(what).next(super::output::help_line()));
        let narrower = args.narrow.is_some() || !args.fields.is_empty() || !args.email.is_empty();
        if args.ids.len() > 1 || args.own || narrower {
            let what =
                "of several kinds all is fetched: ids, --self, --email, --where and --fields are about one";
            return wrong(what.to_owned());
        }
        if !form.holds_several_kinds() {
            return wrong("a file of this form holds one kind; name the file .json or .jsonl".to_owned());
        }
        let whole = |kind: &'static Kind| Self {
            kind,
            list: true,
            ids: Vec::new(),
            own: false,
            email: Vec::new(),
            condition: None,
            fields: Vec::new(),
        };
        Ok(kinds.into_iter().map(whole).collect())
    }

    fn from_args(args: &GetArgs) -> Result<Self, CliError> {
        let named = args.ids.first().and_then(|word| catalogue::kind(word));
        let ids = if named.is_some() { &args.ids[1..] } else { args.ids.as_slice() };
        let looks_like = |kind: &&'static Kind| {
            let prefix = kind.endpoint.id_prefix.as_deref();
            args.ids.first().zip(prefix).is_some_and(|(id, prefix)| id.starts_with(prefix))
        };
        if let Some(other) = catalogue::kinds().find(looks_like).filter(|_| named.is_none()) {
            let what = format!("{} is the id of {}", args.ids[0], a(&other.singular));
            let next = format!("patchwave get {} {}{}", other.name, args.ids.join(" "), same_tenant(args));
            return Err(CliError::usage(what).next(next));
        }
        // No id looks like a word.
        let is_word = |id: &&String| id.chars().all(|c| c.is_ascii_lowercase() || c == '-') && id.len() < 25;
        let misspelt = args.ids.first().filter(|_| named.is_none()).filter(is_word);
        if let Some(near) = misspelt.and_then(|word| nearest(word, catalogue::names())) {
            let next = format!("patchwave get {near}{}", same_tenant(args));
            return Err(CliError::usage(format!(
                "there is no kind `{}`; did you mean `{near}`?",
                args.ids[0]
            ))
            .next(next));
        }
        let kind = match named {
            Some(kind) => kind,
            None if args.email.is_empty() => catalogue::default_kind(),
            // The only thing that the API finds by something else than its id.
            None => catalogue::kinds()
                .find(|kind| kind.endpoint.lookup.is_some())
                .unwrap_or_else(catalogue::default_kind),
        };
        Self::fit(args, kind, ids)?;
        let condition = args.narrow.as_deref().map(|text| expression("--where", text, kind)).transpose()?;
        let path = |text: &String| {
            let path: FieldPath = text
                .trim()
                .parse()
                .map_err(|error| CliError::usage(format!("--fields: `{text}` {error}")))?;
            match kind.lookup(&path) {
                catalogue::Lookup::Unknown { near: Some(near) } => Err(CliError::usage(format!(
                    "--fields: there is no field `{path}`; did you mean `{near}`?"
                ))),
                _ => Ok(path),
            }
        };
        Ok(Self {
            kind,
            list: args.all || ids.is_empty() && !args.own && args.email.is_empty(),
            email: args.email.clone(),
            ids: ids.iter().map(EntityId::new).collect(),
            own: args.own,
            condition,
            fields: args.fields.iter().map(path).collect::<Result<_, _>>()?,
        })
    }

    /// What the flags say together.
    fn fit(args: &GetArgs, kind: &Kind, ids: &[String]) -> Result<(), CliError> {
        let wrong = |what: String| Err(CliError::usage(what).next(super::output::help_line()));
        if args.all && !ids.is_empty() {
            return wrong(format!("--all is every {}; leave it out, or the ids", kind.singular));
        }
        if !args.email.is_empty() && kind.endpoint.lookup.is_none() {
            return wrong(format!(
                "--email finds users; {} is found by its id or with --where",
                a(&kind.singular)
            ));
        }
        if !args.email.is_empty() && !ids.is_empty() {
            return wrong("--email and ids say two different things; leave one of them out".to_owned());
        }
        if args.own && !kind.is_runners() {
            return wrong(format!(
                "--self is the client whose credentials are used, and no {}",
                kind.singular
            ));
        }
        Ok(())
    }

    /// The clients with all of their fields: what is kept of them must tell, of any field that somebody adds to the file,
    /// whether it was absent or only not asked for.
    async fn fetch(&self, target: &Target) -> Result<Vec<Body>, CliError> {
        let reader = target.connection.reader();
        let failed = |error| CliError::tenant(target.tenant.as_str(), &error);
        let entities: Vec<Entity> = if self.list {
            snapshot::entities(&reader, self.kind).await.map_err(failed)?
        } else if !self.email.is_empty() {
            let mut entities = Vec::new();
            let endpoint = &self.kind.endpoint;
            let field = endpoint.lookup.as_ref().map(|lookup| FieldPath::root_field(&lookup.field));
            for email in &self.email {
                let kept = field.as_ref().map_or(email.into(), |field| self.kind.as_kept(field, email));
                entities.extend(reader.look_up(endpoint, &kept, None).await.map_err(failed)?);
            }
            entities
        } else {
            let mut entities = Vec::new();
            for id in self.ids(target)? {
                entities.push(
                    live(&reader, self.kind, &id, None)
                        .await
                        .map_err(|error| CliError::object(target.tenant.as_str(), &id, &error))?,
                );
            }
            entities
        };
        self.known_names(&entities)?;
        let mut bodies = Vec::new();
        for mut entity in entities {
            redact::strip(self.kind, &mut entity.body);
            let body = Arc::new(entity.body);
            if self.holds(target, &entity.id, &body)? {
                bodies.push(Arc::unwrap_or_clone(body));
            }
        }
        Ok(bodies)
    }

    /// A name that neither the catalogue nor any client knows is misspelt.
    fn known_names(&self, entities: &[Entity]) -> Result<(), CliError> {
        let names = self.condition.iter().flat_map(|condition| condition.uses().unknown(self.kind));
        for name in names {
            if !entities.is_empty() && !entities.iter().any(|entity| entity.body.contains_key(name)) {
                let what =
                    format!("--where: `{name}` is used, and no {} has such a field", self.kind.singular);
                return Err(CliError::usage(what).next(super::output::command_line()));
            }
        }
        Ok(())
    }

    fn holds(&self, target: &Target, id: &EntityId, body: &Arc<Body>) -> Result<bool, CliError> {
        let Some(condition) = &self.condition else { return Ok(true) };
        let tenant = Arc::new(TenantScope::plain(&target.tenant));
        condition.holds(&Scope::of_tenant(&tenant, None).with_client(body, self.kind)).map_err(|fault| {
            CliError::usage(format!("--where, {} {}: {}", self.kind.singular, id, fault.what))
        })
    }

    /// Id, name and the fields that were asked for, in the order in which they were asked for.
    fn pruned(&self, body: Body) -> Body {
        if self.fields.is_empty() {
            return body;
        }
        let always = [&self.kind.endpoint.id_field, &self.kind.endpoint.name_field];
        let mut pruned = Body::new();
        for path in
            always.into_iter().map(|name| FieldPath::root_field(name)).chain(self.fields.iter().cloned())
        {
            if let Some(value) = path.get(&body) {
                path.put(&mut pruned, value.clone());
            }
        }
        pruned
    }

    fn ids(&self, target: &Target) -> Result<Vec<EntityId>, CliError> {
        if !self.own {
            return Ok(self.ids.clone());
        }
        let own = target.connection.own_client().cloned();
        own.map(|id| vec![id]).ok_or_else(|| {
            CliError::usage("--self: the token does not say which client it belongs to; name the id instead")
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command line owns the wall clock that snapshots are dated by"
)]
fn now() -> Timestamp {
    Timestamp::now()
}
