//! Answers: one row each, with what proves it and what became of it since.

use voicesurvey_core::contact_record::ContactRecord;
use voicesurvey_core::conversation::{Answer, AnswerResult, AnswerRevision, Doubt};
use voicesurvey_core::survey::{AnswerValue, Question};

use super::{ExportSubject, Field, confidence};
use crate::table::{ColumnType, Value};

/// An answer with what stands around it.
pub(super) struct AnswerRow<'r> {
    record: &'r ContactRecord,
    answer: &'r Answer,
    question: Option<&'r Question>,
    /// What it was before it was corrected, oldest first.
    revisions: Vec<&'r AnswerRevision>,
}

type AnswerField = Field<for<'r> fn(&AnswerRow<'r>) -> Value>;

pub(super) const FIELDS: [AnswerField; 28] = [
    Field {
        name: "task_id",
        kind: ColumnType::Text,
        meaning: "The person",
        value: |row| Value::text(row.answer.task_id.to_string()),
    },
    Field {
        name: "phone_number",
        kind: ColumnType::Text,
        meaning: "The person's number; empty of somebody who was erased",
        value: |row| Value::from(&row.record.task.contact.phone_number),
    },
    Field {
        name: "attempt_id",
        kind: ColumnType::Text,
        meaning: "The call in which it was given",
        value: |row| Value::text(row.answer.attempt_id.to_string()),
    },
    Field {
        name: "attempt_number",
        kind: ColumnType::Integer,
        meaning: "Which call that was: 1 is the first",
        value: |row| {
            let call = row.record.call(row.answer.attempt_id);
            call.map_or(Value::Empty, |call| call.attempt.number.into())
        },
    },
    Field {
        name: "answer_id",
        kind: ColumnType::Text,
        meaning: "The answer",
        value: |row| Value::text(row.answer.id.to_string()),
    },
    Field {
        name: "question_key",
        kind: ColumnType::Text,
        meaning: "The question",
        value: |row| Value::text(&*row.answer.question_key),
    },
    Field {
        name: "question_type",
        kind: ColumnType::Text,
        meaning: "free_text, numeric, scale, yes_no or choice",
        value: |row| Value::text(row.question.map_or("", |question| question.kind.name())),
    },
    Field {
        name: "result",
        kind: ColumnType::Text,
        meaning: "answered, skipped, dont_know, not_understood, or forgotten if it is not kept any \
                  longer",
        value: |row| Value::text(row.answer.result.name()),
    },
    Field {
        name: "value",
        kind: ColumnType::Text,
        meaning: "The answer as it stands now, as a text: yes or no, the key of the option, the \
                  number, the words; empty unless the result is answered",
        value: |row| value(&row.answer.result),
    },
    Field {
        name: "value_number",
        kind: ColumnType::Number,
        meaning: "The same as a number, where it is one",
        value: |row| match row.answer.result.value() {
            Some(AnswerValue::Number(number)) => Value::Number(*number),
            _ => Value::Empty,
        },
    },
    Field {
        name: "value_label",
        kind: ColumnType::Text,
        meaning: "What that answer is called",
        value: |row| {
            let answered = row.answer.result.value();
            let label = row.question.zip(answered);
            let label = label.and_then(|(question, value)| super::label(question, value));
            label.map_or(Value::Empty, Value::text)
        },
    },
    Field {
        name: "words",
        kind: ColumnType::Text,
        meaning: "What was heard",
        value: |row| Value::text(&*row.answer.words),
    },
    Field {
        name: "confidence",
        kind: ColumnType::Number,
        meaning: "How sure the interpreter was, from 0 to 1",
        value: |row| confidence(row.answer.confidence),
    },
    Field {
        name: "interpreted_by",
        kind: ColumnType::Text,
        meaning: "rules, language_model, keypad, or staff after a correction",
        value: |row| Value::text(row.answer.interpreted_by.name()),
    },
    Field {
        name: "repeats",
        kind: ColumnType::Integer,
        meaning: "How often the question was put again",
        value: |row| u32::from(row.answer.repeats).into(),
    },
    Field {
        name: "turn_id",
        kind: ColumnType::Text,
        meaning: "The turn that proves it; see the file 'transcripts'",
        value: |row| Value::text(row.answer.turn_id.to_string()),
    },
    Field {
        name: "answered_at",
        kind: ColumnType::Instant,
        meaning: "When it was given",
        value: |row| Value::Instant(row.answer.at),
    },
    Field {
        name: "doubt",
        kind: ColumnType::Text,
        meaning: "low_confidence, disagreement or unconfirmed; empty without doubt",
        value: |row| Value::text(row.answer.doubt.map_or("", Doubt::name)),
    },
    Field {
        name: "reviewed_at",
        kind: ColumnType::Instant,
        meaning: "When a person looked at it",
        value: |row| row.answer.reviewed_at.into(),
    },
    Field {
        name: "reviewed_by",
        kind: ColumnType::Text,
        meaning: "The API key of that person",
        value: |row| {
            let reviewer = row.answer.reviewed_by;
            reviewer.map_or(Value::Empty, |key| Value::text(key.to_string()))
        },
    },
    Field {
        name: "corrections",
        kind: ColumnType::Integer,
        meaning: "How often it was corrected",
        value: |row| u32::try_from(row.revisions.len()).map_or(Value::Empty, Value::from),
    },
    Field {
        name: "corrected_at",
        kind: ColumnType::Instant,
        meaning: "When it was corrected last",
        value: |row| {
            let last = row.revisions.last();
            last.map(|revision| revision.replaced_at).into()
        },
    },
    Field {
        name: "corrected_by",
        kind: ColumnType::Text,
        meaning: "The API key of who did",
        value: |row| {
            let last = row.revisions.last();
            last.map_or(Value::Empty, |revision| {
                Value::text(revision.replaced_by.to_string())
            })
        },
    },
    Field {
        name: "correction_note",
        kind: ColumnType::Text,
        meaning: "Why, as that person wrote it",
        value: |row| {
            let note = row.revisions.last().and_then(|last| last.note.as_deref());
            Value::text(note.unwrap_or_default())
        },
    },
    Field {
        name: "original_result",
        kind: ColumnType::Text,
        meaning: "The result before the first correction; empty if it was never corrected",
        value: |row| {
            let first = row.revisions.first();
            Value::text(first.map_or("", |revision| revision.result.name()))
        },
    },
    Field {
        name: "original_value",
        kind: ColumnType::Text,
        meaning: "The value before the first correction",
        value: |row| {
            let first = row.revisions.first();
            first.map_or(Value::Empty, |revision| value(&revision.result))
        },
    },
    Field {
        name: "original_confidence",
        kind: ColumnType::Number,
        meaning: "The confidence before the first correction",
        value: |row| {
            let first = row.revisions.first();
            first.map_or(Value::Empty, |revision| confidence(revision.confidence))
        },
    },
    Field {
        name: "original_interpreted_by",
        kind: ColumnType::Text,
        meaning: "Who understood it before the first correction",
        value: |row| {
            let first = row.revisions.first();
            Value::text(first.map_or("", |revision| revision.interpreted_by.name()))
        },
    },
];

pub(super) fn rows(subject: &ExportSubject, record: &ContactRecord) -> Vec<Vec<Value>> {
    let row = |answer| AnswerRow::of(subject, record, answer);
    let answers = record.answers.iter().map(row);
    answers
        .map(|row| FIELDS.iter().map(|field| (field.value)(&row)).collect())
        .collect()
}

impl<'r> AnswerRow<'r> {
    fn of(subject: &'r ExportSubject, record: &'r ContactRecord, answer: &'r Answer) -> Self {
        let mut questions = subject.survey.questions.iter();
        let revisions = record.revisions.iter();
        Self {
            record,
            answer,
            question: questions.find(|question| question.key == answer.question_key),
            revisions: revisions
                .filter(|revision| revision.answer_id == answer.id)
                .collect(),
        }
    }
}

fn value(result: &AnswerResult) -> Value {
    let value = result.value().map(AnswerValue::to_text);
    value.map_or(Value::Empty, Value::text)
}
