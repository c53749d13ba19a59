//! Chance that a seed repeats, whatever else was drawn before.

use chrono::TimeDelta;

/// A stream of draws: `SplitMix64`.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream of that name and number.
    pub(super) fn of(seed: u64, name: &str, number: usize) -> Self {
        let number = (number as u64).to_be_bytes();
        let bytes = name.bytes().chain(number);
        // FNV-1a.
        let hash = bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(hash)
    }

    /// Whether something happens that happens so often in a thousand times.
    pub(super) fn happens(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// A number from 0 up to, and without, `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// From so many seconds up to so many.
    pub(super) fn seconds(&mut self, from: u32, to: u32) -> TimeDelta {
        let milliseconds = self.below(u64::from(to - from) * 1_000 + 1);
        TimeDelta::seconds(from.into())
            + TimeDelta::milliseconds(i64::try_from(milliseconds).unwrap())
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }
}
