//! Lanes: the tasks of a campaign whose calling hours open and close together.
//!
//! When a person may be called depends on the campaign, and of the person only on the priority, the
//! region of the number, the possible time zones, and the cells of quotas that the person is in.
//! Tasks that share these form a lane, and the lane, not the task, knows when the hours open and
//! close. So the end of a calling day costs one row, whether ten people wait or a million, and a
//! claim never walks over people whom it may not call. What concerns one person only, such as the
//! time of a retry, is the task's due time.
//!
//! A lane in whose cells no place is left has no window: it is reviewed when a place that was held is
//! given back, and its tasks are ended when a cell is full.
//!
//! A lane's window is what [`gate::window`] said of it. It is worked out again when it has passed
//! and when the campaign was changed; until then the lane is not claimed from (fails closed). Every
//! task is judged by the gate all the same, so a stale window costs time and never breaks I4.
//!
//! [`gate::window`]: crate::gate::window

use std::fmt;

use async_trait::async_trait;
use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use crate::call_list::Contact;
use crate::call_task::CallTask;
use crate::campaign::{Campaign, CampaignStatus};
use crate::gate;
use crate::phone_number::Region;
use crate::ports::storage::{StorageError, UnitOfWork};
use crate::ports::task_queue::CampaignKey;
use crate::quota::{Cells, Places, Room};
use crate::time::Timestamp;
use crate::time_zone::TimeZone;

/// After this time a lane is looked at again whose last tasks somebody else held.
const LOCKED_AGAIN: TimeDelta = TimeDelta::seconds(10);

/// After this time a lane is looked at again whose places are held. A place that is given back has it
/// looked at sooner, so this is only for what nobody was told of.
const HELD_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// Tasks that one review ends in lanes whose hours never open.
const BARRED_PER_REVIEW: u16 = 1_000;

/// What the tasks of a lane have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// Higher is called earlier.
    pub priority: i16,
    /// The region of the number, whose holidays hold.
    pub region: Option<Region>,
    /// The possible zones, in order and each once; none means the campaign's.
    pub time_zones: Vec<TimeZone>,
    /// The cells of the campaign's quotas.
    pub cells: Cells,
}

impl LaneKey {
    /// The lane in which a contact waits who is known to be in these cells.
    pub fn of(contact: &Contact, cells: &Cells) -> Self {
        let mut time_zones = contact.time_zones.clone();
        time_zones.sort_unstable();
        time_zones.dedup();
        Self {
            priority: contact.priority,
            region: contact.phone_number.region(),
            time_zones,
            cells: cells.clone(),
        }
    }

    /// The lane's name within its campaign: the same key has the same in every store and process.
    pub fn id(&self) -> LaneId {
        let mut hash = Sha256::new();
        hash.update(self.priority.to_be_bytes());
        if let Some(region) = self.region {
            hash.update(region.to_string());
        }
        for zone in &self.time_zones {
            // No zone's name holds this byte, so two lists never run into each other.
            hash.update([0]);
            hash.update(zone.name());
        }
        if !self.cells.is_empty() {
            // Nor this one, so lanes without cells are called what they were called before.
            hash.update([1]);
            hash.update(self.cells.to_string());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let bits = digest.first_chunk().copied().unwrap_or_default();
        LaneId(i64::from_be_bytes(bits))
    }
}

/// Names a lane within its campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(i64);

impl LaneId {
    /// Takes a name that was stored.
    pub const fn from_bits(bits: i64) -> Self {
        Self(bits)
    }

    /// The bare name, for stores.
    pub const fn to_bits(self) -> i64 {
        self.0
    }
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A lane as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Its name.
    pub id: LaneId,
    /// What its tasks have in common.
    pub key: LaneKey,
    /// Its claimable tasks (I12: equals the rows it counts).
    pub claimable: u64,
    /// When its tasks may be called; `None` until it was worked out, and when that is never.
    pub window: Option<Window>,
    /// When the window is to be worked out again; `None` while the campaign does not run.
    pub review_at: Option<Timestamp>,
}

impl Lane {
    /// Whether its tasks may be called at `now`, as far as the hours are concerned.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.window.is_some_and(|window| window.holds(now))
    }
}

/// A span of time in which people may be called, without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first instant.
    pub opens_at: Timestamp,
    /// The first instant after it.
    pub closes_at: Timestamp,
}

impl Window {
    /// Whether the instant lies in it.
    pub fn holds(self, at: Timestamp) -> bool {
        self.opens_at <= at && at < self.closes_at
    }
}

/// The rows of a store that the review needs, in a unit of work of the platform's scope.
#[async_trait]
pub trait ReviewRows: UnitOfWork {
    /// Lanes of running campaigns with `review_at <= now`, earliest first, locked.
    async fn lanes_to_review(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignKey, Lane)>, StorageError>;

