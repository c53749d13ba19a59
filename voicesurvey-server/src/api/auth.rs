//! Who asks: a company's API key, or the operator's token, both as a bearer token.
//!
//! A handler that takes an [`Actor`] or an [`Operator`] cannot be reached without the right token;
//! what a role may do is decided by the services.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use subtle::ConstantTimeEq as _;
use voicesurvey_core::api_key::{Actor, ApiKeyHash};

use super::error::ApiError;
use crate::app::App;

/// Whoever runs the installation, proved by the token of the configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operator;

/// Either of the two.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// The operator.
    Operator,
    /// The holder of a company's key.
    Company(Actor),
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let token = bearer_token(parts).ok_or_else(ApiError::unauthenticated)?;
        if is_operator(app, token) {
            return Ok(Self::Operator);
        }
        let actor = app.companies.authenticate(token).await?;
        actor
            .map(Self::Company)
            .ok_or_else(ApiError::unauthenticated)
    }
}

impl FromRequestParts<App> for Operator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Operator => Ok(Self),
            Caller::Company(_) => Err(ApiError::forbidden("this needs the operator's token")),
        }
    }
}

impl FromRequestParts<App> for Actor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match Caller::from_request_parts(parts, app).await? {
            Caller::Company(actor) => Ok(actor),
            Caller::Operator => Err(ApiError::forbidden("this needs an API key of a company")),
        }
    }
}

fn bearer_token(parts: &Parts) -> Option<&str> {
    let credentials = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = credentials.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

fn is_operator(app: &App, token: &str) -> bool {
    let Some(expected) = &app.http.operator_token else {
        return false;
    };
    // Hashes are compared, so that not even the length can be measured.
    let (given, expected) = (ApiKeyHash::of(token), ApiKeyHash::of(expected));
    bool::from(given.as_bytes().ct_eq(expected.as_bytes())) && !token.is_empty()
}
