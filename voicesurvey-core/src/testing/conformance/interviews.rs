//! Conversations, turns, answers, consents and responses.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, begin, claim_all, commit, live_call, page_after, running_campaign,
    store_tasks,
};
use crate::conversation::{
    Answer, AnswerResult, Consent, Conversation, Doubt, LanguageSwitch, LineEnd, Listen, Memory,
    Pending, Position, Speaker, SurveyResponse, Then, Turn, VoiceReply,
};
use crate::id::SurveyResponseId;
use crate::interpretation::{
    Confidence, Expected, Intent, Interpretation, InterpretedBy, OtherReading,
};
use crate::language::Language;
use crate::outcome::Outcome;
use crate::ports::PageRequest;
use crate::survey::{AnswerValue, ChoiceOption};
use crate::testing::samples;

/// Every position, with what may happen after something was said.
fn positions() -> [(Position, Then); 7] {
    let listen = |expected| Then::Listen(Listen::for_answer(70_000, expected, Language::Ru));
    let options = vec![ChoiceOption {
        key: "a".to_owned(),
        say: vec!["sì".to_owned()],
    }];
    let number = Expected::Number {
        min: Some(Decimal::new(-15, 1)),
        max: None,
        decimals: true,
    };
    let question = Position::Question {
        index: u16::MAX,
        tries: u8::MAX,
        answered: 3,
    };
    let confirm = Position::Confirm {
        index: 1,
        tries: 2,
        answered: u16::MAX,
    };
    let appointment = |consented| Position::Appointment {
        tries: 1,
        consented,
        answered: 4,
    };
    let of = Box::new(number.clone());
    [
        (Position::Consent { tries: 2 }, listen(Expected::Consent)),
        (question, listen(Expected::Choice { options })),
        (question, listen(number)),
        (confirm, listen(Expected::Confirm { of })),
        (appointment(true), listen(Expected::CallBackTime)),
        (appointment(false), Then::HangUp),
        (Position::Ended, Then::HangUp),
    ]
}

/// A memory of everything that there is to remember.
fn rich_memory() -> Memory {
    let switch = LanguageSwitch {
        turn: 70_001,
        from: Language::It,
        to: Language::Ru,
    };
    Memory {
        asides: u8::MAX,
        silences: 1,
        confirming_consent: true,
        pending: Some(Pending {
            value: AnswerValue::Number(Decimal::new(35, 1)),
            words: "«три»\n'".to_owned(),
            turn_id: samples::id(),
            interpreted_by: InterpretedBy::LanguageModel,
            confidence: Confidence::from_hundredths(69),
            is_last: true,
        }),
        answered_before: u16::MAX,
        appointment: Some(samples::now() + TimeDelta::microseconds(1)),
        switches: vec![switch, switch],
        is_last_call: true,
        line: Some(LineEnd::Dropped),
    }
}

/// A conversation reads back in every position, with everything that is optional.
pub async fn a_conversation_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let mut conversation = samples::conversation(&call.attempt);
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    interviews.insert_conversation(&conversation).await.unwrap();
    for (position, then) in positions() {
        let changed = Conversation {
            language: Language::Ru,
            position,
            step: 70_000,
            turns: 70_001,
            last_reply: VoiceReply {
                language: Language::Ru,
                voice: Some("Tatyana".to_owned()),
                say: vec!["До свидания!".to_owned(), String::new()],
                firm: u16::MAX,
                then,
            },
            memory: rich_memory(),
            outcome: (position == Position::Ended).then_some(Outcome::Completed),
            ..conversation
        };
        interviews.update_conversation(&changed).await.unwrap();
        let stored = interviews.conversation(call.attempt.id).await.unwrap();
        conversation = stored.expect("the conversation exists");
        let version = changed.version + 1;
        assert_eq!(conversation, Conversation { version, ..changed });
    }
}

/// An attempt has one conversation.
pub async fn a_second_conversation_of_an_attempt_is_a_conflict(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let conversation = samples::conversation(&call.attempt);
    let mut work = begin(store, &company).await;
    work.interviews()
        .insert_conversation(&conversation)
        .await
        .unwrap();
    assert_conflict(work.interviews().insert_conversation(&conversation).await);
}

/// Of two steps taken at the same time, the second is refused.
pub async fn a_stale_conversation_is_a_conflict(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let conversation = samples::conversation(&call.attempt);
    let next = Conversation {
        step: 2,
        ..conversation.clone()
    };
    let mut work = begin(store, &company).await;
    work.interviews()
        .insert_conversation(&conversation)
        .await
        .unwrap();
    work.interviews().update_conversation(&next).await.unwrap();
    assert_conflict(work.interviews().update_conversation(&next).await);
}

