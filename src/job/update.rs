//! What a job says, whatever form it was written in.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use indexmap::IndexMap;

use super::guards::{Count, Guards};
use super::template::{RowCells, Uses};
use super::term::Term;
use super::{Mapping, Recorded, RowLabel, Selector};
use crate::catalogue::{Kind, KindName, Kinds, Lookup};
use crate::model::{Body, Cells, FieldPath, Problem, SourceFile, TenantName};

/// A job: what should be true of which clients.
#[derive(Debug, Clone)]
pub struct Job {
    /// Names the run: `name` of the file, else the file's own name without its extension.
    pub name: String,
    /// The kinds that there are, with the fields that the user lets through.
    pub kinds: Kinds,
    /// SHA-256 of the file and of the files that it reads, in hexadecimal.
    pub digest: String,
    /// Tenants that the job allows; it never chooses one. Empty: any.
    pub allowed_tenants: Vec<TenantName>,
    /// The path whose value names one client, beside the name: a `match` on it must fit exactly one.
    pub identity: Option<FieldPath>,
    /// Variables for templates; those of a tenant and of the command line are laid over them.
    pub vars: Body,
    /// Limits that the job sets itself; flags override.
    pub guards: Guards,
    /// In the order of the file.
    pub updates: Vec<Update>,
    /// The columns of the input (of a CSV job, of the files that `rows` names), repeated in the report.
    pub columns: Vec<String>,
    /// Where it comes from, if it is a change set.
    pub recorded: Option<Recorded>,
    /// Which clients are meant in which tenant, where somebody said so.
    pub mapping: Option<Arc<Mapping>>,
    /// What a person should look at, though the job is valid.
    pub warnings: Vec<Problem>,
}

impl Job {
    /// A job that asks for nothing.
    pub fn empty(name: String, kinds: &Kinds) -> Self {
        Self {
            name,
            kinds: kinds.clone(),
            digest: String::new(),
            allowed_tenants: Vec::new(),
            identity: None,
            vars: Body::new(),
            guards: Guards::default(),
            updates: Vec::new(),
            columns: Vec::new(),
            recorded: None,
            mapping: None,
            warnings: Vec::new(),
        }
    }
}

impl Job {
    /// The kinds that its updates are about, in the order in which they are first met; one at least.
    pub fn used(&self) -> Vec<&'static Kind> {
        let mut used: Vec<&'static Kind> = Vec::new();
        for update in &self.updates {
            // A hundred thousand updates are of one kind or of a few.
            if used.iter().all(|kind| kind.name != update.kind.name) {
                used.push(self.kinds.get(update.kind.name));
            }
        }
        if used.is_empty() {
            used.push(self.kinds.default_kind());
        }
        used
    }

    /// What the objects are called that it is about.
    pub fn noun(&self) -> &'static str {
        match self.used().as_slice() {
            [only] => &only.singular,
            _ => "object",
        }
    }

    /// Whether what stands at this path of a kind helps to name one object: its name, or what the job or the kind calls its
    /// identity.
    pub fn is_key(&self, kind: &Kind, path: &FieldPath) -> bool {
        let is_root = |name: &str| path.depth() == 1 && path.root() == name;
        is_root(&kind.endpoint.name_field)
            || kind.identity.iter().any(|field| is_root(field))
            || self.identity_of(kind) == Some(path)
    }

    /// The path that the job calls the identity of its objects, if this kind has it.
    pub fn identity_of(&self, kind: &Kind) -> Option<&FieldPath> {
        self.identity.as_ref().filter(|path| !matches!(kind.lookup(path), Lookup::Unknown { .. }))
    }

    /// The kinds whose objects the updates for a tenant ask for by name.
    pub fn references(&self, tenant: &TenantName) -> BTreeSet<KindName> {
        let mut uses = Uses::default();
        for update in self.updates.iter().filter(|update| update.is_for(tenant)) {
            let ops = update.ops.iter().filter_map(|op| op.action.term());
            let expects = update.expects.iter().filter_map(|expect| expect.value.as_ref());
            ops.chain(expects)
                .filter(|term| matches!(term, Term::Template(_)))
                .for_each(|t| uses.merge(&t.uses()));
            if let Selector::Templated(templated) = &update.selector {
                uses.merge(&templated.uses());
            }
            if let Some(condition) = update.selector.condition() {
                uses.merge(condition.uses());
            }
        }
        uses.references
    }

    /// The path by whose value objects of a kind are asked for: what the job or the kind calls its identity, else the name.
    pub fn reference_key(&self, kind: &Kind) -> FieldPath {
        let of_kind = || match kind.identity.as_slice() {
            [only] => FieldPath::root_field(only),
            _ => FieldPath::root_field(&kind.endpoint.name_field),
        };
        self.identity_of(kind).cloned().unwrap_or_else(of_kind)
    }

    /// Variables that the updates for a tenant cannot do without, each with the first update that uses it.
    pub fn needed_vars(&self, tenant: &TenantName) -> IndexMap<String, &Update> {
        let mut needed = IndexMap::new();
        for update in self.updates.iter().filter(|update| update.is_for(tenant)) {
            let ops = update.ops.iter().filter_map(|op| op.action.term());
            let expects = update.expects.iter().filter_map(|expect| expect.value.as_ref());
            let of_terms = ops.chain(expects).flat_map(Term::needed_vars);
            for name in update.selector.needed_vars().into_iter().chain(of_terms) {
                needed.entry(name).or_insert(update);
            }
        }
        needed
    }
}

