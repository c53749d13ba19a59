//! Campaigns that stop while calls of theirs end: by an operator, or because their target is reached.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use chrono::TimeDelta;
use tokio::task::JoinHandle;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_attempt::{CallEvent, CallEventKind, Leases};
use voicesurvey_core::call_task::TaskState;
use voicesurvey_core::campaign::{Budget, Campaign};
use voicesurvey_core::company::Company;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{CampaignKey, ClaimedTask, NoWakeUp, Scope, Storage, TaskQueue as _};
use voicesurvey_core::service::call_events::Receipt;
use voicesurvey_core::service::campaigns::Campaigns;
use voicesurvey_core::service::{CallEvents, CampaignService as _, Scheduler};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _, SampleTask as _};
use voicesurvey_core::time::ManualClock;
use voicesurvey_postgres::PostgresStorage;

use crate::concurrency::{assert_everything_is_counted, claim, store};
use crate::support::{PostgresUnderTest, execute, platform, texts, waiters};

/// A running campaign, and what works on it.
struct World {
    database: PostgresUnderTest,
    company: Company,
    campaign: Campaign,
    clock: Arc<ManualClock>,
    ids: Arc<IdGenerator>,
}

impl World {
    /// A campaign with that many people to call, and perhaps a target.
    async fn new(people: u32, target: Option<NonZeroU32>) -> Self {
        let database = PostgresUnderTest::create().await;
        let company = samples::company();
        let mut campaign = samples::campaign(&company);
        campaign.settings.target = target;
        let campaign = campaign.running();
        let tasks = samples::tasks(&campaign, 1, people);
        store(&database, &company, &[(campaign.clone(), tasks)]).await;
        let clock = Arc::new(ManualClock::new(samples::now()));
        Self {
            database,
            company,
            campaign,
            ids: Arc::new(IdGenerator::from_seed(clock.clone(), 1)),
            clock,
        }
    }

    fn storage(&self) -> Arc<PostgresStorage> {
        Arc::new(PostgresStorage::clone(&self.database))
    }

    async fn claim(&self, calls: usize) -> Vec<ClaimedTask> {
        let claimed = claim(&self.database, samples::now(), calls).await;
        assert_eq!(claimed.len(), calls);
        claimed
    }

    /// The provider says how the call has ended.
    fn end(&self, call: &ClaimedTask, outcome: Outcome) -> JoinHandle<()> {
        let events = CallEvents::new(
            self.storage(),
            self.clock.clone(),
            self.ids.clone(),
            Arc::new(NoWakeUp),
            Leases::default(),
        );
        let ended = CallEvent {
            company_id: self.company.id,
            attempt_id: call.attempt.id,
            event_id: "ended".to_owned(),
            provider_call_id: None,
            kind: CallEventKind::Ended {
                outcome: Some(outcome),
            },
            at: samples::now(),
            raw_status: None,
            error_code: None,
        };
        tokio::spawn(async move {
            assert_eq!(events.receive(&ended).await.unwrap(), Receipt::Applied);
        })
    }

    fn scheduler(&self) -> Scheduler {
        let (storage, queue) = (self.storage(), self.storage());
        Scheduler::new(storage, queue, self.clock.clone(), Arc::new(NoWakeUp))
    }

    fn cancel(&self) -> JoinHandle<()> {
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let campaigns = Campaigns::new(self.storage(), clock, ids, Arc::new(NoWakeUp));
        let actor = Actor {
            company_id: self.company.id,
            api_key_id: samples::id(),
            role: Role::Admin,
        };
        let id = self.campaign.id;
        tokio::spawn(async move {
            campaigns.cancel(&actor, id).await.unwrap();
        })
    }

