//! The audit: what can be told of the promises from the stored rows alone, at any moment.
//!
//! It looks at the whole store at once and changes nothing. The invariant: a store that is in use
//! and keeps the promises has no findings, whatever is going on at that instant; so every
//! [`Check`] leaves room for what may be under way.

use std::fmt;

use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use crate::id::CompanyId;
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// What is late by less than this may still be on its way.
pub const OVERDUE_AFTER: TimeDelta = TimeDelta::minutes(10);
/// People who could be called for so long and are not make somebody ask why.
pub const IDLE_AFTER: TimeDelta = TimeDelta::hours(1);
/// A call that begins so soon after its number was excluded may have been on its way.
pub const EXCLUDED_SINCE: TimeDelta = TimeDelta::minutes(1);

/// One thing that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The constraints and unique indexes that promises rest on.
    Constraints,
    /// Attempts are numbered 1, 2, 3 …, and the task knows the highest number.
    AttemptNumbers,
    /// No number has two live attempts in a company.
    LiveNumbers,
    /// The attempt that a task in progress names is its own, and live.
    TasksInProgress,
    /// A live attempt of which no outcome is known holds its task.
    LiveAttempts,
    /// Leases that ran out long ago.
    ExpiredLeases,
    /// Waiting tasks that fell due long ago and are not claimable.
    OverdueTasks,
    /// Lanes that should have been reviewed long ago.
    OverdueReviews,
    /// Open lanes from which nobody is called although lines and pace are free.
    IdleLanes,
    /// A task whose person has decided does not wait for another call.
    DecidedTasks,
    /// A spoken opt-out has ended every task that waited with the number.
    OptedOutTasks,
    /// Nobody was called after the number was excluded.
    CallsAfterExclusion,
    /// Tasks that wait with an excluded number, which the next claim would end.
    ExcludedTasks,
    /// Every response belongs to a call of its task, and every complete one to a consent.
    LinkedResponses,
    /// The counts of tasks by status and reason, and by cell of quotas and status.
    TaskCounters,
    /// The counts of attempts by state and outcome.
    AttemptCounters,
    /// The counts of costs by currency.
    CostCounters,
    /// The sums of calls over time.
    CallRollups,
    /// The claimable tasks of each lane.
    LaneCounters,
    /// The lines in use of campaigns, companies and provider accounts.
    LinesInUse,
}

impl Check {
    /// Every check, in the order of the promises.
    pub const ALL: [Self; 20] = [
        Self::Constraints,
        Self::AttemptNumbers,
        Self::LiveNumbers,
        Self::TasksInProgress,
        Self::LiveAttempts,
        Self::ExpiredLeases,
        Self::OverdueTasks,
        Self::OverdueReviews,
        Self::IdleLanes,
        Self::DecidedTasks,
        Self::OptedOutTasks,
        Self::CallsAfterExclusion,
        Self::ExcludedTasks,
        Self::LinkedResponses,
        Self::TaskCounters,
        Self::AttemptCounters,
        Self::CostCounters,
        Self::CallRollups,
        Self::LaneCounters,
        Self::LinesInUse,
    ];

    /// The promise that is broken where something is found, by its name in `ARCHITECTURE.md`.
    pub const fn promise(self) -> &'static str {
        match self {
            Self::Constraints => "schema",
            Self::AttemptNumbers => "I1",
            Self::LiveNumbers | Self::TasksInProgress | Self::LiveAttempts => "I3",
            Self::ExpiredLeases | Self::OverdueTasks | Self::OverdueReviews | Self::IdleLanes => {
                "I7"
            }
            Self::DecidedTasks
            | Self::OptedOutTasks
            | Self::CallsAfterExclusion
            | Self::ExcludedTasks => "I8",
            Self::LinkedResponses => "I9",
            Self::TaskCounters
            | Self::AttemptCounters
            | Self::CostCounters
            | Self::CallRollups
            | Self::LaneCounters
            | Self::LinesInUse => "I12",
        }
    }

    /// What holds where nothing is found.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Constraints => "constraints and unique indexes are in force",
            Self::AttemptNumbers => "attempts are numbered 1, 2, 3 … and counted",
            Self::LiveNumbers => "at most one live call per number",
            Self::TasksInProgress => "tasks in progress have a live call of their own",
            Self::LiveAttempts => "live calls hold their tasks",
            Self::ExpiredLeases => "calls of which nothing was heard are looked after",
            Self::OverdueTasks => "tasks become claimable when they fall due",
            Self::OverdueReviews => "calling hours are worked out in time",
            Self::IdleLanes => "nobody waits while lines, pace and hours are free",
            Self::DecidedTasks => "whoever has decided is not called again",
            Self::OptedOutTasks => "an opt-out ends every task of its number",
            Self::CallsAfterExclusion => "excluded numbers are not called",
            Self::ExcludedTasks => "no task waits with an excluded number",
            Self::LinkedResponses => "responses belong to a call of their task, with consent",
            Self::TaskCounters => "counts of tasks equal the tasks",
            Self::AttemptCounters => "counts of attempts equal the attempts",
            Self::CostCounters => "counts of costs equal the costs",
            Self::CallRollups => "sums of calls over time equal the calls",
            Self::LaneCounters => "counts of claimable tasks equal the tasks",
            Self::LinesInUse => "lines in use equal the live calls",
        }
    }

    /// What whoever finds something has to do.
    pub const fn what_to_do(self) -> &'static str {
        match self {
            Self::Constraints => {
                "stop the servers, restore the schema from a backup or from the migrations, and \
                 look for rows that slipped in meanwhile"
            }
            Self::AttemptNumbers => {
                "rows were changed by hand or lost: restore these tasks and attempts from a backup"
            }
            Self::LiveNumbers => {
                "pause the campaigns concerned, and ask the provider which of these calls exist \
                 before anybody is called again"
            }
            Self::TasksInProgress | Self::LiveAttempts => {
                "rows were changed by hand or lost: find out at the provider how the call ended, \
                 and resolve it by POST /api/attempts/{id}/resolve"
            }
            Self::ExpiredLeases | Self::OverdueTasks | Self::OverdueReviews => {
                "start a server if none runs; if one does, look into its log for what keeps the \
                 scheduler from its duties"
            }
            Self::IdleLanes => {
                "look whether a server runs and its provider takes calls, and ask 'why not now?' \
                 of one of the contacts"
            }
            Self::DecidedTasks | Self::OptedOutTasks => {
                "pause the campaign and end these tasks before anybody is called again"
            }
            Self::CallsAfterExclusion => {
                "stop calling and report it: somebody was called who must not be"
            }
            Self::ExcludedTasks => {
                "nothing: they end when their turn comes, and nobody dials them; cancel a campaign \
                 that will not go on"
            }
            Self::LinkedResponses => {
                "rows were changed by hand or lost: restore calls and consents from a backup, and \
                 use none of these answers before"
            }
            Self::TaskCounters
            | Self::AttemptCounters
            | Self::CostCounters
            | Self::CallRollups
            | Self::LaneCounters
            | Self::LinesInUse => {
                "rows were changed by hand or lost: stop the servers and restore from a backup, or \
                 set the count to the number of rows"
            }
        }
    }

    /// Whether a finding breaks no promise, and only asks for somebody's attention.
    pub const fn is_warning(self) -> bool {
        matches!(self, Self::IdleLanes | Self::ExcludedTasks)
    }
}

