//! Companies, each with its row in the ready list.

use std::num::NonZeroI64;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use voicesurvey_core::company::{Company, CompanyLimits, CompanyStatus};
use voicesurvey_core::gate::AttemptCaps;
use voicesurvey_core::id::CompanyId;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::ports::{CompanyRepository, Page, PageRequest, Scope, StorageError};

use crate::error::{foreign_company, written};
use crate::page::{self, Direction, Place};
use crate::ready_list::interval_and_burst;
use crate::row::Reader;
use crate::schema;
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, name, time_zone, region, language, max_concurrent_calls, calls_per_minute, \
         created_at, version, status, calls_per_day, calls_per_week, calls_per_month, \
         minimum_gap_minutes"
    };
}

fn company(row: &PgRow) -> Result<Company, StorageError> {
    let row = Reader::new("companies", row);
    Ok(Company {
        id: row.id("company_id")?,
        name: row.get("name")?,
        time_zone: row.parsed("time_zone")?,
        region: row.parsed("region")?,
        language: row.parsed("language")?,
        limits: CompanyLimits {
            max_concurrent_calls: row.number("max_concurrent_calls")?,
            calls_per_minute: row.number("calls_per_minute")?,
        },
        status: row.named("status", CompanyStatus::from_name)?,
        caps: AttemptCaps {
            per_day: cap(&row, "calls_per_day")?,
            per_week: cap(&row, "calls_per_week")?,
            per_month: cap(&row, "calls_per_month")?,
            minimum_gap_minutes: cap(&row, "minimum_gap_minutes")?,
        },
        created_at: row.get("created_at")?,
        version: row.number("version")?,
    })
}

/// A cap; absent means none.
fn cap<T: TryFrom<NonZeroI64>>(row: &Reader<'_>, column: &str) -> Result<Option<T>, StorageError> {
    let Some(number) = row.get::<Option<i64>>(column)? else {
        return Ok(None);
    };
    let cap = NonZeroI64::new(number).and_then(|number| T::try_from(number).ok());
    cap.map(Some)
        .ok_or_else(|| row.corrupt(&format!("{column}: {number} is no cap")))
}

fn stored<T: Into<NonZeroI64>>(cap: Option<T>) -> Option<i64> {
    cap.map(|cap| cap.into().get())
}

#[async_trait]
impl CompanyRepository for PostgresUnitOfWork {
    async fn insert(&mut self, company: &Company) -> Result<(), StorageError> {
        if self.scope != Scope::Platform {
            return Err(foreign_company());
        }
        let insert = sqlx::query(concat!(
            "INSERT INTO companies (",
            columns!(),
            ")
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT DO NOTHING"
        ))
        .bind(company.id.as_uuid())
        .bind(company.name.clone())
        .bind(company.time_zone.name())
        .bind(company.region.to_string())
        .bind(company.language.code())
        .bind(i64::from(company.limits.max_concurrent_calls))
        .bind(i64::from(company.limits.calls_per_minute))
        .bind(company.created_at)
        .bind(i64::from(company.version))
        .bind(company.status.name())
        .bind(stored(company.caps.per_day))
        .bind(stored(company.caps.per_week))
        .bind(stored(company.caps.per_month))
        .bind(stored(company.caps.minimum_gap_minutes));
        written(self.execute(insert).await?, "the company exists already")?;
        let pace = Pace::per_minute(company.limits.calls_per_minute);
        let (interval, burst) = interval_and_burst(pace);
        let insert = sqlx::query(
            "INSERT INTO company_queue
                 (company_id, calling, in_flight, max_concurrent_calls, calls_per_minute,
                  interval_microseconds, burst, arrival)
             VALUES ($1, $2, 0, $3, $4, $5, $6, $7)",
        )
        .bind(company.id.as_uuid())
        .bind(company.status == CompanyStatus::Active)
        .bind(i64::from(company.limits.max_concurrent_calls))
        .bind(i64::from(company.limits.calls_per_minute))
        .bind(interval)
        .bind(burst)
        .bind(company.created_at);
        self.execute(insert).await?;
        Ok(())
    }

    async fn get(&mut self, id: CompanyId) -> Result<Option<Company>, StorageError> {
        if self.permit(id).is_err() {
            return Ok(None);
        }
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM companies WHERE company_id = $1"
        );
        self.row(sqlx::query(select).bind(id.as_uuid()))
            .await?
            .as_ref()
            .map(company)
            .transpose()
    }

    async fn update(&mut self, company: &Company) -> Result<(), StorageError> {
        self.permit(company.id)?;
        let update = sqlx::query(
            "UPDATE companies
             SET name = $3, time_zone = $4, region = $5, language = $6, max_concurrent_calls = $7,
                 calls_per_minute = $8, status = $9, calls_per_day = $10, calls_per_week = $11,
                 calls_per_month = $12, minimum_gap_minutes = $13, version = version + 1
             WHERE company_id = $1 AND version = $2",
        )
        .bind(company.id.as_uuid())
        .bind(i64::from(company.version))
        .bind(company.name.clone())
        .bind(company.time_zone.name())
        .bind(company.region.to_string())
        .bind(company.language.code())
        .bind(i64::from(company.limits.max_concurrent_calls))
        .bind(i64::from(company.limits.calls_per_minute))
        .bind(company.status.name())
        .bind(stored(company.caps.per_day))
        .bind(stored(company.caps.per_week))
        .bind(stored(company.caps.per_month))
        .bind(stored(company.caps.minimum_gap_minutes));
        written(
            self.execute(update).await?,
            "the company was changed meanwhile",
        )?;
        self.ready_list.terms_changed(company);
        Ok(())
    }

    async fn delete(&mut self, id: CompanyId) -> Result<bool, StorageError> {
        if self.scope != Scope::Platform {
            return Err(foreign_company());
        }
        // The foreign keys would take the campaigns along.
        let delete = sqlx::query(
            "DELETE FROM companies WHERE company_id = $1
                 AND NOT EXISTS (SELECT FROM campaigns WHERE company_id = $1)",
        );
        if self.execute(delete.bind(id.as_uuid())).await? == 1 {
            return Ok(true);
        }
        match self.get(id).await? {
            Some(_) => written(0, "the company has campaigns").map(|()| false),
            None => Ok(false),
        }
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<Company>, StorageError> {
        let mut list = schema::select(columns!(), "companies", self.scope);
        page::by_creation(&mut list, "company_id", Direction::OldestFirst, request)?;
        let rows = self.list(&list).await?;
        let companies = rows.iter().map(company).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            companies,
            request.limit(),
            |company: &Company| Place::new(company.created_at, company.id.as_uuid()).cursor(),
        ))
    }
}
