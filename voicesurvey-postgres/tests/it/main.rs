//! Integration tests on throw-away databases; each test has one of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod claims;
mod concurrency;
mod migrations;
mod query_plans;
mod queue_arithmetic;
mod row_level_security;
mod schema;
mod storage_conformance;
mod support;
