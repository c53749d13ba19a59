//! What people make of answers that may be wrong: nothing that was understood in a call is lost, and
//! no value gets in that the question does not accept.

use std::sync::Arc;

use rust_decimal::Decimal;
use voicesurvey_core::api_key::{Actor, Role};
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::contact_record::ContactFilter;
use voicesurvey_core::conversation::{Answer, AnswerResult, Doubt, Heard, Turn};
use voicesurvey_core::id::AnswerId;
use voicesurvey_core::interpretation::{
    Confidence, Intent, Interpretation, InterpretedBy, OtherReading,
};
use voicesurvey_core::ports::PageRequest;
use voicesurvey_core::service::reviews::Verdict;
use voicesurvey_core::service::{Reports, Reviews, ServiceError};
use voicesurvey_core::survey::{AnswerValue, ChoiceOption, Question, QuestionKind};
use voicesurvey_core::testing::samples;
use voicesurvey_core::time::Clock;

use super::scripted::{World, add_company};

const NO: AnswerResult = AnswerResult::Answered {
    value: AnswerValue::YesNo(false),
};

fn correct(result: AnswerResult) -> Verdict {
    let note = None;
    Verdict::Correct { result, note }
}

/// A running campaign with somebody in conversation, who has given some answers in doubt.
struct Desk {
    world: World,
    reviews: Reviews,
    campaign: Campaign,
    attempt: CallAttempt,
}

impl Desk {
    async fn new() -> Self {
        Self::asking(QuestionKind::YesNo).await
    }

    async fn asking(kind: QuestionKind) -> Self {
        let world = World::new().await;
        let mut campaign = samples::campaign(&world.company);
        campaign.settings.survey.questions[0].kind = kind;
        let first = campaign.settings.survey.questions[0].clone();
        let second = Question {
            key: "again".to_owned(),
            ..first
        };
        campaign.settings.survey.questions.push(second);
        let (_, attempt) = world.in_conversation(&campaign).await;
        let store = Arc::new(world.store.clone());
        Self {
            reviews: Reviews::new(store, world.clock.clone()),
            world,
            campaign,
            attempt,
        }
    }

    /// A yes to that question, in doubt, of which the other interpreter has understood a no.
    async fn doubtful(&self, key: &str, sequence: u32) -> Answer {
        let yes = AnswerValue::YesNo(true);
        let other = OtherReading {
            intent: Intent::Answer {
                value: AnswerValue::YesNo(false),
            },
            confidence: Confidence::from_hundredths(80),
            by: InterpretedBy::LanguageModel,
        };
        let understood = Intent::Answer { value: yes };
        let confidence = Confidence::from_hundredths(70);
        let turn = Turn {
            interpretation: Some(Interpretation {
                other: Some(other),
                ..Interpretation::new(understood, confidence, InterpretedBy::Rules)
            }),
            ..samples::turn(&self.attempt, sequence)
        };
        let answer = Answer {
            doubt: Some(Doubt::Disagreement),
            confidence,
            ..samples::answer(&self.attempt, &turn, key)
        };
        let mut work = self.world.work().await;
        work.interviews().insert_turns(&[turn]).await.unwrap();
        work.interviews().put_answer(&answer).await.unwrap();
        work.commit().await.unwrap();
        answer
    }

    async fn listed(&self) -> Vec<AnswerId> {
        let page = PageRequest::default();
        let campaign_id = Some(self.campaign.id);
        let listed = self.reviews.list(&self.world.actor, campaign_id, &page);
        let rows = listed.await.unwrap().rows;
        rows.into_iter().map(|row| row.answer.id).collect()
    }

    /// What is wrong with a verdict, as field and sentence.
    async fn wrong(&self, id: AnswerId, verdict: Verdict) -> String {
        let decided = self.reviews.decide(&self.world.actor, id, 0, verdict);
        match decided.await {
            Err(error @ ServiceError::Invalid(_)) => error.to_string(),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_answer_in_doubt_is_shown_with_what_was_asked_and_both_readings() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let viewer = Actor {
        role: Role::Viewer,
        ..desk.world.actor
    };
    let page = PageRequest::default();
    let listed = desk.reviews.list(&viewer, None, &page);
    let rows = listed.await.unwrap().rows;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].answer, answer);
    assert_eq!(rows[0].question, desk.campaign.settings.survey.questions[0]);
    let task = samples::task(&desk.campaign, samples::phone_number(1).as_str());
    assert_eq!(rows[0].contact_name, task.contact.name);
    let other = rows[0].other.as_ref().unwrap();
    assert_eq!(other.by, InterpretedBy::LanguageModel);
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let desk = Desk::new().await;
    let first = desk.doubtful("satisfied", 90).await.id;
    let second = desk.doubtful("again", 91).await.id;
    let page = PageRequest::first(1);
    let listed = desk.reviews.list(&desk.world.actor, None, &page);
    let listed = listed.await.unwrap();
    assert_eq!(listed.rows[0].answer.id, first);
    let after = listed.next;
    assert!(after.is_some());
    let page = PageRequest { after, ..page };
    let listed = desk.reviews.list(&desk.world.actor, None, &page);
    let listed = listed.await.unwrap();
    assert_eq!(listed.rows[0].answer.id, second);
    assert_eq!(listed.rows.len(), 1);
}

