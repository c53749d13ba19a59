//! The call task: one contact of one campaign, and how far it has come.

pub mod transition;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use transition::{CallBack, InvalidTaskTransition, OtherAttempts, TaskEvent};

use crate::call_list::Contact;
use crate::gate::Reason;
use crate::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId, UploadId};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::queue::lane::LaneKey;
use crate::quota::Cells;
use crate::time::Timestamp;

/// One contact of one campaign: the unit of work. The number is unique within the campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct CallTask {
    /// Its identifier.
    pub id: CallTaskId,
    /// Whose it is.
    pub company_id: CompanyId,
    /// The campaign it belongs to.
    pub campaign_id: CampaignId,
    /// The upload it came with.
    pub upload_id: Option<UploadId>,
    /// Who is to be called.
    pub contact: Contact,
    /// The cells of the campaign's quotas that the person is known to be in.
    pub cells: Cells,
    /// Where it stands.
    pub state: TaskState,
    /// The number of the latest attempt; attempts are numbered 1, 2, 3 … (I1).
    pub attempts_count: u16,
    /// How many of them count against the retry policy.
    pub attempts_spent: u16,
    /// When the latest attempt was made.
    pub last_attempt_at: Option<Timestamp>,
    /// The strongest outcome so far.
    pub outcome: Option<Outcome>,
    /// Why the person is not being called now, as the gate said last.
    pub reason: Option<Reason>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Rises by one on every change.
    pub version: u32,
}

impl CallTask {
    /// The lane in which the task waits when its time has come.
    pub fn lane(&self) -> LaneKey {
        LaneKey::of(&self.contact, &self.cells)
    }

    /// The number that stands in the place of the person's when they are erased: nobody's, and another
    /// one for each task, because its whole identifier is in it: numbers are unique in a campaign.
    pub fn nobodys_number(&self) -> PhoneNumber {
        PhoneNumber::of_nobody(self.id.as_uuid().as_u128())
    }

    /// What the person has decided in one of the calls. It is final (I8), also while a further call
    /// is in progress that was made before it became known; so a task that waits never has one.
    pub fn decision(&self) -> Option<Outcome> {
        self.outcome
            .filter(|outcome| outcome.is_decided_by_person())
    }
}

/// Where a task stands, with what belongs to that state only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// Can be called from `due_at` on, when the gate says so.
    Pending {
        /// Not before this instant.
        due_at: Timestamp,
    },
    /// Claimed: a live attempt exists, and its lease sees to it that the task is settled (I7).
    InProgress {
        /// The live attempt. Only its holder may settle the task.
        attempt_id: CallAttemptId,
    },
    /// Waits for its next attempt.
    Retry {
        /// Not before this instant.
        due_at: Timestamp,
    },
    /// The interview was finished, or a partial one is accepted.
    Completed,
    /// The person refused or opted out.
    Refused,
    /// Attempts are used up without reaching the person.
    NotReached,
    /// Cannot be called.
    Failed,
    /// The number is on the exclusion list.
    Excluded,
    /// The campaign was cancelled or ended first.
    Cancelled,
}

impl TaskState {
    /// The state's name.
    pub const fn status(self) -> TaskStatus {
        match self {
            Self::Pending { .. } => TaskStatus::Pending,
            Self::InProgress { .. } => TaskStatus::InProgress,
            Self::Retry { .. } => TaskStatus::Retry,
            Self::Completed => TaskStatus::Completed,
            Self::Refused => TaskStatus::Refused,
            Self::NotReached => TaskStatus::NotReached,
            Self::Failed => TaskStatus::Failed,
            Self::Excluded => TaskStatus::Excluded,
            Self::Cancelled => TaskStatus::Cancelled,
        }
    }

    /// When the task is due, while it waits.
    pub const fn due_at(self) -> Option<Timestamp> {
        match self {
            Self::Pending { due_at } | Self::Retry { due_at } => Some(due_at),
            _ => None,
        }
    }

    /// The live attempt, while there is one.
    pub const fn attempt_id(self) -> Option<CallAttemptId> {
        match self {
            Self::InProgress { attempt_id } => Some(attempt_id),
            _ => None,
        }
    }

    /// Puts a stored state together again; `None` when the columns contradict each other.
    pub const fn from_parts(
        status: TaskStatus,
        due_at: Option<Timestamp>,
        attempt_id: Option<CallAttemptId>,
    ) -> Option<Self> {
        match (status, due_at, attempt_id) {
            (TaskStatus::Pending, Some(due_at), None) => Some(Self::Pending { due_at }),
            (TaskStatus::Retry, Some(due_at), None) => Some(Self::Retry { due_at }),
            (TaskStatus::InProgress, None, Some(attempt_id)) => {
                Some(Self::InProgress { attempt_id })
            }
            (status, None, None) => Self::from_final(status),
            _ => None,
        }
    }

    /// The state of a task that has ended with that status.
    pub const fn from_final(status: TaskStatus) -> Option<Self> {
        match status {
            TaskStatus::Completed => Some(Self::Completed),
            TaskStatus::Refused => Some(Self::Refused),
            TaskStatus::NotReached => Some(Self::NotReached),
            TaskStatus::Failed => Some(Self::Failed),
            TaskStatus::Excluded => Some(Self::Excluded),
            TaskStatus::Cancelled => Some(Self::Cancelled),
            TaskStatus::Pending | TaskStatus::InProgress | TaskStatus::Retry => None,
        }
    }
}

/// The name of a task's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Can be called when due.
    Pending,
    /// A call is being made.
    InProgress,
    /// Waits for its next attempt.
    Retry,
    /// The interview was held.
    Completed,
    /// The person refused.
    Refused,
    /// Attempts are used up.
    NotReached,
    /// Cannot be called.
    Failed,
    /// On the exclusion list.
    Excluded,
    /// Given up with its campaign.
    Cancelled,
}

impl TaskStatus {
    /// Every status, in the order in which tables show them.
    pub const ALL: [Self; 9] = [
        Self::Pending,
        Self::InProgress,
        Self::Retry,
        Self::Completed,
        Self::Refused,
        Self::NotReached,
        Self::Failed,
        Self::Excluded,
        Self::Cancelled,
    ];

    /// The name used in the API, in files and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Retry => "retry",
            Self::Completed => "completed",
            Self::Refused => "refused",
            Self::NotReached => "not_reached",
            Self::Failed => "failed",
            Self::Excluded => "excluded",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the task has ended. A campaign is complete when all its tasks have.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Retry)
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no status of a task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown status '{0}': use pending, in_progress, retry, completed, refused, not_reached, failed, excluded or cancelled"
)]
pub struct UnknownTaskStatus(pub String);

impl FromStr for TaskStatus {
    type Err = UnknownTaskStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.name() == text)
            .ok_or_else(|| UnknownTaskStatus(text.to_owned()))
    }
}
