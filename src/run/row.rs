//! One write, from being taken up to its outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::live::live;
use super::queue::{Basis, Task};
use super::settle;
use super::verdict::{Prepared, Verdict, answered, failed, stopped, unknown};
use crate::auth0::{ApiError, Sent, Settled, Settlement, Writer};
use crate::catalogue::{Kind, Kinds, redact};
use crate::model::{
    Body, Entity, Outcome, Overwritten, Reason, RowResult, RunId, Secrets, SettledBy, Written,
};
use crate::plan::rejudge::overwritten;
use crate::plan::revive::{left_words, visible_roots};
use crate::plan::{Missing, OnConflict, Rejudged, TenantPlan, Write, check_answer, rejudge, sends_whole};

/// How often a body that holds an object whole is made anew after a lost answer.
const REMAKES: u32 = 4;

/// A write about to be made.
pub(super) struct RowRun {
    pub(super) setup: Arc<RowSetup>,
    pub(super) kind: &'static Kind,
    pub(super) task: Task,
    pub(super) write: Write,
    /// What others had put there, where it is written over.
    overwrote: Vec<Overwritten>,
    /// What the lists that have endpoints of their own held, when the object was looked at last.
    pub(super) lists: Body,
    /// Whether the change was made before, and what must follow it was not.
    pub(super) behind: bool,
}

/// What the writes of one tenant have in common.
pub(super) struct RowSetup {
    pub(super) run: RunId,
    pub(super) kinds: Kinds,
    pub(super) plan: Arc<TenantPlan>,
    pub(super) writer: Arc<Writer>,
    pub(super) on_conflict: OnConflict,
    pub(super) max_age: Duration,
    /// Whether the run takes another one back.
    pub(super) undo: bool,
    /// The secrets that the plan sets.
    pub(super) secrets: Arc<Secrets>,
}

impl RowRun {
    pub(super) fn new(setup: Arc<RowSetup>, task: Task) -> Self {
        let write = setup.plan.writes.at(task.at);
        let kind = setup.kinds.get(write.kind);
        Self { setup, kind, task, write, overwrote: Vec::new(), lists: Body::new(), behind: false }
    }

    /// Sends the write and says what became of it. Never fails: a failure is an outcome.
    pub(super) async fn run(mut self) -> Outcome {
        if self.write.create {
            return self.create().await;
        }
        let (since, started) = (Instant::now(), now());
        let mut outcome = self.blank(started);
        for try_again in (0..REMAKES).rev() {
            let body = match self.body().await.map(|prepared| self.with_secrets(prepared)) {
                Ok(Prepared::Send(body)) => body,
                Ok(Prepared::End(result, verdict)) => return self.close(outcome, since, result, verdict),
                Err(ApiError::Halted) => {
                    return self.close(outcome, since, RowResult::NotAttempted, stopped());
                }
                Err(error) => {
                    let (result, verdict) = self.unlooked(&error);
                    return self.close(outcome, since, result, verdict);
                }
            };
            let (body, lists) = self.apart(body);
            if body.is_empty() {
                let (result, verdict) = self.without_fields(&lists, &mut outcome).await;
                return self.close(outcome, since, result, verdict);
            }
            let (sent, remake) = self.send(&body, try_again > 0).await;
            outcome.attempts += sent.attempts;
            outcome.waited_ms += sent.waited.as_millis() as u64;
            if remake {
                self.task.written = self.task.written.max(Written::Perhaps);
                self.task.basis = Basis::ByItself;
                continue;
            }
            let (mut result, mut verdict) = self.judge(sent);
            if result == RowResult::Updated {
                (result, verdict) = self.go_on(&lists, &mut outcome, verdict).await;
            }
            let clean = |text: String| redact::scrub(self.kind, &body, &text);
            verdict.error = verdict.error.map(clean);
            verdict.error_code = verdict.error_code.map(clean);
            return self.close(outcome, since, result, verdict);
        }
        let (result, verdict) = unknown("the answers were lost again and again");
        self.close(outcome, since, result, verdict)
    }

