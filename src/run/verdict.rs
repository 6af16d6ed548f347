//! What became of a row, in the words of its report.

use crate::auth0::ApiError;
use crate::model::{Body, Reason, RowResult, SettledBy, Written};
use crate::plan::Answer;

/// What is to become of a row before anything is sent.
pub(super) enum Prepared {
    Send(Body),
    End(RowResult, Verdict),
}

/// What is known of a row when its outcome is written down.
#[derive(Default)]
pub(super) struct Verdict {
    pub(super) reason: Option<Reason>,
    pub(super) error: Option<String>,
    pub(super) http_status: Option<u16>,
    pub(super) error_code: Option<String>,
    pub(super) written: Written,
    pub(super) settled: Option<SettledBy>,
}

pub(super) fn answered(answer: &Answer) -> (RowResult, Verdict) {
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

pub(super) fn failed(error: &ApiError) -> (RowResult, Verdict) {
    let verdict = Verdict {
        reason: Some(if error.stops_tenant() { Reason::AccessLost } else { error.reason() }),
        error: Some(error.to_string()),
        http_status: error.status(),
        error_code: error.error_code().map(str::to_owned),
        ..Verdict::default()
    };
    (RowResult::Failed, verdict)
}

/// Of a row that was sent, and perhaps carried out: nobody could find out.
pub(super) fn unknown(why: &str) -> (RowResult, Verdict) {
    let words = format!("{why}; whether the change was made could not be found out");
    let (reason, written) = (Some(Reason::Unknown), Written::Perhaps);
    (RowResult::Failed, Verdict { reason, error: Some(words), written, ..Verdict::default() })
}

/// Of a row that was taken up but not sent: nothing became of it, which is no failure.
pub(super) fn stopped() -> Verdict {
    Verdict { reason: Some(Reason::Stopped), ..Verdict::default() }
}
