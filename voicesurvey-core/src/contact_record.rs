//! Everything that a campaign knows of one person: what results, rates and files are made of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, TaskStatus};
use crate::campaign::Campaign;
use crate::conversation::{Answer, AnswerRevision, Consent, Speaker, SurveyResponse, Turn};
use crate::id::{CallAttemptId, CallTaskId};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::time::Timestamp;

/// A task with all that came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ContactRecord {
    /// The task.
    pub task: CallTask,
    /// Its calls, in the order of their numbers; the one in progress too.
    pub calls: Vec<CallRecord>,
    /// Its answers as they stand now, in the order in which they were given.
    pub answers: Vec<Answer>,
    /// What answers were before a person corrected them, by answer, oldest first.
    pub revisions: Vec<AnswerRevision>,
    /// The interview as a whole, if there was one.
    pub response: Option<SurveyResponse>,
}

/// One call with what was said in it.
#[derive(Clone, Debug, PartialEq)]
pub struct CallRecord {
    /// The dial.
    pub attempt: CallAttempt,
    /// The language that was spoken at last; absent when there was no conversation.
    pub language: Option<Language>,
    /// Whether the person agreed to take part, if they said.
    pub consent: Option<Consent>,
    /// The questions that were put to the person, in the order in which they were.
    pub asked: Vec<QuestionAsked>,
    /// What was said, in order.
    pub turns: Vec<Turn>,
}

impl CallRecord {
    /// A call of which nothing else is known yet.
    pub const fn new(attempt: CallAttempt) -> Self {
        Self {
            attempt,
            language: None,
            consent: None,
            asked: Vec::new(),
            turns: Vec::new(),
        }
    }
}

/// That a question was put to a person in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionAsked {
    /// The call.
    pub attempt_id: CallAttemptId,
    /// The question.
    pub question_key: String,
    /// When it began to be spoken for the first time in this call.
    pub first_at: Timestamp,
}

impl QuestionAsked {
    /// The questions that were put in a call, given its turns in order.
    pub fn among<'t>(turns: impl IntoIterator<Item = &'t Turn>) -> Vec<Self> {
        let mut seen = BTreeSet::new();
        let by_us = turns
            .into_iter()
            .filter(|turn| turn.speaker == Speaker::Agent);
        by_us
            .filter_map(|turn| {
                let key = turn.question_key.as_ref()?;
                seen.insert(key).then(|| Self {
                    attempt_id: turn.attempt_id,
                    question_key: key.clone(),
                    first_at: turn.at,
                })
            })
            .collect()
    }
}

/// What is wanted of the records, besides tasks and their attempts. What is not wanted is empty.
#[expect(
    clippy::struct_excessive_bools,
    reason = "parts that are wanted independently of each other"
)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordParts {
    /// The language spoken, answers, responses.
    pub interviews: bool,
    /// Which questions were asked, and when.
    pub asked: bool,
    /// Consents.
    pub consents: bool,
    /// Every turn.
    pub turns: bool,
    /// What answers were before they were corrected.
    pub revisions: bool,
}

impl RecordParts {
    /// Tasks and attempts alone.
    pub const ATTEMPTS: Self = Self {
        interviews: false,
        asked: false,
        consents: false,
        turns: false,
        revisions: false,
    };
    /// What results are made of.
    pub const RESULTS: Self = Self {
        interviews: true,
        asked: true,
        ..Self::ATTEMPTS
    };
    /// Everything.
    pub const ALL: Self = Self {
        interviews: true,
        asked: true,
        consents: true,
        turns: true,
        revisions: true,
    };
}

/// Which people's records are wanted. Each condition that is given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactFilter {
    /// Whose list had these values in these columns, letter for letter. A person without the column
    /// has no value.
    pub columns: BTreeMap<String, String>,
    /// Not before: see [`ContactFilter::matches`].
    pub from: Option<Timestamp>,
    /// Before: see [`ContactFilter::matches`].
    pub to: Option<Timestamp>,
    /// Who spoke this language, or would: see [`ContactFilter::matches`].
    pub language: Option<Language>,
    /// Whose strongest outcome is this one.
    pub outcome: Option<Outcome>,
    /// Whose task stands there.
    pub status: Option<TaskStatus>,
    /// Who is known to be in all of these cells of the campaign's quotas, by their names as the
    /// campaign has them. Nobody is in a cell that there is not.
    pub cells: BTreeSet<String>,
    /// For whom it is stored what became of this question.
    pub answered: Option<String>,
}

/// What a filter looks at besides the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interviewed {
    /// The language of the latest conversation.
    pub language: Option<Language>,
    /// When the interview of the response began.
    pub at: Option<Timestamp>,
    /// Whether there is an answer to the question that the filter names; not looked at if it names
    /// none.
    pub has_answer: bool,
}

impl ContactFilter {
    /// Whether somebody of that campaign is wanted. Stores may ask in their own words, and must answer
    /// the same.
    ///
    /// The instant that `from` and `to` look at is when the interview began, and without one when
    /// the last call was made; who was never called has none. The language is that of the latest
    /// conversation, without one that of the list, and without that the campaign's.
    pub fn matches(&self, task: &CallTask, interviewed: Interviewed, campaign: &Campaign) -> bool {
        let columns = &task.contact.extra;
        let at = interviewed.at.or(task.last_attempt_at);
        let language = interviewed
            .language
            .or(task.contact.language)
            .unwrap_or(campaign.effective_settings().language);
        let cells = campaign.quota_cells();
        let is_in = |name: &String| task.cells.named(cells).any(|cell| cell == name);
        self.columns
            .iter()
            .all(|(name, value)| columns.get(name) == Some(value))
            && self.cells.iter().all(is_in)
            && self.from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && self.to.is_none_or(|to| at.is_some_and(|at| at < to))
            && self.language.is_none_or(|wanted| language == wanted)
            && self
                .outcome
                .is_none_or(|outcome| task.outcome == Some(outcome))
            && self
                .status
                .is_none_or(|status| task.state.status() == status)
            && (self.answered.is_none() || interviewed.has_answer)
    }

