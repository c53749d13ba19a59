//! Who understands what people say: the rules, and a language model if the configuration has one.

use std::sync::Arc;

use voicesurvey_core::interpretation::AnswerInterpreter;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::time::Clock;
use voicesurvey_llm::{AssistedInterpreter, LanguageModel, ModelError};

use crate::config::LlmConfig;

/// The language model of the configuration, which nobody has asked yet; `None` if there is none.
pub fn language_model(
    config: &LlmConfig,
    clock: Arc<dyn Clock>,
) -> Result<Option<Arc<LanguageModel>>, ModelError> {
    let settings = config.settings();
    let model = settings.map(|settings| LanguageModel::new(settings, clock));
    Ok(model.transpose()?.map(Arc::new))
}

/// The interpreter for a server. A model is probed in the background, so that a server starts
/// without it; until the probe is done interviews are understood by rules.
pub fn from_config(
    config: &LlmConfig,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn AnswerInterpreter>, ModelError> {
    Ok(match language_model(config, clock)? {
        None => Arc::new(RulesInterpreter::new()),
        Some(model) => {
            model.probe_in_background();
            Arc::new(AssistedInterpreter::new(model))
        }
    })
}
