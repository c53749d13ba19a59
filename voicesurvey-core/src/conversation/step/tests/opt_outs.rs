//! "Never call me again" counts at every moment, by words, by keys, and in every language offered.

use super::*;
use crate::interpretation::{Intent, Interpretation, InterpretedBy};

/// A conversation at each of its positions, asking a scale on which 9 is an answer where it can.
fn everywhere() -> Vec<(&'static str, Line)> {
    let questions = || {
        let kind = QuestionKind::Scale {
            min: 0,
            max: 10,
            labels: Vec::new(),
        };
        vec![question("q1", "Da 0 a 10?", kind)]
    };
    let line = || Line::asking(niccolo(), questions());
    vec![
        ("consent", line()),
        ("question", line().says("sì")),
        ("asked again", line().says("sì").says("il gatto")),
        (
            "confirm",
            line().says("sì").hear_as(&speech("sei"), &unsure(6)),
        ),
    ]
}

fn speech(words: &str) -> Heard {
    Heard::Speech {
        words: words.to_owned(),
        confidence: None,
    }
}

fn unsure(value: i64) -> Understood {
    let value = crate::survey::AnswerValue::Number(value.into());
    let confidence = Confidence::from_hundredths(60);
    let intent = Intent::Answer { value };
    Understood {
        here: Some(Interpretation::new(
            intent,
            confidence,
            InterpretedBy::Rules,
        )),
        elsewhere: None,
    }
}

#[test]
fn words_opt_out_at_every_position() {
    for (place, line) in everywhere() {
        let line = line.says("non chiamatemi più");
        assert_eq!(line.outcome(), Some(Outcome::OptedOut), "{place}");
        assert!(line.said().contains("non la chiameremo più"), "{place}");
    }
}

#[test]
fn star_nine_opts_out_at_every_position_and_nine_where_it_is_no_answer() {
    for (place, line) in everywhere() {
        let line = line.presses("*9");
        assert_eq!(line.outcome(), Some(Outcome::OptedOut), "{place}");
    }
    let yes_or_no = vec![question("q1", "Le piace?", QuestionKind::YesNo)];
    let line = Line::asking(niccolo(), yes_or_no).says("sì").presses("9");
    assert_eq!(line.outcome(), Some(Outcome::OptedOut));
    let (_, zero_to_ten) = everywhere().swap_remove(1);
    assert_eq!(zero_to_ten.presses("9").values(), ["9"]);
}

#[test]
fn an_opt_out_in_another_language_of_the_survey_counts_and_is_confirmed_in_it() {
    for (place, line) in everywhere() {
        let opt_out = Interpretation::new(
            Intent::OptOut,
            Confidence::from_hundredths(95),
            InterpretedBy::Rules,
        );
        let understood = |language| Understood {
            here: None,
            elsewhere: Some((language, opt_out.clone())),
        };
        let heard = speech("please stop calling me");
        let line = line.hear_as(&heard, &understood(Language::En));
        assert_eq!(line.outcome(), Some(Outcome::OptedOut), "{place}");
        assert!(
            line.said().contains("we will not call you again"),
            "{place}"
        );
        let turns = &line.steps.last().unwrap().turns;
        assert_eq!(turns[0].interpretation, Some(opt_out), "{place}");
    }
}

#[test]
fn who_opts_out_instead_of_consenting_has_refused() {
    let line = Line::new(niccolo()).presses("9");
    let consent = line.consent().unwrap();
    assert!(!consent.given);
    assert_eq!(consent.interpreted_by, InterpretedBy::Keypad);
}

#[test]
fn the_wrong_person_ends_the_call_at_every_position() {
    for (place, line) in everywhere() {
        let line = line.says("ha sbagliato numero");
        assert_eq!(line.outcome(), Some(Outcome::WrongPerson), "{place}");
    }
}
