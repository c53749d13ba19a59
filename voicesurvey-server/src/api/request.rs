//! What happens around every request: it gets an identifier, and its error is written down.
//!
//! The identifier comes from the header `x-request-id`, so that it can be followed through several
//! systems, or is made here. It goes back in the same header and stands in every line of the log.

use std::any::Any;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;
use uuid::Uuid;

use super::error::ApiError;
use crate::app::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer identifiers are replaced: they come from outside, and go into the log.
const LONGEST_REQUEST_ID: usize = 64;

/// Serves a request, and turns the error it may have ended with into its final form.
pub(super) async fn serve(State(app): State<App>, request: Request, next: Next) -> Response {
    let request_id =
        given_id(request.headers()).unwrap_or_else(|| app.ids.next::<Uuid>().to_string());
    // Neither the path nor the query, which may hold telephone numbers and names.
    let route = request.extensions().get::<MatchedPath>();
    let span = tracing::info_span!(
        "request",
        request_id,
        method = %request.method(),
        route = route.map_or("-", MatchedPath::as_str),
    );
    async {
        let mut response = next.run(request).await;
        if let Some(error) = response.extensions_mut().remove::<ApiError>() {
            error.log();
            let rendered = error.render(&request_id);
            let (parts, body) = rendered.into_parts();
            response.headers_mut().extend(parts.headers);
            // The answer without its body had the length 0.
            response.headers_mut().remove(header::CONTENT_LENGTH);
            *response.body_mut() = body;
        }
        tracing::debug!(status = response.status().as_u16(), "request served");
        finish_headers(response.headers_mut(), &request_id);
        response
    }
    .instrument(span)
    .await
}

/// The identifier the client chose, if it is one that can be printed.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let printable = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    (!id.is_empty() && id.len() <= LONGEST_REQUEST_ID && id.chars().all(printable))
        .then(|| id.to_owned())
}

fn finish_headers(headers: &mut HeaderMap, request_id: &str) {
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, request_id);
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    // Answers hold personal data; what may be kept says so itself.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// The answer to a request whose handler panicked.
pub(super) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic
        .downcast::<String>()
        .map(|message| *message)
        .or_else(|panic| {
            panic
                .downcast::<&str>()
                .map(|message| (*message).to_owned())
        })
        .unwrap_or_else(|_| "no message".to_owned());
    ApiError::internal(format!("a handler panicked: {message}")).into_response()
}
