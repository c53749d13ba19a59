//! What an answer of Twilio means that is no success.
//!
//! A call that was surely not placed may be placed again, one that may have been must not. So only
//! what Twilio documents counts as "not placed", and everything else leaves it open.

use chrono::TimeDelta;
use serde_json::Value;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::PlaceCallError;

use crate::client::{Response, SendError};

/// What a request that was refused says about the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The same request may succeed later.
    Later,
    /// This number will never be called, and nothing was dialed.
    Number(Outcome),
    /// Every call will be refused until somebody mends the account or the settings. Mistakes of ours
    /// are among them: they too would burn one person after the other.
    Configuration,
    /// Nobody knows what was done.
    Open,
    /// The call has ended already.
    Ended,
    /// Something else is under way with it.
    Conflict,
    /// There is no such thing.
    Missing,
}

/// One of Twilio's error codes.
struct Code {
    number: u32,
    class: Class,
    /// For the operator. Twilio's own words may hold the number that was dialed.
    meaning: &'static str,
}

const fn code(number: u32, class: Class, meaning: &'static str) -> Code {
    Code {
        number,
        class,
        meaning,
    }
}

const INVALID: Class = Class::Number(Outcome::InvalidNumber);
const REJECTED: Class = Class::Number(Outcome::ProviderRejected);

const CODES: &[Code] = &[
    code(10001, Class::Configuration, "the account is not active"),
    code(
        10002,
        Class::Configuration,
        "a trial account may not do this",
    ),
    code(
        10004,
        Class::Later,
        "more calls at once than the account may have",
    ),
    code(
        10005,
        Class::Configuration,
        "the account may not make calls",
    ),
    code(13223, INVALID, "the number is not E.164"),
    code(13224, INVALID, "the number is invalid or not supported"),
    code(13225, REJECTED, "the number is blocked"),
    code(13226, INVALID, "the number has no country code that exists"),
    code(
        13227,
        Class::Configuration,
        "calls to this country are not permitted",
    ),
    code(20001, Class::Configuration, "a parameter is unknown"),
    code(
        20003,
        Class::Configuration,
        "the credentials are wrong or may not do this",
    ),
    code(20005, Class::Configuration, "the account is not active"),
    code(20007, Class::Configuration, "the page size is wrong"),
    code(
        20008,
        Class::Configuration,
        "test credentials may not do this",
    ),
    code(20009, Class::Conflict, "the call has not finished"),
    code(
        20404,
        Class::Missing,
        "there is no such thing in this account and region",
    ),
    code(
        20409,
        Class::Conflict,
        "it is being changed by another request",
    ),
    code(20422, Class::Configuration, "a parameter is invalid"),
    code(20429, Class::Later, "too many requests at once"),
    code(20500, Class::Open, "Twilio failed"),
    code(20503, Class::Open, "Twilio is not available"),
    code(
        21201,
        Class::Configuration,
        "the request names nobody to call",
    ),
    code(21202, REJECTED, "premium-rate numbers are not called"),
    code(21203, Class::Configuration, "calls abroad are not enabled"),
    code(21205, Class::Configuration, "a URL is invalid"),
    code(
        21206,
        Class::Configuration,
        "the digits to send are invalid",
    ),
    code(
        21207,
        Class::Configuration,
        "the parameter for machines is no longer used",
    ),
    code(21208, Class::Configuration, "the ring time is invalid"),
    code(21209, Class::Configuration, "a method is invalid"),
    code(
        21210,
        Class::Configuration,
        "the caller id is neither owned nor verified",
    ),
    code(21211, INVALID, "the number is invalid"),
    code(21212, Class::Configuration, "the caller id is invalid"),
    code(
        21213,
        Class::Configuration,
        "the request names no caller id",
    ),
    code(21214, REJECTED, "the number cannot be reached"),
    code(
        21215,
        Class::Configuration,
        "calls to this country are not permitted",
    ),
    code(21216, REJECTED, "the destination is blocked"),
    code(21217, INVALID, "the number is not valid"),
    code(21218, Class::Configuration, "the application is invalid"),
    code(
        21219,
        Class::Configuration,
        "a trial account calls verified numbers only",
    ),
    code(21220, Class::Ended, "the call is not in a state for this"),
    code(
        21234,
        Class::Configuration,
        "the machine detection is invalid",
    ),
    code(
        21262,
        Class::Configuration,
        "asynchronous machine detection needs a URL",
    ),
];

/// When to try again if Twilio does not say so. It has no line or no time left, and no fault.
const LATER: TimeDelta = TimeDelta::seconds(30);

/// An answer that is no success, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) class: Class,
    /// Twilio's code, or what stands for it.
    pub(crate) code: String,
    pub(crate) meaning: &'static str,
    retry_after: Option<TimeDelta>,
}

impl Refusal {
    /// Reads an answer to a request about `number`, if it is about one.
    pub(crate) fn read(response: &Response, number: Option<&PhoneNumber>) -> Self {
        let (status, body) = (response.status, error_body(&response.body));
        let code = body.and_then(|body| body.code);
        let known = code.and_then(|code| CODES.iter().find(|known| known.number == code));
        let class = match (status, body, known) {
            (429, ..) => Class::Later,
            // A proxy may have said so, with or without Twilio.
            (..=399 | 408 | 500.., ..) | (_, None, _) => Class::Open,
            (.., Some(known)) if known.number == 21216 && number.is_some_and(needs_profile) => {
                Class::Configuration
            }
            (.., Some(known)) => known.class,
            (404, ..) => Class::Missing,
            _ => Class::Configuration,
        };
        let meaning = known.map_or("see https://www.twilio.com/docs/api/errors", |it| {
            it.meaning
        });
        Self {
            class,
            code: code.map_or_else(|| format!("HTTP {status}"), |code| code.to_string()),
            meaning,
            retry_after: response.retry_after,
        }
    }

    /// What it says about a call that was to be placed.
    pub(crate) fn of_call(self) -> PlaceCallError {
        let Self { code, meaning, .. } = self;
        match self.class {
            Class::Later => PlaceCallError::RetryLater {
                after: Some(self.retry_after.unwrap_or(LATER)),
            },
            Class::Ended | Class::Conflict => PlaceCallError::RetryLater { after: None },
            Class::Number(outcome) => PlaceCallError::Rejected { code, outcome },
            Class::Configuration | Class::Missing => PlaceCallError::Configuration {
                code,
                what: meaning.to_owned(),
            },
            Class::Open => PlaceCallError::Unknown {
                source: format!("Twilio answers {code}: {meaning}").into(),
            },
        }
    }
}

/// North America is called by accounts with a primary customer profile only; elsewhere the same code
/// means the destination.
fn needs_profile(number: &PhoneNumber) -> bool {
    number.as_str().starts_with("+1")
}

impl From<SendError> for PlaceCallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NotSent(_) => Self::RetryLater { after: None },
            other => Self::Unknown {
                source: other.into(),
            },
        }
    }
}

/// The body of an error, in Twilio's form or in that of RFC 9457.
#[derive(Clone, Copy)]
struct ErrorBody {
    /// It may be missing, and need not be a number.
    code: Option<u32>,
}

/// `None` if the body is not Twilio's: a proxy answers in words of its own.
fn error_body(body: &[u8]) -> Option<ErrorBody> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = match &body["code"] {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|code| u32::try_from(code).ok()),
    };
    let is_twilios =
        body["status"].is_u64() && (body["message"].is_string() || body["title"].is_string());
    (code.is_some() || is_twilios).then_some(ErrorBody { code })
}

#[cfg(test)]
mod tests;
