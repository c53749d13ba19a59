//! Uploads: all or nothing, whatever happens while they run.

mod do_not_call;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use chrono::TimeDelta;
use futures_util::future::BoxFuture;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_list::{
    CallList, CallListRow, CallListRows, CallListSource, ReadRow, RowNumbers, UnreadableCallList,
    Upload, UploadProgress, UploadStatus,
};
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::phone_number::Region;
use voicesurvey_core::ports::{PageRequest, Scope, Storage as _};
use voicesurvey_core::service::uploads::Alone;
use voicesurvey_core::service::{CampaignService as _, ServiceError, Uploads};
use voicesurvey_core::testing::samples;

use super::scripted::World;

fn row(row: u64, phone_number: &str) -> CallListRow {
    CallListRow {
        row,
        phone_number: phone_number.to_owned(),
        original: vec![phone_number.to_owned(), "Zoë".to_owned()],
        ..CallListRow::default()
    }
}

fn list(rows: Vec<CallListRow>) -> CallList {
    CallList {
        file_name: "customers.csv".to_owned(),
        columns: vec!["phone".to_owned()],
        rows,
    }
}

fn three_people() -> CallList {
    list(vec![
        row(2, "347 1234561"),
        row(3, "347 1234562"),
        row(4, "nobody"),
        row(5, "347 1234563"),
    ])
}

/// Something that happens.
type Event = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A list during which something happens, each time it was read to its end.
struct Eventful {
    list: CallList,
    times: Arc<AtomicUsize>,
    /// When it is read for the first time, and for the second.
    events: [Option<Arc<Event>>; 2],
    /// Its last row cannot be read.
    is_torn: bool,
}

impl Eventful {
    fn new(list: CallList) -> Self {
        Self {
            list,
            times: Arc::default(),
            events: [None, None],
            is_torn: false,
        }
    }

    fn at_the_end_of(
        mut self,
        time: usize,
        event: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        self.events[time - 1] = Some(Arc::new(Box::new(event)));
        self
    }
}

impl fmt::Debug for Eventful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Eventful")
    }
}

#[async_trait]
impl CallListSource for Eventful {
    fn file_name(&self) -> &str {
        self.list.file_name()
    }

    async fn open(&self, region: Region) -> Result<Box<dyn CallListRows>, UnreadableCallList> {
        let time = self.times.fetch_add(1, Ordering::Relaxed);
        let event = self.events.get(time).cloned().flatten();
        Ok(Box::new(EventfulRows {
            rows: self.list.open(region).await?,
            event,
            is_torn: self.is_torn,
        }))
    }

    async fn open_numbers(
        &self,
        region: Option<Region>,
    ) -> Result<Box<dyn CallListRows<RowNumbers>>, UnreadableCallList> {
        self.list.open_numbers(region).await
    }
}

struct EventfulRows {
    rows: Box<dyn CallListRows>,
    event: Option<Arc<Event>>,
    is_torn: bool,
}

#[async_trait]
impl CallListRows for EventfulRows {
    fn columns(&self) -> &[String] {
        self.rows.columns()
    }

    async fn next(&mut self) -> Result<Vec<ReadRow>, UnreadableCallList> {
        let some = self.rows.next().await?;
        if some.is_empty() && self.is_torn {
            return Err(UnreadableCallList("Row 5 is torn".to_owned()));
        }
        if some.is_empty()
            && let Some(event) = self.event.take()
        {
            event().await;
        }
        Ok(some)
    }

    fn percent(&self) -> u8 {
        self.rows.percent()
    }
}

/// A campaign that takes a list, and what uploads it.
async fn draft() -> (World, Campaign, Uploads) {
    let world = World::new().await;
    let campaign = samples::campaign(&world.company);
    world.insert(&campaign, &[]).await;
    let uploads = Uploads::new(world.engine.campaigns().clone());
    (world, campaign, uploads)
}

async fn total_tasks(world: &World, campaign: &Campaign) -> u64 {
    world.campaign(campaign).await.1.total_tasks()
}

async fn run(world: &World, uploads: &Uploads, upload: &Upload, list: &Eventful) -> Upload {
    let progress = UploadProgress::default();
    let ended = uploads.run(&world.actor, upload.clone(), list, &progress, &Alone);
    ended.await.unwrap()
}

