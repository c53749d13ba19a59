//! The uploads of call lists.

use super::StorageUnderTest;
use super::support::{assert_conflict, begin, begin_as, commit, store_campaign, stored_company};
use crate::call_list::{RowError, Upload, UploadStatus};
use crate::campaign::Campaign;
use crate::phone_number::PhoneNumber;
use crate::ports::{PageRequest, Scope};
use crate::testing::samples;

fn error(row: u64) -> RowError {
    RowError {
        row,
        column: "phone_number".to_owned(),
        value: "n/a".to_owned(),
        reason: "Phone number contains letters".to_owned(),
        original: vec![
            "n/a".to_owned(),
            "Zoë \"Z\", Łukasz".to_owned(),
            String::new(),
        ],
    }
}

fn running(campaign: &Campaign) -> Upload {
    Upload {
        status: UploadStatus::Running,
        percent: 0,
        ..samples::upload(campaign)
    }
}

/// An upload reads back in every status, with whatever was counted.
pub async fn an_upload_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let mut uploads = vec![Upload {
        file_name: "клиенты.csv".to_owned(),
        failure: Some("row 7: \"torn\"".to_owned()),
        percent: 99,
        rows_read: 4_999_999_999,
        total_rows: 5_000_000_000,
        created: 4_999_999_990,
        duplicates_in_list: 3,
        duplicates_in_campaign: 4,
        excluded: 5,
        erased: 7,
        errors_count: 6,
        ..samples::upload(&campaign)
    }];
    uploads.extend(UploadStatus::ALL.map(|status| Upload {
        status,
        ..samples::upload(&campaign)
    }));
    let mut work = begin(store, &company).await;
    for upload in &uploads {
        work.call_lists().insert(upload).await.unwrap();
    }
    commit(work).await;
    for upload in uploads {
        let mut work = begin_as(store, Scope::Platform).await;
        assert_eq!(
            work.call_lists().get(upload.id).await.unwrap(),
            Some(upload)
        );
    }
}

/// An identifier names one upload.
pub async fn an_upload_cannot_be_added_twice(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let upload = samples::upload(&campaign);
    let mut work = begin(store, &company).await;
    work.call_lists().insert(&upload).await.unwrap();
    assert_conflict(work.call_lists().insert(&upload).await);
}

/// An upload that runs is written over until it has ended, and then stays as it ended.
pub async fn an_upload_ends_once(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let upload = running(&campaign);
    let on_its_way = Upload {
        percent: 40,
        rows_read: 2,
        updated_at: samples::now() + chrono::TimeDelta::seconds(5),
        ..upload.clone()
    };
    let done = Upload {
        columns: vec!["phone".to_owned(), "name".to_owned(), String::new()],
        status: UploadStatus::Done,
        percent: 100,
        created: 3,
        ..on_its_way.clone()
    };
    let failed = Upload {
        status: UploadStatus::Failed,
        failure: Some("too late".to_owned()),
        ..on_its_way.clone()
    };
    let mut work = begin(store, &company).await;
    assert!(!work.call_lists().update(&on_its_way).await.unwrap());
    work.call_lists().insert(&upload).await.unwrap();
    commit(work).await;
    for (written, expected) in [(&on_its_way, true), (&done, true), (&failed, false)] {
        let mut work = begin(store, &company).await;
        assert_eq!(work.call_lists().update(written).await.unwrap(), expected);
        commit(work).await;
    }
    let mut work = begin(store, &company).await;
    assert_eq!(work.call_lists().get(done.id).await.unwrap(), Some(done));
}

/// The uploads of a campaign are listed newest first, page by page.
pub async fn uploads_are_listed_newest_first(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let mut uploads: Vec<Upload> = (0..5).map(|_| samples::upload(&campaign)).collect();
    let mut work = begin(store, &company).await;
    for upload in &uploads {
        work.call_lists().insert(upload).await.unwrap();
    }
    let elsewhere = samples::upload(&other);
    work.call_lists().insert(&elsewhere).await.unwrap();
    commit(work).await;
    uploads.reverse();
    let mut work = begin(store, &company).await;
    let mut listed = Vec::new();
    let mut page = PageRequest::first(2);
    loop {
        let found = work.call_lists().list(campaign.id, &page).await.unwrap();
        listed.extend(found.rows);
        let Some(next) = found.next else { break };
        page = PageRequest::after(next, 2);
    }
    assert_eq!(listed, uploads);
}

