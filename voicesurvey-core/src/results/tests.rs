mod cells;

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use rust_decimal::Decimal;

use super::*;
use crate::call_attempt::{AttemptState, CallAttempt};
use crate::call_task::TaskState;
use crate::contact_record::{CallRecord, QuestionAsked};
use crate::conversation::{Answer, AnswerResult};
use crate::outcome::Outcome;
use crate::rates::{Dispositions, Group};
use crate::survey::{AnswerValue, ChoiceOption};
use crate::testing::samples::{self, SampleTask as _};

const KEYS: [&str; 5] = ["words", "age", "score", "again", "colour"];

fn questions() -> Vec<Question> {
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![format!("{key}ish")],
    };
    let kinds = [
        QuestionKind::FreeText,
        QuestionKind::Numeric {
            min: None,
            max: None,
            decimals: true,
        },
        QuestionKind::Scale {
            min: 0,
            max: 10,
            labels: Vec::new(),
        },
        QuestionKind::YesNo,
        QuestionKind::Choice {
            options: ["red", "blue"].map(option).into(),
        },
    ];
    let questions = KEYS.iter().zip(kinds);
    questions
        .map(|(key, kind)| Question {
            key: (*key).to_owned(),
            text: format!("{key}?"),
            kind,
            required: false,
            retries: 2,
            show_if: None,
        })
        .collect()
}

/// What is random about somebody.
#[derive(Clone, Debug)]
struct Person {
    region: Option<&'static str>,
    is_final: bool,
    /// The outcome of each call, none of one in progress, and the questions asked in it.
    calls: Vec<(Option<Outcome>, Vec<usize>)>,
    /// The question, its result, the repeats, and after how many milliseconds.
    answers: Vec<(usize, AnswerResult, u8, i64)>,
    response: Option<bool>,
}

fn value(question: usize, seed: i64) -> AnswerValue {
    match question {
        0 => AnswerValue::Text(format!("words {seed}")),
        1 => AnswerValue::Number(Decimal::new(seed * 25, 2)),
        2 => AnswerValue::Number(Decimal::from(seed.rem_euclid(11))),
        3 => AnswerValue::YesNo(seed % 2 == 0),
        _ => AnswerValue::Choice(if seed % 3 == 0 { "red" } else { "blue" }.to_owned()),
    }
}

fn answer() -> impl Strategy<Value = (usize, AnswerResult, u8, i64)> {
    let results = (0..KEYS.len(), -20_i64..80, 0..8, 0_u8..3, 0_i64..9_000);
    results.prop_map(|(question, seed, kind, repeats, milliseconds)| {
        let result = match kind {
            0 => AnswerResult::Skipped,
            1 => AnswerResult::DontKnow,
            2 => AnswerResult::NotUnderstood,
            _ => AnswerResult::Answered {
                value: value(question, seed),
            },
        };
        (question, result, repeats, milliseconds)
    })
}

prop_compose! {
    fn person()(
        region in option::of(select(vec!["north", "south", "10", "2"])),
        is_final in any::<bool>(),
        calls in vec((option::of(select(Outcome::ALL)), vec(0..KEYS.len(), 0..4)), 0..4),
        answers in vec(answer(), 0..5),
        response in option::of(any::<bool>()),
    ) -> Person {
        Person { region, is_final, calls, answers, response }
    }
}

fn attempt(record: &ContactRecord, number: u16, outcome: Option<Outcome>) -> CallAttempt {
    let at = samples::now();
    let id = samples::id();
    let mut attempt = CallAttempt::created(id, &record.task, "simulated", at, at, at);
    attempt.number = number;
    attempt.outcome = outcome;
    if outcome.is_some() {
        attempt.state = AttemptState::Ended;
    }
    attempt
}

