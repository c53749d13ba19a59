//! Results: one row per person, with what the list said, how it went, and the answers side by side.

use std::collections::BTreeSet;
use std::io;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use voicesurvey_core::contact_record::ContactRecord;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::rates::{Case, Interview};
use voicesurvey_core::survey::{AnswerValue, Question, QuestionKind};

use super::{CELLS, Described, ExportSubject, Field, cells, consent, has_labels, label};
use crate::column_names::ColumnNames;
use crate::table::{Column, ColumnType, Value};

/// A person, and what the files are about.
struct Person<'r> {
    record: &'r ContactRecord,
    subject: &'r ExportSubject,
}

type PersonField = Field<for<'r> fn(&Person<'r>) -> Value>;

/// Before the columns of the call list.
const WHO: [PersonField; 3] = [
    Field {
        name: "task_id",
        kind: ColumnType::Text,
        meaning: "The person in this campaign; the same in all files",
        value: |person| Value::text(person.record.task.id.to_string()),
    },
    Field {
        name: "phone_number",
        kind: ColumnType::Text,
        meaning: "The number that is called, in E.164; empty of somebody who was erased",
        value: |person| Value::from(&person.record.task.contact.phone_number),
    },
    Field {
        name: "name",
        kind: ColumnType::Text,
        meaning: "The person's name as the list has it",
        value: |person| Value::text(&*person.record.task.contact.name),
    },
];

/// Between the columns of the call list and the answers.
const HOW: [PersonField; 15] = [
    Field {
        name: "status",
        kind: ColumnType::Text,
        meaning: "Where the person stands: pending, in_progress, retry, completed, refused, \
                  not_reached, failed, excluded or cancelled",
        value: |person| Value::text(person.record.task.state.status().name()),
    },
    Field {
        name: "outcome",
        kind: ColumnType::Text,
        meaning: "The strongest outcome of all calls; empty before the first call has ended",
        value: |person| Value::text(person.record.task.outcome.map_or("", Outcome::name)),
    },
    Field {
        name: "aapor_code",
        kind: ColumnType::Text,
        meaning: "The AAPOR code of the final disposition as it stands now; empty of somebody who \
                  was excluded before the first call, or left when enough people had answered",
        value: |person| {
            let case = Case::of(person.record).disposition;
            Value::text(case.map_or("", |disposition| disposition.code))
        },
    },
    Field {
        name: "attempts",
        kind: ColumnType::Integer,
        meaning: "Calls made",
        value: |person| person.record.task.attempts_count.into(),
    },
    Field {
        name: "attempts_spent",
        kind: ColumnType::Integer,
        meaning: "Calls that count against the retry policy; faults of the line are free",
        value: |person| person.record.task.attempts_spent.into(),
    },
    Field {
        name: "first_attempt_at",
        kind: ColumnType::Instant,
        meaning: "When the first call was made",
        value: |person| {
            let first = person.record.calls.first();
            first.map(|call| call.attempt.created_at).into()
        },
    },
    Field {
        name: "last_attempt_at",
        kind: ColumnType::Instant,
        meaning: "When the latest call was made",
        value: |person| person.record.task.last_attempt_at.into(),
    },
    Field {
        name: "language",
        kind: ColumnType::Text,
        meaning: "The language spoken in the latest conversation; without one the list's, and \
                  without that the campaign's",
        value: |person| Value::text(person.record.language(person.subject.language).code()),
    },
    Field {
        name: "consent",
        kind: ColumnType::Text,
        meaning: "given or refused, in the latest call in which the person was asked; empty if \
                  nobody was",
        value: |person| {
            let mut consents = person.record.calls.iter().rev();
            consent(consents.find_map(|call| call.consent.as_ref()))
        },
    },
    Field {
        name: "interview",
        kind: ColumnType::Text,
        meaning: "complete or partial, as the rates count it; empty without an interview, also when \
                  the person answered something and then refused, or was turned away by a full quota",
        value: |person| {
            let interview = Case::of(person.record).interview();
            Value::text(interview.map_or("", Interview::name))
        },
    },
    Field {
        name: "interview_started_at",
        kind: ColumnType::Instant,
        meaning: "When the interview began, also of one that came to nothing after an answer",
        value: |person| {
            let response = person.record.response.as_ref();
            response.map(|response| response.started_at).into()
        },
    },
    Field {
        name: "interview_ended_at",
        kind: ColumnType::Instant,
        meaning: "When the interview ended",
        value: |person| {
            let response = person.record.response.as_ref();
            response.map(|response| response.ended_at).into()
        },
    },
    Field {
        name: "talk_seconds",
        kind: ColumnType::Integer,
        meaning: "Whole seconds from picking up to hanging up, over all calls; empty if nobody \
                  picked up",
        value: |person| {
            let calls = person.record.calls.iter();
            let talks = calls.filter_map(|call| call.attempt.talk_time());
            let seconds = talks.map(|time| time.num_seconds());
            let total = seconds.reduce(|one, other| one + other);
            total.map_or(Value::Empty, Value::Integer)
        },
    },
    Field {
        name: "answers_to_review",
        kind: ColumnType::Integer,
        meaning: "Answers in doubt that nobody has looked at yet",
        value: |person| {
            let answers = person.record.answers.iter();
            let open = answers.filter(|answer| answer.doubt.is_some());
            let open = open.filter(|answer| answer.reviewed_at.is_none()).count();
            u32::try_from(open).map_or(Value::Empty, Value::from)
        },
    },
    Field {
        name: "cells",
        kind: ColumnType::Text,
        meaning: CELLS,
        value: |person| cells(person.subject, person.record),
    },
];

