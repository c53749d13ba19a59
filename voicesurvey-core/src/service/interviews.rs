//! The conversation over the line: what was heard goes in, what to say comes out, and everything
//! said is committed before the reply is spoken (I9).

use std::sync::Arc;

use super::call_events::{campaign_of, line_before, response, store_progress};
use super::quotas::{closed_to, place_by_answer};
use super::understanding::understand;
use crate::call_attempt::{AnsweredBy, CallAttempt, CallEvent, CallEventKind, Leases};
use crate::call_task::CallTask;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::conversation::{
    Conversation, Given, Heard, Place, Script, Step, Then, Understood, VoiceReply,
};
use crate::id::{CallAttemptId, CallTaskId, IdGenerator};
use crate::interpretation::AnswerInterpreter;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::repositories::CallAttemptFilter;
use crate::ports::{CallReference, PageRequest, Scope, Storage, StorageError, UnitOfWork};
use crate::skillbase::Skillbase;
use crate::time::{Clock, Timestamp};

/// Leads conversations. Any server can take the next turn of any call.
#[derive(Clone, Debug)]
pub struct Interviews {
    storage: Arc<dyn Storage>,
    interpreter: Arc<dyn AnswerInterpreter>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    leases: Leases,
}

/// What a conversation is held about.
struct Scene {
    attempt: CallAttempt,
    task: CallTask,
    campaign: Campaign,
    skillbase: Skillbase,
    company: Company,
    given: Given,
    /// The last of the earlier calls in which something became of a question.
    earlier: Option<CallAttemptId>,
    conversation: Option<Conversation>,
}

/// What came of a turn.
pub(super) struct Taken {
    /// What is said next.
    pub(super) reply: VoiceReply,
    /// Whether the person has just consented to a call that is recorded.
    pub(super) is_to_be_recorded: bool,
}

impl From<VoiceReply> for Taken {
    fn from(reply: VoiceReply) -> Self {
        Self {
            reply,
            is_to_be_recorded: false,
        }
    }
}

impl Scene {
    fn script(&self) -> Script<'_> {
        let contact = &self.task.contact;
        Script::new(&self.campaign, &self.skillbase, &self.company.name, contact)
    }

    /// Whether nobody calls again after this call, also if the person asks for it.
    fn is_last_call(&self) -> bool {
        let policy = &self.campaign.effective_settings().retry;
        let spent = self.task.attempts_spent + 1;
        let after = policy.retry_after(Outcome::CallBackRequested, spent, 0);
        after.is_none()
    }
}

impl Interviews {
    /// Over a store and an interpreter.
    pub fn new(
        storage: Arc<dyn Storage>,
        interpreter: Arc<dyn AnswerInterpreter>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        leases: Leases,
    ) -> Self {
        Self {
            storage,
            interpreter,
            clock,
            ids,
            leases,
        }
    }

