//! The HTTP API: its routes, its OpenAPI document, and what is common to all answers.
//!
//! Handlers extract, ask a service and answer; they decide nothing. Bodies stand beside the
//! handlers that use them, and those for writing are never those for reading, so that no field can
//! be written by accident. Every error is a problem ([`error`]), also those of axum itself.
//!
//! # Adding an operation
//!
//! Write the handler with `#[utoipa::path]` in the file of its resource and name it in `routes` there.
//! The tests fail until it has a case in `tenant_isolation.rs` and the snapshot of the document is
//! accepted.

mod answers;
mod api_keys;
mod attempts;
mod auth;
mod calls;
mod calls_over_time;
mod campaign_body;
mod campaigns;
mod companies;
mod contact_filter;
mod contacts;
mod docs;
mod dry_run;
mod erasures;
pub mod error;
mod exclusions;
mod exports;
mod extract;
mod fields;
mod forecast;
mod health;
mod outcomes;
mod page;
mod rates;
mod reading;
mod request;
mod results;
mod skillbases;
mod stats;
mod test_conversation;
mod uploads;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use self::error::ApiError;
use crate::app::App;
use crate::webhooks;

/// Everything the server answers: the API, its documentation and the provider's webhooks.
pub fn router(app: App) -> Router {
    let (api, document) = operations().split_for_parts();
    Router::new()
        .merge(api)
        .merge(docs::router(docs::complete(document)))
        .merge(webhooks::router())
        .fallback(async || ApiError::not_found("there is no such path"))
        .method_not_allowed_fallback(async || {
            let detail = "this path does not take this method; see the header 'Allow'";
            ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        })
        .layer(CatchPanicLayer::custom(request::panicked))
        .layer(from_fn_with_state(app.clone(), request::serve))
        .with_state(app)
}

/// The OpenAPI document of the API.
pub fn openapi() -> OpenApi {
    docs::complete(operations().into_openapi())
}

fn operations() -> OpenApiRouter<App> {
    docs::described()
        .merge(companies::routes())
        .merge(api_keys::routes())
        .merge(skillbases::routes())
        .merge(campaigns::routes())
        .merge(dry_run::routes())
        .merge(test_conversation::routes())
        .merge(contacts::routes())
        .merge(exclusions::routes())
        .merge(erasures::routes())
        .merge(calls::routes())
        .merge(attempts::routes())
        .merge(answers::routes())
        .merge(stats::routes())
        .merge(results::routes())
        .merge(rates::routes())
        .merge(exports::routes())
        .merge(outcomes::routes())
        .merge(health::routes())
        .merge(uploads::routes())
        // Forms that bring a file set their own.
        .layer(DefaultBodyLimit::max(extract::LARGEST_JSON_BYTES))
}

/// A number as JSON has it: whole where it is whole.
fn number(number: Decimal) -> Value {
    let whole = number.normalize().to_string().parse::<i64>();
    whole.map_or_else(|_| number.to_f64().into(), Value::from)
}
