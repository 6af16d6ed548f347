//! One write, from being taken up to its outcome.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::settle;
use crate::auth0::{ApiError, Sent, Settlement, Writer};
use crate::catalogue::Kind;
use crate::model::{Body, Entity, Outcome, Reason, RowResult, RunId};
use crate::plan::{Answer, TenantPlan, Write, check_answer, compose};

/// A write about to be made.
pub(super) struct RowRun {
    pub(super) run: RunId,
    pub(super) kind: &'static Kind,
    pub(super) plan: Arc<TenantPlan>,
    pub(super) at: usize,
    pub(super) writer: Arc<Writer>,
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
    pub(super) async fn run(self) -> Outcome {
        let (since, started) = (Instant::now(), now());
        let mut outcome = self.blank(started);
        let body = match self.body().await {
            Ok(Some(body)) => body,
            Ok(None) => {
                let error = "a secret beside the change cannot be read with this token, and would be lost; read:client_keys may be missing";
                let verdict = Verdict {
                    reason: Some(Reason::Forbidden),
                    error: Some(error.to_owned()),
                    ..Verdict::default()
                };
                return self.close(outcome, since, RowResult::Failed, verdict);
            }
            Err(error) => {
                let (result, verdict) = failed(&error);
                return self.close(outcome, since, result, verdict);
            }
        };
        let correlation = format!("{}/{}", self.run, self.write().label.correlation());
        let reader = self.writer.reader();
        let settle = || settle::settle(self.kind, &reader, self.write());
        let sent =
            self.writer.patch(&self.kind.endpoint, &self.write().id, &body, &correlation, settle).await;
        outcome.attempts = sent.attempts;
        outcome.waited_ms = sent.waited.as_millis() as u64;
        let (result, verdict) = self.judge(sent);
        self.close(outcome, since, result, verdict)
    }

    /// What to send: as planned, or, where a secret must go along, composed from what the tenant holds now.
    async fn body(&self) -> Result<Option<Body>, ApiError> {
        if !self.write().compose {
            return Ok(Some(self.write().body.clone()));
        }
        let mut roots: Vec<&str> = self.write().changes.iter().map(|change| change.path.root()).collect();
        roots.dedup();
        let live = self.writer.reader().get(&self.kind.endpoint, &self.write().id, Some(&roots)).await?;
        Ok(compose(self.kind, self.write(), &live.body))
    }

    fn judge(&self, sent: Sent) -> (RowResult, Verdict) {
        match (sent.result, sent.settlement) {
            (Ok(Entity { body, .. }), _) => {
                let (result, verdict) = answered(&check_answer(self.kind, self.write(), &body));
                (result, Verdict { http_status: Some(200), ..verdict })
            }
            (Err(_), Settlement::GivenUp) => {
                let error =
                    "the answer was lost, and meanwhile the client holds neither the old nor the new value";
                let reason = Some(Reason::ChangedMeanwhile);
                (RowResult::Conflict, Verdict { reason, error: Some(error.to_owned()), ..Verdict::default() })
            }
            (Err(error), Settlement::Unknown) => {
                let (result, verdict) = failed(&error);
                let words = format!("{error}; whether the change was made could not be found out");
                (result, Verdict { error: Some(words), ..verdict })
            }
            (Err(ApiError::Halted), _) => (RowResult::NotAttempted, stopped()),
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

/// Of a row that was taken up but not sent: nothing became of it, which is no failure.
fn stopped() -> Verdict {
    Verdict { reason: Some(Reason::Stopped), ..Verdict::default() }
}

/// The outcome of a row that was in flight when the run was told to stop at once.
pub(super) fn cut_off(row: &RowRun, since: Instant) -> Outcome {
    let verdict = Verdict {
        reason: Some(Reason::Stopped),
        error: Some(
            "stopped while the request was under way: whether it was written is not known".to_owned(),
        ),
        ..Verdict::default()
    };
    row.close(row.blank(now()), since, RowResult::Failed, verdict)
}

#[expect(clippy::disallowed_methods, reason = "the run owns the wall clock of its outcomes")]
fn now() -> Timestamp {
    Timestamp::now()
}
