//! A write that makes a new object. What may have been sent is looked for by its identity before it is sent again: sent twice it
//! would be there twice. Further methods of [`RowRun`].

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::live::with_lists_of;
use super::queue::Basis;
use super::row::{RowRun, now};
use super::verdict::{Prepared, Verdict, failed, stopped, unknown};
use crate::auth0::{ApiError, Reader, Sent, Settled, Settlement};
use crate::catalogue::redact;
use crate::model::value::same;
use crate::model::words::a;
use crate::model::{Body, Entity, FieldChange, ListOrder, Outcome, Reason, RowResult, SettledBy, Written};
use crate::plan::creates::{compared_by, created_as_asked, differences, identity};

/// How long an object that was not found is waited for, before it is looked for once more: a request whose answer did not come
/// may still be at work.
const STILL_AT_WORK: Duration = Duration::from_secs(1);

/// Whose an object may be that is found.
#[derive(Clone, Copy, PartialEq)]
enum Maker {
    /// Nothing was sent: whatever is there is somebody else's.
    Other,
    /// A request for it was sent, and nobody knows what became of it. Lists are made after the object itself: one that lacks
    /// some of their items may be ours, half made.
    PerhapsUs,
}

/// What a look found.
enum Found {
    Nothing,
    AsAsked(Entity),
    /// In words.
    Otherwise(String),
}

impl RowRun {
    /// Makes the object, and says what became of it.
    pub(super) async fn create(mut self) -> Outcome {
        let (since, started) = (Instant::now(), now());
        let mut outcome = self.blank(started);
        // Somebody, or this very run before it was resumed, may have made it since the tenant was read.
        if self.task.written != Written::No || !matches!(self.task.basis, Basis::AsPlanned) {
            let reader = self.setup.writer.composing_reader();
            let found = match self.maker() {
                Maker::PerhapsUs => self.look_twice(&reader).await,
                Maker::Other => self.look(&reader, Maker::Other).await,
            };
            match found {
                Ok(Found::Nothing) => (),
                Ok(Found::AsAsked(entity)) => return self.was_there(outcome, since, entity).await,
                Ok(Found::Otherwise(words)) => {
                    let (reason, error) = (Some(Reason::Exists), Some(words));
                    return self.close(
                        outcome,
                        since,
                        RowResult::Conflict,
                        Verdict { reason, error, ..Verdict::default() },
                    );
                }
                Err(ApiError::Halted) => {
                    return self.close(outcome, since, RowResult::NotAttempted, stopped());
                }
                Err(error) => {
                    let (result, verdict) = self.unlooked(&error);
                    return self.close(outcome, since, result, verdict);
                }
            }
        }
        let (fields, lists) = self.apart(self.write.body.clone());
        let body = match self.with_secrets(Prepared::Send(fields)) {
            Prepared::Send(body) => body,
            Prepared::End(result, verdict) => return self.close(outcome, since, result, verdict),
        };
        let sent = self.send_new(&body).await;
        let sent = self.perhaps_there(sent).await;
        outcome.attempts += sent.attempts;
        outcome.waited_ms += sent.waited.as_millis() as u64;
        self.lists = self.lists_in_place(&sent);
        let (mut result, mut verdict, id) = self.judge_new(sent);
        let clean = |text: String| redact::scrub(self.kind, &body, &text);
        verdict.error = verdict.error.map(clean);
        if let Some(id) = id {
            (self.write.id, outcome.id) = (id.clone(), id);
            if result == RowResult::Created && !lists.is_empty() {
                (result, verdict) = self.change_lists(&lists, &mut outcome, verdict).await;
                result = if result == RowResult::Updated { RowResult::Created } else { result };
            }
        }
        self.close(outcome, since, result, verdict)
    }

    /// Sends it; before it would be sent again, it is looked for.
    async fn send_new(&self, body: &Body) -> Sent {
        let reader = self.setup.writer.settling_reader();
        let settle = || async {
            Ok(match self.look_twice(&reader).await? {
                Found::AsAsked(entity) => Settled::Landed(entity),
                Found::Otherwise(_) => Settled::GiveUp,
                Found::Nothing => Settled::SendAgain,
            })
        };
        self.setup.writer.create(&self.kind.endpoint, body, &self.trace(), settle).await
    }

