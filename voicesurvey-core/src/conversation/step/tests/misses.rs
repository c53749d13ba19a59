//! What is not understood, not heard, asked back: each is counted for itself.

use super::*;

fn choice() -> QuestionKind {
    let option = |key: &str, say: &str| crate::survey::ChoiceOption {
        key: key.to_owned(),
        say: vec![say.to_owned()],
    };
    QuestionKind::Choice {
        options: vec![
            option("bus", "autobus"),
            option("car", "macchina"),
            option("foot", "piedi"),
        ],
    }
}

fn asked(kind: QuestionKind) -> Line {
    let mut asked = question("q1", "Allora?", kind);
    asked.retries = 3;
    Line::asking(niccolo(), vec![asked]).says("sì")
}

#[test]
fn asking_back_uses_up_no_try() {
    let mut line = asked(scale());
    for words in [
        "può ripetere?",
        "chi parla?",
        "lei è un robot?",
        "può ripetere?",
        "chi parla?",
    ] {
        line = line.says(words);
        assert!(line.said().ends_with("Allora?"), "{words}: {}", line.said());
        let at = Position::Question {
            index: 0,
            tries: 0,
            answered: 0,
        };
        assert_eq!(line.last().position, at);
    }
    assert!(line.said().contains("per conto di Rossi"));
    let sixth = line.says("può ripetere?");
    assert!(matches!(
        sixth.last().position,
        Position::Question { tries: 1, .. }
    ));
}

#[test]
fn a_miss_is_explained_with_an_example_and_then_keys_are_asked_for() {
    let first = asked(scale()).says("il gatto sul tetto");
    assert_eq!(
        first.last().last_reply.say,
        [
            "Mi scusi, non ho capito.",
            "Allora?",
            "Dica un numero da 1 a 5, o lo digiti sulla tastiera.",
            "Per esempio: 3."
        ]
    );
    let second = first.says_nothing();
    assert_eq!(
        second.last().last_reply.say,
        [
            "Non ho sentito nulla.",
            "Allora?",
            "Digiti la risposta sulla tastiera del telefono.",
            "Per saltare la domanda prema cancelletto."
        ]
    );
    assert_eq!(second.presses("4").values(), ["4"]);
}

#[test]
fn options_are_read_out_and_then_their_keys() {
    let first = asked(choice()).says("il gatto sul tetto");
    let words = "Può dire: autobus, o prema uno; macchina, o prema due; piedi, o prema tre.";
    assert!(first.said().ends_with(words), "{}", first.said());
    let second = first.says("la pioggia");
    let keys = "Per autobus prema uno. Per macchina prema due. Per piedi prema tre.";
    assert!(second.said().contains(keys), "{}", second.said());
}

#[test]
fn an_open_question_asks_for_words_and_tells_the_key_that_leaves_it_out() {
    let line = asked(QuestionKind::FreeText).says_nothing();
    assert_eq!(
        line.last().last_reply.say,
        [
            "Non ho sentito nulla.",
            "Allora?",
            "Risponda pure con parole sue.",
            "Per saltare la domanda prema cancelletto."
        ]
    );
    assert_eq!(line.presses("#").values(), ["skipped"]);
}

#[test]
fn nobody_is_told_to_leave_out_a_required_question() {
    for kind in [QuestionKind::FreeText, scale(), choice()] {
        let mut required = question("q1", "Allora?", kind);
        required.required = true;
        let mut line = Line::asking(niccolo(), vec![required]).says("sì");
        for _ in 0..2 {
            line = line.says_nothing();
            assert!(!line.said().contains("saltare"), "{}", line.said());
        }
    }
}

#[test]
fn what_is_out_of_range_or_ambiguous_is_asked_about() {
    let far = asked(scale()).says("sette");
    assert!(far.said().starts_with("Serve un numero da 1 a 5. Allora?"));
    let two = asked(choice()).says("autobus o macchina");
    assert_eq!(two.said(), "autobus oppure macchina?");
    assert_eq!(two.says("macchina").values(), ["car"]);
}

#[test]
fn the_ends_of_a_scale_have_names() {
    let label = |value, say: &str| crate::survey::ScaleLabel {
        value,
        say: vec![say.to_owned()],
    };
    let kind = QuestionKind::Scale {
        min: 1,
        max: 5,
        labels: vec![label(5, "ottimo"), label(1, "pessimo")],
    };
    let line = asked(kind).says("il gatto sul tetto");
    let how = "Dica un numero da 1, pessimo, a 5, ottimo, o lo digiti sulla tastiera.";
    assert!(line.said().contains(how), "{}", line.said());
}

#[test]
fn who_falls_silent_is_left_and_would_be_asked_again() {
    let mut line = Line::new(niccolo()).says("sì").says("bene");
    for _ in 0..3 {
        line = line.says_nothing();
    }
    assert_eq!(line.outcome(), Some(Outcome::Partial));
    assert_eq!(line.values(), ["bene"]);
}

#[test]
fn a_word_between_two_silences_is_a_sign_of_life() {
    let line = Line::new(niccolo())
        .says_nothing()
        .says("il gatto sul tetto")
        .says_nothing();
    assert_eq!(line.outcome(), Some(Outcome::HungUpBeforeConsent));
    let line = Line::new(niccolo())
        .says_nothing()
        .says("chi parla?")
        .says_nothing();
    assert_eq!(line.outcome(), None);
}

#[test]
fn a_required_question_is_asked_again_while_there_are_tries() {
    let mut required = question("q1", "Allora?", scale());
    required.required = true;
    let mut line = Line::asking(niccolo(), vec![required]).says("sì");
    for _ in 0..2 {
        line = line.presses("#");
        assert_eq!(line.said(), "Per noi questa risposta è importante. Allora?");
    }
    assert_eq!(line.presses("#").values(), ["skipped"]);
}
