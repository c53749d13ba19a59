//! Whether everything else that people say and press is understood as it was meant.

use std::collections::BTreeSet;

use voicesurvey_core::conversation::{Heard, keypad};
use voicesurvey_core::interpretation::{Confidence, spoken_language, time_mention};
use voicesurvey_core::survey::ScaleLabel;
use voicesurvey_core::testing::samples;

use super::*;

/// Below it an answer is read back.
const READ_BACK_BELOW: Confidence = Confidence::from_hundredths(70);

/// A scale on which every mark has a name.
fn named_scale(language: Language) -> Expected {
    let names = match language {
        Language::It => ["pessimo", "scarso", "discreto", "buono", "ottimo"],
        Language::En => ["terrible", "poor", "fair", "good", "excellent"],
        Language::Ru => ["ужасно", "плохо", "нормально", "хорошо", "отлично"],
        Language::Es => ["pésimo", "malo", "regular", "bueno", "excelente"],
        Language::Fr => ["très mauvais", "mauvais", "moyen", "bon", "excellent"],
        Language::De => [
            "miserabel",
            "schlecht",
            "mittelmäßig",
            "gut",
            "ausgezeichnet",
        ],
    };
    let labels = (1..).zip(names).map(|(value, name)| ScaleLabel {
        value,
        say: vec![name.to_owned()],
    });
    Expected::Scale {
        min: 1,
        max: 5,
        labels: labels.collect(),
    }
}

/// Questions that are answered by one of a few values.
fn closed_questions(language: Language) -> Vec<Expected> {
    let is_closed =
        |expected: &Expected| !matches!(expected, Expected::Consent | Expected::FreeText);
    let mut closed = questions(language);
    closed.retain(is_closed);
    closed.push(named_scale(language));
    closed
}

/// Everything that a person can be asked.
fn everything(language: Language) -> Vec<Expected> {
    let mut all = questions(language);
    all.push(named_scale(language));
    let confirmations = confirmations(&all);
    all.extend(confirmations);
    all.push(Expected::CallBackTime);
    all
}

/// Whether answers to it are read back when they are doubtful.
fn is_read_back(expected: &Expected) -> bool {
    matches!(
        expected,
        Expected::Number { .. } | Expected::Scale { .. } | Expected::Choice { .. }
    )
}

fn confirmations(questions: &[Expected]) -> Vec<Expected> {
    let read_back = questions.iter().filter(|expected| is_read_back(expected));
    let confirmations = read_back.map(|of| Expected::Confirm {
        of: Box::new(of.clone()),
    });
    confirmations.collect()
}

fn yes_or_no(yes: bool) -> Intent {
    Intent::Answer {
        value: AnswerValue::YesNo(yes),
    }
}

fn number(value: i64) -> Intent {
    Intent::Answer {
        value: AnswerValue::Number(Decimal::from(value)),
    }
}

/// What was not understood as it was meant, of phrases said at each of those moments.
fn missed(
    language: Language,
    phrases: &[&str],
    moments: &[Expected],
    is_meant: impl Fn(&Intent) -> bool,
) -> Vec<String> {
    let said = phrases
        .iter()
        .flat_map(|words| moments.iter().map(move |expected| (words, expected)));
    let answered =
        said.map(|(words, expected)| (words, expected, understood(language, expected, words)));
    let missed = answered.filter(|(.., intent)| !is_meant(intent));
    missed
        .map(|(words, expected, intent)| {
            format!("{language} '{words}' at {expected:?}: {intent:?}")
        })
        .collect()
}

fn nothing_is_missed(missed: impl IntoIterator<Item = String>) {
    let missed: Vec<_> = missed.into_iter().collect();
    assert!(missed.is_empty(), "not understood:\n{}", missed.join("\n"));
}