/// One update: whom it is about, and what should be true of them.
#[derive(Debug, Clone)]
pub struct Update {
    /// Which kind of object it is about.
    pub kind: &'static Kind,
    /// Where it stands.
    pub origin: Origin,
    /// The one tenant it is for; `None`: every selected tenant.
    pub tenant: Option<TenantName>,
    /// Whom it is about.
    pub selector: Selector,
    /// Whether the job promises that doing it again changes nothing; the planner holds it to that.
    pub repeatable: bool,
    /// What to change; no path encloses another, but for `add` and `remove` of one list.
    pub ops: Vec<Op>,
    /// What must hold before.
    pub expects: Vec<Expect>,
    /// The row of a `rows` file that templates see.
    pub row: Option<Arc<RowCells>>,
    /// The input row's own cells, secret columns emptied; beside [`Job::columns`].
    pub cells: Cells,
    /// What few updates have, so that the many take no room for it; [`Update::extras`] reads it.
    pub more: Option<Box<Extras>>,
}

/// What few updates have.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extras {
    /// The bytes of the file that hold the `where`.
    pub condition_at: Option<Range<usize>>,
    /// How many clients it must select.
    pub count: Option<Count>,
    /// The digest of what `get` fetched, for an update that comes from such a file.
    pub base: Option<Arc<str>>,
    /// Fields that the file shows but nobody may change: they must equal the tenant's state.
    pub fixed: Vec<Op>,
    /// Whether it shows an object as it is to be, of which nobody knows here what is a change.
    pub compared: bool,
    /// Whether it was recorded without knowing what stood there before, so that nothing guards what it overwrites.
    pub unguarded: bool,
    /// Whether it asks for a new object, where there is none of that identity. It selects nobody.
    pub create: bool,
}

static NO_EXTRAS: Extras = Extras {
    condition_at: None,
    count: None,
    base: None,
    fixed: Vec::new(),
    compared: false,
    unguarded: false,
    create: false,
};

impl Update {
    /// An update that asks for nothing yet.
    pub fn new(kind: &'static Kind, origin: Origin, selector: Selector) -> Self {
        Self {
            kind,
            origin,
            tenant: None,
            selector,
            repeatable: true,
            ops: Vec::new(),
            expects: Vec::new(),
            row: None,
            cells: Cells::default(),
            more: None,
        }
    }