#[tokio::test]
async fn what_was_accepted_leaves_the_list_as_it_was_understood() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    assert_eq!(desk.listed().await, [answer.id]);
    let actor = &desk.world.actor;
    let accepted = desk.reviews.decide(actor, answer.id, 0, Verdict::Accept);
    let accepted = accepted.await.unwrap();
    let expected = Answer {
        revision: 1,
        reviewed_at: Some(desk.world.clock.now()),
        reviewed_by: Some(actor.api_key_id),
        ..answer
    };
    assert_eq!(accepted.answer, expected);
    assert_eq!(accepted.revisions, []);
    assert_eq!(desk.listed().await, []);
}

#[tokio::test]
async fn corrections_are_counted_and_keep_what_they_replace() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let actor = &desk.world.actor;
    let note = Some("si sente «no»".to_owned());
    let verdict = Verdict::Correct { result: NO, note };
    let decided = desk.reviews.decide(actor, answer.id, 0, verdict);
    decided.await.unwrap();
    let skipped = correct(AnswerResult::Skipped);
    let decided = desk.reviews.decide(actor, answer.id, 1, skipped);
    let decided = decided.await.unwrap();
    assert_eq!(decided.answer.result, AnswerResult::Skipped);
    assert_eq!(decided.answer.interpreted_by, InterpretedBy::Staff);
    assert_eq!(decided.answer.confidence, Confidence::CERTAIN);
    // The evidence stays.
    assert_eq!(decided.answer.words, answer.words);
    assert_eq!(decided.answer.turn_id, answer.turn_id);
    let history: Vec<_> = decided
        .revisions
        .iter()
        .map(|revision| {
            let by = revision.interpreted_by;
            (revision.number, revision.result.clone(), by)
        })
        .collect();
    let expected = [
        (0, answer.result, InterpretedBy::Rules),
        (1, NO, InterpretedBy::Staff),
    ];
    assert_eq!(history, expected);
    let note = decided.revisions[0].note.as_deref();
    assert_eq!(note, Some("si sente «no»"));
    assert_eq!(
        desk.reviews.get(actor, answer.id).await.unwrap(),
        decided,
        "it is read back as it was decided"
    );
}

#[tokio::test]
async fn a_text_names_an_option_or_says_yes_or_no() {
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![format!("by {key}")],
    };
    let options = vec![option("car"), option("no")];
    for (kind, text, value) in [
        (
            QuestionKind::Choice { options },
            "no",
            AnswerValue::Choice("no".to_owned()),
        ),
        (QuestionKind::YesNo, "no", AnswerValue::YesNo(false)),
        (QuestionKind::YesNo, "yes", AnswerValue::YesNo(true)),
        (
            QuestionKind::FreeText,
            "no",
            AnswerValue::Text("no".to_owned()),
        ),
    ] {
        let desk = Desk::asking(kind).await;
        let answer = desk.doubtful("satisfied", 90).await;
        let verdict = correct(AnswerResult::Answered {
            value: AnswerValue::Text(text.to_owned()),
        });
        let actor = &desk.world.actor;
        let decided = desk.reviews.decide(actor, answer.id, 0, verdict);
        let decided = decided.await.unwrap();
        assert_eq!(decided.answer.result, AnswerResult::Answered { value });
    }
}

#[tokio::test]
async fn results_show_what_was_corrected() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let actor = &desk.world.actor;
    let decided = desk.reviews.decide(actor, answer.id, 0, correct(NO));
    decided.await.unwrap();
    let reports = Reports::new(Arc::new(desk.world.store.clone()));
    let everybody = ContactFilter::default();
    let results = reports.results(actor, desk.campaign.id, everybody, None);
    let results = results.await.unwrap().all.questions;
    let values: Vec<_> = results[0].values.clone().into_iter().collect();
    assert_eq!(values, [("no".to_owned(), 1)]);
}

#[tokio::test]
async fn of_two_people_who_decide_at_once_one_is_told() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let actor = &desk.world.actor;
    let first = desk.reviews.decide(actor, answer.id, 0, correct(NO));
    first.await.unwrap();
    let second = desk.reviews.decide(actor, answer.id, 0, Verdict::Accept);
    let error = second.await.unwrap_err();
    assert!(
        matches!(
            error,
            ServiceError::NotAllowed {
                code: "answer_changed",
                ..
            }
        ),
        "{error:?}"
    );
    let stands = desk.reviews.get(actor, answer.id).await.unwrap().answer;
    assert_eq!((stands.result, stands.revision), (NO, 1));
}