    /// Sends a body. Where the answer was lost, and nothing was written, a body that holds an object whole is not sent again:
    /// it is to be made anew from what the tenant holds now, which the second value says.
    async fn send(&self, body: &Body, may_remake: bool) -> (Sent, bool) {
        let RowSetup { run, writer, on_conflict, secrets, .. } = &*self.setup;
        let (kind, write) = (self.kind, &self.write);
        let correlation = format!("{run}/{}", write.label.correlation());
        let reader = writer.settling_reader();
        let anew = may_remake && sends_whole(kind, write);
        let remake = AtomicBool::new(false);
        let settle = || async {
            match settle::settle(kind, &reader, write, (*on_conflict, secrets)).await {
                Ok(Settled::SendAgain) if anew => {
                    remake.store(true, Ordering::Relaxed);
                    Ok(Settled::GiveUp)
                }
                settled => settled,
            }
        };
        let read = |key: &str| {
            write.before.contains_key(key) || write.changes.iter().any(|change| change.path.root() == key)
        };
        let sent = writer.patch(&kind.endpoint, &write.id, (body, &read), &correlation, settle).await;
        let remake = sent.settlement == Settlement::GivenUp && remake.load(Ordering::Relaxed);
        (sent, remake)
    }

    /// What to send: as planned, or made from what the tenant holds now, where the client was looked at since, a secret must
    /// go along, or an object is sent whole that was read too long ago.
    async fn body(&mut self) -> Result<Prepared, ApiError> {
        let RowSetup { max_age, .. } = &*self.setup;
        let (kind, write) = (self.kind, &self.write);
        let stale = self.task.read.elapsed() >= *max_age && sends_whole(kind, write);
        // What stands in a list that has an endpoint of its own is told apart from what is to stand there just before.
        let usable = !write.compose && !stale && !self.touches_lists() && !self.hangs_on_others();
        match self.task.basis.clone() {
            Basis::Gone(missing) => Ok(self.gone(&missing)),
            Basis::AsPlanned if usable => Ok(Prepared::Send(write.body.clone())),
            Basis::Seen(live) if usable => {
                let mut live = live.open();
                self.setup.secrets.agree(&write.changes, &mut live);
                match self.judged(&live) {
                    Rejudged::NeedsSecret => self.looked_at().await,
                    judged => Ok(self.prepared(judged, &live)),
                }
            }
            _ => self.looked_at().await,
        }
    }

    /// What is sent, with the secrets that the plan has only the places of. They are in no other body.
    pub(super) fn with_secrets(&self, prepared: Prepared) -> Prepared {
        let Prepared::Send(mut body) = prepared else { return prepared };
        match redact::fill(self.kind, &mut body, &self.setup.secrets) {
            Ok(()) => Prepared::Send(body),
            Err(place) => {
                let error = Some(format!("nothing is known of the {place}; it was not sent"));
                Prepared::End(RowResult::Failed, Verdict { error, ..Verdict::default() })
            }
        }
    }

    /// From a look at the client just now.
    async fn looked_at(&mut self) -> Result<Prepared, ApiError> {
        let RowSetup { writer, secrets, .. } = &*self.setup;
        let (kind, write) = (self.kind, &self.write);
        let roots = visible_roots(kind, write);
        let roots: Vec<&str> = roots.iter().map(String::as_str).collect();
        let mut live = live(&writer.composing_reader(), kind, &write.id, Some(&roots)).await?;
        let of_lists = |(key, _): &(&String, &Value)| kind.endpoint.association(key).is_some();
        self.lists =
            live.body.iter().filter(of_lists).map(|(key, value)| (key.clone(), value.clone())).collect();
        redact::mark(kind, &mut live.body, secrets);
        secrets.agree(&write.changes, &mut live.body);
        let judged = self.judged(&live.body);
        Ok(self.prepared(judged, &live.body))
    }

