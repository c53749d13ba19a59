//! Words and records: what one step says, and what it leaves behind.

use rust_decimal::Decimal;

use super::super::script::first_word;
use super::super::{
    Answer, AnswerResult, Consent, Listen, Position, Speaker, Then, Turn, VoiceReply,
};
use super::Heard;
use super::taker::StepTaker;
use crate::interpretation::{Confidence, Expected, Intent, Interpretation};
use crate::survey::{AnswerValue, ChoiceOption, Question, ScaleLabel};

impl StepTaker<'_> {
    /// What is said when a question was missed for the first time (`misses` = 0) or again: what was
    /// wrong, the question, and what can be said. Who is not understood twice is asked for keys.
    pub(super) fn after_miss(
        &self,
        question: &Question,
        misses: u8,
        silent: bool,
        intent: &Intent,
    ) -> Vec<String> {
        let lines = self.script.lines();
        let which_one = match intent {
            Intent::Ambiguous { candidates } => self.which_one(question, candidates),
            _ => None,
        };
        let asks_which = which_one.is_some();
        let mut say = which_one.map_or_else(
            || {
                let out_of_range = match intent {
                    Intent::OutOfRange { .. } => self.out_of_range(question),
                    _ => None,
                };
                let lead = match out_of_range {
                    Some(line) => line,
                    None if silent => lines.not_heard.clone(),
                    None => lines.not_understood.clone(),
                };
                vec![lead, self.script.question(question)]
            },
            |which_one| vec![which_one],
        );
        if misses > 0 {
            say.extend(self.keys(question));
        } else if !asks_which {
            say.extend(self.explanation(question));
        }
        say
    }

    /// Which of two answers was meant.
    fn which_one(&self, question: &Question, candidates: &[String]) -> Option<String> {
        let [a, b] = candidates else { return None };
        let spoken = |candidate: &String| {
            let key = AnswerValue::Choice(candidate.clone());
            self.script.spoken(question, &key)
        };
        let line = &self.script.lines().which_one;
        let asks = line.replace("{a}", &spoken(a));
        Some(asks.replace("{b}", &spoken(b)))
    }

    fn out_of_range(&self, question: &Question) -> Option<String> {
        let (min, max) = bounds(&self.script.expected(question))?;
        Some(between(&self.script.lines().out_of_range, min, max))
    }

    /// What can be said to a question, with an example, for the second time it is asked.
    fn explanation(&self, question: &Question) -> Vec<String> {
        let lines = self.script.lines();
        let expected = self.script.expected(question);
        match &expected {
            Expected::YesNo => vec![lines.say_yes_or_no.clone()],
            Expected::Scale { min, max, labels } => {
                let how = match (label(labels, *min), label(labels, *max)) {
                    (Some(low), Some(high)) => lines
                        .say_a_mark
                        .replace("{min_label}", low)
                        .replace("{max_label}", high),
                    _ => lines.say_a_number.clone(),
                };
                let (min, max) = (Decimal::from(*min), Decimal::from(*max));
                [Some(between(&how, min, max)), self.example(min, max)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Expected::Number { .. } => match bounds(&expected) {
                Some((min, max)) => {
                    let how = between(&lines.say_a_number, min, max);
                    [Some(how), self.example(min, max)]
                        .into_iter()
                        .flatten()
                        .collect()
                }
                None => vec![lines.say_any_number.clone()],
            },
            Expected::Choice { options } => {
                let options = self.each_option(options, &lines.option_or_key, "; ");
                vec![lines.say_an_option.replace("{options}", &options)]
            }
            Expected::FreeText => {
                let skip = (!question.required).then(|| lines.skip_key.clone());
                std::iter::once(lines.say_freely.clone())
                    .chain(skip)
                    .collect()
            }
            Expected::Consent | Expected::Confirm { .. } | Expected::CallBackTime => Vec::new(),
        }
    }

    /// A whole number from the middle, so that it suggests neither end.
    fn example(&self, min: Decimal, max: Decimal) -> Option<String> {
        let middle = (min.checked_add(max)? / Decimal::TWO).floor();
        (middle >= min).then(|| {
            let line = &self.script.lines().example;
            line.replace("{example}", &middle.normalize().to_string())
        })
    }

    /// Which keys answer a question or leave it out, when words have failed twice.
    fn keys(&self, question: &Question) -> Vec<String> {
        let lines = self.script.lines();
        let expected = self.script.expected(question);
        let is_open = expected == Expected::FreeText;
        let mut say = match expected {
            Expected::YesNo => vec![lines.use_keys_yes_or_no.clone()],
            // There is no key for a minus.
            Expected::Scale { min, .. } if min < 0 => self.explanation(question),
            Expected::Number { min, .. } if min.is_some_and(|min| min < Decimal::ZERO) => {
                self.explanation(question)
            }
            Expected::Scale { .. } | Expected::Number { .. } => vec![lines.use_keys_number.clone()],
            Expected::Choice { options } => {
                let keys = self.each_option(&options, &lines.use_keys_option, ". ");
                vec![format!("{keys}.")]
            }
            Expected::FreeText => self.explanation(question),
            Expected::Consent | Expected::Confirm { .. } | Expected::CallBackTime => Vec::new(),
        };
        if !question.required && !is_open {
            say.push(lines.skip_key.clone());
        }
        say
    }

    /// A line for every option, with its word and its key.
    fn each_option(&self, options: &[ChoiceOption], line: &str, between: &str) -> String {
        let lines = self.script.lines();
        let each = options.iter().enumerate().map(|(index, option)| {
            let line = line.replace("{key}", &lines.keys(index + 1));
            line.replace("{option}", first_word(option))
        });
        each.collect::<Vec<_>>().join(between)
    }

    /// Keeps the record of consent given or refused in this step, with the words that were answered.
    pub(super) fn record_consent(&mut self, given: bool, meant: &Interpretation) {
        let resumed = self.conversation.is_resumption();
        self.consent = Some(Consent {
            attempt_id: self.conversation.attempt_id,
            company_id: self.conversation.company_id,
            task_id: self.conversation.task_id,
            given,
            text: self.asked_in.opening(resumed).say.join(" "),
            language: self.asked_in.language(),
            turn_id: self.person_turn(),
            at: self.now,
            text_version: self.asked_in.version(resumed),
            interpreted_by: meant.by,
        });
    }

    /// The record of what became of a question in this step. It counts for the conditions of those
    /// that follow.
    pub(super) fn record_answer(
        &mut self,
        question: &Question,
        result: AnswerResult,
        repeats: u8,
        meant: &Interpretation,
    ) -> Answer {
        self.given.put(&question.key, result.clone());
        Answer {
            id: self.ids.next(),
            company_id: self.conversation.company_id,
            campaign_id: self.conversation.campaign_id,
            task_id: self.conversation.task_id,
            attempt_id: self.conversation.attempt_id,
            question_key: question.key.clone(),
            result,
            words: self
                .turns
                .first()
                .map(|turn| turn.words.clone())
                .unwrap_or_default(),
            confidence: meant.confidence,
            interpreted_by: meant.by,
            repeats,
            turn_id: self.person_turn(),
            at: self.now,
            doubt: None,
            revision: 0,
            reviewed_at: None,
            reviewed_by: None,
        }
    }

    /// The turn in which the person spoke: the first of the step.
    fn person_turn(&self) -> crate::id::TurnId {
        self.turns
            .first()
            .map_or_else(|| self.ids.next(), |turn| turn.id)
    }

    /// Records what the person said: the first turn of the step.
    pub(super) fn record_person(&mut self, heard: &Heard, interpretation: Option<Interpretation>) {
        let (words, heard_with) = match heard {
            Heard::Speech { words, confidence } => (words.clone(), *confidence),
            Heard::Keys { keys } => (keys.clone(), None),
            Heard::Silence => (String::new(), None),
        };
        self.record(Speaker::Person, words, heard_with, interpretation);
    }

    /// Says something and listens. Speech does not interrupt the first `firm` sentences.
    pub(super) fn say_and_listen(&mut self, say: Vec<String>, firm: u16) {
        let expected = self
            .conversation
            .expected(&self.script)
            .unwrap_or(Expected::FreeText);
        let step = self.conversation.step + 1;
        let listen = Listen::for_answer(step, expected, self.conversation.language);
        self.say(say, firm, Then::Listen(listen));
    }

    /// Says something.
    pub(super) fn say(&mut self, say: Vec<String>, firm: u16, then: Then) {
        self.record(Speaker::Agent, say.join(" "), None, None);
        self.conversation.step += 1;
        self.conversation.last_reply = VoiceReply {
            language: self.script.language(),
            voice: self.script.voice(),
            say,
            firm,
            then,
        };
    }

    fn record(
        &mut self,
        speaker: Speaker,
        words: String,
        heard_with: Option<Confidence>,
        interpretation: Option<Interpretation>,
    ) {
        let question_key = match self.conversation.position {
            Position::Question { index, .. } | Position::Confirm { index, .. } => self
                .script
                .questions()
                .get(usize::from(index))
                .map(|question| question.key.clone()),
            Position::Consent { .. } | Position::Appointment { .. } | Position::Ended => None,
        };
        self.conversation.turns += 1;
        self.turns.push(Turn {
            id: self.ids.next(),
            company_id: self.conversation.company_id,
            attempt_id: self.conversation.attempt_id,
            sequence: self.conversation.turns,
            speaker,
            words,
            heard_with,
            interpretation,
            question_key,
            at: self.now,
        });
    }
}

/// The ends of a range, if it has both.
fn bounds(expected: &Expected) -> Option<(Decimal, Decimal)> {
    match expected {
        Expected::Scale { min, max, .. } => Some((Decimal::from(*min), Decimal::from(*max))),
        Expected::Number { min, max, .. } => Some(((*min)?, (*max)?)),
        _ => None,
    }
}

fn between(line: &str, min: Decimal, max: Decimal) -> String {
    let [min, max] = [min, max].map(|bound| bound.normalize().to_string());
    line.replace("{min}", &min).replace("{max}", &max)
}

/// What a mark is called first.
fn label(labels: &[ScaleLabel], mark: i64) -> Option<&str> {
    let label = labels.iter().find(|label| label.value == mark)?;
    label.say.first().map(String::as_str)
}
