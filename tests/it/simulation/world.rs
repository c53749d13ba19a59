//! The world of one seed: companies, people and campaigns, small and crowded.

use std::sync::Arc;

use chrono::TimeDelta;
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::call_list::{CallList, CallListRow};
use voicesurvey::calling_hours::{CallingHours, TimeOfDay};
use voicesurvey::campaign::{Pacing, RetryPolicy};
use voicesurvey::company::CompanyLimits;
use voicesurvey::id::{CampaignId, IdGenerator};
use voicesurvey::language::Language;
use voicesurvey::pace::Pace;
use voicesurvey::ports::Storage;
use voicesurvey::service::{
    CampaignService, Companies, Engine, NewCampaign, NewCompany, NewSchedule,
};
use voicesurvey::simulator::{
    ConsentBehaviour, LineBehaviour, PickUpByHour, Population, Probability, SimulationSettings,
};
use voicesurvey::testing::samples;
use voicesurvey::time::{ManualClock, Timestamp};
use voicesurvey::time_zone::TimeZone;

use super::chance::Chance;
use super::faults::{Fault, Faults};
use super::judge::CampaignPlan;
use super::shared::Shared;

/// A few hours before clocks are put forward or back somewhere, and one quiet day.
const STARTS: [&str; 6] = [
    "2026-03-28T20:00:00Z",
    "2026-10-24T18:00:00Z",
    "2026-10-31T12:00:00Z",
    "2027-03-13T15:00:00Z",
    "2026-04-04T06:00:00Z",
    "2026-11-17T07:30:00Z",
];

/// Where people are. In Lord Howe the clock moves by half an hour.
const ZONES: [&str; 6] = [
    "Europe/Rome",
    "America/New_York",
    "America/Vancouver",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
];

/// Numbers of which all lists are made, so that lists overlap.
const PEOPLE: u32 = 14;

/// From and to, in minutes of the day.
const HOURS: [(u16, u16); 4] = [(540, 1260), (540, 1260), (600, 720), (0, 1440)];

/// Everything of a seed that is decided before the first step.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) start: Timestamp,
    pub(super) faults: Faults,
    pub(super) servers: usize,
    pub(super) claim_at_most: u16,
    /// How long a call list may be.
    pub(super) most_people: u32,
    /// Tasks are claimed and dialed by the dispatcher's own tick, one at a time.
    pub(super) by_tick: bool,
    pub(super) simulation: SimulationSettings,
    /// After this time nothing of ours goes wrong any more.
    pub(super) trouble_for: TimeDelta,
}

impl Plan {
    pub(super) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let faults = Faults::chosen(&mut chance);
        let start: Timestamp = chance.pick(&STARTS).parse().unwrap();
        let by_tick = chance.percent(40);
        let claim_at_most = u16::try_from(chance.pick(&[2, 5, 20])).unwrap();
        let population = Population {
            lines: LineBehaviour {
                picks_up: PickUpByHour::always(Probability::percent(chance.pick(&[30, 60]))),
                ..LineBehaviour::default()
            },
            consent: ConsentBehaviour {
                opts_out: Probability::percent(chance.pick(&[5, 25])),
                ..ConsentBehaviour::default()
            },
            ..Population::default()
        };
        Self {
            start: start + TimeDelta::minutes(chance.below(900).into()),
            faults,
            servers: 1 + chance.index(4),
            claim_at_most: if by_tick { 1 } else { claim_at_most },
            most_people: 8,
            by_tick,
            simulation: SimulationSettings {
                seed,
                population,
                faults: faults.of_provider(),
                ..SimulationSettings::default()
            },
            trouble_for: TimeDelta::minutes(chance.between(30, 2_000).into()),
        }
    }
}

/// One company and its campaigns.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) actor: Actor,
    pub(super) campaigns: Vec<CampaignId>,
}

pub(super) fn zone_of(index: u32) -> TimeZone {
    ZONES[index as usize % ZONES.len()].parse().unwrap()
}

/// Tells the judge where everybody is.
pub(super) fn introduce_people(shared: &Shared) {
    if let Some(judge) = &mut shared.state().judge {
        for index in 0..PEOPLE {
            judge
                .zones
                .insert(samples::phone_number(index), zone_of(index));
        }
    }
}

pub(super) fn limits(chance: &mut Chance) -> CompanyLimits {
    let mut limits = samples::company().limits;
    limits.max_concurrent_calls = chance.between(1, 4);
    limits.calls_per_minute = chance.pick(&[2, 6, 20, 60]);
    limits
}

pub(super) async fn tenant(
    storage: &Arc<dyn Storage>,
    clock: &Arc<ManualClock>,
    ids: &Arc<IdGenerator>,
    chance: &mut Chance,
) -> Tenant {
    let service = Companies::new(storage.clone(), clock.clone(), ids.clone());
    let new = NewCompany {
        name: "Rossi".to_owned(),
        time_zone: chance.pick(&ZONES).parse().unwrap(),
        region: "IT".parse().unwrap(),
        language: Language::It,
        limits: limits(chance),
    };
    let company = service.create(new).await.unwrap();
    Tenant {
        actor: Actor {
            company_id: company.id,
            api_key_id: ids.next(),
            role: Role::Admin,
        },
        campaigns: Vec::new(),
    }
}

