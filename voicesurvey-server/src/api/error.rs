//! The one error of the API, and how it looks from outside: `application/problem+json` (RFC 9457).
//!
//! What went wrong inside is for the log, together with the request's identifier; it is never part
//! of the body. A handler answers with an [`ApiError`], and the middleware around all requests
//! writes it down, because only there the identifier is known.

use std::error::Error;
use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::service::{FieldError, ServiceError};

use crate::readiness::NotReady;

/// After so many seconds it is worth asking again while the store cannot be reached.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Why a request was not carried out.
#[derive(Clone, Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl ApiError {
    /// An error with a stable `code` for programs and a `detail` for people.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            cause: None,
        }
    }

    /// The body was understood, and these fields of it cannot be used.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = summary(&errors, "fields");
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", detail)
        }
    }

    /// These parameters of the query cannot be used.
    pub fn invalid_query(errors: Vec<FieldError>) -> Self {
        let detail = summary(&errors, "parameters of the query");
        Self {
            errors,
            ..Self::new(StatusCode::BAD_REQUEST, "invalid_query", detail)
        }
    }

    /// No valid token was presented.
    pub fn unauthenticated() -> Self {
        let detail = "send a valid API key: 'Authorization: Bearer vsk_…'";
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
    }

    /// The token is valid and does not allow this.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// There is no such thing, or it is somebody else's.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The body is larger than `limit` bytes.
    pub fn too_large(what: &str, limit: usize) -> Self {
        let detail = format!("{what} is too large: send at most {}", size(limit));
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    /// A bug or a fault of the system; only the log says which.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let detail = "something went wrong here; the log names the cause under this request_id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", detail).caused_by(cause)
    }

    /// Remembers the cause for the log.
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            cause: Some(Arc::from(cause.into())),
            ..self
        }
    }

    /// Writes the error to the log, with the severity it deserves: only what somebody must mend is
    /// an error.
    pub(super) fn log(&self) {
        let cause = self.cause.as_deref().map(|cause| cause as &dyn Error);
        let (code, detail) = (self.code, &self.detail);
        // Without a cause it is an answer to be expected, such as that the server stops.
        if self.status.is_server_error() && cause.is_some() {
            tracing::error!(code, error = cause, "a request failed: {detail}");
        } else {
            tracing::debug!(code, error = cause, "a request was refused: {detail}");
        }
    }

    /// The answer, complete.
    pub(super) fn render(self, request_id: &str) -> Response {
        let body = ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            errors: self.errors.into_iter().map(FieldErrorBody::from).collect(),
            request_id: request_id.to_owned(),
        };
        let content_type = HeaderValue::from_static("application/problem+json");
        (
            self.status,
            [(header::CONTENT_TYPE, content_type)],
            Json(body),
        )
            .into_response()
    }
}

/// What is wrong in one sentence: the whole of it, if it is one thing.
fn summary(errors: &[FieldError], what: &str) -> String {
    match errors {
        [error] => format!("{}: {}", error.field, error.message),
        errors => format!("{} {what} are wrong; see errors", errors.len()),
    }
}

/// A number of bytes as people say it.
fn size(bytes: usize) -> String {
    const UNITS: [(usize, &str); 2] = [(1 << 20, "MiB"), (1 << 10, "KiB")];
    UNITS
        .iter()
        .find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .map_or(format!("{bytes} bytes"), |(unit, name)| {
            format!("{} {name}", bytes / unit)
        })
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound { .. } => Self::not_found(error.to_string()),
            ServiceError::Forbidden { .. } => Self::forbidden(error.to_string()),
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::NotAllowed { code, message } => {
                Self::new(StatusCode::CONFLICT, code, message)
            }
            ServiceError::Storage(error) => error.into(),
        }
    }
}

impl From<StorageError> for ApiError {
    fn from(error: StorageError) -> Self {
        let (status, code, detail) = match &error {
            StorageError::Conflict { .. } => (
                StatusCode::CONFLICT,
                "conflict",
                "somebody else changed it at the same time; read it again and repeat",
            ),
            StorageError::Unavailable(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                "the store cannot be reached; try again",
            ),
            StorageError::NotMigrated { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not_migrated",
                "the database is not migrated; run 'voicesurvey migrate'",
            ),
            StorageError::Corrupt { .. } | StorageError::NotLeader | StorageError::Failed(_) => {
                return Self::internal(error);
            }
        };
        Self::new(status, code, detail).caused_by(error)
    }
}

impl From<NotReady> for ApiError {
    fn from(why: NotReady) -> Self {
        let (code, detail) = match why {
            NotReady::Draining => ("stopping", "the server is about to stop".to_owned()),
            NotReady::Failing(engine_loop) => {
                let detail = format!("{} fails; the log names the cause", engine_loop.name());
                ("engine_failing", detail)
            }
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
    }
}

/// What every error looks like.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Always `about:blank`: `code` tells errors apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The name of the HTTP status.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// What is wrong, for programs: it stays the same when the words change.
    code: &'static str,
    /// The fields that are wrong, all of them.
    errors: Vec<FieldErrorBody>,
    /// Names this request in the log.
    request_id: String,
}

/// One wrong field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldErrorBody {
    /// The field, as the request names it: `questions[1].text`.
    field: String,
    /// What is wrong with it, and what would be right.
    message: String,
}

impl From<FieldError> for FieldErrorBody {
    fn from(error: FieldError) -> Self {
        Self {
            field: error.field,
            message: error.message,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_said_in_the_largest_even_unit() {
        let sizes = [20 << 20, 256 << 10, 1000].map(size);
        assert_eq!(sizes, ["20 MiB", "256 KiB", "1000 bytes"]);
    }
}
