//! Looks for a call of which it is not known whether Twilio took it.
//!
//! Twilio has no key that would make an order unique, and its list does not show our reference. So a
//! call is found by who called whom and when; as long as there is one live attempt per number, what
//! is listed since its commit is that attempt's. That nobody was called is said late and reluctantly:
//! whoever hears it dials again.

use chrono::{Days, NaiveDate, TimeDelta};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{CallReference, FoundCall, ProviderError};
use voicesurvey_core::time::Timestamp;

use crate::call_record::{CallPage, CallRecord};
use crate::provider::{TwilioProvider, refused, unanswered};

/// Twilio's clock and ours may differ by this much; Twilio cuts instants to seconds.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);

/// How long after the last moment in which the order can have been sent a call may stay hidden.
const SHOWN_AFTER: TimeDelta = TimeDelta::seconds(60);

/// Twilio keeps a call in its queue for a day at most, and lists calls by the day they began.
const LONGEST_QUEUE: Days = Days::new(2);

/// How long after the end of a call Twilio tells which URLs were called for it.
const EVENTS_AFTER: TimeDelta = TimeDelta::minutes(15);

/// More pages than calls between two numbers within a day can fill.
const MOST_PAGES: u8 = 10;

/// A call that was ordered, and the order was never answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnconfirmedCall {
    /// Its name in our words.
    pub call: CallReference,
    /// The number that was to be dialed.
    pub phone_number: PhoneNumber,
    /// The number that was to be shown, if it was not the one of the settings.
    pub caller_id: Option<PhoneNumber>,
    /// When the attempt was committed: Twilio was not asked before.
    pub committed_at: Timestamp,
    /// After this instant Twilio was not asked any more.
    pub dial_before: Timestamp,
}

/// Whose a listed call is.
enum Belongs {
    Ours,
    Others,
    Unclear,
}

impl TwilioProvider {
    /// What became of a call whose order was never answered. Asks several times, and is meant to be
    /// repeated until the answer is not `Unknown`.
    ///
    /// `NotFound` needs a second empty answer half a minute after the first, and a minute since the
    /// order can have reached Twilio at the latest.
    pub async fn find_unconfirmed_call(
        &self,
        sought: &UnconfirmedCall,
    ) -> Result<FoundCall, ProviderError> {
        let now = self.clock.now();
        let attempt = sought.call.attempt_id;
        let found = |record: &CallRecord| {
            self.absences.forget(attempt);
            Ok(FoundCall::Found {
                events: record.events(&sought.call, now),
            })
        };
        let mut unclear = Vec::new();
        for record in self.listed(sought, now).await? {
            match self.belongs(sought, &record, now).await {
                Belongs::Ours => return found(&record),
                Belongs::Others => {}
                Belongs::Unclear => unclear.push(record),
            }
        }
        match &unclear[..] {
            [record] => found(record),
            [] => {
                let is_confirmed = self.absences.confirm(attempt, now);
                if is_confirmed && now >= self.order_ends(sought) + SHOWN_AFTER {
                    self.absences.forget(attempt);
                    Ok(FoundCall::NotFound)
                } else {
                    Ok(FoundCall::Unknown)
                }
            }
            several => {
                self.absences.forget(attempt);
                let calls = several.len();
                tracing::warn!(%attempt, calls, "several calls may be the one that is sought");
                Ok(FoundCall::Unknown)
            }
        }
    }

    /// The last instant in which the order can have reached Twilio.
    fn order_ends(&self, sought: &UnconfirmedCall) -> Timestamp {
        sought.dial_before + self.settings.request_timeout
    }

    /// The calls from and to these numbers that were made while the order was under way.
    async fn listed(
        &self,
        sought: &UnconfirmedCall,
        now: Timestamp,
    ) -> Result<Vec<CallRecord>, ProviderError> {
        let began = sought.committed_at - CLOCKS_DIFFER;
        let ended = self.order_ends(sought) + SHOWN_AFTER;
        let mut filters: Vec<_> = days(sought.committed_at.date_naive(), now.date_naive())
            .map(|day| ("StartTime", day.to_string()))
            .collect();
        // A queued call has not begun, and no day finds it.
        filters.push(("Status", "queued".to_owned()));
        let mut listed: Vec<CallRecord> = Vec::new();
        for filter in filters {
            for record in self.list(sought, filter).await? {
                let is_known = listed.iter().any(|known| known.sid == record.sid);
                let in_time = record
                    .date_created
                    .is_none_or(|at| began <= at && at <= ended);
                let is_outbound = record.direction.as_deref() != Some("inbound");
                if in_time && is_outbound && !is_known {
                    listed.push(record);
                }
            }
        }
        Ok(listed)
    }

    async fn list(
        &self,
        sought: &UnconfirmedCall,
        (name, value): (&str, String),
    ) -> Result<Vec<CallRecord>, ProviderError> {
        let caller_id = sought.caller_id.unwrap_or(self.settings.caller_id);
        let mut url = self.client.url(&["Calls.json"]);
        url.query_pairs_mut()
            .append_pair("To", sought.phone_number.as_str())
            .append_pair("From", caller_id.as_str())
            .append_pair(name, &value);
        let mut records = Vec::new();
        let mut next = Some(url);
        for _ in 0..MOST_PAGES {
            let Some(url) = next else {
                return Ok(records);
            };
            let response = self.client.get(url).await.map_err(unanswered)?;
            if !response.is_success() {
                return Err(refused(&response));
            }
            let page: CallPage = serde_json::from_slice(&response.body).map_err(|_| unlisted())?;
            records.extend(page.calls);
            next = match page.next_page_uri {
                Some(path) => Some(self.client.next_page(&path).ok_or_else(unlisted)?),
                None => None,
            };
        }
        // Half a list proves nothing.
        Err(unlisted())
    }

    /// Whose call it is, if Twilio tells already: the URLs that it called name the attempt.
    async fn belongs(
        &self,
        sought: &UnconfirmedCall,
        record: &CallRecord,
        now: Timestamp,
    ) -> Belongs {
        let is_told = record.end_time.is_some_and(|end| now - end >= EVENTS_AFTER);
        let Some(sid) = record.sid.as_deref().filter(|_| is_told) else {
            return Belongs::Unclear;
        };
        let url = self.client.url(&["Calls", sid, "Events.json"]);
        let response = match self.client.get(url).await {
            Ok(response) if response.is_success() => response,
            _ => return Belongs::Unclear,
        };
        let told = String::from_utf8_lossy(&response.body);
        let ours = sought.call.attempt_id.to_string();
        if told.contains(&ours) {
            Belongs::Ours
        } else if told.contains("attempt=") || told.contains("attempt%3D") {
            Belongs::Others
        } else {
            Belongs::Unclear
        }
    }
}

/// The days in UTC in which the call can have begun.
fn days(first: NaiveDate, today: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    let last = first
        .checked_add_days(LONGEST_QUEUE)
        .map_or(today, |last| last.min(today));
    first.iter_days().take_while(move |day| *day <= last)
}

fn unlisted() -> ProviderError {
    ProviderError {
        what: "the list of Twilio cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_looked_for_from_its_day_to_today_while_it_may_be_queued() {
        let day = |day| NaiveDate::from_ymd_opt(2027, 1, day).unwrap();
        let listed = |first, today| days(day(first), day(today)).collect::<Vec<_>>();
        assert_eq!(listed(15, 15), [day(15)]);
        assert_eq!(listed(15, 16), [day(15), day(16)]);
        assert_eq!(listed(15, 20), [day(15), day(16), day(17)]);
    }
}
