//! How many places are left in each cell: what may be called, decided alike by every store.

use super::{Cells, QuotaPolicy, Quotas};
use crate::call_task::TaskStatus;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::repositories::CampaignCounters;
use crate::time::Timestamp;

/// Whether somebody who is in a cell may be called.
///
/// Of several cells the one that holds back most decides: the order is that of holding back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Room {
    /// There is a place.
    #[default]
    Open,
    /// The last places are held by calls in progress; one that ends without an interview gives its
    /// place back.
    Held,
    /// As many interviews as are wanted were held.
    Full,
}

/// What has become of the places in some cells.
#[derive(Clone, Copy, Debug)]
pub struct CellNews<'c> {
    /// The cells.
    pub cells: &'c Cells,
    /// Whether somebody in them may be called.
    pub is_open: bool,
    /// When that became known.
    pub now: Timestamp,
}

impl CampaignCounters {
    /// Tasks that are in a cell of quotas and in that status.
    pub fn tasks_in_cell(&self, cell: u16, status: TaskStatus) -> u64 {
        let tasks = self.cells.get(&cell).and_then(|tasks| tasks.get(&status));
        tasks.copied().unwrap_or(0)
    }

    /// Those of these cells that decide about their places, and nothing else.
    #[must_use]
    pub fn of_places(mut self, cells: &Cells) -> Self {
        self.cells.retain(|cell, _| cells.contains(*cell));
        for tasks in self.cells.values_mut() {
            tasks.retain(|status, _| DECIDE_ABOUT_PLACES.contains(status));
        }
        self.cells.retain(|_, tasks| !tasks.is_empty());
        Self {
            cells: self.cells,
            ..Self::default()
        }
    }

    /// People who were thanked and let go because an answer put them into a full cell. Nobody is
    /// called again after that, so each is one call.
    pub fn turned_away(&self) -> u64 {
        let turned_away = self.outcomes.get(&Outcome::QuotaFull);
        turned_away.copied().unwrap_or(0)
    }

    /// People whose case was closed by calling them: not those whose task ended without a call that
    /// decided it, because they were excluded or the campaign ended.
    pub fn closed_by_calling(&self) -> u64 {
        let by_status = CLOSED_BY_CALLING.map(|status| self.tasks_in(status));
        by_status.iter().sum::<u64>() + self.turned_away()
    }
}

/// What stores call the number of people in a cell with that status.
pub fn counter_name(cell: u16, status: TaskStatus) -> String {
    format!("{cell}:{status}")
}

/// The cell and the status that a store's [name](counter_name) means; `None` if it is none.
pub fn named_counter(name: &str) -> Option<(u16, TaskStatus)> {
    let (cell, status) = name.split_once(':')?;
    Some((cell.parse().ok()?, status.parse().ok()?))
}

/// The [names](counter_name) of what [decides about places](CampaignCounters::of_places) in these cells.
pub fn counters_of_places(cells: &Cells) -> impl Iterator<Item = String> {
    let of_cell = |cell| DECIDE_ABOUT_PLACES.map(|status| counter_name(cell, status));
    cells.iter().flat_map(of_cell)
}

/// Statuses of people by whose number it is decided whether there is a place in their cells.
const DECIDE_ABOUT_PLACES: [TaskStatus; 2] = [TaskStatus::Completed, TaskStatus::InProgress];

/// Statuses of people whose case was closed by calling them.
const CLOSED_BY_CALLING: [TaskStatus; 4] = [
    TaskStatus::Completed,
    TaskStatus::Refused,
    TaskStatus::NotReached,
    TaskStatus::Failed,
];

/// One cell, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many interviews are wanted.
    pub target: u64,
    /// How many were held.
    pub completed: u64,
    /// Calls in progress with people who are known to be in the cell.
    pub in_progress: u64,
    /// People who wait for a call.
    pub waiting: u64,
    /// People who were called and with whom no interview was held, and who are not called again. Of
    /// those whose task was cancelled it is not counted cell by cell who was called and turned away:
    /// as many as may have been count, so there may be fewer where cells overlap.
    pub closed: u64,
}

/// All cells of a campaign, as they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    policy: QuotaPolicy,
    cells: Vec<Place>,
}

impl Places {
    /// What the counters of the campaign say.
    pub fn of(quotas: &Quotas, counters: &CampaignCounters) -> Self {
        let cells = (0u16..).zip(&quotas.cells).map(|(index, cell)| {
            let count = |status| counters.tasks_in_cell(index, status);
            Place {
                target: cell.target.into(),
                completed: count(TaskStatus::Completed),
                in_progress: count(TaskStatus::InProgress),
                waiting: count(TaskStatus::Pending) + count(TaskStatus::Retry),
                closed: count(TaskStatus::Refused)
                    + count(TaskStatus::NotReached)
                    + count(TaskStatus::Failed)
                    + count(TaskStatus::Cancelled).min(counters.turned_away()),
            }
        });
        Self {
            policy: quotas.policy,
            cells: cells.collect(),
        }
    }

    /// The cells, in their order.
    pub fn cells(&self) -> &[Place] {
        &self.cells
    }

    /// Whether somebody in one cell may be called.
    pub fn room_in(&self, cell: u16) -> Room {
        let Some(place) = self.cells.get(usize::from(cell)) else {
            return Room::Open;
        };
        let reserves =
            self.policy == QuotaPolicy::ReserveAtDial && !planted::is(Bug::PlacesNotHeld);
        if planted::is(Bug::FullQuotaCalled) {
            Room::Open
        } else if place.completed >= place.target {
            Room::Full
        } else if reserves && place.completed + place.in_progress >= place.target {
            Room::Held
        } else {
            Room::Open
        }
    }

    /// Whether somebody who is in these cells may be called.
    pub fn room(&self, cells: &Cells) -> Room {
        let rooms = cells.iter().map(|cell| self.room_in(cell));
        rooms.max().unwrap_or_default()
    }

    /// Notes that a call to somebody in these cells has been started.
    pub fn take(&mut self, cells: &Cells) {
        for cell in cells.iter() {
            if let Some(place) = self.cells.get_mut(usize::from(cell)) {
                place.in_progress += 1;
            }
        }
    }

    /// Notes that a call to somebody in these cells was not started, or leaves it out.
    pub fn give_back(&mut self, cells: &Cells) {
        for cell in cells.iter() {
            if let Some(place) = self.cells.get_mut(usize::from(cell)) {
                place.in_progress = place.in_progress.saturating_sub(1);
            }
        }
    }

    /// Of these cells those in which nobody may be called.
    pub fn without_room(&self, cells: &Cells) -> Cells {
        let closed = cells
            .iter()
            .filter(|cell| self.room_in(*cell) != Room::Open);
        closed.collect()
    }

    /// Whether as many interviews as are wanted were held in every cell.
    pub fn are_all_full(&self) -> bool {
        let mut cells = self.cells.iter();
        !self.cells.is_empty() && cells.all(|place| place.completed >= place.target)
    }
}