    /// Whose an object may be that is there before this row sends anything.
    fn maker(&self) -> Maker {
        if self.task.written == Written::No { Maker::Other } else { Maker::PerhapsUs }
    }

    /// A request that is refused since there is such an object already, after one whose answer was lost: that one may have made
    /// it, later than it was looked for. Where it is not found as it was asked for, nobody knows.
    async fn perhaps_there(&self, sent: Sent) -> Sent {
        let may_have_landed = sent.settlement == Settlement::NotLanded || self.maker() == Maker::PerhapsUs;
        let is_taken = matches!(&sent.result, Err(error) if error.status() == Some(409));
        if !may_have_landed || !is_taken {
            return sent;
        }
        match self.look(&self.setup.writer.settling_reader(), Maker::PerhapsUs).await {
            Ok(Found::AsAsked(entity)) => {
                Sent { result: Ok(entity), settlement: Settlement::Landed, status: None, ..sent }
            }
            Ok(Found::Nothing | Found::Otherwise(_)) | Err(_) => {
                Sent { settlement: Settlement::Unknown, ..sent }
            }
        }
    }

    /// The lists of what was sent and found in place; of what is new nothing stands in them.
    fn lists_in_place(&self, sent: &Sent) -> Body {
        match &sent.result {
            Ok(entity) if sent.settlement == Settlement::Landed => self.apart(entity.body.clone()).1,
            _ => Body::new(),
        }
    }

    /// Looks for what may have been sent, and where nothing is found, once more a while later.
    async fn look_twice(&self, reader: &Reader) -> Result<Found, ApiError> {
        match self.look(reader, Maker::PerhapsUs).await? {
            Found::Nothing => {
                sleep(STILL_AT_WORK).await;
                self.look(reader, Maker::PerhapsUs).await
            }
            found => Ok(found),
        }
    }

    /// Looks for an object of this identity.
    async fn look(&self, reader: &Reader, maker: Maker) -> Result<Found, ApiError> {
        let (kind, endpoint) = (self.kind, &self.kind.endpoint);
        let Some(wanted) = identity(kind, &self.write.body) else { return Ok(Found::Nothing) };
        let set = || self.write.changes.iter().map(|change| change.path.root());
        let fields: Vec<&str> = set().chain(compared_by(kind, set())).collect();
        let value = |field: &str| self.write.body.get(field).and_then(Value::as_str);
        let looked_up = endpoint.lookup.as_ref().and_then(|lookup| value(&lookup.field));
        let found = if let Some(value) = looked_up {
            reader.look_up(endpoint, value, Some(&fields)).await?
        } else {
            let of_identity = endpoint.filters.iter().filter(|filter| kind.identity.contains(&filter.field));
            let filters: Vec<(String, String)> = of_identity
                .filter_map(|filter| Some((filter.parameter.clone(), value(&filter.field)?.to_owned())))
                .collect();
            reader.list_where(endpoint, &filters, Some(&fields)).await?
        };
        let mut same =
            found.into_iter().filter(|entity| identity(kind, &entity.body).as_ref() == Some(&wanted));
        let Some(entity) = same.next() else { return Ok(Found::Nothing) };
        if let Some(other) = same.next() {
            return Ok(Found::Otherwise(format!(
                "there are two of this identity: {} and {}",
                entity.id, other.id
            )));
        }
        let mut entity = with_lists_of(reader, kind, entity, Some(&fields)).await?;
        let elsewhere = kind.shown_elsewhere(&entity.body, set());
        redact::strip(kind, &mut entity.body);
        entity.body.extend(elsewhere);
        let compared: Vec<_> = self
            .write
            .changes
            .iter()
            .filter(|change| maker == Maker::Other || !self.is_half_made(change, &entity.body))
            .cloned()
            .collect();
        let differences = differences(kind, &compared, &entity.body);
        if differences.is_empty() {
            return Ok(Found::AsAsked(entity));
        }
        let words = format!(
            "there is {} of this identity, and it differs: {}",
            a(&kind.singular),
            differences.join("; ")
        );
        Ok(Found::Otherwise(words))
    }

