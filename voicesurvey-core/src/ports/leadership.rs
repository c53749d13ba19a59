//! Leadership: of several servers on one store, one does the duties that need no doing twice.
//!
//! The invariant: two servers may believe at the same moment that they lead, because nobody can
//! know that it was frozen until it wakes up; what keeps them apart is the store, which refuses the
//! writes of a past leader with [`StorageError::NotLeader`](super::StorageError::NotLeader).

use std::fmt;

/// Tells whether this server leads.
pub trait Leadership: Send + Sync + fmt::Debug {
    /// Whether this server believes that it leads now. Asks nobody, and changes with time.
    fn is_leader(&self) -> bool;
}

/// The only server on its store: it always leads.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnlyServer;

impl Leadership for OnlyServer {
    fn is_leader(&self) -> bool {
        true
    }
}