#[test]
fn wishes_about_the_call_are_understood_as_they_were_meant() {
    nothing_is_missed(Language::ALL.into_iter().flat_map(|language| {
        let vocabulary = Vocabulary::of(language);
        let consent = vec![Expected::Consent];
        let closed = closed_questions(language);
        let asked: Vec<_> = consent.iter().chain(&closed).cloned().collect();
        let table: [(&[&str], &[Expected], Intent); 11] = [
            (vocabulary.refuses, &consent, yes_or_no(false)),
            (vocabulary.later, &consent, Intent::CallBack),
            (vocabulary.absent, &consent, Intent::CallBack),
            (vocabulary.interrupts, &asked, Intent::CallBack),
            (vocabulary.call_me_at, &asked, Intent::CallBack),
            (vocabulary.wrong_person, &asked, Intent::WrongPerson),
            (vocabulary.asks_who, &asked, Intent::AskIdentity),
            (vocabulary.asks_human, &asked, Intent::AskHuman),
            (vocabulary.repeats, &asked, Intent::Repeat),
            (vocabulary.skips, &closed, Intent::Skip),
            (vocabulary.does_not_know, &closed, Intent::DontKnow),
        ];
        let rows = table
            .into_iter()
            .flat_map(move |(phrases, moments, meant)| {
                missed(language, phrases, moments, |intent| *intent == meant)
            });
        let stops = missed(language, vocabulary.stops, &closed, |intent| {
            *intent == Intent::Stop
        });
        rows.chain(stops).collect::<Vec<_>>()
    }));
}

#[test]
fn never_again_is_understood_at_every_moment_said_or_pressed() {
    for language in Language::ALL {
        let moments = everything(language);
        let is_opt_out = |intent: &Intent| *intent == Intent::OptOut;
        let phrases = Vocabulary::of(language).opts_out;
        nothing_is_missed(missed(language, phrases, &moments, is_opt_out));
        for expected in &moments {
            let keys = keys::never_again(expected);
            let pressed = keypad::interpret(keys, expected).intent;
            assert_eq!(pressed, Intent::OptOut, "'{keys}' at {expected:?}");
        }
    }
}

#[test]
fn wrong_keys_mean_nothing() {
    for expected in everything(Language::It) {
        let keys = keys::wrong(&expected).unwrap();
        let pressed = keypad::interpret(keys, &expected).intent;
        assert_eq!(pressed, Intent::Unclear, "'{keys}' at {expected:?}");
    }
    let option = |key: usize| ChoiceOption {
        key: key.to_string(),
        say: Vec::new(),
    };
    let options = (1..=8).map(option).collect();
    assert_eq!(keys::wrong(&Expected::Choice { options }), None);
}

#[test]
fn every_time_that_is_named_is_one() {
    let mut contact = samples::contact(samples::phone_number(1));
    contact.time_zones = vec!["Europe/Rome".parse().unwrap()];
    let mut schedule = samples::campaign(&samples::company()).settings.schedule;
    schedule.time_zone = "Europe/Rome".parse().unwrap();
    // A Tuesday, 10:00 in Rome.
    let now = "2026-11-17T09:00:00Z".parse().unwrap();
    for language in Language::ALL {
        let vocabulary = Vocabulary::of(language);
        for words in vocabulary.times.iter().chain(vocabulary.call_me_at) {
            let intent = understood(language, &Expected::CallBackTime, words);
            assert_eq!(intent, Intent::CallBack, "{language} '{words}'");
            let time = time_mention::find(language, words);
            let at = time.and_then(|time| time.resolve(now, &schedule, &contact));
            assert!(at.is_some(), "{language} '{words}': {time:?}");
        }
        // Who does not say when may say so, too.
        for words in vocabulary.later.iter().chain(vocabulary.interrupts) {
            let intent = understood(language, &Expected::CallBackTime, words);
            assert!(
                matches!(intent, Intent::CallBack | Intent::Unclear),
                "{language} '{words}': {intent:?}"
            );
        }
    }
}

#[test]
fn what_was_read_back_is_confirmed_and_denied() {
    for language in Language::ALL {
        let vocabulary = Vocabulary::of(language);
        let confirmations = confirmations(&everything(language));
        for (phrases, yes) in [(vocabulary.confirms, true), (vocabulary.denies, false)] {
            let is_meant = |intent: &Intent| *intent == yes_or_no(yes);
            nothing_is_missed(missed(language, phrases, &confirmations, is_meant));
        }
    }
}

