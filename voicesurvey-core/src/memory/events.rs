//! Events from the provider and for subscribers.

use async_trait::async_trait;

use super::rows::ReceivedEvent;
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::call_attempt::CallEvent;
use crate::company::Company;
use crate::ports::repositories::OutboxEvent;
use crate::ports::{EventRepository, Page, PageRequest, StorageError};
use crate::time::Timestamp;

#[async_trait]
impl EventRepository for MemoryUnitOfWork {
    async fn receive(&mut self, event: &CallEvent, _now: Timestamp) -> Result<bool, StorageError> {
        self.may_write(event.company_id)?;
        let received = ReceivedEvent {
            attempt_id: event.attempt_id,
            event_id: event.event_id.clone(),
        };
        let key = (event.attempt_id, event.event_id.clone());
        let is_new = !self.transaction.has::<ReceivedEvent>(&key);
        if is_new {
            self.transaction.put(received);
        }
        Ok(is_new)
    }

    async fn publish(&mut self, event: &OutboxEvent) -> Result<(), StorageError> {
        self.may_write(event.company_id)?;
        require(
            self.transaction.has::<Company>(&event.company_id),
            "the company does not exist",
        )?;
        require(
            !self.transaction.has::<OutboxEvent>(&event.id),
            "the event exists",
        )?;
        if !self.transaction.forgets {
            self.transaction.put(event.clone());
        }
        Ok(())
    }

    async fn published(&mut self, page: &PageRequest) -> Result<Page<OutboxEvent>, StorageError> {
        let rows = self.transaction.table::<OutboxEvent>().after(cursor(page)?);
        let rows = rows.filter(|row| self.sees(row.company_id));
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}
