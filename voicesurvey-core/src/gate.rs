//! The gate: may this person be called now? One pure function, asked before every dial (I4, I8).
//!
//! It fails closed: what is not known to be allowed is not allowed. Its answer carries the reason,
//! which is kept on the task and counted per campaign, so that "why was nobody called?" has an
//! answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::call_task::{CallTask, TaskState};
use crate::campaign::{Campaign, CampaignStatus, Schedule};
use crate::planted::{self, Bug};
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// Attempts of one task, free ones included, after which something is wrong with it.
const MOST_ATTEMPTS: u16 = 1_000;

/// The gate's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The person may be called at this instant.
    Dial,
    /// Not now.
    Wait {
        /// The first instant at which it is worth asking again; `None` when that depends on
        /// something other than time, such as a paused campaign.
        until: Option<Timestamp>,
        /// Why.
        reason: Reason,
    },
    /// Not in this campaign.
    Never {
        /// Why.
        reason: Reason,
    },
}

/// Declares the reasons with their names and sentences.
macro_rules! reasons {
    ($($variant:ident = $name:literal, $sentence:literal;)+) => {
        /// Why a person is not being called now.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason {$(
            #[doc = $sentence]
            #[serde(rename = $name)]
            $variant,
        )+}

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in the API and in stores.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// A sentence for people.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)+ }
            }

            /// The reason of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.name() == name)
            }
        }
    };
}

reasons! {
    CampaignNotRunning = "campaign_not_running", "The campaign is not running.";
    CampaignEnded = "campaign_ended", "The campaign has ended.";
    BeforeCampaignStart = "before_campaign_start", "The campaign's start date is still to come.";
    OutsideCallingHours = "outside_calling_hours", "It is outside the calling hours where the person is.";
    NeverInCallingHours = "never_in_calling_hours", "The calling hours are never open in all zones the person may be in.";
    UnknownTimeZone = "unknown_time_zone", "The person's time zone is not known.";
    Excluded = "excluded", "The number is on the exclusion list.";
    AttemptsUsedUp = "attempts_used_up", "All attempts are used up.";
    WaitsForRetry = "waits_for_retry", "The time of the next attempt has not come.";
    TaskEnded = "task_ended", "The task has ended.";
    ProviderUnavailable = "provider_unavailable", "The telephony provider could not take the call.";
    DialDeadlinePassed = "dial_deadline_passed", "The server was too slow to dial within its deadline.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether the person behind `task` may be called at `now`.
///
/// `excluded` tells whether the number stands on the company's exclusion list, read in the same
/// unit of work. A task that is in progress is judged as the dispatcher does it immediately before
/// the dial: as if its attempt were still to be made.
pub fn decide(task: &CallTask, campaign: &Campaign, excluded: bool, now: Timestamp) -> Decision {
    if task.state.status().is_final() {
        return Decision::Never {
            reason: Reason::TaskEnded,
        };
    }
    if excluded {
        return Decision::Never {
            reason: Reason::Excluded,
        };
    }
    if campaign.status.is_final() {
        return Decision::Never {
            reason: Reason::CampaignEnded,
        };
    }
    let settings = campaign.effective_settings();
    if task.attempts_spent >= settings.retry.max_attempts || task.attempts_count >= MOST_ATTEMPTS {
        return Decision::Never {
            reason: Reason::AttemptsUsedUp,
        };
    }
    if campaign.status != CampaignStatus::Running && !planted::is(Bug::PausedStillDials) {
        return Decision::Wait {
            until: None,
            reason: Reason::CampaignNotRunning,
        };
    }
    match task.state {
        TaskState::Retry { due_at } | TaskState::Pending { due_at } if due_at > now => {
            let until = opening(&settings.schedule, &zones(task, campaign), due_at).until();
            return Decision::Wait {
                until: until.or(Some(due_at)),
                reason: task.reason.unwrap_or(Reason::WaitsForRetry),
            };
        }
        _ => {}
    }
    opening(&settings.schedule, &zones(task, campaign), now)
}

impl Decision {
    /// The instant the decision names, if it names one.
    pub const fn until(self) -> Option<Timestamp> {
        match self {
            Self::Wait { until, .. } => until,
            Self::Dial | Self::Never { .. } => None,
        }
    }
}

/// The zones in all of which the hours must be open: the contact's, else the campaign's.
pub fn zones(task: &CallTask, campaign: &Campaign) -> Vec<TimeZone> {
    if task.contact.time_zones.is_empty() {
        vec![campaign.effective_settings().schedule.time_zone]
    } else {
        task.contact.time_zones.clone()
    }
}

/// Whether `schedule` lets anybody in `zones` be called at `now`, and if not, when.
pub fn opening(schedule: &Schedule, zones: &[TimeZone], now: Timestamp) -> Decision {
    if schedule.ends_at.is_some_and(|ends_at| now >= ends_at) {
        return Decision::Never {
            reason: Reason::CampaignEnded,
        };
    }
    let (from, early) = match schedule.starts_at {
        Some(starts_at) if starts_at > now => (starts_at, true),
        _ => (now, false),
    };
    if zones.is_empty() {
        return Decision::Wait {
            until: None,
            reason: Reason::UnknownTimeZone,
        };
    }
    match schedule.hours.next_opening(zones, from) {
        None => Decision::Never {
            reason: Reason::NeverInCallingHours,
        },
        Some(until) if schedule.ends_at.is_some_and(|ends_at| until >= ends_at) => {
            Decision::Never {
                reason: Reason::CampaignEnded,
            }
        }
        Some(until) if early => Decision::Wait {
            until: Some(until),
            reason: Reason::BeforeCampaignStart,
        },
        Some(until) if until > now && !planted::is(Bug::CallsOutsideHours) => Decision::Wait {
            until: Some(until),
            reason: Reason::OutsideCallingHours,
        },
        Some(_) => Decision::Dial,
    }
}

#[cfg(test)]
mod tests;
