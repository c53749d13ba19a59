//! The world of one seed: companies, people and campaigns, small and crowded.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use chrono::TimeDelta;
use voicesurvey::api_key::{Actor, Role};
use voicesurvey::call_list::{CallList, CallListRow};
use voicesurvey::calling_hours::{CallingHours, CountryDays, TimeOfDay};
use voicesurvey::campaign::{Budget, CallSettings, Pacing, RetryPolicy};
use voicesurvey::company::CompanyLimits;
use voicesurvey::gate::AttemptCaps;
use voicesurvey::id::{CampaignId, CompanyId, IdGenerator};
use voicesurvey::language::Language;
use voicesurvey::money::Cost;
use voicesurvey::pace::Pace;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::{NoWakeUp, Storage};
use voicesurvey::service::companies::CompanyChanges;
use voicesurvey::service::{
    CampaignService, Companies, Engine, NewCampaign, NewCompany, NewSchedule,
};
use voicesurvey::simulator::{
    ConsentBehaviour, LanguageBehaviour, LineBehaviour, PickUpByHour, Population, Probability,
    QuestionBehaviour, SimulationSettings,
};
use voicesurvey::testing::samples;
use voicesurvey::time::{ManualClock, Timestamp};
use voicesurvey::time_zone::TimeZone;

use super::chance::Chance;
use super::faults::{Fault, Faults};
use super::judge::CampaignPlan;
use super::quotas;
use super::shared::Shared;
use super::survey;

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

/// Where the numbers belong that say nothing else.
const HOME: &str = "Europe/Rome";

/// What calls are paid with.
pub(super) const CURRENCY: &str = "EUR";

