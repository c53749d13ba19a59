//! Thresholds between break-off, partial and complete interview, where somebody sets others than ours.
//!
//! The AAPOR leaves it to the researcher from which part of an interview on one counts as partial and
//! as complete, as long as the rule is published; a common one is half and four fifths of the questions
//! that apply. Ours needs no share: an interview is partial from the first answer on, and complete when
//! all of it was gone through.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::disposition::{BREAK_OFF, COMPLETE};
use super::{Case, Disposition, Interview};
use crate::contact_record::ContactRecord;
use crate::conversation::{Answer, AnswerResult, Given};
use crate::survey::Question;

/// From which shares of the questions that apply to somebody on an interview that was not gone through
/// is partial, and complete. None is the rule without thresholds.
///
/// They decide about interviews with at least one answer that are partial without them. Who went
/// through all of it is complete, and who refused or opted out has refused, whatever was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    partial_from: Option<Decimal>,
    complete_from: Option<Decimal>,
}

/// Why shares are no thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdsError {
    /// `partial_from` is no share.
    #[error("use a number from 0 to 1")]
    PartialIsNoShare,
    /// `complete_from` is no share.
    #[error("use a number from 0 to 1")]
    CompleteIsNoShare,
    /// An interview would be complete before it is partial.
    #[error("must not be more than complete_from")]
    PartialAboveComplete,
}

impl Thresholds {
    /// Thresholds at these shares, each of which belongs to what lies above it.
    pub fn new(
        partial_from: Option<Decimal>,
        complete_from: Option<Decimal>,
    ) -> Result<Self, ThresholdsError> {
        let is_share = |share: Decimal| (Decimal::ZERO..=Decimal::ONE).contains(&share);
        if !partial_from.is_none_or(is_share) {
            return Err(ThresholdsError::PartialIsNoShare);
        }
        if !complete_from.is_none_or(is_share) {
            return Err(ThresholdsError::CompleteIsNoShare);
        }
        let both = partial_from.zip(complete_from);
        if both.is_some_and(|(partial, complete)| partial > complete) {
            return Err(ThresholdsError::PartialAboveComplete);
        }
        Ok(Self {
            partial_from,
            complete_from,
        })
    }

    /// The share from which on an interview is partial, and below which it is a break-off.
    pub const fn partial_from(&self) -> Option<Decimal> {
        self.partial_from
    }

    /// The share from which on an interview is complete.
    pub const fn complete_from(&self) -> Option<Decimal> {
        self.complete_from
    }

    /// Whether there are any. Without them no answer is looked at.
    pub const fn are_given(&self) -> bool {
        self.partial_from.is_some() || self.complete_from.is_some()
    }

    /// What somebody's case has come to, given what they were to be asked. Somebody of whom no answer
    /// is kept any longer is judged without thresholds.
    pub fn case(&self, questions: &[Question], record: &ContactRecord) -> Case {
        let case = Case::of(record);
        if !self.are_given() || case.interview() != Some(Interview::Partial) {
            return case;
        }
        let progress = Progress::of(questions, &record.answers);
        if progress.answered == 0 {
            return case;
        }
        let code = if self
            .complete_from
            .is_some_and(|share| progress.reaches(share))
        {
            COMPLETE
        } else if self
            .partial_from
            .is_some_and(|share| !progress.reaches(share))
        {
            BREAK_OFF
        } else {
            return case;
        };
        Case {
            disposition: Disposition::of_code(code),
            ..case
        }
    }
}

/// How far an interview came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    /// Questions that apply to the person, as far as that is known.
    applicable: u32,
    /// Those of them of which an answer is stored, whatever it is: who skips a question has dealt with
    /// it.
    answered: u32,
}