    /// What few updates have.
    pub fn extras(&self) -> &Extras {
        self.more.as_deref().unwrap_or(&NO_EXTRAS)
    }

    /// The same, to be changed.
    pub fn extras_mut(&mut self) -> &mut Extras {
        self.more.get_or_insert_default()
    }

    /// With these extras, if they say anything.
    #[must_use]
    pub fn with(mut self, extras: Extras) -> Self {
        self.more = (extras != NO_EXTRAS).then(|| Box::new(extras));
        self
    }

    /// Whether it asks for a new object.
    pub fn is_create(&self) -> bool {
        self.extras().create
    }

    /// Whether nothing is asked of the client, so that it need not even be read.
    pub fn is_idle(&self) -> bool {
        self.ops.is_empty() && self.extras().fixed.is_empty()
    }

    /// Whether it is meant for a tenant.
    pub fn is_for(&self, tenant: &TenantName) -> bool {
        self.tenant.as_ref().is_none_or(|only| only == tenant)
    }
}

/// Where an update stands in its file.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The bytes to show for the update as a whole.
    pub span: Range<usize>,
    /// What the report's `_row` says.
    pub label: RowLabel,
}

/// One leaf to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Op {
    /// Which field.
    pub path: FieldPath,
    /// What to do with it.
    pub action: Action,
    /// The bytes of the file that say so.
    pub span: Range<usize>,
}

impl Op {
    /// No operation in particular, for messages about a row as a whole.
    pub(super) fn at(span: Range<usize>) -> Self {
        Self { path: FieldPath::root_field(""), action: Action::Unset, span }
    }
}

/// What to do with a field.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make it this.
    Set(Term),
    /// Make this object exactly so: keys that are not named go.
    Replace(Term),
    /// Empty it, the way the catalogue says for that field.
    Unset,
    /// Append those of these items that are not in the list.
    Add(Term),
    /// Take these items out of the list.
    Remove(Term),
}

impl Action {
    /// The term it holds.
    pub fn term(&self) -> Option<&Term> {
        match self {
            Self::Set(term) | Self::Replace(term) | Self::Add(term) | Self::Remove(term) => Some(term),
            Self::Unset => None,
        }
    }

    /// Whether it edits a list by item.
    pub fn is_by_item(&self) -> bool {
        matches!(self, Self::Add(_) | Self::Remove(_))
    }

    /// The verb of the job language.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Set(_) => "set",
            Self::Replace(_) => "replace",
            Self::Unset => "unset",
            Self::Add(_) => "add",
            Self::Remove(_) => "remove",
        }
    }
}

/// What a field must hold before.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    /// Which field.
    pub path: FieldPath,
    /// What it must hold; `None` means absent.
    pub value: Option<Term>,
    /// The bytes of the file that say so.
    pub span: Range<usize>,
}

/// A job file as it arrived: its name for messages, and its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Input<'i> {
    /// As the user named it; `-` for standard input.
    pub name: &'i str,
    /// Its content.
    pub bytes: &'i [u8],
}

/// Pairs of operations of one update that cannot stand together: they change the same path, or one that encloses the other.
/// `add` and `remove` of one list can; whether they share an item is judged with the items.
pub(super) fn overlaps(ops: &[Op]) -> Vec<(&Op, &Op)> {
    let lists = |a: &Op, b: &Op| a.path == b.path && a.action.is_by_item() && b.action.is_by_item();
    let clashing = |a: &Op, b: &Op| (a.path.encloses(&b.path) || b.path.encloses(&a.path)) && !lists(a, b);
    let earlier = |(at, op): (usize, &Op)| ops[..at].iter().position(|other| clashing(other, op));
    ops.iter().enumerate().filter_map(|(at, op)| Some((op, &ops[earlier((at, op))?]))).collect()
}
