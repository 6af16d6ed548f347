//! One write, from being taken up to its outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::settle;
use crate::auth0::{ApiError, Sent, Settled, Settlement, Writer};
use crate::catalogue::{Kind, redact};
use crate::model::Verdict as ThreeWay;
use crate::model::{Body, Entity, Outcome, Reason, RowResult, RunId};
use crate::plan::{Answer, TenantPlan, Write, check_answer, compose, sends_whole};

/// How old a read may be where an object that is sent whole is made from it. Nobody can lock a client: what others
/// change in between is lost.
const MAX_AGE: Duration = Duration::from_secs(5 * 60);

/// How often a body that holds an object whole is made anew after a lost answer.
const REMAKES: u32 = 4;

/// What is to become of a row before anything is sent.
enum Prepared {
    Send(Body),
    End(RowResult, Verdict),
}

impl Prepared {
    fn end(result: RowResult, reason: Reason, error: &str) -> Self {
        Self::End(
            result,
            Verdict { reason: Some(reason), error: Some(error.to_owned()), ..Verdict::default() },
        )
    }
}

/// A write about to be made.
pub(super) struct RowRun {
    pub(super) run: RunId,
    pub(super) kind: &'static Kind,
    pub(super) plan: Arc<TenantPlan>,
    pub(super) at: usize,
    pub(super) writer: Arc<Writer>,
    /// When the tenant was read for the plan.
    pub(super) read: Instant,
    /// Whether it may have been sent before, so that the client itself must be looked at first.
    pub(super) suspect: bool,
}

/// What is known of a row when its outcome is written down.
#[derive(Default)]
struct Verdict {
    reason: Option<Reason>,
    error: Option<String>,
    http_status: Option<u16>,
    error_code: Option<String>,
}

impl RowRun {
    fn write(&self) -> &Write {
        &self.plan.writes[self.at]
    }

