//! What became of the questions so far: in this call, and in earlier ones with the same person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, AnswerResult};
use crate::id::CallAttemptId;

/// What became of questions, by their keys. A question that is in here is not asked again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Given(BTreeMap<String, AnswerResult>);

impl Given {
    /// Of the answers of a task, what holds in the call `attempt`. What was not understood in an
    /// earlier call is left out: it is asked once more, unless a person has reviewed it, because
    /// another answer would not be stored then.
    pub fn of(answers: &[Answer], attempt: CallAttemptId) -> Self {
        let holds = |answer: &&Answer| {
            answer.attempt_id == attempt
                || answer.result != AnswerResult::NotUnderstood
                || answer.reviewed_at.is_some()
        };
        let given = answers.iter().filter(holds);
        Self(
            given
                .map(|answer| (answer.question_key.clone(), answer.result.clone()))
                .collect(),
        )
    }

    /// What became of a question; `None` if it was not asked, or is to be asked again.
    pub fn get(&self, key: &str) -> Option<&AnswerResult> {
        self.0.get(key)
    }

    /// What became of all questions, by their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &AnswerResult)> {
        self.0.iter().map(|(key, result)| (key.as_str(), result))
    }

    /// Notes what became of a question, in place of what was noted before.
    pub fn put(&mut self, key: &str, result: AnswerResult) {
        self.0.insert(key.to_owned(), result);
    }

    /// How many questions have an answer within their bounds.
    pub fn answered(&self) -> u16 {
        let answered = self.0.values().filter(|result| result.value().is_some());
        u16::try_from(answered.count()).unwrap_or(u16::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call_attempt::CallAttempt;
    use crate::survey::AnswerValue;
    use crate::testing::samples;

    #[test]
    fn only_what_was_not_understood_in_an_earlier_call_is_asked_again() {
        let company = samples::company();
        let campaign = samples::campaign(&company);
        let task = samples::task(&campaign, "+393471234567");
        let at = samples::now();
        let attempt = || CallAttempt::created(samples::id(), &task, "simulated", at, at, at);
        let (earlier, now) = (attempt(), attempt());
        let answer = |attempt: &CallAttempt, key: &str, result| Answer {
            result,
            ..samples::answer(attempt, &samples::turn(attempt, 1), key)
        };
        let yes = AnswerResult::Answered {
            value: AnswerValue::YesNo(true),
        };
        let answers = [
            answer(&earlier, "q1", yes.clone()),
            answer(&earlier, "q2", AnswerResult::NotUnderstood),
            answer(&earlier, "q3", AnswerResult::Skipped),
            answer(&now, "q4", AnswerResult::NotUnderstood),
            Answer {
                reviewed_at: Some(at),
                ..answer(&earlier, "q5", AnswerResult::NotUnderstood)
            },
        ];
        let given = Given::of(&answers, now.id);
        assert_eq!(given.get("q1"), Some(&yes));
        assert_eq!(given.get("q2"), None);
        assert_eq!(given.get("q3"), Some(&AnswerResult::Skipped));
        assert_eq!(given.get("q4"), Some(&AnswerResult::NotUnderstood));
        assert_eq!(given.get("q5"), Some(&AnswerResult::NotUnderstood));
        assert_eq!(given.answered(), 1);
    }
}
