//! The memory store passes the suite that every store passes.

use std::ops::Deref;

use voicesurvey_core::memory::MemoryStorage;
use voicesurvey_core::testing::samples;

struct MemoryUnderTest(MemoryStorage);

impl MemoryUnderTest {
    #[expect(
        clippy::unused_async,
        reason = "other stores have to wait for a database"
    )]
    async fn create() -> Self {
        Self(MemoryStorage::default().with_number_keys(samples::number_keys()))
    }
}

impl Deref for MemoryUnderTest {
    type Target = MemoryStorage;

    fn deref(&self) -> &MemoryStorage {
        &self.0
    }
}

voicesurvey_core::storage_conformance!(MemoryUnderTest::create);
