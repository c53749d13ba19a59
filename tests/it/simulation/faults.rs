//! What goes wrong. Each seed chooses a random subset, because faults that always come together
//! hide each other (swarm testing).

use std::fmt;

use voicesurvey::simulator::{Between, Faults as ProviderFaults, Probability};

use super::chance::Chance;

/// Declares the faults.
macro_rules! faults {
    ($($(#[doc = $doc:literal])+ $fault:ident,)+) => {
        /// Something that goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Fault {$(
            $(#[doc = $doc])+
            $fault,
        )+}

        impl Fault {
            pub(super) const ALL: &[Self] = &[$(Self::$fault),+];
        }
    };
}

faults! {
    /// A server dies before the effect of what it asked for.
    CrashBefore,
    /// A server dies after the effect, before it learns of it.
    CrashAfter,
    /// A change is committed, and the server is told that nobody knows.
    CommitReplyLost,
    /// The store cannot be reached; nothing is changed.
    StoreDown,
    /// A server stands still for seconds, or for longer than a lease.
    Slow,
    /// The whole world stands still: hours pass between two steps.
    ClockJump,
    /// Webhooks never arrive.
    WebhookLost,
    /// Webhooks arrive twice.
    WebhookTwice,
    /// Webhooks arrive late, and so in another order.
    WebhookLate,
    /// A machine is detected after the conversation has begun.
    MachineDetected,
    /// The answer to an order is lost, whether or not the telephone rings.
    OrderUnknown,
    /// The order itself arrives late, after its sender has given up.
    OrderLate,
    /// The provider refuses to dial a number for good.
    OrderRejected,
    /// The provider says: later.
    OrderRetryLater,
    /// The provider refuses the configuration.
    Misconfigured,
    /// The provider cannot be asked what became of a call.
    FindFails,
    /// The provider does not know what became of a call.
    FindUnknown,
    /// Servers that start again may use another provider than before.
    ProviderChanged,
    /// Operators pause and resume.
    Pause,
    /// Operators cancel.
    Cancel,
    /// Operators change limits while calls are made.
    Limits,
    /// Operators upload more people.
    Upload,
    /// Operators start another campaign that calls the same people.
    AnotherCampaign,
    /// Operators exclude numbers.
    Exclude,
    /// Operators change how fast a campaign calls while it does.
    Pacing,
    /// Operators limit the provider accounts, and lift the limits.
    Accounts,
    /// Operators suspend companies and let them call again.
    Suspend,
    /// Operators find out what became of calls of which nobody knows.
    Resolve,
    /// Lines drop while people talk.
    LineDropped,
    /// The leader is not the leader any more, and does not know it.
    LeadershipLost,
}

/// A set of faults.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Faults(u32);

impl Fault {
    /// Whether it happens to the same people at the same instants in whatever order everything else
    /// happens: the simulated provider decides by number and call, operators by their plan. The
    /// others are thrown for at every step, let campaigns have people or lines in common, or both.
    pub(super) const fn is_the_same_in_every_order(self) -> bool {
        self.is_of_provider()
            || matches!(
                self,
                Self::Pause
                    | Self::Cancel
                    | Self::Limits
                    | Self::Upload
                    | Self::Exclude
                    | Self::Pacing
                    | Self::Suspend
                    | Self::Resolve
            )
    }

    /// Whether the simulated provider decides when it happens.
    pub(super) const fn is_of_provider(self) -> bool {
        matches!(
            self,
            Self::WebhookLost
                | Self::WebhookTwice
                | Self::WebhookLate
                | Self::OrderUnknown
                | Self::OrderRejected
                | Self::OrderRetryLater
                | Self::LineDropped
        )
    }
}

impl Faults {
    /// Every fault with the same chance, which is itself left to chance.
    pub(super) fn chosen(chance: &mut Chance) -> Self {
        let percent = chance.pick(&[0, 15, 35, 35, 60]);
        let mut set = Self::default();
        for fault in Fault::ALL {
            if chance.percent(percent) {
                set.0 |= 1 << *fault as u32;
            }
        }
        set
    }

    /// Those of the faults for which it holds.
    pub(super) fn only(self, holds: impl Fn(Fault) -> bool) -> Self {
        let kept = Fault::ALL
            .iter()
            .filter(|fault| self.has(**fault) && holds(**fault));
        Self(kept.fold(0, |set, fault| set | 1 << *fault as u32))
    }

    pub(super) const fn has(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u32) != 0
    }

    /// The faults that the simulated provider has of its own.
    pub(super) fn of_provider(self) -> ProviderFaults {
        let percent = |fault, percent| {
            if self.has(fault) {
                Probability::percent(percent)
            } else {
                Probability::NEVER
            }
        };
        ProviderFaults {
            rejected: percent(Fault::OrderRejected, 15),
            retry_later: percent(Fault::OrderRetryLater, 15),
            unknown_but_placed: percent(Fault::OrderUnknown, 12),
            unknown_and_not_placed: percent(Fault::OrderUnknown, 12),
            lost: percent(Fault::WebhookLost, 8),
            delivered_twice: percent(Fault::WebhookTwice, 30),
            delayed: percent(Fault::WebhookLate, 30),
            delayed_by_seconds: Between::new(1, 500),
            dropped: percent(Fault::LineDropped, 25),
            dropped_after_seconds: Between::new(3, 90),
        }
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen = Fault::ALL.iter().filter(|fault| self.has(**fault));
        f.debug_list().entries(chosen).finish()
    }
}
