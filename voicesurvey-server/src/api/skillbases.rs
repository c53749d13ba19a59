//! Skillbases: who speaks in the name of a company, and how.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;
use voicesurvey_core::api_key::Actor;
use voicesurvey_core::id::SkillbaseId;
use voicesurvey_core::language::Language;
use voicesurvey_core::service::SkillbaseContent;
use voicesurvey_core::skillbase::{Persona, Skillbase};

use super::error::ApiError;
use super::extract::{Id, JsonBody, QueryParameters};
use super::fields::{Checks, Field, UnknownFields};
use super::page::{ListBody, PageQuery};
use crate::app::App;

const LIST: &str = "skillbases";

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_skillbases, create_skillbase))
        .routes(routes!(get_skillbase, replace_skillbase, delete_skillbase))
}

/// What a skillbase says and how. An edit replaces all of it.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub(super) struct SkillbaseContentBody {
    /// What people call it.
    #[schema(value_type = String)]
    name: Field<String>,
    /// The language it speaks.
    #[schema(value_type = String, example = "it")]
    language: Field<Language>,
    /// The provider's name of the voice; absent means its default for the language.
    #[schema(value_type = Option<String>)]
    voice: Field<String>,
    /// Who it is: "assistant of the customer service".
    #[schema(value_type = Option<String>)]
    role: Field<String>,
    /// How it speaks: "friendly, short sentences".
    #[schema(value_type = Option<String>)]
    style: Field<String>,
    /// What it must and must not do.
    #[schema(value_type = Option<Vec<String>>)]
    rules: Field<Vec<String>>,
    /// What it may say when asked.
    #[schema(value_type = Option<Vec<String>>)]
    facts: Field<Vec<String>>,
    /// After so many seconds a call is ended politely; 600 if it is left out.
    #[schema(value_type = Option<u32>, minimum = 30, maximum = 3600)]
    longest_call_seconds: Field<u32>,
    /// Spoken when a call ends before the interview is complete.
    #[schema(value_type = Option<String>)]
    closing: Field<String>,
    #[serde(flatten)]
    #[schema(ignore)]
    unknown: UnknownFields,
}

impl SkillbaseContentBody {
    fn read(self) -> Result<SkillbaseContent, ApiError> {
        let mut checks = Checks::default();
        let name = checks.name(self.name);
        let language = checks.required("language", self.language);
        let voice = checks.optional("voice", self.voice);
        let persona = Persona {
            role: checks.optional("role", self.role).unwrap_or_default(),
            style: checks.optional("style", self.style).unwrap_or_default(),
            rules: checks.optional("rules", self.rules).unwrap_or_default(),
            facts: checks.optional("facts", self.facts).unwrap_or_default(),
        };
        let longest_call = checks
            .optional("longest_call_seconds", self.longest_call_seconds)
            .map_or(Skillbase::DEFAULT_LONGEST_CALL, |seconds| {
                Duration::from_secs(seconds.into())
            });
        let closing = checks.optional("closing", self.closing);
        checks.unknown(self.unknown);
        let (Some(name), Some(language)) = (name, language) else {
            return Err(checks.into());
        };
        checks.finish()?;
        Ok(SkillbaseContent {
            name,
            language,
            voice,
            persona,
            longest_call,
            closing,
        })
    }
}

/// A skillbase.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SkillbaseBody {
    /// Its identifier.
    id: Uuid,
    /// Whose it is.
    company_id: Uuid,
    /// What people call it.
    name: String,
    /// The language it speaks.
    language: &'static str,
    /// The provider's name of the voice.
    voice: Option<String>,
    /// Who it is.
    role: String,
    /// How it speaks.
    style: String,
    /// What it must and must not do.
    rules: Vec<String>,
    /// What it may say when asked.
    facts: Vec<String>,
    /// After so many seconds a call is ended politely.
    longest_call_seconds: u64,
    /// Spoken when a call ends before the interview is complete.
    closing: Option<String>,
    /// Whether campaigns in this language get it when they name none.
    is_default: bool,
    /// Rises by one on every edit.
    version: u32,
    /// When it was created.
    created_at: DateTime<Utc>,
    /// When it was last edited.
    updated_at: DateTime<Utc>,
}