#[tokio::test]
async fn an_upload_is_watched_from_its_beginning_to_its_end() {
    let (world, campaign, uploads) = draft().await;
    let actor = &world.actor;
    let begun = uploads.begin(actor, campaign.id, "customers.csv").await;
    let begun = begun.unwrap();
    let seen = uploads.get(actor, campaign.id, begun.id).await.unwrap();
    assert_eq!((seen.status, seen.percent), (UploadStatus::Running, 0));
    let progress = Arc::new(UploadProgress::default());
    let (watching, watched, upload) = (uploads.clone(), progress.clone(), begun.clone());
    let (reporter, id) = (world.actor.clone(), begun.id);
    let file = Eventful::new(three_people()).at_the_end_of(1, move || {
        let (uploads, progress) = (watching.clone(), watched.clone());
        let (actor, upload) = (reporter.clone(), upload.clone());
        Box::pin(async move {
            uploads.report(&actor, &upload, &progress).await.unwrap();
            let seen = uploads.get(&actor, upload.campaign_id, id).await.unwrap();
            assert_eq!((seen.status, seen.percent), (UploadStatus::Running, 10));
        })
    });
    let ended = uploads.run(actor, begun, &file, &progress, &Alone).await;
    let ended = ended.unwrap();
    assert_eq!((ended.status, ended.percent), (UploadStatus::Done, 100));
    assert_eq!(
        (ended.total_rows, ended.created, ended.errors_count),
        (4, 3, 1)
    );
    assert_eq!(total_tasks(&world, &campaign).await, 3);
    let seen = uploads.get(actor, campaign.id, ended.id).await.unwrap();
    assert_eq!(seen, ended);
    let errors = uploads.errors(actor, &ended, 0, 10).await.unwrap();
    assert_eq!(errors[0].message(), "Row 4: Phone number contains letters");
    // As long as the longest row that was not taken, for the error file.
    assert_eq!(ended.columns, ["phone", ""]);
    let page = PageRequest::first(10);
    let listed = uploads.list(actor, campaign.id, &page).await.unwrap();
    assert_eq!(listed.rows, [ended]);
}

#[tokio::test]
async fn an_upload_that_is_cancelled_on_another_server_adds_nobody() {
    let (world, campaign, uploads) = draft().await;
    let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
    let begun = begun.unwrap();
    let (elsewhere, actor) = (uploads.clone(), world.actor.clone());
    let (campaign_id, id) = (campaign.id, begun.id);
    let file = Eventful::new(three_people()).at_the_end_of(1, move || {
        let (uploads, actor) = (elsewhere.clone(), actor.clone());
        Box::pin(async move {
            let cancelled = uploads.cancel(&actor, campaign_id, id).await.unwrap();
            assert_eq!(cancelled.status, UploadStatus::Cancelled);
        })
    });
    let ended = run(&world, &uploads, &begun, &file).await;
    assert_eq!(ended.status, UploadStatus::Cancelled);
    assert_eq!(total_tasks(&world, &campaign).await, 0);
    let errors = uploads.errors(&world.actor, &ended, 0, 10).await.unwrap();
    assert_eq!(errors, []);
    // Cancelling twice is cancelling once.
    let again = uploads.cancel(&world.actor, campaign.id, begun.id).await;
    assert_eq!(again.unwrap(), ended);
}

#[tokio::test]
async fn an_upload_that_is_stopped_while_people_are_added_takes_them_back() {
    for (interrupt, expected) in [
        (false, UploadStatus::Cancelled),
        (true, UploadStatus::Failed),
    ] {
        let (world, campaign, uploads) = draft().await;
        let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
        let progress = Arc::new(UploadProgress::default());
        let stopping = progress.clone();
        let file = Eventful::new(three_people()).at_the_end_of(1, move || {
            let progress = stopping.clone();
            Box::pin(async move {
                if interrupt {
                    progress.interrupt();
                } else {
                    progress.stop();
                }
            })
        });
        let ended = uploads.run(&world.actor, begun.unwrap(), &file, &progress, &Alone);
        let ended = ended.await.unwrap();
        assert_eq!(ended.status, expected);
        assert_eq!(ended.failure.is_some(), interrupt);
        assert_eq!(total_tasks(&world, &campaign).await, 0);
    }
}

