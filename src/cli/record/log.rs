//! `record --from-log`: the tenant's own log of writes, squashed into what each object became.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::super::args::ChannelArg;
use super::super::connect::{Session, Target, connect};
use super::super::error::CliError;
use super::super::output;
use super::super::snapshot::{self, Shot, Taken};
use super::{Recording, kinds, noun, now};
use crate::auth0::LogWindow;
use crate::catalogue::{Kind, redact};
use crate::changeset::from_log::{Base, Channel, Log, Recorded, Selection, Squashed, retention, squash};
use crate::changeset::{ChangeSet, Edited, Header, Recorder, Snapshot};
use crate::model::suggest::nearest;
use crate::model::{Body, EntityId, FieldPath};
use crate::report::term;

mod before;
mod clock;
mod refused;

use clock::Clock;
use refused::{gaps, unreadable};

/// Entries arrive late: where nobody says otherwise, the window ends so long ago.
const LATE: Duration = Duration::from_secs(60);

impl Recording<'_> {
    /// From the tenant's log.
    pub(super) async fn of_log(&self) -> Result<ChangeSet, CliError> {
        let session = connect(&self.args.tenant, &self.args.pace, &[], self.display).await?;
        let [target] = session.targets.as_slice() else {
            return Err(CliError::usage("--from-log reads the log of one tenant: choose one with --tenant"));
        };
        self.display.reading();
        let recorded = self.of_log_of(&session, target).await;
        self.display.clear();
        recorded
    }

    async fn of_log_of(&self, session: &Session, target: &Target) -> Result<ChangeSet, CliError> {
        let failed = |error| CliError::tenant(target.tenant.as_str(), &error);
        target.connection.reader().sign_in().await.map_err(failed)?;
        let clock = Clock::of(target);
        let selection = self.selection(&clock)?;
        let mut before =
            if self.args.no_before { None } else { Some(self.before(session, target, &selection, &clock)?) };
        if let Some(before) = &mut before {
            before.know_others(target).await?;
        }
        let kinds = match &before {
            Some(before) => before.shots.iter().map(|shot| shot.kind).collect(),
            None => kinds::named_or_default(&self.args.kind)?,
        };
        let mut squashed: Vec<(&'static Kind, Squashed)> = Vec::new();
        for kind in kinds {
            let shot = before.as_ref().and_then(|before| before.shot(kind));
            squashed.push((kind, self.squashed(target, kind, shot, (&selection, &clock)).await?));
        }
        self.tell(&squashed, &selection, &clock);
        Ok(self.change_set(target, before.as_ref(), &squashed))
    }

    /// What the log tells of the objects of one kind.
    async fn squashed(
        &self,
        target: &Target,
        kind: &Kind,
        before: Option<&Shot>,
        (selection, clock): (&Selection, &Clock),
    ) -> Result<Squashed, CliError> {
        let from = before.and_then(|before| before.at).map_or(selection.since, |at| clock.there(at));
        let window = self.window(target, kind, from, selection.until).await?;
        let clients: HashMap<EntityId, Body> =
            before.iter().flat_map(|before| before.snapshot.clients.iter().cloned()).collect();
        let base = before.map(|before| Base {
            clients: &clients,
            read_by: before.read_by.map_or(from, |at| clock.there(at)),
        });
        self.sound((target, kind), (&window, from), base, (selection, clock)).await
    }

    fn selection(&self, clock: &Clock) -> Result<Selection, CliError> {
        let zone = TimeZone::system();
        let moment = |flag: &str, moment: super::super::args::Moment| {
            let at = moment.from(clock.now(), &zone);
            at.ok_or_else(|| CliError::usage(format!("{flag}: the calendar has no such time")))
        };
        let until = self.args.log_until().map_err(|wrong| CliError::usage(format!("--until: {wrong}")))?;
        let until = match until {
            Some(until) => moment("--until", until)?,
            None => clock.now() - LATE,
        };
        let since = self.args.since.ok_or_else(|| CliError::usage("--from-log needs --since T"))?;
        let since = moment("--since", since)?;
        if since >= until {
            let what = format!("--since {since} is not before --until {until}; nothing lies between");
            return Err(CliError::usage(what).next(output::command_line_with(&["--until=now"])));
        }
        let channel = match self.args.channel {
            ChannelArg::Dashboard => Channel::Dashboard,
            ChannelArg::Api => Channel::Api,
            ChannelArg::All => Channel::All,
        };
        Ok(Selection { since, until, by: self.args.by.clone(), channel })
    }

    async fn window(
        &self,
        target: &Target,
        kind: &Kind,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<LogWindow, CliError> {
        let read = target.connection.reader().log_window(&kind.endpoint, from, until).await;
        read.map_err(|error| CliError::tenant(target.tenant.as_str(), &error))
    }

    /// The log squashed, once it is certain that nothing is missing in it.
    async fn sound(
        &self,
        (target, kind): (&Target, &Kind),
        (window, from): (&LogWindow, Timestamp),
        base: Option<Base<'_>>,
        (selection, clock): (&Selection, &Clock),
    ) -> Result<Squashed, CliError> {
        let log = Log { events: &window.events, base, now: None };
        let squashed = squash(kind, &log, selection);
        if window.unreadable > 0 {
            return Err(unreadable(window));
        }
        let gap = retention(window.oldest, from, clock.now(), squashed.proof(&log));
        let Some(gap) = gap.filter(|_| squashed.gaps.is_empty()) else {
            return if squashed.gaps.is_empty() { Ok(squashed) } else { Err(gaps(&squashed, None)) };
        };
        // The log does not reach back so far. Only the state of today can tell that nothing was lost with it.
        if base.is_none() {
            return Err(gaps(&squashed, Some(&gap)));
        }
        let today = snapshot::entities(&target.connection.reader(), kind).await;
        let today = today.map_err(|error| CliError::tenant(target.tenant.as_str(), &error))?;
        let today: HashMap<EntityId, Body> =
            today.into_iter().map(|entity| (entity.id, entity.body)).collect();
        let whole = self.window(target, kind, from, clock.now()).await?;
        let log = Log { events: &whole.events, base, now: Some(&today) };
        let squashed = squash(kind, &log, selection);
        match retention(whole.oldest, from, clock.now(), squashed.proof(&log)) {
            None => Ok(squashed),
            Some(gap) => Err(gaps(&squashed, Some(&gap))),
        }
    }

    /// What was read, and who was meant.
    fn tell(&self, all: &[(&'static Kind, Squashed)], selection: &Selection, clock: &Clock) {
        let note = term::paint(term::WARN, "note:");
        let edits: usize = all.iter().map(|(_, squashed)| squashed.edits).sum();
        if clock.now() - LATE < selection.until {
            self.output.note(&format!("{note} entries arrive late: some of the last minute may be missing"));
        } else if self.args.until.is_none() && edits == 0 {
            self.output
                .note(&format!("{note} the last minute is not looked at; --until now takes what is there"));
        }
        if let Some(by) = selection.by.as_ref().filter(|_| edits == 0) {
            let authors: BTreeSet<String> =
                all.iter().flat_map(|(_, squashed)| &squashed.authors).map(ToString::to_string).collect();
            let near = nearest(by, authors.iter().map(String::as_str));
            let hint = match near {
                Some(near) => format!("did you mean {near}?"),
                None if authors.is_empty() => "nobody wrote in this time".to_owned(),
                None => {
                    let authors: Vec<&str> = authors.iter().map(String::as_str).collect();
                    format!("those who wrote are {}", authors.join(", "))
                }
            };
            self.output.note(&format!(
                "{note} nothing was changed by {}; {}",
                term::safe(by),
                term::safe(&hint)
            ));
        }
        let unchanged: usize = all.iter().map(|(_, squashed)| squashed.unchanged).sum();
        let kinds: Vec<&'static Kind> = all.iter().map(|(kind, _)| *kind).collect();
        let back = match unchanged {
            0 => String::new(),
            some => format!("; of {} nothing is left", term::count(some, noun(&kinds))),
        };
        let edits = term::count(edits, "edit");
        self.output
            .note(&format!("{edits} in the log from {} to {}{back}.", selection.since, selection.until));
    }

    fn change_set(
        &self,
        target: &Target,
        before: Option<&Taken>,
        all: &[(&'static Kind, Squashed)],
    ) -> ChangeSet {
        let parametrize = !self.args.no_parametrize;
        let known = |(kind, squashed): &(&'static Kind, Squashed)| Shot {
            kind,
            snapshot: Snapshot {
                clients: squashed.clients.iter().map(|one| (one.id.clone(), one.known.clone())).collect(),
            },
            at: None,
            read_by: None,
        };
        let none = Taken::of_target(target, all.iter().map(known).collect());
        let taken = before.unwrap_or(&none);
        // Since the snapshot others may have come.
        let source = taken.source(self.args.identity.as_ref(), parametrize).with_others();
        self.tell_of_no_vars(&source);
        let mut recorder = Recorder::new(self.args.identity.as_ref(), &source, &source);
        for (kind, squashed) in all {
            for client in &squashed.clients {
                take(kind, client, &mut recorder);
            }
            for left in &squashed.left_out {
                let name = left.name.clone().unwrap_or_else(|| left.id.to_string());
                recorder.note(format!("{name}: {}", left.why));
            }
        }
        recorder.finish(&Header {
            tenant: taken.label(),
            at: now().to_string(),
            by: "log".to_owned(),
            job: None,
        })
    }
}

fn take(kind: &'static Kind, client: &Recorded, recorder: &mut Recorder<'_>) {
    let Recorded { id, before, after, paths, masked, known, warnings } = client;
    let name = known
        .get(&kind.endpoint.name_field)
        .and_then(serde_json::Value::as_str)
        .unwrap_or(id.as_str())
        .to_owned();
    warnings.iter().for_each(|warning| recorder.warn(format!("{name}: {warning}")));
    match before {
        Some(before) => {
            // Of objects that go as a whole a secret goes along that nobody touched.
            let was_there =
                |path: &&FieldPath| path.depth() > 1 && path.get(before).is_some_and(redact::has_marker);
            let (sent_along, masked): (Vec<&FieldPath>, Vec<&FieldPath>) = masked.iter().partition(was_there);
            for path in sent_along {
                recorder.warn(format!("{name}: {path} was sent too; whether it is another one nobody can tell, and it is not recorded"));
            }
            let masked: Vec<FieldPath> = masked.into_iter().cloned().collect();
            recorder.take(kind, Edited { id, before, id_after: id, after, masked: &masked });
        }
        None => {
            let mut fields: Vec<(FieldPath, Option<serde_json::Value>)> =
                paths.iter().map(|path| (path.clone(), path.get(after).cloned())).collect();
            fields.sort_by(|(a, _), (b, _)| a.cmp(b));
            recorder.take_unguarded(kind, id, known, &fields, masked);
        }
    }
}
