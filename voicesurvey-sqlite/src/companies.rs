//! Companies, each with its row in the ready list.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::company::{Company, CompanyLimits};
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::ports::{CompanyRepository, Page, PageRequest, Scope, StorageError};

use crate::error::{conflict, stale};
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::COMPANIES;
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(company: &Company) -> Result<[Value; 11], StorageError> {
    Ok([
        company.id.as_uuid().into(),
        company.name.clone().into(),
        company.time_zone.name().into(),
        company.region.to_string().into(),
        company.language.code().into(),
        company.limits.max_concurrent_calls.into(),
        company.limits.calls_per_minute.into(),
        micros(company.created_at).into(),
        company.version.into(),
        company.status.name().into(),
        json(&company.caps)?.into(),
    ])
}

fn read(row: &SqliteRow) -> Result<Company, StorageError> {
    let row = Row::new(row, COMPANIES.name);
    Ok(Company {
        id: row.id("company_id")?,
        name: row.get("name")?,
        time_zone: row.word("time_zone")?,
        region: row.word("region")?,
        language: row.word("language")?,
        status: row.word("status")?,
        limits: CompanyLimits {
            max_concurrent_calls: row.get("max_concurrent_calls")?,
            calls_per_minute: row.get("calls_per_minute")?,
        },
        caps: row.document("caps")?,
        created_at: row.instant("created_at")?,
        version: row.get("version")?,
    })
}

#[async_trait]
impl CompanyRepository for SqliteUnitOfWork {
    async fn insert(&mut self, company: &Company) -> Result<(), StorageError> {
        if self.scope != Scope::Platform {
            return Err(conflict("companies are added in the platform's scope"));
        }
        self.execute(built(&COMPANIES.insert([values(company)?])))
            .await?;
        self.insert_company_queue(company).await
    }

    async fn get(&mut self, id: CompanyId) -> Result<Option<Company>, StorageError> {
        let mut select = COMPANIES.select(self.scope);
        select.and_where(Expr::col("company_id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn update(&mut self, company: &Company) -> Result<(), StorageError> {
        self.must_cover(company.id)?;
        let update = sqlx::query(
            "UPDATE companies
             SET name = ?3, time_zone = ?4, region = ?5, language = ?6, max_concurrent_calls = ?7,
                 calls_per_minute = ?8, status = ?9, caps = ?10, version = version + 1
             WHERE company_id = ?1 AND version = ?2",
        )
        .bind(company.id.as_uuid())
        .bind(company.version)
        .bind(company.name.clone())
        .bind(company.time_zone.name())
        .bind(company.region.to_string())
        .bind(company.language.code())
        .bind(company.limits.max_concurrent_calls)
        .bind(company.limits.calls_per_minute)
        .bind(company.status.name())
        .bind(json(&company.caps)?);
        if self.execute(update).await? == 0 {
            return Err(stale(COMPANIES.name));
        }
        self.limit_company(company.id, company.limits).await
    }

    async fn delete(&mut self, id: CompanyId) -> Result<bool, StorageError> {
        if self.scope != Scope::Platform {
            return Err(conflict("only the platform removes companies"));
        }
        // A campaign refuses the removal of its skillbase, and so that of its company.
        for delete in [
            "DELETE FROM api_keys WHERE company_id = ?1",
            "DELETE FROM skillbases WHERE company_id = ?1",
            "DELETE FROM exclusions WHERE company_id = ?1",
            "DELETE FROM exclusion_removals WHERE company_id = ?1",
            "DELETE FROM erasures WHERE company_id = ?1",
            "DELETE FROM erased_numbers WHERE company_id = ?1",
            "DELETE FROM erasure_keys WHERE company_id = ?1",
            "DELETE FROM company_retention WHERE company_id = ?1",
            "DELETE FROM provider_events WHERE company_id = ?1",
            "DELETE FROM outbox_events WHERE company_id = ?1",
        ] {
            self.execute(sqlx::query(delete).bind(id.as_uuid())).await?;
        }
        let delete = sqlx::query("DELETE FROM companies WHERE company_id = ?1").bind(id.as_uuid());
        Ok(self.execute(delete).await? > 0)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Company>, StorageError> {
        let mut select = COMPANIES.select(self.scope);
        page::by_creation(&mut select, "company_id", Order::Asc, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |company| {
            Created::cursor(company.created_at, company.id.as_uuid())
        }))
    }
}
