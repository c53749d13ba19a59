//! What makes quotas usable: cells that can be told apart, that somebody can be in, and that can be
//! filled.

use std::collections::HashSet;
use std::str::FromStr as _;

use rust_decimal::Decimal;

use super::{accepted, name};
use crate::quota::{QuotaCell, Quotas, Wanted};
use crate::service::error::FieldError;
use crate::survey::{AnswerValue, Question, QuestionKind, Survey};

/// More cells than anybody fills. Every call to a person moves a counter of each of that person's.
const MOST_CELLS: usize = 500;
const MOST_CONDITIONS: usize = 20;
const MOST_VALUES: usize = 500;
const LONGEST_VALUE: usize = 200;
const LARGEST_TARGET: u32 = 10_000_000;

/// Checks quotas against the survey that is to fill them.
pub(super) fn quotas(quotas: &Quotas, survey: &Survey, errors: &mut Vec<FieldError>) {
    if quotas.cells.is_empty() || quotas.cells.len() > MOST_CELLS {
        let message = format!("use 1 to {MOST_CELLS} cells");
        errors.push(FieldError::new("quotas.cells", message));
    }
    let mut names = HashSet::new();
    for (index, cell) in quotas.cells.iter().take(MOST_CELLS).enumerate() {
        let field = format!("quotas.cells[{index}]");
        name(&format!("{field}.name"), &cell.name, errors);
        if !names.insert(cell.name.trim().to_lowercase()) {
            let message = format!("another cell is called '{}' too", cell.name.trim());
            errors.push(FieldError::new(format!("{field}.name"), message));
        }
        if !(1..=LARGEST_TARGET).contains(&cell.target) {
            let message = format!("use a number from 1 to {LARGEST_TARGET}");
            errors.push(FieldError::new(format!("{field}.target"), message));
        }
        conditions(&format!("{field}.where"), cell, survey, errors);
    }
}

fn conditions(field: &str, cell: &QuotaCell, survey: &Survey, errors: &mut Vec<FieldError>) {
    let columns = &cell.conditions.columns;
    let answers = &cell.conditions.answers;
    let count = columns.len() + answers.len();
    if !(1..=MOST_CONDITIONS).contains(&count) {
        let message = format!("name 1 to {MOST_CONDITIONS} columns and answers");
        errors.push(FieldError::new(field, message));
    }
    for (column, wanted) in columns {
        let field = format!("{field}.columns.{column}");
        if column.trim().is_empty() {
            errors.push(FieldError::new(&*field, "name a column of the call list"));
        }
        check_values(&field, wanted, errors);
    }
    for (key, wanted) in answers {
        let field = format!("{field}.answers.{key}");
        let mut questions = survey.questions.iter();
        match questions.find(|question| question.key == *key) {
            None => errors.push(FieldError::new(field, "there is no such question")),
            Some(question) => {
                check_values(&field, wanted, errors);
                if let Some(message) = never_answered(question, wanted) {
                    errors.push(FieldError::new(field, message));
                }
            }
        }
    }
}

fn check_values(field: &str, wanted: &Wanted, errors: &mut Vec<FieldError>) {
    match wanted {
        Wanted::OneOf(texts) => {
            let is_long = |text: &String| text.chars().count() > LONGEST_VALUE;
            let is_odd = |text: &String| text.chars().any(char::is_control);
            if texts.len() > MOST_VALUES {
                let message = format!("use at most {MOST_VALUES} values");
                errors.push(FieldError::new(field, message));
            } else if texts.iter().any(is_long) {
                let message = format!("use at most {LONGEST_VALUE} characters");
                errors.push(FieldError::new(field, message));
            } else if texts.iter().any(is_odd) {
                let message = "must not contain control characters";
                errors.push(FieldError::new(field, message));
            }
        }
        Wanted::Between {
            from: Some(from),
            to: Some(to),
        } if from > to => {
            errors.push(FieldError::new(field, "from must not be larger than to"));
        }
        Wanted::Between { .. } => {}
    }
}

