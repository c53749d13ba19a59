//! What becomes of orders and of calls: by chance, or as a test has it.

use super::chance::Chance;
use super::people::Conduct;

/// How often things go wrong, in a thousand times.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// An order has another fate than to be taken and answered.
    pub(crate) orders: u64,
    /// A question about calls is answered with an error.
    pub(crate) questions: u64,
    /// A callback is not sent at all.
    pub(crate) lost: u64,
    /// It is sent twice.
    pub(crate) twice: u64,
    /// It is late by up to two minutes.
    pub(crate) late: u64,
    /// It arrives, and the answer to it does not.
    pub(crate) unheard: u64,
    /// What a call has cost is never told.
    pub(crate) unpriced: u64,
}

impl Faults {
    /// As bad as a bad day.
    pub(crate) const MANY: Self = Self {
        orders: 300,
        questions: 50,
        lost: 80,
        twice: 200,
        late: 250,
        unheard: 40,
        unpriced: 100,
    };
}

/// What becomes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// 201.
    Taken,
    /// 429.
    TooMany,
    /// 10004: too many calls at once.
    TooManyCalls,
    /// 21211: the number is not valid.
    InvalidNumber,
    /// The connection breaks off before the order is taken.
    CutBefore,
    /// The same after it.
    CutAfter,
    /// It is taken, and no answer comes.
    TimesOut,
    /// No answer comes, and half a minute later it is taken.
    TakenLate,
    /// It is not taken, and a gateway says 503.
    FailsBefore,
    /// It is taken, and Twilio says 500.
    FailsAfter,
    /// It is taken, and the answer cannot be read.
    Unreadable,
}

impl Fate {
    /// With these faults. Refusals that end a campaign or a person are left to tests of their own.
    pub(super) fn draw(chance: &mut Chance, faults: Faults) -> Self {
        use Fate::{
            CutAfter, CutBefore, FailsAfter, FailsBefore, Taken, TakenLate, TimesOut, TooMany,
            TooManyCalls, Unreadable,
        };
        if !chance.happens(faults.orders) {
            return Taken;
        }
        // Those that take real time are seldom.
        chance.pick(&[
            TooMany,
            TooMany,
            TooManyCalls,
            CutBefore,
            CutBefore,
            CutBefore,
            CutAfter,
            CutAfter,
            CutAfter,
            TimesOut,
            TakenLate,
            FailsBefore,
            FailsAfter,
            FailsAfter,
            Unreadable,
            Unreadable,
        ])
    }
}

/// What becomes of a call once it is dialed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Somebody or something picks up, who behaves so.
    Answered(Conduct),
    /// Twilio's status, and what the network answers.
    Unanswered(&'static str, Option<u16>),
    /// It rings until it is cancelled or has rung for long enough.
    Rings,
    /// It waits in the queue of Twilio for a day.
    Queued,
}

impl Line {
    /// The call of that person, who picks up more often than not.
    pub(super) fn draw(chance: &mut Chance, conduct: Conduct) -> Self {
        match chance.below(24) {
            0 | 1 => Self::Unanswered("busy", Some(486)),
            2 => Self::Unanswered("busy", Some(603)),
            3 => Self::Unanswered("failed", Some(503)),
            4 | 5 => Self::Rings,
            6 => Self::Queued,
            _ => Self::Answered(conduct),
        }
    }
}