/// Rows that were not taken read back in the order of the file, in parts, whatever order they
/// came in; a row is added once.
pub async fn rows_that_were_not_taken_read_back_in_order(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let upload = running(&campaign);
    let empty = RowError {
        value: String::new(),
        original: Vec::new(),
        ..error(5_000_000_000)
    };
    let mut work = begin(store, &company).await;
    work.call_lists().insert(&upload).await.unwrap();
    let lists = work.call_lists();
    lists.insert_errors(&upload, &[]).await.unwrap();
    let some = [error(9), empty.clone()];
    lists.insert_errors(&upload, &some).await.unwrap();
    let more = [error(3), error(10)];
    lists.insert_errors(&upload, &more).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &company).await;
    let lists = work.call_lists();
    let first = lists.errors(upload.id, 0, 2).await.unwrap();
    assert_eq!(first, [error(3), error(9)]);
    let others = lists.errors(upload.id, 9, 10).await.unwrap();
    assert_eq!(others, [error(10), empty]);
    assert_conflict(lists.insert_errors(&upload, &[error(3)]).await);
}

/// Rows of an upload that does not exist, or is another company's, cannot be added, and those of
/// others do not exist.
pub async fn rows_belong_to_the_upload_of_a_company(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let stranger = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let upload = running(&campaign);
    let mut work = begin(store, &company).await;
    work.call_lists().insert(&upload).await.unwrap();
    let lists = work.call_lists();
    lists.insert_errors(&upload, &[error(3)]).await.unwrap();
    commit(work).await;
    let mut work = begin(store, &stranger).await;
    let errors = work.call_lists().errors(upload.id, 0, 10).await.unwrap();
    assert_eq!(errors, []);
    let page = PageRequest::first(10);
    let listed = work.call_lists().list(campaign.id, &page).await.unwrap();
    assert_eq!(listed.rows, []);
    assert_conflict(work.call_lists().update(&upload).await);
    drop(work);
    let mut work = begin(store, &stranger).await;
    assert_conflict(work.call_lists().insert_errors(&upload, &[error(4)]).await);
    drop(work);
    let mut work = begin(store, &company).await;
    let unknown = running(&campaign);
    assert_conflict(work.call_lists().insert_errors(&unknown, &[error(4)]).await);
}

/// What a unit of work added of a list is gone with it: people, rows and the end of the upload.
pub async fn a_list_is_added_as_a_whole_or_not_at_all(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let upload = running(&campaign);
    let mut work = begin(store, &company).await;
    work.call_lists().insert(&upload).await.unwrap();
    commit(work).await;
    let done = Upload {
        status: UploadStatus::Done,
        ..upload.clone()
    };
    let mut work = begin(store, &company).await;
    assert!(work.call_lists().take_turn(campaign.id).await.unwrap());
    let tasks = samples::tasks(&campaign, 1, 3);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    let lists = work.call_lists();
    lists.insert_errors(&upload, &[error(3)]).await.unwrap();
    assert!(lists.update(&done).await.unwrap());
    drop(work);
    let mut work = begin(store, &company).await;
    let lists = work.call_lists();
    assert!(lists.take_turn(campaign.id).await.unwrap());
    assert_eq!(lists.get(upload.id).await.unwrap(), Some(upload.clone()));
    assert_eq!(lists.errors(upload.id, 0, 10).await.unwrap(), []);
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    assert_eq!(counters.total_tasks(), 0);
}

/// Of many numbers, those that a campaign has are told, and not those of another one.
pub async fn numbers_of_a_campaign_are_found_among_many(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let stranger = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let other = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin(store, &company).await;
    let tasks = samples::tasks(&campaign, 1, 3);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    let tasks = samples::tasks(&other, 4, 2);
    work.call_tasks().insert_many(&tasks).await.unwrap();
    commit(work).await;
    let numbers: Vec<PhoneNumber> = (2..2_002).map(samples::phone_number).collect();
    let mut work = begin(store, &company).await;
    let known = work.call_tasks().numbers_among(campaign.id, &numbers);
    assert_eq!(known.await.unwrap(), numbers[..2].iter().copied().collect());
    let none = work.call_tasks().numbers_among(campaign.id, &[]);
    assert!(none.await.unwrap().is_empty());
    drop(work);
    let mut work = begin(store, &stranger).await;
    let unknown = work.call_tasks().numbers_among(campaign.id, &numbers);
    assert!(unknown.await.unwrap().is_empty());
}
