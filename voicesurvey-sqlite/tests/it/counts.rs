//! What is kept beside the rows equals the rows, whatever was done to them (I12).

use std::num::NonZeroU16;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use voicesurvey_core::call_task::TaskState;
use voicesurvey_core::campaign::Pacing;
use voicesurvey_core::company::Company;
use voicesurvey_core::gate::Reason;
use voicesurvey_core::money::Cost;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::{ClaimRequest, ClaimedTask, Scope, Storage, TaskQueue, UnitOfWork};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_core::time::Timestamp;
use voicesurvey_sqlite::SqliteStorage;

use crate::file::DatabaseFile;

const PROVIDER: &str = "sample";
const TEN: NonZeroU16 = NonZeroU16::new(10).unwrap();

/// Rows whose counts differ from what they count.
const WRONG: [(&str, &str); 3] = [
    (
        "lanes",
        "SELECT count(*) FROM campaign_lanes AS lane
         WHERE claimable <> (SELECT count(*) FROM call_tasks AS task
                             WHERE task.company_id = lane.company_id
                               AND task.campaign_id = lane.campaign_id
                               AND task.lane_id = lane.lane_id AND task.claimable = 1)",
    ),
    (
        "providers",
        "SELECT count(*) FROM provider_queue AS account
         WHERE in_flight <> (SELECT count(*) FROM call_attempts AS attempt
                             WHERE attempt.provider = account.provider
                               AND attempt.state <> 'ended')",
    ),
    (
        "tasks",
        "SELECT count(*) FROM call_tasks AS task
         WHERE claimable = 1
           AND NOT EXISTS (SELECT 1 FROM campaign_lanes AS lane
                           WHERE lane.company_id = task.company_id
                             AND lane.campaign_id = task.campaign_id
                             AND lane.lane_id = task.lane_id
                             AND lane.priority = task.priority)",
    ),
];

/// A store, and a look at its tables that does not go through it.
struct Watched {
    _file: DatabaseFile,
    store: SqliteStorage,
    tables: SqliteConnection,
}

impl Watched {
    async fn create() -> Self {
        let file = DatabaseFile::new();
        let store = file.serve().await;
        let options = SqliteConnectOptions::new().filename(file.path());
        let tables = options.connect().await.unwrap();
        Self {
            _file: file,
            store,
            tables,
        }
    }

    async fn count(&mut self, query: &'static str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&mut self.tables)
            .await
            .unwrap()
    }

    async fn assert_sound(&mut self, after: &str) {
        for (what, query) in WRONG {
            assert_eq!(self.count(query).await, 0, "{what} after {after}");
        }
    }

    async fn begin(&self, company: &Company) -> Box<dyn UnitOfWork> {
        let scope = Scope::Company(company.id);
        self.store.begin(scope).await.unwrap()
    }

    async fn store_company(&self) -> Company {
        let company = samples::company();
        let mut work = self.store.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        let skillbase = samples::skillbase(&company);
        work.skillbases().insert(&skillbase).await.unwrap();
        work.commit().await.unwrap();
        company
    }

    async fn claim(&self, now: Timestamp, at_most: usize) -> Vec<ClaimedTask> {
        self.store.review_lanes(now, TEN).await.unwrap();
        let request = ClaimRequest {
            now,
            attempt_ids: (0..at_most).map(|_| samples::id()).collect(),
            provider: PROVIDER.to_owned(),
            dial_before: now,
            lease_until: now,
        };
        self.store.claim_due(&request).await.unwrap().tasks
    }
}

