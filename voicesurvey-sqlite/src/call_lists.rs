//! Uploads of call lists, with the rows that were not taken.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_list::Upload;
use voicesurvey_core::id::UploadId;
use voicesurvey_core::ports::{CallListRepository, StorageError};

use crate::row::{Row, json, micros};
use crate::schema::UPLOADS;
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(upload: &Upload) -> Result<[Value; 12], StorageError> {
    Ok([
        upload.company_id.as_uuid().into(),
        upload.id.as_uuid().into(),
        upload.campaign_id.as_uuid().into(),
        upload.file_name.clone().into(),
        json(&upload.columns)?.into(),
        count(upload.total_rows),
        count(upload.created),
        count(upload.duplicates_in_list),
        count(upload.duplicates_in_campaign),
        count(upload.excluded),
        json(&upload.errors)?.into(),
        micros(upload.created_at).into(),
    ])
}

fn count(rows: u64) -> Value {
    // OK because no file has as many rows.
    i64::try_from(rows).unwrap_or(i64::MAX).into()
}

fn read(row: &SqliteRow) -> Result<Upload, StorageError> {
    let row = Row::new(row, UPLOADS.name);
    Ok(Upload {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        file_name: row.get("file_name")?,
        columns: row.document("columns")?,
        total_rows: row.get("total_rows")?,
        created: row.get("created")?,
        duplicates_in_list: row.get("duplicates_in_list")?,
        duplicates_in_campaign: row.get("duplicates_in_campaign")?,
        excluded: row.get("excluded")?,
        errors: row.document("errors")?,
        created_at: row.instant("created_at")?,
    })
}

#[async_trait]
impl CallListRepository for SqliteUnitOfWork {
    async fn insert(&mut self, upload: &Upload) -> Result<(), StorageError> {
        self.must_cover(upload.company_id)?;
        self.execute(built(&UPLOADS.insert([values(upload)?])))
            .await?;
        Ok(())
    }

    async fn get(&mut self, id: UploadId) -> Result<Option<Upload>, StorageError> {
        let mut select = UPLOADS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }
}