    /// Claimable tasks of a lane, locked.
    async fn tasks_in_lane(
        &mut self,
        campaign: CampaignKey,
        lane: LaneId,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError>;

    /// Writes a lane's `window` and `review_at`, and makes a visit of its campaign and company
    /// worth while at `window.opens_at` if it has claimable tasks.
    async fn write_window(
        &mut self,
        campaign: CampaignKey,
        lane: &Lane,
    ) -> Result<(), StorageError>;
}

/// Works out the windows of lanes whose time to be reviewed has come, and returns how many. The
/// caller commits.
///
/// Tasks in a lane that never opens are ended, because nobody will ever be able to call them.
pub async fn review(
    rows: &mut dyn ReviewRows,
    now: Timestamp,
    at_most: u16,
) -> Result<u64, StorageError> {
    let lanes = rows.lanes_to_review(now, at_most).await?;
    let mut reviewed = 0;
    let mut left = BARRED_PER_REVIEW;
    let mut campaign = None;
    for (key, lane) in lanes {
        if campaign.as_ref().map(|(known, _)| *known) != Some(key) {
            campaign = Some((key, running(rows, key).await?));
        }
        let running = campaign.as_ref().and_then(|(_, running)| running.as_ref());
        let (window, review_at) = match running.map(|running| running.window(&lane.key, now)) {
            None => (None, None),
            Some(Ok(None)) => (None, Some(now + HELD_AGAIN)),
            Some(Ok(Some(window))) => (Some(window), Some(window.closes_at)),
            // It keeps its place, and is looked at by the next review.
            Some(Err(_)) if left == 0 => continue,
            Some(Err(reason)) => {
                let ended = bar(rows, key, lane.id, reason, now, left).await?;
                left = left.saturating_sub(ended);
                let again_at = if left == 0 { now } else { now + LOCKED_AGAIN };
                (
                    None,
                    (u64::from(ended) < lane.claimable).then_some(again_at),
                )
            }
        };
        let lane = Lane {
            window,
            review_at,
            ..lane
        };
        rows.write_window(key, &lane).await?;
        reviewed += 1;
    }
    Ok(reviewed)
}

/// A running campaign, with the places that are left in its quotas.
struct Running {
    campaign: Campaign,
    places: Option<Places>,
}

impl Running {
    /// When the tasks of a lane may be called: `None` until a place that is held is given back, the
    /// reason if never.
    fn window(&self, lane: &LaneKey, now: Timestamp) -> Result<Option<Window>, gate::Reason> {
        let places = self.places.as_ref();
        match places.map_or(Room::Open, |places| places.room(&lane.cells)) {
            Room::Open => gate::window(&self.campaign, lane, now).map(Some),
            Room::Held => Ok(None),
            Room::Full => Err(gate::Reason::QuotaFull),
        }
    }
}

async fn running(
    rows: &mut dyn ReviewRows,
    key: CampaignKey,
) -> Result<Option<Running>, StorageError> {
    let campaign = rows.campaigns().get(key.campaign_id).await?;
    let Some(campaign) = campaign.filter(|found| found.status == CampaignStatus::Running) else {
        return Ok(None);
    };
    let places = if campaign.has_quotas() {
        campaign.places(&rows.campaigns().counters(key.campaign_id).await?)
    } else {
        None
    };
    Ok(Some(Running { campaign, places }))
}

async fn bar(
    rows: &mut dyn ReviewRows,
    campaign: CampaignKey,
    lane: LaneId,
    reason: gate::Reason,
    now: Timestamp,
    at_most: u16,
) -> Result<u16, StorageError> {
    let tasks = rows.tasks_in_lane(campaign, lane, at_most).await?;
    let barred: Vec<CallTask> = tasks
        .into_iter()
        .map(|task| task.barred(reason, now))
        .collect();
    rows.call_tasks().update_many(&barred).await?;
    Ok(u16::try_from(barred.len()).unwrap_or(at_most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    fn contact(zones: &[&str], priority: i16) -> Contact {
        let campaign = samples::campaign(&samples::company());
        let mut contact = samples::task(&campaign, "+393471234567").contact;
        contact.time_zones = zones.iter().map(|zone| zone.parse().unwrap()).collect();
        contact.priority = priority;
        contact
    }

    #[test]
    fn the_order_and_repetition_of_zones_do_not_matter() {
        let none = Cells::default();
        let one = LaneKey::of(&contact(&["Europe/Rome", "Europe/Vatican"], 0), &none);
        let zones = ["Europe/Vatican", "Europe/Rome", "Europe/Rome"];
        let other = LaneKey::of(&contact(&zones, 0), &none);
        assert_eq!(one, other);
        assert_eq!(one.id(), other.id());
    }

    #[test]
    fn priority_zones_and_region_make_different_lanes() {
        let lanes = [
            contact(&["Europe/Rome"], 0),
            contact(&["Europe/Rome"], 1),
            contact(&["Europe/Madrid"], 0),
            contact(&[], 0),
            Contact {
                phone_number: "+4930901820".parse().unwrap(),
                ..contact(&["Europe/Rome"], 0)
            },
        ];
        let ids: std::collections::BTreeSet<_> = lanes
            .iter()
            .map(|contact| LaneKey::of(contact, &Cells::default()).id())
            .collect();
        assert_eq!(ids.len(), lanes.len());
        let in_cells =
            |cells: &[u16]| LaneKey::of(&lanes[0], &cells.iter().copied().collect::<Cells>()).id();
        let by_cells: std::collections::BTreeSet<_> =
            [&[][..], &[0], &[1], &[0, 1]].map(in_cells).into();
        assert_eq!(by_cells.len(), 4);
    }

    #[test]
    fn a_window_holds_its_first_instant_and_not_its_end() {
        let instant = |second: i64| Timestamp::from_timestamp(1_800_000_000 + second, 0).unwrap();
        let window = Window {
            opens_at: instant(0),
            closes_at: instant(10),
        };
        assert_eq!(
            [-1, 0, 9, 10].map(|second| window.holds(instant(second))),
            [false, true, true, false]
        );
    }
}
