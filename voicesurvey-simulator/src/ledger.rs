//! What really happened on the telephones: the judge of every test, whatever the host believes.

use voicesurvey_core::call_attempt::{AnsweredBy, CallEvent, CallEventKind};
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::Timestamp;

/// One call that the provider placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    /// Whose call it is.
    pub company_id: CompanyId,
    /// The host's reference.
    pub attempt_id: CallAttemptId,
    /// The provider's name of the call.
    pub provider_call_id: String,
    /// The number dialed.
    pub phone_number: PhoneNumber,
    /// When the provider took the order.
    pub placed_at: Timestamp,
    /// When it began to dial.
    pub initiated_at: Option<Timestamp>,
    /// When the telephone began to ring.
    pub ringing_at: Option<Timestamp>,
    /// When the call was answered.
    pub answered_at: Option<Timestamp>,
    /// By whom or what.
    pub answered_by: Option<AnsweredBy>,
    /// When the line was free again; `None` while it is not.
    pub ended_at: Option<Timestamp>,
    /// Why it ended, if it was not answered.
    pub outcome: Option<Outcome>,
    /// The provider's word for how it ended; empty until then.
    pub raw_status: &'static str,
    /// The provider's error code.
    pub error_code: Option<&'static str>,
}

impl Ring {
    /// Everything that happened so far, as a host is told it, in order.
    pub fn events(&self) -> Vec<CallEvent> {
        let initiated = self
            .initiated_at
            .map(|at| self.event(CallEventKind::Initiated, at));
        let ringing = self
            .ringing_at
            .map(|at| self.event(CallEventKind::Ringing, at));
        let answered = self
            .answered_at
            .zip(self.answered_by)
            .map(|(at, by)| self.event(CallEventKind::Answered { by }, at));
        let ended = self.ended_at.map(|at| {
            self.event(
                CallEventKind::Ended {
                    outcome: self.outcome,
                },
                at,
            )
        });
        [initiated, ringing, answered, ended]
            .into_iter()
            .flatten()
            .collect()
    }

    fn event(&self, kind: CallEventKind, at: Timestamp) -> CallEvent {
        let (raw_status, error_code) = match &kind {
            CallEventKind::Answered { .. } => ("in-progress", None),
            CallEventKind::Ended { .. } => (self.raw_status, self.error_code),
            _ => (kind.name(), None),
        };
        CallEvent {
            company_id: self.company_id,
            attempt_id: self.attempt_id,
            event_id: format!("{}:{}", self.provider_call_id, kind.name()),
            provider_call_id: Some(self.provider_call_id.clone()),
            kind,
            at,
            raw_status: Some(raw_status.to_owned()),
            error_code: error_code.map(str::to_owned),
        }
    }

    /// Whether both calls held a line at the same instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        let begins_before_end =
            |one: &Self, two: &Self| two.ended_at.is_none_or(|ended_at| one.placed_at < ended_at);
        begins_before_end(self, other) && begins_before_end(other, self)
    }
}

/// Every call that the provider placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    rings: Vec<Ring>,
}

impl Ledger {
    /// The ledger of these calls.
    pub(crate) fn new(mut rings: Vec<Ring>) -> Self {
        rings.sort_by_key(|ring| (ring.placed_at, ring.phone_number, ring.company_id));
        Self { rings }
    }

    /// All calls, by the instant at which they were placed.
    pub fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// The attempts for which somebody was dialed more than once. There must be none.
    pub fn dialed_twice(&self) -> Vec<CallAttemptId> {
        let mut attempts: Vec<_> = self.rings.iter().map(|ring| ring.attempt_id).collect();
        attempts.sort_unstable();
        let mut twice: Vec<_> = attempts
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect();
        twice.dedup();
        twice
    }

    /// Pairs of calls of one company to one number that held a line at the same instant. There must
    /// be none.
    pub fn rung_at_once(&self) -> Vec<(&Ring, &Ring)> {
        let mut rings: Vec<&Ring> = self.rings.iter().collect();
        rings.sort_by_key(|ring| (ring.company_id, ring.phone_number, ring.placed_at));
        rings
            .windows(2)
            .map(|pair| (pair[0], pair[1]))
            .filter(|(one, two)| {
                one.company_id == two.company_id
                    && one.phone_number == two.phone_number
                    && one.overlaps(two)
            })
            .collect()
    }

    /// The largest number of lines that were in use at one instant.
    pub fn most_at_once(&self) -> usize {
        let begins = self.rings.iter().map(|ring| (ring.placed_at, true));
        let ends = self
            .rings
            .iter()
            .filter_map(|ring| Some((ring.ended_at?, false)));
        // Sorting puts an end before a beginning at the same instant: that line is free again.
        let mut changes: Vec<_> = begins.chain(ends).collect();
        changes.sort_unstable();
        let (mut lines, mut most) = (0_usize, 0);
        for (_, begins) in changes {
            lines = if begins {
                lines + 1
            } else {
                lines.saturating_sub(1)
            };
            most = most.max(lines);
        }
        most
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use uuid::Uuid;

    use super::*;

    fn ring(attempt: u128, number: &str, from: i64, to: Option<i64>) -> Ring {
        let start: Timestamp = "2026-11-20T17:30:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        Ring {
            company_id: CompanyId::from_uuid(Uuid::from_u128(1)),
            attempt_id: CallAttemptId::from_uuid(Uuid::from_u128(attempt)),
            provider_call_id: format!("SIM{attempt}"),
            phone_number: number.parse().unwrap(),
            placed_at: at(from),
            initiated_at: None,
            ringing_at: None,
            answered_at: None,
            answered_by: None,
            ended_at: to.map(at),
            outcome: None,
            raw_status: "",
            error_code: None,
        }
    }

    #[test]
    fn lines_in_use_are_counted_at_their_worst_instant() {
        let ledger = Ledger::new(vec![
            ring(1, "+390612345671", 0, Some(10)),
            ring(2, "+390612345672", 10, Some(20)),
            ring(3, "+390612345673", 15, None),
            ring(4, "+390612345674", 19, Some(30)),
        ]);
        assert_eq!(ledger.most_at_once(), 3);
        assert_eq!(Ledger::default().most_at_once(), 0);
    }

    #[test]
    fn a_number_that_rings_twice_at_once_is_found_and_one_called_again_later_is_not() {
        let number = "+390612345671";
        let again = Ledger::new(vec![
            ring(1, number, 0, Some(10)),
            ring(2, number, 10, None),
        ]);
        assert!(again.rung_at_once().is_empty());
        let at_once = Ledger::new(vec![ring(1, number, 0, None), ring(2, number, 10, None)]);
        assert_eq!(at_once.rung_at_once().len(), 1);
        assert!(at_once.dialed_twice().is_empty());
    }

    #[test]
    fn an_attempt_that_was_dialed_twice_is_named_once() {
        let number = "+390612345671";
        let rings = [0, 20, 40].map(|from| ring(1, number, from, Some(from + 5)));
        let ledger = Ledger::new(rings.to_vec());
        assert_eq!(
            ledger.dialed_twice(),
            [CallAttemptId::from_uuid(Uuid::from_u128(1))]
        );
    }
}
