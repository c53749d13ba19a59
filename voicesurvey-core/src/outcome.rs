//! Outcomes: how a call, and with it perhaps a task, can end. One table says what each means.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::call_task::TaskStatus;

/// Declares the outcomes and their table, one row each, so that neither can lack an entry.
macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal {
        strength: $strength:literal, spends: $spends:literal, retried_after: [$($minutes:literal),*],
        aapor: $aapor:expr, finally: $finally:ident
    }),+ $(,)?) => {
        /// How a call ended.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Outcome {$(
            $(#[doc = $doc])+
            #[serde(rename = $name)]
            $variant,
        )+}

        impl Outcome {
            /// Every outcome, in the order in which tables show them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What the outcome means for the task, the rates and the next attempt.
            pub const fn rule(self) -> OutcomeRule {
                match self {$(
                    Self::$variant => OutcomeRule {
                        name: $name,
                        strength: $strength,
                        spends_attempt: $spends,
                        retry_after_minutes: &[$($minutes),*],
                        aapor_code: $aapor,
                        final_status: TaskStatus::$finally,
                    },
                )+}
            }
        }
    };
}

outcomes! {
    /// The interview was finished.
    Completed = "completed" { strength: 90, spends: true, retried_after: [], aapor: Some("1.1"), finally: Completed },
    /// The person left after at least one answer.
    Partial = "partial" { strength: 70, spends: true, retried_after: [], aapor: Some("1.2"), finally: Completed },
    /// The person refused to take part.
    Refused = "refused" { strength: 80, spends: true, retried_after: [], aapor: Some("2.112"), finally: Refused },
    /// The person asked never to be called again.
    OptedOut = "opted_out" { strength: 100, spends: true, retried_after: [], aapor: Some("2.112"), finally: Refused },
    /// The line dropped, or the person asked to be called later, after at least one answer.
    Interrupted = "interrupted" { strength: 64, spends: true, retried_after: [2], aapor: Some("1.2"), finally: Completed },
    /// The person consented and left before the first answer.
    BrokeOff = "broke_off" { strength: 66, spends: true, retried_after: [], aapor: Some("2.12"), finally: Refused },
    /// The person hung up before saying yes or no.
    HungUpBeforeConsent = "hung_up_before_consent" { strength: 50, spends: true, retried_after: [1440], aapor: Some("2.11"), finally: NotReached },
    /// The line dropped after consent, before the first answer.
    LineDropped = "line_dropped" { strength: 63, spends: true, retried_after: [2], aapor: Some("2.36"), finally: NotReached },
    /// The person asked to be called at another time.
    CallBackRequested = "call_back_requested" { strength: 60, spends: true, retried_after: [120], aapor: Some("2.21"), finally: NotReached },
    /// Somebody else has this number.
    WrongPerson = "wrong_person" { strength: 62, spends: true, retried_after: [], aapor: Some("4.54"), finally: Failed },
    /// The person speaks no language of the campaign.
    LanguageBarrier = "language_barrier" { strength: 61, spends: true, retried_after: [], aapor: Some("2.332"), finally: Failed },
    /// The line was busy.
    Busy = "busy" { strength: 20, spends: true, retried_after: [30], aapor: Some("3.12"), finally: NotReached },
    /// Nobody picked up.
    NoAnswer = "no_answer" { strength: 21, spends: true, retried_after: [180], aapor: Some("3.13"), finally: NotReached },
    /// The call was rejected on the telephone.
    Declined = "declined" { strength: 25, spends: true, retried_after: [1440], aapor: Some("3.13"), finally: NotReached },
    /// A voicemail answered.
    Voicemail = "voicemail" { strength: 30, spends: true, retried_after: [180], aapor: Some("3.14"), finally: NotReached },
    /// A screening assistant answered.
    CallScreening = "call_screening" { strength: 31, spends: true, retried_after: [180], aapor: Some("3.15"), finally: NotReached },
    /// A fax or modem answered.
    Fax = "fax" { strength: 42, spends: true, retried_after: [], aapor: Some("4.20"), finally: Failed },
    /// The number cannot exist or is not assigned.
    InvalidNumber = "invalid_number" { strength: 41, spends: true, retried_after: [], aapor: Some("4.31"), finally: Failed },
    /// The number is not in service.
    Disconnected = "disconnected" { strength: 40, spends: true, retried_after: [1440], aapor: Some("4.32"), finally: Failed },
    /// The provider will never place this call.
    ProviderRejected = "provider_rejected" { strength: 15, spends: false, retried_after: [], aapor: Some("3.16"), finally: Failed },
    /// The provider could not place the call now.
    ProviderFailure = "provider_failure" { strength: 10, spends: false, retried_after: [5, 10, 20, 40], aapor: Some("3.16"), finally: NotReached },
    /// What became of the call is not known.
    Lost = "lost" { strength: 5, spends: true, retried_after: [180], aapor: Some("3.16"), finally: NotReached },
    /// An answer has told that enough people of this kind have answered.
    QuotaFull = "quota_full" { strength: 65, spends: true, retried_after: [], aapor: Some("4.80"), finally: Cancelled },
    /// The attempt was given up before anybody was dialed.
    Cancelled = "cancelled" { strength: 1, spends: false, retried_after: [], aapor: None, finally: Cancelled },
}

