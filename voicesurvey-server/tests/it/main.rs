//! Tests of the server through its doors: HTTP, and the commands of its binary.

mod api_calls;
mod api_campaigns;
mod api_companies;
mod api_document;
mod api_errors;
mod api_uploads;
mod api_webhooks;
mod commands;
mod support;
mod tenant_isolation;