fn record(person: &Person) -> ContactRecord {
    let campaign = samples::campaign(&samples::company());
    let state = if person.is_final {
        TaskState::NotReached
    } else {
        TaskState::Retry {
            due_at: samples::now(),
        }
    };
    let mut task = samples::task(&campaign, "+393471234567").in_state(state);
    if let Some(region) = person.region {
        let extra = &mut task.contact.extra;
        extra.insert("region".to_owned(), region.to_owned());
    }
    let mut record = ContactRecord {
        task,
        calls: Vec::new(),
        answers: Vec::new(),
        revisions: Vec::new(),
        response: None,
    };
    for (number, (outcome, asked)) in (1..).zip(&person.calls) {
        let attempt = attempt(&record, number, *outcome);
        let distinct: BTreeSet<&usize> = asked.iter().collect();
        let asked = distinct.into_iter().map(|question| QuestionAsked {
            attempt_id: attempt.id,
            question_key: KEYS[*question].to_owned(),
            first_at: samples::now(),
        });
        let asked = asked.collect();
        let call = CallRecord::new(attempt);
        record.calls.push(CallRecord { asked, ..call });
    }
    let ended = record.calls.iter().filter_map(|call| call.attempt.outcome);
    record.task.outcome = ended.reduce(Outcome::or_stronger);
    let Some(last) = record.calls.last().map(|call| call.attempt.clone()) else {
        return record;
    };
    for (question, result, repeats, milliseconds) in &person.answers {
        let key = KEYS[*question];
        if record.answer(key).is_none() {
            let turn = samples::turn(&last, 1);
            record.answers.push(Answer {
                result: result.clone(),
                repeats: *repeats,
                at: samples::now() + TimeDelta::milliseconds(*milliseconds),
                ..samples::answer(&last, &turn, key)
            });
        }
    }
    record.response = person
        .response
        .map(|complete| crate::conversation::SurveyResponse {
            complete,
            ..samples::response(&last)
        });
    record
}

fn results(records: &[ContactRecord], breakdown: Option<&Breakdown>) -> Results {
    let questions = questions();
    let mut tally = Tally::new(&questions, Language::It, &[], breakdown).unwrap();
    for record in records {
        tally.add(record).unwrap();
    }
    tally.finish()
}

/// The median of all numbers, sorted.
fn naive_median(mut numbers: Vec<Decimal>) -> Option<Decimal> {
    numbers.sort();
    let middle = numbers.len() / 2;
    let high = *numbers.get(middle)?;
    let low = if numbers.len().is_multiple_of(2) {
        numbers[middle - 1]
    } else {
        high
    };
    Some((low + high) / Decimal::TWO)
}

fn count(answers: &[&Answer], name: &str) -> u64 {
    let of = answers.iter().filter(|answer| answer.result.name() == name);
    of.count() as u64
}

/// Up from the middle.
fn naive_rounded(positive: Decimal, digits: u32) -> Decimal {
    let half = Decimal::new(5, digits + 1);
    (positive + half).trunc_with_scale(digits)
}

fn naive_share(part: u64, whole: u64) -> Option<Decimal> {
    let share = Decimal::from(part).checked_div(Decimal::from(whole))?;
    Some(naive_rounded(share, 4))
}

/// The score of a scale from 0 to 10, and of nothing else.
fn assert_as_scored_one_by_one(result: &QuestionResult, numbers: &[Decimal]) {
    let Some(score) = result.net_promoter_score else {
        assert!(result.key != "score" || numbers.is_empty());
        return;
    };
    assert_eq!(result.key, "score");
    let at_least = |mark: u64| {
        let marks = numbers.iter().filter(|given| **given >= mark.into());
        marks.count() as u64
    };
    let groups = (score.promoters, score.passives, score.detractors);
    let (nine, seven, all) = (at_least(9), at_least(7), at_least(0));
    assert_eq!(groups, (nine, seven - nine, all - seven));
    let of_hundred = |count: u64| Decimal::from(100 * count) / Decimal::from(all);
    let difference = of_hundred(nine) - of_hundred(all - seven);
    assert!((score.score - difference).abs() <= Decimal::new(5, 2));
}

