//! Dialogues as a person would hear them, and the rules they must not lose.

mod appointments;
mod caps;
mod confirmations;
mod languages;
mod misses;
mod openings;
mod opt_outs;
mod resumptions;
mod whole_interviews;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
use crate::call_attempt::CallAttempt;
use crate::call_list::Contact;
use crate::conversation::keypad;
use crate::interpretation::Utterance;
use crate::interpretation::rules::RulesInterpreter;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::survey::{Question, QuestionKind, SurveyTranslation};
use crate::testing::samples;
use crate::time::{Clock, ManualClock};

/// A conversation with somebody who says what the test says.
struct Line {
    campaign: crate::campaign::Campaign,
    skillbase: crate::skillbase::Skillbase,
    contact: Contact,
    clock: Arc<ManualClock>,
    ids: IdGenerator,
    /// What was answered in earlier calls.
    earlier: Given,
    steps: Vec<Step>,
}

impl Line {
    fn new(contact: Contact) -> Self {
        Self::ringing(contact).picked_up()
    }

    /// Before anybody has picked up, so that a test can change the campaign.
    fn ringing(contact: Contact) -> Self {
        let company = samples::company();
        let mut skillbase = samples::skillbase(&company);
        skillbase.language = Language::It;
        let mut campaign = samples::campaign(&company);
        campaign.settings.language = Language::It;
        let survey = &mut campaign.settings.survey;
        survey.intro_script = "Ciao {{name}}, chiamo per Rossi. Vuole rispondere?".to_owned();
        survey.consent_question = None;
        survey.completion_message = "Grazie, abbiamo finito.".to_owned();
        survey.questions = vec![
            question("q1", "Come sta oggi?", QuestionKind::FreeText),
            question("q2", "Da 1 a 5?", scale()),
            question(
                "q3",
                "Quanti caffè?",
                QuestionKind::Numeric {
                    min: Some(0.into()),
                    max: Some(20.into()),
                    decimals: false,
                },
            ),
        ];
        let english = SurveyTranslation {
            intro_script: "Hello {{name}}, may I ask you something?".to_owned(),
            consent_question: None,
            questions: [
                ("q1", "How are you?"),
                ("q2", "From 1 to 5?"),
                ("q3", "How many coffees?"),
            ]
            .map(|(key, text)| (key.to_owned(), text.to_owned()))
            .into(),
            completion_message: "Thank you, that is all.".to_owned(),
            options: BTreeMap::new(),
        };
        survey.translations = [(Language::En, english)].into();
        let clock = Arc::new(ManualClock::new(samples::now()));
        let ids = IdGenerator::from_seed(clock.clone(), 1);
        Self {
            campaign,
            skillbase,
            contact,
            clock,
            ids,
            earlier: Given::default(),
            steps: Vec::new(),
        }
    }

    /// The same with other questions.
    fn asking(contact: Contact, questions: Vec<Question>) -> Self {
        let mut line = Self::ringing(contact);
        line.campaign.settings.survey.questions = questions;
        line.picked_up()
    }

    fn picked_up(mut self) -> Self {
        let script = Script::new(&self.campaign, &self.skillbase, "Rossi", &self.contact);
        let task = samples::task(&self.campaign, "+393471234567");
        let now = self.clock.now();
        let attempt = CallAttempt::created(self.ids.next(), &task, "simulated", now, now, now);
        let place = (&attempt).into();
        let step = Conversation::begin(place, &script, &self.earlier, &self.ids, now);
        self.steps.push(step);
        self
    }

    fn hear(self, heard: &Heard) -> Self {
        let script = Script::new(&self.campaign, &self.skillbase, "Rossi", &self.contact);
        let conversation = self.steps.last().unwrap().conversation.clone();
        let expected = conversation.expected(&script);
        let here = expected.and_then(|expected| match heard {
            Heard::Silence => None,
            Heard::Keys { keys } => Some(keypad::interpret(keys, &expected)),
            Heard::Speech { words, .. } => {
                let language = conversation.language;
                let utterance = Utterance {
                    language,
                    expected,
                    words: words.clone(),
                    question: conversation.asked(&script).to_owned(),
                };
                Some(RulesInterpreter::new().interpret(&utterance))
            }
        });
        let understood = Understood {
            here,
            elsewhere: None,
        };
        self.hear_as(heard, &understood)
    }

    /// Whatever is heard is understood so.
    fn hear_as(mut self, heard: &Heard, understood: &Understood) -> Self {
        self.clock.advance(chrono::TimeDelta::seconds(4));
        let script = Script::new(&self.campaign, &self.skillbase, "Rossi", &self.contact);
        let conversation = self.steps.last().unwrap().conversation.clone();
        let now = self.clock.now();
        let mut given = self.earlier.clone();
        for answer in self.answers() {
            given.put(&answer.question_key, answer.result.clone());
        }
        let step = conversation.hear(heard, understood, &script, &given, &self.ids, now);
        self.steps.push(step);
        self
    }

