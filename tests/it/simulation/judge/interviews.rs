//! What people said: consent before questions, answers that stay, opt-outs that count at once, and
//! appointments that are kept.

use std::collections::{BTreeSet, HashMap, HashSet};

use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::call_task::{CallBack, TaskStatus};
use voicesurvey::conversation::{Answer, AnswerResult, Conversation, Speaker, Turn};
use voicesurvey::id::{CallAttemptId, CallTaskId, CompanyId};
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::repositories::CallTaskFilter;
use voicesurvey::ports::{PageRequest, Scope, UnitOfWork};

use super::Judge;

/// What is known of the interviews of one run.
#[derive(Debug, Default)]
pub(super) struct Interviews {
    /// Whom exclusion lists name.
    pub(super) excluded: HashSet<(CompanyId, PhoneNumber)>,
    /// In which calls somebody has opted out.
    opted_out: HashSet<CallAttemptId>,
    /// What became of which question, and in which call.
    answered: HashMap<(CallTaskId, String), (CallAttemptId, AnswerResult)>,
    pub(super) seen: BTreeSet<Sight>,
}

/// Something of interviews that a simulation should show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::simulation) enum Sight {
    /// An interview went on in a later call.
    Resumed,
    /// An answer was read back.
    ReadBack,
    /// Somebody opted out in the middle of the interview.
    OptedOutMidway,
    /// Somebody was called again at the time of their appointment, or later.
    AppointmentKept,
    /// Somebody was sent away because enough of that answer had been heard.
    TurnedAway,
}

impl Sight {
    pub(in crate::simulation) const ALL: [Self; 5] = [
        Self::Resumed,
        Self::ReadBack,
        Self::OptedOutMidway,
        Self::AppointmentKept,
        Self::TurnedAway,
    ];
}

impl Judge {
    /// Over the calls in progress of a company.
    pub(super) fn read_interviews(
        &mut self,
        work: &mut dyn UnitOfWork,
        company_id: CompanyId,
    ) -> Result<(), String> {
        let live = self.live.iter().map(|id| &self.attempts[id]);
        let live: Vec<CallAttempt> = live
            .filter(|attempt| attempt.company_id == company_id)
            .cloned()
            .collect();
        for attempt in live {
            let conversation = self
                .drive
                .finish(work.interviews().conversation(attempt.id));
            let Some(conversation) = conversation.unwrap() else {
                continue;
            };
            if conversation.outcome == Some(Outcome::OptedOut)
                && self.interviews.opted_out.insert(attempt.id)
            {
                self.is_excluded_at_once(work, &attempt)?;
            }
            let turns = self.drive.finish(work.interviews().turns(attempt.id));
            let turns = turns.unwrap();
            self.look_at(&conversation, &turns);
            self.consent_comes_first(work, &attempt, &turns)?;
            self.asks_nothing_twice(&attempt, &turns)?;
            let answers = self
                .drive
                .finish(work.interviews().answers(attempt.task_id));
            self.answers_stay(&attempt, answers.unwrap())?;
        }
        Ok(())
    }

    fn look_at(&mut self, conversation: &Conversation, turns: &[Turn]) {
        let is_asked = turns.iter().any(|turn| turn.question_key.is_some());
        let sights = [
            (Sight::Resumed, conversation.is_resumption() && is_asked),
            (Sight::ReadBack, conversation.memory.pending.is_some()),
            (
                Sight::OptedOutMidway,
                conversation.outcome == Some(Outcome::OptedOut) && is_asked,
            ),
        ];
        let seen = sights.into_iter().filter(|(_, is_seen)| *is_seen);
        self.interviews.seen.extend(seen.map(|(sight, _)| sight));
    }

    /// I8, in the commit in which it was said: nobody of the company waits to call the number.
    fn is_excluded_at_once(
        &self,
        work: &mut dyn UnitOfWork,
        attempt: &CallAttempt,
    ) -> Result<(), String> {
        let number = attempt.phone_number;
        let excluded = &self.interviews.excluded;
        if !excluded.contains(&(attempt.company_id, number)) {
            let number = number.as_str();
            return Err(format!("I8: {number} has opted out and is not excluded"));
        }
        let page = PageRequest::first(PageRequest::LARGEST);
        let every = CallTaskFilter::default();
        let tasks = self.drive.finish(work.call_tasks().list(&every, &page));
        let waits = tasks.unwrap().rows.into_iter().find(|task| {
            let status = task.state.status();
            task.contact.phone_number == number
                && !status.is_final()
                && status != TaskStatus::InProgress
        });
        match waits {
            Some(task) => Err(format!(
                "I8: {} has opted out, and task {} is {:?}",
                number.as_str(),
                task.id,
                task.state
            )),
            None => Ok(()),
        }
    }

