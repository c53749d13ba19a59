//! Long uploads, and what others do meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_list::{
    CallList, CallListRow, CallListRows, CallListSource, ReadRow, RowNumbers, UnreadableCallList,
    Upload, UploadStatus,
};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::company::Company;
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::export::{Delimiter, ExportFormat, ExportKind, ExportOrder};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::phone_number::{PhoneNumber, Region};
use voicesurvey_core::ports::{Audit as _, NoWakeUp, Scope, Storage as _};
use voicesurvey_core::service::{CampaignService as _, Campaigns, Exports};
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};
use voicesurvey_core::time::ManualClock;
use voicesurvey_postgres::{PostgresOptions, PostgresStorage};

use crate::concurrency::{claim, store};
use crate::support::{PostgresUnderTest, platform, waiters};

fn campaigns_over(storage: &PostgresStorage) -> Campaigns {
    let clock = Arc::new(ManualClock::new(samples::now()));
    let ids = Arc::new(IdGenerator::from_seed(clock.clone(), 7));
    Campaigns::new(Arc::new(storage.clone()), clock, ids, Arc::new(NoWakeUp))
}

fn manager(company: &Company) -> Actor {
    Actor {
        company_id: company.id,
        api_key_id: samples::id(),
        role: Role::Manager,
    }
}

/// The numbers from `first` on, in ascending order or backwards.
fn people(first: u32, count: u32, backwards: bool) -> Arc<dyn CallListSource> {
    let numbers = (first..first + count).map(samples::phone_number);
    let mut rows: Vec<CallListRow> = (2..)
        .zip(numbers)
        .map(|(row, number)| CallListRow {
            row,
            phone_number: number.to_string(),
            ..CallListRow::default()
        })
        .collect();
    if backwards {
        rows.reverse();
    }
    let list = CallList {
        file_name: "customers.csv".to_owned(),
        rows,
        ..CallList::default()
    };
    list.into()
}

/// Batches are larger than the statements' limits, and in opposite orders.
#[tokio::test]
async fn two_uploads_of_one_list_at_once_add_everybody_once() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    store(&database, &company, &[(campaign.clone(), Vec::new())]).await;
    let campaigns = campaigns_over(&database);
    let actor = manager(&company);
    let (first, second) = tokio::join!(
        campaigns.upload(&actor, campaign.id, people(0, 6_000, false)),
        campaigns.upload(&actor, campaign.id, people(0, 6_000, true)),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.created + second.created, 6_000);
    let duplicates = first.duplicates_in_campaign + second.duplicates_in_campaign;
    assert_eq!(duplicates, 6_000);
    let mut work = database.begin(Scope::Platform).await.unwrap();
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.total_tasks(), 6_000);
    drop(work);
    let audited = database.audit(samples::now()).await.unwrap();
    assert!(audited.is_empty(), "{audited:?}");
}

/// A list during whose second reading, when its rows were added, somebody of it is erased.
#[derive(Debug)]
struct Overtaken {
    list: Arc<dyn CallListSource>,
    times: AtomicUsize,
    storage: PostgresStorage,
    company: Company,
    person: PhoneNumber,
}

struct OvertakenRows {
    rows: Box<dyn CallListRows>,
    erasure: Option<(PostgresStorage, Company, PhoneNumber)>,
}

#[async_trait]
impl CallListSource for Overtaken {
    fn file_name(&self) -> &str {
        self.list.file_name()
    }

    async fn open(&self, region: Region) -> Result<Box<dyn CallListRows>, UnreadableCallList> {
        let is_second = self.times.fetch_add(1, Ordering::Relaxed) == 1;
        let erasure = (self.storage.clone(), self.company.clone(), self.person);
        Ok(Box::new(OvertakenRows {
            rows: self.list.open(region).await?,
            erasure: is_second.then_some(erasure),
        }))
    }

    async fn open_numbers(
        &self,
        region: Option<Region>,
    ) -> Result<Box<dyn CallListRows<RowNumbers>>, UnreadableCallList> {
        self.list.open_numbers(region).await
    }
}

#[async_trait]
impl CallListRows for OvertakenRows {
    fn columns(&self) -> &[String] {
        self.rows.columns()
    }

