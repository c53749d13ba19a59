//! Tests of the server through its doors: HTTP, and the commands of its binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod api_call_settings;
mod api_calls;
mod api_campaign_life;
mod api_campaign_rules;
mod api_campaigns;
mod api_companies;
mod api_document;
mod api_dry_run;
mod api_erasures;
mod api_errors;
mod api_exclusions;
mod api_exports;
mod api_operation;
mod api_quotas;
mod api_results;
mod api_review;
mod api_surveys;
mod api_test_conversation;
mod api_upload_jobs;
mod api_uploads;
mod api_webhooks;
mod commands;
mod demo;
mod dry_run_command;
mod interpret_command;
mod interview_command;
mod kill;
mod language_model;
mod leadership;
mod preflight;
mod preflight_twilio;
mod servers;
mod stand_in;
mod stopping;
mod support;
mod tenant_isolation;
mod twilio;
mod twilio_campaigns;
mod twilio_conformance;
mod twilio_stand_in;