/// Turns read back in the order in which they were said, whatever the order of storing.
pub async fn turns_read_back_in_order(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let interpretation = |intent| {
        let confidence = Confidence::from_hundredths(67);
        Some(Interpretation {
            other: Some(OtherReading {
                intent: Intent::OutOfRange {
                    value: Decimal::TEN,
                },
                confidence: Confidence::CERTAIN,
                by: InterpretedBy::Rules,
            }),
            ..Interpretation::new(intent, confidence, InterpretedBy::LanguageModel)
        })
    };
    let value = AnswerValue::Number(Decimal::new(35, 1));
    let turns = vec![
        Turn {
            speaker: Speaker::Agent,
            ..samples::turn(&call.attempt, 1)
        },
        Turn {
            words: String::new(),
            heard_with: Some(Confidence::from_hundredths(0)),
            interpretation: interpretation(Intent::Unclear),
            question_key: Some("q1".to_owned()),
            ..samples::turn(&call.attempt, 2)
        },
        Turn {
            words: "tre e mezzo, «più o meno»".to_owned(),
            heard_with: Some(Confidence::CERTAIN),
            interpretation: interpretation(Intent::Answer { value }),
            ..samples::turn(&call.attempt, 3)
        },
        Turn {
            interpretation: interpretation(Intent::Ambiguous {
                candidates: vec!["due".to_owned(), "12".to_owned()],
            }),
            ..samples::turn(&call.attempt, 10)
        },
    ];
    let mut work = begin(store, &company).await;
    work.interviews().insert_turns(&turns[2..]).await.unwrap();
    work.interviews().insert_turns(&turns[..2]).await.unwrap();
    work.interviews().insert_turns(&[]).await.unwrap();
    assert_eq!(
        work.interviews().turns(call.attempt.id).await.unwrap(),
        turns
    );
}

/// A call has one turn of each number.
pub async fn a_turn_cannot_be_added_twice(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let mut work = begin(store, &company).await;
    work.interviews()
        .insert_turns(&[samples::turn(&call.attempt, 1)])
        .await
        .unwrap();
    let again = samples::turn(&call.attempt, 1);
    assert_conflict(work.interviews().insert_turns(&[again]).await);
}

/// Answers of every kind read back, in the order in which they were given.
pub async fn answers_read_back_in_the_order_given(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let turn = samples::turn(&call.attempt, 1);
    let values = [
        AnswerValue::Text("così «così» 😀\n'".to_owned()),
        AnswerValue::Number(Decimal::new(123_450, 3)),
        AnswerValue::YesNo(false),
        AnswerValue::Choice("verde".to_owned()),
    ];
    let results = values
        .map(|value| AnswerResult::Answered { value })
        .into_iter()
        .chain([
            AnswerResult::Skipped,
            AnswerResult::DontKnow,
            AnswerResult::NotUnderstood,
        ]);
    let by = [
        InterpretedBy::Rules,
        InterpretedBy::LanguageModel,
        InterpretedBy::Keypad,
        InterpretedBy::Staff,
    ];
    let mut doubts = Doubt::ALL.iter().copied().map(Some).chain([None]).cycle();
    let answers: Vec<Answer> = results
        .zip(by.into_iter().cycle())
        .zip(0..)
        .map(|((result, interpreted_by), index)| Answer {
            result,
            interpreted_by,
            confidence: Confidence::from_hundredths(index),
            repeats: index,
            doubt: doubts.next().flatten(),
            revision: u32::from(index) * 70_000,
            reviewed_at: (index > 3).then(samples::now),
            reviewed_by: (index > 3).then(samples::id),
            at: samples::now() + TimeDelta::seconds(i64::from(index)),
            // Keys that sort the other way than the answers were given.
            ..samples::answer(&call.attempt, &turn, &format!("q{}", 9 - index))
        })
        .collect();
    let mut work = begin(store, &company).await;
    work.interviews().insert_turns(&[turn]).await.unwrap();
    for answer in &answers {
        work.interviews().put_answer(answer).await.unwrap();
    }
    assert_eq!(
        work.interviews().answers(call.task.id).await.unwrap(),
        answers
    );
}