/// Numbers of which all lists are made, so that lists overlap.
pub(super) const PEOPLE: u32 = 14;

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
    /// How many campaigns a company may begin with.
    pub(super) most_campaigns: u32,
    /// Whether a server sees to its duties before it claims; left to chance without.
    pub(super) duties_first: Option<bool>,
    /// Tasks are claimed and dialed by the dispatcher's own tick, one at a time.
    pub(super) by_tick: bool,
    /// Whether one server at a time does what need not be done twice.
    pub(super) has_leader: bool,
    /// Whether calls have a price.
    pub(super) priced: bool,
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
            // Seldom enough in life that a few hundred calls would not show it.
            questions: QuestionBehaviour {
                opts_out: Probability::percent(chance.pick(&[1, 5])),
                calls_back: Probability::percent(chance.pick(&[1, 8])),
                hardly_heard: Probability::percent(10),
                ..QuestionBehaviour::default()
            },
            languages: LanguageBehaviour {
                speaks_another: Probability::percent(chance.pick(&[0, 4])),
                ..LanguageBehaviour::default()
            },
            ..Population::default()
        };
        Self {
            start: start + TimeDelta::minutes(chance.below(900).into()),
            faults,
            servers: 1 + chance.index(4),
            claim_at_most: if by_tick { 1 } else { claim_at_most },
            // Most worlds are small: what goes wrong there goes wrong sooner.
            most_people: chance.pick(&[4, 4, 4, 8]),
            most_campaigns: 2,
            duties_first: None,
            by_tick,
            has_leader: chance.percent(60),
            priced: chance.percent(50),
            simulation: SimulationSettings {
                seed,
                population,
                faults: faults.of_provider(),
                ..SimulationSettings::default()
            },
            trouble_for: TimeDelta::minutes(chance.between(30, 2_000).into()),
        }
    }

    /// The same for runs whose activities come one after the other, so that a store that does I/O
    /// goes through the same: small, because every statement takes its time.
    pub(super) fn one_by_one(seed: u64) -> Self {
        Self {
            claim_at_most: 1,
            most_people: 2,
            ..Self::of(seed)
        }
    }

    /// One whose results do not depend on the order in which a store visits what is due at one
    /// instant: companies of one campaign, which have nothing in common, one server, and no fault
    /// that would be thrown for in another order.
    pub(super) fn in_any_order(seed: u64) -> Self {
        let plan = Self::one_by_one(seed);
        Self {
            faults: plan.faults.only(Fault::is_the_same_in_every_order),
            servers: 1,
            most_people: 6,
            most_campaigns: 1,
            duties_first: Some(true),
            has_leader: false,
            ..plan
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

/// Where everybody is.
pub(super) fn zones() -> HashMap<PhoneNumber, TimeZone> {
    let zone = |index| (samples::phone_number(index), zone_of(index));
    (0..PEOPLE).map(zone).collect()
}

pub(super) fn limits(chance: &mut Chance) -> CompanyLimits {
    let mut limits = samples::company().limits;
    limits.max_concurrent_calls = chance.between(1, 4);
    limits.calls_per_minute = chance.pick(&[2, 6, 20, 60]);
    limits
}

/// Half of the companies call one person only so often.
pub(super) fn caps(chance: &mut Chance) -> AttemptCaps {
    if chance.percent(50) {
        return AttemptCaps::default();
    }
    let per_day = u16::try_from(chance.between(1, 3)).unwrap();
    AttemptCaps {
        per_day: NonZeroU16::new(per_day),
        per_week: NonZeroU16::new(chance.pick(&[0, 0, 3, 4])),
        per_month: None,
        minimum_gap_minutes: NonZeroU32::new(chance.pick(&[0, 5, 120])),
    }
}

pub(super) fn pacing(chance: &mut Chance) -> Pacing {
    Pacing {
        max_concurrent_calls: chance.between(1, 3),
        pace: Pace {
            calls_per_minute: chance.pick(&[1, 5, 12, 60]),
            seconds_between_calls: chance.pick(&[0, 0, 0, 20]),
        },
    }
}

pub(super) async fn tenant(
    storage: &Arc<dyn Storage>,
    clock: &Arc<ManualClock>,
    ids: &Arc<IdGenerator>,
    chance: &mut Chance,
) -> Tenant {
    let service = Companies::new(
        storage.clone(),
        clock.clone(),
        ids.clone(),
        Arc::new(NoWakeUp),
    );
    let new = NewCompany {
        name: "Rossi".to_owned(),
        time_zone: chance.pick(&ZONES).parse().unwrap(),
        region: "IT".parse().unwrap(),
        language: Language::It,
        limits: limits(chance),
    };
    let company = service.create(new).await.unwrap();
    let changes = CompanyChanges {
        caps: Some(caps(chance)),
        ..CompanyChanges::default()
    };
    service.change(company.id, changes).await.unwrap();
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
    /// From and to, in minutes of the day.
    hours: (u16, u16),
}

impl CampaignIdea {
    pub(super) fn of(chance: &mut Chance, most_people: u32, now: Timestamp) -> Self {
        let hours = chance.pick(&HOURS);
        let survey = survey::survey(chance);
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
                survey,
                retry: retry(RetryPolicy::default()),
                schedule: schedule(chance, hours, now),
                pacing: pacing(chance),
                target: NonZeroU32::new(chance.pick(&[0, 0, 0, 1, 2])),
                quotas: quotas::quotas(chance),
                budget: budget(chance),
                recording: false,
                calls: CallSettings::default(),
            },
            people: people(chance, most_people),
            hours,
        }
    }

    fn plan(&self, company_id: CompanyId) -> CampaignPlan {
        let schedule = &self.new.schedule;
        let countries = schedule.countries.iter().flat_map(BTreeMap::values);
        CampaignPlan {
            company_id,
            hours: (self.hours.0.into(), self.hours.1.into()),
            // All numbers are of one country.
            holidays: countries.flat_map(|days| days.holidays.clone()).collect(),
            starts_at: schedule.starts_at,
            ends_at: schedule.ends_at,
            target: self.new.target.map(|target| target.get().into()),
            quotas: self.new.quotas.clone(),
            survey: self.new.survey.clone(),
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
        let plan = self.plan(actor.company_id);
        let campaign = campaigns.create(actor, self.new).await.ok()?;
        shared.state().judge.campaigns.insert(campaign.id, plan);
        campaigns
            .upload(actor, campaign.id, self.people.into())
            .await
            .ok()?;
        campaigns.start(actor, campaign.id).await.ok()?;
        Some(campaign.id)
    }
}

/// Some campaigns start later, some end soon, and some respect a holiday.
fn schedule(chance: &mut Chance, hours: (u16, u16), now: Timestamp) -> NewSchedule {
    let time_of_day = |minutes: u16| TimeOfDay::new(minutes / 60, minutes % 60).unwrap();
    let mut later = |percent, from, to| {
        let minutes = chance.between(from, to);
        let is_so = chance.percent(percent);
        is_so.then(|| now + TimeDelta::minutes(minutes.into()))
    };
    let (starts_at, ends_at) = (later(10, 5, 300), later(20, 310, 3_000));
    let holiday = chance.percent(20).then(|| {
        let date = (now + TimeDelta::hours(20)).date_naive();
        let days = CountryDays {
            holidays: BTreeSet::from([date]),
            ..CountryDays::default()
        };
        BTreeMap::from([("IT".parse().unwrap(), days)])
    });
    NewSchedule {
        starts_at,
        ends_at,
        hours: Some(CallingHours::daily(time_of_day(hours.0), time_of_day(hours.1)).unwrap()),
        countries: holiday,
        ..NewSchedule::default()
    }
}

/// Some campaigns may cost only so much.
fn budget(chance: &mut Chance) -> Option<Budget> {
    let amount = chance.pick(&["0.10", "0.30", "0.60"]);
    let limit = Cost {
        amount: amount.parse().unwrap(),
        currency: CURRENCY.to_owned(),
    };
    chance.percent(25).then(|| Budget {
        limit,
        estimate_per_call: "0.05".parse().unwrap(),
    })
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
            // Where nothing is said, the number says it.
            time_zone: if ZONES[index as usize % ZONES.len()] == HOME && chance.percent(50) {
                String::new()
            } else {
                zone_of(index).to_string()
            },
            priority: chance.pick(&["", "", "5", "-3"]).to_owned(),
            language: chance.pick(&survey::LANGUAGES).to_owned(),
            extra: BTreeMap::from([("group".to_owned(), quotas::group_of(index).to_owned())]),
            ..CallListRow::default()
        }
    });
    let rows = rows.collect();
    CallList {
        file_name: "people.csv".to_owned(),
        columns: ["phone_number", "time_zone", "priority", "language", "group"]
            .map(str::to_owned)
            .to_vec(),
        rows,
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
    ChangePacing,
    LimitAccounts,
    Suspend,
    Activate,
    Resolve,
}

