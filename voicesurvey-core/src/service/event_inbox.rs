//! The inbox: events that arrive at the same moment are committed together.
//!
//! One unit of work per event costs a commit per event, and all events of a company wait for each
//! other at its counters. Here whoever comes first takes its event in; those who come meanwhile wait,
//! and the next of them takes in all that have gathered. So nobody lingers, a quiet server answers
//! as fast as without an inbox, and a busy one commits a few times and not a thousand times.
//!
//! The invariant: an event is answered only after it was committed. A caller that gives up does not
//! take the others with it: those whose events it held see to them by themselves.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_channel::oneshot;

use super::call_events::{CallEvents, Receipt};
use crate::call_attempt::CallEvent;
use crate::id::CompanyId;
use crate::ports::StorageError;

/// Events that are committed together at most.
const LARGEST_BATCH: usize = 200;

/// Takes events in, several at a time where several come.
#[derive(Clone, Debug)]
pub struct EventInbox {
    call_events: CallEvents,
    queues: Arc<Mutex<HashMap<CompanyId, Vec<Waiting>>>>,
}

/// An event whose caller waits.
#[derive(Debug)]
struct Waiting {
    event: CallEvent,
    caller: oneshot::Sender<Word>,
}

/// What a caller that waits is told.
#[derive(Debug)]
enum Word {
    /// The event was committed.
    Done(Receipt),
    /// It was not; the caller shall take it in by itself.
    Alone,
    /// It is the caller's turn to take in what has gathered, its own event first. The leadership
    /// travels with the word: should nobody read it, it is handed on.
    Lead(Box<CallEvent>, Leadership),
}

/// What a caller has to do.
enum Turn {
    Lead(Box<CallEvent>),
    Wait(oneshot::Receiver<Word>),
}

impl EventInbox {
    /// An empty inbox.
    pub fn new(call_events: CallEvents) -> Self {
        Self {
            call_events,
            queues: Arc::default(),
        }
    }

    /// Takes in one event, as [`CallEvents::receive`] does.
    pub async fn receive(&self, event: &CallEvent) -> Result<Receipt, StorageError> {
        match self.enter(event) {
            Turn::Lead(event) => {
                let leadership = self.leadership(event.company_id);
                self.lead(*event, leadership).await
            }
            Turn::Wait(answer) => match answer.await {
                Ok(Word::Done(receipt)) => Ok(receipt),
                Ok(Word::Lead(event, leadership)) => self.lead(*event, leadership).await,
                // Whoever held the event has failed, or is gone.
                Ok(Word::Alone) | Err(oneshot::Canceled) => self.call_events.receive(event).await,
            },
        }
    }

    /// Leads if nobody does, else waits.
    fn enter(&self, event: &CallEvent) -> Turn {
        let mut queues = self.lock();
        let Some(queue) = queues.get_mut(&event.company_id) else {
            queues.insert(event.company_id, Vec::new());
            return Turn::Lead(Box::new(event.clone()));
        };
        let (caller, answer) = oneshot::channel();
        queue.push(Waiting {
            event: event.clone(),
            caller,
        });
        Turn::Wait(answer)
    }

    /// Takes in the leader's event with those that have gathered.
    async fn lead(
        &self,
        own: CallEvent,
        // Handed on when this future ends, also when it is dropped.
        _leadership: Leadership,
    ) -> Result<Receipt, StorageError> {
        let company_id = own.company_id;
        let gathered = self.gathered(company_id);
        let mut events = Vec::with_capacity(gathered.len() + 1);
        events.push(own);
        let mut callers = Vec::with_capacity(gathered.len());
        for Waiting { event, caller } in gathered {
            events.push(event);
            callers.push(caller);
        }
        match self.call_events.receive_many(company_id, &events).await {
            Ok(receipts) => {
                let mut receipts = receipts.into_iter();
                let own = receipts.next().unwrap_or(Receipt::UnknownAttempt);
                for (caller, receipt) in callers.into_iter().zip(receipts) {
                    tell(caller, Word::Done(receipt));
                }
                Ok(own)
            }
            // One event that cannot be stored must not keep the others from being.
            Err(error) if !callers.is_empty() => {
                tracing::debug!(%error, events = events.len(), "a batch of events is taken apart");
                for caller in callers {
                    tell(caller, Word::Alone);
                }
                self.call_events.receive(&events[0]).await
            }
            Err(error) => Err(error),
        }
    }

    fn gathered(&self, company_id: CompanyId) -> Vec<Waiting> {
        let mut queues = self.lock();
        let Some(queue) = queues.get_mut(&company_id) else {
            return Vec::new();
        };
        let most = queue.len().min(LARGEST_BATCH - 1);
        queue.drain(..most).collect()
    }

    fn leadership(&self, company_id: CompanyId) -> Leadership {
        Leadership {
            inbox: self.clone(),
            company_id,
            is_handed_on: false,
        }
    }

    /// Makes the first who still waits the leader; with nobody there the inbox is closed.
    fn hand_over(&self, company_id: CompanyId) {
        while let Some(Waiting { event, caller }) = self.next_leader(company_id) {
            let word = Word::Lead(Box::new(event), self.leadership(company_id));
            match caller.send(word) {
                Ok(()) => return,
                // The caller has gone; its leadership must not be handed on once more.
                Err(Word::Lead(_, mut unread)) => unread.is_handed_on = true,
                Err(Word::Done(_) | Word::Alone) => {}
            }
        }
    }

    /// The one who has waited longest; with nobody there the inbox is closed.
    fn next_leader(&self, company_id: CompanyId) -> Option<Waiting> {
        let mut queues = self.lock();
        let queue = queues.get_mut(&company_id)?;
        if queue.is_empty() {
            queues.remove(&company_id);
            return None;
        }
        Some(queue.remove(0))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CompanyId, Vec<Waiting>>> {
        // OK because every change of the queues is whole before anything can panic.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that has gone needs no word: its provider will send the event again.
fn tell(caller: oneshot::Sender<Word>, word: Word) {
    drop(caller.send(word));
}

/// Held by the leader, or by the word that makes somebody the leader.
#[derive(Debug)]
struct Leadership {
    inbox: EventInbox,
    company_id: CompanyId,
    is_handed_on: bool,
}

impl Drop for Leadership {
    fn drop(&mut self) {
        if !self.is_handed_on {
            self.inbox.hand_over(self.company_id);
        }
    }
}