impl Progress {
    /// Whether a question applies depends on answers to others. Of what hangs on a question that was
    /// not reached, or whose answer is not kept any longer, it is not known: it does not count, unless
    /// it was answered itself.
    fn of(questions: &[Question], answers: &[Answer]) -> Self {
        let mut given = Given::default();
        for answer in answers {
            given.put(&answer.question_key, answer.result.clone());
        }
        let mut known: BTreeMap<&str, bool> = BTreeMap::new();
        let mut progress = Self::default();
        for question in questions {
            let is_answered = given.get(&question.key).is_some();
            let applies = match &question.show_if {
                Some(condition) if !is_answered => {
                    let was_passed_over = known.get(&*condition.question) == Some(&false);
                    let is_known = match given.get(&condition.question) {
                        None => was_passed_over,
                        Some(result) => *result != AnswerResult::Forgotten,
                    };
                    is_known.then(|| condition.holds(&given))
                }
                _ => Some(true),
            };
            let Some(applies) = applies else {
                continue;
            };
            known.insert(&question.key, applies);
            progress.applicable += u32::from(applies);
            progress.answered += u32::from(is_answered);
        }
        progress
    }

    /// Whether the share of what was answered is at least that one.
    fn reaches(self, share: Decimal) -> bool {
        Decimal::from(self.answered) >= share * Decimal::from(self.applicable)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call_attempt::CallAttempt;
    use crate::call_task::TaskState;
    use crate::contact_record::CallRecord;
    use crate::outcome::Outcome;
    use crate::survey::AnswerValue;
    use crate::testing::samples::{self, SampleTask as _};

    /// Questions `a` to `j`; of these `i` and `j` are asked on conditions.
    fn questions(conditions: &serde_json::Value) -> Vec<Question> {
        let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let question = |key: &str| {
            let mut question = json!({"key": key, "text": "E poi?", "type": "yes_no"});
            question["show_if"] = conditions[key].clone();
            serde_json::from_value(question).unwrap()
        };
        keys.map(question).to_vec()
    }

    fn plain() -> Vec<Question> {
        questions(&json!({}))
    }

    /// Somebody whose call ended so after these questions were dealt with.
    fn record(outcome: Outcome, answers: &[(&str, AnswerResult)]) -> ContactRecord {
        let campaign = samples::campaign(&samples::company());
        let task = samples::task(&campaign, "+393471234567").in_state(TaskState::Completed);
        let now = samples::now();
        let attempt = CallAttempt {
            outcome: Some(outcome),
            ..CallAttempt::created(samples::id(), &task, "simulated", now, now, now)
        };
        let turn = samples::turn(&attempt, 1);
        let answers = answers.iter().map(|(key, result)| Answer {
            result: result.clone(),
            ..samples::answer(&attempt, &turn, key)
        });
        let mut record = ContactRecord {
            answers: answers.collect(),
            calls: vec![CallRecord::new(attempt)],
            revisions: Vec::new(),
            response: None,
            task,
        };
        record.task.outcome = Some(outcome);
        record
    }

    fn yes() -> AnswerResult {
        AnswerResult::Answered {
            value: AnswerValue::YesNo(true),
        }
    }

    /// Somebody who left when the first so many questions were answered.
    fn left_after(answers: usize) -> ContactRecord {
        let keys = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        let answers: Vec<_> = keys.iter().take(answers).map(|key| (*key, yes())).collect();
        record(Outcome::Partial, &answers)
    }

    fn thresholds(partial_from: &str, complete_from: &str) -> Thresholds {
        let share = |text: &str| text.parse().ok();
        Thresholds::new(share(partial_from), share(complete_from)).unwrap()
    }

    fn code(thresholds: Thresholds, record: &ContactRecord) -> &'static str {
        let case = thresholds.case(&plain(), record);
        case.disposition.unwrap().code
    }

    #[test]
    fn each_threshold_belongs_to_what_lies_above_it() {
        for (answers, expected) in [
            (1, ["1.2", "2.12", "2.12", "1.2"]),
            (4, ["1.2", "2.12", "2.12", "1.2"]),
            (5, ["1.2", "1.2", "1.2", "1.2"]),
            (7, ["1.2", "1.2", "1.2", "1.2"]),
            (8, ["1.2", "1.2", "1.1", "1.1"]),
            (9, ["1.2", "1.2", "1.1", "1.1"]),
        ] {
            let left = left_after(answers);
            let found = [("", ""), ("0.5", ""), ("0.5", "0.8"), ("", "0.8")]
                .map(|(partial, complete)| code(thresholds(partial, complete), &left));
            assert_eq!(found, expected, "{answers} of 10");
        }
        // Shares are not rounded.
        assert_eq!(code(thresholds("0.500001", ""), &left_after(5)), "2.12");
        assert_eq!(code(thresholds("0.499999", ""), &left_after(5)), "1.2");
        assert_eq!(code(thresholds("0", "0"), &left_after(1)), "1.1");
        assert_eq!(code(thresholds("1", "1"), &left_after(9)), "2.12");
    }

