//! Dispositions: what became of a case in the end, by the codes of the AAPOR, and the rule that
//! finds the one of a task among its calls.

use serde::Serialize;

use crate::call_task::{CallTask, TaskStatus};
use crate::contact_record::ContactRecord;
use crate::gate::Reason;
use crate::outcome::Outcome;

/// The groups that the formulas are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Group {
    /// The interview is complete.
    #[serde(rename = "I")]
    Complete,
    /// The interview is partial.
    #[serde(rename = "P")]
    Partial,
    /// The person refused or broke off.
    #[serde(rename = "R")]
    Refusal,
    /// Eligible, and never spoken to.
    #[serde(rename = "NC")]
    NonContact,
    /// Eligible and spoken to, and no interview for another reason than a refusal.
    #[serde(rename = "O")]
    Other,
    /// Not known whether anybody is there.
    #[serde(rename = "UH")]
    UnknownHousehold,
    /// Somebody is there, and not known whether anybody who is meant. The 10th edition splits `UR`
    /// off it, which changes no rate.
    #[serde(rename = "UO")]
    UnknownOther,
    /// Nobody who is meant is there.
    #[serde(rename = "NE")]
    NotEligible,
}

impl Group {
    /// Every group.
    pub const ALL: [Self; 8] = [
        Self::Complete,
        Self::Partial,
        Self::Refusal,
        Self::NonContact,
        Self::Other,
        Self::UnknownHousehold,
        Self::UnknownOther,
        Self::NotEligible,
    ];

    /// Its symbol in the formulas.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Complete => "I",
            Self::Partial => "P",
            Self::Refusal => "R",
            Self::NonContact => "NC",
            Self::Other => "O",
            Self::UnknownHousehold => "UH",
            Self::UnknownOther => "UO",
            Self::NotEligible => "NE",
        }
    }

    /// Of two dispositions that calls came to, the one of the group that stands first here holds.
    /// What is said of a line is believed after what people said, and what is not known comes last.
    const fn rank(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::Partial => 1,
            Self::Refusal => 2,
            Self::Other => 3,
            Self::NonContact => 4,
            Self::NotEligible => 5,
            Self::UnknownOther => 6,
            Self::UnknownHousehold => 7,
        }
    }
}

/// What a case came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// The code.
    pub code: &'static str,
    /// Where it counts.
    pub group: Group,
    /// What it means.
    pub meaning: &'static str,
}

/// Declares the table.
macro_rules! dispositions {
    ($($code:literal $group:ident $meaning:literal,)+) => {
        impl Disposition {
            /// Every disposition of a telephone survey that this program knows, by code.
            pub const ALL: &'static [Self] = &[$(Self {
                code: $code,
                group: Group::$group,
                meaning: $meaning,
            }),+];
        }
    };
}

dispositions! {
    "1.1" Complete "complete interview",
    "1.2" Partial "partial interview",
    "2.10" Refusal "refusal or break-off",
    "2.11" Refusal "refusal",
    "2.111" Refusal "refusal by somebody else of the household",
    "2.112" Refusal "refusal by the person",
    "2.113" Refusal "implicit refusal, such as a broken appointment",
    "2.12" Refusal "break-off",
    "2.20" NonContact "non-contact",
    "2.21" NonContact "the person was never available",
    "2.22" NonContact "a machine confirmed that the number is the person's",
    "2.30" Other "other eligible person without interview",
    "2.31" Other "the person has died",
    "2.32" Other "the person is unable",
    "2.33" Other "language barrier",
    "2.331" Other "language barrier of the household",
    "2.332" Other "language barrier of the person",
    "2.333" Other "nobody speaks the person's language",
    "2.34" Other "the line was too bad",
    "2.35" Other "place or activity do not allow an interview",
    "2.36" Other "other reason without interview",
    "3.11" UnknownHousehold "not called",
    "3.12" UnknownHousehold "always busy",
    "3.13" UnknownHousehold "no answer",
    "3.14" UnknownHousehold "a machine answered, not known whose",
    "3.15" UnknownHousehold "calls are blocked or screened",
    "3.16" UnknownHousehold "technical problem",
    "3.161" UnknownHousehold "ambiguous message of the operator",
    "3.20" UnknownOther "somebody is there, not known whether the person",
    "3.21" UnknownOther "nobody was asked who is there",
    "3.30" UnknownOther "not known whether the person lives there",
    "3.90" UnknownOther "otherwise unknown",
    "4.10" NotEligible "out of sample",
    "4.20" NotEligible "fax or data line",
    "4.30" NotEligible "number does not work",
    "4.31" NotEligible "number is not assigned",
    "4.32" NotEligible "number is disconnected",
    "4.33" NotEligible "number is temporarily out of service",
    "4.40" NotEligible "special technology",
    "4.41" NotEligible "number has changed",
    "4.43" NotEligible "call is forwarded",
    "4.44" NotEligible "pager",
    "4.45" NotEligible "cell phone outside the frame",
    "4.46" NotEligible "landline outside the frame",
    "4.50" NotEligible "no household",
    "4.51" NotEligible "business",
    "4.52" NotEligible "institution",
    "4.53" NotEligible "group quarters",
    "4.54" NotEligible "somebody else has this number",
    "4.70" NotEligible "nobody there is meant",
    "4.80" NotEligible "quota is full",
    "4.81" NotEligible "is in the sample twice",
}

/// Complete interview.
pub(super) const COMPLETE: &str = "1.1";

/// Break-off.
pub(super) const BREAK_OFF: &str = "2.12";

/// Not called.
const NOT_CALLED: &str = "3.11";

/// Not called any more, because enough interviews were held with such people.
const QUOTA_FULL: &str = "4.80";

/// Implicit refusal: an appointment was not kept.
const APPOINTMENT_BROKEN: &str = "2.113";