/// Were it decided then, what the person says next would not be stored.
#[tokio::test]
async fn nobody_decides_about_an_answer_that_is_being_read_back() {
    let world = World::new().await;
    let mut campaign = samples::campaign(&world.company);
    campaign.settings.survey.questions[0].kind = QuestionKind::Scale {
        min: 1,
        max: 5,
        labels: Vec::new(),
    };
    let (task, attempt) = world.in_conversation(&campaign).await;
    world.say(&attempt, "sì").await;
    let hardly_heard = Heard::Speech {
        words: "quattro".to_owned(),
        confidence: Some(Confidence::from_hundredths(20)),
    };
    world.hear(&attempt, hardly_heard).await;
    let reviews = Reviews::new(Arc::new(world.store.clone()), world.clock.clone());
    let four = world.answers(&task).await[0].clone();
    let early = reviews.decide(&world.actor, four.id, 0, Verdict::Accept);
    let error = early.await.unwrap_err();
    assert!(
        matches!(&error, ServiceError::NotAllowed { code, .. } if *code == "answer_unsettled"),
        "{error:?}"
    );
    world.say(&attempt, "no, cinque").await;
    let five = world.answers(&task).await[0].clone();
    let value = AnswerValue::Number(Decimal::from(5));
    assert_eq!(five.result, AnswerResult::Answered { value });
    let later = reviews.decide(&world.actor, five.id, 0, Verdict::Accept);
    assert!(later.await.unwrap().answer.reviewed_at.is_some());
}

#[tokio::test]
async fn only_managers_decide_and_only_about_their_own() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let viewer = Actor {
        role: Role::Viewer,
        ..desk.world.actor
    };
    let refused = desk.reviews.decide(&viewer, answer.id, 0, Verdict::Accept);
    assert!(matches!(
        refused.await,
        Err(ServiceError::Forbidden {
            needed: Role::Manager
        })
    ));
    let other = add_company(&desk.world.store).await;
    let stranger = Actor {
        company_id: other.id,
        ..desk.world.actor
    };
    let page = PageRequest::default();
    let not_found = |error| matches!(error, ServiceError::NotFound { .. });
    let decided = desk.reviews.decide(&stranger, answer.id, 0, correct(NO));
    assert!(not_found(decided.await.unwrap_err()));
    let found = desk.reviews.get(&stranger, answer.id).await;
    assert!(not_found(found.unwrap_err()));
    let of_campaign = desk.reviews.list(&stranger, Some(desk.campaign.id), &page);
    assert!(not_found(of_campaign.await.unwrap_err()));
    let all = desk.reviews.list(&stranger, None, &page).await.unwrap();
    assert_eq!(all.rows, []);
    assert_eq!(desk.listed().await, [answer.id]);
}

#[tokio::test]
async fn a_value_that_the_question_does_not_accept_changes_nothing() {
    let number = |value: Decimal| {
        correct(AnswerResult::Answered {
            value: AnswerValue::Number(value),
        })
    };
    let text = |text: &str| {
        correct(AnswerResult::Answered {
            value: AnswerValue::Text(text.to_owned()),
        })
    };
    let scale = QuestionKind::Scale {
        min: 1,
        max: 5,
        labels: Vec::new(),
    };
    let amount = QuestionKind::Numeric {
        min: Some(Decimal::new(50, 1)),
        max: None,
        decimals: true,
    };
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![key.to_owned()],
    };
    let choice = QuestionKind::Choice {
        options: vec![option("car"), option("train")],
    };
    for (kind, verdict, expected) in [
        (
            scale.clone(),
            number(Decimal::from(6)),
            "value: use a whole number from 1 to 5",
        ),
        (scale, text("five"), "value: use a whole number from 1 to 5"),
        (amount, number(Decimal::ONE), "value: use a number from 5"),
        (choice, text("bus"), "value: use one of: car, train"),
        (
            QuestionKind::YesNo,
            number(Decimal::ONE),
            "value: use yes or no",
        ),
        (
            QuestionKind::FreeText,
            text("  "),
            "value: write what the person answered",
        ),
        (
            QuestionKind::FreeText,
            text("a\u{0}b"),
            "value: must not contain control characters",
        ),
        (
            QuestionKind::FreeText,
            text(&"è".repeat(4_001)),
            "value: use at most 4000 characters",
        ),
    ] {
        let desk = Desk::asking(kind).await;
        let answer = desk.doubtful("satisfied", 90).await;
        assert_eq!(desk.wrong(answer.id, verdict).await, expected);
        assert_eq!(desk.listed().await, [answer.id]);
    }
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let note = Some("\u{7}".to_owned());
    let verdict = Verdict::Correct { result: NO, note };
    let expected = "note: must not contain control characters";
    assert_eq!(desk.wrong(answer.id, verdict).await, expected);
}

/// Nobody can say whether an answer was right that is not kept any longer.
#[tokio::test]
async fn a_forgotten_answer_cannot_be_reviewed() {
    let desk = Desk::new().await;
    let answer = desk.doubtful("satisfied", 90).await;
    let forgotten = Answer {
        result: AnswerResult::Forgotten,
        ..answer.clone()
    };
    let mut work = desk.world.work().await;
    work.interviews().put_answer(&forgotten).await.unwrap();
    work.commit().await.unwrap();
    for verdict in [Verdict::Accept, correct(NO)] {
        let decided = desk
            .reviews
            .decide(&desk.world.actor, answer.id, 0, verdict);
        let refused = decided.await.unwrap_err();
        let ServiceError::NotAllowed { code, .. } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(code, "answer_forgotten");
    }
}
