//! Uploads of call lists.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use voicesurvey_core::call_list::Upload;
use voicesurvey_core::id::UploadId;
use voicesurvey_core::ports::{CallListRepository, StorageError};

use crate::error::written;
use crate::row::Reader;
use crate::schema::company_of;
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, id, campaign_id, file_name, columns, total_rows, created, \
         duplicates_in_list, duplicates_in_campaign, excluded, errors, created_at"
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
        total_rows: row.number("total_rows")?,
        created: row.number("created")?,
        duplicates_in_list: row.number("duplicates_in_list")?,
        duplicates_in_campaign: row.number("duplicates_in_campaign")?,
        excluded: row.number("excluded")?,
        errors: row.document("errors")?,
        created_at: row.get("created_at")?,
    })
}

/// A number of rows; no file has more than fit.
fn rows(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[async_trait]
impl CallListRepository for PostgresUnitOfWork {
    async fn insert(&mut self, upload: &Upload) -> Result<(), StorageError> {
        self.permit(upload.company_id)?;
        let insert = sqlx::query(concat!(
            "INSERT INTO uploads (",
            columns!(),
            ")
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING"
        ))
        .bind(upload.company_id.as_uuid())
        .bind(upload.id.as_uuid())
        .bind(upload.campaign_id.as_uuid())
        .bind(upload.file_name.clone())
        .bind(upload.columns.clone())
        .bind(rows(upload.total_rows))
        .bind(rows(upload.created))
        .bind(rows(upload.duplicates_in_list))
        .bind(rows(upload.duplicates_in_campaign))
        .bind(rows(upload.excluded))
        .bind(Json(upload.errors.clone()))
        .bind(upload.created_at);
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
}