    #[test]
    fn only_an_interview_that_was_not_gone_through_is_judged() {
        let strict = thresholds("1", "1");
        let generous = thresholds("0", "0");
        for (outcome, expected) in [
            (Outcome::Completed, ["1.1", "1.1"]),
            (Outcome::Interrupted, ["2.12", "1.1"]),
            (Outcome::OptedOut, ["2.112", "2.112"]),
            (Outcome::BrokeOff, ["2.12", "2.12"]),
            (Outcome::QuotaFull, ["4.80", "4.80"]),
        ] {
            let somebody = record(outcome, &[("a", yes())]);
            let found = [strict, generous].map(|thresholds| code(thresholds, &somebody));
            assert_eq!(found, expected, "{outcome}");
        }
        // Nothing is kept of what they said.
        let erased = left_after(0);
        assert_eq!(
            [strict, generous].map(|rule| code(rule, &erased)),
            ["1.2"; 2]
        );
    }

    #[test]
    fn what_is_skipped_or_not_known_counts_as_answered() {
        let results = [
            AnswerResult::Skipped,
            AnswerResult::DontKnow,
            AnswerResult::NotUnderstood,
            AnswerResult::Forgotten,
        ];
        let answers = ["a", "b", "c", "d"].into_iter().zip(results);
        let somebody = record(Outcome::Partial, &answers.collect::<Vec<_>>());
        assert_eq!(code(thresholds("0.4", ""), &somebody), "1.2");
        assert_eq!(code(thresholds("0.41", ""), &somebody), "2.12");
    }

    #[test]
    fn only_questions_that_apply_count() {
        let progress = |conditions: serde_json::Value, answers: &[(&str, AnswerResult)]| {
            let record = record(Outcome::Partial, answers);
            let Progress {
                applicable,
                answered,
            } = Progress::of(&questions(&conditions), &record.answers);
            (answered, applicable)
        };
        let no = AnswerResult::Answered {
            value: AnswerValue::YesNo(false),
        };
        let of_a = json!({"question": "a", "is": ["yes"]});
        let conditions = json!({"i": of_a, "j": of_a});
        assert_eq!(progress(conditions.clone(), &[("a", yes())]), (1, 10));
        assert_eq!(progress(conditions.clone(), &[("a", no.clone())]), (1, 8));
        assert_eq!(
            progress(conditions.clone(), &[("a", AnswerResult::Skipped)]),
            (1, 8)
        );
        // What hangs on it is not known.
        assert_eq!(progress(conditions.clone(), &[("b", yes())]), (1, 8));
        let forgotten = [("a", AnswerResult::Forgotten)];
        assert_eq!(progress(conditions.clone(), &forgotten), (1, 8));
        // But what was answered applied.
        assert_eq!(
            progress(conditions, &[forgotten[0].clone(), ("i", yes())]),
            (2, 9)
        );
        // A question that is not asked is not answered, which another may hang on.
        let chain = json!({"i": of_a, "j": {"question": "i", "answered": false}});
        assert_eq!(progress(chain.clone(), &[("a", no)]), (1, 9));
        assert_eq!(progress(chain.clone(), &[("a", yes())]), (1, 9));
        assert_eq!(progress(chain, &[("a", yes()), ("i", yes())]), (2, 9));
    }

    #[test]
    fn shares_that_are_none_or_cross_are_refused() {
        let share = |text: &str| Some(text.parse::<Decimal>().unwrap());
        let new = |partial, complete| Thresholds::new(partial, complete).map(|_| ());
        assert_eq!(
            new(share("-0.1"), None),
            Err(ThresholdsError::PartialIsNoShare)
        );
        assert_eq!(
            new(None, share("1.01")),
            Err(ThresholdsError::CompleteIsNoShare)
        );
        let crossed = Err(ThresholdsError::PartialAboveComplete);
        assert_eq!(new(share("0.8"), share("0.5")), crossed);
        assert_eq!(new(share("0.8"), share("0.80")), Ok(()));
        assert_eq!(new(share("0"), share("1")), Ok(()));
    }
}
