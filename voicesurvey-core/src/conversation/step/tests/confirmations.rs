//! A doubtful value is stored with its doubt and read back.

use super::*;
use crate::conversation::{AnswerResult, Doubt};
use crate::interpretation::{Intent, Interpretation, InterpretedBy, OtherReading};
use crate::survey::AnswerValue;

fn answer(value: AnswerValue, hundredths: u8, by: InterpretedBy) -> Interpretation {
    let confidence = Confidence::from_hundredths(hundredths);
    Interpretation::new(Intent::Answer { value }, confidence, by)
}

fn number(value: i64) -> AnswerValue {
    AnswerValue::Number(value.into())
}

/// At the scale from 1 to 5, where something is understood so.
fn understood(here: Interpretation) -> Line {
    let heard = Heard::Speech {
        words: "sei".to_owned(),
        confidence: None,
    };
    let understood = Understood {
        here: Some(here),
        elsewhere: None,
    };
    Line::new(niccolo())
        .says("sì")
        .says("bene")
        .hear_as(&heard, &understood)
}

fn doubtful() -> Line {
    let line = understood(answer(number(4), 60, InterpretedBy::Rules));
    assert_eq!(line.said(), "4, giusto?");
    line
}

fn last(line: &Line) -> &Answer {
    line.steps.last().unwrap().answer.as_ref().unwrap()
}

#[test]
fn a_doubtful_number_is_stored_at_once_and_confirmed_by_its_own_words() {
    let line = doubtful();
    assert_eq!(last(&line).doubt, Some(Doubt::Unconfirmed));
    let turn_id = last(&line).turn_id;
    for line in [
        doubtful().says("sì"),
        doubtful().presses("1"),
        doubtful().says("quattro"),
    ] {
        let confirmed = last(&line);
        assert_eq!(confirmed.result.value(), Some(&number(4)));
        assert_eq!((confirmed.doubt, confirmed.words.as_str()), (None, "sei"));
        assert_eq!(confirmed.confidence, Confidence::from_hundredths(95));
        assert_eq!(line.said(), "Quanti caffè?");
    }
    assert_eq!(last(&line.says("sì")).turn_id, turn_id);
}

#[test]
fn another_value_takes_its_place() {
    for words in ["no, cinque", "cinque"] {
        let line = doubtful().says(words);
        assert_eq!(last(&line).result.value(), Some(&number(5)), "{words}");
        assert_eq!(
            (last(&line).doubt, last(&line).words.as_str()),
            (None, words)
        );
    }
}

#[test]
fn what_was_denied_is_no_answer_and_is_asked_again() {
    let denied = doubtful().says("no");
    assert_eq!(last(&denied).result, AnswerResult::NotUnderstood);
    assert!(denied.said().contains("Da 1 a 5?"));
    assert!(matches!(
        denied.last().position,
        Position::Question {
            index: 1,
            tries: 1,
            answered: 1
        }
    ));
    assert_eq!(
        denied.says("tre").values(),
        ["bene", "4", "not_understood", "3"]
    );
}

#[test]
fn a_correction_that_is_no_value_denies_the_value_all_the_same() {
    let line = doubtful().says("no, sette");
    assert_eq!(last(&line).result, AnswerResult::NotUnderstood);
    assert!(
        line.said().starts_with("Serve un numero da 1 a 5."),
        "{}",
        line.said()
    );
    assert_eq!(line.says("tre").values().last().unwrap(), "3");
}

#[test]
fn who_does_not_say_leaves_the_doubt_for_review() {
    for line in [
        doubtful().says_nothing(),
        doubtful().says("il gatto sul tetto"),
    ] {
        assert_eq!(line.said(), "Quanti caffè?");
        assert_eq!(line.steps.last().unwrap().answer, None);
        assert!(matches!(
            line.last().position,
            Position::Question { answered: 2, .. }
        ));
        assert_eq!(line.last().memory.pending, None);
    }
    let hung_up = doubtful();
    assert_eq!(hung_up.last().broken_off(), Outcome::Partial);
}

/// What is left is only whether the last value is right: nobody is called again for that.
#[test]
fn an_interview_is_complete_when_the_last_value_is_read_back() {
    let heard = Heard::Speech {
        words: "quattro".to_owned(),
        confidence: Some(Confidence::from_hundredths(20)),
    };
    let reading_back = || Line::new(niccolo()).says("sì").says("bene").says("tre");
    let last_value = || reading_back().hear(&heard);
    assert_eq!(last_value().said(), "4, giusto?");
    assert_eq!(last_value().last().broken_off(), Outcome::Completed);
    assert_eq!(last_value().last().interrupted(), Outcome::Completed);
    let later = last_value().says("mi richiami domani alle dieci");
    assert_eq!(later.outcome(), Some(Outcome::Completed));
    assert_eq!(later.said(), "Grazie, abbiamo finito.");
    assert_eq!(
        last_value().says("basta così").outcome(),
        Some(Outcome::Completed)
    );
    // Denied, it is to be asked again.
    let denied = last_value().says("no");
    assert_eq!(denied.last().interrupted(), Outcome::Interrupted);
    assert_eq!(doubtful().last().interrupted(), Outcome::Interrupted);
}

