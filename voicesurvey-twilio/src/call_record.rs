//! A call as the REST interface shows it, and the news that are in it.
//!
//! Nearly every field is a text that may be missing, also numbers, so reading is lenient: a field
//! that cannot be read is as one that is not there.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use voicesurvey_core::call_attempt::{AttemptState, CallEvent, CallEventKind};
use voicesurvey_core::money::Cost;
use voicesurvey_core::ports::CallReference;
use voicesurvey_core::time::Timestamp;

use crate::progress::{self, Progress};

/// A call. Fields that nobody reads are left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CallRecord {
    #[serde(deserialize_with = "text")]
    pub(crate) sid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) status: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(crate) direction: Option<String>,
    #[serde(deserialize_with = "instant")]
    pub(crate) date_created: Option<Timestamp>,
    #[serde(deserialize_with = "instant")]
    date_updated: Option<Timestamp>,
    #[serde(deserialize_with = "instant")]
    start_time: Option<Timestamp>,
    #[serde(deserialize_with = "instant")]
    pub(crate) end_time: Option<Timestamp>,
    #[serde(deserialize_with = "text")]
    duration: Option<String>,
    #[serde(deserialize_with = "text")]
    price: Option<String>,
    #[serde(deserialize_with = "text")]
    price_unit: Option<String>,
    #[serde(deserialize_with = "text")]
    answered_by: Option<String>,
}

impl CallRecord {
    /// Reads the body of an answer; `None` if there is no call in it.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(body).ok()?;
        record.sid.is_some().then_some(record)
    }

    /// What the call cost, once Twilio has said so: the charge for the line alone. Twilio writes
    /// charges below zero. No price is not a price of zero.
    pub(crate) fn cost(&self) -> Option<Cost> {
        let amount: Decimal = self.price.as_deref()?.parse().ok()?;
        let currency = self.price_unit.as_deref()?.to_uppercase();
        Some(Cost {
            amount: amount.abs(),
            currency,
        })
    }

    /// What has happened so far, in order. Asked again, the same news have the same identifiers.
    pub(crate) fn events(&self, call: &CallReference, now: Timestamp) -> Vec<CallEvent> {
        let progress = Progress {
            status: self.status.as_deref().unwrap_or_default(),
            answered_by: self.answered_by.as_deref(),
            duration: self.duration.as_deref().and_then(|text| text.parse().ok()),
            was_dialed: self.start_time.is_some(),
            ..Progress::default()
        };
        let event =
            |kind: CallEventKind, raw_status: Option<&str>, at: Option<Timestamp>| CallEvent {
                company_id: call.company_id,
                attempt_id: call.attempt_id,
                event_id: identifier(&kind, raw_status, &progress),
                provider_call_id: self.sid.clone(),
                kind,
                at: at.unwrap_or(now),
                raw_status: raw_status.map(str::to_owned),
                error_code: None,
            };
        let mut events = Vec::new();
        let kind = progress.kind();
        if kind != CallEventKind::Initiated {
            events.push(event(CallEventKind::Initiated, None, self.date_created));
        }
        let has_ended = kind.reached() == AttemptState::Ended;
        if has_ended && (progress.status == "completed" || progress.was_answered()) {
            let by = progress::answered_by(progress.answered_by);
            let answered_at = self.end_time.map(|end| {
                let seconds = i64::from(progress.duration.unwrap_or_default());
                end - TimeDelta::seconds(seconds)
            });
            events.push(event(CallEventKind::Answered { by }, None, answered_at));
        }
        let at = match &kind {
            CallEventKind::Initiated
            | CallEventKind::Priced { .. }
            | CallEventKind::Recorded { .. } => self.date_created,
            CallEventKind::Ringing => self.start_time,
            CallEventKind::Answered { .. } => self.date_updated,
            CallEventKind::Ended { .. } => self.end_time,
        };
        events.push(event(kind, Some(progress.status), at));
        if let Some(cost) = self.cost().filter(|_| has_ended) {
            events.push(event(CallEventKind::Priced { cost }, None, self.end_time));
        }
        events
    }
}

/// The same for the same news, and another one if Twilio has changed its mind.
fn identifier(kind: &CallEventKind, raw_status: Option<&str>, progress: &Progress<'_>) -> String {
    let name = kind.name();
    match kind {
        CallEventKind::Initiated | CallEventKind::Ringing | CallEventKind::Recorded { .. } => {
            format!("rest-{name}-{}", raw_status.unwrap_or_default())
        }
        CallEventKind::Answered { .. } | CallEventKind::Ended { .. } => {
            let by = progress.answered_by.unwrap_or_default();
            format!("rest-{name}-{}-{by}", progress.status)
        }
        CallEventKind::Priced { cost } => format!("rest-{name}-{}-{}", cost.amount, cost.currency),
    }
}

/// One page of a list of calls.
#[derive(Debug, Deserialize)]
pub(crate) struct CallPage {
    pub(crate) calls: Vec<CallRecord>,
    #[serde(default)]
    pub(crate) next_page_uri: Option<String>,
}

/// A text, also of a number.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// An instant as in mails.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(text(deserializer)?.and_then(|text| rfc_2822(&text)))
}