    /// Somebody or something picked up: what is said first.
    ///
    /// Asked again, it answers the same. A machine is hung up on, but a voicemail may hear a message
    /// first; so is a call nobody knows.
    pub async fn answered(
        &self,
        call: &CallReference,
        by: AnsweredBy,
        at: Timestamp,
    ) -> Result<VoiceReply, StorageError> {
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Company(call.company_id)).await?;
        let Some(scene) = scene(&mut *work, call).await? else {
            return Ok(silent_goodbye());
        };
        if let Some(conversation) = scene.conversation {
            return Ok(conversation.last_reply);
        }
        // The verdict of a detector may have been faster.
        let by = scene.attempt.answered_by.map_or(by, |told| told.max(by));
        let event = CallEvent {
            company_id: call.company_id,
            attempt_id: call.attempt_id,
            event_id: "answer".to_owned(),
            provider_call_id: call.provider_call_id.clone(),
            kind: CallEventKind::Answered { by },
            at,
            raw_status: None,
            error_code: None,
        };
        work.events().receive(&event, now).await?;
        let attempt = scene.attempt.clone().on(&event, now, self.leases);
        if by.outcome().is_some() {
            let reply = self.say_to_machine(&mut *work, &scene, by, now).await?;
            store_progress(&mut *work, attempt, &self.ids, now).await?;
            work.commit().await?;
            return Ok(reply);
        }
        let place = Place::from(&attempt);
        let script = match language_before(&mut *work, &scene).await? {
            Some(language) => scene.script().spoken_in(language),
            None => scene.script(),
        };
        let mut step = Conversation::begin(place, &script, &scene.given, &self.ids, now);
        step.conversation.memory.is_last_call = scene.is_last_call();
        step.conversation.memory.line = line_before(&mut *work, &scene.attempt).await?;
        work.interviews()
            .insert_conversation(&step.conversation)
            .await?;
        work.interviews().insert_turns(&step.turns).await?;
        store_progress(&mut *work, attempt, &self.ids, now).await?;
        work.commit().await?;
        Ok(step.conversation.last_reply)
    }

    /// What a machine hears: a voicemail the message of the campaign, unless the person's has heard
    /// it in an earlier call, and anything else nothing.
    ///
    /// The message is a conversation of its own, so that it is on record, and is said again to who
    /// asks again.
    async fn say_to_machine(
        &self,
        work: &mut dyn UnitOfWork,
        scene: &Scene,
        by: AnsweredBy,
        now: Timestamp,
    ) -> Result<VoiceReply, StorageError> {
        let message = scene.script().voicemail_message();
        let Some((script, message)) = message.filter(|_| by == AnsweredBy::Voicemail) else {
            return Ok(silent_goodbye());
        };
        if has_left_message(work, scene.task.id).await? {
            return Ok(silent_goodbye());
        }
        let place = Place::from(&scene.attempt);
        let step = Conversation::leave_message(&message, place, &script, &self.ids, now);
        let interviews = work.interviews();
        interviews.insert_conversation(&step.conversation).await?;
        interviews.insert_turns(&step.turns).await?;
        Ok(step.conversation.last_reply)
    }

    /// The person said something, pressed keys or stayed silent: what is said next.
    ///
    /// `step` names the reply that was answered. When another request has answered it already, the
    /// reply that followed is given again and nothing is stored twice (I10).
    pub async fn turn(
        &self,
        call: &CallReference,
        step: u32,
        heard: Heard,
    ) -> Result<VoiceReply, StorageError> {
        Ok(self.take_turn(call, step, heard).await?.reply)
    }

    /// As [`turn`](Self::turn), and tells whether the call is to be recorded from now on.
    pub(super) async fn take_turn(
        &self,
        call: &CallReference,
        step: u32,
        heard: Heard,
    ) -> Result<Taken, StorageError> {
        let arrived = self.clock.now();
        let heard = heard.cleaned();
        let mut work = self.storage.begin(Scope::Company(call.company_id)).await?;
        let Some(scene) = scene(&mut *work, call).await? else {
            return Ok(Taken::from(silent_goodbye()));
        };
        // The interpreter may take seconds; nothing is open meanwhile.
        drop(work);
        let Some(conversation) = scene.conversation.clone() else {
            return Ok(Taken::from(silent_goodbye()));
        };
        if step != conversation.step {
            return Ok(Taken::from(conversation.last_reply));
        }
        let script = scene.script().spoken_in(conversation.language);
        let understood = understand(&*self.interpreter, &conversation, &script, &heard).await;
        match self
            .answer((call, step, arrived), &heard, &understood, &scene)
            .await
        {
            // Another request may have answered it at the same instant.
            Err(StorageError::Conflict { what }) => match self.answered_since(call, step).await? {
                Some(reply) => Ok(Taken::from(reply)),
                None => Err(StorageError::Conflict { what }),
            },
            answer => answer,
        }
    }

    /// Takes in what was heard and understood, unless it was answered meanwhile: then the reply that
    /// followed is given again.
    async fn answer(
        &self,
        (call, step, arrived): (&CallReference, u32, Timestamp),
        heard: &Heard,
        understood: &Understood,
        scene: &Scene,
    ) -> Result<Taken, StorageError> {
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Company(call.company_id)).await?;
        let Some(mut attempt) = work.call_attempts().get_for_update(call.attempt_id).await? else {
            return Ok(Taken::from(silent_goodbye()));
        };
        let Some(conversation) = work.interviews().conversation(call.attempt_id).await? else {
            return Ok(Taken::from(silent_goodbye()));
        };
        // News of the call may have changed it without taking a step.
        if conversation.step != step {
            return Ok(Taken::from(conversation.last_reply));
        }
        let closed = closed_to(&mut *work, &scene.campaign, &scene.task).await?;
        let script = scene.script().spoken_in(conversation.language);
        let script = script.turning_away(&closed);
        let step = conversation.hear(heard, understood, &script, &scene.given, &self.ids, now);
        let has_consented = step.consent.as_ref().is_some_and(|consent| consent.given);
        let taken = Taken {
            reply: step.conversation.last_reply.clone(),
            is_to_be_recorded: has_consented && scene.campaign.effective_settings().recording,
        };
        let waited = (now - arrived).num_milliseconds();
        attempt
            .latencies
            .push(waited.try_into().unwrap_or(u32::MAX));
        self.store(&mut *work, attempt, step, &scene.campaign, now)
            .await?;
        work.commit().await?;
        Ok(taken)
    }

    /// The reply that followed `step`, if another request has taken it.
    async fn answered_since(
        &self,
        call: &CallReference,
        step: u32,
    ) -> Result<Option<VoiceReply>, StorageError> {
        let mut work = self.storage.begin(Scope::Company(call.company_id)).await?;
        let conversation = work.interviews().conversation(call.attempt_id).await?;
        Ok(conversation
            .filter(|conversation| conversation.step != step)
            .map(|conversation| conversation.last_reply))
    }

    async fn store(
        &self,
        work: &mut dyn UnitOfWork,
        mut attempt: CallAttempt,
        step: Step,
        campaign: &Campaign,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let interviews = work.interviews();
        interviews.insert_turns(&step.turns).await?;
        if let Some(consent) = &step.consent {
            interviews.insert_consent(consent).await?;
        }
        if let Some(answer) = &step.answer {
            interviews.put_answer(answer).await?;
            place_by_answer(work, campaign, answer, now).await?;
        }
        let interviews = work.interviews();
        interviews.update_conversation(&step.conversation).await?;
        if let Some(conclusion) = step.conclusion {
            attempt.conclude(conclusion.outcome);
            let complete = conclusion.outcome == Outcome::Completed;
            if complete || conclusion.answered {
                let response = response(&step.conversation, complete, &self.ids, now);
                interviews.put_response(&response).await?;
            }
        }
        attempt.extend_lease(now, self.leases);
        store_progress(work, attempt, &self.ids, now).await
    }
}

