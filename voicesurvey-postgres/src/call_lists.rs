//! Uploads of call lists, with the rows that were not taken.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use voicesurvey_core::call_list::{RowError, Upload};
use voicesurvey_core::id::{CampaignId, UploadId};
use voicesurvey_core::ports::{CallListRepository, Page, PageRequest, StorageError};

use crate::error::written;
use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, id, campaign_id, file_name, columns, status, failure, percent, rows_read, \
         total_rows, created, duplicates_in_list, duplicates_in_campaign, excluded, erased, errors_count, \
         created_at, updated_at"
    };
}

fn upload(row: &PgRow) -> Result<Upload, StorageError> {
    let row = Reader::new("uploads", row);
    Ok(Upload {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        file_name: row.get("file_name")?,
        columns: row.get("columns")?,
        status: row.parsed("status")?,
        failure: row.get("failure")?,
        percent: row.byte("percent")?,
        rows_read: row.number("rows_read")?,
        total_rows: row.number("total_rows")?,
        created: row.number("created")?,
        duplicates_in_list: row.number("duplicates_in_list")?,
        duplicates_in_campaign: row.number("duplicates_in_campaign")?,
        excluded: row.number("excluded")?,
        erased: row.number("erased")?,
        errors_count: row.number("errors_count")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn row_error(row: &PgRow) -> Result<RowError, StorageError> {
    let row = Reader::new("upload_errors", row);
    Ok(RowError {
        row: row.number("row_number")?,
        column: row.get("column_name")?,
        value: row.get("value")?,
        reason: row.get("reason")?,
        original: row.document("original")?,
    })
}

/// A number of rows; no file has more than fit.
fn rows(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// One array per column.
fn all<T>(errors: &[RowError], column: impl Fn(&RowError) -> T) -> Vec<T> {
    errors.iter().map(column).collect()
}

/// Locks that belong to uploads are told from others by this half of their key.
const TURNS: i32 = 0x55_50_4c;

#[async_trait]
impl CallListRepository for PostgresUnitOfWork {
    async fn insert(&mut self, upload: &Upload) -> Result<(), StorageError> {
        self.permit(upload.company_id)?;
        let insert = sqlx::query(concat!(
            "INSERT INTO uploads (",
            columns!(),
            ")
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
             ON CONFLICT DO NOTHING"
        ))
        .bind(upload.company_id.as_uuid())
        .bind(upload.id.as_uuid())
        .bind(upload.campaign_id.as_uuid())
        .bind(upload.file_name.clone())
        .bind(upload.columns.clone())
        .bind(upload.status.name())
        .bind(upload.failure.clone())
        .bind(i16::from(upload.percent))
        .bind(rows(upload.rows_read))
        .bind(rows(upload.total_rows))
        .bind(rows(upload.created))
        .bind(rows(upload.duplicates_in_list))
        .bind(rows(upload.duplicates_in_campaign))
        .bind(rows(upload.excluded))
        .bind(rows(upload.erased))
        .bind(rows(upload.errors_count))
        .bind(upload.created_at)
        .bind(upload.updated_at);
        written(self.attempt(insert).await?, "the upload exists already")
    }

    async fn get(&mut self, id: UploadId) -> Result<Option<Upload>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM uploads WHERE company_id = $1 AND id = $2"
        );
        let row = self
            .find(company_of!("uploads"), select, id.as_uuid())
            .await?;
        row.as_ref().map(upload).transpose()
    }

    async fn list(
        &mut self,
        campaign_id: CampaignId,
        request: &PageRequest,
    ) -> Result<Page<Upload>, StorageError> {
        let mut list = schema::select(columns!(), "uploads", self.scope);
        list.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        page::by_creation(&mut list, "id", Direction::NewestFirst, request)?;
        let rows = self.list(&list).await?;
        let uploads = rows.iter().map(upload).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            uploads,
            request.limit(),
            |upload: &Upload| Place::new(upload.created_at, upload.id.as_uuid()).cursor(),
        ))
    }

    async fn update(&mut self, upload: &Upload) -> Result<bool, StorageError> {
        self.permit(upload.company_id)?;
        let update = sqlx::query(
            "UPDATE uploads
             SET columns = $3, status = $4, failure = $5, percent = $6, rows_read = $7,
                 total_rows = $8, created = $9, duplicates_in_list = $10,
                 duplicates_in_campaign = $11, excluded = $12, erased = $13, errors_count = $14,
                 updated_at = $15
             WHERE company_id = $1 AND id = $2 AND status = 'running'",
        )
        .bind(upload.company_id.as_uuid())
        .bind(upload.id.as_uuid())
        .bind(upload.columns.clone())
        .bind(upload.status.name())
        .bind(upload.failure.clone())
        .bind(i16::from(upload.percent))
        .bind(rows(upload.rows_read))
        .bind(rows(upload.total_rows))
        .bind(rows(upload.created))
        .bind(rows(upload.duplicates_in_list))
        .bind(rows(upload.duplicates_in_campaign))
        .bind(rows(upload.excluded))
        .bind(rows(upload.erased))
        .bind(rows(upload.errors_count))
        .bind(upload.updated_at);
        Ok(self.execute(update).await? == 1)
    }

    async fn insert_errors(
        &mut self,
        upload: &Upload,
        errors: &[RowError],
    ) -> Result<(), StorageError> {
        self.permit(upload.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO upload_errors (
                 company_id, upload_id, row_number, column_name, value, reason, original
             )
             SELECT $1, $2, * FROM UNNEST($3::bigint[], $4::text[], $5::text[], $6::text[], $7::jsonb[])",
        )
        .bind(upload.company_id.as_uuid())
        .bind(upload.id.as_uuid())
        .bind(all(errors, |error| rows(error.row)))
        .bind(all(errors, |error| error.column.clone()))
        .bind(all(errors, |error| error.value.clone()))
        .bind(all(errors, |error| error.reason.clone()))
        .bind(all(errors, |error| Json(error.original.clone())));
        self.attempt(insert).await?;
        Ok(())
    }

    async fn errors(
        &mut self,
        id: UploadId,
        after_row: u64,
        at_most: u16,
    ) -> Result<Vec<RowError>, StorageError> {
        let company_of = company_of!("uploads");
        let Some(company_id) = self.company_of(company_of, id.as_uuid()).await? else {
            return Ok(Vec::new());
        };
        let select = sqlx::query(
            "SELECT row_number, column_name, value, reason, original FROM upload_errors
             WHERE company_id = $1 AND upload_id = $2 AND row_number > $3
             ORDER BY row_number LIMIT $4",
        )
        .bind(company_id)
        .bind(id.as_uuid())
        .bind(rows(after_row))
        .bind(i64::from(at_most));
        self.rows(select).await?.iter().map(row_error).collect()
    }

    async fn take_turn(&mut self, campaign_id: CampaignId) -> Result<bool, StorageError> {
        // Two campaigns with one half of a key wait for each other in vain, and lose nothing.
        let turn = sqlx::query("SELECT pg_advisory_xact_lock($1, hashtext($2))")
            .bind(TURNS)
            .bind(campaign_id.to_string());
        match self.attempt_rows(turn).await {
            Ok(_) => Ok(true),
            // The lock timeout.
            Err(StorageError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