impl From<Skillbase> for SkillbaseBody {
    fn from(skillbase: Skillbase) -> Self {
        Self {
            id: skillbase.id.as_uuid(),
            company_id: skillbase.company_id.as_uuid(),
            name: skillbase.name,
            language: skillbase.language.code(),
            voice: skillbase.voice,
            role: skillbase.persona.role,
            style: skillbase.persona.style,
            rules: skillbase.persona.rules,
            facts: skillbase.persona.facts,
            longest_call_seconds: skillbase.longest_call.as_secs(),
            closing: skillbase.closing,
            is_default: skillbase.is_default,
            version: skillbase.version,
            created_at: skillbase.created_at,
            updated_at: skillbase.updated_at,
        }
    }
}

/// Creates a skillbase. Needs the role manager.
#[utoipa::path(
    post, path = "/api/skillbases", tag = "skillbases", request_body = SkillbaseContentBody,
    responses((status = 201, body = SkillbaseBody))
)]
async fn create_skillbase(
    State(app): State<App>,
    actor: Actor,
    JsonBody(body): JsonBody<SkillbaseContentBody>,
) -> Result<impl IntoResponse, ApiError> {
    let skillbase = app.skillbases.create(&actor, body.read()?).await?;
    let location = [(
        header::LOCATION,
        format!("/api/skillbases/{}", skillbase.id),
    )];
    Ok((
        StatusCode::CREATED,
        location,
        Json(SkillbaseBody::from(skillbase)),
    ))
}

/// The company's skillbases, in the order of their creation.
#[utoipa::path(
    get, path = "/api/skillbases", tag = "skillbases", params(PageQuery),
    responses((status = 200, body = ListBody<SkillbaseBody>))
)]
async fn list_skillbases(
    State(app): State<App>,
    actor: Actor,
    QueryParameters(query): QueryParameters<PageQuery>,
) -> Result<Json<ListBody<SkillbaseBody>>, ApiError> {
    let page = app.skillbases.list(&actor, &query.read(LIST)?).await?;
    Ok(Json(ListBody::new(LIST, page, SkillbaseBody::from)))
}

/// One skillbase.
#[utoipa::path(
    get, path = "/api/skillbases/{id}", tag = "skillbases",
    params(("id" = Uuid, Path, description = "The skillbase")),
    responses((status = 200, body = SkillbaseBody))
)]
async fn get_skillbase(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<SkillbaseId>,
) -> Result<Json<SkillbaseBody>, ApiError> {
    Ok(Json(app.skillbases.get(&actor, id).await?.into()))
}

/// Replaces what a skillbase says; its version rises by one. Campaigns that have started keep what
/// they froze. Needs the role manager.
#[utoipa::path(
    put, path = "/api/skillbases/{id}", tag = "skillbases",
    params(("id" = Uuid, Path, description = "The skillbase")),
    request_body = SkillbaseContentBody, responses((status = 200, body = SkillbaseBody))
)]
async fn replace_skillbase(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<SkillbaseId>,
    JsonBody(body): JsonBody<SkillbaseContentBody>,
) -> Result<Json<SkillbaseBody>, ApiError> {
    let skillbase = app.skillbases.replace(&actor, id, body.read()?).await?;
    Ok(Json(skillbase.into()))
}

/// Removes a skillbase that no campaign uses. Needs the role manager.
#[utoipa::path(
    delete, path = "/api/skillbases/{id}", tag = "skillbases",
    params(("id" = Uuid, Path, description = "The skillbase")), responses((status = 204))
)]
async fn delete_skillbase(
    State(app): State<App>,
    actor: Actor,
    Id(id): Id<SkillbaseId>,
) -> Result<StatusCode, ApiError> {
    app.skillbases.delete(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
