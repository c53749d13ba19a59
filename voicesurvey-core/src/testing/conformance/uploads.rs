//! The uploads of call lists.

use super::StorageUnderTest;
use super::support::{assert_conflict, begin, begin_as, commit, store_campaign, stored_company};
use crate::call_list::{RowError, Upload};
use crate::ports::Scope;
use crate::testing::samples;

/// An upload reads back with its row errors, in the order of the file.
pub async fn an_upload_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let error = |row| RowError {
        row,
        column: "phone_number".to_owned(),
        value: "n/a".to_owned(),
        reason: "Phone number contains letters".to_owned(),
        original: vec![
            "n/a".to_owned(),
            "Zoë \"Z\", Łukasz".to_owned(),
            String::new(),
        ],
    };
    let uploads = [
        samples::upload(&campaign),
        Upload {
            file_name: "клиенты.csv".to_owned(),
            total_rows: 5_000_000_000,
            created: 4_999_999_990,
            duplicates_in_list: 3,
            duplicates_in_campaign: 4,
            excluded: 5,
            errors: vec![error(9), error(3), error(4)],
            ..samples::upload(&campaign)
        },
    ];
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