#[test]
fn what_was_read_back_is_corrected() {
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    let mut missed = BTreeSet::new();
    for language in Language::ALL {
        let answered = everything(language).into_iter().filter(is_read_back);
        for (of, turn) in answered.flat_map(|of| (0..100).map(move |turn| (of.clone(), turn))) {
            let mut speaker = Speaker {
                chance: &mut chance,
                language,
                contentment: turn,
            };
            let spoken = speaker.correction(&of);
            let meant = Intent::Answer {
                value: spoken.meant,
            };
            let expected = Expected::Confirm { of: Box::new(of) };
            let intent = understood(language, &expected, &spoken.words);
            // "One" is a pronoun as well, and `sei` a verb: there, the no alone is heard, and they are
            // asked again.
            let is_weak = [1, 6].map(number).contains(&meant) && intent == yes_or_no(false);
            if intent != meant && !is_weak {
                missed.insert(format!("{language} '{}': {intent:?}", spoken.words));
            }
        }
    }
    nothing_is_missed(missed);
}

#[test]
fn the_name_of_a_mark_is_that_mark() {
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    for language in Language::ALL {
        let expected = named_scale(language);
        for turn in 0..100 {
            let mut speaker = Speaker {
                chance: &mut chance,
                language,
                contentment: turn,
            };
            let spoken = speaker.answer(&expected, Manner::ByName);
            assert!(spoken.words.chars().all(char::is_alphabetic) || spoken.words.contains(' '));
            let meant = Intent::Answer {
                value: spoken.meant,
            };
            let intent = understood(language, &expected, &spoken.words);
            assert_eq!(intent, meant, "{language} '{}'", spoken.words);
        }
    }
}

#[test]
fn a_misheard_number_is_doubtful_and_the_number_that_was_meant() {
    for language in Language::ALL {
        for (word, value) in Vocabulary::of(language).homophones {
            let interpretation = interpreted(language, &scale(0, 10), word);
            assert_eq!(interpretation.intent, number(*value), "{language} '{word}'");
            assert!(
                interpretation.confidence < READ_BACK_BELOW,
                "{language} '{word}'"
            );
        }
    }
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    let mut speaker = Speaker {
        chance: &mut chance,
        language: Language::En,
        contentment: 50,
    };
    for _ in 0..50 {
        let spoken = speaker.answer(&scale(3, 5), Manner::Misheard);
        assert!(["tree", "for"].contains(&&*spoken.words), "{spoken:?}");
    }
    // No word sounds like a number so large.
    let plain = speaker.answer(&scale(20, 30), Manner::Misheard);
    assert_ne!(plain.meant, AnswerValue::Number(Decimal::ZERO));
}

/// Whoever answers in another language is told from the words, and answers nothing by them.
#[test]
fn another_language_is_recognised_and_answers_nothing() {
    for language in Language::ALL {
        for words in Vocabulary::of(language).prefers_this {
            assert_eq!(
                spoken_language::detect(words),
                Some(language),
                "{language} '{words}'"
            );
            let others = Language::ALL.into_iter().filter(|other| *other != language);
            for spoken in others {
                let mut moments = closed_questions(spoken);
                moments.push(Expected::Consent);
                for expected in moments {
                    let intent = understood(spoken, &expected, words);
                    assert_eq!(
                        intent,
                        Intent::Unclear,
                        "'{words}' in {spoken} at {expected:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn keys_confirm_what_was_read_back() {
    let mut chance = Chance::of(1, Topic::Call, &"+390612345678".parse().unwrap(), 0);
    let mut speaker = Speaker {
        chance: &mut chance,
        language: Language::It,
        contentment: 50,
    };
    let of = Box::new(scale(0, 10));
    let expected = Expected::Confirm { of };
    let Some(Heard::Keys { keys }) = speaker.keys(&expected) else {
        panic!("1 confirms")
    };
    assert_eq!(keypad::interpret(&keys, &expected).intent, yes_or_no(true));
}
