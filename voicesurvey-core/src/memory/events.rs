//! Events from the provider and for subscribers.

use async_trait::async_trait;

use super::rows::ReceivedEvent;
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::call_attempt::CallEvent;
use crate::company::Company;
use crate::id::CallAttemptId;
use crate::ports::repositories::OutboxEvent;
use crate::ports::{EventRepository, Page, PageRequest, StorageError};
use crate::time::Timestamp;

#[async_trait]
impl EventRepository for MemoryUnitOfWork {
    async fn receive(&mut self, event: &CallEvent, _now: Timestamp) -> Result<bool, StorageError> {
        self.may_write(event.company_id)?;
        let key = (event.attempt_id, event.event_id.clone());
        let is_new = !self.transaction.has::<ReceivedEvent>(&key);
        if is_new {
            self.transaction.put(ReceivedEvent(event.clone()));
        }
        Ok(is_new)
    }

    async fn received(&mut self, call: CallAttemptId) -> Result<Vec<CallEvent>, StorageError> {
        let events = self.transaction.table::<ReceivedEvent>();
        let events = events.range((call, String::new())..).map(|row| &row.0);
        let of_call = events.take_while(|event| event.attempt_id == call);
        let visible = of_call.filter(|event| self.sees(event.company_id));
        Ok(visible.cloned().collect())
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
