//! Operators: they pause, resume, cancel, change limits, suspend, upload, exclude and find out what
//! became of calls, through any server that is up. What is refused, and what fails on the way, is
//! no concern of theirs.

use std::pin::Pin;
use std::sync::Arc;

use voicesurvey::api_key::Actor;
use voicesurvey::call_attempt::AttemptState;
use voicesurvey::campaign::{Campaign, CampaignStatus, Pacing, PauseReason};
use voicesurvey::company::CompanyStatus;
use voicesurvey::exclusion::{Exclusion, ExclusionSource};
use voicesurvey::id::{CallAttemptId, CampaignId, CompanyId};
use voicesurvey::outcome::Outcome;
use voicesurvey::ports::repositories::CallAttemptFilter;
use voicesurvey::ports::{CallOrder, NoWakeUp, PageRequest, Scope, Storage, TaskQueue};
use voicesurvey::service::companies::CompanyChanges;
use voicesurvey::service::unresolved_calls::{Resolution, UnresolvedCalls};
use voicesurvey::service::{CampaignChanges, CampaignService, Change, Companies, Engine};
use voicesurvey::simulator::{Ledger, SimulatedProvider};
use voicesurvey::testing::samples;

use super::{NextStep, Run};
use crate::simulation::chance::Chance;
use crate::simulation::fleet::Serving;
use crate::simulation::ports::ACCOUNTS;
use crate::simulation::shared::Shared;
use crate::simulation::world::{self, CampaignIdea, Operation};

/// What an operator asks for.
type Request = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Run {
    /// An operator does something, through some server.
    pub(super) fn operate(&mut self, operation: Operation, mut chance: Chance) {
        let Some(serving) = self.fleet.any_server() else {
            return;
        };
        let tenant = chance.index(self.tenants.len());
        let actor = self.tenants[tenant].actor.clone();
        let campaigns = &self.tenants[tenant].campaigns;
        let campaign = chance.pick(campaigns);
        self.shared.note(format_args!("an operator: {operation:?}"));
        self.shared.state().happened[operation.fault() as usize] += 1;
        let activity = self.activity(&serving, operation, actor, campaign, &mut chance);
        let line = serving.line;
        self.begin("operator", async move {
            line.run(activity).await;
        });
    }

    /// Nothing is left to wait for: the leader looks once more, as it does every second, and what
    /// stands still is moved. `false` if nothing was.
    pub(super) fn go_on(&mut self) -> bool {
        self.next_step = NextStep::NotAsked;
        let engine = self.fleet.engine_of_operator(&self.ids);
        let mut moved = self.drive.finish(engine.schedule()).unwrap() > 0;
        for index in 0..self.tenants.len() {
            let actor = self.tenants[index].actor.clone();
            let storage = self.storage.clone();
            let engine = &engine;
            moved |= self.drive.finish(async move {
                let page = PageRequest::first(PageRequest::LARGEST);
                let mut work = storage
                    .begin(Scope::Company(actor.company_id))
                    .await
                    .unwrap();
                let campaigns = work.campaigns().list(None, &page).await.unwrap().rows;
                drop(work);
                let mut moved = false;
                for campaign in campaigns {
                    moved |= move_on(engine, &actor, &campaign).await;
                }
                moved
            });
        }
        if moved {
            self.shared
                .note(format_args!("campaigns that stood still go on"));
            self.look_at_everything();
        }
        moved
    }

    /// Lets all companies call again.
    pub(super) fn activate_companies(&mut self) {
        let companies = Companies::new(
            self.storage.clone(),
            self.shared.clock.clone(),
            self.ids.clone(),
            Arc::new(NoWakeUp),
        );
        for tenant in &self.tenants {
            let active = of_status(CompanyStatus::Active);
            let changed = companies.change(tenant.actor.company_id, active);
            self.drive.finish(changed).unwrap();
        }
        self.next_step = NextStep::NotAsked;
        self.look_at_everything();
    }

    fn company_changes(operation: Operation, chance: &mut Chance) -> CompanyChanges {
        match operation {
            Operation::Suspend => of_status(CompanyStatus::Suspended),
            Operation::Activate => of_status(CompanyStatus::Active),
            _ => CompanyChanges {
                limits: Some(world::limits(chance)),
                caps: Some(world::caps(chance)),
                ..CompanyChanges::default()
            },
        }
    }

    /// Finds out what became of the calls of which nobody knows.
    fn resolve(&self, serving: &Serving, actor: Actor) -> Request {
        let storage: Arc<dyn Storage> = serving.ports.clone();
        let (providers, shared) = (self.providers.clone(), self.shared.clone());
        let unresolved = UnresolvedCalls::new(
            storage.clone(),
            shared.clock.clone(),
            serving.ids.clone(),
            Arc::new(NoWakeUp),
        );
        Box::pin(async move {
            for id in unknown_calls(&*storage, actor.company_id).await {
                if let Some(resolution) = truth(&shared, &providers, id) {
                    drop(unresolved.resolve(&actor, id, resolution).await);
                }
            }
        })
    }

    fn activity(
        &self,
        serving: &Serving,
        operation: Operation,
        actor: Actor,
        campaign: CampaignId,
        chance: &mut Chance,
    ) -> Request {
        let engine = serving.engine.clone();
        let storage: Arc<dyn Storage> = serving.ports.clone();
        let shared = self.shared.clone();
        let now = self.now();
        match operation {
            Operation::Pause => Box::pin(async move {
                drop(engine.campaigns().pause(&actor, campaign).await);
            }),
            Operation::Resume => Box::pin(async move {
                drop(engine.campaigns().resume(&actor, campaign).await);
            }),
            Operation::Cancel => Box::pin(async move {
                drop(engine.campaigns().cancel(&actor, campaign).await);
            }),
            Operation::Upload => {
                let people = world::people(chance, self.plan.most_people).into();
                Box::pin(async move {
                    drop(engine.campaigns().upload(&actor, campaign, people).await);
                })
            }
            Operation::StartAnother => {
                let idea = CampaignIdea::of(chance, self.plan.most_people, now);
                Box::pin(async move {
                    idea.realise(&engine, &actor, &shared).await;
                })
            }
            Operation::ChangeLimits | Operation::Suspend | Operation::Activate => {
                let companies = Companies::new(
                    storage,
                    self.shared.clock.clone(),
                    serving.ids.clone(),
                    Arc::new(NoWakeUp),
                );
                let changes = Self::company_changes(operation, chance);
                Box::pin(async move {
                    drop(companies.change(actor.company_id, changes).await);
                })
            }
            Operation::ChangePacing => {
                let changes = CampaignChanges {
                    pacing: Some(world::pacing(chance)),
                    ..CampaignChanges::default()
                };
                Box::pin(async move {
                    drop(engine.campaigns().change(&actor, campaign, changes).await);
                })
            }
            Operation::LimitAccounts => {
                let limits = chance.percent(80);
                let limits = limits.then(|| world::pacing(chance));
                let queue = self.queue.clone();
                Box::pin(async move { limit_accounts(&*queue, &shared, limits).await })
            }
            Operation::Resolve => self.resolve(serving, actor),
            Operation::Exclude => {
                let phone_number = samples::phone_number(chance.below(14));
                let exclusion = Exclusion {
                    company_id: Some(actor.company_id),
                    phone_number,
                    source: ExclusionSource::Api,
                    attempt_id: None,
                    note: None,
                    created_at: now,
                    created_by: Some(actor.api_key_id),
                };
                let scope = Scope::Company(actor.company_id);
                Box::pin(async move { exclude(&*storage, scope, &exclusion).await })
            }
        }
    }
}

