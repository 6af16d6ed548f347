//! A row's states and its one transition function, which serves the running and the recovering program alike.

use super::{Outcome, Reason, RowResult, Written};

/// The life of one planned write.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteState {
    /// Nothing was sent.
    Waiting,
    /// It may have been sent: no outcome is known.
    Claimed,
    /// It came to an end. Not always its last: what failed can be tried again.
    Ended(Box<Outcome>),
}

/// What happens to a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It is taken up.
    Claim,
    /// It ends.
    End(Outcome),
    /// A later look contradicts its answer.
    Contradict(String),
}

/// What `resume` has to do about a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    Nothing,
    /// Nothing, unless failed rows are to be tried again.
    Failed,
    /// Send it: it certainly was not sent.
    Send,
    /// Look at the client first: it may have been sent.
    Look,
}

/// A step that no run takes: the journal is not what a run has written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Impossible(pub(super) String);

impl WriteState {
    /// The next state.
    ///
    /// # Errors
    /// Where a write in this state cannot take the step.
    pub fn next(self, step: Step) -> Result<Self, Impossible> {
        match (self, step) {
            (Self::Ended(outcome), Step::Claim) if outcome.remains() == Remains::Nothing => {
                Err(Impossible("a write that is done is taken up again".to_owned()))
            }
            (_, Step::Claim) => Ok(Self::Claimed),
            (Self::Claimed, Step::End(outcome)) => Ok(Self::Ended(Box::new(outcome))),
            (Self::Waiting, Step::End(_)) => {
                Err(Impossible("a write ends that was never taken up".to_owned()))
            }
            (Self::Ended(_), Step::End(_)) => Err(Impossible("a write ends twice".to_owned())),
            (Self::Ended(outcome), Step::Contradict(words)) if outcome.written != Written::No => {
                Ok(Self::Ended(Box::new(Outcome {
                    result: RowResult::Failed,
                    reason: Some(Reason::NotAsPlanned),
                    error: Some(words),
                    ..*outcome
                })))
            }
            (_, Step::Contradict(_)) => Err(Impossible("a write is verified that was not made".to_owned())),
        }
    }

    /// What `resume` has to do.
    pub fn remains(&self) -> Remains {
        match self {
            Self::Waiting => Remains::Send,
            Self::Claimed => Remains::Look,
            Self::Ended(outcome) => outcome.remains(),
        }
    }

    /// Whether the client was written to, or may have been.
    pub fn is_written(&self) -> bool {
        match self {
            Self::Waiting => false,
            Self::Claimed => true,
            Self::Ended(outcome) => outcome.written != Written::No,
        }
    }

    /// Whether the client was certainly written to.
    pub fn is_surely_written(&self) -> bool {
        self.outcome().is_some_and(|outcome| outcome.written == Written::Yes)
    }

    /// How it ended, if it did.
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Ended(outcome) => Some(outcome),
            Self::Waiting | Self::Claimed => None,
        }
    }
}

impl Outcome {
    pub(super) fn remains(&self) -> Remains {
        match (self.result, self.reason) {
            // Not sent now, but perhaps before: what was once in doubt stays so until somebody has looked.
            (RowResult::NotAttempted, _) | (RowResult::Failed, Some(Reason::AccessLost))
                if self.written != Written::No =>
            {
                Remains::Look
            }
            (RowResult::NotAttempted, _) | (RowResult::Failed, Some(Reason::AccessLost)) => Remains::Send,
            (RowResult::Failed, Some(Reason::Unknown)) => Remains::Look,
            (RowResult::Failed | RowResult::Conflict, _) => Remains::Failed,
            _ => Remains::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn outcome(result: RowResult, reason: Option<Reason>, written: Written) -> Outcome {
        let begun = Outcome::begun("dev".into(), 0, "a".into(), Timestamp::UNIX_EPOCH);
        Outcome { result, reason, written, attempts: 1, ..begun }
    }

    fn claimed() -> WriteState {
        WriteState::Waiting.next(Step::Claim).unwrap()
    }

    #[test]
    fn a_write_is_taken_up_before_it_ends_and_ends_once() {
        let updated = outcome(RowResult::Updated, None, Written::Yes);
        WriteState::Waiting.next(Step::End(updated.clone())).unwrap_err();
        let ended = claimed().next(Step::End(updated.clone())).unwrap();
        assert_eq!(ended.remains(), Remains::Nothing);
        ended.clone().next(Step::End(updated)).unwrap_err();
        ended.next(Step::Claim).unwrap_err();
    }

    #[test]
    fn what_was_claimed_and_has_no_outcome_wants_a_look_and_what_was_not_does_not() {
        assert_eq!(WriteState::Waiting.remains(), Remains::Send);
        assert_eq!(claimed().remains(), Remains::Look);
        let unknown = outcome(RowResult::Failed, Some(Reason::Unknown), Written::Perhaps);
        assert_eq!(WriteState::Ended(unknown.into()).remains(), Remains::Look);
        let released = outcome(RowResult::NotAttempted, Some(Reason::Stopped), Written::No);
        assert_eq!(WriteState::Ended(released.into()).remains(), Remains::Send);
        let doubted = outcome(RowResult::Failed, Some(Reason::AccessLost), Written::Perhaps);
        assert_eq!(WriteState::Ended(doubted.into()).remains(), Remains::Look);
        let refused = outcome(RowResult::Failed, Some(Reason::Refused), Written::No);
        assert_eq!(WriteState::Ended(refused.into()).remains(), Remains::Failed);
    }

    #[test]
    fn a_later_look_makes_a_failure_of_what_was_answered_as_planned() {
        let updated = outcome(RowResult::Updated, None, Written::Yes);
        let state = WriteState::Ended(updated.into()).next(Step::Contradict("name is \"x\"".into())).unwrap();
        let told = state.outcome().unwrap();
        assert_eq!((told.result, told.reason), (RowResult::Failed, Some(Reason::NotAsPlanned)));
        assert!(state.is_written());
        WriteState::Waiting.next(Step::Contradict("x".into())).unwrap_err();
    }
}