/// One row of the outcome table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeRule {
    /// The name used in the API, in files and in stores.
    pub name: &'static str,
    /// A stronger outcome is never overwritten by a weaker one: a refusal stays a refusal.
    pub strength: u8,
    /// Whether an attempt is used up. Faults of the system or the provider are free.
    pub spends_attempt: bool,
    /// Minutes to wait before each further attempt, the last repeated; empty means never again.
    pub retry_after_minutes: &'static [u32],
    /// The AAPOR disposition (Standard Definitions, 10th edition) when it closes the case.
    pub aapor_code: Option<&'static str>,
    /// The task's status when it is not retried, or when its attempts are used up.
    pub final_status: TaskStatus,
}

impl OutcomeRule {
    /// Whether such a call is tried again while attempts are left.
    pub const fn is_retried(&self) -> bool {
        !self.retry_after_minutes.is_empty()
    }

    /// How long to wait before the attempt that follows `attempts` spent ones.
    pub fn retry_after(&self, attempts: u16) -> Option<TimeDelta> {
        let last = self.retry_after_minutes.len().checked_sub(1)?;
        let index = usize::from(attempts.saturating_sub(1)).min(last);
        Some(TimeDelta::minutes(i64::from(
            self.retry_after_minutes[index],
        )))
    }
}

