//! Dispositions: one row per person, with what the case came to. The rates can be computed again
//! from it.

use voicesurvey_core::contact_record::ContactRecord;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::rates::Case;

use super::{CELLS, ExportSubject, Field, cells};
use crate::table::{ColumnType, Value};

/// A person with what the case came to.
pub(super) struct CaseRow<'r> {
    subject: &'r ExportSubject,
    record: &'r ContactRecord,
    case: Case,
}

type CaseField = Field<for<'r> fn(&CaseRow<'r>) -> Value>;

pub(super) const FIELDS: [CaseField; 15] = [
    Field {
        name: "task_id",
        kind: ColumnType::Text,
        meaning: "The person",
        value: |row| Value::text(row.record.task.id.to_string()),
    },
    Field {
        name: "phone_number",
        kind: ColumnType::Text,
        meaning: "The number that is called, in E.164; empty of somebody who was erased",
        value: |row| Value::from(&row.record.task.contact.phone_number),
    },
    Field {
        name: "status",
        kind: ColumnType::Text,
        meaning: "Where the person stands",
        value: |row| Value::text(row.record.task.state.status().name()),
    },
    Field {
        name: "is_open",
        kind: ColumnType::Boolean,
        meaning: "Whether the disposition may still change by itself: the person waits or is being \
                  called",
        value: |row| Value::Boolean(row.case.is_open),
    },
    Field {
        name: "aapor_code",
        kind: ColumnType::Text,
        meaning: "The AAPOR code of the disposition; empty of somebody who is no part of the \
                  sample: on the exclusion list before the first call, or not called when enough \
                  people had answered, as the column reason tells",
        value: |row| {
            let disposition = row.case.disposition;
            Value::text(disposition.map_or("", |disposition| disposition.code))
        },
    },
    Field {
        name: "aapor_group",
        kind: ColumnType::Text,
        meaning: "Where it counts in the rates: I, P, R, NC, O, UH, UO or NE",
        value: |row| {
            let disposition = row.case.disposition;
            Value::text(disposition.map_or("", |disposition| disposition.group.symbol()))
        },
    },
    Field {
        name: "disposition",
        kind: ColumnType::Text,
        meaning: "What the code means",
        value: |row| {
            let disposition = row.case.disposition;
            Value::text(disposition.map_or("", |disposition| disposition.meaning))
        },
    },
    Field {
        name: "outcome",
        kind: ColumnType::Text,
        meaning: "The strongest outcome of all calls",
        value: |row| Value::text(row.record.task.outcome.map_or("", Outcome::name)),
    },
    Field {
        name: "outcomes",
        kind: ColumnType::Text,
        meaning: "The outcomes of the calls in their order, with '; ' between them; '-' is a call \
                  whose outcome is not known",
        value: |row| {
            let calls = row.record.calls.iter();
            let outcomes = calls.map(|call| call.attempt.outcome.map_or("-", Outcome::name));
            Value::text(outcomes.collect::<Vec<_>>().join("; "))
        },
    },
    Field {
        name: "attempts",
        kind: ColumnType::Integer,
        meaning: "Calls made",
        value: |row| row.record.task.attempts_count.into(),
    },
    Field {
        name: "attempts_spent",
        kind: ColumnType::Integer,
        meaning: "Calls that count against the retry policy",
        value: |row| row.record.task.attempts_spent.into(),
    },
    Field {
        name: "first_attempt_at",
        kind: ColumnType::Instant,
        meaning: "When the first call was made",
        value: |row| {
            let first = row.record.calls.first();
            first.map(|call| call.attempt.created_at).into()
        },
    },
    Field {
        name: "last_attempt_at",
        kind: ColumnType::Instant,
        meaning: "When the latest call was made",
        value: |row| row.record.task.last_attempt_at.into(),
    },
    Field {
        name: "reason",
        kind: ColumnType::Text,
        meaning: "Why the person was not called when that was last decided",
        value: |row| Value::text(row.record.task.reason.map_or("", Reason::name)),
    },
    Field {
        name: "cells",
        kind: ColumnType::Text,
        meaning: CELLS,
        value: |row| cells(row.subject, row.record),
    },
];

pub(super) fn row(subject: &ExportSubject, record: &ContactRecord) -> Vec<Value> {
    let row = CaseRow {
        subject,
        record,
        case: subject.thresholds.case(&subject.survey.questions, record),
    };
    FIELDS.iter().map(|field| (field.value)(&row)).collect()
}
