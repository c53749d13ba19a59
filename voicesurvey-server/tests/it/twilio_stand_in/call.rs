//! One call as Twilio keeps it: how far it has come, and how its REST interface shows it.

use std::borrow::Cow;

use chrono::TimeDelta;
use serde_json::{Value, json};
use voicesurvey_core::call_attempt::AnsweredBy;
use voicesurvey_core::time::Timestamp;
use voicesurvey_simulator::{Ring, Spoken};

use super::chance::Chance;
use super::order::Order;
use super::people::Conduct;
use crate::support::twilio::{ACCOUNT, Form};

/// A call that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(super) sid: String,
    pub(super) order: Order,
    /// Whether whoever ordered it was told so.
    pub(crate) is_confirmed: bool,
    pub(super) status: &'static str,
    pub(super) placed_at: Timestamp,
    pub(super) initiated_at: Option<Timestamp>,
    pub(super) ringing_at: Option<Timestamp>,
    pub(super) answered_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) conduct: Conduct,
    /// What Twilio has found out about who answered.
    pub(super) answered_by: Option<&'static str>,
    pub(super) sequence: u32,
    /// What the network answered.
    pub(super) sip: Option<u16>,
    /// When it is in the list.
    pub(super) listed_from: Timestamp,
    /// What it cost, and when that is known.
    pub(super) price: Option<(Timestamp, String)>,
    /// Whether whoever asked was told that.
    pub(super) is_price_told: bool,
    /// The names of its recordings, and where to tell of them.
    pub(super) recordings: Vec<(String, String)>,
    /// What was said in it and answered by the host.
    pub(super) heard: Vec<Spoken>,
    pub(super) chance: Chance,
}

impl Call {
    /// Whether its end has come.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended_at.is_some()
    }

    /// What it cost, if that is known by now.
    pub(super) fn price(&self, now: Timestamp) -> Option<&str> {
        let (from, price) = self.price.as_ref()?;
        (*from <= now).then_some(price.as_str())
    }

    /// Seconds from the answer to the end.
    fn duration(&self) -> Option<i64> {
        let talk: TimeDelta = self.ended_at? - self.answered_at?;
        Some(talk.num_seconds().max(1))
    }

    /// What every request about it carries.
    pub(super) fn parameters(&self) -> Form {
        let (to, from) = (self.order.to.to_string(), self.order.from.to_string());
        // A queued call becomes an initiated one in callbacks only.
        let pairs = [
            ("CallSid", self.sid.clone()),
            ("AccountSid", ACCOUNT.to_owned()),
            ("From", from.clone()),
            ("To", to.clone()),
            ("Caller", from),
            ("Called", to),
            ("CallStatus", self.status.to_owned()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("Direction", "outbound-api".to_owned()),
            // Empty values are part of the signature.
            ("ToCity", String::new()),
            ("ToState", String::new()),
            ("ToCountry", "IT".to_owned()),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// What a status callback carries.
    pub(super) fn progress(&mut self, at: Timestamp) -> Form {
        let mut form = self.parameters();
        let mut add = |name: &str, value: String| form.push((name.to_owned(), value));
        add("Timestamp", rfc_2822(at));
        add("CallbackSource", "call-progress-events".to_owned());
        add("SequenceNumber", self.sequence.to_string());
        if let Some(sip) = self.sip.filter(|_| self.has_ended()) {
            add("SipResponseCode", sip.to_string());
        }
        if let Some(seconds) = self.duration() {
            add("CallDuration", seconds.to_string());
            add("Duration", seconds.unsigned_abs().div_ceil(60).to_string());
        }
        self.sequence += 1;
        form
    }

    /// The call as the REST interface shows it.
    pub(super) fn resource(&self, now: Timestamp) -> Value {
        let time = |at: Option<Timestamp>| at.map(rfc_2822);
        let status = if self.status == "initiated" {
            "queued"
        } else {
            self.status
        };
        let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
        json!({
            "sid": self.sid, "account_sid": ACCOUNT, "parent_call_sid": null,
            "to": self.order.to.as_str(), "to_formatted": self.order.to.as_str(),
            "from": self.order.from.as_str(), "from_formatted": self.order.from.as_str(),
            "status": status, "direction": "outbound-api",
            "start_time": time(self.initiated_at), "end_time": time(self.ended_at),
            "duration": self.duration().map(|seconds| seconds.to_string()),
            "price": self.price(now), "price_unit": "USD", "answered_by": self.answered_by,
            "date_created": rfc_2822(self.placed_at), "date_updated": rfc_2822(now),
            "queue_time": "0", "api_version": "2010-04-01", "forwarded_from": null,
            "group_sid": null, "caller_name": null, "trunk_sid": "", "phone_number_sid": null,
            "uri": format!("{account}/Calls/{}.json", self.sid),
            "subresource_uris": {
                "recordings": format!("{account}/Calls/{}/Recordings.json", self.sid),
            },
        })
    }

    /// Its line in the ledger.
    pub(super) fn ring(&self) -> Ring {
        Ring {
            company_id: self.order.company_id,
            attempt_id: self.order.attempt_id,
            provider_call_id: self.sid.clone(),
            phone_number: self.order.to,
            placed_at: self.placed_at,
            initiated_at: self.initiated_at,
            ringing_at: self.ringing_at,
            answered_at: self.answered_at,
            answered_by: self.answered_at.map(|_| match self.conduct {
                Conduct::Machine => AnsweredBy::Voicemail,
                Conduct::Fax => AnsweredBy::Fax,
                _ => AnsweredBy::Person,
            }),
            ended_at: self.ended_at,
            outcome: None,
            raw_status: Cow::Borrowed(self.status),
            error_code: None,
        }
    }
}

/// An instant as Twilio writes it.
pub(super) fn rfc_2822(at: Timestamp) -> String {
    at.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
