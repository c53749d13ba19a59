//! What makes a show-if usable: it looks back, it tests something, and what it tests can come true.

use rust_decimal::Decimal;

use crate::service::error::FieldError;
use crate::service::validation::accepted;
use crate::survey::{AnswerValue, Condition, Question, QuestionKind};

/// Checks a condition of the first of the questions `from_here`, which are asked after those
/// `before`.
pub(super) fn check(
    field: &str,
    condition: &Condition,
    before: &[Question],
    from_here: &[Question],
    errors: &mut Vec<FieldError>,
) {
    let key = &condition.question;
    let named = |question: &&Question| question.key == *key;
    let Some(question) = before.iter().find(named) else {
        let message = match from_here.iter().find(named) {
            Some(_) => format!("'{key}' is not asked before this question"),
            None => format!("there is no question '{key}'"),
        };
        errors.push(FieldError::new(format!("{field}.question"), message));
        return;
    };
    let tests_values = condition.tests_values();
    if !tests_values && condition.answered.is_none() {
        let message = "give at least one of is, is_not, at_least, at_most and answered";
        errors.push(FieldError::new(field, message));
    }
    if tests_values && condition.answered == Some(false) {
        let message = "what has no answer has no value: leave the other tests out";
        errors.push(FieldError::new(format!("{field}.answered"), message));
    }
    let values = impossible_values(question, condition);
    let bounds = impossible_bounds(question, condition);
    for (part, message) in values.into_iter().chain(bounds) {
        errors.push(FieldError::new(format!("{field}.{part}"), message));
    }
}

/// The values that are no answers.
fn impossible_values(question: &Question, condition: &Condition) -> Vec<(&'static str, String)> {
    let (key, kind) = (&question.key, &question.kind);
    let mut found = Vec::new();
    for (part, values) in [("is", &condition.is), ("is_not", &condition.is_not)] {
        let Some(value) = values.iter().find(|value| !is_possible(kind, value)) else {
            continue;
        };
        let message = match kind {
            QuestionKind::FreeText => format!("'{key}' is free_text: only answered can be tested"),
            kind => format!("'{value}' is no answer to '{key}': {}", accepted(kind)),
        };
        found.push((part, message));
    }
    found
}

/// Whether results can show `text` as an answer to such a question.
fn is_possible(kind: &QuestionKind, text: &str) -> bool {
    let value = match kind {
        // Nobody finds the very words again.
        QuestionKind::FreeText => None,
        QuestionKind::Choice { .. } => Some(AnswerValue::Choice(text.to_owned())),
        QuestionKind::YesNo => [true, false]
            .map(AnswerValue::YesNo)
            .into_iter()
            .find(|value| value.to_text() == text),
        QuestionKind::Numeric { .. } | QuestionKind::Scale { .. } => {
            text.parse().ok().map(AnswerValue::Number)
        }
    };
    // `04` is a number, but not as results show it.
    value.is_some_and(|value| kind.accepts(&value) && value.to_text() == text)
}

/// The bounds that no answer is within.
fn impossible_bounds(question: &Question, condition: &Condition) -> Vec<(&'static str, String)> {
    let key = &question.key;
    let (least, most) = match &question.kind {
        QuestionKind::Numeric { min, max, .. } => (*min, *max),
        QuestionKind::Scale { min, max, .. } => (Some((*min).into()), Some((*max).into())),
        kind => {
            let given = [
                ("at_least", condition.at_least),
                ("at_most", condition.at_most),
            ];
            let given = given.into_iter().filter(|(_, bound)| bound.is_some());
            let message = format!("'{key}' is {}: its answers are no numbers", kind.name());
            return given.map(|(part, _)| (part, message.clone())).collect();
        }
    };
    let mut found = Vec::new();
    if let (Some(at_least), Some(most)) = (condition.at_least, most)
        && at_least > most
    {
        let message = format!("no answer to '{key}' is over {}", most.normalize());
        found.push(("at_least", message));
    }
    if let (Some(at_most), Some(least)) = (condition.at_most, least)
        && at_most < least
    {
        let message = format!("no answer to '{key}' is under {}", least.normalize());
        found.push(("at_most", message));
    }
    if are_crossed(condition.at_least, condition.at_most) {
        found.push(("at_most", "must not be less than at_least".to_owned()));
    }
    found
}

fn are_crossed(at_least: Option<Decimal>, at_most: Option<Decimal>) -> bool {
    at_least
        .zip(at_most)
        .is_some_and(|(least, most)| least > most)
}
