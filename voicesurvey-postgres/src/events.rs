//! Events: from the provider (inbox) and for subscribers (outbox).

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use voicesurvey_core::call_attempt::CallEvent;
use voicesurvey_core::ports::repositories::OutboxEvent;
use voicesurvey_core::ports::{EventRepository, Page, PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::written;
use crate::page;
use crate::row::Reader;
use crate::schema;
use crate::unit_of_work::PostgresUnitOfWork;

fn outbox_event(row: &PgRow) -> Result<OutboxEvent, StorageError> {
    let row = Reader::new("outbox_events", row);
    Ok(OutboxEvent {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        kind: row.get("kind")?,
        body: row.get("body")?,
        at: row.get("happened_at")?,
    })
}

#[async_trait]
impl EventRepository for PostgresUnitOfWork {
    async fn receive(&mut self, event: &CallEvent, now: Timestamp) -> Result<bool, StorageError> {
        self.permit(event.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO call_events (company_id, attempt_id, event_id, event, received_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(event.company_id.as_uuid())
        .bind(event.attempt_id.as_uuid())
        .bind(event.event_id.clone())
        .bind(Json(event.clone()))
        .bind(now);
        Ok(self.attempt(insert).await? == 1)
    }

    async fn publish(&mut self, event: &OutboxEvent) -> Result<(), StorageError> {
        self.permit(event.company_id)?;
        let insert = sqlx::query(
            "INSERT INTO outbox_events (company_id, id, kind, body, happened_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(event.company_id.as_uuid())
        .bind(event.id.as_uuid())
        .bind(event.kind.clone())
        .bind(event.body.clone())
        .bind(event.at);
        written(self.execute(insert).await?, "the event exists already")
    }

    async fn published(
        &mut self,
        request: &PageRequest,
    ) -> Result<Page<OutboxEvent>, StorageError> {
        let columns = "company_id, id, kind, body, happened_at";
        let mut list = schema::select(columns, "outbox_events", self.scope);
        page::by_id(&mut list, request)?;
        let rows = self.list(&list).await?;
        let events = rows.iter().map(outbox_event).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            events,
            request.limit(),
            |event: &OutboxEvent| event.id.to_string(),
        ))
    }
}
