//! What differs between two snapshots: for people client by client, for programs as an object. Central type: [`Compared`].

use serde::Serialize;

use super::diff::{Changes, DiffOptions, SHOWN, line};
use super::term::{self, paint};
use crate::model::{EntityId, FieldChange};

/// What differs between two snapshots.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Compared {
    /// What the first is called.
    pub a: String,
    /// What the second is called.
    pub b: String,
    /// How many clients are in both.
    pub both: usize,
    /// Those of them that differ.
    pub clients: Vec<ComparedClient>,
    /// Clients that the first alone has.
    pub only_a: Vec<Named>,
    /// Clients that the second alone has.
    pub only_b: Vec<Named>,
    /// Names and keys that tell no client apart, each with the ids of those that have it.
    pub ambiguous: Vec<Ambiguous>,
    /// Fields that were not compared, since the second has none of them: its token may not have been shown them.
    pub not_compared: Vec<String>,
    /// Values that differ only as the variables and domains of two tenants do, and are not shown.
    pub by_tenant: usize,
}

/// A client that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ComparedClient {
    /// Its kind, where it is no client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Its name in the first.
    pub name: Option<String>,
    /// Its id in the first.
    pub id_a: EntityId,
    /// Its id in the second.
    pub id_b: EntityId,
    /// The fields, from the first to the second.
    pub changes: Vec<FieldChange>,
}

/// A client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Named {
    /// Its kind, where it is no client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// Its name.
    pub name: Option<String>,
    /// Its id.
    pub id: EntityId,
}

/// Clients that nothing tells apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ambiguous {
    /// What they have in common.
    pub key: String,
    /// Their ids.
    pub ids: Vec<EntityId>,
}

impl Compared {
    /// Adds what was compared of another kind.
    pub fn add(&mut self, other: Self) {
        self.both += other.both;
        self.clients.extend(other.clients);
        self.only_a.extend(other.only_a);
        self.only_b.extend(other.only_b);
        self.ambiguous.extend(other.ambiguous);
        self.by_tenant += other.by_tenant;
    }

    /// Whether there is any difference.
    pub fn differs(&self) -> bool {
        !(self.clients.is_empty() && self.only_a.is_empty() && self.only_b.is_empty())
    }

    /// For people.
    pub fn render(&self, options: DiffOptions<'_>) -> String {
        let mut out = String::new();
        let [a, b] = [&self.a, &self.b].map(|name| paint(term::STRONG, term::safe(name)));
        line(&mut out, format_args!("{a} → {b}"));
        let mut changes = Changes::new(options);
        let most = if options.full { usize::MAX } else { SHOWN };
        for client in self.clients.iter().take(most) {
            let place = if client.id_a == client.id_b {
                client.id_a.to_string()
            } else {
                format!("{} → {}", client.id_a, client.id_b)
            };
            let place = client.kind.map_or(place.clone(), |kind| format!("{kind} {place}"));
            changes.client(&mut out, (client.name.as_deref(), &place), &client.changes);
        }
        changes.close(&mut out, self.clients.len().saturating_sub(most));
        for (sign, style, side, whose) in
            [('-', term::OLD, &self.only_a, &self.a), ('+', term::NEW, &self.only_b, &self.b)]
        {
            for named in side.iter().take(most) {
                let name = term::safe(named.name.as_deref().unwrap_or("(no name)"));
                let kind = named.kind.map(|kind| format!("{kind} ")).unwrap_or_default();
                let place =
                    paint(term::FAINT, format_args!("{kind}{}  only in {}", named.id, term::safe(whose)));
                line(
                    &mut out,
                    format_args!("  {} {}  {place}", paint(style, sign), paint(term::STRONG, name)),
                );
            }
            if side.len() > most {
                line(
                    &mut out,
                    format_args!("  … and {} more only in {}", side.len() - most, term::safe(whose)),
                );
            }
        }
        for one in &self.ambiguous {
            let ids: Vec<&str> = one.ids.iter().map(EntityId::as_str).collect();
            let what =
                format!("\"{}\" is no name of one {} alone: {}", one.key, options.noun, ids.join(", "));
            line(&mut out, format_args!("  {} {}", paint(term::BAD, "not compared:"), term::safe(&what)));
        }
        self.totals(&mut out, options);
        out
    }

    fn totals(&self, out: &mut String, options: DiffOptions<'_>) {
        let mut parts =
            vec![format!("{} of {} differ", self.clients.len(), term::count(self.both, options.noun))];
        for (side, whose) in [(&self.only_a, &self.a), (&self.only_b, &self.b)] {
            if !side.is_empty() {
                parts.push(format!("{} only in {}", side.len(), term::safe(whose)));
            }
        }
        line(out, format_args!("  {} {}", paint(term::STRONG, "Difference:"), parts.join(", ")));
        if self.by_tenant > 0 {
            let values = term::count(self.by_tenant, "value");
            let what = format!(
                "{values} differ only as the tenants' variables and domains do; --no-parametrize shows them"
            );
            line(out, format_args!("  {}", paint(term::FAINT, what)));
        }
    }
}
