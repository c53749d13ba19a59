//! Uploads of call lists, with the rows that were not taken.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, SelectStatement, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_list::{RowError, Upload};
use voicesurvey_core::id::{CampaignId, UploadId};
use voicesurvey_core::ports::{CallListRepository, Page, PageRequest, Scope, StorageError};

use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::{UPLOAD_ERRORS, UPLOADS};
use crate::unit_of_work::{SqliteUnitOfWork, built};

/// Rows of one INSERT: 7 values each, well below SQLite's 32,766 values per statement.
const ROWS_PER_INSERT: usize = 1_000;

fn values(upload: &Upload) -> Result<[Value; 18], StorageError> {
    Ok([
        upload.company_id.as_uuid().into(),
        upload.id.as_uuid().into(),
        upload.campaign_id.as_uuid().into(),
        upload.file_name.clone().into(),
        json(&upload.columns)?.into(),
        upload.status.name().into(),
        upload.failure.clone().into(),
        upload.percent.into(),
        count(upload.rows_read).into(),
        count(upload.total_rows).into(),
        count(upload.created).into(),
        count(upload.duplicates_in_list).into(),
        count(upload.duplicates_in_campaign).into(),
        count(upload.excluded).into(),
        count(upload.erased).into(),
        count(upload.errors_count).into(),
        micros(upload.created_at).into(),
        micros(upload.updated_at).into(),
    ])
}

fn count(rows: u64) -> i64 {
    // OK because no file has as many rows.
    i64::try_from(rows).unwrap_or(i64::MAX)
}

fn read(row: &SqliteRow) -> Result<Upload, StorageError> {
    let row = Row::new(row, UPLOADS.name);
    Ok(Upload {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        file_name: row.get("file_name")?,
        columns: row.document("columns")?,
        status: row.word("status")?,
        failure: row.get("failure")?,
        percent: row.get("percent")?,
        rows_read: row.get("rows_read")?,
        total_rows: row.get("total_rows")?,
        created: row.get("created")?,
        duplicates_in_list: row.get("duplicates_in_list")?,
        duplicates_in_campaign: row.get("duplicates_in_campaign")?,
        excluded: row.get("excluded")?,
        erased: row.get("erased")?,
        errors_count: row.get("errors_count")?,
        created_at: row.instant("created_at")?,
        updated_at: row.instant("updated_at")?,
    })
}

fn error_values(upload: &Upload, error: &RowError) -> Result<[Value; 7], StorageError> {
    Ok([
        upload.company_id.as_uuid().into(),
        upload.id.as_uuid().into(),
        count(error.row).into(),
        error.column.clone().into(),
        error.value.clone().into(),
        error.reason.clone().into(),
        json(&error.original)?.into(),
    ])
}

pub(crate) fn read_error(row: &SqliteRow) -> Result<RowError, StorageError> {
    let row = Row::new(row, UPLOAD_ERRORS.name);
    Ok(RowError {
        row: row.get("row_number")?,
        column: row.get("column_name")?,
        value: row.get("value")?,
        reason: row.get("reason")?,
        original: row.document("original")?,
    })
}

/// The uploads of a campaign, newest first.
fn listed(
    scope: Scope,
    campaign_id: CampaignId,
    page: &PageRequest,
) -> Result<SelectStatement, StorageError> {
    let mut select = UPLOADS.select(scope);
    select.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
    page::by_creation(&mut select, "id", Order::Desc, page)?;
    Ok(select)
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

    async fn list(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Upload>, StorageError> {
        let select = listed(self.scope, campaign_id, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |upload| {
            Created::cursor(upload.created_at, upload.id.as_uuid())
        }))
    }

    async fn update(&mut self, upload: &Upload) -> Result<bool, StorageError> {
        self.must_cover(upload.company_id)?;
        let update = sqlx::query(
            "UPDATE uploads
             SET columns = ?3, status = ?4, failure = ?5, percent = ?6, rows_read = ?7,
                 total_rows = ?8, created = ?9, duplicates_in_list = ?10,
                 duplicates_in_campaign = ?11, excluded = ?12, erased = ?13, errors_count = ?14,
                 updated_at = ?15
             WHERE company_id = ?1 AND id = ?2 AND status = 'running'",
        )
        .bind(upload.company_id.as_uuid())
        .bind(upload.id.as_uuid())
        .bind(json(&upload.columns)?)
        .bind(upload.status.name())
        .bind(upload.failure.clone())
        .bind(upload.percent)
        .bind(count(upload.rows_read))
        .bind(count(upload.total_rows))
        .bind(count(upload.created))
        .bind(count(upload.duplicates_in_list))
        .bind(count(upload.duplicates_in_campaign))
        .bind(count(upload.excluded))
        .bind(count(upload.erased))
        .bind(count(upload.errors_count))
        .bind(micros(upload.updated_at));
        Ok(self.execute(update).await? == 1)
    }

    async fn insert_errors(
        &mut self,
        upload: &Upload,
        errors: &[RowError],
    ) -> Result<(), StorageError> {
        self.must_cover(upload.company_id)?;
        for some in errors.chunks(ROWS_PER_INSERT) {
            let rows = some.iter().map(|error| error_values(upload, error));
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            self.execute(built(&UPLOAD_ERRORS.insert(rows))).await?;
        }
        Ok(())
    }

    async fn errors(
        &mut self,
        id: UploadId,
        after_row: u64,
        at_most: u16,
    ) -> Result<Vec<RowError>, StorageError> {
        let mut select = UPLOAD_ERRORS.select(self.scope);
        select
            .and_where(Expr::col("upload_id").eq(id.as_uuid()))
            .and_where(Expr::col("row_number").gt(count(after_row)))
            .order_by("row_number", Order::Asc)
            .limit(at_most.into());
        read_all(&self.fetch_all(built(&select)).await?, read_error)
    }

    /// Units of work are one after another anyway.
    async fn take_turn(&mut self, _: CampaignId) -> Result<bool, StorageError> {
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use sea_query::SqliteQueryBuilder;
    use voicesurvey_core::testing::samples;

    use super::*;
    use crate::query_plan::assert_uses;

    #[tokio::test]
    async fn the_uploads_of_a_campaign_are_read_in_their_order_from_an_index() {
        let company = samples::company();
        let campaign = samples::campaign(&company);
        let scope = Scope::Company(company.id);
        let after = Created::cursor(campaign.created_at, campaign.id.as_uuid());
        let page = PageRequest::after(after, 50);
        let select = listed(scope, campaign.id, &page).unwrap();
        assert_uses(
            &select.to_string(SqliteQueryBuilder),
            &["uploads_by_creation"],
        )
        .await;
    }
}
