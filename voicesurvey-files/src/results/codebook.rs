//! The codebook: one row per column of every file, and below a column that holds answers one row
//! for each of the answers that the survey has names for.

use voicesurvey_core::export::ExportKind;
use voicesurvey_core::survey::{Condition, Question, QuestionKind};

use super::{Described, ExportSubject, Field, described};
use crate::table::{ColumnType, Value};

/// A column of a file, or an answer that it can hold.
pub(super) struct Entry<'r> {
    file: &'static str,
    position: u32,
    described: &'r Described,
    question: Option<&'r Question>,
    /// A code with what it is called; absent of the column itself.
    code: Option<(String, String)>,
}

type EntryField = Field<for<'r> fn(&Entry<'r>) -> Value>;

pub(super) const FIELDS: [EntryField; 14] = [
    Field {
        name: "file",
        kind: ColumnType::Text,
        meaning: "The kind of file",
        value: |entry| Value::text(entry.file),
    },
    Field {
        name: "position",
        kind: ColumnType::Integer,
        meaning: "The place of the column in it: 1 is the first",
        value: |entry| entry.position.into(),
    },
    Field {
        name: "column",
        kind: ColumnType::Text,
        meaning: "The column",
        value: |entry| Value::text(&*entry.described.column.name),
    },
    Field {
        name: "type",
        kind: ColumnType::Text,
        meaning: "text, integer, number, money, boolean or instant (UTC)",
        value: |entry| Value::text(entry.described.column.kind.name()),
    },
    Field {
        name: "meaning",
        kind: ColumnType::Text,
        meaning: "What stands in the column",
        value: |entry| Value::text(&*entry.described.meaning),
    },
    Field {
        name: "question_key",
        kind: ColumnType::Text,
        meaning: "The question whose answers stand there",
        value: |entry| Value::text(entry.question.map_or("", |question| &*question.key)),
    },
    Field {
        name: "question_text",
        kind: ColumnType::Text,
        meaning: "What is asked, in the campaign's language",
        value: |entry| Value::text(entry.question.map_or("", |question| &*question.text)),
    },
    Field {
        name: "question_type",
        kind: ColumnType::Text,
        meaning: "free_text, numeric, scale, yes_no or choice",
        value: |entry| Value::text(entry.question.map_or("", |question| question.kind.name())),
    },
    Field {
        name: "required",
        kind: ColumnType::Boolean,
        meaning: "Whether the person is asked again before the question is given up",
        value: |entry| {
            let question = entry.question;
            question.map_or(Value::Empty, |question| Value::Boolean(question.required))
        },
    },
    Field {
        name: "min",
        kind: ColumnType::Number,
        meaning: "The smallest number that is an answer",
        value: |entry| match entry.question.map(|question| &question.kind) {
            Some(QuestionKind::Numeric { min: Some(min), .. }) => Value::Number(*min),
            Some(QuestionKind::Scale { min, .. }) => Value::Number((*min).into()),
            _ => Value::Empty,
        },
    },
    Field {
        name: "max",
        kind: ColumnType::Number,
        meaning: "The largest number that is an answer",
        value: |entry| match entry.question.map(|question| &question.kind) {
            Some(QuestionKind::Numeric { max: Some(max), .. }) => Value::Number(*max),
            Some(QuestionKind::Scale { max, .. }) => Value::Number((*max).into()),
            _ => Value::Empty,
        },
    },
    Field {
        name: "asked_if",
        kind: ColumnType::Text,
        meaning: "On which answer to an earlier question it is asked; empty if always",
        value: |entry| {
            let question = entry.question;
            let condition = question.and_then(|question| question.show_if.as_ref());
            condition.map_or(Value::Empty, |condition| Value::text(in_words(condition)))
        },
    },
    Field {
        name: "code",
        kind: ColumnType::Text,
        meaning: "An answer that the column can hold; empty in the row of the column itself",
        value: |entry| Value::text(entry.code.as_ref().map_or("", |(code, _)| code)),
    },
    Field {
        name: "label",
        kind: ColumnType::Text,
        meaning: "What that answer is called",
        value: |entry| Value::text(entry.code.as_ref().map_or("", |(_, label)| label)),
    },
];

pub(super) fn rows(subject: &ExportSubject) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for &kind in ExportKind::ALL {
        for (described, position) in described(kind, subject).iter().zip(1..) {
            let key = described.question_key.as_ref();
            let mut questions = subject.survey.questions.iter();
            let question = key.and_then(|key| questions.find(|question| question.key == *key));
            let codes = question.filter(|_| !described.is_label).map(codes);
            let codes = codes.into_iter().flatten().map(Some);
            for code in std::iter::once(None).chain(codes) {
                let entry = Entry {
                    file: kind.name(),
                    position,
                    described,
                    question,
                    code,
                };
                rows.push(FIELDS.iter().map(|field| (field.value)(&entry)).collect());
            }
        }
    }
    rows
}

/// The answers that have names or are always the same.
fn codes(question: &Question) -> Vec<(String, String)> {
    let label = |say: &[String]| say.first().cloned().unwrap_or_default();
    match &question.kind {
        QuestionKind::Choice { options } => options
            .iter()
            .map(|option| (option.key.clone(), label(&option.say)))
            .collect(),
        QuestionKind::Scale { labels, .. } => labels
            .iter()
            .map(|mark| (mark.value.to_string(), label(&mark.say)))
            .collect(),
        QuestionKind::YesNo => ["yes", "no"]
            .map(|code| (code.to_owned(), String::new()))
            .to_vec(),
        QuestionKind::FreeText | QuestionKind::Numeric { .. } => Vec::new(),
    }
}

/// `q1 is yes or maybe, at most 6`.
fn in_words(condition: &Condition) -> String {
    let mut tests = Vec::new();
    if !condition.is.is_empty() {
        tests.push(format!("is {}", condition.is.join(" or ")));
    }
    if !condition.is_not.is_empty() {
        tests.push(format!("is not {}", condition.is_not.join(" nor ")));
    }
    tests.extend(condition.at_least.map(|least| format!("at least {least}")));
    tests.extend(condition.at_most.map(|most| format!("at most {most}")));
    tests.extend(condition.answered.map(|answered| {
        let word = if answered { "has" } else { "has not" };
        format!("{word} been answered")
    }));
    format!("{} {}", condition.question, tests.join(", "))
}
