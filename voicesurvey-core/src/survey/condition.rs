//! Show-if: what must hold for a question to be asked.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::AnswerValue;
use crate::conversation::{AnswerResult, Given};

/// What must have been answered to an earlier question. All tests that are given must hold.
///
/// `{"question": "q1", "at_most": "6"}`, `{"question": "q2", "is": ["yes"]}`: numbers are written as
/// texts, as they are everywhere in stored settings, so that none loses digits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The key of the earlier question.
    pub question: String,
    /// The answer is one of these, written as results show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<String>,
    /// The answer is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is_not: Vec<String>,
    /// The answer is a number not under this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<Decimal>,
    /// The answer is a number not over this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Decimal>,
    /// Whether the question has an answer at all; one that was skipped has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<bool>,
}

impl Condition {
    /// Whether the condition holds. Without an answer to its question only `answered: false` does.
    pub fn holds(&self, given: &Given) -> bool {
        match given.get(&self.question).and_then(AnswerResult::value) {
            Some(value) => self.answered != Some(false) && self.accepts(value),
            None => self.answered == Some(false) && !self.tests_values(),
        }
    }

    /// Whether it looks at the value of the answer, and not only at whether there is one.
    pub const fn tests_values(&self) -> bool {
        !self.is.is_empty()
            || !self.is_not.is_empty()
            || self.at_least.is_some()
            || self.at_most.is_some()
    }

    fn accepts(&self, value: &AnswerValue) -> bool {
        let text = value.to_text();
        let number = match value {
            AnswerValue::Number(number) => Some(*number),
            _ => None,
        };
        let bounded = |bound: Option<Decimal>, within: fn(&Decimal, &Decimal) -> bool| {
            bound.is_none_or(|bound| number.is_some_and(|number| within(&number, &bound)))
        };
        (self.is.is_empty() || self.is.contains(&text))
            && !self.is_not.contains(&text)
            && bounded(self.at_least, Decimal::ge)
            && bounded(self.at_most, Decimal::le)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the condition holds when q1 was answered so.
    fn holds(condition: &str, value: Option<AnswerValue>) -> bool {
        let condition: Condition = serde_json::from_str(condition).unwrap();
        let mut given = Given::default();
        if let Some(value) = value {
            given.put("q1", AnswerResult::Answered { value });
        }
        condition.holds(&given)
    }

    fn number(number: i64) -> AnswerValue {
        AnswerValue::Number(Decimal::from(number))
    }

    #[test]
    fn bounds_include_their_ends() {
        let condition = r#"{"question": "q1", "at_least": "3", "at_most": "6"}"#;
        let held = [2, 3, 6, 7].map(|value| holds(condition, Some(number(value))));
        assert_eq!(held, [false, true, true, false]);
        assert!(!holds(condition, Some(AnswerValue::Text("5".to_owned()))));
    }

    #[test]
    fn answers_are_compared_as_results_show_them() {
        let yes = Some(AnswerValue::YesNo(true));
        assert!(holds(r#"{"question": "q1", "is": ["yes"]}"#, yes.clone()));
        assert!(!holds(r#"{"question": "q1", "is": ["no"]}"#, yes.clone()));
        assert!(!holds(r#"{"question": "q1", "is_not": ["yes"]}"#, yes));
        let four = Some(AnswerValue::Number(Decimal::new(40, 1)));
        assert!(holds(r#"{"question": "q1", "is": ["4", "5"]}"#, four));
    }

    #[test]
    fn without_an_answer_only_the_lack_of_one_holds() {
        for condition in [
            r#"{"question": "q1", "is_not": ["yes"]}"#,
            r#"{"question": "q1", "at_most": "6"}"#,
            r#"{"question": "q1", "answered": true}"#,
            r#"{"question": "q1", "answered": false, "at_most": "6"}"#,
        ] {
            assert!(!holds(condition, None), "{condition}");
        }
        let unanswered = r#"{"question": "q1", "answered": false}"#;
        assert!(holds(unanswered, None));
        assert!(!holds(unanswered, Some(number(4))));
    }

    #[test]
    fn a_misspelled_test_is_refused() {
        let misspelled = serde_json::from_str::<Condition>(r#"{"question": "q1", "atmost": "6"}"#);
        assert!(misspelled.is_err());
    }
}
