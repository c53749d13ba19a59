//! The gate: may this person be called now? One pure function, asked before every dial (I4, I8).
//!
//! It fails closed: what is not known to be allowed is not allowed. Its answer carries the reason,
//! which is kept on the task and counted per campaign, so that "why was nobody called?" has an
//! answer.

mod contact_history;

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::call_list::Contact;
use crate::call_task::{CallTask, TaskState};
use crate::calling_hours::CallingHours;
use crate::campaign::{Campaign, CampaignStatus, Schedule};
use crate::company::{Company, CompanyStatus};
use crate::planted::{self, Bug};
use crate::queue::lane::{LaneKey, Window};
use crate::quota::Room;
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

pub use self::contact_history::{AttemptCaps, ContactHistory};

/// Attempts of one task, free ones included, after which it is given up. With the pauses that the
/// dispatcher makes, a provider can ask for patience for a week before that.
pub(crate) const MOST_ATTEMPTS: u16 = 1_000;

/// Windows are worked out again after this time, also where the hours never close.
const LONGEST_WINDOW: TimeDelta = TimeDelta::days(7);

/// What the gate must know besides the task and its campaign, read in the same unit of work.
///
/// The default restricts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Circumstances {
    /// Whether the number stands on the company's exclusion list.
    pub excluded: bool,
    /// Whether another attempt to the number is live in the company (I3).
    pub being_called: bool,
    /// When the company has called the number lately, in any campaign.
    pub history: ContactHistory,
    /// How often it may.
    pub caps: AttemptCaps,
    /// Whether the company may call at all.
    pub company_active: bool,
    /// Whether the campaign's and the company's budgets leave room for one more call.
    pub budget_left: bool,
    /// Whether the cells of quotas that the person is in do.
    pub room: Room,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self {
            excluded: false,
            being_called: false,
            history: ContactHistory::default(),
            caps: AttemptCaps::default(),
            company_active: true,
            budget_left: true,
            room: Room::Open,
        }
    }
}

impl Circumstances {
    /// Of a person whom nobody in `company` is calling at this moment, in a campaign with money
    /// left.
    pub fn of(company: &Company, excluded: bool, history: ContactHistory) -> Self {
        Self {
            excluded,
            history,
            caps: company.caps,
            company_active: company.status == CompanyStatus::Active,
            ..Self::default()
        }
    }
}

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
    TargetReached = "target_reached", "Enough people have answered.";
    QuotaFull = "quota_full", "Enough people of this kind have answered.";
    QuotaReserved = "quota_reserved", "The last places of the quota are held by calls in progress.";
    BudgetUsedUp = "budget_used_up", "The budget is used up.";
    CompanySuspended = "company_suspended", "The company is suspended.";
    BeforeCampaignStart = "before_campaign_start", "The campaign's start date is still to come.";
    OutsideCallingHours = "outside_calling_hours", "It is outside the calling hours where the person is.";
    NeverInCallingHours = "never_in_calling_hours", "The calling hours are never open in all zones the person may be in.";
    UnknownTimeZone = "unknown_time_zone", "The person's time zone is not known.";
    Excluded = "excluded", "The number is on the exclusion list.";
    BeingCalled = "being_called", "The number is being called at this moment.";
    DailyCap = "daily_cap", "The person was called as often as is allowed within 24 hours.";
    WeeklyCap = "weekly_cap", "The person was called as often as is allowed within 7 days.";
    MonthlyCap = "monthly_cap", "The person was called as often as is allowed within 30 days.";
    MinimumGap = "minimum_gap", "The last call to the person was too short a time ago.";
    WaitsForTurn = "waits_for_turn", "The person may be called now and waits for a free line or for the pace.";
    AttemptsUsedUp = "attempts_used_up", "All attempts are used up.";
    Appointment = "appointment", "The person asked to be called at that time.";
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
/// A task that is in progress is judged as the dispatcher does it immediately before the dial: as
/// if its attempt were still to be made. Of several reasons to wait the one that lasts longest is
/// named, so that `until` is the first instant at which it is worth asking again.
pub fn decide(
    task: &CallTask,
    campaign: &Campaign,
    circumstances: &Circumstances,
    now: Timestamp,
) -> Decision {
    if let Some(decision) = standing(task, campaign, circumstances) {
        return decision;
    }
    let settings = campaign.effective_settings();
    let (earliest, mut reason) = match task.state {
        TaskState::Retry { due_at } | TaskState::Pending { due_at } if due_at > now => {
            (due_at, task.reason.unwrap_or(Reason::WaitsForRetry))
        }
        _ => (now, Reason::OutsideCallingHours),
    };
    let capped = circumstances.caps.next_call_at(&circumstances.history);
    let earliest = match capped {
        Some((until, cap)) if until > earliest => {
            reason = cap;
            until
        }
        _ => earliest,
    };
    let schedule = &settings.schedule;
    let hours = schedule.hours_of(&task.contact);
    let zones = schedule.zones_of(&task.contact);
    match opening(schedule, &hours, zones, earliest) {
        Decision::Dial if earliest > now => Decision::Wait {
            until: Some(earliest),
            reason,
        },
        // The hours are what is waited for only if nothing else lasts until they open.
        Decision::Wait { until, .. } if earliest > now => Decision::Wait { until, reason },
        decision => decision,
    }
}