    fn judged(&self, live: &Body) -> Rejudged {
        rejudge(self.kind, &self.going_on_from(live), live, self.setup.on_conflict)
    }

    fn prepared(&mut self, judged: Rejudged, live: &Body) -> Prepared {
        let suspect = self.task.written != Written::No;
        self.behind = suspect && self.must_follow(live);
        match judged {
            Rejudged::Apply(_) if self.must_follow(live) => Prepared::End(
                RowResult::Conflict,
                Verdict {
                    reason: Some(Reason::ChangedMeanwhile),
                    error: Some(self.somebodys_draft()),
                    settled: suspect.then_some(SettledBy::FoundNeither),
                    ..Verdict::default()
                },
            ),
            Rejudged::Already if self.behind => Prepared::Send(Body::new()),
            Rejudged::Apply(body) => {
                if self.setup.on_conflict == OnConflict::Overwrite {
                    self.overwrote = overwritten(self.kind, &self.write, live);
                }
                Prepared::Send(body)
            }
            // What may have been sent has arrived.
            Rejudged::Already if suspect => {
                let settled = Some(SettledBy::FoundInPlace);
                Prepared::End(
                    RowResult::Updated,
                    Verdict { written: Written::Yes, settled, ..Verdict::default() },
                )
            }
            Rejudged::Already => Prepared::End(RowResult::Unchanged, Verdict::default()),
            Rejudged::Conflict(words) => Prepared::End(
                RowResult::Conflict,
                Verdict {
                    reason: Some(Reason::ChangedMeanwhile),
                    error: Some(words),
                    settled: suspect.then_some(SettledBy::FoundNeither),
                    ..Verdict::default()
                },
            ),
            Rejudged::NeedsSecret => {
                let error = "a secret beside the change cannot be read with this token, and would be lost; \
                             the scope read:client_keys may be missing";
                let (reason, error) = (Some(Reason::Forbidden), Some(error.to_owned()));
                Prepared::End(RowResult::Failed, Verdict { reason, error, ..Verdict::default() })
            }
        }
    }

    fn gone(&self, missing: &Missing) -> Prepared {
        let words = missing.message.clone().unwrap_or_else(|| format!("the {} is gone", self.kind.singular));
        let verdict = Verdict {
            reason: Some(Reason::NotFound),
            error: Some(words),
            http_status: missing.http_status,
            error_code: missing.error_code.clone(),
            ..Verdict::default()
        };
        Prepared::End(RowResult::Failed, verdict)
    }

    /// A look that failed: of a write that may have been sent, nobody knows.
    pub(super) fn unlooked(&self, error: &ApiError) -> (RowResult, Verdict) {
        let (result, verdict) = failed(error);
        let lasting = error.stops_tenant() || error.status() == Some(404);
        if self.task.written == Written::No || lasting {
            return (result, verdict);
        }
        let (result, unknown) = unknown(&error.to_string());
        (result, Verdict { http_status: error.status(), ..unknown })
    }

    fn judge(&self, sent: Sent) -> (RowResult, Verdict) {
        let settled = match sent.settlement {
            Settlement::NotNeeded => None,
            Settlement::Landed => Some(SettledBy::FoundInPlace),
            Settlement::NotLanded => Some(SettledBy::SentAgain),
            Settlement::GivenUp => Some(SettledBy::FoundNeither),
            Settlement::Unknown => Some(SettledBy::NotFoundOut),
        };
        let http_status = sent.status;
        let (result, verdict) = match (sent.result, sent.settlement) {
            (Ok(Entity { mut body, .. }), settlement) => {
                // What was found in place comes from `settle`, marked: the mark of a place is not to be taken for a secret.
                if settlement != Settlement::Landed {
                    redact::mark(self.kind, &mut body, &self.setup.secrets);
                    self.setup.secrets.agree(&self.write.changes, &mut body);
                }
                let (result, verdict) = answered(&check_answer(self.kind, &self.of_fields(), &body));
                (result, Verdict { http_status, written: Written::Yes, ..verdict })
            }
            (Err(ApiError::Halted), Settlement::Unknown) => {
                unknown("the run was stopped before it could be looked at")
            }
            (Err(ApiError::Halted), _) => (RowResult::NotAttempted, stopped()),
            (Err(error), Settlement::GivenUp) => {
                let words = format!("{error}; meanwhile the client holds neither the old nor the new value");
                let (_, verdict) = failed(&error);
                let (reason, error) = (Some(Reason::ChangedMeanwhile), Some(words));
                (RowResult::Conflict, Verdict { reason, error, written: Written::Perhaps, ..verdict })
            }
            // Whatever kept it from being looked at: it may have been written. The next row will meet the same obstacle
            // and stop the tenant.
            (Err(error), Settlement::Unknown) => {
                let (result, verdict) = unknown(&error.to_string());
                (result, Verdict { http_status: error.status(), ..verdict })
            }
            (Err(error), _) => failed(&error),
        };
        (result, Verdict { settled, ..verdict })
    }

