//! One question: what became of it, person by person, and what that adds up to.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::numbers::{Bin, NetPromoterScore, Numbers, rounded, share};
use crate::contact_record::{CallRecord, ContactRecord};
use crate::conversation::{Answer, AnswerResult};
use crate::outcome::Outcome;
use crate::survey::{AnswerValue, Question, QuestionKind};

/// What became of a question for somebody to whom it was put.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate<'r> {
    /// Something is stored, as it stands now.
    Dealt(&'r Answer),
    /// The person refused the interview or opted out when it was asked.
    Refused,
    /// The call ended when it was asked, and nobody asks again.
    Left,
    /// It is being asked now, or the interview is to be continued.
    Open,
}

impl<'r> Fate<'r> {
    /// What became of that question; `None` when it was not put to the person.
    pub fn of(record: &'r ContactRecord, question_key: &str) -> Option<Self> {
        if let Some(answer) = record.answer(question_key) {
            return Some(Self::Dealt(answer));
        }
        let asks = |call: &&CallRecord| {
            let mut asked = call.asked.iter();
            asked.any(|asked| asked.question_key == question_key)
        };
        let call = record.calls.iter().rev().find(asks)?;
        let is_continued = |outcome| {
            matches!(
                outcome,
                Outcome::Interrupted | Outcome::LineDropped | Outcome::CallBackRequested
            ) && !record.task.state.status().is_final()
        };
        Some(match call.attempt.outcome {
            _ if call.attempt.state.is_live() => Self::Open,
            Some(Outcome::Refused | Outcome::OptedOut) => Self::Refused,
            Some(outcome) if is_continued(outcome) => Self::Open,
            _ => Self::Left,
        })
    }
}

/// How often one value was given.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ValueShare {
    /// The value.
    pub value: String,
    /// What it is called, if it has a name of its own.
    pub label: Option<String>,
    /// How many gave it.
    pub count: u64,
    /// Of those who answered, to four decimals; absent when nobody did.
    pub share: Option<Decimal>,
}

/// What the answers to one question add up to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct QuestionResult {
    /// The question's key.
    pub key: String,
    /// Its text.
    pub text: String,
    /// Its type.
    pub kind: &'static str,
    /// To how many people it was put. The next eight add up to it.
    pub asked: u64,
    /// How many answered it.
    pub answered: u64,
    /// How many did not want to.
    pub skipped: u64,
    /// How many did not know.
    pub dont_know: u64,
    /// How many were not understood.
    pub not_understood: u64,
    /// How many refused the interview or opted out when it was asked.
    pub refused: u64,
    /// How many left when it was asked: hung up, or the line dropped for good.
    pub left: u64,
    /// How many are being asked now, or are called again to be asked.
    pub open: u64,
    /// Of how many it is not kept any longer what they said.
    pub forgotten: u64,
    /// How often it was asked again, of those for whom something is stored.
    pub repeats: u64,
    /// The median of the seconds from the beginning of the question to its answer, each to a tenth.
    pub median_seconds: Option<Decimal>,
    /// Of those who were asked, those who refused or left; to four decimals.
    pub drop_off: Option<Decimal>,
    /// How often each value was given; for free text this stays empty.
    pub values: BTreeMap<String, u64>,
    /// The same with shares: every option and mark, also those that nobody chose, in their order.
    /// Empty for free text and for numbers without a scale.
    pub distribution: Vec<ValueShare>,
    /// The mean of the numbers, to two decimals; `None` without numbers.
    pub mean: Option<Decimal>,
    /// The median of the numbers.
    pub median: Option<Decimal>,
    /// The smallest number.
    pub smallest: Option<Decimal>,
    /// The largest number.
    pub largest: Option<Decimal>,
    /// How the numbers of a numeric question lie; empty for other types.
    pub histogram: Vec<Bin>,
    /// The score of a scale from 0 to 10.
    pub net_promoter_score: Option<NetPromoterScore>,
    /// Whether more different numbers were given than are remembered: then values, median and
    /// histogram are missing.
    pub has_too_many_values: bool,
}

/// A question's result while it is being added up.
#[derive(Clone, Debug, Default)]
pub(super) struct QuestionTally {
    result: QuestionResult,
    numbers: Numbers,
    /// Tenths of seconds, and how many needed so long.
    tenths: BTreeMap<i64, u64>,
}

/// Nobody thinks longer about an answer, in tenths of seconds; so many different times are
/// remembered at most.
const LONGEST_TENTHS: i64 = 36_000;

impl QuestionTally {
    pub(super) fn add(&mut self, record: &ContactRecord, fate: Fate<'_>) {
        let result = &mut self.result;
        result.asked += 1;
        match fate {
            Fate::Dealt(answer) => self.add_answer(record, answer),
            Fate::Refused => result.refused += 1,
            Fate::Left => result.left += 1,
            Fate::Open => result.open += 1,
        }
    }