#[test]
fn who_asks_back_hears_the_value_again() {
    let line = doubtful().says("come, scusi?");
    assert!(line.said().ends_with("4, giusto?"), "{}", line.said());
    let line = line.says("chi parla?");
    assert!(line.said().contains("Rossi") && line.said().ends_with("4, giusto?"));
}

#[test]
fn readings_that_differ_are_confirmed_and_otherwise_reviewed() {
    let mut here = answer(number(4), 95, InterpretedBy::Rules);
    here.other = Some(OtherReading {
        intent: Intent::Answer { value: number(2) },
        confidence: Confidence::from_hundredths(80),
        by: InterpretedBy::LanguageModel,
    });
    let line = understood(here);
    assert_eq!(line.said(), "4, giusto?");
    assert_eq!(last(&line).doubt, Some(Doubt::Disagreement));
}

/// A model that understood no answer at all disagrees as well.
#[test]
fn readings_differ_also_if_only_one_of_them_is_an_answer() {
    for intent in [
        Intent::DontKnow,
        Intent::Stop,
        Intent::OutOfRange { value: 9.into() },
    ] {
        let other = || OtherReading {
            intent: intent.clone(),
            confidence: Confidence::from_hundredths(80),
            by: InterpretedBy::LanguageModel,
        };
        let mut here = answer(number(4), 80, InterpretedBy::Rules);
        here.other = Some(other());
        let line = understood(here);
        assert_eq!(line.said(), "4, giusto?", "{intent:?}");
        assert_eq!(last(&line).doubt, Some(Doubt::Disagreement), "{intent:?}");
    }
}

#[test]
fn what_was_hardly_heard_and_is_not_read_back_is_listed_for_review() {
    for (kind, words) in [
        (QuestionKind::YesNo, "sì"),
        (QuestionKind::FreeText, "la pioggia"),
    ] {
        let asked = || Line::asking(niccolo(), vec![question("q1", "Allora?", kind.clone())]);
        for (hundredths, doubt) in [(44, Some(Doubt::LowConfidence)), (45, None)] {
            let heard = Heard::Speech {
                words: words.to_owned(),
                confidence: Some(Confidence::from_hundredths(hundredths)),
            };
            let line = asked().says("sì").hear(&heard);
            assert_eq!(last(&line).doubt, doubt, "{kind:?}");
        }
    }
}

#[test]
fn what_the_recogniser_hardly_heard_is_confirmed() {
    let heard = Heard::Speech {
        words: "quattro".to_owned(),
        confidence: Some(Confidence::from_hundredths(44)),
    };
    let line = Line::new(niccolo()).says("sì").says("bene").hear(&heard);
    assert_eq!(line.said(), "4, giusto?");
}

#[test]
fn a_fair_guess_is_taken_and_listed_for_review() {
    let line = understood(answer(number(4), 70, InterpretedBy::Rules));
    assert_eq!(last(&line).doubt, Some(Doubt::LowConfidence));
    assert_eq!(line.said(), "Quanti caffè?");
    let sure = understood(answer(number(4), 75, InterpretedBy::Rules));
    assert_eq!(last(&sure).doubt, None);
    let typed = understood(answer(number(4), 10, InterpretedBy::Keypad));
    assert_eq!(last(&typed).doubt, None);
}

#[test]
fn a_yes_that_only_a_model_heard_starts_nothing() {
    let yes = || Understood {
        here: Some(answer(
            AnswerValue::YesNo(true),
            95,
            InterpretedBy::LanguageModel,
        )),
        elsewhere: None,
    };
    let heard = Heard::Speech {
        words: "mmh".to_owned(),
        confidence: None,
    };
    let line = Line::new(niccolo()).hear_as(&heard, &yes());
    assert!(line.said().starts_with("Quindi accetta"), "{}", line.said());
    assert_eq!(line.consent(), None);
    let confirmed = Line::new(niccolo()).hear_as(&heard, &yes()).says("sì");
    assert_eq!(
        confirmed.consent().unwrap().interpreted_by,
        InterpretedBy::Rules
    );
    let mut insisting = line;
    for _ in 0..3 {
        assert_eq!(insisting.outcome(), None);
        insisting = insisting.hear_as(&heard, &yes());
        assert_eq!(insisting.consent(), None);
    }
    assert_eq!(insisting.outcome(), Some(Outcome::HungUpBeforeConsent));
}

#[test]
fn a_yes_that_was_hardly_heard_starts_nothing_until_it_is_said_again() {
    let yes = |hundredths| Heard::Speech {
        words: "sì".to_owned(),
        confidence: Some(Confidence::from_hundredths(hundredths)),
    };
    let line = Line::new(niccolo()).hear(&yes(30));
    assert!(line.said().starts_with("Quindi accetta"), "{}", line.said());
    assert_eq!(line.consent(), None);
    let line = line.hear(&yes(30));
    assert_eq!(line.consent(), None);
    assert!(line.hear(&yes(45)).consent().unwrap().given);
}
