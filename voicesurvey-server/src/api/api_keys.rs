//! API keys of a company. The secret is in the answer that creates it and nowhere else.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::{Actor, ApiKey, Role};
use voicesurvey_core::id::ApiKeyId;
use voicesurvey_core::service::NewApiKey;
use voicesurvey_core::time::Timestamp;

use super::error::ApiError;
use super::extract::{Id, JsonBody, QueryParameters};
use super::fields::{Checks, Field, UnknownFields};
use super::page::{ListBody, PageQuery};
use crate::app::App;

const LIST: &str = "api-keys";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_api_keys, create_api_key))
        .routes(routes!(revoke_api_key))
}

/// A key to be made.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct NewApiKeyBody {
    /// What people call it.
    #[schema(value_type = String)]
    name: Field<String>,
    /// `viewer` reads; `manager` also runs campaigns; `admin` also manages keys.
    #[schema(value_type = String, example = "viewer")]
    role: Field<Role>,
    /// When it stops being accepted; never if it is left out.
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Field<Timestamp>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl NewApiKeyBody {
    fn read(self) -> Result<NewApiKey, ApiError> {
        let mut checks = Checks::default();
        let name = checks.name(self.name);
        let role = checks.required("role", self.role);
        let expires_at = checks.optional("expires_at", self.expires_at);
        checks.unknown(self.unknown);
        let (Some(name), Some(role)) = (name, role) else {
            return Err(checks.into());
        };
        checks.finish()?;
        Ok(NewApiKey {
            name,
            role,
            expires_at,
        })
    }
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ApiKeyBody {
    /// Its identifier.
    id: Uuid,
    /// Whose it is.
    company_id: Uuid,
    /// What people call it.
    name: String,
    /// How the secret begins.
    prefix: String,
    /// What its holder may do.
    role: &'static str,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it stops being accepted.
    expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    revoked_at: Option<DateTime<Utc>>,
}

impl From<ApiKey> for ApiKeyBody {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.as_uuid(),
            company_id: key.company_id.as_uuid(),
            name: key.name,
            prefix: key.prefix,
            role: key.role.name(),
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key that was just made, with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreatedApiKeyBody {
    /// The secret, to be sent as `Authorization: Bearer …`. It is shown once.
    key: String,
    #[serde(flatten)]
    body: ApiKeyBody,
}

/// Makes a key for the company. Needs the role admin.
#[utoipa::path(
    post, path = "/api/api-keys", tag = "api keys", request_body = NewApiKeyBody,
    responses((status = 201, body = CreatedApiKeyBody))
)]
async fn create_api_key(
    State(app): State<App>,
    actor: Actor,
    JsonBody(body): JsonBody<NewApiKeyBody>,
) -> Result<impl IntoResponse, ApiError> {
    let (key, secret) = app.companies.create_key(&actor, body.read()?).await?;
    let body = CreatedApiKeyBody {
        key: secret.reveal().to_owned(),
        body: key.into(),
    };
    Ok((StatusCode::CREATED, Json(body)))
}

/// The company's keys, revoked ones too. Needs the role admin.
#[utoipa::path(
    get, path = "/api/api-keys", tag = "api keys", params(PageQuery),
    responses((status = 200, body = ListBody<ApiKeyBody>))
)]
async fn list_api_keys(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<ApiKeyBody>>, ApiError> {
    let page = app.companies.keys(&actor, &query.read(LIST)?).await?;
    Ok(Json(ListBody::new(LIST, page, ApiKeyBody::from)))
}

/// Revokes a key, at once and for good. Needs the role admin.
#[utoipa::path(
    delete, path = "/api/api-keys/{id}", tag = "api keys",
    params(("id" = Uuid, Path, description = "The key")),
    responses((status = 200, body = ApiKeyBody))
)]
async fn revoke_api_key(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<ApiKeyId>,
) -> Result<Json<ApiKeyBody>, ApiError> {
    Ok(Json(app.companies.revoke_key(&actor, id).await?.into()))
}
