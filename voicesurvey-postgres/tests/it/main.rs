//! Integration tests on throw-away databases; each test has one of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod audit;
mod claims;
mod concurrency;
mod cut_connections;
mod leader;
mod migrations;
mod proxy;
mod query_plans;
mod queue_arithmetic;
mod reading;
mod restarts;
mod row_level_security;
mod schema;
mod stopping;
mod storage_conformance;
mod support;
mod uploads;
