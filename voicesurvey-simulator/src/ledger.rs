//! What really happened on the telephones: the judge of every test, whatever the host believes.

use std::borrow::Cow;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use voicesurvey_core::call_attempt::{AnsweredBy, CallEvent, CallEventKind};
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::time::Timestamp;

/// One call that the provider placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Why it ended, if it was not answered or if the line dropped.
    pub outcome: Option<Outcome>,
    /// The provider's word for how it ended; empty until then.
    pub raw_status: Cow<'static, str>,
    /// The provider's error code.
    pub error_code: Option<Cow<'static, str>>,
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
            CallEventKind::Ended { .. } => (&*self.raw_status, self.error_code.as_deref()),
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ledger {
    rings: Vec<Ring>,
}

impl Ledger {
    /// The ledger of these calls.
    pub fn new(mut rings: Vec<Ring>) -> Self {
        rings.sort_by_key(|ring| (ring.placed_at, ring.phone_number, ring.company_id));
        Self { rings }
    }

    /// All calls, by the instant at which they were placed.
    pub fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// The part of the ledger that `counts`: one company's calls, say.
    #[must_use]
    pub fn of(&self, counts: impl Fn(&Ring) -> bool) -> Self {
        let rings = self.rings.iter().filter(|ring| counts(ring));
        Self {
            rings: rings.cloned().collect(),
        }
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

    /// The largest number of calls that were placed within so long, wherever one begins to count.
    pub fn most_placed_within(&self, window: TimeDelta) -> usize {
        let mut first = 0;
        let mut most = 0;
        for (last, ring) in self.rings.iter().enumerate() {
            while ring.placed_at - self.rings[first].placed_at >= window {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
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
            raw_status: Cow::Borrowed(""),
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
    fn calls_are_counted_in_the_worst_window() {
        let rings = [0, 1, 59, 60, 61, 62].map(|from| {
            let attempt = u128::try_from(from).unwrap();
            ring(attempt, "+390612345671", from, Some(from))
        });
        let ledger = Ledger::new(rings.to_vec());
        assert_eq!(ledger.most_placed_within(TimeDelta::minutes(1)), 4);
        let late = ledger.of(|ring| ring.placed_at >= rings[5].placed_at);
        assert_eq!(late.most_placed_within(TimeDelta::minutes(1)), 1);
        let none = ledger.of(|_| false);
        assert_eq!(none.most_placed_within(TimeDelta::minutes(1)), 0);
    }

    #[test]
    fn a_ledger_reads_back_as_it_was_written() {
        let ledger = Ledger::new(vec![ring(1, "+390612345671", 0, Some(10))]);
        let json = serde_json::to_string(&ledger).unwrap();
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
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