impl Outcome {
    /// The name used in the API, in files and in stores.
    pub const fn name(self) -> &'static str {
        self.rule().name
    }

    /// Whether the person has said how it shall be: took part, left, or refused.
    pub const fn is_decided_by_person(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Partial | Self::BrokeOff | Self::Refused | Self::OptedOut
        )
    }

    /// Whether an interview stopped in the middle that is to be continued: nobody has ended it.
    pub const fn is_interruption(self) -> bool {
        matches!(self, Self::LineDropped | Self::Interrupted)
    }

    /// Whether the person may have said when to call again.
    pub const fn may_have_appointment(self) -> bool {
        matches!(self, Self::CallBackRequested | Self::Interrupted)
    }

    /// Whether the line failed, and not the person.
    pub const fn is_fault(self) -> bool {
        matches!(self, Self::ProviderFailure | Self::Lost)
    }

    /// Whether a call that ended so may have rung, and counts against the caps per person.
    pub const fn counts_as_contact(self) -> bool {
        !matches!(
            self,
            Self::Cancelled | Self::ProviderRejected | Self::ProviderFailure
        )
    }

    /// Whether a person was spoken to: somebody said something, or hung up on what was said.
    pub const fn spoke_with_person(self) -> bool {
        match self {
            Self::Completed
            | Self::Partial
            | Self::Refused
            | Self::OptedOut
            | Self::Interrupted
            | Self::BrokeOff
            | Self::HungUpBeforeConsent
            | Self::LineDropped
            | Self::CallBackRequested
            | Self::WrongPerson
            | Self::LanguageBarrier
            | Self::QuotaFull => true,
            Self::Busy
            | Self::NoAnswer
            | Self::Declined
            | Self::Voicemail
            | Self::CallScreening
            | Self::Fax
            | Self::InvalidNumber
            | Self::Disconnected
            | Self::ProviderRejected
            | Self::ProviderFailure
            | Self::Lost
            | Self::Cancelled => false,
        }
    }

    /// Whether a person was there, who should be left in peace for longer than an empty line.
    pub const fn reached_person(self) -> bool {
        matches!(
            self,
            Self::HungUpBeforeConsent | Self::CallBackRequested | Self::Declined
        )
    }

    /// Whether a campaign may choose to call again after it.
    ///
    /// What a person decided is final (I8), and where nobody was dialed there is nothing to repeat.
    pub const fn can_be_retried(self) -> bool {
        !self.is_decided_by_person() && !matches!(self, Self::QuotaFull | Self::Cancelled)
    }

    /// Whether the next attempt should rather be made in another part of the day: nobody was at
    /// the telephone, and may not be at this time of any day.
    pub const fn prefers_other_daypart(self) -> bool {
        matches!(self, Self::NoAnswer | Self::Voicemail)
    }

    /// Whether it is a fault that costs no attempt, and after which the person may be called again:
    /// such faults are forgiven, but not for ever.
    ///
    /// An attempt that was given up undialed is none: it says nothing about the number.
    pub const fn is_forgiven(self) -> bool {
        !self.rule().spends_attempt && self.can_be_retried()
    }

    /// The stronger of the two; the first when they are equally strong.
    #[must_use]
    pub const fn or_stronger(self, other: Self) -> Self {
        if other.rule().strength > self.rule().strength {
            other
        } else {
            self
        }
    }

    /// Of two outcomes of one call the one that holds, in whatever order they become known (I10).
    ///
    /// It is the stronger one, but "hung up before consent" is what is made of a call that was
    /// answered when nobody knows more. A machine that was detected explains it better, also when
    /// that is told after the end, and so it does better than whatever the hang-up is stronger than:
    /// the line, the number.
    #[must_use]
    pub const fn or_better_known(self, other: Self) -> Self {
        if other.strength_within_call() > self.strength_within_call() {
            other
        } else {
            self
        }
    }

    /// Machines rank right above the hang-up that they explain, and below whatever a person said.
    const fn strength_within_call(self) -> u8 {
        let hung_up = Self::HungUpBeforeConsent.rule().strength;
        match self {
            Self::Voicemail => hung_up + 1,
            Self::CallScreening => hung_up + 2,
            Self::Fax => hung_up + 3,
            _ => self.rule().strength,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown outcome '{0}'")]
pub struct UnknownOutcome(pub String);

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|outcome| outcome.name() == text)
            .ok_or_else(|| UnknownOutcome(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_technical_outcome_overwrites_what_a_person_decided() {
        for decided in [Outcome::Refused, Outcome::OptedOut, Outcome::Completed] {
            for technical in [
                Outcome::Busy,
                Outcome::NoAnswer,
                Outcome::ProviderFailure,
                Outcome::Lost,
            ] {
                assert_eq!(decided.or_stronger(technical), decided);
                assert_eq!(technical.or_stronger(decided), decided);
            }
        }
    }

    /// Else a call that was made meanwhile would take back what the person has decided (I8).
    #[test]
    fn what_a_person_decided_is_stronger_than_anything_else() {
        let (decided, open): (Vec<Outcome>, Vec<Outcome>) = Outcome::ALL
            .iter()
            .partition(|outcome| outcome.is_decided_by_person());
        for decided in decided {
            for open in &open {
                assert_eq!(open.or_stronger(decided), decided, "{open}");
                assert_eq!(open.or_better_known(decided), decided, "{open}");
            }
        }
    }

    /// Two outcomes of equal strength would make the order of events decide (I10).
    #[test]
    fn no_two_outcomes_are_equally_strong() {
        let different = |strength: fn(&Outcome) -> u8| {
            let strengths: BTreeSet<u8> = Outcome::ALL.iter().map(strength).collect();
            strengths.len()
        };
        let all = Outcome::ALL.len();
        assert_eq!(different(|outcome| outcome.rule().strength), all);
        assert_eq!(different(|outcome| outcome.strength_within_call()), all);
    }

    #[test]
    fn only_a_machine_explains_a_hang_up_before_consent() {
        let hung_up = Outcome::HungUpBeforeConsent;
        let machines = [Outcome::Voicemail, Outcome::CallScreening, Outcome::Fax];
        for &other in Outcome::ALL {
            let better = hung_up.or_better_known(other);
            assert_eq!(better, other.or_better_known(hung_up), "{other}");
            let expected = if machines.contains(&other) {
                other
            } else {
                hung_up.or_stronger(other)
            };
            assert_eq!(better, expected, "{other}");
        }
        for line in [
            Outcome::NoAnswer,
            Outcome::Declined,
            Outcome::Lost,
            Outcome::Disconnected,
            Outcome::InvalidNumber,
        ] {
            assert_eq!(hung_up.or_better_known(line), hung_up, "{line}");
        }
    }

    #[test]
    fn a_machine_explains_away_nothing_that_a_person_said() {
        let machines = [Outcome::Voicemail, Outcome::CallScreening, Outcome::Fax];
        let said = [
            Outcome::CallBackRequested,
            Outcome::LanguageBarrier,
            Outcome::WrongPerson,
        ];
        let decided = Outcome::ALL.iter().copied();
        let decided = decided.filter(|outcome| outcome.is_decided_by_person());
        for said in decided.chain(said) {
            for machine in machines {
                assert_eq!(said.or_better_known(machine), said);
                assert_eq!(machine.or_better_known(said), said);
            }
        }
    }

    #[test]
    fn names_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.name().parse(), Ok(*outcome));
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
    }

    #[test]
    fn faults_of_the_provider_are_free() {
        assert!(!Outcome::ProviderFailure.rule().spends_attempt);
        assert!(!Outcome::ProviderRejected.rule().spends_attempt);
        assert!(Outcome::NoAnswer.rule().spends_attempt);
        let forgiven = Outcome::ALL.iter().filter(|outcome| outcome.is_forgiven());
        let forgiven: Vec<_> = forgiven.copied().collect();
        assert_eq!(
            forgiven,
            [Outcome::ProviderRejected, Outcome::ProviderFailure]
        );
    }

    #[test]
    fn the_last_delay_is_repeated() {
        let rule = Outcome::ProviderFailure.rule();
        let minutes = |attempts| rule.retry_after(attempts).map(|delay| delay.num_minutes());
        assert_eq!(
            [minutes(1), minutes(2), minutes(9)],
            [Some(5), Some(10), Some(40)]
        );
        assert_eq!(Outcome::Refused.rule().retry_after(1), None);
    }
}