#[tokio::test]
async fn a_silent_upload_has_failed_and_cannot_come_back() {
    let (world, campaign, uploads) = draft().await;
    let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
    let begun = begun.unwrap();
    let (clock, elsewhere) = (world.clock.clone(), uploads.clone());
    let (actor, campaign_id, id) = (world.actor.clone(), campaign.id, begun.id);
    let file = Eventful::new(three_people()).at_the_end_of(1, move || {
        let (clock, uploads) = (clock.clone(), elsewhere.clone());
        let actor = actor.clone();
        Box::pin(async move {
            clock.advance(TimeDelta::seconds(60));
            let seen = uploads.get(&actor, campaign_id, id).await.unwrap();
            assert_eq!(seen.status, UploadStatus::Running);
            clock.advance(TimeDelta::milliseconds(1));
            let page = PageRequest::first(10);
            let listed = uploads.list(&actor, campaign_id, &page).await.unwrap();
            assert_eq!(listed.rows[0].status, UploadStatus::Failed);
        })
    });
    let ended = run(&world, &uploads, &begun, &file).await;
    assert_eq!(ended.status, UploadStatus::Failed);
    let failure = ended.failure.unwrap();
    assert!(failure.contains("upload the file again"), "{failure}");
    assert_eq!(total_tasks(&world, &campaign).await, 0);
}

#[tokio::test]
async fn a_file_that_is_torn_at_its_end_adds_nobody_and_says_why() {
    let (world, campaign, uploads) = draft().await;
    let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
    let torn = || Eventful {
        is_torn: true,
        ..Eventful::new(three_people())
    };
    let ended = run(&world, &uploads, &begun.unwrap(), &torn()).await;
    assert_eq!(ended.failure.as_deref(), Some("file: Row 5 is torn"));
    let campaigns = world.engine.campaigns();
    let refused = campaigns.upload(&world.actor, campaign.id, Arc::new(torn()));
    assert!(matches!(refused.await, Err(ServiceError::Invalid(_))));
    assert_eq!(total_tasks(&world, &campaign).await, 0);
}

#[tokio::test]
async fn a_campaign_that_ends_meanwhile_takes_nobody() {
    let (world, campaign, uploads) = draft().await;
    let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
    let (campaigns, actor) = (world.engine.campaigns().clone(), world.actor.clone());
    let id = campaign.id;
    let file = Eventful::new(three_people()).at_the_end_of(1, move || {
        let (campaigns, actor) = (campaigns.clone(), actor.clone());
        Box::pin(async move {
            campaigns.cancel(&actor, id).await.unwrap();
        })
    });
    let ended = run(&world, &uploads, &begun.unwrap(), &file).await;
    assert_eq!(ended.status, UploadStatus::Failed);
    let failure = ended.failure.unwrap();
    assert_eq!(failure, "a cancelled campaign takes no call list");
    assert_eq!(total_tasks(&world, &campaign).await, 0);
}

