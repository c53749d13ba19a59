//! The engine as a whole: one thing that cannot be moved does not hold up the others, and whoever
//! follows `next_step_at` comes to the end.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use voicesurvey_core::call_list::{CallList, CallListRow};
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::company::Company;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::ports::{Scope, Storage, StorageError, UnitOfWork};
use voicesurvey_core::service::{
    CampaignChanges, CampaignService, Change, Engine, ScheduleChanges,
};
use voicesurvey_core::testing::samples::{self, SampleCampaign, SampleTask};
use voicesurvey_core::time::Clock;

use super::scripted::{Answers, World, add_company};

/// A store in which the rows of one company cannot be reached; the queue goes on handing them out.
#[derive(Debug)]
struct OneCompanyDown {
    store: MemoryStorage,
    down: CompanyId,
}

#[async_trait]
impl Storage for OneCompanyDown {
    async fn begin(&self, scope: Scope) -> Result<Box<dyn UnitOfWork>, StorageError> {
        if scope == Scope::Company(self.down) {
            return Err(StorageError::Unavailable("its shard is down".into()));
        }
        self.store.begin(scope).await
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

/// Two companies with one campaign and one task each; the first cannot be reached.
struct TwoCompanies {
    world: World,
    engine: Engine,
    campaigns: [Campaign; 2],
    tasks: [CallTask; 2],
}

impl TwoCompanies {
    /// With campaigns as `change` makes them.
    async fn with(change: impl Fn(Campaign) -> Campaign) -> Self {
        let world = World::new().await;
        let other = add_company(&world.store).await;
        let campaign = |company: &Company| change(samples::campaign(company));
        let campaigns = [campaign(&world.company), campaign(&other)];
        let task = |campaign: &Campaign| samples::task(campaign, "+393471234567");
        let tasks = [task(&campaigns[0]), task(&campaigns[1])];
        for (campaign, task) in campaigns.iter().zip(&tasks) {
            world.insert(campaign, std::slice::from_ref(task)).await;
        }
        let down = OneCompanyDown {
            store: world.store.clone(),
            down: world.company.id,
        };
        Self {
            engine: world.engine_with(Arc::new(down), &world.provider),
            world,
            campaigns,
            tasks,
        }
    }

    /// Steps until nothing is due. What fails is tried again by a later step, not for ever by this.
    async fn step(&self) {
        for _ in 0..20 {
            if self.engine.step().await.unwrap() == 0 {
                return;
            }
        }
        panic!("what fails is taken for progress");
    }

    async fn status(&self, index: usize) -> CampaignStatus {
        self.world.campaign(&self.campaigns[index]).await.0.status
    }
}

fn running(campaign: Campaign) -> Campaign {
    campaign.running()
}

#[tokio::test]
async fn a_campaign_that_cannot_be_started_does_not_keep_the_others_from_starting() {
    let two = TwoCompanies::with(|mut campaign| {
        campaign.settings.schedule.starts_at = Some(samples::now());
        campaign.in_status(CampaignStatus::Scheduled)
    })
    .await;
    two.step().await;
    assert_eq!(two.status(0).await, CampaignStatus::Scheduled);
    assert_eq!(two.status(1).await, CampaignStatus::Running);
    let reached = two.tasks[1].contact.phone_number;
    assert_eq!(two.world.provider.dialed(), [reached]);
}

#[tokio::test]
async fn a_dial_that_cannot_be_prepared_does_not_keep_the_others_from_being_dialed() {
    let two = TwoCompanies::with(running).await;
    two.step().await;
    // Both were claimed, and one of them was dialed and noted.
    let dialed = two.world.latest_attempt(&two.tasks[1]).await;
    assert!(dialed.accepted_at.is_some());
    let not_dialed = two.world.latest_attempt(&two.tasks[0]).await;
    assert_eq!(not_dialed.accepted_at, None);
    assert_eq!(two.world.provider.dialed().len(), 1);
}

#[tokio::test]
async fn an_attempt_that_cannot_be_recovered_does_not_keep_the_others_from_being_recovered() {
    let two = TwoCompanies::with(running).await;
    two.world.provider.answers(Answers::Unknown);
    two.step().await;
    two.world.provider.answers(Answers::Taken);
    two.world.clock.advance(TimeDelta::minutes(3));
    two.step().await;
    // It was not dialed after all, so it is dialed now.
    let again = two.world.latest_attempt(&two.tasks[1]).await;
    assert_eq!(again.number, 2);
    let stuck = two.world.latest_attempt(&two.tasks[0]).await;
    assert_eq!(stuck.number, 1);
    // When its company can be reached again, it is recovered too.
    two.world.step().await;
    let recovered = two.world.latest_attempt(&two.tasks[0]).await;
    assert_eq!(recovered.number, 2);
}

#[tokio::test]
async fn a_campaign_that_cannot_be_finished_does_not_keep_the_others_from_finishing() {
    let two = TwoCompanies::with(running).await;
    two.world.step().await;
    for task in &two.tasks {
        let attempt = two.world.latest_attempt(task).await;
        two.world.end(&attempt, Some(Outcome::InvalidNumber)).await;
    }
    two.step().await;
    assert_eq!(two.status(0).await, CampaignStatus::Running);
    assert_eq!(two.status(1).await, CampaignStatus::Completed);
}

#[tokio::test]
async fn a_list_that_was_uploaded_before_the_start_was_moved_is_called_at_the_new_start() {
    let world = World::new().await;
    let mut campaign = samples::campaign(&world.company).with_lines(10);
    campaign.settings.schedule.starts_at = Some(world.clock.now() + TimeDelta::days(30));
    world.insert(&campaign, &[]).await;
    let campaigns = world.engine.campaigns();
    let list = CallList {
        file_name: "customers.csv".to_owned(),
        rows: vec![CallListRow {
            row: 2,
            phone_number: "+393471234567".to_owned(),
            ..CallListRow::default()
        }],
        ..CallList::default()
    };
    let upload = campaigns
        .upload(&world.actor, campaign.id, list.into())
        .await;
    assert_eq!(upload.unwrap().created, 1);
    start_at_once(&world, &campaign).await;
    let started = campaigns.start(&world.actor, campaign.id).await.unwrap();
    assert_eq!(started.status, CampaignStatus::Running);
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 1);
}

#[tokio::test]
async fn a_scheduled_campaign_whose_start_is_moved_forward_starts_by_itself() {
    let world = World::new().await;
    let mut campaign = samples::campaign(&world.company).with_lines(10);
    campaign.settings.schedule.starts_at = Some(world.clock.now() + TimeDelta::days(30));
    world
        .start(&campaign, &samples::tasks(&campaign, 1, 1))
        .await;
    let (scheduled, _) = world.campaign(&campaign).await;
    assert_eq!(scheduled.status, CampaignStatus::Scheduled);
    world.step().await;
    assert_eq!(world.provider.dialed(), []);
    start_at_once(&world, &campaign).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 1);
}