fn assert_as_counted_one_by_one(records: &[ContactRecord], result: &QuestionResult) {
    let key = &result.key;
    let answers: Vec<&Answer> = records
        .iter()
        .filter_map(|record| {
            record
                .answers
                .iter()
                .find(|answer| answer.question_key == *key)
        })
        .collect();
    let was_asked = |record: &&ContactRecord| {
        let mut asked = record.calls.iter().flat_map(|call| &call.asked);
        asked.any(|asked| asked.question_key == *key) || record.answer(key).is_some()
    };
    assert_eq!(
        result.asked,
        records.iter().filter(was_asked).count() as u64
    );
    assert_eq!(result.answered, count(&answers, "answered"));
    assert_eq!(result.skipped, count(&answers, "skipped"));
    assert_eq!(result.dont_know, count(&answers, "dont_know"));
    assert_eq!(result.not_understood, count(&answers, "not_understood"));
    let repeats = answers.iter().map(|answer| u64::from(answer.repeats));
    assert_eq!(result.repeats, repeats.sum::<u64>());
    let numbers: Vec<Decimal> = answers
        .iter()
        .filter_map(|answer| match answer.result.value()? {
            AnswerValue::Number(number) => Some(*number),
            _ => None,
        })
        .collect();
    assert_eq!(result.smallest, numbers.iter().min().copied());
    assert_eq!(result.largest, numbers.iter().max().copied());
    let mean = numbers
        .iter()
        .sum::<Decimal>()
        .checked_div(Decimal::from(numbers.len()));
    assert_eq!(
        result.mean.map(|mean| mean.abs()),
        mean.map(|mean| naive_rounded(mean.abs(), 2))
    );
    let is_below_zero =
        |mean: Option<Decimal>| mean.is_some_and(|mean| mean <= Decimal::new(-5, 3));
    assert_eq!(is_below_zero(result.mean), is_below_zero(mean));
    let in_bars: u64 = result.histogram.iter().map(|bin| bin.count).sum();
    if result.kind == "numeric" {
        assert_eq!(in_bars, numbers.len() as u64);
    }
    for bin in &result.histogram {
        let inside = numbers
            .iter()
            .filter(|number| bin.from <= **number && **number < bin.below);
        assert_eq!(bin.count, inside.count() as u64, "{bin:?}");
    }
    assert_as_scored_one_by_one(result, &numbers);
    assert_eq!(result.median, naive_median(numbers));
    let left = result.refused + result.left;
    assert_eq!(result.drop_off, naive_share(left, result.asked));
    assert_eq!(
        result.median_seconds,
        naive_median_seconds(records, &answers)
    );
    for share in &result.distribution {
        let given = answers.iter().filter(|answer| {
            let value = answer.result.value();
            value.is_some_and(|value| value.to_text() == share.value)
        });
        assert_eq!(share.count, given.count() as u64, "{share:?}");
    }
}

/// From when a question was first put until its answer was taken, in the same call.
fn naive_median_seconds(records: &[ContactRecord], answers: &[&Answer]) -> Option<Decimal> {
    let seconds = answers.iter().filter_map(|answer| {
        let mut calls = records.iter().flat_map(|record| &record.calls);
        let call = calls.find(|call| call.attempt.id == answer.attempt_id)?;
        let mut asked = call.asked.iter();
        let asked = asked.find(|asked| asked.question_key == answer.question_key)?;
        let milliseconds = (answer.at - asked.first_at).num_milliseconds();
        Some(naive_rounded(Decimal::new(milliseconds, 3), 1))
    });
    let median = naive_median(seconds.collect());
    median.map(|median| naive_rounded(median, 2))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Everybody who was asked stands in one place, and all is as if counted one by one.
    #[test]
    fn results_are_what_counting_one_by_one_gives(people in vec(person(), 0..30)) {
        let records: Vec<ContactRecord> = people.iter().map(record).collect();
        let Results { all, groups } = results(&records, None);
        prop_assert_eq!(groups, []);
        prop_assert_eq!(all.contacts, records.len() as u64);
        let mut cases = Dispositions::default();
        for record in &records {
            cases.add(Case::of(record));
        }
        let interviews = (cases.of(Group::Complete), cases.of(Group::Partial));
        prop_assert_eq!((all.complete, all.partial), interviews);
        for result in &all.questions {
            let known = result.answered + result.skipped + result.dont_know + result.not_understood;
            let unknown = result.refused + result.left + result.open;
            prop_assert_eq!(known + unknown, result.asked);
            let distributed: u64 = result.distribution.iter().map(|value| value.count).sum();
            let has_values = !matches!(result.kind, "free_text" | "numeric");
            prop_assert_eq!(distributed, if has_values { result.answered } else { 0 });
            assert_as_counted_one_by_one(&records, result);
        }
    }

    /// In whatever order and parts the records come, the results are the same; and those of the
    /// groups are those of their people.
    #[test]
    fn results_depend_on_the_people_alone(
        (records, shuffled) in vec(person(), 0..20).prop_flat_map(|people| {
            let records: Vec<ContactRecord> = people.iter().map(record).collect();
            (Just(records.clone()), Just(records).prop_shuffle())
        }),
        breakdown in select(vec![
            Breakdown::Column("region".to_owned()),
            Breakdown::Question("score".to_owned()),
            Breakdown::Language,
        ]),
    ) {
        let found = results(&records, Some(&breakdown));
        prop_assert_eq!(&found, &results(&shuffled, Some(&breakdown)));
        let contacts: u64 = found.groups.iter().map(|group| group.contacts).sum();
        prop_assert_eq!(contacts, found.all.contacts);
        for group in &found.groups {
            let questions = questions();
            let tally = Tally::new(&questions, Language::It, &[], None).unwrap();
            let of_group = |record: &&ContactRecord| {
                tally.values_of(record, &breakdown) == std::slice::from_ref(&group.value)
            };
            let own: Vec<ContactRecord> = records.iter().filter(of_group).cloned().collect();
            let alone = results(&own, None).all;
            prop_assert_eq!(&alone.questions, &group.questions);
        }
    }
}