    fn says(self, words: &str) -> Self {
        self.hear(&Heard::Speech {
            words: words.to_owned(),
            confidence: None,
        })
    }

    fn presses(self, keys: &str) -> Self {
        self.hear(&Heard::Keys {
            keys: keys.to_owned(),
        })
    }

    fn says_nothing(self) -> Self {
        self.hear(&Heard::Silence)
    }

    fn last(&self) -> &Conversation {
        &self.steps.last().unwrap().conversation
    }

    fn said(&self) -> String {
        self.last().last_reply.say.join(" ")
    }

    fn consent(&self) -> Option<&Consent> {
        self.steps.iter().find_map(|step| step.consent.as_ref())
    }

    fn transcript(&self) -> String {
        let mut text = String::new();
        for turn in self.steps.iter().flat_map(|step| &step.turns) {
            writeln!(text, "{:>6}: {}", turn.speaker.name(), turn.words).unwrap();
        }
        let conclusion = self.steps.last().and_then(|step| step.conclusion);
        writeln!(text, "{conclusion:?}").unwrap();
        text
    }

    fn outcome(&self) -> Option<Outcome> {
        self.steps
            .last()
            .unwrap()
            .conclusion
            .map(|conclusion| conclusion.outcome)
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.steps.iter().filter_map(|step| step.answer.as_ref())
    }

    fn values(&self) -> Vec<String> {
        self.answers()
            .map(|answer| match answer.result.value() {
                Some(value) => value.to_text(),
                None => answer.result.name().to_owned(),
            })
            .collect()
    }
}

fn question(key: &str, text: &str, kind: QuestionKind) -> Question {
    Question {
        key: key.to_owned(),
        text: text.to_owned(),
        kind,
        required: false,
        retries: 2,
        show_if: None,
    }
}

fn scale() -> QuestionKind {
    QuestionKind::Scale {
        min: 1,
        max: 5,
        labels: Vec::new(),
    }
}

fn niccolo() -> Contact {
    Contact {
        name: "Niccolò".to_owned(),
        ..samples::contact(samples::phone_number(1))
    }
}

#[test]
fn a_whole_interview_in_italian() {
    let line = Line::new(niccolo())
        .says("sì, certo")
        .says("un po' stanco, ma bene")
        .says("come?")
        .says("direi un quattro")
        .says("tre");
    insta::assert_snapshot!(line.transcript());
    assert_eq!(line.values(), ["un po' stanco, ma bene", "4", "3"]);
    let consent = line
        .steps
        .iter()
        .find_map(|step| step.consent.as_ref())
        .unwrap();
    assert!(consent.given && consent.text.contains("chiamo per Rossi"));
}

#[test]
fn somebody_who_speaks_english_hears_english() {
    let contact = Contact {
        language: Some(Language::En),
        ..niccolo()
    };
    let line = Line::new(contact)
        .says("yes please")
        .says("fine")
        .says("four out of five")
        .says("two");
    insta::assert_snapshot!(line.transcript());
    assert_eq!(line.outcome(), Some(Outcome::Completed));
}

#[test]
fn a_refusal_ends_the_call() {
    let line = Line::new(niccolo()).says("no, grazie");
    assert_eq!(line.outcome(), Some(Outcome::Refused));
    assert!(!line.steps[1].consent.as_ref().unwrap().given);
    assert_eq!(line.steps[1].conversation.last_reply.then, Then::HangUp);
}

#[test]
fn an_opt_out_counts_at_any_moment() {
    let at_consent = Line::new(niccolo()).says("non chiamatemi più");
    assert_eq!(at_consent.outcome(), Some(Outcome::OptedOut));
    let by_key = Line::new(niccolo()).hear(&Heard::Keys {
        keys: "9".to_owned(),
    });
    assert_eq!(by_key.outcome(), Some(Outcome::OptedOut));
    let in_the_middle = Line::new(niccolo())
        .says("sì")
        .says("bene")
        .says("toglietemi dalla lista");
    assert_eq!(in_the_middle.outcome(), Some(Outcome::OptedOut));
}

#[test]
fn silence_is_asked_about_and_then_left_alone() {
    let line = Line::new(niccolo()).says_nothing().says_nothing();
    assert_eq!(line.outcome(), Some(Outcome::HungUpBeforeConsent));
    assert!(line.steps.iter().all(|step| step.consent.is_none()));
}

