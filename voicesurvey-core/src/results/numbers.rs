//! Numbers that were answered: mean, median, histogram, net promoter score. All exact.

use std::collections::BTreeMap;

use rust_decimal::prelude::ToPrimitive as _;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::Serialize;

/// So many different numbers of one question are remembered at most.
pub const MOST_VALUES: usize = 10_000;

/// So many bars a histogram has at most.
const MOST_BINS: i64 = 20;

/// To so many decimals; what lies half-way goes away from zero, as people and spreadsheets round. Every
/// figure that is told goes through here.
pub fn rounded(exact: Decimal, decimals: u32) -> Decimal {
    exact.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}

/// `part` of `whole`, to four decimals; `None` when there is nothing to divide by.
pub fn share(part: u64, whole: u64) -> Option<Decimal> {
    let exact = Decimal::from(part).checked_div(Decimal::from(whole))?;
    Some(rounded(exact, 4))
}

/// Numbers while they are being added up.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    count: u64,
    /// `None` once it has become too large to be told.
    sum: Option<Decimal>,
    ends: Option<(Decimal, Decimal)>,
    /// How often each was given; `None` once there are too many.
    counted: Option<BTreeMap<Decimal, u64>>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            count: 0,
            sum: Some(Decimal::ZERO),
            ends: None,
            counted: Some(BTreeMap::new()),
        }
    }
}

impl Numbers {
    pub(super) fn add(&mut self, number: Decimal) {
        let number = number.normalize();
        self.count += 1;
        self.sum = self.sum.and_then(|sum| sum.checked_add(number));
        let (smallest, largest) = self.ends.unwrap_or((number, number));
        self.ends = Some((smallest.min(number), largest.max(number)));
        if let Some(counted) = &mut self.counted {
            *counted.entry(number).or_default() += 1;
            if counted.len() > MOST_VALUES {
                self.counted = None;
            }
        }
    }

    /// To two decimals.
    pub(super) fn mean(&self) -> Option<Decimal> {
        let mean = self.sum?.checked_div(Decimal::from(self.count))?;
        Some(rounded(mean, 2))
    }

    pub(super) fn smallest(&self) -> Option<Decimal> {
        self.ends.map(|(smallest, _)| smallest)
    }

    pub(super) fn largest(&self) -> Option<Decimal> {
        self.ends.map(|(_, largest)| largest)
    }

    pub(super) const fn has_too_many(&self) -> bool {
        self.counted.is_none()
    }

    /// How often each was given.
    pub(super) const fn counted(&self) -> Option<&BTreeMap<Decimal, u64>> {
        self.counted.as_ref()
    }
}

/// The number in the middle; between two of them, what lies half-way.
pub(super) fn median(counted: &BTreeMap<Decimal, u64>) -> Option<Decimal> {
    let count: u64 = counted.values().sum();
    let last = count.checked_sub(1)?;
    let at = |place: u64| {
        let mut passed = 0;
        counted.iter().find_map(|(number, count)| {
            passed += count;
            (passed > place).then_some(*number)
        })
    };
    let (low, high) = (at(last / 2)?, at(count / 2)?);
    let half = (high.checked_sub(low)?).checked_div(Decimal::TWO)?;
    Some(low.checked_add(half)?.normalize())
}

/// One bar of a histogram.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// The smallest number that belongs to it.
    pub from: Decimal,
    /// The smallest that does not any more.
    pub below: Decimal,
    /// How many numbers do.
    pub count: u64,
}

/// Bars of equal width, of which there are few: widths are 1, 2 or 5 and a power of ten, and never
/// narrower than needed to tell whole numbers apart when all are whole.
pub(super) fn histogram(counted: &BTreeMap<Decimal, u64>) -> Vec<Bin> {
    bins(counted).unwrap_or_default()
}

/// `None` when there are no numbers, or such as nobody can divide.
fn bins(counted: &BTreeMap<Decimal, u64>) -> Option<Vec<Bin>> {
    let (smallest, largest) = (*counted.first_key_value()?.0, *counted.last_key_value()?.0);
    let is_whole = counted.keys().all(Decimal::is_integer);
    let widths = (-6_i64..=24).flat_map(|power| [1, 2, 5].map(|digit| (digit, power)));
    let width = widths
        .filter_map(|(digit, power)| width(digit, power))
        .filter(|width| !is_whole || *width >= Decimal::ONE)
        .find(|width| {
            let first = place(smallest, *width);
            let last = place(largest, *width);
            let spread = first
                .zip(last)
                .and_then(|(first, last)| last.checked_sub(first));
            spread.is_some_and(|spread| spread < MOST_BINS)
        })?;
    let first = place(smallest, width)?;
    let last = place(largest, width)?;
    let edge = |place: i64| {
        Decimal::from(place)
            .checked_mul(width)
            .map(|edge| edge.normalize())
    };
    let mut bins = (first..=last)
        .map(|place| {
            Some(Bin {
                from: edge(place)?,
                below: edge(place + 1)?,
                count: 0,
            })
        })
        .collect::<Option<Vec<Bin>>>()?;
    for (number, count) in counted {
        let index = usize::try_from(place(*number, width)? - first).ok()?;
        bins.get_mut(index)?.count += count;
    }
    Some(bins)
}

