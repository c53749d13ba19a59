//! Extractors that answer with problems instead of axum's plain texts.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use uuid::Uuid;
use voicesurvey_core::service::ServiceError;

use super::error::ApiError;

/// The largest JSON body, in bytes.
pub(super) const LARGEST_JSON_BYTES: usize = 256 << 10;

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub(super) struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "send the body as JSON, with the header 'Content-Type: application/json'",
            ));
        }
        let body = Bytes::from_request(request, state).await;
        let body =
            body.map_err(|rejection| unread("the JSON body", LARGEST_JSON_BYTES, rejection))?;
        read_json(&body).map(Self)
    }
}

/// Reads JSON, or says where it ends being JSON.
pub(super) fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data if body.trim_ascii().starts_with(b"{") => {
            let detail = format!("the body cannot be used: {error}");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail)
        }
        Category::Data => {
            let detail = "the body must be a JSON object";
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", detail)
        }
        Category::Syntax | Category::Eof | Category::Io => {
            let detail = format!("the body is not valid JSON: {error}");
            ApiError::new(StatusCode::BAD_REQUEST, "invalid_json", detail)
        }
    })
}

/// Reads a JSON body that may be left out.
pub(super) fn read_json_or_default<T: DeserializeOwned + Default>(
    body: Result<Bytes, BytesRejection>,
) -> Result<T, ApiError> {
    let body = body.map_err(|error| unread("the JSON body", LARGEST_JSON_BYTES, error))?;
    if body.is_empty() {
        Ok(T::default())
    } else {
        read_json(&body)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// A body that did not arrive, or not as a whole.
pub(super) fn unread(what: &str, limit: usize, rejection: BytesRejection) -> ApiError {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ApiError::too_large(what, limit);
    }
    let detail = format!("{what} did not arrive as a whole");
    ApiError::new(StatusCode::BAD_REQUEST, "unreadable_body", detail).caused_by(rejection)
}

/// The identifier in the path. What is no identifier names nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Id<T>(pub T);

impl<T: From<Uuid>, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id.into())).map_err(|_| no_uuid())
    }
}

/// The two identifiers in the path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids<T, U>(pub T, pub U);

impl<T: From<Uuid>, U: From<Uuid>, S: Send + Sync> FromRequestParts<S> for Ids<T, U> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let ids = Path::<(Uuid, Uuid)>::from_request_parts(parts, state).await;
        ids.map(|Path((first, second))| Self(first.into(), second.into()))
            .map_err(|_| no_uuid())
    }
}

/// The identifier in the path and the name after it.
#[derive(Clone, Debug)]
pub(super) struct IdAndName<T>(pub T, pub String);

impl<T: From<Uuid>, S: Send + Sync> FromRequestParts<S> for IdAndName<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let both = Path::<(Uuid, String)>::from_request_parts(parts, state).await;
        both.map(|Path((id, name))| Self(id.into(), name))
            .map_err(|_| no_uuid())
    }
}

fn no_uuid() -> ApiError {
    ApiError::not_found("an identifier in the path is no UUID")
}

/// Nothing in the body of a request whose parameters are all in the URL. Passed over, they would bring
/// something else than what was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state).await;
        if body.is_ok_and(|body| body.is_empty()) {
            return Ok(Self);
        }
        let message = "must be empty: the parameters of this request are in its URL";
        Err(ServiceError::invalid("body", message).into())
    }
}

/// The parameters of the query.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryParameters<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for QueryParameters<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|rejection| {
                let detail = rejection.body_text();
                ApiError::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
            })
    }
}