/// Reads everything a conversation needs, with the attempt locked; `None` when there is no such
/// call.
async fn scene(
    work: &mut dyn UnitOfWork,
    call: &CallReference,
) -> Result<Option<Scene>, StorageError> {
    let Some(attempt) = work.call_attempts().get_for_update(call.attempt_id).await? else {
        tracing::warn!(attempt = %call.attempt_id, "a webhook speaks of an unknown attempt");
        return Ok(None);
    };
    let Some(task) = work.call_tasks().get(attempt.task_id).await? else {
        return Ok(None);
    };
    let campaign = campaign_of(work, &attempt).await?;
    let Some(skillbase) = skillbase_of(work, &campaign).await? else {
        return Ok(None);
    };
    let Some(company) = work.companies().get(attempt.company_id).await? else {
        return Ok(None);
    };
    let answers = work.interviews().answers(task.id).await?;
    let given = Given::of(&answers, attempt.id);
    let earlier = answers
        .iter()
        .filter(|answer| answer.attempt_id != attempt.id)
        .max_by_key(|answer| answer.at)
        .map(|answer| answer.attempt_id);
    let conversation = work.interviews().conversation(attempt.id).await?;
    Ok(Some(Scene {
        attempt,
        task,
        campaign,
        skillbase,
        company,
        given,
        earlier,
        conversation,
    }))
}

/// Who speaks: the skillbase as the campaign froze it, or as it stands.
pub(super) async fn skillbase_of(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
) -> Result<Option<Skillbase>, StorageError> {
    match &campaign.snapshot {
        Some(snapshot) => Ok(Some(snapshot.skillbase.clone())),
        None => work.skillbases().get(campaign.settings.skillbase_id).await,
    }
}

/// Whether a message was left on the person's voicemail in one of the calls of the task.
async fn has_left_message(
    work: &mut dyn UnitOfWork,
    task_id: CallTaskId,
) -> Result<bool, StorageError> {
    let filter = CallAttemptFilter {
        task_id: Some(task_id),
        ..CallAttemptFilter::default()
    };
    let page = PageRequest::first(PageRequest::LARGEST);
    let attempts = work.call_attempts().list(&filter, &page).await?.rows;
    let machine = |attempt: &&CallAttempt| attempt.answered_by == Some(AnsweredBy::Voicemail);
    let attempts: Vec<_> = attempts.iter().filter(machine).map(|row| row.id).collect();
    let held = work.interviews().conversations(&attempts).await?;
    Ok(held
        .iter()
        .any(|conversation| conversation.outcome == Some(Outcome::Voicemail)))
}

/// The language in which an interview that is taken up again was held at last: who has changed it is
/// not asked to do so again.
async fn language_before(
    work: &mut dyn UnitOfWork,
    scene: &Scene,
) -> Result<Option<Language>, StorageError> {
    let Some(earlier) = scene.earlier else {
        return Ok(None);
    };
    let held = work.interviews().conversation(earlier).await?;
    Ok(held.map(|conversation| conversation.language))
}

/// Hangs up without a word.
fn silent_goodbye() -> VoiceReply {
    VoiceReply {
        language: Language::En,
        voice: None,
        say: Vec::new(),
        firm: 0,
        then: Then::HangUp,
    }
}