    /// Whether a change is of a list that holds nothing but what it is to hold, as one does that is being filled.
    fn is_half_made(&self, change: &FieldChange, now: &Body) -> bool {
        if self.kind.endpoint.association(change.path.root()).is_none() {
            return false;
        }
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let wanted = list(change.after.as_ref());
        let is_wanted =
            |item: &Value| wanted.iter().any(|wanted| same(Some(wanted), Some(item), ListOrder::Ordered));
        list(change.path.get(now)).iter().all(is_wanted)
    }

    /// It was there when it was looked for. What somebody else made is as asked for in every list, and is left as it is.
    async fn was_there(mut self, mut outcome: Outcome, since: Instant, entity: Entity) -> Outcome {
        (self.write.id, outcome.id) = (entity.id.clone(), entity.id.clone());
        if self.maker() == Maker::Other {
            return self.close(outcome, since, RowResult::Unchanged, Verdict::default());
        }
        let (_, lists) = self.apart(self.write.body.clone());
        let lacking: Body =
            lists.into_iter().filter(|(key, value)| entity.body.get(key) != Some(value)).collect();
        self.lists = entity.body;
        let settled = Some(SettledBy::FoundInPlace);
        let verdict = Verdict { written: Written::Yes, settled, ..Verdict::default() };
        if lacking.is_empty() {
            return self.close(outcome, since, RowResult::Created, verdict);
        }
        let (result, verdict) = self.change_lists(&lacking, &mut outcome, verdict).await;
        let result = if result == RowResult::Updated { RowResult::Created } else { result };
        self.close(outcome, since, result, verdict)
    }

    fn judge_new(&self, sent: Sent) -> (RowResult, Verdict, Option<crate::model::EntityId>) {
        let settled = match sent.settlement {
            Settlement::NotNeeded => None,
            Settlement::Landed => Some(SettledBy::FoundInPlace),
            Settlement::NotLanded => Some(SettledBy::SentAgain),
            Settlement::GivenUp => Some(SettledBy::FoundNeither),
            Settlement::Unknown => Some(SettledBy::NotFoundOut),
        };
        let http_status = sent.status;
        let (result, verdict, id) = match (sent.result, sent.settlement) {
            (Ok(Entity { id, body }), _) => {
                let wrong = created_as_asked(self.kind, &self.write, &body);
                let verdict = Verdict { http_status, written: Written::Yes, ..Verdict::default() };
                if wrong.is_empty() {
                    (RowResult::Created, verdict, Some(id))
                } else {
                    let (reason, error) = (Some(Reason::NotAsPlanned), Some(wrong.join("; ")));
                    (RowResult::Failed, Verdict { reason, error, ..verdict }, Some(id))
                }
            }
            (Err(ApiError::Halted), Settlement::Unknown) => {
                let (result, verdict) = unknown("the run was stopped before it could be looked for");
                (result, verdict, None)
            }
            (Err(ApiError::Halted), _) => (RowResult::NotAttempted, stopped(), None),
            (Err(error), Settlement::Unknown) => {
                let (result, verdict) = unknown(&error.to_string());
                (result, Verdict { http_status: error.status(), ..verdict }, None)
            }
            (Err(error), Settlement::GivenUp) => {
                let words = format!("{error}; meanwhile there is one of this identity that differs");
                let (_, verdict) = failed(&error);
                let (reason, error) = (Some(Reason::Exists), Some(words));
                (RowResult::Conflict, Verdict { reason, error, written: Written::Perhaps, ..verdict }, None)
            }
            (Err(error), _) => {
                let (result, verdict) = failed(&error);
                (result, verdict, None)
            }
        };
        (result, Verdict { settled, ..verdict }, id)
    }
}
