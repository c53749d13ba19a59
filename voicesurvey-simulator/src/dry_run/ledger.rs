//! The dry run's own book: who was on the list, and every telephone that rang. It is kept small,
//! because a campaign may have a million people, and apart from the engine, because it judges it.

use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::{PhoneNumber, Region};
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

/// Somebody on the call list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) number: PhoneNumber,
    /// Which of the ledger's lists of zones is theirs.
    pub(super) zones: u16,
    /// The region of the number, if the campaign has holidays that depend on it.
    pub(super) region: Option<Region>,
    /// Whether the number stood on the exclusion list from the start.
    pub(super) excluded: bool,
    /// Attempts from before the dry run.
    pub(super) attempts_before: u16,
}

/// One telephone that rang.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// Who: the place in the list.
    pub(super) contact: u32,
    /// The attempt's number, as it stood in the store.
    pub(super) number: u16,
    /// How it ended, or will.
    pub(super) outcome: Outcome,
    /// When the attempt was committed; `None` if it was not.
    pub(super) committed_at: Option<Timestamp>,
    /// When the order to dial came.
    pub(super) placed_at: Timestamp,
    /// When it was answered.
    pub(super) answered_at: Option<Timestamp>,
    /// When the line was free again; `None` while it is not.
    pub(super) ended_at: Option<Timestamp>,
}

/// Everything that the judge and the report need.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) contacts: Vec<Listed>,
    pub(super) calls: Vec<Call>,
    /// The lists of zones that occur; few, also with a million people.
    pub(super) zones: Vec<Vec<TimeZone>>,
    /// Orders to dial that came while a unit of work was open (I2).
    pub(super) dialed_in_transaction: u64,
    /// Orders to dial for an attempt that had been dialed already, or for nobody on the list (I3).
    pub(super) dialed_again: u64,
}

impl Ledger {
    /// The place of that list of zones.
    pub(super) fn zones_index(&mut self, zones: &[TimeZone]) -> Option<u16> {
        let known = self.zones.iter().position(|known| known == zones);
        let index = known.unwrap_or_else(|| {
            self.zones.push(zones.to_vec());
            self.zones.len() - 1
        });
        u16::try_from(index).ok()
    }

    /// Who was called.
    pub(super) fn contact(&self, call: &Call) -> &Listed {
        &self.contacts[call.contact as usize]
    }
}
