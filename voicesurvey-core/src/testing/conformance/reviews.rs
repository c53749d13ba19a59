//! Reviews: answers in doubt, what people made of them, and what they replaced.

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::StorageUnderTest;
use super::support::{all_pages, assert_conflict, begin, commit, live_call};
use crate::conversation::{Answer, AnswerResult, AnswerRevision, Doubt};
use crate::interpretation::{Confidence, InterpretedBy};
use crate::survey::AnswerValue;
use crate::testing::samples;

/// The answer as somebody corrects it to `value`, and what that replaces.
pub(super) fn corrected(answer: &Answer, value: i64) -> (Answer, AnswerRevision) {
    let at = samples::now() + TimeDelta::microseconds(value);
    let by = samples::id();
    let replaced = AnswerRevision {
        answer_id: answer.id,
        company_id: answer.company_id,
        number: answer.revision,
        result: answer.result.clone(),
        confidence: answer.confidence,
        interpreted_by: answer.interpreted_by,
        note: (value > 5).then(|| "«sei», non «tre»\n'".to_owned()),
        replaced_at: at,
        replaced_by: by,
    };
    let corrected = Answer {
        result: AnswerResult::Answered {
            value: AnswerValue::Number(Decimal::from(value)),
        },
        confidence: Confidence::CERTAIN,
        interpreted_by: InterpretedBy::Staff,
        reviewed_at: Some(at),
        reviewed_by: Some(by),
        ..answer.clone()
    };
    (corrected, replaced)
}

/// An answer in doubt is listed, for its campaign and for all, until somebody has looked at it.
pub async fn an_answer_in_doubt_is_listed_until_it_is_reviewed(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let campaign_id = call.task.campaign_id;
    let turn = samples::turn(&call.attempt, 1);
    let answer = |key: &str, doubt| Answer {
        doubt,
        ..samples::answer(&call.attempt, &turn, key)
    };
    let sure = answer("q0", None);
    let doubtful: Vec<Answer> = Doubt::ALL
        .iter()
        .map(|doubt| answer(doubt.name(), Some(*doubt)))
        .collect();
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    interviews
        .insert_turns(std::slice::from_ref(&turn))
        .await
        .unwrap();
    for answer in doubtful.iter().chain([&sure]) {
        interviews.put_answer(answer).await.unwrap();
    }
    let listed = all_pages!(2, |page| interviews.answers_to_review(None, page));
    assert_eq!(listed, doubtful);

    let (accepted, _) = corrected(&doubtful[1], 1);
    interviews.review_answer(&accepted, None).await.unwrap();
    let rest = [doubtful[0].clone(), doubtful[2].clone()];
    let listed = all_pages!(2, |page| interviews
        .answers_to_review(Some(campaign_id), page));
    assert_eq!(listed, rest);
    let elsewhere = samples::campaign(&company).id;
    let listed = all_pages!(2, |page| interviews
        .answers_to_review(Some(elsewhere), page));
    assert_eq!(listed, []);
}

/// Every correction keeps what it replaces, and of two corrections of the same answer the second
/// is refused.
pub async fn a_correction_keeps_what_it_replaces(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let turn = samples::turn(&call.attempt, 1);
    let first = samples::answer(&call.attempt, &turn, "q1");
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    interviews.insert_turns(&[turn]).await.unwrap();
    interviews.put_answer(&first).await.unwrap();
    assert_eq!(interviews.answer(samples::id()).await.unwrap(), None);
    assert_eq!(interviews.answer_revisions(first.id).await.unwrap(), []);

    let mut answer = first;
    let mut revisions = Vec::new();
    for (value, revision) in [(3, 1), (6, 2)] {
        let (next, replaced) = corrected(&answer, value);
        let review = interviews.review_answer(&next, Some(&replaced));
        review.await.unwrap();
        answer = interviews.answer(next.id).await.unwrap().unwrap();
        assert_eq!(answer, Answer { revision, ..next });
        revisions.push(replaced);
    }
    let stored = interviews.answer_revisions(answer.id).await.unwrap();
    assert_eq!(stored, revisions);

    let stale = Answer {
        revision: 1,
        ..answer
    };
    assert_conflict(interviews.review_answer(&stale, None).await);
}

/// What a person has decided about an answer, no later call changes.
pub async fn a_reviewed_answer_is_not_replaced(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let turn = samples::turn(&call.attempt, 1);
    let first = samples::answer(&call.attempt, &turn, "q1");
    let later = samples::answer(&call.attempt, &turn, "q1");
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    interviews.insert_turns(&[turn]).await.unwrap();
    interviews.put_answer(&first).await.unwrap();
    let (decided, replaced) = corrected(&first, 4);
    let review = interviews.review_answer(&decided, Some(&replaced));
    review.await.unwrap();

    interviews.put_answer(&later).await.unwrap();
    let stored = interviews.answers(call.task.id).await.unwrap();
    let revision = 1;
    assert_eq!(
        stored,
        [Answer {
            revision,
            ..decided
        }]
    );
    assert_eq!(interviews.answer(later.id).await.unwrap(), None);
}

/// A campaign that is removed takes its answers with it, and what they were before.
pub async fn a_removed_campaign_takes_its_reviews_with_it(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let turn = samples::turn(&call.attempt, 1);
    let answer = samples::answer(&call.attempt, &turn, "q1");
    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    interviews.insert_turns(&[turn]).await.unwrap();
    interviews.put_answer(&answer).await.unwrap();
    let (decided, replaced) = corrected(&answer, 4);
    let review = interviews.review_answer(&decided, Some(&replaced));
    review.await.unwrap();
    let removed = work.campaigns().delete(call.task.campaign_id).await;
    assert!(removed.unwrap());
    commit(work).await;

    let mut work = begin(store, &company).await;
    let interviews = work.interviews();
    assert_eq!(interviews.answer(answer.id).await.unwrap(), None);
    assert_eq!(interviews.answer_revisions(answer.id).await.unwrap(), []);
}