fn of_status(status: CompanyStatus) -> CompanyChanges {
    CompanyChanges {
        status: Some(status),
        ..CompanyChanges::default()
    }
}

/// Starts a campaign that was not started, and resumes one that was paused. `false` if it is
/// neither, or cannot be.
async fn move_on(engine: &Engine, actor: &Actor, campaign: &Campaign) -> bool {
    let campaigns = engine.campaigns();
    match campaign.status {
        CampaignStatus::Paused(cause) => {
            if cause == PauseReason::Budget {
                let changes = CampaignChanges {
                    budget: Change::Clear,
                    ..CampaignChanges::default()
                };
                campaigns.change(actor, campaign.id, changes).await.unwrap();
            }
            campaigns.resume(actor, campaign.id).await.is_ok()
        }
        CampaignStatus::Draft => campaigns.start(actor, campaign.id).await.is_ok(),
        _ => false,
    }
}

/// The same limits for both accounts; `None` lifts them.
async fn limit_accounts(queue: &dyn TaskQueue, shared: &Shared, limits: Option<Pacing>) {
    for account in ACCOUNTS {
        queue.limit_provider(account, limits).await.unwrap();
        shared.judged(|judge, now| {
            judge.account_is_limited(account, limits, now);
            Ok(())
        });
    }
}

/// The calls of which nobody knows what became of them.
async fn unknown_calls(storage: &dyn Storage, company_id: CompanyId) -> Vec<CallAttemptId> {
    let filter = CallAttemptFilter {
        state: Some(AttemptState::Unknown),
        ..CallAttemptFilter::default()
    };
    let page = PageRequest::first(PageRequest::LARGEST);
    let Ok(mut work) = storage.begin(Scope::Company(company_id)).await else {
        return Vec::new();
    };
    let unknown = work.call_attempts().list(&filter, &page).await;
    let unknown = unknown.map_or_else(|_| Vec::new(), |unknown| unknown.rows);
    unknown.into_iter().map(|attempt| attempt.id).collect()
}

/// What the telephones know of a call; `None` if the order is still on its way, or the call goes
/// on.
fn truth(
    shared: &Shared,
    providers: &[Arc<SimulatedProvider>],
    id: CallAttemptId,
) -> Option<Resolution> {
    let is_own = |order: &CallOrder| order.attempt_id == id;
    let orders = &shared.state().late_orders;
    if orders.iter().any(|(.., order)| is_own(order)) {
        return None;
    }
    let ledgers: Vec<_> = providers.iter().map(|provider| provider.ledger()).collect();
    let mut rings = ledgers.iter().flat_map(Ledger::rings);
    let Some(ring) = rings.find(|ring| ring.attempt_id == id) else {
        return Some(Resolution::NotDialed);
    };
    ring.ended_at?;
    let outcome = ring.outcome.unwrap_or(Outcome::HungUpBeforeConsent);
    Some(Resolution::Ended(outcome))
}

async fn exclude(storage: &dyn Storage, scope: Scope, exclusion: &Exclusion) {
    let Ok(mut work) = storage.begin(scope).await else {
        return;
    };
    if work.exclusions().insert(exclusion).await.is_ok() {
        // A lost reply is the operator's to wonder about.
        drop(work.commit().await);
    }
}
