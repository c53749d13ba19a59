//! Whatever is said, pressed, misheard or cut off: what every conversation keeps to.

mod inputs;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use voicesurvey_core::conversation::{
    Answer, AnswerResult, Conversation, Given, Heard, Place, Position, Script, Step, Then,
    Understood, keypad,
};
use voicesurvey_core::id::IdGenerator;
use voicesurvey_core::interpretation::rules::RulesInterpreter;
use voicesurvey_core::interpretation::{Intent, InterpretedBy, Utterance};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::survey::{Question, SurveyTranslation};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::{Clock, ManualClock};

use self::inputs::Event;

/// A person who is called again whenever the line drops, and everything that is stored of it.
struct World {
    campaign: voicesurvey_core::campaign::Campaign,
    skillbase: voicesurvey_core::skillbase::Skillbase,
    contact: voicesurvey_core::call_list::Contact,
    clock: Arc<ManualClock>,
    ids: IdGenerator,
    place: Place,
    /// As a store keeps them: one for each question.
    answers: BTreeMap<String, Answer>,
    conversation: Option<Conversation>,
    has_consented: bool,
}

impl World {
    fn new(questions: Vec<Question>) -> Self {
        let company = samples::company();
        let skillbase = samples::skillbase(&company);
        let mut campaign = samples::campaign(&company);
        campaign.settings.language = Language::It;
        campaign.settings.survey.questions = questions;
        let english = SurveyTranslation {
            intro_script: "May we ask?".to_owned(),
            ..SurveyTranslation::default()
        };
        campaign.settings.survey.translations = [(Language::En, english)].into();
        let clock = Arc::new(ManualClock::new(samples::now()));
        let ids = IdGenerator::from_seed(clock.clone(), 1);
        let task = samples::task(&campaign, "+393471234567");
        let place = Place {
            company_id: company.id,
            campaign_id: campaign.id,
            task_id: task.id,
            attempt_id: ids.next(),
        };
        Self {
            campaign,
            skillbase,
            contact: samples::contact(samples::phone_number(1)),
            clock,
            ids,
            place,
            answers: BTreeMap::new(),
            conversation: None,
            has_consented: false,
        }
        .called()
    }

