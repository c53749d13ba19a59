//! Decides what the numbers of an utterance mean for a question with bounds.

use rust_decimal::Decimal;

use super::lexicon::Meaning;
use super::mentions::{Mention, Settled, is_corrected, settle};
use super::numbers::Number;
use super::reading::Reading;
use super::{MOST_UNEXPLAINED_WORDS, NEARLY_WHOLE};

/// Most answers that are offered back to choose from.
const MOST_CANDIDATES: usize = 4;

/// What a question accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) min: Option<Decimal>,
    pub(super) max: Option<Decimal>,
    pub(super) decimals: bool,
    /// Both ends are known to the listener, so "the highest" and "out of five" mean something.
    pub(super) is_scale: bool,
}

impl Bounds {
    /// Whether a number is within the bounds.
    pub(super) fn include(&self, value: Decimal) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// What the numbers mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Within the bounds. `unexplained` words carry meaning besides the number.
    Value {
        value: Decimal,
        unexplained: usize,
    },
    /// Probably this number, misheard as another word.
    Homophone(Decimal),
    OutOfRange(Decimal),
    Several(Vec<Decimal>),
    /// Numbers were said, but none that answers.
    Unclear,
}

/// Decides what was meant; `None` if nothing speaks of a number.
pub(super) fn decide(reading: &Reading, numbers: &[Number], bounds: &Bounds) -> Option<Meant> {
    let numbers = without_articles(reading, numbers, bounds);
    if numbers.is_empty() {
        return end_of_scale(reading, bounds).or_else(|| homophone(reading, bounds));
    }
    if unexplained(reading, &numbers) > MOST_UNEXPLAINED_WORDS
        || numbers.iter().any(|number| number.compared)
    {
        return Some(Meant::Unclear);
    }
    if let Some((value, of)) = share(reading, &numbers) {
        let same_scale = bounds.max == Some(of);
        return Some(if same_scale {
            meant(&[value], bounds, 0)
        } else {
            Meant::Unclear
        });
    }
    let mentions: Vec<_> = numbers
        .iter()
        .map(|number| Mention {
            value: number.value,
            start: number.start,
            end: number.end,
        })
        .collect();
    let unexplained = unexplained(reading, &numbers);
    Some(match settle(reading, &mentions) {
        Settled::Nothing => Meant::Unclear,
        Settled::One(value) => meant(&[value], bounds, unexplained),
        Settled::Several(values) => meant(&values, bounds, unexplained),
    })
}

/// Checks values against the bounds; without decimals, a half becomes its two neighbours.
fn meant(values: &[Decimal], bounds: &Bounds, unexplained: usize) -> Meant {
    let in_range = values
        .iter()
        .copied()
        .filter(|value| bounds.include(*value));
    let mut possible: Vec<Decimal> = Vec::new();
    for value in in_range {
        let neighbours = if bounds.decimals {
            [value, value]
        } else {
            [value.floor(), value.ceil()]
        };
        for neighbour in neighbours {
            if bounds.include(neighbour) && !possible.contains(&neighbour) {
                possible.push(neighbour);
            }
        }
    }
    possible.truncate(MOST_CANDIDATES);
    match (values, &possible[..]) {
        ([said], [value]) if said == value => Meant::Value {
            value: *value,
            unexplained,
        },
        ([said, ..], []) => Meant::OutOfRange(*said),
        _ => Meant::Several(possible),
    }
}

fn unexplained(reading: &Reading, numbers: &[Number]) -> usize {
    let said: usize = numbers
        .iter()
        .map(|number| reading.content_in(number.start, number.end))
        .sum();
    let signs = [
        Meaning::Of,
        Meaning::Or,
        Meaning::Between,
        Meaning::And,
        Meaning::Minus,
        Meaning::Negation,
        Meaning::Correction,
    ];
    let explained: usize = signs
        .into_iter()
        .flat_map(|meaning| reading.hits(meaning))
        .map(|hit| reading.content_in(hit.start, hit.end))
        .sum();
    reading.content().saturating_sub(said + explained)
}

/// Leaves out words such as "one" and `una` where they are no numbers.
fn without_articles(reading: &Reading, numbers: &[Number], bounds: &Bounds) -> Vec<Number> {
    let is_article = |index: usize| {
        let number = numbers[index];
        let counts_next = numbers.get(index + 1).is_some_and(|next| {
            next.start == number.end && !reading.text.starts_clause(next.start)
        });
        // `Un quattro`, `eine Vier`.
        number.weak && counts_next && reading.hit_at(Meaning::Article, number.start).is_some()
    };
    let possible: Vec<Number> = (0..numbers.len())
        .filter(|&index| !is_article(index))
        .map(|index| numbers[index])
        .filter(|number| !number.weak || !is_pronoun(reading, *number, numbers))
        .collect();
    let has_strong = possible.iter().any(|number| !number.weak);
    let is_tied = |index: usize| {
        let tied = |pair: &[Number]| corrects_directly(reading, pair[0].end, pair[1].start);
        let first = index.saturating_sub(1);
        possible[first..possible.len().min(index + 2)]
            .windows(2)
            .any(tied)
    };
    (0..possible.len())
        .filter(|&index| {
            let number = possible[index];
            !number.weak
                || is_tied(index)
                || is_number_after_all(reading, number, has_strong, bounds)
        })
        .map(|index| possible[index])
        .collect()
}