#[test]
fn a_question_that_is_not_understood_is_explained_and_then_given_up() {
    let line = Line::new(niccolo())
        .says("sì")
        .says("bene")
        .says("sette")
        .says("il gatto sul tetto")
        .says("la pioggia");
    insta::assert_snapshot!(line.transcript());
    assert_eq!(line.values(), ["bene", "not_understood"]);
}

#[test]
fn keys_answer_too() {
    let line = Line::new(niccolo())
        .hear(&Heard::Keys {
            keys: "1".to_owned(),
        })
        .says("bene")
        .hear(&Heard::Keys {
            keys: "5".to_owned(),
        })
        .hear(&Heard::Keys {
            keys: "#".to_owned(),
        });
    assert_eq!(line.values(), ["bene", "5", "skipped"]);
    assert_eq!(line.outcome(), Some(Outcome::Completed));
}

#[test]
fn who_stops_leaves_what_was_said() {
    let early = Line::new(niccolo())
        .says("sì")
        .says("basta così, devo andare");
    assert_eq!(early.outcome(), Some(Outcome::BrokeOff));
    let later = Line::new(niccolo())
        .says("sì")
        .says("bene")
        .says("basta così, devo andare");
    assert_eq!(later.outcome(), Some(Outcome::Partial));
    assert!(later.steps.last().unwrap().conclusion.unwrap().answered);
}

#[test]
fn a_call_that_takes_too_long_is_ended_after_what_was_said_has_been_taken() {
    let line = Line::new(niccolo()).says("sì");
    line.clock.advance(chrono::TimeDelta::hours(2));
    let answered = line.says("bene");
    assert_eq!(answered.outcome(), Some(Outcome::Partial));
    assert_eq!(answered.values(), ["bene"]);
    let line = Line::new(niccolo());
    line.clock.advance(chrono::TimeDelta::hours(2));
    assert_eq!(
        line.says("non chiamatemi più").outcome(),
        Some(Outcome::OptedOut)
    );
}

#[test]
fn a_conversation_that_is_over_stores_nothing_more() {
    let line = Line::new(niccolo()).says("no").says("anzi sì");
    let last = line.steps.last().unwrap();
    assert!(last.turns.is_empty() && last.consent.is_none() && last.conclusion.is_none());
    assert_eq!(last.conversation.outcome, Some(Outcome::Refused));
}

#[test]
fn what_no_store_can_keep_is_not_heard() {
    let heard = Heard::Speech {
        words: format!("be\0ne\u{7}{}", "a".repeat(9_000)),
        confidence: None,
    };
    let Heard::Speech { words, .. } = heard.cleaned() else {
        unreachable!("it was speech")
    };
    assert!(words.starts_with("be ne a"), "words are not glued together");
    assert_eq!(words.chars().count(), 4_000);
}

#[test]
fn a_question_whose_condition_does_not_hold_is_not_asked() {
    let mut line = Line::new(niccolo());
    let condition = r#"{"question": "q2", "at_least": "4"}"#;
    let questions = &mut line.campaign.settings.survey.questions;
    questions[2].show_if = Some(serde_json::from_str(condition).unwrap());
    let line = line.says("sì").says("bene").says("tre");
    assert_eq!(line.values(), ["bene", "3"]);
    assert_eq!(line.outcome(), Some(Outcome::Completed));
}

#[test]
fn a_call_that_ends_early_has_the_outcome_of_where_it_stood() {
    let attempt = Line::new(niccolo()).steps.remove(0).conversation;
    let at = |position, answered_before| {
        let memory = Memory {
            answered_before,
            ..Memory::default()
        };
        let stands = Conversation {
            position,
            memory,
            ..attempt.clone()
        };
        (stands.broken_off(), stands.interrupted())
    };
    let question = |answered| Position::Question {
        index: 1,
        tries: 0,
        answered,
    };
    let appointment = |consented, answered| Position::Appointment {
        tries: 0,
        consented,
        answered,
    };
    let consent = Position::Consent { tries: 0 };
    let hung_up = Outcome::HungUpBeforeConsent;
    assert_eq!(at(consent, 0), (hung_up, hung_up));
    assert_eq!(at(consent, 2), (hung_up, hung_up));
    assert_eq!(
        at(question(0), 0),
        (Outcome::BrokeOff, Outcome::LineDropped)
    );
    let left = (Outcome::Partial, Outcome::Interrupted);
    assert_eq!([at(question(1), 0), at(question(0), 2)], [left, left]);
    let later = Outcome::CallBackRequested;
    assert_eq!(at(appointment(false, 0), 0), (later, later));
    let again = Outcome::Interrupted;
    assert_eq!(at(appointment(true, 1), 0), (again, again));
}