impl Operation {
    const ALL: [(Self, Fault); 12] = [
        (Self::Pause, Fault::Pause),
        (Self::Resume, Fault::Pause),
        (Self::Cancel, Fault::Cancel),
        (Self::ChangeLimits, Fault::Limits),
        (Self::Upload, Fault::Upload),
        (Self::StartAnother, Fault::AnotherCampaign),
        (Self::Exclude, Fault::Exclude),
        (Self::ChangePacing, Fault::Pacing),
        (Self::LimitAccounts, Fault::Accounts),
        (Self::Suspend, Fault::Suspend),
        (Self::Activate, Fault::Suspend),
        (Self::Resolve, Fault::Resolve),
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
            Self::Resume | Self::Resolve => 12,
            Self::Pause | Self::ChangeLimits | Self::Activate => 6,
            Self::ChangePacing | Self::LimitAccounts | Self::Suspend => 4,
            Self::Upload | Self::Exclude => 3,
            Self::Cancel | Self::StartAnother => 1,
        }
    }
}

/// What an operator is going to do.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) at: Timestamp,
    pub(super) operation: Operation,
    /// Decides to whom, and how.
    pub(super) chance: Chance,
}

/// What operators do in the course of one run, the next one last.
pub(super) fn errands(plan: &Plan, chance: &mut Chance) -> Vec<Errand> {
    let mut errands = Vec::new();
    let seconds = u32::try_from(plan.trouble_for.num_seconds()).unwrap();
    for operation in Operation::among(plan.faults) {
        for _ in 0..chance.between(1, operation.most()) {
            let at = plan.start + TimeDelta::seconds(chance.below(seconds).into());
            errands.push(Errand {
                at,
                operation,
                chance: chance.fork(),
            });
        }
    }
    errands.sort_by_key(|errand| Reverse((errand.at, errand.operation)));
    errands
}