    async fn winding_up(&self) -> Option<Reason> {
        let scope = Scope::Company(self.company.id);
        let mut work = self.database.begin(scope).await.unwrap();
        let campaign = work.campaigns().get(self.campaign.id).await.unwrap();
        campaign.unwrap().winding_up
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_ends_while_its_campaign_is_cancelled_leaves_nobody_behind() {
    let world = World::new(1, None).await;
    let call = world.claim(1).await.remove(0);
    // Somebody, such as a claim, holds the company for a moment: what the call and the operator
    // write is not committed before it lets go, so neither sees the other's.
    let mut holder = platform(&world.database).await;
    let mut observer = platform(&world.database).await;
    execute(&mut holder, "BEGIN; SELECT 1 FROM company_queue FOR UPDATE").await;
    let ends = world.end(&call, Outcome::Busy);
    waiters(&mut observer, 1).await;
    let cancels = world.cancel();
    waiters(&mut observer, 2).await;
    execute(&mut holder, "COMMIT").await;
    ends.await.unwrap();
    cancels.await.unwrap();

    let scheduler = world.scheduler();
    scheduler.tick().await.unwrap();
    // Nor later, when the person would be called again.
    world.clock.advance(TimeDelta::days(1));
    while scheduler.tick().await.unwrap() + scheduler.finish_done().await.unwrap() > 0 {}
    let left = "SELECT task.status || ' in a ' || campaign.status || ' campaign, ' ||
            CASE WHEN emptying THEN 'still emptied' ELSE 'emptied' END
        FROM call_tasks AS task
        JOIN campaigns AS campaign ON campaign.id = campaign_id";
    assert_eq!(
        texts(&mut observer, left).await,
        ["cancelled in a cancelled campaign, emptied"]
    );
    assert_everything_is_counted(&world.database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interviews_far_from_the_target_do_not_wait_for_an_upload() {
    let world = World::new(5, NonZeroU32::new(4)).await;
    let calls = world.claim(3).await;
    // As an upload does, for as long as it takes.
    let mut upload = platform(&world.database).await;
    execute(
        &mut upload,
        "BEGIN; SELECT id FROM campaigns FOR NO KEY UPDATE",
    )
    .await;
    for call in &calls {
        world.end(call, Outcome::Completed).await.unwrap();
    }
    assert_eq!(world.winding_up().await, None);
    execute(&mut upload, "COMMIT").await;
    let last = world.claim(1).await.remove(0);
    world.end(&last, Outcome::Completed).await.unwrap();
    assert_eq!(world.winding_up().await, Some(Reason::TargetReached));
    assert_everything_is_counted(&world.database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interviews_that_reach_the_target_do_not_wait_for_an_upload() {
    let world = World::new(5, NonZeroU32::new(2)).await;
    let calls = world.claim(2).await;
    let mut upload = platform(&world.database).await;
    execute(
        &mut upload,
        "BEGIN; SELECT id FROM campaigns FOR NO KEY UPDATE",
    )
    .await;
    for call in &calls {
        world.end(call, Outcome::Completed).await.unwrap();
    }
    let scheduler = world.scheduler();
    scheduler.tick().await.unwrap();
    assert_eq!(world.winding_up().await, None, "somebody holds it");
    execute(&mut upload, "COMMIT").await;
    scheduler.tick().await.unwrap();
    assert_eq!(world.winding_up().await, Some(Reason::TargetReached));
    assert_everything_is_counted(&world.database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_interviews_that_end_at_once_reach_the_target_together() {
    let world = World::new(5, NonZeroU32::new(2)).await;
    let calls = world.claim(2).await;
    let mut holder = platform(&world.database).await;
    let mut observer = platform(&world.database).await;
    // What they write is not committed before it lets go, so neither counts the other.
    execute(&mut holder, "BEGIN; SELECT 1 FROM company_queue FOR UPDATE").await;
    let first = world.end(&calls[0], Outcome::Completed);
    waiters(&mut observer, 1).await;
    let second = world.end(&calls[1], Outcome::Completed);
    waiters(&mut observer, 2).await;
    execute(&mut holder, "COMMIT").await;
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(world.winding_up().await, None, "they missed each other");
    world.scheduler().tick().await.unwrap();
    assert_eq!(world.winding_up().await, Some(Reason::TargetReached));
    assert_everything_is_counted(&world.database).await;
}

/// Interviews that have missed each other are counted when one of their calls is over.
#[tokio::test]
async fn the_end_of_a_call_asks_again_whether_the_target_is_reached() {
    let world = World::new(3, NonZeroU32::new(1)).await;
    let call = world.claim(1).await.remove(0);
    let scope = Scope::Company(world.company.id);
    let mut work = world.database.begin(scope).await.unwrap();
    let mut attempt = call.attempt.clone();
    attempt.conclude(Outcome::Completed);
    work.call_attempts().update(&attempt).await.unwrap();
    let task = call.task.clone().in_state(TaskState::Completed);
    work.call_tasks().update(&task).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(world.winding_up().await, None);
    world.end(&call, Outcome::Completed).await.unwrap();
    assert_eq!(world.winding_up().await, Some(Reason::TargetReached));
}

#[tokio::test]
async fn a_campaign_without_budget_is_found_by_the_settings_that_calls_follow() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let euros = |amount: &str| Cost {
        amount: amount.parse().unwrap(),
        currency: "EUR".to_owned(),
    };
    let mut campaign = samples::campaign(&company);
    campaign.settings.budget = Some(Budget {
        limit: euros("0.20"),
        estimate_per_call: euros("0.30").amount,
    });
    let mut campaign = campaign
        .frozen(&samples::skillbase(&company), samples::now())
        .running();
    campaign.settings.budget.as_mut().unwrap().limit = euros("100");
    let tasks = samples::tasks(&campaign, 1, 3);
    store(&database, &company, &[(campaign.clone(), tasks)]).await;
    let found = database.campaigns_to_pause(NonZeroU16::MIN).await.unwrap();
    let expected = CampaignKey {
        company_id: company.id,
        campaign_id: campaign.id,
    };
    assert_eq!(found, [expected]);
}
