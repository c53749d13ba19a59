//! Conversations without a telephone: a campaign can be tried before anybody is called.
//!
//! The machine and the interpreter are those of calls, and everything else of a call is missing:
//! nothing is stored, nobody is excluded, nothing is counted. How far a conversation has come is kept
//! by whoever holds it, and is not trusted when it comes back.

mod state;

use std::sync::Arc;

pub use self::state::{TestContact, TestConversation};
use super::error::{ServiceError, require};
use super::interviews::skillbase_of;
use super::understanding::understand;
use crate::api_key::{Actor, Role};
use crate::call_list::Contact;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::conversation::{Conversation, Given, Heard, Place, Script, Step};
use crate::id::{CampaignId, IdGenerator};
use crate::interpretation::AnswerInterpreter;
use crate::ports::{Scope, Storage, StorageError};
use crate::skillbase::Skillbase;
use crate::time::Clock;

/// Holds test conversations. It reads campaigns and writes nothing.
#[derive(Clone, Debug)]
pub struct TestConversations {
    storage: Arc<dyn Storage>,
    interpreter: Arc<dyn AnswerInterpreter>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
}

/// What a test conversation is held about, as it stood when it was read.
#[derive(Clone, Debug)]
pub struct TestCampaign {
    campaign: Campaign,
    skillbase: Skillbase,
    company: Company,
}

/// One step of a test conversation.
#[derive(Clone, Debug)]
pub struct TestStep {
    /// What a call would say and store now.
    pub step: Step,
    /// What the next step needs.
    pub state: TestConversation,
}

impl TestStep {
    fn new(contact: TestContact, mut answers: Given, step: Step) -> Self {
        if let Some(answer) = &step.answer {
            answers.put(&answer.question_key, answer.result.clone());
        }
        let state = TestConversation::after(contact, &step.conversation, answers);
        Self { step, state }
    }
}

impl TestConversations {
    /// Over a store and an interpreter.
    pub fn new(
        storage: Arc<dyn Storage>,
        interpreter: Arc<dyn AnswerInterpreter>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
    ) -> Self {
        Self {
            storage,
            interpreter,
            clock,
            ids,
        }
    }

    /// Reads a campaign of the actor's company, in whatever status. Needs the role manager.
    pub async fn campaign(
        &self,
        actor: &Actor,
        id: CampaignId,
    ) -> Result<TestCampaign, ServiceError> {
        require(actor, Role::Manager)?;
        self.read(Scope::Company(actor.company_id), id).await
    }

    /// Reads a campaign of whatever company, for who runs the installation.
    pub async fn any_campaign(&self, id: CampaignId) -> Result<TestCampaign, ServiceError> {
        self.read(Scope::Platform, id).await
    }

    async fn read(&self, scope: Scope, id: CampaignId) -> Result<TestCampaign, ServiceError> {
        let mut work = self.storage.begin(scope).await?;
        let found = work.campaigns().get(id).await?;
        let campaign = found.ok_or(ServiceError::NotFound { what: "campaign" })?;
        let gone = |what: &str| StorageError::Corrupt {
            table: "campaigns",
            what: format!("campaign {id} names a {what} that is gone"),
        };
        let skillbase = skillbase_of(&mut *work, &campaign).await?;
        let company = work.companies().get(campaign.company_id).await?;
        Ok(TestCampaign {
            skillbase: skillbase.ok_or_else(|| gone("skillbase"))?,
            company: company.ok_or_else(|| gone("company"))?,
            campaign,
        })
    }

    /// Somebody picks up: what is said first.
    pub fn begin(
        &self,
        campaign: &TestCampaign,
        contact: TestContact,
    ) -> Result<TestStep, ServiceError> {
        contact.check()?;
        let called = contact.as_called();
        let place = Place {
            company_id: campaign.campaign.company_id,
            campaign_id: campaign.campaign.id,
            task_id: self.ids.next(),
            attempt_id: self.ids.next(),
        };
        let script = campaign.script(&called);
        let given = Given::default();
        let step = Conversation::begin(place, &script, &given, &self.ids, self.clock.now());
        Ok(TestStep::new(contact, given, step))
    }

    /// The person said something, pressed keys or stayed silent: what is said next.
    ///
    /// The same state leads to the same step, however often it comes. One that does not fit the
    /// campaign is refused, also when the campaign was changed meanwhile.
    pub async fn hear(
        &self,
        campaign: &TestCampaign,
        state: TestConversation,
        heard: Heard,
    ) -> Result<TestStep, ServiceError> {
        let called = state.contact().as_called();
        let script = campaign.script(&called);
        state.check(campaign.campaign.id, campaign.company.id, &script)?;
        let (contact, conversation, answers) = state.into_parts();
        let script = script.spoken_in(conversation.language);
        let heard = heard.cleaned();
        let understood = understand(&*self.interpreter, &conversation, &script, &heard).await;
        let now = self.clock.now();
        let step = conversation.hear(&heard, &understood, &script, &answers, &self.ids, now);
        Ok(TestStep::new(contact, answers, step))
    }
}

impl TestCampaign {
    fn script<'a>(&'a self, contact: &'a Contact) -> Script<'a> {
        Script::new(&self.campaign, &self.skillbase, &self.company.name, contact)
    }
}
