//! Before consent: only an unmistakable yes starts the interview.

use super::super::Position;
use super::Heard;
use super::caps::{CONSENT_MISSES, CONSENT_SILENCES, SURE_ENOUGH};
use super::taker::StepTaker;
use crate::interpretation::{Intent, Interpretation, InterpretedBy};
use crate::outcome::Outcome;
use crate::survey::AnswerValue::YesNo;

impl StepTaker<'_> {
    pub(super) fn hear_consent(&mut self, tries: u8, heard: &Heard, meant: &Interpretation) {
        match &meant.intent {
            Intent::Answer { value: YesNo(true) } if meant.confidence >= SURE_ENOUGH => {
                self.hear_yes(tries, heard, meant);
            }
            Intent::Answer {
                value: YesNo(false),
            }
            | Intent::Stop
            | Intent::Skip => self.refuse(meant),
            intent => {
                if !self.take_aside(intent) {
                    self.miss_consent(tries);
                }
            }
        }
    }

    /// A yes. What only a language model has taken for one, or the recogniser has hardly heard, is
    /// confirmed first, and then by words that are heard and that the rules understand, or by a key.
    fn hear_yes(&mut self, tries: u8, heard: &Heard, meant: &Interpretation) {
        let is_doubtful = meant.by == InterpretedBy::LanguageModel || heard.is_hardly_heard();
        if !is_doubtful {
            self.conversation.memory.confirming_consent = false;
            self.record_consent(true, meant);
            self.ask(0, 0, Vec::new());
        } else if self.conversation.memory.confirming_consent {
            self.miss_consent(tries);
        } else {
            self.conversation.memory.confirming_consent = true;
            self.go_on(vec![self.script.lines().confirm_consent.clone()], 0);
        }
    }

    /// A no. Who has answered something in an earlier call does not take that back.
    pub(super) fn refuse(&mut self, meant: &Interpretation) {
        self.record_consent(false, meant);
        let outcome = if self.conversation.has_answers() {
            Outcome::Partial
        } else {
            Outcome::Refused
        };
        self.end(&self.script.lines().goodbye_refused, outcome);
    }

    fn miss_consent(&mut self, tries: u8) {
        let lines = self.script.lines();
        let silences = self.conversation.memory.silences;
        // Nobody said yes: nobody is interviewed.
        if tries >= CONSENT_MISSES || silences >= CONSENT_SILENCES {
            self.end(&lines.goodbye, Outcome::HungUpBeforeConsent);
            return;
        }
        self.conversation.position = Position::Consent { tries: tries + 1 };
        let lead = if silences > 0 {
            &lines.not_heard
        } else {
            &lines.not_understood
        };
        let mut say = vec![lead.clone()];
        let resumed = self.conversation.is_resumption();
        say.extend(self.script.consent(resumed).pop());
        say.push(lines.say_yes_or_no.clone());
        self.go_on(say, 0);
    }
}
