//! Bugs planted on purpose, so that the simulation can show that it would find them.
//!
//! Without the feature `planted-bugs` none of them can be switched on, and the compiler removes
//! every trace of them. With it, a bug exists only on the thread that asked for it, and only for as
//! long as it asked: other tests of the same process do not see it.

/// Declares the bugs.
macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $bug:ident,)+) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bug {$(
            $(#[doc = $doc])+
            $bug,
        )+}

        impl Bug {
            /// Every bug.
            pub const ALL: &'static [Self] = &[$(Self::$bug),+];
        }
    };
}

bugs! {
    /// An order of which nobody knows what became is given again.
    RedialAfterUnknown,
    /// The claim answers before its rows are committed.
    DialBeforeCommit,
    /// An attempt that is no longer its task's settles it.
    NoFencing,
    /// An opt-out ends the task and does not reach the exclusion list.
    OptOutOfOneCampaign,
    /// The gate does not look at the clock on the wall.
    CallsOutsideHours,
    /// The lines in use are counted in one transaction and taken in another.
    CountThenClaim,
    /// A server that starts begins with a pace of its own.
    PaceForgotten,
    /// An event that comes twice is applied twice.
    DuplicateCounts,
    /// A provider that was never asked to dial is believed when it knows no such call.
    AsksAnotherProvider,
    /// A weaker outcome replaces a stronger one.
    WeakerOutcomeWins,
    /// A call that was rejected keeps its line.
    LineKeptAfterRejection,
    /// A campaign that was paused after the claim is dialed for.
    PausedStillDials,
    /// Calls of other campaigns do not count against the caps per person.
    CapsOfOneCampaign,
    /// The hours of a campaign that was changed after it started are not worked out again.
    LanesNotReviewed,
    /// A campaign goes on until one person more than wanted has answered.
    OneMoreThanWanted,
    /// A call whose order was never answered keeps its line of the provider account.
    AccountLineKept,
    /// Nobody looks whether the cell of a quota is full.
    FullQuotaCalled,
    /// Calls in progress hold no place in the cells of quotas that reserve them.
    PlacesNotHeld,
}

#[cfg(not(feature = "planted-bugs"))]
mod switch {
    use super::Bug;

    pub(crate) const fn is(_: Bug) -> bool {
        false
    }

    pub(crate) const fn forgets_pace() -> bool {
        false
    }
}

#[cfg(feature = "planted-bugs")]
mod switch {
    use std::cell::Cell;
    use std::task::Poll;

    use super::Bug;

    thread_local! {
        static PLANTED: Cell<Option<Bug>> = const { Cell::new(None) };
        static LEVELS_FORGOTTEN: Cell<u8> = const { Cell::new(0) };
    }

    /// Whether the bug is there.
    pub(crate) fn is(bug: Bug) -> bool {
        PLANTED.get() == Some(bug)
    }

    /// Runs something with a bug in it, on this thread.
    pub fn with<T>(bug: Bug, run: impl FnOnce() -> T) -> T {
        struct Removed;
        impl Drop for Removed {
            fn drop(&mut self) {
                PLANTED.set(None);
            }
        }
        PLANTED.set(Some(bug));
        let _removed = Removed;
        run()
    }

    /// A server has started with an empty memory.
    pub fn server_started() {
        // The next company and the next campaign that are visited.
        LEVELS_FORGOTTEN.set(2);
    }

    /// Whether the pace of the level that is visited now is forgotten.
    pub(crate) fn forgets_pace() -> bool {
        let left = LEVELS_FORGOTTEN.get();
        LEVELS_FORGOTTEN.set(left.saturating_sub(1));
        left > 0 && is(Bug::PaceForgotten)
    }

    /// Gives others the time to come between.
    pub(crate) async fn yield_once() {
        let mut yielded = false;
        std::future::poll_fn(|context| {
            if yielded {
                return Poll::Ready(());
            }
            yielded = true;
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[cfg(feature = "planted-bugs")]
pub(crate) use switch::yield_once;
pub(crate) use switch::{forgets_pace, is};
#[cfg(feature = "planted-bugs")]
pub use switch::{server_started, with};
