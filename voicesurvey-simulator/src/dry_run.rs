//! Dry runs: what would become of a campaign, found out in a minute and without a telephone.
//!
//! The engine is the real one: dispatcher, scheduler, gate, lanes, limits and retries run over a
//! store in memory, on a clock that jumps from one event to the next. Only the telephones are
//! simulated, and instead of talking word for word the people answer, refuse and hang up as the
//! [`Population`](crate::Population) says. Nothing is changed but the dry run's own copy.
//!
//! What happened is written into a book apart from the engine, and a judge goes through it
//! ([`DryRunReport::scorecard`]): a dry run is also a test of the engine with one's own data.
//!
//! The same seed, contacts and start give the same report.

mod judge;
mod ledger;
mod preparation;
mod report;
mod respondents;
mod settings;
mod telephones;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::TimeDelta;
use voicesurvey_core::call_attempt::Leases;
use voicesurvey_core::call_task::{CallTask, TaskStatus};
use voicesurvey_core::campaign::{Campaign, CampaignStatus, Pacing, PauseReason};
use voicesurvey_core::company::{Company, CompanyStatus};
use voicesurvey_core::exclusion::{Exclusion, ExclusionSource};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::money::Cost;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::{CallTaskFilter, CampaignCounters};
use voicesurvey_core::ports::{
    NoWakeUp, PageRequest, Scope, Storage, StorageError, TaskQueue as _, UnitOfWork,
};
use voicesurvey_core::queue::claim::TASKS_PER_VISIT;
use voicesurvey_core::service::{CallEvents, Engine, EngineParts, EngineSettings};
use voicesurvey_core::skillbase::Skillbase;
use voicesurvey_core::time::{Clock, ManualClock, Timestamp};

use self::judge::{Judge, Rules};
use self::ledger::{Ledger, Listed};
use self::report::Tally;
use self::respondents::Respondents;
use self::telephones::Telephones;

pub use self::judge::Score;
pub use self::report::{CostRange, Day, DryRunReport, Finish, Unreached};
pub use self::settings::{DryRunSettings, Prices};

/// After this time a dry run gives up.
const HORIZON: TimeDelta = TimeDelta::days(3_652);

/// The most people that a dry run takes: more would not fit into memory beside a server.
pub const MOST_CONTACTS: usize = 2_000_000;

/// What is tried out.
#[derive(Clone, Copy, Debug)]
pub struct DryRunPlan<'a> {
    /// Whose campaign it is, with its limits and caps.
    pub company: &'a Company,
    /// The campaign as it stands; one that is not running is started.
    pub campaign: &'a Campaign,
    /// Who speaks, if nothing was frozen yet.
    pub skillbase: &'a Skillbase,
    /// What the campaign has achieved and spent.
    pub counters: &'a CampaignCounters,
    /// The limits of the provider's account, if it has any.
    pub provider_limits: Option<Pacing>,
    /// When it is started.
    pub now: Timestamp,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// There is nobody to call.
    #[error("the campaign has no contacts that are still to be called")]
    NoContacts,
    /// More than [`MOST_CONTACTS`].
    #[error("a dry run takes at most {MOST_CONTACTS} contacts")]
    TooManyContacts,
    /// The campaign calls nobody any more.
    #[error("the campaign has ended: {0}")]
    CampaignEnded(&'static str),
    /// The prices are no range of amounts in a currency.
    #[error(
        "prices need a currency code of three capital letters, and a lower and a higher amount from 0 to 100"
    )]
    InvalidPrices,
    /// The caller wanted it to stop.
    #[error("the dry run was stopped before it was done")]
    Interrupted,
    /// Its own store failed, which is a bug.
    #[error("the dry run's store failed")]
    Storage(#[from] StorageError),
}

/// A dry run that is being prepared: add the contacts, then [`run`](Self::run) it.
#[derive(Debug)]
pub struct DryRun {
    clock: Arc<ManualClock>,
    storage: MemoryStorage,
    company: Company,
    /// As it was given, with its survey.
    campaign: Campaign,
    settings: DryRunSettings,
    started_at: Timestamp,
    limits: Vec<Pacing>,
    ledger: Ledger,
}

impl DryRun {
    /// A dry run without contacts yet.
    pub async fn new(plan: DryRunPlan<'_>, settings: DryRunSettings) -> Result<Self, DryRunError> {
        if !settings.prices.are_valid() {
            return Err(DryRunError::InvalidPrices);
        }
        let DryRunPlan {
            company,
            campaign,
            skillbase,
            now,
            ..
        } = plan;
        let copy = preparation::started_copy(&plan)?;
        let limits = preparation::limits(&plan);
        let storage = MemoryStorage::without_history();
        storage
            .limit_provider(telephones::NAME, plan.provider_limits)
            .await?;
        let mut work = storage.begin(Scope::Platform).await?;
        work.companies().insert(company).await?;
        work.skillbases().insert(skillbase).await?;
        work.campaigns().insert(&copy).await?;
        work.commit().await?;
        Ok(Self {
            clock: Arc::new(ManualClock::new(now)),
            storage,
            company: company.clone(),
            campaign: campaign.clone(),
            settings,
            started_at: now,
            limits,
            ledger: Ledger::default(),
        })
    }