fn width(digit: i64, power: i64) -> Option<Decimal> {
    if power < 0 {
        return Some(Decimal::new(digit, u32::try_from(-power).ok()?));
    }
    let ten = Decimal::TEN;
    (0..power).try_fold(Decimal::from(digit), |width, _| width.checked_mul(ten))
}

/// In which bar of that width a number stands; 0 begins at zero.
fn place(number: Decimal, width: Decimal) -> Option<i64> {
    number.checked_div(width)?.floor().to_i64()
}

/// How many would recommend: of those who gave 9 or 10, less those who gave 6 or less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NetPromoterScore {
    /// Who gave 9 or 10.
    pub promoters: u64,
    /// Who gave 7 or 8.
    pub passives: u64,
    /// Who gave 0 to 6.
    pub detractors: u64,
    /// Promoters less detractors, in hundredths of all, from -100 to 100, to one decimal.
    pub score: Decimal,
}

impl NetPromoterScore {
    /// The score of marks from 0 to 10; `None` without any.
    pub(super) fn of(counted: &BTreeMap<Decimal, u64>) -> Option<Self> {
        let within = |from: i64, to: i64| -> u64 {
            let marks = counted.range(Decimal::from(from)..=Decimal::from(to));
            marks.map(|(_, count)| count).sum()
        };
        let (promoters, passives, detractors) = (within(9, 10), within(7, 8), within(0, 6));
        let all = Decimal::from(promoters + passives + detractors);
        let difference = Decimal::from(promoters) - Decimal::from(detractors);
        let score = (difference * Decimal::ONE_HUNDRED).checked_div(all)?;
        Some(Self {
            promoters,
            passives,
            detractors,
            score: rounded(score, 1),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(numbers: &[&str]) -> BTreeMap<Decimal, u64> {
        let mut counted = BTreeMap::new();
        for number in numbers {
            let number: Decimal = number.parse().unwrap();
            *counted.entry(number).or_default() += 1;
        }
        counted
    }

    fn bars(numbers: &[&str]) -> Vec<String> {
        let bars = histogram(&counted(numbers)).into_iter();
        bars.filter(|bar| bar.count > 0)
            .map(|bar| format!("{}..{} {}", bar.from, bar.below, bar.count))
            .collect()
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        let median = |numbers: &[&str]| median(&counted(numbers)).map(|median| median.to_string());
        assert_eq!(median(&[]), None);
        assert_eq!(median(&["7"]).unwrap(), "7");
        assert_eq!(median(&["1", "2"]).unwrap(), "1.5");
        assert_eq!(median(&["-3", "1", "1", "9"]).unwrap(), "1");
        assert_eq!(median(&["1", "2", "3", "10"]).unwrap(), "2.5");
    }

    /// As a spreadsheet says: seven fours and a five are 4.125.
    #[test]
    fn what_lies_half_way_is_rounded_away_from_zero() {
        let mean = |numbers: &[i64]| {
            let mut sum = Numbers::default();
            for number in numbers {
                sum.add(Decimal::from(*number));
            }
            sum.mean().unwrap().to_string()
        };
        assert_eq!(mean(&[4, 4, 4, 4, 4, 4, 4, 5]), "4.13");
        assert_eq!(mean(&[-4, -4, -4, -4, -4, -4, -4, -5]), "-4.13");
        assert_eq!(share(1, 32).unwrap().to_string(), "0.0313");
    }

    #[test]
    fn a_histogram_has_few_bars_of_round_widths() {
        assert_eq!(bars(&[]), [""; 0]);
        assert_eq!(bars(&["5"]), ["5..6 1"]);
        assert_eq!(bars(&["1", "2", "2"]), ["1..2 1", "2..3 2"]);
        assert_eq!(bars(&["18", "19", "97"]), ["15..20 2", "95..100 1"]);
        assert_eq!(bars(&["-1", "0", "1"]), ["-1..0 1", "0..1 1", "1..2 1"]);
        assert_eq!(bars(&["0.5", "1.25"]), ["0.5..0.55 1", "1.25..1.3 1"]);
        let wide = ["-999999999999", "999999999999"];
        assert!(histogram(&counted(&wide)).len() <= 20);
        let beyond = [Decimal::MAX.to_string(), Decimal::MIN.to_string()];
        let beyond = histogram(&counted(&beyond.each_ref().map(String::as_str)));
        assert!(beyond.len() <= 20);
    }

    #[test]
    fn who_would_recommend_is_told_from_who_would_not() {
        let score = NetPromoterScore::of(&counted(&["10", "9", "8", "0"])).unwrap();
        let groups = (score.promoters, score.passives, score.detractors);
        assert_eq!(
            (groups, score.score.to_string()),
            ((2, 1, 1), "25".to_owned())
        );
        let worst = NetPromoterScore::of(&counted(&["0", "6", "6"])).unwrap();
        assert_eq!(worst.score, Decimal::from(-100));
        assert_eq!(NetPromoterScore::of(&counted(&[])), None);
    }

    #[test]
    fn more_different_numbers_than_are_remembered_still_have_a_mean() {
        let mut numbers = Numbers::default();
        for number in 0..=MOST_VALUES {
            assert!(!numbers.has_too_many());
            numbers.add(Decimal::from(number));
        }
        assert!(numbers.has_too_many());
        assert_eq!(numbers.mean(), Some(Decimal::from(MOST_VALUES / 2)));
        assert_eq!(numbers.largest(), Some(Decimal::from(MOST_VALUES)));
        assert_eq!(numbers.counted(), None);
    }
}
