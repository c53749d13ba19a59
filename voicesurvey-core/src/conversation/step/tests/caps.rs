//! Every conversation ends.

use super::*;

#[test]
fn whatever_is_said_the_conversation_ends_within_its_replies() {
    for words in [
        "il gatto sul tetto",
        "può ripetere?",
        "chi parla?",
        "sì",
        "",
    ] {
        let mut line = Line::new(niccolo());
        let script = Script::new(&line.campaign, &line.skillbase, "Rossi", &line.contact);
        let most = script.most_replies();
        while line.outcome().is_none() {
            line = line.says(words);
            assert!(line.last().step <= most, "{words}");
        }
    }
}

#[test]
fn a_position_behind_the_last_question_ends_the_call() {
    for position in [
        Position::Question {
            index: 99,
            tries: 0,
            answered: 1,
        },
        Position::Confirm {
            index: 99,
            tries: 0,
            answered: 1,
        },
    ] {
        let mut line = Line::new(niccolo());
        line.steps[0].conversation.position = position;
        let line = line.hear_as(&Heard::Silence, &Understood::default());
        assert_eq!(line.outcome(), Some(Outcome::Partial), "{position:?}");
    }
}