/// Reads an instant as Twilio writes them, such as `Fri, 18 Oct 2019 17:00:00 +0000`.
pub(crate) fn rfc_2822(text: &str) -> Option<Timestamp> {
    let instant = DateTime::parse_from_rfc2822(text).ok()?;
    Some(instant.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use voicesurvey_core::outcome::Outcome;
    use voicesurvey_core::testing::samples;

    use super::*;

    const SID: &str = "CA0123456789abcdef0123456789abcdef";

    fn read(more: &Value) -> CallRecord {
        let mut record = json!({
            "sid": SID, "account_sid": "AC1", "to": "+393470000007", "from": "+393470000001",
            "status": "queued", "direction": "outbound-api", "price": null, "price_unit": "USD",
            "date_created": "Fri, 15 Jan 2027 08:00:00 +0000", "date_updated": null,
            "start_time": null, "end_time": null, "duration": null, "answered_by": null,
            "queue_time": "0", "new_field": {"a": [1]},
        });
        for (name, value) in more.as_object().unwrap() {
            record[name] = value.clone();
        }
        CallRecord::read(record.to_string().as_bytes()).unwrap()
    }

    fn told(more: &Value) -> Vec<String> {
        let call = CallReference {
            company_id: samples::id(),
            attempt_id: samples::id(),
            provider_call_id: None,
        };
        let events = read(more).events(&call, samples::now());
        assert!(
            events
                .iter()
                .all(|event| event.attempt_id == call.attempt_id)
        );
        assert!(
            events
                .iter()
                .all(|event| event.provider_call_id.as_deref() == Some(SID))
        );
        let identifiers: std::collections::BTreeSet<_> =
            events.iter().map(|event| &event.event_id).collect();
        assert_eq!(identifiers.len(), events.len(), "{identifiers:?}");
        let line = |event: &CallEvent| {
            let what = match &event.kind {
                CallEventKind::Answered { by } => format!("answered by {}", by.name()),
                CallEventKind::Ended { outcome } => {
                    format!("ended {}", outcome.map_or("-", Outcome::name))
                }
                CallEventKind::Priced { cost } => format!("{} {}", cost.amount, cost.currency),
                other => other.name().to_owned(),
            };
            let raw = event.raw_status.as_deref().unwrap_or_default();
            format!("{} {what} {raw}", event.at.format("%H:%M:%S"))
        };
        events.iter().map(line).collect()
    }

    #[test]
    fn a_record_tells_the_whole_call_so_far() {
        let start = "Fri, 15 Jan 2027 08:00:01 +0000";
        let end = "Fri, 15 Jan 2027 08:01:00 +0000";
        // The samples' present is at 08:00:00.
        for (record, expected) in [
            (json!({}), vec!["08:00:00 initiated queued"]),
            (
                json!({"status": "ringing", "start_time": start}),
                vec!["08:00:00 initiated ", "08:00:01 ringing ringing"],
            ),
            (
                json!({"status": "in-progress", "date_updated": start, "answered_by": "human"}),
                vec![
                    "08:00:00 initiated ",
                    "08:00:01 answered by person in-progress",
                ],
            ),
            (
                json!({"status": "completed", "start_time": start, "end_time": end,
                    "duration": "50", "price": "-0.03000", "price_unit": "usd"}),
                vec![
                    "08:00:00 initiated ",
                    "08:00:10 answered by unknown ",
                    "08:01:00 ended - completed",
                    "08:01:00 0.03000 USD ",
                ],
            ),
            (
                json!({"status": "failed", "end_time": end, "duration": 5}),
                vec![
                    "08:00:00 initiated ",
                    "08:00:55 answered by unknown ",
                    "08:01:00 ended provider_failure failed",
                ],
            ),
            (
                json!({"status": "no-answer", "start_time": start, "end_time": end}),
                vec!["08:00:00 initiated ", "08:01:00 ended no_answer no-answer"],
            ),
            (
                json!({"status": "canceled"}),
                vec!["08:00:00 initiated ", "08:00:00 ended cancelled canceled"],
            ),
            (
                json!({"status": "resting"}),
                vec!["08:00:00 initiated resting"],
            ),
        ] {
            assert_eq!(told(&record), expected, "{record}");
        }
    }

    #[test]
    fn a_price_that_is_not_known_is_not_zero() {
        let cost = |more: Value| {
            read(&more)
                .cost()
                .map(|cost| (cost.amount.to_string(), cost.currency))
        };
        let priced = |amount: &str| Some((amount.to_owned(), "USD".to_owned()));
        assert_eq!(cost(json!({})), None);
        assert_eq!(cost(json!({"price": ""})), None);
        assert_eq!(cost(json!({"price": "soon"})), None);
        assert_eq!(cost(json!({"price": "-0.01", "price_unit": null})), None);
        assert_eq!(cost(json!({"price": "-0.0130"})), priced("0.0130"));
        assert_eq!(cost(json!({"price": "0.0130"})), priced("0.0130"));
        assert_eq!(cost(json!({"price": "0"})), priced("0"));
        assert_eq!(cost(json!({"price": -0.013})), priced("0.013"));
    }

    #[test]
    fn a_body_without_a_call_is_none() {
        for body in ["", "{}", "[]", "null", "{\"sid\": null}", "<html>"] {
            assert!(CallRecord::read(body.as_bytes()).is_none(), "{body}");
        }
    }
}