    async fn next(&mut self) -> Result<Vec<ReadRow>, UnreadableCallList> {
        let some = self.rows.next().await?;
        if some.is_empty()
            && let Some((storage, company, person)) = self.erasure.take()
        {
            let scope = Scope::Company(company.id);
            let mut work = storage.begin(scope).await.unwrap();
            let erasures = work.erasures();
            erasures.take_turn().await.unwrap();
            let tasks = erasures.tasks_with_number(&person).await.unwrap();
            assert_eq!(tasks, [], "the list is not committed");
            let erasure = samples::erasure(&company);
            let kept = erasures.keep_hash(&person, erasure.id, samples::now());
            assert!(kept.await.unwrap());
            erasures.insert(&erasure).await.unwrap();
            work.commit().await.unwrap();
        }
        Ok(some)
    }

    fn percent(&self) -> u8 {
        self.rows.percent()
    }
}

#[tokio::test]
async fn whoever_is_erased_while_their_list_is_added_is_nobody_when_it_is_there() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    store(&database, &company, &[(campaign.clone(), Vec::new())]).await;
    let list = Overtaken {
        list: people(0, 1_500, false),
        times: AtomicUsize::new(0),
        storage: (*database).clone(),
        company: company.clone(),
        person: samples::phone_number(7),
    };
    let campaigns = campaigns_over(&database);
    let actor = manager(&company);
    let added = campaigns.upload(&actor, campaign.id, Arc::new(list));
    let added = added.await.unwrap();
    let counts = (added.created, added.excluded, added.erased);
    assert_eq!(counts, (1_500, 1, 0));
    let person = samples::phone_number(7);
    let mut work = database.begin(Scope::Company(company.id)).await.unwrap();
    let tasks = work.erasures().tasks_with_number(&person).await.unwrap();
    assert_eq!(tasks, []);
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.total_tasks(), 1_500);
    drop(work);
    let audited = database.audit(samples::now()).await.unwrap();
    assert!(audited.is_empty(), "{audited:?}");
}

/// Else a file might be begun that an erasure does not see, and that does not see the erasure.
#[tokio::test]
async fn a_file_is_asked_for_before_an_erasure_or_after_it() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    store(&database, &company, &[(campaign.clone(), Vec::new())]).await;
    let scope = Scope::Company(company.id);
    let mut erasing = database.begin(scope).await.unwrap();
    erasing.erasures().take_turn().await.unwrap();
    let clock = Arc::new(ManualClock::new(samples::now()));
    let ids = Arc::new(IdGenerator::from_seed(clock.clone(), 8));
    let storage = Arc::new((*database).clone());
    let exports = Exports::new(storage, clock, ids, chrono::TimeDelta::hours(1));
    let order = ExportOrder {
        kind: ExportKind::Results,
        format: ExportFormat::Csv,
        delimiter: Delimiter::Comma,
        filter: ContactFilter::default(),
        thresholds: voicesurvey_core::rates::Thresholds::default(),
    };
    let actor = manager(&company);
    let mut watcher = platform(&database).await;
    let commit = async {
        waiters(&mut watcher, 1).await;
        assert!(exports.claim().await.unwrap().is_none());
        erasing.commit().await.unwrap();
    };
    let asked = exports.request(&actor, campaign.id, order);
    let (asked, ()) = tokio::join!(asked, commit);
    asked.unwrap();
    assert!(exports.claim().await.unwrap().is_some());
}

/// A unit of work that has added a part of a list.
async fn half_an_upload(
    storage: &PostgresStorage,
    campaign: &Campaign,
) -> (Box<dyn voicesurvey_core::ports::UnitOfWork>, Upload) {
    let upload = Upload {
        status: UploadStatus::Running,
        ..samples::upload(campaign)
    };
    let scope = Scope::Company(campaign.company_id);
    let mut work = storage.begin(scope).await.unwrap();
    work.call_lists().insert(&upload).await.unwrap();
    work.commit().await.unwrap();
    let mut work = storage.begin(scope).await.unwrap();
    assert!(work.call_lists().take_turn(campaign.id).await.unwrap());
    let tasks = samples::tasks(campaign, 1_000, 50);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    (work, upload)
}

