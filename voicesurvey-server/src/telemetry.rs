//! The log: where it goes, how a line looks, and one line per HTTP request.
//!
//! The invariant: no phone number, token, query or body gets into the access log. A request is
//! named by its route, `/api/exclusions/{number}`, never by the path that was asked for.

use std::io::IsTerminal as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{Request, Response};
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::trace::{OnFailure, OnRequest, TraceLayer};
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry};

use crate::config::{LogConfig, LogFormat, LogLevel};

/// Begins to log to standard error. A second time in one process changes nothing.
pub fn start(log: LogConfig) {
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    // OK because only a program that logs by itself, such as a test, has begun before.
    let _ = Registry::default()
        .with(lines.with_filter(filter(log.level)))
        .try_init();
}

fn filter(level: LogLevel) -> Targets {
    let ours = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    // One prefix names all crates of the project.
    Targets::new()
        .with_default(ours.min(LevelFilter::WARN))
        .with_target("voicesurvey", ours)
}

/// Gives every request an id, which its answer and every line about it carry, and logs it when it
/// has been answered.
pub fn access_log(router: Router) -> Router {
    let trace = TraceLayer::new_for_http()
        .make_span_with(request_span)
        .on_request(Silent)
        .on_response(answered)
        .on_failure(Silent);
    // The last layer is the outermost: the id is set before the span reads it.
    router
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(trace)
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

fn request_span(request: &Request<Body>) -> Span {
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unknown", MatchedPath::as_str);
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok());
    // Of the highest level, so that warnings carry it also where nothing else is logged.
    tracing::error_span!("request", id, method = %request.method(), route)
}

fn answered(response: &Response<Body>, latency: Duration, _: &Span) {
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
    // What went wrong was logged where it was handled.
    if response.status().is_server_error() {
        tracing::event!(Level::WARN, status, milliseconds, "answered");
    } else {
        tracing::event!(Level::INFO, status, milliseconds, "answered");
    }
}

/// Says nothing: one line per request is enough.
#[derive(Clone, Copy, Debug)]
struct Silent;

impl<B> OnRequest<B> for Silent {
    fn on_request(&mut self, _: &Request<B>, _: &Span) {}
}

impl<C> OnFailure<C> for Silent {
    fn on_failure(&mut self, _: C, _: Duration, _: &Span) {}
}
