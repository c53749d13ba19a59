//! Skillbases: at most one default per company and language, and none is removed that a campaign
//! names; the schema sees to both.

use std::time::Duration;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::id::SkillbaseId;
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{Page, PageRequest, SkillbaseRepository, StorageError};
use voicesurvey_core::skillbase::Skillbase;

use crate::error::stale;
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::SKILLBASES;
use crate::unit_of_work::{SqliteUnitOfWork, built};

/// Whole seconds, as the longest call is given.
fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn values(skillbase: &Skillbase) -> Result<[Value; 12], StorageError> {
    Ok([
        skillbase.company_id.as_uuid().into(),
        skillbase.id.as_uuid().into(),
        skillbase.name.clone().into(),
        skillbase.language.code().into(),
        skillbase.voice.clone().into(),
        json(&skillbase.persona)?.into(),
        seconds(skillbase.longest_call).into(),
        skillbase.closing.clone().into(),
        skillbase.is_default.into(),
        micros(skillbase.created_at).into(),
        micros(skillbase.updated_at).into(),
        skillbase.version.into(),
    ])
}

fn read(row: &SqliteRow) -> Result<Skillbase, StorageError> {
    let row = Row::new(row, SKILLBASES.name);
    Ok(Skillbase {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        name: row.get("name")?,
        language: row.word("language")?,
        voice: row.get("voice")?,
        persona: row.document("persona")?,
        longest_call: Duration::from_secs(row.get("longest_call_seconds")?),
        closing: row.get("closing")?,
        is_default: row.get("is_default")?,
        created_at: row.instant("created_at")?,
        updated_at: row.instant("updated_at")?,
        version: row.get("version")?,
    })
}

#[async_trait]
impl SkillbaseRepository for SqliteUnitOfWork {
    async fn insert(&mut self, skillbase: &Skillbase) -> Result<(), StorageError> {
        self.must_cover(skillbase.company_id)?;
        self.execute(built(&SKILLBASES.insert([values(skillbase)?])))
            .await?;
        Ok(())
    }

    async fn get(&mut self, id: SkillbaseId) -> Result<Option<Skillbase>, StorageError> {
        let mut select = SKILLBASES.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn default_for(&mut self, language: Language) -> Result<Option<Skillbase>, StorageError> {
        let mut select = SKILLBASES.select(self.scope);
        select
            .and_where(Expr::col("language").eq(language.code()))
            .and_where(Expr::cust("is_default = 1"));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn update(&mut self, skillbase: &Skillbase) -> Result<(), StorageError> {
        self.must_cover(skillbase.company_id)?;
        let update = sqlx::query(
            "UPDATE skillbases
             SET name = ?4, language = ?5, voice = ?6, persona = ?7, longest_call_seconds = ?8,
                 closing = ?9, is_default = ?10, updated_at = ?11, version = version + 1
             WHERE company_id = ?1 AND id = ?2 AND version = ?3",
        )
        .bind(skillbase.company_id.as_uuid())
        .bind(skillbase.id.as_uuid())
        .bind(skillbase.version)
        .bind(skillbase.name.clone())
        .bind(skillbase.language.code())
        .bind(skillbase.voice.clone())
        .bind(json(&skillbase.persona)?)
        .bind(seconds(skillbase.longest_call))
        .bind(skillbase.closing.clone())
        .bind(skillbase.is_default)
        .bind(micros(skillbase.updated_at));
        if self.execute(update).await? == 0 {
            return Err(stale(SKILLBASES.name));
        }
        Ok(())
    }

    async fn delete(&mut self, id: SkillbaseId) -> Result<bool, StorageError> {
        let mut delete = SKILLBASES.delete(self.scope);
        delete.and_where(Expr::col("id").eq(id.as_uuid()));
        Ok(self.execute(built(&delete)).await? > 0)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Skillbase>, StorageError> {
        let mut select = SKILLBASES.select(self.scope);
        page::by_creation(&mut select, "id", Order::Asc, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |skillbase| {
            Created::cursor(skillbase.created_at, skillbase.id.as_uuid())
        }))
    }
}