#[tokio::test]
async fn a_campaign_is_not_deleted_while_a_list_is_added() {
    let (world, campaign, uploads) = draft().await;
    let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
    let campaigns = world.engine.campaigns();
    let refused = campaigns.delete(&world.actor, campaign.id).await;
    let Err(ServiceError::NotAllowed { code, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(code, "upload_running");
    let cancelled = uploads.cancel(&world.actor, campaign.id, begun.unwrap().id);
    cancelled.await.unwrap();
    campaigns.delete(&world.actor, campaign.id).await.unwrap();
}

#[tokio::test]
async fn a_preview_says_what_an_upload_does_and_changes_nothing() {
    let (world, campaign, _) = draft().await;
    let campaigns = world.engine.campaigns();
    let first = list(vec![row(2, "347 1234561"), row(3, "347 1234562")]);
    let first = campaigns.upload(&world.actor, campaign.id, first.into());
    first.await.unwrap();
    let more = list(vec![
        row(2, "347 1234562"),
        row(3, "347 1234563"),
        row(4, "3471234563"),
        row(5, "+44 20 7946 0018"),
        row(6, "+1 202 555 0143"),
        row(7, "+7 999 123-45-67"),
        row(8, "?"),
    ]);
    let looked = campaigns.preview(&world.actor, campaign.id, more.clone().into());
    let looked = looked.await.unwrap();
    assert_eq!(total_tasks(&world, &campaign).await, 2);
    let done = campaigns.upload(&world.actor, campaign.id, more.into());
    let done = done.await.unwrap();
    assert_eq!(
        (looked.total_rows, looked.created, looked.duplicates_in_list),
        (done.total_rows, done.created, done.duplicates_in_list)
    );
    assert_eq!((looked.duplicates_in_campaign, looked.errors_count), (1, 1));
    assert_eq!(done.duplicates_in_campaign, 1);
    assert_eq!(looked.contacts.len(), 5);
    let regions: Vec<_> = looked.regions.into_iter().collect();
    let region = |region| (Some(region), 1);
    let expected = [Region::GB, Region::IT, Region::RU, Region::US].map(region);
    assert_eq!(regions, expected);
    assert_eq!(looked.time_zones.get("Europe/London"), Some(&1));
    let zones: u64 = looked.time_zones.values().sum();
    let unclear = looked.in_several_time_zones + looked.without_time_zone;
    assert_eq!(zones + unclear, looked.created);
    assert!(looked.in_several_time_zones > 0, "a Russian mobile");
}

#[tokio::test]
async fn a_list_of_wrong_rows_is_kept_row_by_row() {
    let (world, campaign, uploads) = draft().await;
    let rows = (2..12_002).map(|number| row(number, "x\0y")).collect();
    let campaigns = world.engine.campaigns();
    let done = campaigns.upload(&world.actor, campaign.id, list(rows).into());
    let done = done.await.unwrap();
    assert_eq!((done.created, done.errors_count), (0, 12_000));
    let errors = uploads.errors(&world.actor, &done, 11_999, 1_000).await;
    let errors = errors.unwrap();
    assert_eq!(errors.len(), 2);
    assert_eq!((errors[0].row, &*errors[0].value), (12_000, "x\u{fffd}y"));
}

#[tokio::test]
async fn a_campaign_comes_with_its_list_or_not_at_all() {
    let (world, campaign, _) = draft().await;
    let new = || voicesurvey_core::service::NewCampaign {
        quotas: None,
        name: "One step".to_owned(),
        description: String::new(),
        skillbase_id: Some(campaign.settings.skillbase_id),
        language: None,
        survey: samples::survey(),
        schedule: voicesurvey_core::service::NewSchedule::default(),
        pacing: voicesurvey_core::campaign::Pacing::default(),
        retry: campaign.settings.retry.clone(),
        target: None,
        budget: None,
        recording: false,
        calls: voicesurvey_core::campaign::CallSettings::default(),
    };
    let campaigns = world.engine.campaigns();
    let torn = Eventful {
        is_torn: true,
        ..Eventful::new(three_people())
    };
    let refused = campaigns.create_with_list(&world.actor, new(), Arc::new(torn));
    assert!(refused.await.is_err());
    let scope = Scope::Company(world.company.id);
    let page = PageRequest::first(10);
    let count = async || {
        let mut work = world.store.begin(scope).await.unwrap();
        work.campaigns().list(None, &page).await.unwrap().rows.len()
    };
    assert_eq!(count().await, 1);
    let made = campaigns.create_with_list(&world.actor, new(), three_people().into());
    let (made, upload) = made.await.unwrap();
    assert_eq!((upload.created, upload.campaign_id), (3, made.id));
    assert_eq!(total_tasks(&world, &made).await, 3);
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn readers_watch_and_strangers_see_nothing() {
    let (world, campaign, uploads) = draft().await;
    let begun = uploads.begin(&world.actor, campaign.id, "x.csv").await;
    let begun = begun.unwrap();
    let viewer = Actor {
        role: Role::Viewer,
        ..world.actor.clone()
    };
    let seen = uploads.get(&viewer, campaign.id, begun.id).await;
    assert_eq!(seen.unwrap(), begun);
    let refused = uploads.cancel(&viewer, campaign.id, begun.id).await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { .. })));
    let refused = uploads.begin(&viewer, campaign.id, "x.csv").await;
    assert!(matches!(refused, Err(ServiceError::Forbidden { .. })));
    let stranger = Actor {
        company_id: samples::company().id,
        ..world.actor.clone()
    };
    let page = PageRequest::first(10);
    let hidden = [
        uploads.get(&stranger, campaign.id, begun.id).await.err(),
        uploads.cancel(&stranger, campaign.id, begun.id).await.err(),
        uploads.list(&stranger, campaign.id, &page).await.err(),
        uploads.begin(&stranger, campaign.id, "x").await.err(),
        // An upload belongs to its campaign.
        uploads
            .get(&world.actor, samples::id(), begun.id)
            .await
            .err(),
    ];
    for error in hidden {
        assert!(
            matches!(error, Some(ServiceError::NotFound { .. })),
            "{error:?}"
        );
    }
}
