//! What the gate must never let through, and what it answers instead.

use chrono::TimeDelta;

use super::*;
use crate::calling_hours::{CallingHours, TimeOfDay};
use crate::campaign::PauseReason;
use crate::testing::samples::{self, SampleCampaign, SampleTask};
use crate::time_zone::TimeZone;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

/// A running campaign from 09:00 to 20:00, and a person in Rome who is due.
fn scene() -> (Campaign, CallTask) {
    let company = samples::company();
    let mut campaign = samples::campaign(&company).running();
    let hours = ["09:00", "20:00"].map(|time| time.parse::<TimeOfDay>().unwrap());
    campaign.settings.schedule.hours = CallingHours::daily(hours[0], hours[1]).unwrap();
    campaign.settings.schedule.time_zone = zone("Europe/Rome");
    assert_eq!(campaign.snapshot, None, "what is tested is what is set");
    let mut task = samples::task(&campaign, "+393471234567");
    task.contact.time_zones = vec![zone("Europe/Rome")];
    task.state = TaskState::Pending {
        due_at: at("2026-11-20T00:00:00Z"),
    };
    (campaign, task)
}

#[test]
fn somebody_is_called_within_the_hours_of_where_they_are() {
    let (campaign, task) = scene();
    assert_eq!(
        decide(
            &task,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T08:00:00Z")
        ),
        Decision::Dial
    );
    assert_eq!(
        decide(
            &task,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T07:59:59Z")
        ),
        Decision::Wait {
            until: Some(at("2026-11-20T08:00:00Z")),
            reason: Reason::OutsideCallingHours
        }
    );
    assert_eq!(
        decide(
            &task,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T19:00:00Z")
        )
        .until(),
        Some(at("2026-11-21T08:00:00Z"))
    );
}

#[test]
fn where_several_zones_are_possible_the_hours_are_open_in_all() {
    let (campaign, mut task) = scene();
    task.contact.time_zones = vec![zone("Europe/Rome"), zone("America/New_York")];
    let morning_in_rome = at("2026-11-20T09:00:00Z");
    assert_eq!(
        decide(&task, &campaign, &Circumstances::default(), morning_in_rome).until(),
        Some(at("2026-11-20T14:00:00Z")),
        "09:00 in New York"
    );
}

#[test]
fn a_person_without_a_zone_of_their_own_gets_the_campaigns() {
    let (campaign, mut task) = scene();
    task.contact.time_zones.clear();
    assert_eq!(
        decide(
            &task,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T08:00:00Z")
        ),
        Decision::Dial
    );
}

#[test]
fn an_excluded_number_is_never_called() {
    let (campaign, task) = scene();
    let excluded = Circumstances {
        excluded: true,
        ..Circumstances::default()
    };
    assert_eq!(
        decide(&task, &campaign, &excluded, at("2026-11-20T10:00:00Z")),
        Decision::Never {
            reason: Reason::Excluded
        }
    );
}

#[test]
fn a_number_that_is_nobodys_is_never_called() {
    let (campaign, mut task) = scene();
    task.contact.phone_number = task.nobodys_number();
    let now = at("2026-11-20T10:00:00Z");
    assert_eq!(
        decide(&task, &campaign, &Circumstances::default(), now),
        Decision::Never {
            reason: Reason::Excluded
        }
    );
}

#[test]
fn only_a_running_campaign_calls() {
    let now = at("2026-11-20T10:00:00Z");
    for status in CampaignStatus::ALL {
        let (campaign, task) = scene();
        let campaign = Campaign { status, ..campaign };
        let decision = decide(&task, &campaign, &Circumstances::default(), now);
        let expected = match status {
            CampaignStatus::Running => Decision::Dial,
            CampaignStatus::Completed | CampaignStatus::Cancelled => Decision::Never {
                reason: Reason::CampaignEnded,
            },
            CampaignStatus::Draft
            | CampaignStatus::Scheduled
            | CampaignStatus::Paused(PauseReason::User) => Decision::Wait {
                until: None,
                reason: Reason::CampaignNotRunning,
            },
            CampaignStatus::Paused(_) => unreachable!("only one pause is in the list"),
        };
        assert_eq!(decision, expected, "{status}");
    }
}

#[test]
fn the_dates_of_the_campaign_bound_the_hours() {
    let now = at("2026-11-20T10:00:00Z");
    let (mut campaign, task) = scene();
    let settings = &mut campaign.settings.schedule;
    settings.starts_at = Some(at("2026-11-21T03:00:00Z"));
    assert_eq!(
        decide(&task, &campaign, &Circumstances::default(), now),
        Decision::Wait {
            until: Some(at("2026-11-21T08:00:00Z")),
            reason: Reason::BeforeCampaignStart
        }
    );
    let settings = &mut campaign.settings.schedule;
    settings.starts_at = None;
    settings.ends_at = Some(at("2026-11-20T22:00:00Z"));
    assert_eq!(
        decide(&task, &campaign, &Circumstances::default(), now),
        Decision::Dial
    );
    assert_eq!(
        decide(
            &task,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T20:00:00Z")
        ),
        Decision::Never {
            reason: Reason::CampaignEnded
        },
        "the next opening is after the end"
    );
}

#[test]
fn nobody_is_called_more_often_than_allowed() {
    let (campaign, task) = scene();
    let max_attempts = campaign.effective_settings().retry.max_attempts;
    let worn_out = CallTask {
        attempts_spent: max_attempts,
        ..task
    };
    assert_eq!(
        decide(
            &worn_out,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T10:00:00Z")
        ),
        Decision::Never {
            reason: Reason::AttemptsUsedUp
        }
    );
}

#[test]
fn a_retry_waits_for_its_time_and_then_for_the_hours() {
    let (campaign, task) = scene();
    let now = at("2026-11-20T18:50:00Z");
    let retry = CallTask {
        state: TaskState::Retry {
            due_at: now + TimeDelta::minutes(30),
        },
        ..task
    };
    assert_eq!(
        decide(&retry, &campaign, &Circumstances::default(), now),
        Decision::Wait {
            until: Some(at("2026-11-21T08:00:00Z")),
            reason: Reason::WaitsForRetry
        },
        "19:20 UTC is 20:20 in Rome"
    );
    let retry = retry.with_priority(1);
    assert_eq!(
        decide(
            &retry,
            &campaign,
            &Circumstances::default(),
            at("2026-11-21T08:00:00Z")
        ),
        Decision::Dial
    );
}

#[test]
fn hours_that_never_open_in_all_zones_are_named() {
    let (campaign, mut task) = scene();
    task.contact.time_zones = vec![zone("Pacific/Auckland"), zone("Europe/London")];
    assert_eq!(
        decide(
            &task,
            &campaign,
            &Circumstances::default(),
            at("2026-11-20T10:00:00Z")
        ),
        Decision::Never {
            reason: Reason::NeverInCallingHours
        }
    );
}