/// "No one", "this one", "one moment"; but "two, no, one" corrects.
fn is_pronoun(reading: &Reading, number: Number, numbers: &[Number]) -> bool {
    let Number { start, end, .. } = number;
    let text = &reading.text;
    let is_determined = reading.follows(Meaning::Determiner, start)
        && !text.starts_clause(start)
        && !is_corrected_by_determiner(reading, number, numbers);
    is_determined || reading.hit_at(Meaning::Pause, end).is_some()
}

/// The "no" of "two no one" corrects; in "two, no one told me" it does not.
fn is_corrected_by_determiner(reading: &Reading, number: Number, numbers: &[Number]) -> bool {
    let text = &reading.text;
    let Number { start, end, .. } = number;
    let stands_apart = !text.starts_clause(start - 1) || end == text.len();
    let mut before = numbers.iter().filter(|other| other.end < start);
    stands_apart && before.any(|other| corrects_directly(reading, other.end, start))
}

/// Whether a correction and nothing else stands between two numbers.
fn corrects_directly(reading: &Reading, end: usize, start: usize) -> bool {
    let mut between = end..start;
    is_corrected(reading, end, start)
        && between.all(|index| {
            reading.content_in(index, index + 1) == 0
                || reading.is_covered(Meaning::Correction, index)
        })
}

/// Whether a weak number is meant as one, by what stands around it.
fn is_number_after_all(
    reading: &Reading,
    number: Number,
    has_strong: bool,
    bounds: &Bounds,
) -> bool {
    let Number { start, end, .. } = number;
    let text = &reading.text;
    let leads = [Meaning::Or, Meaning::Of]
        .into_iter()
        .any(|meaning| !text.starts_clause(end) && reading.hit_at(meaning, end).is_some());
    let led = [
        Meaning::Or,
        Meaning::Between,
        Meaning::Correction,
        Meaning::Negation,
        Meaning::Of,
    ]
    .into_iter()
    .any(|meaning| reading.follows(meaning, start));
    if has_strong {
        return leads || led || text.starts_clause(end);
    }
    let others = reading.content_outside(start, end);
    let is_article = reading.hit_at(Meaning::Article, start).is_some();
    others == 0 || (!bounds.is_scale && !is_article && others <= NEARLY_WHOLE)
}

/// "Four out of five": the value and what it is out of.
fn share(reading: &Reading, numbers: &[Number]) -> Option<(Decimal, Decimal)> {
    numbers.windows(2).find_map(|pair| {
        let [part, whole] = pair else { return None };
        let of = reading.hit_at(Meaning::Of, part.end)?;
        let adjacent = reading.content_in(of.end.min(whole.start), whole.start) == 0;
        (adjacent && of.end <= whole.start).then_some((part.value, whole.value))
    })
}

/// "The highest", "the minimum".
fn end_of_scale(reading: &Reading, bounds: &Bounds) -> Option<Meant> {
    if !bounds.is_scale {
        return None;
    }
    let hit = |meaning: Meaning| reading.hits(meaning).next();
    let (hit, end) = match (hit(Meaning::Maximum), hit(Meaning::Minimum)) {
        (Some(hit), None) => (hit, bounds.max?),
        (None, Some(hit)) => (hit, bounds.min?),
        _ => return None,
    };
    let unexplained = reading.content_outside(hit.start, hit.end);
    let is_clear = unexplained <= NEARLY_WHOLE && !reading.has(Meaning::Negation);
    is_clear.then_some(Meant::Value {
        value: end,
        unexplained,
    })
}

/// "For" instead of "four": only if nothing else was said.
fn homophone(reading: &Reading, bounds: &Bounds) -> Option<Meant> {
    let text = &reading.text;
    let is_whole = |index: usize| reading.content_outside(index, index + 1) == 0;
    let said = (0..text.len())
        .filter(|&index| text.len() == 1 || reading.content_in(index, index + 1) == 1)
        .find_map(|index| Some((index, reading.lexicon.homophone(text.word(index))?)));
    said.filter(|(index, value)| is_whole(*index) && bounds.include(*value))
        .map(|(_, value)| Meant::Homophone(value))
}