/// The columns of the file, under names that are all different.
#[derive(Debug)]
pub(super) struct PeopleColumns {
    /// Those of the call list.
    contact: Vec<String>,
    /// The columns of the call list as the list has them.
    known: BTreeSet<String>,
    questions: Vec<QuestionColumns>,
}

/// The columns of a question.
#[derive(Debug)]
struct QuestionColumns {
    value: Column,
    label: Option<String>,
}

impl PeopleColumns {
    /// Our own names stay; then questions and labels choose, and columns of the list that are called
    /// the same get a number.
    pub(super) fn of(subject: &ExportSubject) -> Self {
        let mut taken = ColumnNames::ignoring_case();
        for field in WHO.iter().chain(&HOW) {
            taken.take(field.name, 0);
        }
        let questions = subject.survey.questions.iter();
        let mut columns: Vec<QuestionColumns> = questions
            .clone()
            .map(|question| QuestionColumns {
                value: Column {
                    name: taken.take(&question.key, 0),
                    kind: column_type(question),
                },
                label: None,
            })
            .collect();
        for (question, columns) in questions.zip(&mut columns) {
            columns.label =
                has_labels(question).then(|| taken.take(&format!("{}_label", question.key), 0));
        }
        Self {
            contact: taken.take_all(&subject.contact_columns),
            known: subject.contact_columns.iter().cloned().collect(),
            questions: columns,
        }
    }

    pub(super) fn described(&self, subject: &ExportSubject) -> Vec<Described> {
        let mut described: Vec<Described> = WHO.iter().map(Field::described).collect();
        for (name, original) in self.contact.iter().zip(&subject.contact_columns) {
            described.push(Described {
                column: Column {
                    name: name.clone(),
                    kind: ColumnType::Text,
                },
                meaning: format!("The column '{original}' of the call list"),
                question_key: None,
                is_label: false,
            });
        }
        described.extend(HOW.iter().map(Field::described));
        for (columns, question) in self.questions.iter().zip(&subject.survey.questions) {
            described.push(Described {
                column: columns.value.clone(),
                meaning: "The answer as it stands now; empty when the question was skipped, not \
                          known, not understood or never asked, which the file 'answers' tells \
                          apart"
                    .to_owned(),
                question_key: Some(question.key.clone()),
                is_label: false,
            });
            if let Some(name) = &columns.label {
                described.push(Described {
                    column: Column {
                        name: name.clone(),
                        kind: ColumnType::Text,
                    },
                    meaning: "What that answer is called".to_owned(),
                    question_key: Some(question.key.clone()),
                    is_label: true,
                });
            }
        }
        described
    }

    pub(super) fn row(
        &self,
        subject: &ExportSubject,
        record: &ContactRecord,
    ) -> io::Result<Vec<Value>> {
        let extra = &record.task.contact.extra;
        if let Some(column) = extra.keys().find(|column| !self.known.contains(*column)) {
            let what = format!(
                "the column '{column}' was uploaded after the file was begun; begin it again"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let person = Person { record, subject };
        let mut row: Vec<Value> = WHO.iter().map(|field| (field.value)(&person)).collect();
        let columns = subject.contact_columns.iter();
        row.extend(columns.map(|column| {
            let value = extra.get(column);
            value.map_or(Value::Empty, |value| Value::text(value.as_str()))
        }));
        row.extend(HOW.iter().map(|field| (field.value)(&person)));
        for (columns, question) in self.questions.iter().zip(&subject.survey.questions) {
            let answer = record.answer(&question.key);
            let value = answer.and_then(|answer| answer.result.value());
            row.push(value.map_or(Value::Empty, value_of));
            if columns.label.is_some() {
                let label = value.and_then(|value| label(question, value));
                row.push(label.map_or(Value::Empty, Value::text));
            }
        }
        Ok(row)
    }
}

/// Whole numbers where the survey takes no others.
fn column_type(question: &Question) -> ColumnType {
    match question.kind {
        QuestionKind::FreeText | QuestionKind::YesNo | QuestionKind::Choice { .. } => {
            ColumnType::Text
        }
        QuestionKind::Numeric { decimals: true, .. } => ColumnType::Number,
        QuestionKind::Numeric {
            decimals: false, ..
        }
        | QuestionKind::Scale { .. } => ColumnType::Integer,
    }
}

fn value_of(value: &AnswerValue) -> Value {
    match value {
        AnswerValue::Number(number) => number_of(*number),
        other => Value::text(other.to_text()),
    }
}

fn number_of(number: Decimal) -> Value {
    let whole = number.to_i64().filter(|_| number.fract().is_zero());
    whole.map_or(Value::Number(number), Value::Integer)
}