    /// Sends the write and says what became of it. Never fails: a failure is an outcome.
    pub(super) async fn run(mut self) -> Outcome {
        let (since, started) = (Instant::now(), now());
        let mut outcome = self.blank(started);
        for try_again in (0..REMAKES).rev() {
            let body = match self.body().await {
                Ok(Prepared::Send(body)) => body,
                Ok(Prepared::End(result, verdict)) => return self.close(outcome, since, result, verdict),
                Err(ApiError::Halted) => {
                    return self.close(outcome, since, RowResult::NotAttempted, stopped());
                }
                Err(error) => {
                    let (result, verdict) = failed(&error);
                    return self.close(outcome, since, result, verdict);
                }
            };
            let (sent, remake) = self.send(&body, try_again > 0).await;
            outcome.attempts += sent.attempts;
            outcome.waited_ms += sent.waited.as_millis() as u64;
            if remake {
                self.suspect = true;
                continue;
            }
            let (result, mut verdict) = self.judge(sent);
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
        let write = self.write();
        let correlation = format!("{}/{}", self.run, write.label.correlation());
        let reader = self.writer.settling_reader();
        let anew = may_remake && sends_whole(self.kind, write);
        let remake = AtomicBool::new(false);
        let settle = || async {
            match settle::settle(self.kind, &reader, write).await {
                Ok(Settled::SendAgain) if anew => {
                    remake.store(true, Ordering::Relaxed);
                    Ok(Settled::GiveUp)
                }
                settled => settled,
            }
        };
        let sent = self.writer.patch(&self.kind.endpoint, &write.id, body, &correlation, settle).await;
        let remake = sent.settlement == Settlement::GivenUp && remake.load(Ordering::Relaxed);
        (sent, remake)
    }

    /// What to send: as planned, or made from what the tenant holds now, where a secret must go along, or where an object
    /// is sent whole that was read too long ago.
    async fn body(&self) -> Result<Prepared, ApiError> {
        let write = self.write();
        let stale = self.read.elapsed() >= MAX_AGE && sends_whole(self.kind, write);
        if !write.compose && !stale && !self.suspect {
            return Ok(Prepared::Send(write.body.clone()));
        }
        let roots: Vec<&str> = write.before.keys().map(String::as_str).collect();
        let live = self.writer.composing_reader().get(&self.kind.endpoint, &write.id, Some(&roots)).await?;
        let verdicts = settle::verdicts(self.kind, write, &live);
        if verdicts.contains(&ThreeWay::Conflict) {
            let error = "the client holds neither what it held when the plan was made nor what was asked for";
            return Ok(Prepared::end(RowResult::Conflict, Reason::ChangedMeanwhile, error));
        }
        if self.suspect && !verdicts.contains(&ThreeWay::Apply) {
            return Ok(Prepared::End(RowResult::Updated, Verdict::default()));
        }
        Ok(compose(self.kind, write, &live.body).map_or_else(
            || {
                let error = "a secret beside the change cannot be read with this token, and would be lost; \
                             the scope read:client_keys may be missing";
                Prepared::end(RowResult::Failed, Reason::Forbidden, error)
            },
            Prepared::Send,
        ))
    }

    fn judge(&self, sent: Sent) -> (RowResult, Verdict) {
        match (sent.result, sent.settlement) {
            (Ok(Entity { body, .. }), settlement) => {
                let (result, verdict) = answered(&check_answer(self.kind, self.write(), &body));
                // Where a read had to tell, no PATCH was answered.
                let http_status = (settlement != Settlement::Landed).then_some(200);
                (result, Verdict { http_status, ..verdict })
            }
            (Err(ApiError::Halted), Settlement::Unknown) => {
                unknown("the run was stopped before it could be looked at")
            }
            (Err(ApiError::Halted), _) => (RowResult::NotAttempted, stopped()),
            (Err(error), Settlement::GivenUp) => {
                let words = format!("{error}; meanwhile the client holds neither the old nor the new value");
                let (_, verdict) = failed(&error);
                let reason = Some(Reason::ChangedMeanwhile);
                (RowResult::Conflict, Verdict { reason, error: Some(words), ..verdict })
            }
            // Whatever kept it from being looked at: it may have been written. The next row will meet the same obstacle
            // and stop the tenant.
            (Err(error), Settlement::Unknown) => {
                let (result, verdict) = unknown(&error.to_string());
                (result, Verdict { http_status: error.status(), ..verdict })
            }
            (Err(error), _) => failed(&error),
        }
    }

    fn blank(&self, started: Timestamp) -> Outcome {
        Outcome {
            tenant: self.plan.tenant.clone(),
            write: self.at,
            id: self.write().id.clone(),
            result: RowResult::Failed,
            reason: None,
            http_status: None,
            error_code: None,
            error: None,
            attempts: 0,
            waited_ms: 0,
            duration_ms: 0,
            started,
            ended: started,
        }
    }

    fn close(&self, outcome: Outcome, since: Instant, result: RowResult, verdict: Verdict) -> Outcome {
        let Verdict { reason, error, http_status, error_code } = verdict;
        let duration_ms = since.elapsed().as_millis() as u64;
        Outcome { result, reason, error, http_status, error_code, duration_ms, ended: now(), ..outcome }
    }
}

fn answered(answer: &Answer) -> (RowResult, Verdict) {
    let warn = |reason, words: &[String]| Verdict {
        reason: Some(reason),
        error: Some(words.join("; ")),
        ..Verdict::default()
    };
    if !answer.not_as_planned.is_empty() {
        (RowResult::Failed, warn(Reason::NotAsPlanned, &answer.not_as_planned))
    } else if !answer.changed_elsewhere.is_empty() {
        (RowResult::Updated, warn(Reason::ChangedElsewhere, &answer.changed_elsewhere))
    } else {
        (RowResult::Updated, Verdict::default())
    }
}

fn failed(error: &ApiError) -> (RowResult, Verdict) {
    let verdict = Verdict {
        reason: Some(if error.stops_tenant() { Reason::AccessLost } else { error.reason() }),
        error: Some(error.to_string()),
        http_status: error.status(),
        error_code: error.error_code().map(str::to_owned),
    };
    (RowResult::Failed, verdict)
}

/// Of a row that was sent, and perhaps carried out: nobody could find out.
fn unknown(why: &str) -> (RowResult, Verdict) {
    let words = format!("{why}; whether the change was made could not be found out");
    (RowResult::Failed, Verdict { reason: Some(Reason::Unknown), error: Some(words), ..Verdict::default() })
}

/// Of a row that was taken up but not sent: nothing became of it, which is no failure.
fn stopped() -> Verdict {
    Verdict { reason: Some(Reason::Stopped), ..Verdict::default() }
}

/// The outcome of a row that was in flight when its loop ended.
pub(super) fn cut_off(row: &RowRun, since: Instant, why: &str) -> Outcome {
    let (result, verdict) = unknown(why);
    let took = jiff::SignedDuration::try_from(since.elapsed()).unwrap_or_default();
    let started = now().checked_sub(took).unwrap_or_else(|_| now());
    row.close(row.blank(started), since, result, verdict)
}

#[expect(clippy::disallowed_methods, reason = "the run owns the wall clock of its outcomes")]
fn now() -> Timestamp {
    Timestamp::now()
}
