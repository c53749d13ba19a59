//! What the provider tells, and what subscribers are told.

use async_trait::async_trait;

use crate::call_attempt::CallEvent;
use crate::id::{CallAttemptId, CompanyId, OutboxEventId};
use crate::ports::storage::{Page, PageRequest, StorageError};
use crate::time::Timestamp;

/// Events from the provider (inbox) and for subscribers (outbox).
#[async_trait]
pub trait EventRepository: Send {
    /// Notes an event of the provider. `false` if it was noted before: then it has been dealt
    /// with, and must not be again (I10).
    async fn receive(&mut self, event: &CallEvent, now: Timestamp) -> Result<bool, StorageError>;
    /// Notes several events, and says of each whether it is new. Of two that are the same the first
    /// is.
    async fn receive_many(
        &mut self,
        events: &[CallEvent],
        now: Timestamp,
    ) -> Result<Vec<bool>, StorageError> {
        let mut news = Vec::with_capacity(events.len());
        for event in events {
            news.push(self.receive(event, now).await?);
        }
        Ok(news)
    }
    /// What the provider told of a call, each event once, in no particular order.
    async fn received(&mut self, call: CallAttemptId) -> Result<Vec<CallEvent>, StorageError>;
    /// Adds an event for subscribers.
    async fn publish(&mut self, event: &OutboxEvent) -> Result<(), StorageError>;
    /// Events for subscribers, in the order of their identifiers.
    async fn published(&mut self, page: &PageRequest) -> Result<Page<OutboxEvent>, StorageError>;
}

/// Something that subscribers want to know (row A23).
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEvent {
    /// Its identifier.
    pub id: OutboxEventId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// What happened: `survey.completed`, `survey.refused`, `survey.not_reached`.
    pub kind: String,
    /// The details.
    pub body: serde_json::Value,
    /// When.
    pub at: Timestamp,
}
