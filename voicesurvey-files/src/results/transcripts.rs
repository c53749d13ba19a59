//! Transcripts: one row per turn, in the order in which they were said.

use voicesurvey_core::contact_record::ContactRecord;
use voicesurvey_core::conversation::Turn;
use voicesurvey_core::language::Language;

use super::{Call, Field, confidence};
use crate::table::{ColumnType, Value};

/// A turn with its call.
pub(super) struct TurnRow<'r> {
    call: Call<'r>,
    turn: &'r Turn,
}

type TurnField = Field<for<'r> fn(&TurnRow<'r>) -> Value>;

pub(super) const FIELDS: [TurnField; 14] = [
    Field {
        name: "task_id",
        kind: ColumnType::Text,
        meaning: "The person",
        value: |row| Value::text(row.call.record.task.id.to_string()),
    },
    Field {
        name: "attempt_id",
        kind: ColumnType::Text,
        meaning: "The call",
        value: |row| Value::text(row.turn.attempt_id.to_string()),
    },
    Field {
        name: "attempt_number",
        kind: ColumnType::Integer,
        meaning: "Which of the person's calls it is: 1 is the first",
        value: |row| row.call.attempt().number.into(),
    },
    Field {
        name: "turn_id",
        kind: ColumnType::Text,
        meaning: "The turn; the file 'answers' names it as evidence",
        value: |row| Value::text(row.turn.id.to_string()),
    },
    Field {
        name: "sequence",
        kind: ColumnType::Integer,
        meaning: "The place of the turn in its call",
        value: |row| row.turn.sequence.into(),
    },
    Field {
        name: "said_at",
        kind: ColumnType::Instant,
        meaning: "When it began to be said",
        value: |row| Value::Instant(row.turn.at),
    },
    Field {
        name: "speaker",
        kind: ColumnType::Text,
        meaning: "agent or person",
        value: |row| Value::text(row.turn.speaker.name()),
    },
    Field {
        name: "words",
        kind: ColumnType::Text,
        meaning: "What was said, or keyed; empty if it is not kept any longer",
        value: |row| Value::text(&*row.turn.words),
    },
    Field {
        name: "question_key",
        kind: ColumnType::Text,
        meaning: "The question it is about",
        value: |row| Value::text(row.turn.question_key.clone().unwrap_or_default()),
    },
    Field {
        name: "heard_with",
        kind: ColumnType::Number,
        meaning: "How sure the speech recogniser was of the words, from 0 to 1",
        value: |row| row.turn.heard_with.map_or(Value::Empty, confidence),
    },
    Field {
        name: "intent",
        kind: ColumnType::Text,
        meaning: "What the words were taken to mean",
        value: |row| {
            let interpretation = row.turn.interpretation.as_ref();
            Value::text(interpretation.map_or("", |understood| understood.intent.name()))
        },
    },
    Field {
        name: "confidence",
        kind: ColumnType::Number,
        meaning: "How sure the interpreter was, from 0 to 1",
        value: |row| {
            let interpretation = row.turn.interpretation.as_ref();
            interpretation.map_or(Value::Empty, |understood| confidence(understood.confidence))
        },
    },
    Field {
        name: "interpreted_by",
        kind: ColumnType::Text,
        meaning: "rules, language_model or keypad",
        value: |row| {
            let interpretation = row.turn.interpretation.as_ref();
            Value::text(interpretation.map_or("", |understood| understood.by.name()))
        },
    },
    Field {
        name: "language",
        kind: ColumnType::Text,
        meaning: "The language that was spoken at last in the call",
        value: |row| Value::text(row.call.call.language.map_or("", Language::code)),
    },
];

pub(super) fn rows(record: &ContactRecord) -> Vec<Vec<Value>> {
    let calls = record.calls.iter().map(|call| Call { record, call });
    let turns = calls.flat_map(|call| {
        let turns = call.call.turns.iter();
        turns.map(move |turn| TurnRow { call, turn })
    });
    turns
        .map(|row| FIELDS.iter().map(|field| (field.value)(&row)).collect())
        .collect()
}