/// What does not depend on time: whether the person is to be called at all.
fn standing(
    task: &CallTask,
    campaign: &Campaign,
    circumstances: &Circumstances,
) -> Option<Decision> {
    let never = |reason| Some(Decision::Never { reason });
    let wait = |reason| {
        Some(Decision::Wait {
            until: None,
            reason,
        })
    };
    let policy = &campaign.effective_settings().retry;
    if task.state.status().is_final() || task.decision().is_some() {
        never(Reason::TaskEnded)
    } else if circumstances.excluded || task.contact.phone_number.is_nobodys() {
        never(Reason::Excluded)
    } else if campaign.status.is_final() {
        never(Reason::CampaignEnded)
    } else if let Some(reason) = campaign.winding_up {
        never(reason)
    } else if task.attempts_spent >= policy.max_attempts || task.attempts_count >= MOST_ATTEMPTS {
        never(Reason::AttemptsUsedUp)
    } else if circumstances.room == Room::Full {
        never(Reason::QuotaFull)
    } else if campaign.status != CampaignStatus::Running && !planted::is(Bug::PausedStillDials) {
        wait(Reason::CampaignNotRunning)
    } else if !circumstances.company_active {
        wait(Reason::CompanySuspended)
    } else if !circumstances.budget_left {
        wait(Reason::BudgetUsedUp)
    } else if circumstances.room == Room::Held && task.state.attempt_id().is_none() {
        // A call in progress holds its own place.
        wait(Reason::QuotaReserved)
    } else if circumstances.being_called {
        wait(Reason::BeingCalled)
    } else {
        None
    }
}

/// When the tasks of a lane may be called, now or next; the reason if never.
pub fn window(campaign: &Campaign, lane: &LaneKey, now: Timestamp) -> Result<Window, Reason> {
    let schedule = &campaign.effective_settings().schedule;
    let own = [schedule.time_zone];
    let zones: &[TimeZone] = if lane.time_zones.is_empty() {
        &own
    } else {
        &lane.time_zones
    };
    let hours = schedule.hours_for(lane.region);
    let opens_at = match opening(schedule, &hours, zones, now) {
        Decision::Dial => now,
        Decision::Wait {
            until: Some(until), ..
        } => until,
        Decision::Wait { reason, .. } | Decision::Never { reason } => return Err(reason),
    };
    let latest = opens_at + LONGEST_WINDOW;
    let closes_at = [
        hours.closes_by(zones, opens_at, latest),
        schedule.ends_at,
        Some(latest),
    ];
    Ok(Window {
        opens_at,
        closes_at: closes_at.into_iter().flatten().min().unwrap_or(opens_at),
    })
}

/// Until when a call to `contact` that waits at the provider may begin to ring, `latest` at most;
/// `None` if it must not any more. Asked of calls that the gate has let through: what has become of
/// the campaign, and what time it is where the person is.
pub fn may_ring_until(
    contact: &Contact,
    campaign: &Campaign,
    now: Timestamp,
    latest: Timestamp,
) -> Option<Timestamp> {
    let schedule = &campaign.effective_settings().schedule;
    let hours = schedule.hours_of(contact);
    let zones = schedule.zones_of(contact);
    if !campaign.is_calling() || opening(schedule, &hours, zones, now) != Decision::Dial {
        return None;
    }
    let closes_at = [hours.closes_by(zones, now, latest), schedule.ends_at];
    closes_at.into_iter().flatten().chain([latest]).min()
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

/// Whether `schedule` lets anybody in `zones` be called at `now`, and if not, when. `hours` are those
/// of the schedule with the holidays of the number's region.
pub fn opening(
    schedule: &Schedule,
    hours: &CallingHours,
    zones: &[TimeZone],
    now: Timestamp,
) -> Decision {
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
    match hours.next_opening(zones, from) {
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