    fn script(&self) -> Script<'_> {
        Script::new(&self.campaign, &self.skillbase, "Rossi", &self.contact)
    }

    fn given(&self) -> Given {
        let answers: Vec<Answer> = self.answers.values().cloned().collect();
        Given::of(&answers, self.place.attempt_id)
    }

    /// The person is called and picks up.
    fn called(mut self) -> Self {
        self.place.attempt_id = self.ids.next();
        self.has_consented = false;
        let now = self.clock.now();
        let step = Conversation::begin(self.place, &self.script(), &self.given(), &self.ids, now);
        let reply = &step.conversation.last_reply;
        assert!(reply.firm >= 3 && usize::from(reply.firm) < reply.say.len());
        assert!(matches!(
            step.conversation.position,
            Position::Consent { .. }
        ));
        self.conversation = Some(step.conversation);
        self
    }

    fn at_hand(&self) -> &Conversation {
        self.conversation.as_ref().unwrap()
    }

    fn is_over(&self) -> bool {
        self.at_hand().position == Position::Ended
    }

    /// What `event` is heard and understood as.
    fn perceived(&self, event: &Event) -> (Heard, Understood) {
        let script = self.script();
        let conversation = self.at_hand();
        let expected = conversation.expected(&script);
        let speech = |words: &str| Heard::Speech {
            words: words.to_owned(),
            confidence: None,
        };
        let mut understood = Understood::default();
        let heard = match event {
            Event::Says(words) => {
                understood.here = expected.map(|expected| {
                    RulesInterpreter::new().interpret(&Utterance {
                        language: conversation.language,
                        expected,
                        words: words.clone(),
                        question: String::new(),
                    })
                });
                speech(words)
            }
            Event::Presses(keys) => {
                understood.here = expected.map(|expected| keypad::interpret(keys, &expected));
                Heard::Keys { keys: keys.clone() }
            }
            Event::IsTakenFor(here, elsewhere) => {
                understood.here = Some(here.clone());
                understood.elsewhere.clone_from(elsewhere);
                speech("parole")
            }
            Event::Silence | Event::Drops | Event::Waits(_) => Heard::Silence,
        };
        (heard, understood)
    }

    fn take(mut self, event: &Event) -> Self {
        match event {
            Event::Drops => return self.called(),
            Event::Waits(seconds) => self.clock.advance(chrono::TimeDelta::seconds(*seconds)),
            _ => self.clock.advance(chrono::TimeDelta::seconds(3)),
        }
        let (heard, understood) = self.perceived(event);
        let before = self.at_hand().clone();
        let now = self.clock.now();
        let step = before.clone().hear(
            &heard,
            &understood,
            &self.script(),
            &self.given(),
            &self.ids,
            now,
        );
        self.check(&before, &understood, &step);
        if let Some(answer) = step.answer {
            self.answers.insert(answer.question_key.clone(), answer);
        }
        self.has_consented |= step.consent.is_some_and(|consent| consent.given);
        self.conversation = Some(step.conversation);
        self
    }

    fn check(&self, before: &Conversation, understood: &Understood, step: &Step) {
        let script = self.script();
        let after = &step.conversation;
        assert!(after.step <= script.most_replies(), "it does not end");
        if before.position == Position::Ended {
            let is_stored = step.answer.is_some() || step.consent.is_some();
            assert!(!is_stored && step.turns.is_empty() && after == before);
            return;
        }
        assert_eq!(
            after.step,
            before.step + 1,
            "one reply to whatever is heard"
        );
        assert_eq!(step.conclusion.is_some(), after.position == Position::Ended);
        assert_eq!(
            step.conclusion.is_some(),
            after.last_reply.then == Then::HangUp
        );
        if is_opt_out(before, understood) {
            assert_eq!(after.outcome, Some(Outcome::OptedOut));
        }
        let elapsed = (self.clock.now() - before.started_at).to_std().unwrap();
        if elapsed > script.skillbase().longest_call {
            assert_eq!(after.position, Position::Ended, "something more was asked");
        }
        let consents_now = step.consent.as_ref().is_some_and(|consent| consent.given);
        if let Some(consent) = &step.consent {
            assert!(!consent.given || consent.interpreted_by != InterpretedBy::LanguageModel);
            assert_eq!(consent.language, before.language);
        }
        let mut given = self.given();
        if let Some(answer) = &step.answer {
            assert!(self.has_consented, "an answer before consent");
            self.check_answer(answer, before, &given);
            given.put(&answer.question_key, answer.result.clone());
        }
        let is_later = matches!(
            after.outcome,
            Some(Outcome::CallBackRequested | Outcome::Interrupted)
        );
        if let Some(at) = after.memory.appointment.filter(|_| is_later) {
            assert!(at > before.started_at, "it lies in the past");
        }
        self.check_asked(before, after, &given, consents_now);
    }

    fn check_answer(&self, answer: &Answer, before: &Conversation, given: &Given) {
        let questions = &self.campaign.settings.survey.questions;
        let index = index(before.position).unwrap();
        let question = &questions[usize::from(index)];
        assert_eq!(question.key, answer.question_key);
        if let AnswerResult::Answered { value } = &answer.result {
            assert!(question.kind.accepts(value), "{value:?}");
        }
        let held = question.show_if.as_ref();
        assert!(held.is_none_or(|condition| condition.holds(given)));
        let settled = self.answers.get(&question.key).filter(|earlier| {
            earlier.doubt.is_none() && earlier.result != AnswerResult::NotUnderstood
        });
        assert_eq!(settled, None, "a settled answer was replaced by {answer:?}");
    }

    fn check_asked(
        &self,
        before: &Conversation,
        after: &Conversation,
        given: &Given,
        consents_now: bool,
    ) {
        let questions = &self.campaign.settings.survey.questions;
        if let Some(asked) = index(after.position) {
            assert!(
                self.has_consented || consents_now,
                "a question before consent"
            );
            if index(before.position) != Some(asked) {
                let question = &questions[usize::from(asked)];
                assert_eq!(given.get(&question.key), None, "it was asked before");
                let shown = question.show_if.as_ref();
                assert!(shown.is_none_or(|condition| condition.holds(given)));
            }
        }
        if after.outcome == Some(Outcome::Completed) {
            let left = questions.iter().find(|question| {
                let shown = question.show_if.as_ref();
                given.get(&question.key).is_none()
                    && shown.is_none_or(|condition| condition.holds(given))
            });
            assert_eq!(left, None, "it is not complete");
        }
    }
}

fn index(position: Position) -> Option<u16> {
    match position {
        Position::Question { index, .. } | Position::Confirm { index, .. } => Some(index),
        Position::Consent { .. } | Position::Appointment { .. } | Position::Ended => None,
    }
}

fn is_opt_out(before: &Conversation, understood: &Understood) -> bool {
    let here = understood.here.as_ref();
    let elsewhere = understood.elsewhere.as_ref().filter(|(language, _)| {
        *language != before.language && [Language::It, Language::En].contains(language)
    });
    here.into_iter()
        .chain(elsewhere.map(|(_, meant)| meant))
        .any(|meant| meant.intent == Intent::OptOut)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_conversation_keeps_its_promises_and_ends(
        questions in inputs::questions(),
        begins_with_yes in any::<bool>(),
        events in prop::collection::vec(inputs::event(), 0..60),
    ) {
        let mut world = World::new(questions);
        if begins_with_yes {
            world = world.take(&Event::Presses("1".to_owned()));
        }
        for event in &events {
            world = world.take(event);
        }
        let most = world.script().most_replies();
        for _ in 0..most {
            world = world.take(&Event::Silence);
        }
        prop_assert!(world.is_over());
    }
}
