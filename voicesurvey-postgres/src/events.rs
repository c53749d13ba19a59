//! Events: from the provider (inbox) and for subscribers (outbox).

use std::collections::HashSet;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use voicesurvey_core::call_attempt::CallEvent;
use voicesurvey_core::id::{CallAttemptId, CompanyId};
use voicesurvey_core::ports::repositories::OutboxEvent;
use voicesurvey_core::ports::{EventRepository, Page, PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::error::written;
use crate::page;
use crate::row::Reader;
use crate::schema::{self, company_of};
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
        let news = self.receive_many(std::slice::from_ref(event), now).await?;
        Ok(news == [true])
    }

    async fn receive_many(
        &mut self,
        events: &[CallEvent],
        now: Timestamp,
    ) -> Result<Vec<bool>, StorageError> {
        /// One array per column.
        fn all<T>(events: &[CallEvent], column: impl Fn(&CallEvent) -> T) -> Vec<T> {
            events.iter().map(column).collect()
        }
        for event in events {
            self.permit(event.company_id)?;
        }
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let insert = sqlx::query(include_str!("sql/receive_events.sql"))
            .bind(all(events, |event| event.company_id.as_uuid()))
            .bind(all(events, |event| event.attempt_id.as_uuid()))
            .bind(all(events, |event| event.event_id.clone()))
            .bind(all(events, |event| Json(event.clone())))
            .bind(now);
        let mut new: HashSet<(CompanyId, CallAttemptId, String)> = HashSet::new();
        for row in self.attempt_rows(insert).await? {
            let row = Reader::new("call_events", &row);
            new.insert((
                row.id("company_id")?,
                row.id("attempt_id")?,
                row.get("event_id")?,
            ));
        }
        Ok(all(events, |event| {
            (event.company_id, event.attempt_id, event.event_id.clone())
        })
        .iter()
        // Of two that are the same the second is not new any more.
        .map(|event| new.remove(event))
        .collect())
    }

    async fn received(&mut self, call: CallAttemptId) -> Result<Vec<CallEvent>, StorageError> {
        let find = company_of!("call_events", "attempt_id");
        let Some(company_id) = self.company_of(find, call.as_uuid()).await? else {
            return Ok(Vec::new());
        };
        let select = "SELECT event FROM call_events WHERE company_id = $1 AND attempt_id = $2";
        let select = sqlx::query(select).bind(company_id).bind(call.as_uuid());
        let rows = self.rows(select).await?;
        let event = |row| Reader::new("call_events", row).document("event");
        rows.iter().map(event).collect()
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
