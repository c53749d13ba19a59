//! When a language model is asked besides the rules, and which of the two is followed.
//!
//! Pure, so that what a model may decide can be tested without one. A model may always take
//! somebody off the list. Otherwise it only fills in what the rules did not understand: no value
//! that was not said, no wish of which it is not sure, and its yes to the interview is marked as
//! its own, so that the person is asked once more.

use super::rules::{self, values};
use super::{Confidence, Expected, Intent, Interpretation, InterpretedBy, OtherReading, Utterance};

/// From here on the rules are sure, in hundredths.
const SURE: u8 = 85;
/// How sure a model must be to end or move a call, in hundredths.
const HIGH: u8 = 80;
/// The most that a value is worth that was not said in so many words, in hundredths.
const NOT_IN_THE_WORDS: u8 = 50;

/// Whether a model is to be asked what the utterance means.
///
/// A wish to end the call is not discussed, and neither is what the rules are sure of. Any text
/// answers an open question, so there a model is asked only if calls are mentioned: it may be an
/// opt-out.
pub fn is_wanted(rules: &Interpretation, utterance: &Utterance) -> bool {
    if matches!(
        rules.intent,
        Intent::OptOut | Intent::Stop | Intent::WrongPerson
    ) {
        return false;
    }
    if utterance.expected == Expected::FreeText {
        return rules::mentions_calling(utterance.language, &utterance.words);
    }
    rules.intent == Intent::Unclear || rules.confidence.hundredths() < SURE
}

/// What both readings together come to.
pub fn combine(
    rules: Interpretation,
    model: Interpretation,
    utterance: &Utterance,
) -> Interpretation {
    let is_about_leaving = matches!(
        rules.intent,
        Intent::OptOut | Intent::Stop | Intent::WrongPerson
    );
    match (&rules.intent, &model.intent) {
        (Intent::OptOut, _) | (_, Intent::Unclear) => rules,
        (_, Intent::OptOut) => model,
        _ if is_about_leaving || utterance.expected == Expected::FreeText => rules,
        (Intent::Unclear, _) => alone(model, utterance).unwrap_or(rules),
        (ours, theirs) if ours == theirs => Interpretation {
            confidence: rules.confidence.max(model.confidence),
            ..rules
        },
        _ => Interpretation {
            other: Some(OtherReading {
                intent: model.intent,
                confidence: model.confidence,
                by: model.by,
            }),
            ..rules
        },
    }
}

/// What is left of a model's reading where the rules understood nothing.
fn alone(model: Interpretation, utterance: &Utterance) -> Option<Interpretation> {
    let Interpretation {
        intent, confidence, ..
    } = model;
    let confidence = match &intent {
        Intent::Answer { value } => {
            let said = values::is_said(utterance, value)?;
            let most = if said { 100 } else { NOT_IN_THE_WORDS };
            confidence.min(Confidence::from_hundredths(most))
        }
        Intent::OutOfRange { value } => {
            values::is_out_of_range(utterance, *value).then_some(confidence)?
        }
        Intent::Ambiguous { candidates } => {
            values::are_possible(&utterance.expected, candidates).then_some(confidence)?
        }
        Intent::Stop | Intent::WrongPerson | Intent::CallBack => {
            (confidence.hundredths() >= HIGH).then_some(confidence)?
        }
        _ => confidence,
    };
    Some(Interpretation::new(
        intent,
        confidence,
        InterpretedBy::LanguageModel,
    ))
}

#[cfg(test)]
mod tests;
