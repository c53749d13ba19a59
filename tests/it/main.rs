//! Tests of the workspace as a whole: its structure, its examples, and programs that embed it.

mod embedder_with_mocks;
mod examples;
mod promises;
mod tidy;
