//! Skillbases.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use voicesurvey_core::id::SkillbaseId;
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{Page, PageRequest, SkillbaseRepository, StorageError};
use voicesurvey_core::skillbase::Skillbase;

use crate::error::written;
use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, id, name, language, voice, persona, longest_call_seconds, closing, \
         is_default, created_at, updated_at, version"
    };
}

fn skillbase(row: &PgRow) -> Result<Skillbase, StorageError> {
    let row = Reader::new("skillbases", row);
    Ok(Skillbase {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        name: row.get("name")?,
        language: row.parsed("language")?,
        voice: row.get("voice")?,
        persona: row.document("persona")?,
        longest_call: Duration::from_secs(row.number("longest_call_seconds")?),
        closing: row.get("closing")?,
        is_default: row.get("is_default")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        version: row.number("version")?,
    })
}

/// Whole seconds; a call of more than 292 billion years is cut.
fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

#[async_trait]
impl SkillbaseRepository for PostgresUnitOfWork {
    async fn insert(&mut self, skillbase: &Skillbase) -> Result<(), StorageError> {
        self.permit(skillbase.company_id)?;
        let insert = sqlx::query(concat!(
            "INSERT INTO skillbases (",
            columns!(),
            ")
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING"
        ))
        .bind(skillbase.company_id.as_uuid())
        .bind(skillbase.id.as_uuid())
        .bind(skillbase.name.clone())
        .bind(skillbase.language.code())
        .bind(skillbase.voice.clone())
        .bind(Json(skillbase.persona.clone()))
        .bind(seconds(skillbase.longest_call))
        .bind(skillbase.closing.clone())
        .bind(skillbase.is_default)
        .bind(skillbase.created_at)
        .bind(skillbase.updated_at)
        .bind(i64::from(skillbase.version));
        written(
            self.execute(insert).await?,
            "the skillbase, or a default for its language, exists",
        )
    }

    async fn get(&mut self, id: SkillbaseId) -> Result<Option<Skillbase>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM skillbases WHERE company_id = $1 AND id = $2"
        );
        let row = self
            .find(company_of!("skillbases"), select, id.as_uuid())
            .await?;
        row.as_ref().map(skillbase).transpose()
    }

    async fn default_for(&mut self, language: Language) -> Result<Option<Skillbase>, StorageError> {
        use sea_query::{Expr, ExprTrait as _};
        let mut list = schema::select(columns!(), "skillbases", self.scope);
        list.and_where(Expr::col("is_default"))
            .and_where(Expr::col("language").eq(language.code()));
        list.limit(1);
        self.list(&list).await?.first().map(skillbase).transpose()
    }

    async fn update(&mut self, skillbase: &Skillbase) -> Result<(), StorageError> {
        self.permit(skillbase.company_id)?;
        let update = sqlx::query(
            "UPDATE skillbases
             SET name = $4, language = $5, voice = $6, persona = $7, longest_call_seconds = $8,
                 closing = $9, is_default = $10, updated_at = $11, version = version + 1
             WHERE company_id = $1 AND id = $2 AND version = $3",
        )
        .bind(skillbase.company_id.as_uuid())
        .bind(skillbase.id.as_uuid())
        .bind(i64::from(skillbase.version))
        .bind(skillbase.name.clone())
        .bind(skillbase.language.code())
        .bind(skillbase.voice.clone())
        .bind(Json(skillbase.persona.clone()))
        .bind(seconds(skillbase.longest_call))
        .bind(skillbase.closing.clone())
        .bind(skillbase.is_default)
        .bind(skillbase.updated_at);
        written(
            self.attempt(update).await?,
            "the skillbase was changed meanwhile",
        )
    }

    async fn delete(&mut self, id: SkillbaseId) -> Result<bool, StorageError> {
        let Some(company_id) = self
            .company_of(company_of!("skillbases"), id.as_uuid())
            .await?
        else {
            return Ok(false);
        };
        let delete = sqlx::query("DELETE FROM skillbases WHERE company_id = $1 AND id = $2")
            .bind(company_id)
            .bind(id.as_uuid());
        Ok(self.attempt(delete).await? == 1)
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<Skillbase>, StorageError> {
        let mut list = schema::select(columns!(), "skillbases", self.scope);
        page::by_creation(&mut list, "id", Direction::OldestFirst, request)?;
        let rows = self.list(&list).await?;
        let skillbases = rows.iter().map(skillbase).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            skillbases,
            request.limit(),
            |skillbase: &Skillbase| {
                Place::new(skillbase.created_at, skillbase.id.as_uuid()).cursor()
            },
        ))
    }
}
