//! An order to call somebody, checked against what Twilio documents of each parameter.

use std::time::Duration;

use chrono::TimeDelta;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::phone_number::PhoneNumber;

use crate::support::twilio::{Form, PUBLIC_URL};

/// What Twilio was told to do.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) to: PhoneNumber,
    pub(super) from: PhoneNumber,
    pub(super) url: String,
    pub(super) fallback_url: String,
    pub(super) status_callback: String,
    pub(super) events: Vec<String>,
    pub(super) ring_for: TimeDelta,
    pub(super) longest: TimeDelta,
    pub(super) detection: Detection,
    pub(super) company_id: CompanyId,
    pub(super) attempt_id: CallAttemptId,
}

/// Whether and when Twilio tells machines from people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Detection {
    Off,
    First,
    /// With the URL at which the verdict is told.
    Meanwhile(String),
}

const KNOWN: &[&str] = &[
    "To",
    "From",
    "Url",
    "Method",
    "FallbackUrl",
    "FallbackMethod",
    "StatusCallback",
    "StatusCallbackMethod",
    "StatusCallbackEvent",
    "Timeout",
    "TimeLimit",
    "MachineDetection",
    "MachineDetectionTimeout",
    "MachineDetectionSpeechThreshold",
    "MachineDetectionSpeechEndThreshold",
    "MachineDetectionSilenceTimeout",
    "AsyncAmd",
    "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod",
];

impl Order {
    /// Reads a form; what is said against it is Twilio's code and our words.
    pub(super) fn read(form: &Form) -> Result<Self, (u32, String)> {
        let unknown = form.iter().find(|(name, _)| !KNOWN.contains(&&**name));
        if let Some((name, _)) = unknown {
            return Err((20001, format!("{name} is no parameter")));
        }
        let repeated = |name: &str| form.iter().filter(|(key, _)| key == name).count() > 1;
        let twice = KNOWN.iter().find(|name| repeated(name));
        if twice.is_some_and(|name| *name != "StatusCallbackEvent") {
            return Err((20001, format!("{twice:?} is given twice")));
        }
        let text = |name: &str| value(form, name).unwrap_or_default();
        let to = text("To").parse().map_err(|_| (21211, "To".to_owned()))?;
        let from = text("From")
            .parse()
            .map_err(|_| (21212, "From".to_owned()))?;
        for method in ["Method", "FallbackMethod", "StatusCallbackMethod"] {
            if text(method) != "POST" {
                return Err((21209, method.to_owned()));
            }
        }
        let [url, fallback_url, status_callback] =
            ["Url", "FallbackUrl", "StatusCallback"].map(|name| callable(name, text(name)));
        let url = url?;
        let (company_id, attempt_id) = reference(&url).ok_or((21205, url.clone()))?;
        Ok(Self {
            to,
            from,
            fallback_url: fallback_url?,
            status_callback: status_callback?,
            events: events(form)?,
            ring_for: seconds(form, "Timeout", 1..=600)?,
            longest: seconds(form, "TimeLimit", 1..=14_400)?,
            detection: detection(form)?,
            company_id,
            attempt_id,
            url,
        })
    }
}

/// The first value of that name.
pub(super) fn value<'a>(form: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = form.iter().filter(|(key, _)| key == name);
    found.next().map(|(_, value)| value.as_str())
}

/// Whose call a URL of ours speaks of.
pub(super) fn reference(url: &str) -> Option<(CompanyId, CallAttemptId)> {
    let company = query(url, "company")?.parse().ok()?;
    Some((company, query(url, "attempt")?.parse().ok()?))
}

/// A value of the query of a URL.
pub(super) fn query(url: &str, name: &str) -> Option<String> {
    let url = url.split('#').next()?;
    let (_, query) = url.split_once('?')?;
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

fn callable(name: &str, url: &str) -> Result<String, (u32, String)> {
    if url.starts_with(PUBLIC_URL) {
        Ok(url.to_owned())
    } else {
        Err((21205, format!("{name} is {url}")))
    }
}

/// Twilio takes several events in one value too, and then tells nothing but the first.
fn events(form: &Form) -> Result<Vec<String>, (u32, String)> {
    let named = form
        .iter()
        .filter(|(name, _)| name == "StatusCallbackEvent");
    let events: Vec<String> = named.map(|(_, event)| event.clone()).collect();
    let known = ["initiated", "ringing", "answered", "completed"];
    let is_known = |event: &String| known.contains(&&**event);
    if events.iter().all(is_known) && events.iter().any(|event| event == "completed") {
        Ok(events)
    } else {
        Err((20001, format!("events {events:?}")))
    }
}

fn seconds(
    form: &Form,
    name: &str,
    range: std::ops::RangeInclusive<u64>,
) -> Result<TimeDelta, (u32, String)> {
    let seconds = value(form, name).and_then(|text| text.parse().ok());
    let seconds = seconds.filter(|seconds| range.contains(seconds));
    let seconds = seconds.ok_or((21208, format!("{name} of {form:?}")))?;
    Ok(TimeDelta::from_std(Duration::from_secs(seconds)).unwrap())
}

fn detection(form: &Form) -> Result<Detection, (u32, String)> {
    let text = |name: &str| value(form, name);
    for (name, range) in [
        ("MachineDetectionTimeout", 3..=59),
        ("MachineDetectionSpeechThreshold", 1_000..=6_000),
        ("MachineDetectionSpeechEndThreshold", 500..=5_000),
        ("MachineDetectionSilenceTimeout", 2_000..=10_000),
    ] {
        let figure = text(name).map(|text| text.parse::<u32>().ok());
        if figure.is_some_and(|figure| figure.is_none_or(|figure| !range.contains(&figure))) {
            return Err((21234, name.to_owned()));
        }
    }
    match (text("MachineDetection"), text("AsyncAmd")) {
        (None, None) => Ok(Detection::Off),
        (Some("Enable" | "DetectMessageEnd"), None | Some("false")) => Ok(Detection::First),
        (Some("Enable" | "DetectMessageEnd"), Some("true")) => {
            let url = text("AsyncAmdStatusCallback").unwrap_or_default();
            callable("AsyncAmdStatusCallback", url).map(Detection::Meanwhile)
        }
        other => Err((21234, format!("{other:?}"))),
    }
}
