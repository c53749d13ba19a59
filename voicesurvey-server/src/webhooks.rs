//! Webhooks of the telephony provider: handed on as they arrived, answered as the core says.
//!
//! They need no token of ours: the provider signs them, over the public URL and the body as it was
//! sent, so nothing here reads or changes either. What a webhook says is committed before it is
//! answered; while that cannot be done the answer is 503, and the provider sends it again. Providers
//! may be told to ask by `GET`; then everything is in the query.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use voicesurvey_core::ports::{WebhookError, WebhookReply, WebhookRequest};
use voicesurvey_core::service::webhooks::WebhookFailure;

use crate::api::error::ApiError;
use crate::app::App;

/// The largest body; real ones have a few hundred bytes.
const LARGEST_BODY_BYTES: usize = 64 << 10;

/// The routes of the webhooks.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/webhooks/telephony/events", post(receive_event))
        .route(
            "/webhooks/{provider}/{endpoint}",
            post(receive).get(receive),
        )
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
}

/// An event for whichever provider is configured.
async fn receive_event(
    State(app): State<App>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    handle(&app, "events".to_owned(), &uri, &headers, body).await
}

/// A webhook of a provider by name. One that is not configured does not exist.
async fn receive(
    State(app): State<App>,
    Path((provider, endpoint)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    if provider != app.provider.name() {
        return Err(ApiError::not_found(
            "this telephony provider is not configured",
        ));
    }
    handle(&app, endpoint, &uri, &headers, body).await
}

async fn handle(
    app: &App,
    endpoint: String,
    uri: &Uri,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return ApiError::too_large("the webhook", LARGEST_BODY_BYTES);
        }
        unreadable("the webhook did not arrive as a whole").caused_by(rejection)
    })?;
    // Health checks and curious people send nothing, and get nothing.
    if body.is_empty() && uri.query().is_none() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let request = WebhookRequest {
        endpoint,
        url: format!("{}{uri}", app.http.public_url),
        headers: headers.iter().map(header_texts).collect(),
        body: body.into(),
    };
    let webhooks = app.engine.webhooks();
    let (reply, errand) = webhooks.take(&request).await?;
    if let Some(errand) = errand {
        let webhooks = webhooks.clone();
        tokio::spawn(async move { webhooks.run(errand).await });
    }
    Ok(response(reply))
}

fn header_texts((name, value): (&header::HeaderName, &HeaderValue)) -> (String, String) {
    let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
    (name.as_str().to_owned(), value)
}

fn response(reply: WebhookReply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    // OK because providers are written here; a status that is none becomes the one for bugs.
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(content_type) = reply.content_type {
        let content_type = HeaderValue::from_static(content_type);
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    response
}

fn unreadable(detail: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, "unreadable_webhook", detail)
}

impl From<WebhookFailure> for ApiError {
    fn from(failure: WebhookFailure) -> Self {
        match failure {
            WebhookFailure::Refused(WebhookError::BadSignature) => {
                Self::forbidden("the signature is missing or wrong")
            }
            WebhookFailure::Refused(WebhookError::Unreadable { what }) => {
                unreadable("the webhook cannot be read").caused_by(what)
            }
            WebhookFailure::Storage(error) => {
                let detail = "the webhook could not be stored; send it again";
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Self::new(status, "storage_unavailable", detail).caused_by(error)
            }
        }
    }
}
