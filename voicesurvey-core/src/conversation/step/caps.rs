//! What bounds a conversation: how often something is asked, and how sure it must be understood.

use super::super::Script;
use crate::interpretation::Confidence;

/// How often consent is asked for again when no yes or no was understood.
pub(super) const CONSENT_MISSES: u8 = 2;
/// After so many silences in a row before consent nobody is there.
pub(super) const CONSENT_SILENCES: u8 = 2;
/// How often, per question, something else than an answer is gone into: to hear it again, to know
/// who is calling, a value that is read back.
pub(super) const ASIDES: u8 = 5;
/// How often the time of another call is asked for again.
pub(super) const APPOINTMENT_MISSES: u8 = 1;
/// How often the language changes in one call.
pub(super) const SWITCHES: usize = 2;
/// A yes to the consent question counts from this confidence on; a no always counts.
pub(super) const SURE_ENOUGH: Confidence = Confidence::from_hundredths(75);
/// What is understood that well in the language spoken, to the last word, was not said in another one.
pub(super) const SURELY_HERE: Confidence = Confidence::from_hundredths(95);
/// A number or an option that is less sure is read back.
pub(super) const READ_BACK_BELOW: Confidence = Confidence::from_hundredths(70);
/// So is one that the recogniser itself hardly heard, and a yes to the consent question.
pub(super) const HARDLY_HEARD_BELOW: Confidence = Confidence::from_hundredths(45);

/// Replies outside the questions: the opening, what may follow it before consent is given or not,
/// changes of language, the time of another call, and the goodbye.
const OUTSIDE_QUESTIONS: u32 = 12;

impl Script<'_> {
    /// The most replies of a conversation, the goodbye included. It is left politely then, whatever
    /// was heard.
    pub fn most_replies(&self) -> u32 {
        let of_questions = self
            .questions()
            .iter()
            .map(|question| u32::from(question.retries) + u32::from(ASIDES) + 2);
        OUTSIDE_QUESTIONS + of_questions.sum::<u32>()
    }
}