#[tokio::test]
async fn nobody_waits_for_a_list_that_is_being_added() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    let other = samples::campaign(&company).running();
    let calls = |campaign: &Campaign, first| samples::tasks(campaign, first, 5);
    let rows = [
        (campaign.clone(), calls(&campaign, 1)),
        (other.clone(), calls(&other, 100)),
    ];
    store(&database, &company, &rows).await;
    let (mut adding, upload) = half_an_upload(&database, &campaign).await;

    let others = async {
        // Both campaigns are called, also the one that gets more people.
        let claimed = claim(&database, samples::now(), 50).await;
        for called in [&campaign, &other] {
            let mut tasks = claimed.iter().map(|claimed| &claimed.task);
            assert!(tasks.any(|task| task.campaign_id == called.id));
        }
        // It is told where the upload stands, and the campaign can be changed.
        let scope = Scope::Company(company.id);
        let mut work = database.begin(scope).await.unwrap();
        let further = Upload {
            percent: 50,
            ..upload.clone()
        };
        assert!(work.call_lists().update(&further).await.unwrap());
        let found = work.campaigns().get_for_update(campaign.id).await;
        let found = found.unwrap().unwrap();
        work.campaigns().update(&found).await.unwrap();
        work.commit().await.unwrap();
        // The list of another campaign is added.
        let campaigns = campaigns_over(&database);
        let actor = manager(&company);
        let added = campaigns.upload(&actor, other.id, people(1_000, 50, false));
        assert_eq!(added.await.unwrap().created, 50);
    };
    let waited = tokio::time::timeout(Duration::from_secs(8), others).await;
    assert!(waited.is_ok(), "somebody waits for the upload");

    let done = Upload {
        status: UploadStatus::Done,
        ..upload
    };
    assert!(adding.call_lists().update(&done).await.unwrap());
    adding.commit().await.unwrap();
    let audited = database.audit(samples::now()).await.unwrap();
    assert!(audited.is_empty(), "{audited:?}");
    let mut work = database.begin(Scope::Platform).await.unwrap();
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.total_tasks(), 55);
}

#[tokio::test]
async fn a_second_list_of_the_campaign_waits_and_goes_on_when_the_first_is_given_up() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company).running();
    store(&database, &company, &[(campaign.clone(), Vec::new())]).await;
    let (adding, _) = half_an_upload(&database, &campaign).await;
    let mut watcher = platform(&database).await;
    let campaigns = campaigns_over(&database);
    let actor = manager(&company);
    let second = campaigns.upload(&actor, campaign.id, people(1_000, 50, true));
    let give_up = async {
        waiters(&mut watcher, 1).await;
        drop(adding);
    };
    let (second, ()) = tokio::join!(second, give_up);
    assert_eq!(second.unwrap().created, 50);
}

#[tokio::test]
async fn a_turn_that_does_not_come_is_told_and_harms_nothing() {
    let database = PostgresUnderTest::create().await;
    let company = samples::company();
    let campaign = samples::campaign(&company);
    store(&database, &company, &[(campaign.clone(), Vec::new())]).await;
    let (_adding, _) = half_an_upload(&database, &campaign).await;
    let impatient = PostgresOptions {
        lock_timeout: Duration::from_millis(50),
        ..PostgresOptions::default()
    };
    let impatient = PostgresStorage::connect(database.url(), &impatient).await;
    let impatient = impatient.unwrap();
    let scope = Scope::Company(company.id);
    let mut work = impatient.begin(scope).await.unwrap();
    assert!(!work.call_lists().take_turn(campaign.id).await.unwrap());
    // The unit of work goes on.
    assert!(work.campaigns().get(campaign.id).await.unwrap().is_some());
    work.commit().await.unwrap();
    let refused = campaigns_over(&impatient);
    let actor = manager(&company);
    let refused = refused
        .upload(&actor, campaign.id, people(1, 5, false))
        .await;
    let refused = refused.unwrap_err().to_string();
    assert!(
        refused.starts_with("another call list is being added"),
        "{refused}"
    );
}