    pub(super) fn blank(&self, started: Timestamp) -> Outcome {
        let (tenant, id) = (self.setup.plan.tenant.clone(), self.write.id.clone());
        Outcome::begun(tenant, self.task.at, id, started)
    }

    pub(super) fn close(
        &self,
        outcome: Outcome,
        since: Instant,
        result: RowResult,
        verdict: Verdict,
    ) -> Outcome {
        let (result, verdict) = self.of_undo(result, verdict);
        if result == RowResult::NotAttempted && self.task.written != Written::No {
            return self.as_before(outcome, verdict.settled);
        }
        let Verdict { reason, error, http_status, error_code, written, settled } = verdict;
        // What reached the tenant once is not taken back by what became of the row later.
        let written = written.max(self.task.written);
        let duration_ms = since.elapsed().as_millis() as u64;
        let ended = now();
        Outcome {
            result,
            reason,
            error,
            http_status,
            error_code,
            written,
            settled,
            overwrote: if written == Written::No { Vec::new() } else { self.overwrote.clone() },
            duration_ms,
            ended,
            ..outcome
        }
    }

    /// Of a row that was to be tried again, and was not: what was known of it stands.
    fn as_before(&self, outcome: Outcome, settled: Option<SettledBy>) -> Outcome {
        if let Some(held) = &self.task.held {
            return (**held).clone();
        }
        let (result, verdict) = unknown("the run was stopped before it could be looked at");
        let Verdict { reason, error, .. } = verdict;
        Outcome { result, reason, error, settled, written: Written::Perhaps, ended: now(), ..outcome }
    }

    /// An undo calls its rows by another word; where it had to leave fields as they are, the row says which.
    fn of_undo(&self, result: RowResult, verdict: Verdict) -> (RowResult, Verdict) {
        let done = matches!(result, RowResult::Updated | RowResult::Unchanged);
        match self.write.left.first().filter(|_| done) {
            Some(left) => {
                let words = Some(left_words(&self.write));
                (RowResult::Conflict, Verdict { reason: Some(left.reason), error: words, ..verdict })
            }
            None if self.setup.undo && result == RowResult::Updated => (RowResult::Undone, verdict),
            None => (result, verdict),
        }
    }

    /// Of a row that was taken up and not sent.
    pub(super) fn released(&self) -> Outcome {
        self.close(self.blank(now()), Instant::now(), RowResult::NotAttempted, stopped())
    }
}

/// The outcome of a row that was in flight when its loop ended.
pub(super) fn cut_off(row: &RowRun, since: Instant, why: &str) -> Outcome {
    let (result, verdict) = unknown(why);
    let took = jiff::SignedDuration::try_from(since.elapsed()).unwrap_or_default();
    let started = now().checked_sub(took).unwrap_or_else(|_| now());
    row.close(row.blank(started), since, result, verdict)
}

#[expect(clippy::disallowed_methods, reason = "the run owns the wall clock of its outcomes")]
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}
