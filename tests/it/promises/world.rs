//! Two companies with two campaigns each that call the same people, on a clock that jumps.

use std::sync::Arc;

use voicesurvey::api_key::{Actor, Role};
use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::call_list::{CallList, CallListRow};
use voicesurvey::call_task::CallTask;
use voicesurvey::campaign::{CampaignStatus, Pacing, RetryPolicy};
use voicesurvey::company::CompanyLimits;
use voicesurvey::exclusion::Exclusion;
use voicesurvey::id::{CampaignId, IdGenerator};
use voicesurvey::interpretation::rules::RulesInterpreter;
use voicesurvey::language::Language;
use voicesurvey::memory::MemoryStorage;
use voicesurvey::pace::Pace;
use voicesurvey::ports::repositories::{CallAttemptFilter, CallTaskFilter, CampaignCounters};
use voicesurvey::ports::{NoWakeUp, PageRequest, Scope, Storage};
use voicesurvey::service::{
    CampaignService, Companies, Engine, EngineParts, EngineSettings, NewApiKey, NewCampaign,
    NewCompany, NewSchedule, Reports,
};
use voicesurvey::simulator::{Faults, SimulatedProvider, SimulationSettings};
use voicesurvey::testing::samples;
use voicesurvey::time::{Clock, ManualClock};
use voicesurvey::time_zone::TimeZone;

/// What each campaign may use.
pub(super) const PACING: Pacing = Pacing {
    max_concurrent_calls: 4,
    pace: Pace {
        calls_per_minute: 12,
        seconds_between_calls: 0,
    },
};
/// What each company may use; less than its campaigns together.
pub(super) const LIMITS: CompanyLimits = CompanyLimits {
    max_concurrent_calls: 6,
    calls_per_minute: 20,
};
const PEOPLE: u32 = 30;

pub(super) struct World {
    pub(super) seed: u64,
    pub(super) provider: Arc<SimulatedProvider>,
    pub(super) most_live_in_campaign: u64,
    pub(super) most_live_in_company: u64,
    storage: Arc<MemoryStorage>,
    engine: Engine,
    clock: Arc<ManualClock>,
    reports: Reports,
    companies: Vec<(Actor, Vec<CampaignId>)>,
}

