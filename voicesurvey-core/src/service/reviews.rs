//! Reviewing: the answers that may be wrong, and what people with access make of them.
//!
//! A correction never loses what it corrects, and of two people who decide about the same answer at
//! once only one does: the other is told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::error::{FieldError, ServiceError, require};
use super::quotas::place_by_answer;
use super::validation;
use crate::api_key::{Actor, Role};
use crate::campaign::Campaign;
use crate::conversation::{Answer, AnswerResult, AnswerRevision, Position};
use crate::id::{AnswerId, CampaignId};
use crate::interpretation::{Confidence, InterpretedBy, OtherReading};
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError, UnitOfWork};
use crate::survey::{AnswerValue, Question, QuestionKind};
use crate::time::Clock;

/// The longest note and the longest free text, in characters.
const LONGEST_TEXT: usize = 4_000;

/// Reviews over a store.
#[derive(Clone, Debug)]
pub struct Reviews {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
}

/// An answer with what whoever reviews it has to know.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerToReview {
    /// The answer.
    pub answer: Answer,
    /// What was asked.
    pub question: Question,
    /// Who answered.
    pub contact_name: String,
    /// What another interpreter understood, if that was something else.
    pub other: Option<OtherReading>,
}

/// An answer with its history.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerHistory {
    /// The answer as it stands.
    pub answer: Answer,
    /// What it was before, oldest first.
    pub revisions: Vec<AnswerRevision>,
}

/// What a person makes of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It is right as it stands.
    Accept,
    /// It is something else.
    Correct {
        /// What became of the question. A text stands for the option of that key where options are
        /// chosen from, and for yes or no where that is asked.
        result: AnswerResult,
        /// Why.
        note: Option<String>,
    },
}

impl Reviews {
    /// Over a store.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, clock }
    }

    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.storage.begin(Scope::Company(actor.company_id)).await
    }

    /// The answers in doubt that nobody has reviewed, of one campaign or of all, in the order in
    /// which they were given.
    pub async fn list(
        &self,
        actor: &Actor,
        campaign_id: Option<CampaignId>,
        page: &PageRequest,
    ) -> Result<Page<AnswerToReview>, ServiceError> {
        let mut work = self.begin(actor).await?;
        if let Some(id) = campaign_id {
            let found = work.campaigns().get(id).await?;
            found.ok_or(ServiceError::NotFound { what: "campaign" })?;
        }
        let found = work.interviews().answers_to_review(campaign_id, page);
        let found = found.await?;
        let mut campaigns = HashMap::new();
        let mut rows = Vec::with_capacity(found.rows.len());
        for answer in found.rows {
            let campaign = match campaigns.entry(answer.campaign_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => unknown.insert(campaign_of(&mut *work, &answer).await?),
            };
            let question = question_of(campaign, &answer)?.clone();
            let task = work.call_tasks().get(answer.task_id).await?;
            let turns = work.interviews().turns(answer.attempt_id).await?;
            let turn = turns.into_iter().find(|turn| turn.id == answer.turn_id);
            rows.push(AnswerToReview {
                question,
                contact_name: task.map_or_else(String::new, |task| task.contact.name),
                other: turn.and_then(|turn| turn.interpretation?.other),
                answer,
            });
        }
        let next = found.next;
        Ok(Page { rows, next })
    }

    /// Looks an answer up, with its history.
    pub async fn get(&self, actor: &Actor, id: AnswerId) -> Result<AnswerHistory, ServiceError> {
        let mut work = self.begin(actor).await?;
        history(&mut *work, id).await
    }

    /// Accepts or corrects an answer, whether or not it was in doubt. Needs the role manager.
    ///
    /// `seen` is the revision that whoever decides has looked at, 0 for an answer that nobody has
    /// decided about. One that was decided about since is not changed. A correction keeps the words
    /// that were heard and the turn that proves them: only what they mean is another. One that is not
    /// [kept](crate::erasure::Retention) any longer cannot be decided about.
    pub async fn decide(
        &self,
        actor: &Actor,
        id: AnswerId,
        seen: u32,
        verdict: Verdict,
    ) -> Result<AnswerHistory, ServiceError> {
        require(actor, Role::Manager)?;
        let mut work = self.begin(actor).await?;
        let found = work.interviews().answer(id).await?;
        let before = found.ok_or(ServiceError::NotFound { what: "answer" })?;
        if seen != before.revision {
            return Err(decided_meanwhile());
        }
        if before.result == AnswerResult::Forgotten {
            return Err(ServiceError::NotAllowed {
                code: "answer_forgotten",
                message:
                    "the answer is not kept any longer, so nobody can say whether it was right"
                        .to_owned(),
            });
        }
        let campaign = campaign_of(&mut *work, &before).await?;
        if is_read_back(&mut *work, &campaign, &before).await? {
            return Err(ServiceError::NotAllowed {
                code: "answer_unsettled",
                message: "the person is being asked about this answer right now: try again after \
                          the call"
                    .to_owned(),
            });
        }
        let now = self.clock.now();
        let mut after = Answer {
            reviewed_at: Some(now),
            reviewed_by: Some(actor.api_key_id),
            ..before.clone()
        };
        let mut replaced = None;
        if let Verdict::Correct { result, note } = verdict {
            let campaign = campaign_of(&mut *work, &before).await?;
            let question = question_of(&campaign, &before)?;
            let result = meant(&question.kind, result);
            check(question, &result, note.as_deref())?;
            replaced = Some(AnswerRevision {
                answer_id: before.id,
                company_id: before.company_id,
                number: before.revision,
                result: before.result,
                confidence: before.confidence,
                interpreted_by: before.interpreted_by,
                note: note.filter(|note| !note.trim().is_empty()),
                replaced_at: now,
                replaced_by: actor.api_key_id,
            });
            after.result = result;
            after.confidence = Confidence::CERTAIN;
            after.interpreted_by = InterpretedBy::Staff;
        }
        let review = work.interviews().review_answer(&after, replaced.as_ref());
        review.await.map_err(|error| match error {
            StorageError::Conflict { .. } => decided_meanwhile(),
            error => error.into(),
        })?;
        if replaced.is_some() {
            place_by_answer(&mut *work, &campaign, &after, now).await?;
        }
        let history = history(&mut *work, id).await?;
        work.commit().await?;
        Ok(history)
    }
}

