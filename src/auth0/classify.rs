//! What to do after one exchange: the pure table of the retry loop in `send.rs`.

use super::network::NetworkFailure;

/// What a request does to the tenant, which decides whether it may simply be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CallKind {
    /// A token request.
    Token,
    /// Reads: always repeatable.
    Read,
    /// A PATCH of absolute values: repeatable, but a lost answer is settled by a read first.
    Write,
    /// A POST of something new: sent twice it would be there twice, so that whatever failed is settled by a look first.
    Create,
}

impl CallKind {
    /// Whether it changes the tenant.
    pub(crate) fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::Create)
    }
}

/// How one exchange ended, other than with a readable success.
#[derive(Debug)]
pub(crate) enum Ended<'a> {
    /// With this status.
    Answered(u16),
    /// Without a usable answer; a success whose body cannot be read is one.
    Lost(&'a NetworkFailure),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Send again when the limiter lets it; not counted.
    Throttled,
    /// Renew the token, then send again.
    Renew,
    /// Wait, then send again; counted.
    TryAgain,
    /// Wait, look whether it was carried out, then perhaps send again; counted.
    Settle,
    /// It is final.
    Fail,
}

/// The table. `reached`: the tenant has answered something before, so that its name and certificate are right.
pub(crate) fn step(kind: CallKind, ended: &Ended<'_>, reached: bool) -> Step {
    match (kind, ended) {
        (CallKind::Token, Ended::Answered(429)) => Step::TryAgain,
        (_, Ended::Answered(429)) => Step::Throttled,
        (CallKind::Read | CallKind::Write | CallKind::Create, Ended::Answered(401)) => Step::Renew,
        // A gateway that gives up, and a server that breaks, may have let the write through before.
        (CallKind::Write, Ended::Answered(408 | 500 | 502 | 504)) => Step::Settle,
        (CallKind::Create, Ended::Answered(408 | 500..)) => Step::Settle,
        (_, Ended::Answered(408 | 500..)) => Step::TryAgain,
        (_, Ended::Answered(_)) => Step::Fail,
        (_, Ended::Lost(failure)) if failure.is_configuration() && !reached => Step::Fail,
        (CallKind::Write | CallKind::Create, Ended::Lost(failure)) if failure.maybe_sent => Step::Settle,
        (_, Ended::Lost(_)) => Step::TryAgain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth0::NetworkCause;

    fn lost(cause: NetworkCause, maybe_sent: bool) -> NetworkFailure {
        NetworkFailure { cause, maybe_sent, detail: String::new() }
    }

    #[test]
    fn refusals_are_final_and_failures_are_not() {
        for kind in [CallKind::Read, CallKind::Write] {
            for status in [301, 400, 403, 404, 409, 422] {
                assert_eq!(step(kind, &Ended::Answered(status), true), Step::Fail, "{status}");
            }
            for status in [408, 500, 502, 503, 504, 522] {
                let step = step(kind, &Ended::Answered(status), true);
                assert!(matches!(step, Step::TryAgain | Step::Settle), "{status}");
            }
            assert_eq!(step(kind, &Ended::Answered(401), true), Step::Renew);
            assert_eq!(step(kind, &Ended::Answered(429), true), Step::Throttled);
        }
        assert_eq!(step(CallKind::Token, &Ended::Answered(401), true), Step::Fail);
    }

    #[test]
    fn a_write_is_looked_for_after_failures_that_may_have_let_it_through() {
        for (status, wanted) in [
            (408, Step::Settle),
            (500, Step::Settle),
            (502, Step::Settle),
            (503, Step::TryAgain),
            (504, Step::Settle),
        ] {
            assert_eq!(step(CallKind::Write, &Ended::Answered(status), true), wanted, "{status}");
            assert_eq!(step(CallKind::Read, &Ended::Answered(status), true), Step::TryAgain, "{status}");
        }
    }

    #[test]
    fn whatever_fails_of_a_create_is_looked_for_before_it_is_sent_again() {
        for status in [408, 500, 502, 503, 504, 522] {
            assert_eq!(step(CallKind::Create, &Ended::Answered(status), true), Step::Settle, "{status}");
        }
        assert_eq!(step(CallKind::Create, &Ended::Answered(409), true), Step::Fail);
        assert_eq!(
            step(CallKind::Create, &Ended::Lost(&lost(NetworkCause::Reset, true)), true),
            Step::Settle
        );
        let refused = lost(NetworkCause::Refused, false);
        assert_eq!(step(CallKind::Create, &Ended::Lost(&refused), true), Step::TryAgain);
    }

    #[test]
    fn only_a_write_that_may_have_arrived_is_settled() {
        let reset = lost(NetworkCause::Reset, true);
        let refused = lost(NetworkCause::Refused, false);
        assert_eq!(step(CallKind::Write, &Ended::Lost(&reset), true), Step::Settle);
        assert_eq!(step(CallKind::Write, &Ended::Lost(&refused), true), Step::TryAgain);
        assert_eq!(step(CallKind::Read, &Ended::Lost(&reset), true), Step::TryAgain);
    }

    #[test]
    fn a_wrong_name_fails_at_once_unless_it_was_right_before() {
        let unknown = lost(NetworkCause::UnknownHost, false);
        assert_eq!(step(CallKind::Token, &Ended::Lost(&unknown), false), Step::Fail);
        assert_eq!(step(CallKind::Token, &Ended::Lost(&unknown), true), Step::TryAgain);
    }
}
