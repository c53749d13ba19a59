//! The conformance suite, every case on a file of its own.

use crate::file::SqliteUnderTest;

voicesurvey_core::storage_conformance!(SqliteUnderTest::create);
