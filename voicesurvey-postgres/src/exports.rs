//! Exports with their contents.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::api_key::ApiKeyHash;
use voicesurvey_core::export::{Export, ExportConditions, ExportOrder, ExportState, Written};
use voicesurvey_core::id::{CampaignId, ExportId};
use voicesurvey_core::ports::{ExportRepository, Page, PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

/// The columns in the order in which they are bound.
macro_rules! columns {
    () => {
        "company_id, id, campaign_id, kind, format, filter, requested_by, link, created_at, state, \
         run, excused, lease_until, people, rows, bytes, pieces, failure, ended_at, expires_at, \
         delimiter, fetches, last_fetched_at"
    };
}

fn export(row: &PgRow) -> Result<Export, StorageError> {
    let row = Reader::new("exports", row);
    let link: Option<&[u8]> = row.get("link")?;
    let link = link.map(|link| {
        let hash = ApiKeyHash::from_bytes(link);
        hash.ok_or_else(|| row.corrupt(&format!("a hash of {} bytes", link.len())))
    });
    let conditions: ExportConditions = row.document("filter")?;
    Ok(Export {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        order: ExportOrder {
            kind: row.parsed("kind")?,
            format: row.parsed("format")?,
            delimiter: row.parsed("delimiter")?,
            filter: conditions.filter,
            thresholds: conditions.thresholds,
        },
        requested_by: row.id("requested_by")?,
        link: link.transpose()?,
        state: row.parsed("state")?,
        run: row.number("run")?,
        excused: row.number("excused")?,
        lease_until: row.instant("lease_until")?,
        written: Written {
            people: row.number("people")?,
            rows: row.number("rows")?,
            bytes: row.number("bytes")?,
        },
        pieces: row.number("pieces")?,
        failure: row.get("failure")?,
        created_at: row.get("created_at")?,
        ended_at: row.instant("ended_at")?,
        expires_at: row.instant("expires_at")?,
        fetches: row.number("fetches")?,
        last_fetched_at: row.instant("last_fetched_at")?,
    })
}

fn count(number: u64) -> i64 {
    // OK because nothing has as many rows or bytes.
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl PostgresUnitOfWork {
    /// Writes an export back, if it stands there as it was in that run.
    async fn write_export(&mut self, export: &Export, run: u16) -> Result<(), StorageError> {
        self.permit(export.company_id)?;
        let update = sqlx::query(
            "UPDATE exports SET state = $4, run = $5, lease_until = $6, people = $7, rows = $8,
                 bytes = $9, pieces = $10, failure = $11, ended_at = $12, expires_at = $13
             WHERE company_id = $1 AND id = $2 AND run = $3
                 AND (state IN ('waiting', 'running') OR state = 'streamed' AND ended_at IS NULL)",
        )
        .bind(export.company_id.as_uuid())
        .bind(export.id.as_uuid())
        .bind(i64::from(run))
        .bind(export.state.name())
        .bind(i64::from(export.run))
        .bind(export.lease_until)
        .bind(count(export.written.people))
        .bind(count(export.written.rows))
        .bind(count(export.written.bytes))
        .bind(i64::from(export.pieces))
        .bind(export.failure.clone())
        .bind(export.ended_at)
        .bind(export.expires_at);
        match self.execute(update).await? {
            0 => Err(StorageError::Conflict {
                what: "the export has ended or was begun anew".to_owned(),
            }),
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
            "UPDATE exports SET state = $3, run = $4, excused = $5, lease_until = $6, people = $7,
                 rows = $8, bytes = $9, pieces = $10, filter = $11
             WHERE company_id = $1 AND id = $2",
        )
        .bind(after.company_id.as_uuid())
        .bind(after.id.as_uuid())
        .bind(after.state.name())
        .bind(i64::from(after.run))
        .bind(i64::from(after.excused))
        .bind(after.lease_until)
        .bind(count(after.written.people))
        .bind(count(after.written.rows))
        .bind(count(after.written.bytes))
        .bind(i64::from(after.pieces))
        .bind(Json(after.order.conditions()));
        self.execute(update).await?;
        Ok(())
    }
}

/// Exports of campaigns that may keep something of people: those that wait too, because one that is
/// being claimed just now is waited for, and is found as it is then.
const TO_WITHDRAW: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM exports
      WHERE company_id = $1 AND campaign_id = ANY($2)
          AND (state IN ('waiting', 'running', 'done') OR filter -> 'columns' <> '{}')
      ORDER BY id FOR UPDATE"
);

#[async_trait]
impl ExportRepository for PostgresUnitOfWork {
    async fn insert(&mut self, export: &Export) -> Result<(), StorageError> {
        self.permit(export.company_id)?;
        if export.state == ExportState::Waiting {
            // Else it might be begun before an erasure is committed, and not be seen by it.
            self.hold_off_erasures(export.company_id).await?;
        }
        let insert = sqlx::query(concat!(
            "INSERT INTO exports (",
            columns!(),
            ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                       $18, $19, $20, $21, $22, $23)"
        ))
        .bind(export.company_id.as_uuid())
        .bind(export.id.as_uuid())
        .bind(export.campaign_id.as_uuid())
        .bind(export.order.kind.name())
        .bind(export.order.format.name())
        .bind(Json(export.order.conditions()))
        .bind(export.requested_by.as_uuid())
        .bind(export.link.map(|link| link.as_bytes().to_vec()))
        .bind(export.created_at)
        .bind(export.state.name())
        .bind(i64::from(export.run))
        .bind(i64::from(export.excused))
        .bind(export.lease_until)
        .bind(count(export.written.people))
        .bind(count(export.written.rows))
        .bind(count(export.written.bytes))
        .bind(i64::from(export.pieces))
        .bind(export.failure.clone())
        .bind(export.ended_at)
        .bind(export.expires_at)
        .bind(export.order.delimiter.name())
        .bind(i64::from(export.fetches))
        .bind(export.last_fetched_at);
        self.execute(insert).await?;
        Ok(())
    }

    async fn get(&mut self, id: ExportId) -> Result<Option<Export>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM exports WHERE company_id = $1 AND id = $2"
        );
        let row = self
            .find(company_of!("exports"), select, id.as_uuid())
            .await?;
        row.as_ref().map(export).transpose()
    }

    async fn list(
        &mut self,
        campaign_id: CampaignId,
        request: &PageRequest,
    ) -> Result<Page<Export>, StorageError> {
        let mut list = schema::select(columns!(), "exports", self.scope);
        list.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        page::by_creation(&mut list, "id", Direction::NewestFirst, request)?;
        let rows = self.list(&list).await?;
        let exports = rows.iter().map(export).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            exports,
            request.limit(),
            |export: &Export| Place::new(export.created_at, export.id.as_uuid()).cursor(),
        ))
    }

    async fn count_open(&mut self, campaign_id: CampaignId) -> Result<u64, StorageError> {
        let mut list = schema::select("count(*) AS open", "exports", self.scope);
        list.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        list.and_where(Expr::cust("state IN ('waiting', 'running')"));
        let rows = self.list(&list).await?;
        rows.first()
            .map_or(Ok(0), |row| Reader::new("exports", row).number("open"))
    }

    async fn claim(
        &mut self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<Export>, StorageError> {
        let select = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM exports
              WHERE state IN ('waiting', 'running') AND (state = 'waiting' OR lease_until <= $1)
              ORDER BY
                  (SELECT count(*) FROM exports AS running
                   WHERE running.company_id = exports.company_id AND running.state = 'running'
                       AND running.lease_until > $1),
                  (SELECT max(made.ended_at) FROM exports AS made
                   WHERE made.company_id = exports.company_id
                       AND made.state IN ('done', 'failed', 'expired')) NULLS FIRST,
                  created_at, id
              LIMIT 1 FOR UPDATE SKIP LOCKED"
        ))
        .bind(now);
        let Some(row) = self.row(select).await? else {
            return Ok(None);
        };
        let waiting = export(&row)?;
        let run = waiting.run;
        let begun = waiting.begun(lease_until);
        self.write_export(&begun, run).await?;
        self.remove_pieces(begun.id).await?;
        Ok(Some(begun))
    }

    async fn update(&mut self, export: &Export) -> Result<(), StorageError> {
        self.write_export(export, export.run).await
    }

    async fn add_piece(&mut self, export: &Export, content: &[u8]) -> Result<(), StorageError> {
        self.permit(export.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO export_pieces (company_id, export_id, number, content)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(export.company_id.as_uuid())
        .bind(export.id.as_uuid())
        .bind(i64::from(export.pieces))
        .bind(content.to_vec());
        self.execute(insert).await?;
        Ok(())
    }

    async fn piece(&mut self, id: ExportId, number: u32) -> Result<Option<Vec<u8>>, StorageError> {
        let company = self
            .company_of(company_of!("exports"), id.as_uuid())
            .await?;
        let Some(company_id) = company else {
            return Ok(None);
        };
        let select = sqlx::query(
            "SELECT content FROM export_pieces
             WHERE company_id = $1 AND export_id = $2 AND number = $3",
        )
        .bind(company_id)
        .bind(id.as_uuid())
        .bind(i64::from(number));
        let row = self.row(select).await?;
        let content = row.map(|row| Reader::new("export_pieces", &row).get("content"));
        content.transpose()
    }

    async fn note_fetch(&mut self, id: ExportId, at: Timestamp) -> Result<(), StorageError> {
        let company = self
            .company_of(company_of!("exports"), id.as_uuid())
            .await?;
        if let Some(company_id) = company {
            let update = sqlx::query(
                "UPDATE exports SET fetches = fetches + 1, last_fetched_at = $3
                 WHERE company_id = $1 AND id = $2",
            )
            .bind(company_id)
            .bind(id.as_uuid())
            .bind(at);
            self.execute(update).await?;
        }
        Ok(())
    }

    async fn remove_pieces(&mut self, id: ExportId) -> Result<(), StorageError> {
        let company = self
            .company_of(company_of!("exports"), id.as_uuid())
            .await?;
        if let Some(company_id) = company {
            let delete =
                sqlx::query("DELETE FROM export_pieces WHERE company_id = $1 AND export_id = $2")
                    .bind(company_id)
                    .bind(id.as_uuid());
            self.execute(delete).await?;
        }
        Ok(())
    }

    async fn withdraw(&mut self, campaigns: &[CampaignId]) -> Result<u64, StorageError> {
        let campaigns: Vec<Uuid> = campaigns.iter().map(|id| id.as_uuid()).collect();
        let select = sqlx::query(TO_WITHDRAW)
            .bind(self.own_company()?.as_uuid())
            .bind(campaigns);
        let mut withdrawn = 0;
        for row in self.rows(select).await? {
            let before = export(&row)?;
            let after = before.clone().withdrawn();
            withdrawn += u64::from(before.state != after.state);
            if before != after {
                self.take_back(before, &after).await?;
            }
        }
        Ok(withdrawn)
    }

    async fn expire_one(&mut self, now: Timestamp) -> Result<bool, StorageError> {
        let select = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM exports WHERE state = 'done' AND expires_at <= $1
              ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED"
        ))
        .bind(now);
        let Some(row) = self.row(select).await? else {
            return Ok(false);
        };
        let done = export(&row)?;
        let expired = done.clone().expired();
        self.take_back(done, &expired).await?;
        Ok(true)
    }
}
