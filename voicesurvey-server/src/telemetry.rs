//! The log: where it goes, how a line looks, and one line per HTTP request.
//!
//! The invariant: no phone number, token, query or body gets into the access log. A request is
//! named by its route, `/api/exclusions/{number}`, never by the path that was asked for.

use std::io::IsTerminal as _;
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tracing::level_filters::LevelFilter;
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

/// Logs every request when it has been answered, under the identifier that the answer carries.
pub fn access_log(router: Router) -> Router {
    router.layer(from_fn(log_when_answered))
}

async fn log_when_answered(request: Request, next: Next) -> Response {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is the answer's own time that is measured"
    )]
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let request_id = response
        .headers()
        .get("x-request-id")
        .and_then(|id| id.to_str().ok());
    tracing::info!(
        request_id,
        %method,
        route = route.as_ref().map_or("-", MatchedPath::as_str),
        status = response.status().as_u16(),
        milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}
