//! Identifiers: one type per kind of row, so that a task cannot be looked up as a campaign.
//!
//! All are UUIDs of version 7: they sort by the time they were made, which keeps the indexes of
//! large tables dense. They are names, not secrets.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::ChaCha12Rng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::{Clock, Timestamp};

/// Declares identifier types.
macro_rules! id {
    ($($(#[doc = $doc:literal])+ $name:ident),+ $(,)?) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an identifier that was made elsewhere, such as one read from a database.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The bare UUID, for adapters.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

id! {
    /// Names a company, the tenant that everything belongs to.
    CompanyId,
    /// Names an API key; the secret itself is never stored.
    ApiKeyId,
    /// Names a skillbase.
    SkillbaseId,
    /// Names a campaign.
    CampaignId,
    /// Names one upload of a call list.
    UploadId,
    /// Names a call task: one contact of one campaign.
    CallTaskId,
    /// Names one dial of a task.
    ///
    /// It is also the claim's fencing token: every claim makes a new one, so whoever still holds
    /// an older one cannot settle the task. The provider gets it as our reference.
    CallAttemptId,
    /// Names one turn of a conversation.
    TurnId,
    /// Names one answer.
    AnswerId,
    /// Names one survey response.
    SurveyResponseId,
    /// Names a file that somebody has asked for.
    ExportId,
    /// Names an event that others may subscribe to.
    OutboxEventId,
    /// Names the removal of a number from an exclusion list.
    ExclusionRemovalId,
    /// Names the erasure of a person.
    ErasureId,
}

/// The first identifier that could be made at that instant: those that sort before it are older, to
/// the millisecond.
pub fn first_at<I: From<Uuid>>(at: Timestamp) -> I {
    let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
    I::from(Uuid::from_u128(milliseconds << 80))
}

/// Makes identifiers from the clock and a source of chance.
///
/// Both are injected, so a seed and a manual clock replay the same identifiers.
///
/// ```
/// use std::sync::Arc;
/// use voicesurvey_core::id::{CampaignId, IdGenerator};
/// use voicesurvey_core::time::SystemClock;
///
/// let ids = IdGenerator::from_seed(Arc::new(SystemClock), 7);
/// let first: CampaignId = ids.next();
/// let second: CampaignId = ids.next();
/// assert_ne!(first, second);
/// ```
pub struct IdGenerator {
    clock: Arc<dyn Clock>,
    source: Mutex<Source>,
}

/// Chance, and the identifier made last: the next one sorts after it.
struct Source {
    random: ChaCha12Rng,
    milliseconds: u64,
    serial: u16,
}

impl Source {
    /// The most identifiers of one millisecond: the 12 bits that follow the time in a UUIDv7.
    const SERIALS: u16 = 1 << 12;

    const fn new(random: ChaCha12Rng) -> Self {
        Self {
            random,
            milliseconds: 0,
            serial: 0,
        }
    }

    /// Moves on to the next place in the order. When a millisecond is used up, or the clock is
    /// behind, the order runs ahead of the clock.
    fn advance(&mut self, milliseconds: u64) {
        if milliseconds > self.milliseconds {
            self.milliseconds = milliseconds;
            self.serial = 0;
        } else if self.serial + 1 < Self::SERIALS {
            self.serial += 1;
        } else {
            self.milliseconds += 1;
            self.serial = 0;
        }
    }
}

impl IdGenerator {
    /// A generator whose chance comes from `seed`: for tests and simulations only, because API
    /// keys made by it could be guessed.
    pub fn from_seed(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self {
            clock,
            source: Mutex::new(Source::new(ChaCha12Rng::seed_from_u64(seed))),
        }
    }

    /// A generator whose chance comes from the operating system.
    ///
    /// # Panics
    ///
    /// Panics when the operating system has no randomness to give, which no supported one does.
    pub fn from_entropy(clock: Arc<dyn Clock>) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "a server without randomness must not start"
        )]
        let random = ChaCha12Rng::try_from_rng(&mut rand::rngs::SysRng)
            .expect("the operating system gives random bytes");
        Self {
            clock,
            source: Mutex::new(Source::new(random)),
        }
    }

    /// The next identifier: a UUIDv7 of the clock's present millisecond, which sorts after all that
    /// this generator has made before (RFC 9562, 6.2, method 1).
    pub fn next<I: From<Uuid>>(&self) -> I {
        let now = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let mut source = self.lock();
        source.advance(now);
        let mut rest = [0; 10];
        source.random.fill_bytes(&mut rest);
        rest[..2].copy_from_slice(&source.serial.to_be_bytes());
        I::from(uuid::Builder::from_unix_timestamp_millis(source.milliseconds, &rest).into_uuid())
    }

    /// Fills `bytes` with randomness fit for secrets when the generator came from entropy.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.lock().random.fill_bytes(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Source> {
        // OK because a panic elsewhere while the lock was held leaves a usable generator.
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for IdGenerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdGenerator").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{ManualClock, SystemClock};

    #[test]
    fn an_identifier_tells_when_it_was_made() {
        let at = SystemClock.now();
        let ids = IdGenerator::from_seed(Arc::new(ManualClock::new(at)), 1);
        let id: CallTaskId = ids.next();
        assert!(first_at::<CallTaskId>(at) <= id);
        assert!(id < first_at(at + chrono::TimeDelta::milliseconds(1)));
    }

    #[test]
    fn identifiers_sort_in_the_order_in_which_they_were_made() {
        let clock = ManualClock::new(SystemClock.now());
        let ids = IdGenerator::from_seed(Arc::new(clock), 1);
        let made: Vec<CallTaskId> = (0..10_000).map(|_| ids.next()).collect();
        assert!(
            made.is_sorted_by(|one, two| one < two),
            "also beyond one millisecond's worth"
        );
        assert_eq!(made[9_999].as_uuid().get_version_num(), 7);
    }
}