    /// Adds tasks of the campaign; those that have ended are passed over. `excluded` are the numbers
    /// among them that are on the company's exclusion list.
    ///
    /// A task that is being called is called again as if its attempt had been given up.
    pub async fn add(
        &mut self,
        tasks: &[CallTask],
        excluded: &HashSet<PhoneNumber>,
    ) -> Result<(), DryRunError> {
        let open: Vec<&CallTask> = tasks
            .iter()
            .filter(|task| !task.state.status().is_final())
            .collect();
        if self.ledger.contacts.len() + open.len() > MOST_CONTACTS {
            return Err(DryRunError::TooManyContacts);
        }
        let mut work = self.storage.begin(Scope::Company(self.company.id)).await?;
        let mut copies = Vec::with_capacity(open.len());
        for task in open {
            let number = task.contact.phone_number;
            let is_excluded = excluded.contains(&number);
            if is_excluded {
                let exclusion = Exclusion {
                    company_id: Some(self.company.id),
                    phone_number: number,
                    source: ExclusionSource::Staff,
                    attempt_id: None,
                    note: None,
                    created_at: self.started_at,
                    created_by: None,
                };
                work.exclusions().insert(&exclusion).await?;
            }
            let contact = self.list(task, is_excluded)?;
            copies.push(preparation::copy_of(
                task,
                contact,
                &self.campaign,
                self.started_at,
            ));
        }
        work.call_tasks().insert_many(&copies).await?;
        work.commit().await?;
        Ok(())
    }

    /// Writes somebody into the book, and tells their place.
    fn list(&mut self, task: &CallTask, excluded: bool) -> Result<u32, DryRunError> {
        let schedule = &self.campaign.effective_settings().schedule;
        let number = task.contact.phone_number;
        // Looked up only where it matters, because that takes microseconds.
        let region = if schedule.countries.is_empty() {
            None
        } else {
            number.region()
        };
        let place = u32::try_from(self.ledger.contacts.len());
        let place = place.map_err(|_| DryRunError::TooManyContacts)?;
        let zones = self.ledger.zones_index(schedule.zones_of(&task.contact));
        self.ledger.contacts.push(Listed {
            number,
            region,
            zones: zones.ok_or(DryRunError::TooManyContacts)?,
            excluded,
            attempts_before: task.attempts_count,
        });
        Ok(place)
    }

    /// Runs the campaign to its end. Stops with [`DryRunError::Interrupted`] soon after `keep_going`
    /// says no; it is asked for every call.
    pub async fn run(
        mut self,
        mut keep_going: impl FnMut() -> bool + Send,
    ) -> Result<DryRunReport, DryRunError> {
        if self.ledger.contacts.is_empty() {
            return Err(DryRunError::NoContacts);
        }
        let ledger = std::mem::take(&mut self.ledger);
        let telephones = Arc::new(Telephones::new(
            self.clock.clone(),
            self.storage.clone(),
            self.company.id,
            Respondents::new(&self.settings, self.campaign.effective_settings()),
            ledger,
        ));
        let (engine, events) = self.engine(&telephones);
        let budget = self.campaign.effective_settings().budget.as_ref();
        let currency = &self.settings.prices.currency;
        let is_priced = budget.is_some_and(|budget| budget.limit.currency == *currency);
        let in_time = loop {
            if self.is_barred() {
                break true;
            }
            if !keep_going() {
                return Err(DryRunError::Interrupted);
            }
            let now = self.clock.now();
            let moved = engine.step().await?;
            let next_step = engine.next_step_at().await?;
            let next_end = telephones.next_end_at();
            // While calls are in progress, what has no instant of its own can wait for their end.
            if moved > 0 && (next_end.is_none() || next_step.is_some_and(|at| at <= now)) {
                continue;
            }
            if next_end.is_none() && self.is_over().await? {
                break true;
            }
            let Some(next) = [next_step, next_end].into_iter().flatten().min() else {
                break true;
            };
            if next > self.started_at + HORIZON {
                break false;
            }
            // What the engine names again although it had nothing to do cannot be done yet.
            let now = next.max(now + TimeDelta::milliseconds(1));
            self.clock.set(now);
            let mut news = Vec::new();
            while let Some(ended) = telephones.end_next(now) {
                if is_priced {
                    let cost = Cost {
                        amount: ended.call.cost(self.settings.prices.per_minute_high),
                        currency: currency.clone(),
                    };
                    news.push(ended.price(self.company.id, cost));
                }
                news.push(ended.event(self.company.id));
            }
            if !news.is_empty() {
                events.receive_many(self.company.id, &news).await?;
            }
        };
        let finish = if in_time {
            self.finish().await?
        } else {
            Finish::NotWithinTenYears
        };
        self.report(telephones.take_ledger(), finish).await
    }

    /// Whether nobody may be called at all, however long one waits.
    fn is_barred(&self) -> bool {
        let is_zero = |limit: &Pacing| {
            limit.max_concurrent_calls == 0 || limit.pace.next_start(self.started_at).is_none()
        };
        self.company.status == CompanyStatus::Suspended || self.limits.iter().any(is_zero)
    }

