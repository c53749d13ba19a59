//! The suite that every store passes.

use crate::support::PostgresUnderTest;

voicesurvey_core::storage_conformance!(PostgresUnderTest::create);