    fn add_answer(&mut self, record: &ContactRecord, answer: &Answer) {
        let result = &mut self.result;
        result.repeats += u64::from(answer.repeats);
        if let Some(tenths) = tenths(record, answer) {
            *self.tenths.entry(tenths).or_default() += 1;
        }
        match &answer.result {
            AnswerResult::Answered { value } => {
                result.answered += 1;
                match value {
                    AnswerValue::Number(number) => self.numbers.add(*number),
                    AnswerValue::Text(_) => {}
                    AnswerValue::YesNo(_) | AnswerValue::Choice(_) => {
                        *result.values.entry(value.to_text()).or_default() += 1;
                    }
                }
            }
            AnswerResult::Skipped => result.skipped += 1,
            AnswerResult::DontKnow => result.dont_know += 1,
            AnswerResult::NotUnderstood => result.not_understood += 1,
            AnswerResult::Forgotten => result.forgotten += 1,
        }
    }

    pub(super) fn finish(self, question: &Question) -> QuestionResult {
        let Self {
            mut result,
            numbers,
            tenths,
        } = self;
        result.key.clone_from(&question.key);
        result.text.clone_from(&question.text);
        result.kind = question.kind.name();
        result.drop_off = share(result.refused + result.left, result.asked);
        let seconds: BTreeMap<Decimal, u64> = tenths
            .into_iter()
            .map(|(tenths, count)| (Decimal::new(tenths, 1), count))
            .collect();
        let median_seconds = super::numbers::median(&seconds);
        result.median_seconds = median_seconds.map(|median| rounded(median, 2));
        result.mean = numbers.mean();
        result.smallest = numbers.smallest();
        result.largest = numbers.largest();
        result.has_too_many_values = numbers.has_too_many();
        if let Some(counted) = numbers.counted() {
            result.median = super::numbers::median(counted);
            let values = counted.iter();
            let values = values.map(|(number, count)| (number.to_string(), *count));
            result.values.extend(values);
            match question.kind {
                QuestionKind::Numeric { .. } => {
                    result.histogram = super::numbers::histogram(counted);
                }
                QuestionKind::Scale {
                    min: 0, max: 10, ..
                } => {
                    result.net_promoter_score = NetPromoterScore::of(counted);
                }
                _ => {}
            }
        }
        result.distribution = distribution(&question.kind, &result.values, result.answered);
        result
    }
}

/// How long it took from the question to its answer; `None` when it is not known when the question
/// was asked.
fn tenths(record: &ContactRecord, answer: &Answer) -> Option<i64> {
    let call = record.call(answer.attempt_id)?;
    let mut asked = call.asked.iter();
    let asked = asked.find(|asked| asked.question_key == answer.question_key)?;
    let milliseconds = (answer.at - asked.first_at).num_milliseconds();
    let tenths = (milliseconds + 50).div_euclid(100);
    Some(tenths.clamp(0, LONGEST_TENTHS))
}

/// The most marks of a scale that are all shown.
const MOST_MARKS: i64 = 101;

/// Every option with its share, and then whatever else is stored.
fn distribution(
    kind: &QuestionKind,
    values: &BTreeMap<String, u64>,
    answered: u64,
) -> Vec<ValueShare> {
    let known: Vec<(String, Option<String>)> = match kind {
        QuestionKind::FreeText | QuestionKind::Numeric { .. } => return Vec::new(),
        QuestionKind::YesNo => ["yes", "no"].map(|value| (value.to_owned(), None)).into(),
        QuestionKind::Choice { options } => options
            .iter()
            .map(|option| (option.key.clone(), option.say.first().cloned()))
            .collect(),
        QuestionKind::Scale { min, max, labels } => {
            let label = |mark: i64| {
                let mut labels = labels.iter();
                labels
                    .find(|label| label.value == mark)?
                    .say
                    .first()
                    .cloned()
            };
            // A longer scale shows what was given.
            let is_shown = max.saturating_sub(*min) < MOST_MARKS;
            let marks = (*min..=*max).take_while(|_| is_shown);
            marks.map(|mark| (mark.to_string(), label(mark))).collect()
        }
    };
    let others = values
        .keys()
        .filter(|value| !known.iter().any(|(known, _)| known == *value))
        .map(|value| (value.clone(), None))
        .collect::<Vec<_>>();
    let all = known.into_iter().chain(others);
    all.map(|(value, label)| {
        let count = values.get(&value).copied().unwrap_or(0);
        ValueShare {
            share: share(count, answered),
            value,
            label,
            count,
        }
    })
    .collect()
}