impl World {
    /// Calls everybody. Every `crash_every`th claim is forgotten, as by a server that dies between
    /// the commit and the dial; 0 means never.
    pub(super) async fn run_to_the_end(seed: u64, faults: Faults, crash_every: u32) -> Self {
        let mut world = Self::new(seed, faults).await;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 200_000, "seed {seed}: the campaigns never end");
            if crash_every > 0 && steps % crash_every == 0 {
                drop(world.engine.dispatcher().claim().await.unwrap());
            }
            while world.engine.step().await.unwrap() > 0 {
                world.watch_limits().await;
            }
            world.provider.deliver_due(world.engine.webhooks()).await;
            if world.is_over().await {
                return world;
            }
            let instants = [
                world.engine.next_step_at().await.unwrap(),
                world.provider.next_event_at(),
            ];
            let next = instants
                .into_iter()
                .flatten()
                .min()
                .expect("something is left to wait for");
            world.clock.set(next.max(world.clock.now()));
        }
    }

    async fn new(seed: u64, faults: Faults) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-17T07:30:00Z".parse().unwrap()));
        let storage = Arc::new(MemoryStorage::default());
        let settings = SimulationSettings {
            seed,
            faults,
            ..SimulationSettings::default()
        };
        let provider = Arc::new(SimulatedProvider::new(clock.clone(), settings));
        let ids = Arc::new(IdGenerator::from_seed(clock.clone(), seed));
        let engine = Engine::new(EngineParts {
            storage: storage.clone(),
            queue: storage.clone(),
            provider: provider.clone(),
            interpreter: Arc::new(RulesInterpreter::new()),
            clock: clock.clone(),
            ids: ids.clone(),
            wake_up: Arc::new(NoWakeUp),
            settings: EngineSettings::default(),
        });
        let service = Companies::new(storage.clone(), clock.clone(), ids);
        let mut companies = Vec::new();
        for name in ["Rossi", "Bianchi"] {
            let actor = company(&service, name).await;
            let mut campaigns = Vec::new();
            for name in ["first", "second"] {
                campaigns.push(started_campaign(&engine, &actor, name).await);
            }
            companies.push((actor, campaigns));
        }
        Self {
            seed,
            provider,
            most_live_in_campaign: 0,
            most_live_in_company: 0,
            reports: Reports::new(storage.clone()),
            storage,
            engine,
            clock,
            companies,
        }
    }

    async fn watch_limits(&mut self) {
        for (actor, campaigns) in &self.companies {
            let mut company = 0;
            for id in campaigns {
                let (_, counters) = self.reports.campaign(actor, *id).await.unwrap();
                let live = counters.live_attempts();
                self.most_live_in_campaign = self.most_live_in_campaign.max(live);
                company += live;
            }
            self.most_live_in_company = self.most_live_in_company.max(company);
        }
    }

    async fn is_over(&self) -> bool {
        for (actor, campaigns) in &self.companies {
            for id in campaigns {
                let (campaign, _) = self.reports.campaign(actor, *id).await.unwrap();
                if campaign.status != CampaignStatus::Completed {
                    return false;
                }
            }
        }
        true
    }

    /// The zone of everybody who is called.
    pub(super) fn zone() -> TimeZone {
        "Europe/Rome".parse().unwrap()
    }

    pub(super) async fn attempts(&self) -> Vec<CallAttempt> {
        let mut all = Vec::new();
        for (actor, _) in &self.companies {
            let mut page = PageRequest::first(PageRequest::LARGEST);
            loop {
                let filter = CallAttemptFilter::default();
                let found = self.reports.calls(actor, &filter, &page).await.unwrap();
                all.extend(found.rows);
                let Some(next) = found.next else { break };
                page = PageRequest::after(next, PageRequest::LARGEST);
            }
        }
        all
    }

    pub(super) async fn tasks(&self) -> Vec<CallTask> {
        let mut all = Vec::new();
        for (actor, _) in &self.companies {
            let page = PageRequest::first(PageRequest::LARGEST);
            let found = self
                .reports
                .contacts(actor, &CallTaskFilter::default(), &page)
                .await
                .unwrap();
            assert_eq!(found.next, None, "all fit on one page");
            all.extend(found.rows);
        }
        all
    }

    pub(super) async fn counters(&self) -> Vec<(CampaignId, CampaignCounters)> {
        let mut all = Vec::new();
        for (actor, campaigns) in &self.companies {
            for id in campaigns {
                all.push((*id, self.reports.campaign(actor, *id).await.unwrap().1));
            }
        }
        all
    }

    pub(super) async fn exclusions(&self) -> Vec<Exclusion> {
        let mut all = Vec::new();
        for (actor, _) in &self.companies {
            let mut work = self
                .storage
                .begin(Scope::Company(actor.company_id))
                .await
                .unwrap();
            let page = PageRequest::first(PageRequest::LARGEST);
            all.extend(work.exclusions().list(&page).await.unwrap().rows);
        }
        all
    }
}

async fn company(service: &Companies, name: &str) -> Actor {
    let new = NewCompany {
        name: name.to_owned(),
        time_zone: "Europe/Rome".parse().unwrap(),
        region: "IT".parse().unwrap(),
        language: Language::It,
        limits: LIMITS,
    };
    let company = service.create(new).await.unwrap();
    let key = NewApiKey {
        name: name.to_owned(),
        role: Role::Admin,
        expires_at: None,
    };
    let (_, secret) = service.create_first_key(company.id, key).await.unwrap();
    service
        .authenticate(secret.reveal())
        .await
        .unwrap()
        .unwrap()
}

async fn started_campaign(engine: &Engine, actor: &Actor, name: &str) -> CampaignId {
    let new = NewCampaign {
        name: name.to_owned(),
        description: String::new(),
        skillbase_id: None,
        language: None,
        survey: samples::survey(),
        schedule: NewSchedule::default(),
        pacing: PACING,
        retry: RetryPolicy::default(),
    };
    let campaign = engine.campaigns().create(actor, new).await.unwrap();
    let rows = (0..PEOPLE).map(|index| CallListRow {
        row: u64::from(index) + 2,
        phone_number: samples::phone_number(index).to_string(),
        name: format!("Persona {index}"),
        ..CallListRow::default()
    });
    let call_list = CallList {
        file_name: "people.csv".to_owned(),
        columns: vec!["phone_number".to_owned(), "name".to_owned()],
        rows: rows.collect(),
    };
    let upload = engine
        .campaigns()
        .upload(actor, campaign.id, call_list)
        .await
        .unwrap();
    assert_eq!(upload.created, u64::from(PEOPLE));
    engine.campaigns().start(actor, campaign.id).await.unwrap();
    campaign.id
}