/// Whether the person is just being asked if the answer is right: what they say counts, and a review
/// would keep it from being stored.
async fn is_read_back(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    answer: &Answer,
) -> Result<bool, StorageError> {
    let attempt = work.call_attempts().get(answer.attempt_id).await?;
    let is_live = attempt.is_some_and(|attempt| attempt.state.is_live());
    let held = work.interviews().conversation(answer.attempt_id).await?;
    let position = held.filter(|_| is_live).map(|held| held.position);
    let Some(Position::Confirm { index, .. }) = position else {
        return Ok(false);
    };
    let questions = &campaign.effective_settings().survey.questions;
    let asked = questions.get(usize::from(index));
    Ok(asked.is_some_and(|asked| asked.key == answer.question_key))
}

fn decided_meanwhile() -> ServiceError {
    ServiceError::NotAllowed {
        code: "answer_changed",
        message: "the answer was changed meanwhile: look at it again".to_owned(),
    }
}

async fn history(work: &mut dyn UnitOfWork, id: AnswerId) -> Result<AnswerHistory, ServiceError> {
    let found = work.interviews().answer(id).await?;
    let answer = found.ok_or(ServiceError::NotFound { what: "answer" })?;
    let revisions = work.interviews().answer_revisions(id).await?;
    Ok(AnswerHistory { answer, revisions })
}

async fn campaign_of(work: &mut dyn UnitOfWork, answer: &Answer) -> Result<Campaign, StorageError> {
    let found = work.campaigns().get(answer.campaign_id).await?;
    found.ok_or_else(|| corrupt(answer, "a campaign"))
}

fn question_of<'a>(campaign: &'a Campaign, answer: &Answer) -> Result<&'a Question, StorageError> {
    let questions = &campaign.effective_settings().survey.questions;
    let mut questions = questions.iter();
    let found = questions.find(|question| question.key == answer.question_key);
    found.ok_or_else(|| corrupt(answer, "a question"))
}

fn corrupt(answer: &Answer, what: &str) -> StorageError {
    StorageError::Corrupt {
        table: "answers",
        what: format!("answer {} names {what} that is gone", answer.id),
    }
}

/// The result with the value that a text stands for.
fn meant(kind: &QuestionKind, result: AnswerResult) -> AnswerResult {
    let AnswerResult::Answered {
        value: AnswerValue::Text(text),
    } = result
    else {
        return result;
    };
    let value = match (kind, text.as_str()) {
        (QuestionKind::Choice { .. }, _) => AnswerValue::Choice(text),
        (QuestionKind::YesNo, "yes") => AnswerValue::YesNo(true),
        (QuestionKind::YesNo, "no") => AnswerValue::YesNo(false),
        _ => AnswerValue::Text(text),
    };
    AnswerResult::Answered { value }
}

/// Checks a correction. Nobody is trusted with values, as no interpreter is.
fn check(
    question: &Question,
    result: &AnswerResult,
    note: Option<&str>,
) -> Result<(), ServiceError> {
    let mut errors = Vec::new();
    if let Some(value) = result.value() {
        if question.kind.accepts(value) {
            check_text("value", &value.to_text(), &mut errors);
        } else {
            errors.push(FieldError::new(
                "value",
                validation::accepted(&question.kind),
            ));
        }
    }
    check_text("note", note.unwrap_or_default(), &mut errors);
    validation::finish(errors)
}

fn check_text(field: &str, text: &str, errors: &mut Vec<FieldError>) {
    let is_odd = |letter: char| letter.is_control() && letter != '\n';
    if text.chars().any(is_odd) {
        let message = "must not contain control characters";
        errors.push(FieldError::new(field, message));
    }
    if text.chars().count() > LONGEST_TEXT {
        let message = format!("use at most {LONGEST_TEXT} characters");
        errors.push(FieldError::new(field, message));
    }
}