#[tokio::test]
async fn lanes_and_accounts_count_their_rows_after_every_kind_of_change() {
    let mut watched = Watched::create().await;
    let company = watched.store_company().await;
    let campaign = samples::campaign(&company).running();
    let later = samples::now() + Duration::from_hours(1);
    let mut tasks = samples::tasks(&campaign, 1, 8);
    tasks[6].contact.time_zones = vec!["Europe/London".parse().unwrap()];
    tasks[7].state = TaskState::Pending { due_at: later };
    let mut work = watched.begin(&company).await;
    work.campaigns().insert(&campaign).await.unwrap();
    work.call_tasks().insert_many(&tasks).await.unwrap();
    work.commit().await.unwrap();
    watched.assert_sound("an upload").await;

    let mut work = watched.begin(&company).await;
    tasks[0].contact.priority = 5;
    work.call_tasks().update(&tasks[0]).await.unwrap();
    work.call_tasks()
        .update(&tasks[1].clone().barred(Reason::Excluded, samples::now()))
        .await
        .unwrap();
    work.commit().await.unwrap();
    watched.assert_sound("a change of lanes").await;

    assert_eq!(watched.claim(samples::now(), 1).await.len(), 1);
    let limits = Pacing {
        max_concurrent_calls: 3,
        pace: Pace::per_minute(10_000),
    };
    let limited = watched.store.limit_provider(PROVIDER, Some(limits)).await;
    limited.unwrap();
    let claimed = watched.claim(samples::now(), 9).await;
    assert_eq!(claimed.len(), 2);
    watched.assert_sound("a claim").await;

    let promoted = watched.store.promote_due(later, TEN).await.unwrap();
    assert_eq!(promoted, 1);
    watched.assert_sound("a promotion").await;

    let mut work = watched.begin(&company).await;
    let ended = claimed[0].attempt.clone().ended(Outcome::Busy, later);
    work.call_attempts().update(&ended).await.unwrap();
    let ended = work
        .call_tasks()
        .cancel_waiting(
            campaign.id,
            Reason::TargetReached,
            later,
            NonZeroU16::MIN.saturating_add(1),
        )
        .await
        .unwrap();
    assert_eq!(ended, 2);
    work.commit().await.unwrap();
    watched.assert_sound("the end of a call").await;
    assert_eq!(
        watched.count("SELECT in_flight FROM provider_queue").await,
        2
    );

    let mut work = watched.begin(&company).await;
    work.campaigns().delete(campaign.id).await.unwrap();
    work.commit().await.unwrap();
    watched.assert_sound("the end of the campaign").await;
    assert_eq!(
        watched.count("SELECT in_flight FROM provider_queue").await,
        0
    );
}

#[tokio::test]
async fn a_price_that_changes_is_counted_once() {
    let watched = Watched::create().await;
    let company = watched.store_company().await;
    let campaign = samples::campaign(&company).running();
    let mut work = watched.begin(&company).await;
    work.campaigns().insert(&campaign).await.unwrap();
    let tasks = samples::tasks(&campaign, 1, 1);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    work.commit().await.unwrap();
    let attempt = watched.claim(samples::now(), 1).await.remove(0).attempt;
    let mut work = watched.begin(&company).await;
    for (price, counted) in [
        (Some(("0.0123", "EUR")), vec![("EUR", 12_300)]),
        (Some(("0.02", "EUR")), vec![("EUR", 20_000)]),
        (Some(("0.02", "USD")), vec![("USD", 20_000)]),
        (Some(("-0.01", "EUR")), vec![("EUR", -10_000)]),
        (Some(("0", "CHF")), vec![("CHF", 0)]),
        (None, vec![]),
    ] {
        let mut attempt = work.call_attempts().get(attempt.id).await.unwrap().unwrap();
        attempt.cost = price.map(|(amount, currency)| Cost {
            amount: amount.parse().unwrap(),
            currency: currency.to_owned(),
        });
        work.call_attempts().update(&attempt).await.unwrap();
        let counters = work.campaigns().counters(campaign.id).await.unwrap();
        let costs = counters.costs.iter();
        let costs: Vec<(&str, i64)> = costs
            .map(|(currency, cost)| (currency.as_str(), cost.millionths))
            .collect();
        assert_eq!(costs, counted);
        assert!(counters.costs.values().all(|cost| cost.calls == 1));
    }
}

/// A list may still be uploaded to a campaign that winds up; its people are not called, and must
/// not keep the campaign from ending.
#[tokio::test]
async fn people_who_come_too_late_are_found_again() {
    let watched = Watched::create().await;
    let company = watched.store_company().await;
    let campaign = samples::campaign(&company).running();
    let campaign = campaign.wound_up(Reason::CampaignEnded, samples::now());
    let mut work = watched.begin(&company).await;
    work.campaigns().insert(&campaign).await.unwrap();
    for first in [1, 10] {
        let tasks = samples::tasks(&campaign, first, 2);
        work.call_tasks().insert_many(&tasks).await.unwrap();
        work.commit().await.unwrap();
        let found = watched.store.campaigns_to_empty(TEN).await.unwrap();
        assert_eq!(found.len(), 1);
        work = watched.begin(&company).await;
        let ended = work
            .call_tasks()
            .cancel_waiting(campaign.id, Reason::CampaignEnded, samples::now(), TEN)
            .await
            .unwrap();
        assert_eq!(ended, 2);
        work.commit().await.unwrap();
        let found = watched.store.campaigns_to_empty(TEN).await.unwrap();
        assert_eq!(found, []);
        work = watched.begin(&company).await;
    }
}
