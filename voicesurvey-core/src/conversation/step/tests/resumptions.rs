//! An interview that was interrupted goes on where it stood, and conditions look at all calls.

use super::*;
use crate::conversation::AnswerResult;
use crate::survey::AnswerValue;

fn answered(value: AnswerValue) -> AnswerResult {
    AnswerResult::Answered { value }
}

fn resumed(earlier: &[(&str, AnswerResult)]) -> Line {
    let mut line = Line::ringing(niccolo());
    for (key, result) in earlier {
        line.earlier.put(key, result.clone());
    }
    line.picked_up()
}

#[test]
fn an_interview_goes_on_at_the_next_question_after_a_short_introduction() {
    let line = resumed(&[("q1", answered(AnswerValue::Text("bene".to_owned())))])
        .says("sì")
        .says("quattro")
        .says("due");
    insta::assert_snapshot!(line.transcript());
    assert_eq!(line.outcome(), Some(Outcome::Completed));
    let consent = line.consent().unwrap();
    assert!(consent.given && consent.text.contains("Possiamo continuare?"));
    assert_eq!(line.steps[0].conversation.last_reply.firm, 3);
}

#[test]
fn every_call_asks_whether_it_may_go_on() {
    let earlier = [("q1", answered(AnswerValue::Text("bene".to_owned())))];
    let refused = resumed(&earlier).says("no");
    assert_eq!(refused.outcome(), Some(Outcome::Partial));
    assert!(!refused.consent().unwrap().given);
    assert!(refused.steps[1].conclusion.unwrap().answered);
    let opted_out = resumed(&earlier).says("non chiamatemi più");
    assert_eq!(opted_out.outcome(), Some(Outcome::OptedOut));
}

#[test]
fn without_any_answer_the_interview_begins_anew() {
    let line = resumed(&[("q1", AnswerResult::Skipped)]);
    assert!(line.said().contains("Vuole rispondere?"));
    let line = line.says("sì");
    assert_eq!(
        line.said(),
        "Da 1 a 5?",
        "what was skipped is not asked again"
    );
}

#[test]
fn an_interview_with_nothing_left_to_ask_is_complete() {
    let line = resumed(&[
        ("q1", answered(AnswerValue::Text("bene".to_owned()))),
        ("q2", answered(AnswerValue::Number(4.into()))),
        ("q3", AnswerResult::DontKnow),
    ]);
    assert_eq!(line.says("sì").outcome(), Some(Outcome::Completed));
}

#[test]
fn conditions_look_at_answers_of_every_call() {
    let condition = |json: &str| Some(serde_json::from_str(json).unwrap());
    let questions = |line: &mut Line| {
        let questions = &mut line.campaign.settings.survey.questions;
        questions[1].show_if = condition(r#"{"question": "q1", "answered": false}"#);
        questions[2].show_if = condition(r#"{"question": "q2", "is_not": ["1"]}"#);
    };
    // q1 answered before: q2 is hidden, and q3 with it, for it has nothing to look at.
    let mut line = Line::ringing(niccolo());
    questions(&mut line);
    line.earlier
        .put("q1", answered(AnswerValue::Text("bene".to_owned())));
    assert_eq!(
        line.picked_up().says("sì").outcome(),
        Some(Outcome::Completed)
    );
    // q1 skipped: q2 is asked, and then q3.
    let mut line = Line::ringing(niccolo());
    questions(&mut line);
    let line = line
        .picked_up()
        .says("sì")
        .presses("#")
        .says("due")
        .says("tre");
    assert_eq!(line.values(), ["skipped", "2", "3"]);
}

#[test]
fn the_first_question_may_be_hidden() {
    let mut line = Line::ringing(niccolo());
    let condition = r#"{"question": "q0", "answered": true}"#;
    line.campaign.settings.survey.questions[0].show_if =
        Some(serde_json::from_str(condition).unwrap());
    assert_eq!(line.picked_up().says("sì").said(), "Da 1 a 5?");
}
