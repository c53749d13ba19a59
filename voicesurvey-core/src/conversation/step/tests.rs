//! Dialogues as a person would hear them, and the rules they must not lose.

use std::fmt::Write as _;
use std::sync::Arc;

use super::*;
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
    steps: Vec<Step>,
}

impl Line {
    fn new(contact: Contact) -> Self {
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
            question("q2", "Da 1 a 5?", QuestionKind::Scale { min: 1, max: 5 }),
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
            steps: Vec::new(),
        }
        .picked_up()
    }

    fn picked_up(mut self) -> Self {
        let script = Script::new(&self.campaign, &self.skillbase, &self.contact);
        let task = samples::task(&self.campaign, "+393471234567");
        let now = self.clock.now();
        let attempt = CallAttempt::created(self.ids.next(), &task, "simulated", now, now, now);
        let step = Conversation::begin(&attempt, &script, &self.ids, self.clock.now());
        self.steps.push(step);
        self
    }

    fn hear(mut self, heard: &Heard) -> Self {
        self.clock.advance(chrono::TimeDelta::seconds(4));
        let script = Script::new(&self.campaign, &self.skillbase, &self.contact);
        let conversation = self.steps.last().unwrap().conversation.clone();
        let expected = conversation.expected(&script);
        let understood = expected.and_then(|expected| match heard {
            Heard::Silence => None,
            Heard::Keys { keys } => Some(keypad::interpret(keys, &expected)),
            Heard::Speech { words, .. } => {
                let language = conversation.language;
                let utterance = Utterance {
                    language,
                    expected,
                    words: words.clone(),
                };
                Some(RulesInterpreter::new().interpret(&utterance))
            }
        });
        let step = conversation.hear(heard, understood, &script, &self.ids, self.clock.now());
        self.steps.push(step);
        self
    }

    fn says(self, words: &str) -> Self {
        self.hear(&Heard::Speech {
            words: words.to_owned(),
            confidence: None,
        })
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

    fn values(&self) -> Vec<String> {
        let answers = self.steps.iter().filter_map(|step| step.answer.as_ref());
        answers
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
    let line = Line::new(niccolo())
        .hear(&Heard::Silence)
        .hear(&Heard::Silence)
        .hear(&Heard::Silence);
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