/// Why no answer to the question is what is wanted; `None` if one may be.
fn never_answered(question: &Question, wanted: &Wanted) -> Option<String> {
    let numbers = matches!(
        question.kind,
        QuestionKind::Numeric { .. } | QuestionKind::Scale { .. }
    );
    match (wanted, &question.kind) {
        (_, QuestionKind::FreeText) => {
            Some("an open question puts nobody into a cell: use another type".to_owned())
        }
        (Wanted::Between { .. }, _) if !numbers => Some(format!(
            "is not answered by a number: {}",
            accepted(&question.kind)
        )),
        (Wanted::Between { from, to }, kind) => {
            let (min, max) = bounds(kind);
            let is_outside = from.zip(max).is_some_and(|(from, max)| from > max)
                || to.zip(min).is_some_and(|(to, min)| to < min);
            is_outside.then(|| accepted(kind))
        }
        (Wanted::OneOf(texts), kind) => {
            let wrong = texts.iter().find(|text| !is_accepted(kind, text))?;
            Some(format!("'{wrong}' is no answer: {}", accepted(kind)))
        }
    }
}

fn bounds(kind: &QuestionKind) -> (Option<Decimal>, Option<Decimal>) {
    match kind {
        QuestionKind::Numeric { min, max, .. } => (*min, *max),
        QuestionKind::Scale { min, max, .. } => (Some((*min).into()), Some((*max).into())),
        QuestionKind::FreeText | QuestionKind::YesNo | QuestionKind::Choice { .. } => (None, None),
    }
}

fn is_accepted(kind: &QuestionKind, text: &str) -> bool {
    match kind {
        QuestionKind::YesNo => matches!(text, "yes" | "no"),
        QuestionKind::Choice { options } => {
            let wanted = Wanted::OneOf(vec![text.to_owned()]);
            options.iter().any(|option| wanted.holds(&option.key))
        }
        QuestionKind::Numeric { .. } | QuestionKind::Scale { .. } => {
            let number = Decimal::from_str(text.trim());
            number.is_ok_and(|number| kind.accepts(&AnswerValue::Number(number)))
        }
        QuestionKind::FreeText => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::samples;

    fn found(cells: &Value) -> Vec<String> {
        let quotas_given: Quotas =
            serde_json::from_value(json!({"policy": "count_at_completion", "cells": cells}))
                .unwrap();
        let mut survey = samples::campaign(&samples::company()).settings.survey;
        survey.questions = serde_json::from_value(json!([
            {"key": "age", "text": "Age?", "type": "numeric", "min": "0", "max": "120"},
            {"key": "again", "text": "Again?", "type": "yes_no"},
            {"key": "party", "text": "Which?", "type": "choice", "options": [
                {"key": "a", "say": ["A"]}, {"key": "b", "say": ["B"]}
            ]},
            {"key": "why", "text": "Why?", "type": "free_text"},
        ]))
        .unwrap();
        let mut errors = Vec::new();
        quotas(&quotas_given, &survey, &mut errors);
        let told = errors.into_iter();
        told.map(|error| format!("{}: {}", error.field, error.message))
            .collect()
    }

    #[test]
    fn cells_that_can_be_filled_are_taken_also_when_they_overlap() {
        let cells = json!([
            {"name": "north", "target": 10, "where": {"columns": {"region": "north"}}},
            {"name": "young", "target": 5, "where": {"answers": {"age": {"from": 18, "to": 34}}}},
            {"name": "young, north", "target": 2, "where": {
                "columns": {"region": ["north", "centre"]},
                "answers": {"age": {"to": 34}, "again": true, "party": ["a", "b"]}
            }},
        ]);
        assert_eq!(found(&cells), Vec::<String>::new());
    }

    #[test]
    fn every_mistake_names_its_field() {
        let cells = json!([
            {"name": "", "target": 0, "where": {}},
            {"name": "x", "target": 1, "where": {"answers": {"income": 1, "party": "c"}}},
            {"name": " X ", "target": 1, "where": {"answers": {
                "age": {"from": 200}, "again": {"from": 1}, "why": "because"
            }}},
            {"name": "y", "target": 1, "where": {"columns": {"size": {"from": 9, "to": 3}}}},
        ]);
        insta::assert_snapshot!(found(&cells).join("\n"), @"
        quotas.cells[0].name: must not be empty
        quotas.cells[0].target: use a number from 1 to 10000000
        quotas.cells[0].where: name 1 to 20 columns and answers
        quotas.cells[1].where.answers.income: there is no such question
        quotas.cells[1].where.answers.party: 'c' is no answer: use one of: a, b
        quotas.cells[2].name: another cell is called 'X' too
        quotas.cells[2].where.answers.again: is not answered by a number: use yes or no
        quotas.cells[2].where.answers.age: use a whole number from 0 to 120
        quotas.cells[2].where.answers.why: an open question puts nobody into a cell: use another type
        quotas.cells[3].where.columns.size: from must not be larger than to
        ");
        assert_eq!(found(&json!([])), ["quotas.cells: use 1 to 500 cells"]);
    }
}