fn fate(calls: &[(Option<Outcome>, &[usize])], is_final: bool) -> Option<&'static str> {
    let calls = calls
        .iter()
        .map(|(outcome, asked)| (*outcome, asked.to_vec()));
    let record = record(&Person {
        region: None,
        is_final,
        calls: calls.collect(),
        answers: Vec::new(),
        response: None,
    });
    Some(match Fate::of(&record, KEYS[1])? {
        Fate::Dealt(_) => "dealt",
        Fate::Refused => "refused",
        Fate::Left => "left",
        Fate::Open => "open",
    })
}

#[test]
fn who_was_asked_and_did_not_answer_refused_left_or_is_asked_again() {
    let (asked, not_asked): (&[usize], &[usize]) = (&[0, 1], &[0]);
    assert_eq!(fate(&[], false), None);
    assert_eq!(fate(&[(Some(Outcome::Partial), not_asked)], true), None);
    assert_eq!(fate(&[(None, asked)], false), Some("open"));
    assert_eq!(fate(&[(Some(Outcome::Partial), asked)], true), Some("left"));
    assert_eq!(
        fate(&[(Some(Outcome::OptedOut), asked)], true),
        Some("refused")
    );
    let interrupted = (Some(Outcome::Interrupted), asked);
    assert_eq!(fate(&[interrupted], false), Some("open"));
    assert_eq!(fate(&[interrupted], true), Some("left"));
    let refused = (Some(Outcome::Refused), not_asked);
    assert_eq!(fate(&[interrupted, refused], true), Some("left"));
    let no_answer = (Some(Outcome::NoAnswer), not_asked);
    assert_eq!(fate(&[interrupted, no_answer], false), Some("open"));
}

#[test]
fn groups_come_in_the_order_of_their_values() {
    let regions = [Some("south"), Some("10"), None, Some("2"), Some("north")];
    let records: Vec<ContactRecord> = regions
        .into_iter()
        .map(|region| {
            record(&Person {
                region,
                is_final: true,
                calls: Vec::new(),
                answers: Vec::new(),
                response: None,
            })
        })
        .collect();
    let by = Breakdown::Column("region".to_owned());
    let groups = results(&records, Some(&by)).groups.into_iter();
    let values: Vec<_> = groups
        .map(|group| group.value.unwrap_or_default())
        .collect();
    assert_eq!(values, ["2", "10", "north", "south", ""]);
}

/// Somebody whose list says nothing and who was not called, in these cells.
fn in_cells(cells: &[u16]) -> ContactRecord {
    let mut somebody = record(&Person {
        region: None,
        is_final: true,
        calls: Vec::new(),
        answers: Vec::new(),
        response: None,
    });
    somebody.task.cells = cells.iter().copied().collect();
    somebody
}

#[test]
fn a_breakdown_that_nobody_could_read_is_refused() {
    let questions = questions();
    let new = |by: &Breakdown| Tally::new(&questions, Language::It, &[], Some(by)).map(|_| ());
    let question = |key: &str| Breakdown::Question(key.to_owned());
    assert!(matches!(
        new(&question("q9")),
        Err(BreakdownError::UnknownQuestion(_))
    ));
    assert!(matches!(
        new(&question("words")),
        Err(BreakdownError::FreeText(_))
    ));
    assert_eq!(new(&Breakdown::Cell), Err(BreakdownError::NoCells));
    let by = Breakdown::Column("region".to_owned());
    let mut tally = Tally::new(&questions, Language::It, &[], Some(&by)).unwrap();
    let mut somebody = in_cells(&[]);
    for number in 0..Tally::MOST_GROUPS {
        let extra = &mut somebody.task.contact.extra;
        extra.insert("region".to_owned(), number.to_string());
        tally.add(&somebody).unwrap();
        tally.add(&somebody).unwrap();
    }
    let extra = &mut somebody.task.contact.extra;
    extra.insert("region".to_owned(), "one more".to_owned());
    assert_eq!(tally.add(&somebody), Err(BreakdownError::TooManyGroups));
}
