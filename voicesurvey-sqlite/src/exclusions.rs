//! Exclusions: numbers that a company must not call again.

use std::collections::HashSet;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, OnConflict, Query, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::exclusion::Exclusion;
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{ExclusionRepository, Page, PageRequest, StorageError};

use crate::page;
use crate::row::{Row, json, micros, read_all};
use crate::schema::EXCLUSIONS;
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(exclusion: &Exclusion) -> [Value; 5] {
    [
        exclusion.company_id.as_uuid().into(),
        exclusion.phone_number.as_str().into(),
        exclusion.source.name().into(),
        exclusion.attempt_id.map(CallAttemptId::as_uuid).into(),
        micros(exclusion.created_at).into(),
    ]
}

fn read(row: &SqliteRow) -> Result<Exclusion, StorageError> {
    let row = Row::new(row, EXCLUSIONS.name);
    Ok(Exclusion {
        company_id: row.id("company_id")?,
        phone_number: row.word("phone_number")?,
        source: row.word("source")?,
        attempt_id: row.optional_id("attempt_id")?,
        created_at: row.instant("created_at")?,
    })
}

#[async_trait]
impl ExclusionRepository for SqliteUnitOfWork {
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError> {
        self.must_cover(exclusion.company_id)?;
        let mut insert = EXCLUSIONS.insert([values(exclusion)]);
        insert.on_conflict(
            OnConflict::columns(["company_id", "phone_number"])
                .do_nothing()
                .to_owned(),
        );
        Ok(self.execute(built(&insert)).await? > 0)
    }

    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError> {
        let mut select = EXCLUSIONS.select(self.scope);
        select.and_where(Expr::col("phone_number").eq(phone_number.as_str()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        // One JSON array is one bound value, however many numbers there are.
        let numbers = Query::select()
            .expr(Expr::cust("value"))
            .from_function(
                sea_query::Func::cust("json_each").arg(json(&phone_numbers)?),
                "numbers",
            )
            .take();
        let mut select = EXCLUSIONS.select(self.scope);
        select.and_where(Expr::col("phone_number").in_subquery(numbers));
        let rows = self.fetch_all(built(&select)).await?;
        rows.iter()
            .map(|row| Row::new(row, EXCLUSIONS.name).word("phone_number"))
            .collect()
    }

    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError> {
        let mut delete = EXCLUSIONS.delete(self.scope);
        delete.and_where(Expr::col("phone_number").eq(phone_number.as_str()));
        Ok(self.execute(built(&delete)).await? > 0)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Exclusion>, StorageError> {
        let mut select = EXCLUSIONS.select(self.scope);
        page::by_key(&mut select, "phone_number", page, |cursor| {
            Some(cursor.parse::<PhoneNumber>().ok()?.as_str().to_owned())
        })?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |exclusion| {
            exclusion.phone_number.as_str().to_owned()
        }))
    }
}