async fn start_at_once(world: &World, campaign: &Campaign) {
    let changes = CampaignChanges {
        schedule: ScheduleChanges {
            starts_at: Change::Set(world.clock.now()),
            ..ScheduleChanges::default()
        },
        ..CampaignChanges::default()
    };
    let campaigns = world.engine.campaigns();
    let moved = campaigns.change(&world.actor, campaign.id, changes).await;
    moved.unwrap();
}

#[tokio::test]
async fn a_campaign_whose_last_tasks_the_gate_bars_is_completed() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let tasks = samples::tasks(&campaign, 1, 3);
    world.start(&campaign, &tasks).await;
    for task in &tasks {
        world.exclude(task.contact.phone_number).await;
    }
    world.follow_for(TimeDelta::minutes(1)).await;
    for task in &tasks {
        assert_eq!(world.task(task).await.state, TaskState::Excluded);
    }
    let (campaign, _) = world.campaign(&campaign).await;
    assert_eq!(campaign.status, CampaignStatus::Completed);
    assert_eq!(world.engine.next_step_at().await.unwrap(), None);
    assert_eq!(world.provider.dialed(), []);
}

#[tokio::test]
async fn a_scheduled_campaign_is_started_at_its_time_by_following_the_engine() {
    let world = World::new().await;
    let starts_at = world.clock.now() + TimeDelta::days(1);
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.schedule.starts_at = Some(starts_at);
    world
        .start(&campaign, &samples::tasks(&campaign, 1, 1))
        .await;
    world.step().await;
    assert_eq!(world.engine.next_step_at().await.unwrap(), Some(starts_at));
    world.follow_until(starts_at - TimeDelta::seconds(1)).await;
    assert_eq!(world.provider.dialed(), []);
    world.follow_until(starts_at).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 1);
}

#[tokio::test]
async fn many_tasks_that_are_turned_away_do_not_hide_one_that_may_be_called() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    let mut tasks = samples::tasks(&campaign, 1, 700);
    for task in &tasks {
        world.exclude(task.contact.phone_number).await;
    }
    // It stands behind all the others.
    let free = samples::task(&campaign, "+393481234567").with_priority(-1);
    tasks.push(free.clone());
    world.start(&campaign, &tasks).await;
    world.engine.step().await.unwrap();
    assert_eq!(world.provider.dialed(), [free.contact.phone_number]);
    world.step().await;
    let (_, counters) = world.campaign(&campaign).await;
    assert_eq!(counters.tasks_in(TaskStatus::Excluded), 700);
}

#[tokio::test]
async fn a_list_that_nobody_answers_comes_to_its_end_by_following_the_engine() {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company).with_lines(2);
    let tasks = samples::tasks(&campaign, 1, 3);
    world.start(&campaign, &tasks).await;
    // Few enough that the circuit breaker lets it go on. No event of any call ever arrives, and the provider has forgotten all of them.
    world.follow_for(TimeDelta::days(1)).await;
    let (campaign, counters) = world.campaign(&campaign).await;
    assert_eq!(campaign.status, CampaignStatus::Completed);
    assert_eq!(counters.tasks_in(TaskStatus::NotReached), 3);
    let three_each = 3 * tasks.len();
    assert_eq!(world.provider.dialed().len(), three_each);
    assert_eq!(world.engine.next_step_at().await.unwrap(), None);
}
