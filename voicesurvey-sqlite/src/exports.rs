//! Exports with their contents.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::api_key::ApiKeyHash;
use voicesurvey_core::export::{Export, ExportConditions, ExportOrder, Written};
use voicesurvey_core::id::{CampaignId, ExportId};
use voicesurvey_core::ports::{ExportRepository, Page, PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::stale;
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::{EXPORT_PIECES, EXPORTS};
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(export: &Export) -> Result<[Value; 23], StorageError> {
    let link = export.link.map(|link| link.as_bytes().to_vec());
    Ok([
        export.company_id.as_uuid().into(),
        export.id.as_uuid().into(),
        export.campaign_id.as_uuid().into(),
        export.order.kind.name().into(),
        export.order.format.name().into(),
        json(&export.order.conditions())?.into(),
        export.requested_by.as_uuid().into(),
        link.into(),
        export.state.name().into(),
        export.run.into(),
        export.excused.into(),
        export.lease_until.map(micros).into(),
        count(export.written.people),
        count(export.written.rows),
        count(export.written.bytes),
        export.pieces.into(),
        export.failure.clone().into(),
        micros(export.created_at).into(),
        export.ended_at.map(micros).into(),
        export.expires_at.map(micros).into(),
        export.order.delimiter.name().into(),
        export.fetches.into(),
        export.last_fetched_at.map(micros).into(),
    ])
}

fn count(number: u64) -> Value {
    // OK because nothing has as many rows or bytes.
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

fn read(row: &SqliteRow) -> Result<Export, StorageError> {
    let row = Row::new(row, EXPORTS.name);
    let link: Option<Vec<u8>> = row.get("link")?;
    let link = link.map(|link| {
        ApiKeyHash::from_bytes(&link).ok_or_else(|| row.corrupt("link: not 32 bytes long"))
    });
    let conditions: ExportConditions = row.document("filter")?;
    Ok(Export {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        order: ExportOrder {
            kind: row.word("kind")?,
            format: row.word("format")?,
            delimiter: row.word("delimiter")?,
            filter: conditions.filter,
            thresholds: conditions.thresholds,
        },
        requested_by: row.id("requested_by")?,
        link: link.transpose()?,
        state: row.word("state")?,
        run: row.get("run")?,
        excused: row.get("excused")?,
        lease_until: row.optional_instant("lease_until")?,
        written: Written {
            people: row.get("people")?,
            rows: row.get("rows")?,
            bytes: row.get("bytes")?,
        },
        pieces: row.get("pieces")?,
        failure: row.get("failure")?,
        created_at: row.instant("created_at")?,
        ended_at: row.optional_instant("ended_at")?,
        expires_at: row.optional_instant("expires_at")?,
        fetches: row.get("fetches")?,
        last_fetched_at: row.optional_instant("last_fetched_at")?,
    })
}

impl SqliteUnitOfWork {
    /// Writes an export back, if it stands there as it was in that run.
    async fn write_export(&mut self, export: &Export, run: u16) -> Result<(), StorageError> {
        self.must_cover(export.company_id)?;
        let update = sqlx::query(
            "UPDATE exports SET state = ?4, run = ?5, lease_until = ?6, people = ?7, rows = ?8,
                 bytes = ?9, pieces = ?10, failure = ?11, ended_at = ?12, expires_at = ?13
             WHERE company_id = ?1 AND id = ?2 AND run = ?3
                 AND (state IN ('waiting', 'running') OR state = 'streamed' AND ended_at IS NULL)",
        )
        .bind(export.company_id.as_uuid())
        .bind(export.id.as_uuid())
        .bind(run)
        .bind(export.state.name())
        .bind(export.run)
        .bind(export.lease_until.map(micros))
        .bind(i64::try_from(export.written.people).unwrap_or(i64::MAX))
        .bind(i64::try_from(export.written.rows).unwrap_or(i64::MAX))
        .bind(i64::try_from(export.written.bytes).unwrap_or(i64::MAX))
        .bind(export.pieces)
        .bind(export.failure.clone())
        .bind(export.ended_at.map(micros))
        .bind(export.expires_at.map(micros));
        match self.execute(update).await? {
            0 => Err(stale(EXPORTS.name)),
            _ => Ok(()),
        }
    }

    /// Writes an export back that is withdrawn or has expired, and removes its contents if it stands
    /// elsewhere than before.
    async fn take_back(&mut self, before: Export, after: &Export) -> Result<(), StorageError> {
        if before.state != after.state {
            self.remove_pieces(after.id).await?;
        }
        let update = sqlx::query(
            "UPDATE exports SET state = ?3, run = ?4, excused = ?5, lease_until = ?6, people = ?7,
                 rows = ?8, bytes = ?9, pieces = ?10, filter = ?11
             WHERE company_id = ?1 AND id = ?2",
        )
        .bind(after.company_id.as_uuid())
        .bind(after.id.as_uuid())
        .bind(after.state.name())
        .bind(after.run)
        .bind(after.excused)
        .bind(after.lease_until.map(micros))
        .bind(i64::try_from(after.written.people).unwrap_or(i64::MAX))
        .bind(i64::try_from(after.written.rows).unwrap_or(i64::MAX))
        .bind(i64::try_from(after.written.bytes).unwrap_or(i64::MAX))
        .bind(after.pieces)
        .bind(json(&after.order.conditions())?);
        self.execute(update).await?;
        Ok(())
    }
}

/// Exports of a campaign that may keep something of people.
const TO_WITHDRAW: &str = "
    SELECT * FROM exports
    WHERE company_id = ?1 AND campaign_id = ?2
      AND (state IN ('running', 'done') OR filter -> '$.columns' <> '{}')";

#[async_trait]
impl ExportRepository for SqliteUnitOfWork {
    async fn insert(&mut self, export: &Export) -> Result<(), StorageError> {
        self.must_cover(export.company_id)?;
        let insert = EXPORTS.insert([values(export)?]);
        self.execute(built(&insert)).await?;
        Ok(())
    }

    async fn get(&mut self, id: ExportId) -> Result<Option<Export>, StorageError> {
        let mut select = EXPORTS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        let row = self.fetch_optional(built(&select)).await?;
        row.as_ref().map(read).transpose()
    }

    async fn list(
        &mut self,
        campaign_id: CampaignId,
        page: &PageRequest,
    ) -> Result<Page<Export>, StorageError> {
        let mut select = EXPORTS.select(self.scope);
        select.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        page::by_creation(&mut select, "id", Order::Desc, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |export| {
            Created::cursor(export.created_at, export.id.as_uuid())
        }))
    }

    async fn count_open(&mut self, campaign_id: CampaignId) -> Result<u64, StorageError> {
        let mut select = EXPORTS.select(self.scope);
        select
            .clear_selects()
            .expr_as(Expr::cust("count(*)"), "open")
            .and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()))
            .and_where(Expr::cust("state IN ('waiting', 'running')"));
        let row = self.fetch_optional(built(&select)).await?;
        row.map_or(Ok(0), |row| Row::new(&row, EXPORTS.name).get("open"))
    }

    async fn claim(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Export>, StorageError> {
        let select = sqlx::query(
            "SELECT * FROM exports
             WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease_until <= ?1)
             ORDER BY
                 (SELECT count(*) FROM exports AS running
                  WHERE running.company_id = exports.company_id AND running.state = 'running'
                      AND running.lease_until > ?1),
                 (SELECT max(made.ended_at) FROM exports AS made
                  WHERE made.company_id = exports.company_id
                      AND made.state IN ('done', 'failed', 'expired')) NULLS FIRST,
                 created_at, id
             LIMIT 1",
        )
        .bind(micros(now));
        let Some(row) = self.fetch_optional(select).await? else {
            return Ok(None);
        };
        let export = read(&row)?;
        let run = export.run;
        let begun = export.begun(lease_until);
        self.write_export(&begun, run).await?;
        self.remove_pieces(begun.id).await?;
        Ok(Some(begun))
    }

    async fn update(&mut self, export: &Export) -> Result<(), StorageError> {
        self.write_export(export, export.run).await
    }

    async fn add_piece(&mut self, export: &Export, content: &[u8]) -> Result<(), StorageError> {
        self.must_cover(export.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO export_pieces (company_id, export_id, number, content)
             VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(export.company_id.as_uuid())
        .bind(export.id.as_uuid())
        .bind(export.pieces)
        .bind(content.to_vec());
        self.execute(insert).await?;
        Ok(())
    }

    async fn piece(&mut self, id: ExportId, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let mut select = EXPORT_PIECES.select(self.scope);
        select
            .and_where(Expr::col("export_id").eq(id.as_uuid()))
            .and_where(Expr::col("number").eq(number));
        let row = self.fetch_optional(built(&select)).await?;
        let content = row.map(|row| Row::new(&row, EXPORT_PIECES.name).get("content"));
        content.transpose()
    }

    async fn note_fetch(&mut self, id: ExportId, at: Timestamp) -> Result<(), StorageError> {
        if let Some(export) = ExportRepository::get(self, id).await? {
            let update = sqlx::query(
                "UPDATE exports SET fetches = fetches + 1, last_fetched_at = ?3
                 WHERE company_id = ?1 AND id = ?2",
            )
            .bind(export.company_id.as_uuid())
            .bind(id.as_uuid())
            .bind(micros(at));
            self.execute(update).await?;
        }
        Ok(())
    }

    async fn remove_pieces(&mut self, id: ExportId) -> Result<(), StorageError> {
        let mut delete = EXPORT_PIECES.delete(self.scope);
        delete.and_where(Expr::col("export_id").eq(id.as_uuid()));
        self.execute(built(&delete)).await?;
        Ok(())
    }

    async fn withdraw(&mut self, campaigns: &[CampaignId]) -> Result<u64, StorageError> {
        let company_id = self.own_company()?;
        let mut withdrawn = 0;
        for campaign in campaigns {
            let select = sqlx::query(TO_WITHDRAW)
                .bind(company_id.as_uuid())
                .bind(campaign.as_uuid());
            for before in read_all(&self.fetch_all(select).await?, read)? {
                let after = before.clone().withdrawn();
                withdrawn += u64::from(before.state != after.state);
                if before != after {
                    self.take_back(before, &after).await?;
                }
            }
        }
        Ok(withdrawn)
    }

    async fn expire_one(&mut self, now: Timestamp) -> Result<bool, StorageError> {
        let select = sqlx::query(
            "SELECT * FROM exports WHERE state = 'done' AND expires_at <= ?1
             ORDER BY expires_at LIMIT 1",
        )
        .bind(micros(now));
        let Some(row) = self.fetch_optional(select).await? else {
            return Ok(false);
        };
        let done = read(&row)?;
        let expired = done.clone().expired();
        self.take_back(done, &expired).await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query_plan::assert_uses;

    #[tokio::test]
    async fn exports_are_withdrawn_by_an_index() {
        let of_campaign = "exports_of_campaign (company_id=? AND campaign_id=?)";
        assert_uses(TO_WITHDRAW, &[of_campaign]).await;
    }
}
