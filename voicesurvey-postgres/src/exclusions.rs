//! Exclusions.

use std::collections::HashSet;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _, Order};
use sqlx::postgres::PgRow;
use uuid::Uuid;
use voicesurvey_core::exclusion::{Exclusion, ExclusionSource};
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{ExclusionRepository, Page, PageRequest, Scope, StorageError};

use crate::page;
use crate::row::Reader;
use crate::schema;
use crate::unit_of_work::PostgresUnitOfWork;

const COLUMNS: &str = "company_id, phone_number, source, attempt_id, created_at";

fn exclusion(row: &PgRow) -> Result<Exclusion, StorageError> {
    let row = Reader::new("exclusions", row);
    Ok(Exclusion {
        company_id: row.id("company_id")?,
        phone_number: row.parsed("phone_number")?,
        source: row.named("source", ExclusionSource::from_name)?,
        attempt_id: row.optional_id("attempt_id")?,
        created_at: row.get("created_at")?,
    })
}

impl PostgresUnitOfWork {
    /// The company to which a statement is cut; the platform sees them all.
    pub(crate) fn scoped_company(&self) -> Option<Uuid> {
        match self.scope {
            Scope::Company(company_id) => Some(company_id.as_uuid()),
            Scope::Platform => None,
        }
    }

    /// Those of the numbers that are excluded in that company, or in any.
    pub(crate) async fn exclusions_among(
        &mut self,
        company_id: Option<Uuid>,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let numbers: Vec<String> = phone_numbers.iter().map(PhoneNumber::to_string).collect();
        let select = sqlx::query(
            "SELECT phone_number FROM exclusions
             WHERE phone_number = ANY($1) AND ($2::uuid IS NULL OR company_id = $2)",
        )
        .bind(numbers)
        .bind(company_id);
        let rows = self.rows(select).await?;
        rows.iter()
            .map(|row| Reader::new("exclusions", row).parsed("phone_number"))
            .collect()
    }
}

#[async_trait]
impl ExclusionRepository for PostgresUnitOfWork {
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError> {
        self.permit(exclusion.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO exclusions (company_id, phone_number, source, attempt_id, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(exclusion.company_id.as_uuid())
        .bind(exclusion.phone_number.to_string())
        .bind(exclusion.source.name())
        .bind(exclusion.attempt_id.map(CallAttemptId::as_uuid))
        .bind(exclusion.created_at);
        Ok(self.execute(insert).await? == 1)
    }

    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError> {
        let mut list = schema::select(COLUMNS, "exclusions", self.scope);
        list.and_where(Expr::col("phone_number").eq(phone_number.as_str()))
            .limit(1);
        self.list(&list).await?.first().map(exclusion).transpose()
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        self.exclusions_among(self.scoped_company(), phone_numbers)
            .await
    }

    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError> {
        let delete = sqlx::query(
            "DELETE FROM exclusions
             WHERE phone_number = $1 AND ($2::uuid IS NULL OR company_id = $2)",
        )
        .bind(phone_number.to_string())
        .bind(self.scoped_company());
        Ok(self.execute(delete).await? > 0)
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<Exclusion>, StorageError> {
        let mut list = schema::select(COLUMNS, "exclusions", self.scope);
        if let Some(cursor) = &request.after {
            let after = Place::from_cursor(cursor).ok_or_else(page::unknown_cursor)?;
            let key = Expr::tuple([Expr::col("phone_number"), Expr::col("company_id")]);
            list.and_where(key.gt(Expr::tuple([
                after.phone_number.into(),
                after.company.into(),
            ])));
        }
        list.order_by("phone_number", Order::Asc)
            .order_by("company_id", Order::Asc);
        list.limit(u64::from(request.limit()) + 1);
        let rows = self.list(&list).await?;
        let exclusions = rows.iter().map(exclusion).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            exclusions,
            request.limit(),
            Place::cursor_of,
        ))
    }
}

/// A place in the list: the number, and the company for the platform, which sees a number once for
/// each company.
struct Place {
    phone_number: String,
    company: Uuid,
}

impl Place {
    fn cursor_of(exclusion: &Exclusion) -> String {
        format!("{}.{}", exclusion.phone_number, exclusion.company_id)
    }

    fn from_cursor(cursor: &str) -> Option<Self> {
        let (number, company) = cursor.split_once('.')?;
        let number: PhoneNumber = number.parse().ok()?;
        Some(Self {
            phone_number: number.to_string(),
            company: company.parse().ok()?,
        })
    }
}
