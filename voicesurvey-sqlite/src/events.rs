//! Events: the provider's, each noted once (I10), and those for subscribers.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, OnConflict, Value};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use voicesurvey_core::call_attempt::CallEvent;
use voicesurvey_core::id::CallAttemptId;
use voicesurvey_core::ports::repositories::OutboxEvent;
use voicesurvey_core::ports::{CampaignKey, EventRepository, Page, PageRequest, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::page;
use crate::row::{Row, json, micros, read_all};
use crate::schema::{OUTBOX_EVENTS, PROVIDER_EVENTS};
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn received(event: &CallEvent, now: Timestamp) -> Result<[Value; 5], StorageError> {
    Ok([
        event.company_id.as_uuid().into(),
        event.attempt_id.as_uuid().into(),
        event.event_id.clone().into(),
        json(event)?.into(),
        micros(now).into(),
    ])
}

fn values(event: &OutboxEvent) -> [Value; 5] {
    [
        event.company_id.as_uuid().into(),
        event.id.as_uuid().into(),
        event.kind.clone().into(),
        event.body.to_string().into(),
        micros(event.at).into(),
    ]
}

fn read(row: &SqliteRow) -> Result<OutboxEvent, StorageError> {
    let row = Row::new(row, OUTBOX_EVENTS.name);
    Ok(OutboxEvent {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        kind: row.get("kind")?,
        body: row.document("body")?,
        at: row.instant("at")?,
    })
}

impl SqliteUnitOfWork {
    /// Removes what the provider told about the attempts of a campaign.
    pub(crate) async fn delete_provider_events(
        &mut self,
        campaign: CampaignKey,
    ) -> Result<(), StorageError> {
        let delete = sqlx::query(
            "DELETE FROM provider_events
             WHERE company_id = ?1
               AND attempt_id IN (SELECT id FROM call_attempts
                                  WHERE company_id = ?1 AND campaign_id = ?2)",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid());
        self.execute(delete).await?;
        Ok(())
    }
}

#[async_trait]
impl EventRepository for SqliteUnitOfWork {
    async fn receive(&mut self, event: &CallEvent, now: Timestamp) -> Result<bool, StorageError> {
        self.must_cover(event.company_id)?;
        let mut insert = PROVIDER_EVENTS.insert([received(event, now)?]);
        insert.on_conflict(
            OnConflict::columns(["company_id", "attempt_id", "event_id"])
                .do_nothing()
                .to_owned(),
        );
        Ok(self.execute(built(&insert)).await? > 0)
    }

    async fn received(&mut self, call: CallAttemptId) -> Result<Vec<CallEvent>, StorageError> {
        let mut select = PROVIDER_EVENTS.select(self.scope);
        select.and_where(Expr::col("attempt_id").eq(call.as_uuid()));
        read_all(&self.fetch_all(built(&select)).await?, |row| {
            Row::new(row, PROVIDER_EVENTS.name).document("body")
        })
    }

    async fn publish(&mut self, event: &OutboxEvent) -> Result<(), StorageError> {
        self.must_cover(event.company_id)?;
        self.execute(built(&OUTBOX_EVENTS.insert([values(event)])))
            .await?;
        Ok(())
    }

    async fn published(&mut self, page: &PageRequest) -> Result<Page<OutboxEvent>, StorageError> {
        let mut select = OUTBOX_EVENTS.select(self.scope);
        page::by_key(&mut select, "id", page, |cursor| {
            cursor.parse::<Uuid>().ok()
        })?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |event| {
            event.id.to_string()
        }))
    }
}
