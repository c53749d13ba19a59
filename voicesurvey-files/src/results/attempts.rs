//! Calls: one row each.

use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::contact_record::ContactRecord;
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;

use super::{Call, Field, consent};
use crate::table::{ColumnType, Value};

type CallField = Field<for<'r> fn(&Call<'r>) -> Value>;

pub(super) const FIELDS: [CallField; 22] = [
    Field {
        name: "task_id",
        kind: ColumnType::Text,
        meaning: "The person",
        value: |call| Value::text(call.attempt().task_id.to_string()),
    },
    Field {
        name: "attempt_id",
        kind: ColumnType::Text,
        meaning: "The call",
        value: |call| Value::text(call.attempt().id.to_string()),
    },
    Field {
        name: "attempt_number",
        kind: ColumnType::Integer,
        meaning: "Which of the person's calls it is: 1 is the first",
        value: |call| call.attempt().number.into(),
    },
    Field {
        name: "phone_number",
        kind: ColumnType::Text,
        meaning: "The number that was dialed, in E.164; empty of somebody who was erased",
        value: |call| Value::from(&call.attempt().phone_number),
    },
    Field {
        name: "provider",
        kind: ColumnType::Text,
        meaning: "Who placed the call",
        value: |call| Value::text(&*call.attempt().provider),
    },
    Field {
        name: "provider_call_id",
        kind: ColumnType::Text,
        meaning: "The provider's name of the call",
        value: |call| Value::text(call.attempt().provider_call_id.clone().unwrap_or_default()),
    },
    Field {
        name: "state",
        kind: ColumnType::Text,
        meaning: "created, unknown, accepted, ringing, answered or ended",
        value: |call| Value::text(call.attempt().state.name()),
    },
    Field {
        name: "outcome",
        kind: ColumnType::Text,
        meaning: "How it ended; empty while that is not known",
        value: |call| Value::text(call.attempt().outcome.map_or("", Outcome::name)),
    },
    Field {
        name: "aapor_code",
        kind: ColumnType::Text,
        meaning: "The AAPOR code of that outcome",
        value: |call| {
            let outcome = call.attempt().outcome;
            let code = outcome.and_then(|outcome| outcome.rule().aapor_code);
            Value::text(code.unwrap_or_default())
        },
    },
    Field {
        name: "answered_by",
        kind: ColumnType::Text,
        meaning: "Who or what picked up",
        value: |call| Value::text(call.attempt().answered_by.map_or("", AnsweredBy::name)),
    },
    Field {
        name: "language",
        kind: ColumnType::Text,
        meaning: "The language that was spoken at last; empty without a conversation",
        value: |call| Value::text(call.call.language.map_or("", Language::code)),
    },
    Field {
        name: "consent",
        kind: ColumnType::Text,
        meaning: "given or refused in this call; empty if the person did not say",
        value: |call| consent(call.call.consent.as_ref()),
    },
    Field {
        name: "started_at",
        kind: ColumnType::Instant,
        meaning: "When the call was committed, right before it was dialed",
        value: |call| Value::Instant(call.attempt().created_at),
    },
    Field {
        name: "accepted_at",
        kind: ColumnType::Instant,
        meaning: "When the provider took it",
        value: |call| call.attempt().accepted_at.into(),
    },
    Field {
        name: "ringing_at",
        kind: ColumnType::Instant,
        meaning: "When it rang",
        value: |call| call.attempt().ringing_at.into(),
    },
    Field {
        name: "answered_at",
        kind: ColumnType::Instant,
        meaning: "When somebody or something picked up",
        value: |call| call.attempt().answered_at.into(),
    },
    Field {
        name: "ended_at",
        kind: ColumnType::Instant,
        meaning: "When the line was free again",
        value: |call| call.attempt().ended_at.into(),
    },
    Field {
        name: "talk_seconds",
        kind: ColumnType::Integer,
        meaning: "Whole seconds from picking up to the end",
        value: |call| {
            let talk = call.attempt().talk_time();
            talk.map_or(Value::Empty, |time| Value::Integer(time.num_seconds()))
        },
    },
    Field {
        name: "provider_raw_status",
        kind: ColumnType::Text,
        meaning: "The provider's own word for how it ended",
        value: |call| Value::text(call.attempt().raw_status.clone().unwrap_or_default()),
    },
    Field {
        name: "error_code",
        kind: ColumnType::Text,
        meaning: "The provider's error code",
        value: |call| Value::text(call.attempt().error_code.clone().unwrap_or_default()),
    },
    Field {
        name: "cost",
        kind: ColumnType::Money,
        meaning: "What it cost; empty until the provider says so",
        value: |call| {
            let cost = call.attempt().cost.as_ref();
            cost.map_or(Value::Empty, |cost| Value::Number(cost.amount))
        },
    },
    Field {
        name: "currency",
        kind: ColumnType::Text,
        meaning: "The currency of the cost, ISO 4217",
        value: |call| {
            let cost = call.attempt().cost.as_ref();
            cost.map_or(Value::Empty, |cost| Value::text(&*cost.currency))
        },
    },
];

pub(super) fn rows(record: &ContactRecord) -> Vec<Vec<Value>> {
    let calls = record.calls.iter().map(|call| Call { record, call });
    calls
        .map(|call| FIELDS.iter().map(|field| (field.value)(&call)).collect())
        .collect()
}
