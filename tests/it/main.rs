//! Tests of the workspace as a whole: its structure, its examples, and programs that embed it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod embedder_with_mocks;
mod examples;
mod simulation;
mod tidy;