/// A campaign that calls some of the people, to be created through any engine.
#[derive(Clone, Debug)]
pub(super) struct CampaignIdea {
    pub(super) new: NewCampaign,
    pub(super) people: CallList,
    plan: (u32, u32, (u16, u16)),
}

impl CampaignIdea {
    pub(super) fn of(chance: &mut Chance, most_people: u32) -> Self {
        let hours = chance.pick(&HOURS);
        let time_of_day = |minutes: u16| TimeOfDay::new(minutes / 60, minutes % 60).unwrap();
        let pacing = Pacing {
            max_concurrent_calls: chance.between(1, 3),
            pace: Pace::per_minute(chance.pick(&[1, 5, 12, 60])),
        };
        let mut retry = |mut policy: RetryPolicy| {
            policy.max_attempts = u16::try_from(chance.between(1, 3)).unwrap();
            // So soon that news of one attempt arrive while the next one is made.
            policy.delays_minutes = chance.pick(&[[30, 30], [1, 1], [2, 60]]).to_vec();
            policy
        };
        Self {
            new: NewCampaign {
                name: "campaign".to_owned(),
                description: String::new(),
                skillbase_id: None,
                language: None,
                survey: samples::survey(),
                schedule: NewSchedule {
                    hours: Some(
                        CallingHours::daily(time_of_day(hours.0), time_of_day(hours.1)).unwrap(),
                    ),
                    ..NewSchedule::default()
                },
                pacing,
                retry: retry(RetryPolicy::default()),
                target: None,
                budget: None,
            },
            people: people(chance, most_people),
            plan: (
                pacing.max_concurrent_calls,
                pacing.pace.calls_per_minute,
                hours,
            ),
        }
    }

    /// Creates, fills and starts the campaign. What fails on the way stays as it is.
    pub(super) async fn realise(
        self,
        engine: &Engine,
        actor: &Actor,
        shared: &Shared,
    ) -> Option<CampaignId> {
        let campaigns = engine.campaigns();
        let campaign = campaigns.create(actor, self.new).await.ok()?;
        let (max_concurrent_calls, calls_per_minute, (from, to)) = self.plan;
        if let Some(judge) = &mut shared.state().judge {
            let plan = CampaignPlan {
                company_id: actor.company_id,
                max_concurrent_calls,
                calls_per_minute,
                hours: (from.into(), to.into()),
            };
            judge.campaigns.insert(campaign.id, plan);
        }
        campaigns
            .upload(actor, campaign.id, self.people)
            .await
            .ok()?;
        campaigns.start(actor, campaign.id).await.ok()?;
        Some(campaign.id)
    }
}

/// A list of some of the people, each in the zone where the judge believes them to be.
pub(super) fn people(chance: &mut Chance, most: u32) -> CallList {
    let first = chance.below(PEOPLE);
    let count = chance.between(1, most.min(PEOPLE));
    let rows = (0..count).map(|offset| {
        let index = (first + offset) % PEOPLE;
        CallListRow {
            row: u64::from(offset) + 2,
            phone_number: samples::phone_number(index).to_string(),
            time_zone: zone_of(index).to_string(),
            ..CallListRow::default()
        }
    });
    CallList {
        file_name: "people.csv".to_owned(),
        columns: vec!["phone_number".to_owned(), "time_zone".to_owned()],
        rows: rows.collect(),
    }
}

/// What operators do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Pause,
    Resume,
    Cancel,
    ChangeLimits,
    Upload,
    StartAnother,
    Exclude,
}

impl Operation {
    const ALL: [(Self, Fault); 7] = [
        (Self::Pause, Fault::Pause),
        (Self::Resume, Fault::Pause),
        (Self::Cancel, Fault::Cancel),
        (Self::ChangeLimits, Fault::Limits),
        (Self::Upload, Fault::Upload),
        (Self::StartAnother, Fault::AnotherCampaign),
        (Self::Exclude, Fault::Exclude),
    ];

    /// What operators may do where those faults are.
    pub(super) fn among(faults: Faults) -> Vec<Self> {
        let chosen = Self::ALL.iter().filter(|(_, fault)| faults.has(*fault));
        chosen.map(|(operation, _)| *operation).collect()
    }

    /// The fault as a part of which operators do it.
    pub(super) fn fault(self) -> Fault {
        let known = Self::ALL.iter().find(|(operation, _)| *operation == self);
        known.map(|(_, fault)| *fault).unwrap()
    }

    /// How often in one run, besides what follows on claims.
    const fn most(self) -> u32 {
        match self {
            Self::Resume => 12,
            Self::Pause | Self::ChangeLimits => 6,
            Self::Upload | Self::Exclude => 3,
            Self::Cancel | Self::StartAnother => 1,
        }
    }
}

/// What operators do in the course of one run, and when.
pub(super) fn operations(plan: &Plan, chance: &mut Chance) -> Vec<(Timestamp, Operation)> {
    let mut operations = Vec::new();
    let seconds = u32::try_from(plan.trouble_for.num_seconds()).unwrap();
    for operation in Operation::among(plan.faults) {
        for _ in 0..chance.between(1, operation.most()) {
            let at = plan.start + TimeDelta::seconds(chance.below(seconds).into());
            operations.push((at, operation));
        }
    }
    operations.sort_unstable();
    operations.reverse();
    operations
}