    fn engine(&self, telephones: &Arc<Telephones>) -> (Engine, CallEvents) {
        let storage: Arc<dyn Storage> = Arc::new(self.storage.clone());
        let clock: Arc<dyn Clock> = self.clock.clone();
        let ids = Arc::new(IdGenerator::from_seed(clock.clone(), self.settings.seed));
        let wake_up = Arc::new(NoWakeUp);
        // Only the end of a call is told, so a lease lasts until then.
        let longest = TimeDelta::hours(25);
        let leases = Leases {
            unanswered: longest,
            answered: longest,
        };
        let events = CallEvents::new(
            storage.clone(),
            clock.clone(),
            ids.clone(),
            wake_up.clone(),
            leases,
        );
        let engine = Engine::new(EngineParts {
            storage,
            queue: Arc::new(self.storage.clone()),
            provider: telephones.clone(),
            interpreter: Arc::new(RulesInterpreter),
            clock,
            ids,
            wake_up,
            settings: EngineSettings {
                leases,
                claim_at_most: TASKS_PER_VISIT,
                ..EngineSettings::default()
            },
        });
        (engine, events)
    }

    async fn work(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.storage.begin(Scope::Company(self.company.id)).await
    }

    /// The campaign's copy as it stands.
    async fn copy(&self) -> Result<Option<Campaign>, StorageError> {
        let mut work = self.work().await?;
        work.campaigns().get(self.campaign.id).await
    }

    /// Whether no call will be started any more.
    async fn is_over(&self) -> Result<bool, StorageError> {
        let copy = self.copy().await?;
        Ok(copy.is_none_or(|copy| copy.status != CampaignStatus::Running))
    }

    async fn report(self, ledger: Ledger, finish: Finish) -> Result<DryRunReport, DryRunError> {
        let tally = self.tally(&ledger, finish).await?;
        let stuck = tally.by_status.get(&TaskStatus::InProgress).copied();
        let settings = self.campaign.effective_settings();
        let rules = Rules {
            schedule: &settings.schedule,
            limits: self.limits.clone(),
            stuck: stuck.unwrap_or(0),
        };
        let (scorecard, most_calls_at_once) = Judge::new(&ledger, rules).scorecard();
        let finished_at = self.clock.now();
        let completes = tally.by_status.get(&TaskStatus::Completed).copied();
        Ok(DryRunReport {
            seed: self.settings.seed,
            started_at: self.started_at,
            finished_at,
            finish,
            summary: finish.sentence().to_owned(),
            contacts: ledger.contacts.len() as u64,
            contacts_by_status: tally.by_status.clone(),
            completes: completes.unwrap_or(0),
            calls: ledger.calls.len() as u64,
            attempts_by_outcome: report::by_outcome(&ledger),
            calls_per_day: report::calls_per_day(&ledger, settings.schedule.time_zone),
            most_calls_at_once,
            cost: report::cost(&ledger, &self.settings.prices),
            unreached: tally.unreached(),
            scorecard,
            assumptions: preparation::assumptions(&self.settings, settings),
        })
    }

    /// How everybody on the list ended.
    async fn tally(&self, ledger: &Ledger, finish: Finish) -> Result<Tally, StorageError> {
        let waits = match finish {
            Finish::BudgetUsedUp => Reason::BudgetUsedUp,
            _ if self.company.status == CompanyStatus::Suspended => Reason::CompanySuspended,
            _ => Reason::WaitsForTurn,
        };
        let mut called = vec![false; ledger.contacts.len()];
        for call in &ledger.calls {
            called[call.contact as usize] = true;
        }
        let filter = CallTaskFilter {
            campaign_id: Some(self.campaign.id),
            ..CallTaskFilter::default()
        };
        let mut tally = Tally::default();
        let mut page = PageRequest::first(PageRequest::LARGEST);
        let mut work = self.work().await?;
        loop {
            let found = work.call_tasks().list(&filter, &page).await?;
            for task in &found.rows {
                let place = telephones::contact_of(task.id);
                let was_called = place.and_then(|place| called.get(place as usize));
                tally.count(task, was_called.copied().unwrap_or(false), waits);
            }
            let Some(next) = found.next else {
                return Ok(tally);
            };
            page.after = Some(next);
        }
    }

    /// Why no call will be started any more.
    async fn finish(&self) -> Result<Finish, StorageError> {
        let copy = self.copy().await?;
        let winding_up = copy.as_ref().and_then(|copy| copy.winding_up);
        Ok(match (winding_up, copy.map(|copy| copy.status)) {
            (Some(Reason::TargetReached), _) => Finish::TargetReached,
            (Some(_), _) => Finish::EndDateReached,
            (None, Some(CampaignStatus::Paused(PauseReason::Budget))) => Finish::BudgetUsedUp,
            (None, Some(CampaignStatus::Completed)) => Finish::Completed,
            _ => Finish::Stalled,
        })
    }
}

#[cfg(test)]
mod tests;
