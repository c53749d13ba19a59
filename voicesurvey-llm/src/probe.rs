//! Finds out how a server must be asked, and whether it heeds what it is told.
//!
//! Some servers take a schema and do not hold the model to it. So the schema of the probe allows
//! one intent only, of which the prompt says nothing: whoever answers with it was held to the schema.

use std::sync::Arc;

use chrono::TimeDelta;
use rust_decimal::Decimal;
use serde_json::Value;
use voicesurvey_core::interpretation::{Expected, Intent, Utterance};
use voicesurvey_core::language::Language;
use voicesurvey_core::survey::AnswerValue;

use crate::failure::Failure;
use crate::model::{LanguageModel, Standing};
use crate::settings::SchemaMode;
use crate::{reading, schema};

/// No model says this by itself.
const ODD_INTENT: &str = "answer_7f3a";

/// How many times as long as in a turn the probe waits: the server may have to load the model first.
const PATIENCE: u32 = 10;

/// How long after a look at a server that did not answer somebody looks again.
const LOOKS_AGAIN_AFTER: TimeDelta = TimeDelta::seconds(60);

impl LanguageModel {
    /// Asks a question whose answer is known, in one way after the other until one works, and uses
    /// the model like this from now on. Not to be waited for in a call.
    pub async fn probe(&self) -> Standing {
        let now = self.clock.now();
        self.looked().at = Some(now);
        let standing = match self.settings.schema_mode {
            Some(mode) => Standing::Uses(mode),
            None => self.look().await,
        };
        let before = std::mem::replace(&mut self.looked().standing, standing);
        if before != standing {
            self.tell(standing);
        }
        standing
    }

    /// Probes in the background if it is time: at first, and every minute as long as the server
    /// cannot be reached. Returns at once.
    pub fn probe_in_background(self: &Arc<Self>) {
        if self.is_to_be_probed() {
            let model = self.clone();
            tokio::spawn(async move { model.probe().await });
        }
    }

    /// Whether it is time to probe. Says so once: who asks is the one to do it.
    fn is_to_be_probed(&self) -> bool {
        let now = self.clock.now();
        let mut looked = self.looked();
        let is_due = match looked.standing {
            Standing::Uses(_) => false,
            Standing::Unknown => true,
            Standing::Off(failure) => failure.may_pass(),
        };
        let is_time = looked.at.is_none_or(|at| now - at >= LOOKS_AGAIN_AFTER);
        if is_due && is_time {
            looked.at = Some(now);
        }
        is_due && is_time
    }

    async fn look(&self) -> Standing {
        let mut last = Failure::Off;
        for mode in SchemaMode::ALL {
            match self.works_with(mode).await {
                Ok(()) => return Standing::Uses(mode),
                Err(failure) => last = failure,
            }
            if last.is_about_the_server() {
                break;
            }
        }
        Standing::Off(last)
    }

    async fn works_with(&self, mode: SchemaMode) -> Result<(), Failure> {
        let utterance = known_answer();
        let within = self.settings.deadline * PATIENCE;
        let intents: &[&str] = if mode.binds() {
            &[ODD_INTENT]
        } else {
            &schema::INTENTS
        };
        let schema = schema::with_intents(intents);
        let reply = self.ask(mode, &utterance, &schema, within).await?;
        if mode.binds() {
            let written: Value =
                serde_json::from_str(&reply.content).map_err(|_| Failure::Unreadable)?;
            let is_bound = written["intent"] == ODD_INTENT;
            return is_bound.then_some(()).ok_or(Failure::OutOfSchema);
        }
        let (intent, _) = reading::read(&reply.content, mode, &utterance)?;
        let four = AnswerValue::Number(Decimal::from(4));
        if intent == (Intent::Answer { value: four }) {
            Ok(())
        } else {
            Err(Failure::Impossible)
        }
    }

    fn tell(&self, standing: Standing) {
        let model = &self.settings.model;
        match standing {
            Standing::Uses(mode) => {
                tracing::info!(model, mode = mode.name(), "the language model is in use");
            }
            Standing::Off(failure) => tracing::warn!(
                model,
                %failure,
                "the language model is not in use: interviews are understood by rules alone"
            ),
            Standing::Unknown => {}
        }
    }
}

fn known_answer() -> Utterance {
    Utterance {
        language: Language::It,
        expected: Expected::Scale {
            min: 1,
            max: 5,
            labels: Vec::new(),
        },
        words: "quattro".to_owned(),
        question: "Da uno a cinque, quanto è soddisfatto del servizio?".to_owned(),
    }
}