impl Disposition {
    /// The disposition of that code.
    pub fn of_code(code: &str) -> Option<&'static Self> {
        Self::ALL
            .iter()
            .find(|disposition| disposition.code == code)
    }
}

/// What a case has come to, and whether that may still change by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it came to; absent of somebody who is left out.
    pub disposition: Option<&'static Disposition>,
    /// Why somebody is no part of the sample, who is not.
    pub left_out: Option<LeftOut>,
    /// Whether the task has not ended.
    pub is_open: bool,
}

/// Why somebody is no part of the sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// They were on the exclusion list before the first call.
    Suppressed,
    /// Enough people had answered before they were called, and nobody knows whether they would have:
    /// that part of the list was not used.
    NotReleased,
}

/// What somebody left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interview {
    /// A complete interview.
    Complete,
    /// A partial one.
    Partial,
}

impl Interview {
    /// The name used in the API and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
        }
    }
}

impl Case {
    /// Whether it is an interview: what results, files and rates count as one, so that they agree.
    ///
    /// Not everybody who answered something has left one. Who refused or opted out afterwards has
    /// refused, and who was turned away by a full quota is not eligible.
    pub fn interview(&self) -> Option<Interview> {
        match self.disposition?.group {
            Group::Complete => Some(Interview::Complete),
            Group::Partial => Some(Interview::Partial),
            _ => None,
        }
    }

    /// What a task has come to by what became of its calls.
    pub fn of(record: &ContactRecord) -> Self {
        let outcomes = record.calls.iter().map(|call| call.attempt.outcome);
        Self::of_calls(&record.task, &outcomes.collect::<Vec<_>>())
    }

    /// What a task has come to by the outcomes of its calls, in their order.
    ///
    /// - What the person decided (an interview, a refusal) holds.
    /// - A call after which nobody calls again, as the outcome table says, closes the case with its
    ///   own code, if it was the last: somebody else has this number, a fax, no such number.
    /// - Else the best that any call came to: of I, P, R, O, NC, NE, UO, UH the first, and of one
    ///   group the strongest outcome. A number that was not in service counts as such (NE) when that
    ///   was so twice, or when nothing else is known.
    /// - A call back that was asked for is an appointment not kept (2.113) when further calls were
    ///   made and none came to more; else the person was not available (2.21).
    /// - Who was never called is not called (3.11), except that the exclusion list suppresses, that a
    ///   full quota makes the people of its cell ineligible (4.80), and that those who were left when
    ///   enough people had answered were not released.
    pub fn of_calls(task: &CallTask, outcomes: &[Option<Outcome>]) -> Self {
        let known: Vec<Outcome> = outcomes
            .iter()
            .flatten()
            .copied()
            .filter(|outcome| outcome.rule().aapor_code.is_some())
            .collect();
        let left_out = known.is_empty().then(|| left_out(task)).flatten();
        let code = code_of(task, &known).unwrap_or_else(|| code_without_calls(task));
        Self {
            disposition: Disposition::of_code(code).filter(|_| left_out.is_none()),
            left_out,
            is_open: !task.state.status().is_final(),
        }
    }
}

/// Whether a task of which no call came to anything is a part of the sample, and why not.
fn left_out(task: &CallTask) -> Option<LeftOut> {
    match (task.state.status(), task.reason) {
        (TaskStatus::Excluded, _) => Some(LeftOut::Suppressed),
        (TaskStatus::Cancelled, Some(Reason::TargetReached)) => Some(LeftOut::NotReleased),
        // All cells are full, and nobody knows in which of them the person would be.
        (TaskStatus::Cancelled, Some(Reason::QuotaFull)) if task.cells.is_empty() => {
            Some(LeftOut::NotReleased)
        }
        _ => None,
    }
}

/// The code of a task of which no call came to anything.
fn code_without_calls(task: &CallTask) -> &'static str {
    let is_full = task.reason == Some(Reason::QuotaFull);
    if task.state.status() == TaskStatus::Cancelled && is_full {
        QUOTA_FULL
    } else {
        NOT_CALLED
    }
}

/// The code of a task whose calls came to that; `None` if there were none.
fn code_of(task: &CallTask, outcomes: &[Outcome]) -> Option<&'static str> {
    let interrupted = outcomes
        .iter()
        .find(|outcome| **outcome == Outcome::Interrupted);
    let decided = task.decision().or_else(|| interrupted.copied());
    if let Some(decided) = decided {
        return decided.rule().aapor_code;
    }
    let last = *outcomes.last()?;
    if closes_by_itself(last) {
        return last.rule().aapor_code;
    }
    let times = |outcome: Outcome| outcomes.iter().filter(|other| **other == outcome).count();
    let is_believed = |outcome: &Outcome| *outcome != Outcome::Disconnected || times(*outcome) >= 2;
    let believed = outcomes.iter().copied().filter(is_believed);
    let best = believed.min_by_key(|outcome| {
        let rank = group_of(*outcome).map_or(u8::MAX, Group::rank);
        (rank, u8::MAX - outcome.rule().strength)
    });
    match best {
        Some(Outcome::CallBackRequested) if last != Outcome::CallBackRequested => {
            Some(APPOINTMENT_BROKEN)
        }
        Some(best) => best.rule().aapor_code,
        None => last.rule().aapor_code,
    }
}

fn group_of(outcome: Outcome) -> Option<Group> {
    Some(Disposition::of_code(outcome.rule().aapor_code?)?.group)
}

/// Whether such a call says all there is to say, so that nobody calls again.
const fn closes_by_itself(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::WrongPerson
            | Outcome::LanguageBarrier
            | Outcome::Fax
            | Outcome::InvalidNumber
            | Outcome::QuotaFull
    )
}
