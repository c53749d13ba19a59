//! The bell that tells the engine's loops to look at the store now.
//!
//! Where several servers share a store, whoever implements it also tells the others: what one of
//! them frees or fills, any of them may dial.

/// Rings when there may be something to do: a call ended, a list was uploaded, a campaign started.
///
/// A hint, not a promise: a bell that is lost costs time until the next look, never a call. Ringing
/// twice is the same as ringing once.
pub trait WakeUp: Send + Sync + std::fmt::Debug {
    /// Rings the bell. Does not wait.
    fn wake(&self);
}

/// Nobody listens: for programs that look at the queue by themselves, such as simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoWakeUp;

impl WakeUp for NoWakeUp {
    fn wake(&self) {}
}