    /// Nobody is asked a question who has not consented in this call.
    fn consent_comes_first(
        &self,
        work: &mut dyn UnitOfWork,
        attempt: &CallAttempt,
        turns: &[Turn],
    ) -> Result<(), String> {
        let Some(asked) = turns.iter().find(|turn| turn.question_key.is_some()) else {
            return Ok(());
        };
        let consent = self.drive.finish(work.interviews().consent(attempt.id));
        let consent = consent.unwrap().filter(|consent| consent.given);
        let proof =
            consent.and_then(|consent| turns.iter().find(|turn| turn.id == consent.turn_id));
        if proof.is_none_or(|proof| proof.sequence >= asked.sequence) {
            return Err(format!(
                "consent: {} was asked {:?} before a yes",
                attempt.phone_number.as_str(),
                asked.question_key
            ));
        }
        Ok(())
    }

    /// What was answered, skipped or not known in an earlier call is not asked again.
    fn asks_nothing_twice(&self, attempt: &CallAttempt, turns: &[Turn]) -> Result<(), String> {
        let asked = turns.iter().filter(|turn| turn.speaker == Speaker::Agent);
        for key in asked.filter_map(|turn| turn.question_key.clone()) {
            let known = self.interviews.answered.get(&(attempt.task_id, key));
            if let Some((earlier, result)) = known
                && *earlier != attempt.id
                && *result != AnswerResult::NotUnderstood
            {
                return Err(format!(
                    "resumption: {} is asked again what was {result:?}",
                    attempt.phone_number.as_str()
                ));
            }
        }
        Ok(())
    }

    /// An answer is one to its question, is replaced by a later one of the same call at most, and
    /// is never lost.
    fn answers_stay(&mut self, attempt: &CallAttempt, answers: Vec<Answer>) -> Result<(), String> {
        let number = attempt.phone_number.as_str();
        let task_id = attempt.task_id;
        let known = self.interviews.answered.keys();
        let known = known.filter(|(task, _)| *task == task_id).count();
        if answers.len() < known {
            return Err(format!("I9: {number} gave {known} answers: {answers:?}"));
        }
        let questions = &self.campaigns[&attempt.campaign_id].survey.questions;
        for answer in answers {
            let question = questions
                .iter()
                .find(|question| question.key == answer.question_key);
            let is_possible = question.is_some_and(|question| {
                let value = answer.result.value();
                value.is_none_or(|value| question.kind.accepts(value))
            });
            if !is_possible {
                return Err(format!("no answer of {number} can be {answer:?}"));
            }
            let now = (answer.attempt_id, answer.result);
            let key = (task_id, answer.question_key);
            if let Some((earlier, result)) = self.interviews.answered.insert(key, now.clone())
                && earlier != now.0
                && result != AnswerResult::NotUnderstood
            {
                return Err(format!(
                    "I9: an answer of {number} was {result:?} and is {now:?}"
                ));
            }
        }
        Ok(())
    }

    /// Who was promised a call at some time is not called before, by that campaign.
    pub(super) fn keeps_appointment(&mut self, claimed: &CallAttempt) -> Result<(), String> {
        let before = self.attempts.values().find(|attempt| {
            attempt.task_id == claimed.task_id && attempt.number + 1 == claimed.number
        });
        let Some(before) = before else {
            return Ok(());
        };
        let mut work = self.open(Scope::Company(claimed.company_id));
        let conversation = self.drive.finish(work.interviews().conversation(before.id));
        let conversation = conversation.unwrap();
        // What is known better of that call may take the promise back: it was a machine.
        let holds = |conversation: &Conversation| conversation.outcome == before.outcome;
        match conversation.filter(holds).map(|held| held.call_back()) {
            Some(CallBack::At(at)) if claimed.created_at < at => Err(format!(
                "appointment: {} asked for {at} and is called at {}",
                claimed.phone_number.as_str(),
                claimed.created_at
            )),
            Some(CallBack::At(_)) => {
                self.interviews.seen.insert(Sight::AppointmentKept);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
