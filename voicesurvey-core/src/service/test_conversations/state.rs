//! How far a test conversation has come. It was in foreign hands, so everything that the machine
//! relies on is checked before it is taken up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::{FieldError, ServiceError};
use super::super::validation;
use crate::blank::trimmed;
use crate::call_list::{Contact, clean};
use crate::conversation::{Conversation, Given, Position, Script, Then, VoiceReply};
use crate::id::{CampaignId, CompanyId};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::survey::Question;

/// The most that the columns of a contact hold together, in bytes.
const LARGEST_CONTACT: usize = 16 << 10;

/// Who is called in a test: as much of a contact as is ever spoken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestContact {
    /// What to call the person; may be empty.
    pub name: String,
    /// The language to be spoken; absent means the campaign's.
    pub language: Option<Language>,
    /// Further columns of the list, for `{{column}}`.
    pub columns: BTreeMap<String, String>,
}

impl TestContact {
    /// Refuses a contact with which no state would come back.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        let columns = self.columns.iter();
        let columns = columns.map(|(column, value)| column.len() + value.len());
        let mut errors = Vec::new();
        let message = || format!("use at most {LARGEST_CONTACT} bytes");
        if self.name.len() > LARGEST_CONTACT {
            errors.push(FieldError::new("contact.name", message()));
        }
        if columns.sum::<usize>() > LARGEST_CONTACT {
            errors.push(FieldError::new("contact.columns", message()));
        }
        validation::finish(errors)
    }

    /// The contact as a call list gives it. Nobody has the number; hours and zone are those of the
    /// campaign.
    pub(super) fn as_called(&self) -> Contact {
        let columns = self.columns.iter();
        Contact {
            phone_number: PhoneNumber::NOBODYS,
            name: clean(trimmed(&self.name)),
            language: self.language,
            time_zones: Vec::new(),
            priority: 0,
            extra: columns
                .map(|(column, value)| (clean(column), clean(value)))
                .collect(),
        }
    }
}

/// How far a test conversation has come: what a call has in the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestConversation {
    contact: TestContact,
    conversation: Conversation,
    answers: Given,
}

impl TestConversation {
    /// The largest state that is taken back, as JSON, in bytes.
    pub const LARGEST_BYTES: usize = 64 << 10;

    /// After a step. What was said last is left out: it is long, and never said again.
    pub(super) fn after(contact: TestContact, conversation: &Conversation, answers: Given) -> Self {
        let last_reply = VoiceReply {
            language: conversation.language,
            voice: None,
            say: Vec::new(),
            firm: 0,
            then: Then::HangUp,
        };
        let conversation = Conversation {
            last_reply,
            ..conversation.clone()
        };
        Self {
            contact,
            conversation,
            answers,
        }
    }

    /// Reads a state that has come back. Whether it fits the campaign is known later.
    pub fn read(state: &Value) -> Result<Self, FieldError> {
        if !state.is_object() {
            return Err(FieldError::new("state", "must be an object"));
        }
        if state.to_string().len() > Self::LARGEST_BYTES {
            let most = Self::LARGEST_BYTES >> 10;
            let message = format!("is larger than {most} KiB: begin another conversation");
            return Err(FieldError::new("state", message));
        }
        Self::deserialize(state).map_err(|error| {
            let message = format!("send it as it came with the last answer: {error}");
            FieldError::new("state", message)
        })
    }

    /// Who is called.
    pub(super) const fn contact(&self) -> &TestContact {
        &self.contact
    }

    pub(super) fn into_parts(self) -> (TestContact, Conversation, Given) {
        (self.contact, self.conversation, self.answers)
    }

    /// The outcome of a call that the person ends here.
    pub const fn broken_off(&self) -> Outcome {
        self.conversation.broken_off()
    }

    /// Names everything that does not fit the campaign.
    pub(super) fn check(
        &self,
        campaign_id: CampaignId,
        company_id: CompanyId,
        script: &Script<'_>,
    ) -> Result<(), ServiceError> {
        let held = &self.conversation;
        if (held.campaign_id, held.company_id) != (campaign_id, company_id) {
            // Whatever else does not fit follows from it.
            let field = "state.conversation.campaign_id";
            return Err(ServiceError::invalid(field, "is of another campaign"));
        }
        let mut errors = Vec::new();
        self.check_position(script, &mut errors);
        let mut wrong = |field: &str, message: &str| {
            errors.push(FieldError::new(format!("state.{field}"), message));
        };
        if !script.offers(held.language) {
            wrong("conversation.language", "the campaign is not held in it");
        }
        // Each step leads to two turns, what was heard and what is said.
        let most = script.most_replies();
        if held.step > most {
            wrong("conversation.step", "no conversation has so many");
        }
        if held.turns > most.saturating_mul(2) {
            wrong("conversation.turns", "no conversation has so many");
        }
        for (key, result) in self.answers.iter() {
            let questions = script.questions();
            match questions.iter().find(|question| question.key == key) {
                None => wrong(&format!("answers.{key}"), "there is no such question"),
                Some(question) => {
                    let value = result.value();
                    if value.is_some_and(|value| !question.kind.accepts(value)) {
                        let message = "the question does not accept it";
                        wrong(&format!("answers.{key}"), message);
                    }
                }
            }
        }
        validation::finish(errors)
    }

    fn check_position(&self, script: &Script<'_>, errors: &mut Vec<FieldError>) {
        let held = &self.conversation;
        let mut wrong = |field: &str, message: &str| {
            errors.push(FieldError::new(
                format!("state.conversation.{field}"),
                message,
            ));
        };
        if held.position == Position::Ended || held.outcome.is_some() {
            wrong("position", "the conversation is over: begin another");
        }
        if usize::from(held.position.answered()) > script.questions().len() {
            wrong("position.answered", "there are not so many questions");
        }
        let (Position::Question { index, .. } | Position::Confirm { index, .. }) = held.position
        else {
            return;
        };
        match script.questions().get(usize::from(index)) {
            None => wrong("position.index", "there is no such question"),
            Some(question) if !self.confirms(question) => {
                wrong("memory.pending", "the question does not accept it");
            }
            Some(_) => {}
        }
    }

    /// Whether a value that waits for a yes is one that the question accepts.
    fn confirms(&self, question: &Question) -> bool {
        let pending = self.conversation.memory.pending.as_ref();
        match self.conversation.position {
            Position::Confirm { .. } => {
                pending.is_some_and(|pending| question.kind.accepts(&pending.value))
            }
            _ => true,
        }
    }
}
