//! Looks for a call of which it is not known whether Twilio took it.
//!
//! Twilio has no key that would make an order unique, and its list does not show our reference. So a
//! call is found by who was called and when; as long as there is one live attempt per number, what
//! is listed since its commit is that attempt's. That nobody was called is said late and reluctantly:
//! whoever hears it dials again.

use chrono::TimeDelta;
use voicesurvey_core::ports::{FoundCall, ProviderError, UnconfirmedCall};
use voicesurvey_core::time::Timestamp;

use crate::call_record::{CallPage, CallRecord};
use crate::provider::{TwilioProvider, refused, unanswered};

/// Twilio's clock and ours may differ by this much; Twilio cuts instants to seconds.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(10);

/// If a clock is wrong they may differ by as much as this. A call that is only so near may be ours.
const CLOCK_IS_WRONG: TimeDelta = TimeDelta::minutes(15);

/// How long after the last moment in which the order can have been sent a call may stay hidden.
const SHOWN_AFTER: TimeDelta = TimeDelta::seconds(60);

/// How long after the end of a call Twilio tells which URLs were called for it.
const EVENTS_AFTER: TimeDelta = TimeDelta::minutes(15);

/// One number calls another one a few times in its life: one page, and ten are very many.
const PAGE_SIZE: &str = "200";
const MOST_PAGES: u8 = 10;

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
    pub(crate) async fn search(
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
        let (mut unclear, mut near) = (Vec::new(), 0);
        for record in self.listed(sought).await? {
            match self.belongs(sought, &record, now).await {
                Belongs::Ours => return found(&record),
                Belongs::Others => {}
                Belongs::Unclear if self.is_in_time(sought, &record, CLOCKS_DIFFER) => {
                    unclear.push(record);
                }
                Belongs::Unclear => near += 1,
            }
        }
        match &unclear[..] {
            [record] => found(record),
            [] if near == 0 => {
                let is_confirmed = self.absences.confirm(attempt, now);
                let is_late = now >= self.order_ends(sought) + SHOWN_AFTER;
                Ok(if is_confirmed && is_late {
                    FoundCall::NotFound
                } else {
                    FoundCall::Unknown
                })
            }
            several => {
                self.absences.forget(attempt);
                let calls = several.len();
                tracing::warn!(%attempt, calls, near, "it is not clear which call is the sought one");
                Ok(FoundCall::Unknown)
            }
        }
    }

    /// The last instant in which the order can have reached Twilio.
    fn order_ends(&self, sought: &UnconfirmedCall) -> Timestamp {
        sought.dial_before + self.settings.request_timeout
    }

    /// Whether a call was made while the order was under way, if the clocks differ by no more.
    fn is_in_time(&self, sought: &UnconfirmedCall, call: &CallRecord, differ: TimeDelta) -> bool {
        let began = sought.committed_at - differ;
        let ended = self.order_ends(sought) + differ;
        let made_at = call.date_created;
        made_at.is_none_or(|at| began <= at && at <= ended)
    }

    /// The calls to the number that may be the one, from whatever number: the caller id may have been
    /// changed since the order, and a call that is overlooked is placed twice.
    async fn listed(&self, sought: &UnconfirmedCall) -> Result<Vec<CallRecord>, ProviderError> {
        // Twilio's filter by time is described in two ways, and one of them would hide every call.
        // Queued calls are asked for by themselves as well, as nobody says that a list shows them.
        let mut listed: Vec<CallRecord> = Vec::new();
        for status in [None, Some("queued")] {
            for record in self.list(sought, status).await? {
                let is_twice = listed.iter().any(|listed| listed.sid == record.sid);
                let others = &sought.other_calls;
                let is_others = record.sid.as_ref().is_some_and(|sid| others.contains(sid));
                let is_inbound = record.direction.as_deref() == Some("inbound");
                let is_near = self.is_in_time(sought, &record, CLOCK_IS_WRONG);
                if is_near && !is_twice && !is_others && !is_inbound {
                    listed.push(record);
                }
            }
        }
        Ok(listed)
    }

    async fn list(
        &self,
        sought: &UnconfirmedCall,
        status: Option<&str>,
    ) -> Result<Vec<CallRecord>, ProviderError> {
        let mut url = self.client.url(&["Calls.json"]);
        url.query_pairs_mut()
            .append_pair("To", sought.phone_number.as_str())
            .append_pair("PageSize", PAGE_SIZE)
            .extend_pairs(status.map(|status| ("Status", status)));
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

fn unlisted() -> ProviderError {
    ProviderError {
        what: "the list of Twilio cannot be read".to_owned(),
    }
}
