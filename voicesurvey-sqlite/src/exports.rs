//! Exports with their contents.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::api_key::ApiKeyHash;
use voicesurvey_core::export::{Export, ExportOrder, Written};
use voicesurvey_core::id::{CampaignId, ExportId};
use voicesurvey_core::ports::{ExportRepository, Page, PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::stale;
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::{EXPORT_PIECES, EXPORTS};
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(export: &Export) -> Result<[Value; 19], StorageError> {
    let link = export.link.map(|link| link.as_bytes().to_vec());
    Ok([
        export.company_id.as_uuid().into(),
        export.id.as_uuid().into(),
        export.campaign_id.as_uuid().into(),
        export.order.kind.name().into(),
        export.order.format.name().into(),
        json(&export.order.filter)?.into(),
        export.requested_by.as_uuid().into(),
        link.into(),
        export.state.name().into(),
        export.run.into(),
        export.lease_until.map(micros).into(),
        count(export.written.people),
        count(export.written.rows),
        count(export.written.bytes),
        export.pieces.into(),
        export.failure.clone().into(),
        micros(export.created_at).into(),
        export.ended_at.map(micros).into(),
        export.expires_at.map(micros).into(),
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
    Ok(Export {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        order: ExportOrder {
            kind: row.word("kind")?,
            format: row.word("format")?,
            filter: row.document("filter")?,
        },
        requested_by: row.id("requested_by")?,
        link: link.transpose()?,
        state: row.word("state")?,
        run: row.get("run")?,
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
}

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

    async fn claim(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Export>, StorageError> {
        let select = sqlx::query(
            "SELECT * FROM exports
             WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease_until <= ?1)
             ORDER BY created_at, id LIMIT 1",
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

    async fn remove_pieces(&mut self, id: ExportId) -> Result<(), StorageError> {
        let mut delete = EXPORT_PIECES.delete(self.scope);
        delete.and_where(Expr::col("export_id").eq(id.as_uuid()));
        self.execute(built(&delete)).await?;
        Ok(())
    }

    async fn expire_one(&mut self, now: Timestamp) -> Result<bool, StorageError> {
        let expire = sqlx::query(
            "UPDATE exports SET state = 'expired'
             WHERE (company_id, id) IN (
                 SELECT company_id, id FROM exports
                 WHERE state = 'done' AND expires_at <= ?1 ORDER BY expires_at LIMIT 1)
             RETURNING id",
        )
        .bind(micros(now));
        let Some(row) = self.fetch_optional(expire).await? else {
            return Ok(false);
        };
        let id = Row::new(&row, EXPORTS.name).id("id")?;
        self.remove_pieces(id).await?;
        Ok(true)
    }
}