/// A later answer to the same question of the same task takes the place of the earlier one.
pub async fn a_later_answer_replaces_an_earlier_one(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let turns = [
        samples::turn(&call.attempt, 1),
        samples::turn(&call.attempt, 2),
    ];
    let first = samples::answer(&call.attempt, &turns[0], "q1");
    let other = samples::answer(&call.attempt, &turns[0], "q2");
    let later = Answer {
        result: AnswerResult::Skipped,
        ..samples::answer(&call.attempt, &turns[1], "q1")
    };
    let mut work = begin(store, &company).await;
    work.interviews().insert_turns(&turns).await.unwrap();
    for answer in [&first, &other, &later] {
        work.interviews().put_answer(answer).await.unwrap();
    }
    let stored = work.interviews().answers(call.task.id).await.unwrap();
    assert_eq!(stored, [other, later]);
}

/// A campaign's answers come in the order of their identifiers, over all its tasks; pages neither
/// skip nor repeat under inserts.
pub async fn the_answers_of_a_campaign_come_in_pages(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    store_tasks(store, &samples::tasks(&campaign, 1, 3)).await;
    let calls = claim_all(store, samples::now()).await;
    let turns: Vec<Turn> = calls
        .iter()
        .map(|call| samples::turn(&call.attempt, 1))
        .collect();
    let mut answers = Vec::new();
    for key in ["q2", "q1"] {
        for (call, turn) in calls.iter().zip(&turns) {
            answers.push(samples::answer(&call.attempt, turn, key));
        }
    }
    let mut work = begin(store, &company).await;
    work.interviews().insert_turns(&turns).await.unwrap();
    for answer in &answers {
        work.interviews().put_answer(answer).await.unwrap();
    }
    commit(work).await;

    let mut work = begin(store, &company).await;
    let first = work
        .interviews()
        .campaign_answers(campaign.id, &PageRequest::first(4))
        .await
        .unwrap();
    let late = samples::answer(&calls[0].attempt, &turns[0], "q3");
    work.interviews().put_answer(&late).await.unwrap();
    let rest = work
        .interviews()
        .campaign_answers(campaign.id, &page_after(&first, 4))
        .await
        .unwrap();
    answers.push(late);
    assert_eq!([first.rows, rest.rows].concat(), answers);
    let all = all_pages!(3, |page| work
        .interviews()
        .campaign_answers(campaign.id, page));
    assert_eq!(all, answers);
}

/// The first word on taking part stands: a repeated request does not change it.
pub async fn the_first_consent_of_an_attempt_stays(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let turns = [
        samples::turn(&call.attempt, 1),
        samples::turn(&call.attempt, 2),
    ];
    let refused = Consent {
        given: false,
        text: "Можно задать вопрос?".to_owned(),
        language: Language::Ru,
        text_version: "lines-7/«»".to_owned(),
        interpreted_by: InterpretedBy::Keypad,
        ..samples::consent(&call.attempt, &turns[0])
    };
    let mut work = begin(store, &company).await;
    work.interviews().insert_turns(&turns).await.unwrap();
    assert_eq!(
        work.interviews().consent(call.attempt.id).await.unwrap(),
        None
    );
    work.interviews().insert_consent(&refused).await.unwrap();
    let given = samples::consent(&call.attempt, &turns[1]);
    work.interviews().insert_consent(&given).await.unwrap();
    assert_eq!(
        work.interviews().consent(call.attempt.id).await.unwrap(),
        Some(refused)
    );
}

/// The response of a later call takes the place of an earlier one until one is complete.
pub async fn a_complete_response_stays(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let response = |complete, started, ended| SurveyResponse {
        id: samples::id::<SurveyResponseId>(),
        complete,
        started_at: samples::now() + TimeDelta::seconds(started),
        ended_at: samples::now() + TimeDelta::seconds(ended),
        ..samples::response(&call.attempt)
    };
    let given = [
        response(false, 0, 1),
        response(false, 5, 6),
        // What is told late of the first call, and again of the second.
        response(false, 0, 9),
        response(false, 5, 7),
        response(true, 0, 8),
        response(false, 9, 10),
        response(true, 9, 10),
    ];
    let kept = [0, 1, 1, 3, 4, 4, 4].map(|index: usize| &given[index]);
    let mut work = begin(store, &company).await;
    assert_eq!(
        work.interviews().response(call.task.id).await.unwrap(),
        None
    );
    for (response, kept) in given.iter().zip(kept) {
        work.interviews().put_response(response).await.unwrap();
        assert_eq!(
            work.interviews()
                .response(call.task.id)
                .await
                .unwrap()
                .as_ref(),
            Some(kept)
        );
    }
}