    /// Whether any of its texts contains a zero byte, which no stored text does and which
    /// PostgreSQL refuses to look for: then it fits nobody.
    pub fn fits_nobody(&self) -> bool {
        let columns = self.columns.iter().flat_map(|(name, value)| [name, value]);
        let mut texts = columns.chain(&self.answered);
        texts.any(|text| text.contains('\0'))
    }
}

impl ContactRecord {
    /// The language that was spoken in the latest conversation, without one that of the list, and
    /// without that `default_language`, which is the campaign's.
    pub fn language(&self, default_language: Language) -> Language {
        let spoken = self.calls.iter().rev().find_map(|call| call.language);
        spoken
            .or(self.task.contact.language)
            .unwrap_or(default_language)
    }

    /// The answer to a question, as it stands now.
    pub fn answer(&self, question_key: &str) -> Option<&Answer> {
        self.answers
            .iter()
            .find(|answer| answer.question_key == question_key)
    }

    /// The call of that identifier.
    pub fn call(&self, id: CallAttemptId) -> Option<&CallRecord> {
        self.calls.iter().find(|call| call.attempt.id == id)
    }
}

/// Puts records together from rows that were read table by table.
///
/// Rows of tasks and attempts that are not among them are left out: they may have come after the
/// tasks were read.
#[derive(Debug)]
pub struct RecordAssembly {
    records: Vec<ContactRecord>,
    by_task: BTreeMap<CallTaskId, usize>,
    /// The record and the call that each attempt stands in.
    places: BTreeMap<CallAttemptId, (usize, usize)>,
}

impl RecordAssembly {
    /// Begins with tasks and their attempts; the attempts of each task in the order of their
    /// numbers.
    pub fn new(tasks: Vec<CallTask>, attempts: Vec<CallAttempt>) -> Self {
        let mut records: Vec<ContactRecord> = tasks
            .into_iter()
            .map(|task| ContactRecord {
                task,
                calls: Vec::new(),
                answers: Vec::new(),
                revisions: Vec::new(),
                response: None,
            })
            .collect();
        let by_task: BTreeMap<CallTaskId, usize> = records
            .iter()
            .enumerate()
            .map(|(place, record)| (record.task.id, place))
            .collect();
        let mut places = BTreeMap::new();
        for attempt in attempts {
            if let Some(&place) = by_task.get(&attempt.task_id) {
                let calls = &mut records[place].calls;
                places.insert(attempt.id, (place, calls.len()));
                calls.push(CallRecord::new(attempt));
            }
        }
        Self {
            records,
            by_task,
            places,
        }
    }

    fn record_of(&mut self, task_id: CallTaskId) -> Option<&mut ContactRecord> {
        let record = *self.by_task.get(&task_id)?;
        Some(&mut self.records[record])
    }

    fn call_of(&mut self, attempt_id: CallAttemptId) -> Option<&mut CallRecord> {
        let (record, call) = *self.places.get(&attempt_id)?;
        Some(&mut self.records[record].calls[call])
    }

    /// The language spoken in a call.
    pub fn spoke(&mut self, attempt_id: CallAttemptId, language: Language) {
        if let Some(call) = self.call_of(attempt_id) {
            call.language = Some(language);
        }
    }

    /// Answers, those of each task in the order in which they were given.
    pub fn answers(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            if let Some(record) = self.record_of(answer.task_id) {
                record.answers.push(answer);
            }
        }
    }

    /// Revisions with the task that their answer is of, those of each answer oldest first.
    pub fn revisions(&mut self, revisions: Vec<(CallTaskId, AnswerRevision)>) {
        for (task_id, revision) in revisions {
            if let Some(record) = self.record_of(task_id) {
                record.revisions.push(revision);
            }
        }
    }

    /// Responses.
    pub fn responses(&mut self, responses: Vec<SurveyResponse>) {
        for response in responses {
            if let Some(record) = self.record_of(response.task_id) {
                record.response = Some(response);
            }
        }
    }

    /// Consents.
    pub fn consents(&mut self, consents: Vec<Consent>) {
        for consent in consents {
            if let Some(call) = self.call_of(consent.attempt_id) {
                call.consent = Some(consent);
            }
        }
    }

    /// Questions asked, those of each call in their order.
    pub fn asked(&mut self, asked: Vec<QuestionAsked>) {
        for asked in asked {
            if let Some(call) = self.call_of(asked.attempt_id) {
                call.asked.push(asked);
            }
        }
    }

    /// Turns, those of each call in their order.
    pub fn turns(&mut self, turns: Vec<Turn>) {
        for turn in turns {
            if let Some(call) = self.call_of(turn.attempt_id) {
                call.turns.push(turn);
            }
        }
    }

    /// The records, in the order of the tasks.
    pub fn finish(self) -> Vec<ContactRecord> {
        self.records
    }
}
