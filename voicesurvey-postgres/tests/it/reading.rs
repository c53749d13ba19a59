//! Units of work that only read.

use voicesurvey_core::ports::{Scope, Storage as _};
use voicesurvey_core::testing::samples;

use crate::concurrency::store;
use crate::support::PostgresUnderTest;

#[tokio::test]
async fn what_is_read_is_one_state_and_nothing_is_written() {
    let database = PostgresUnderTest::create().await;
    let (first, second) = (samples::company(), samples::company());
    store(&database, &first, &[]).await;
    let mut reading = database.begin_reading(Scope::Platform).await.unwrap();
    let found = reading.companies().get(first.id).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    store(&database, &second, &[]).await;
    let found = reading.companies().get(second.id).await.unwrap();
    assert_eq!(found, None);
    let refused = reading.companies().insert(&samples::company()).await;
    assert!(refused.is_err());
    drop(reading);

    // A company still sees its own only.
    let scope = Scope::Company(first.id);
    let mut reading = database.begin_reading(scope).await.unwrap();
    assert!(reading.companies().get(first.id).await.unwrap().is_some());
    assert_eq!(reading.companies().get(second.id).await.unwrap(), None);
}
