//! The rules, and a model where they are unsure.

use std::sync::Arc;

use async_trait::async_trait;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{
    AnswerInterpreter, Interpretation, Utterance, second_opinion,
};

use crate::model::LanguageModel;

/// Understands by rules, and asks a model for a second opinion where they are unsure.
///
/// What the two say together is decided by [`second_opinion`]. Without a model that answers in time
/// it understands what the rules understand.
#[derive(Clone, Debug)]
pub struct AssistedInterpreter {
    rules: RulesInterpreter,
    model: Arc<LanguageModel>,
}

impl AssistedInterpreter {
    /// Rules with that model beside them.
    pub const fn new(model: Arc<LanguageModel>) -> Self {
        Self {
            rules: RulesInterpreter::new(),
            model,
        }
    }
}

#[async_trait]
impl AnswerInterpreter for AssistedInterpreter {
    async fn interpret(&self, utterance: &Utterance) -> Interpretation {
        let rules = self.rules.interpret(utterance);
        let is_silent = utterance.words.trim().is_empty();
        if is_silent || !second_opinion::is_wanted(&rules, utterance) {
            return rules;
        }
        self.model.probe_in_background();
        let model = match self.model.classify(utterance).await {
            Ok(reading) => reading,
            Err(failure) => {
                tracing::debug!(%failure, rules = rules.intent.name(), "the rules decide alone");
                return rules;
            }
        };
        let (ours, theirs) = (rules.intent.name(), model.intent.name());
        let followed = second_opinion::combine(rules, model, utterance);
        tracing::debug!(
            rules = ours,
            model = theirs,
            followed = followed.intent.name(),
            by = followed.by.name(),
            is_disputed = followed.other.is_some(),
            "the language model gave its opinion"
        );
        followed
    }
}