/// What a check has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which check.
    pub check: Check,
    /// How many rows are wrong.
    pub rows: u64,
    /// The first of them.
    pub examples: Vec<Example>,
}

impl Finding {
    /// The most examples that are told.
    pub const EXAMPLES: u8 = 10;

    /// Counts what is wrong, and keeps the first examples; `None` when nothing is.
    pub fn of(check: Check, wrong: impl IntoIterator<Item = Example>) -> Option<Self> {
        let mut finding = Self {
            check,
            rows: 0,
            examples: Vec::new(),
        };
        for example in wrong {
            finding.rows += 1;
            if finding.rows <= u64::from(Self::EXAMPLES) {
                finding.examples.push(example);
            }
        }
        (finding.rows > 0).then_some(finding)
    }
}

/// A row that is wrong. Names no person and no number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// The row, such as `task 01890000-…`.
    pub row: String,
    /// Whose it is; absent where it belongs to the platform.
    pub company_id: Option<CompanyId>,
    /// What is wrong with it.
    pub detail: String,
}

impl Example {
    /// Of a row of that kind.
    pub fn new(
        kind: &str,
        id: Option<Uuid>,
        company_id: Option<CompanyId>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            row: id.map_or_else(|| kind.to_owned(), |id| format!("{kind} {id}")),
            company_id,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.row)?;
        if let Some(company_id) = self.company_id {
            write!(f, " of company {company_id}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Which server does the duties that need no doing twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "election", rename_all = "snake_case")]
pub enum Election {
    /// The store takes one server only, so none is held.
    NotHeld,
    /// No server leads now.
    NoLeader,
    /// A server leads.
    Leader {
        /// Its name.
        server: String,
        /// When it was elected.
        since: Option<Timestamp>,
        /// Rises with every election.
        epoch: i64,
    },
}

/// Whether locks keep servers apart that want to lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockTrial {
    /// The store takes one server only, so there are none.
    NotNeeded,
    /// A lock that one process held was refused to another, and free when the first had let go.
    Works,
    /// It was not so: two servers could lead at once, or none for ever.
    Fails {
        /// What happened.
        what: String,
    },
}

/// The outcomes after which a task never waits again, by name, for stores.
pub fn decided_outcomes() -> Vec<&'static str> {
    let outcomes = Outcome::ALL.iter().copied();
    outcomes
        .filter(|outcome| outcome.is_decided_by_person())
        .map(Outcome::name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_counts_all_rows_and_tells_the_first() {
        let wrong = (0..25).map(|row| Example::new("row", None, None, row.to_string()));
        let finding = Finding::of(Check::TaskCounters, wrong).unwrap();
        assert_eq!((finding.rows, finding.examples.len()), (25, 10));
        assert_eq!(finding.examples[9].to_string(), "row: 9");
        assert_eq!(Finding::of(Check::TaskCounters, []), None);
    }

    #[test]
    fn checks_are_in_the_order_of_the_promises() {
        let number = |check: &Check| check.promise().trim_start_matches('I').parse().unwrap_or(0);
        let numbers: Vec<u8> = Check::ALL.iter().map(number).collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert!(Check::ALL.is_sorted());
    }
}
