//! How each language builds a number of its words.
//!
//! One grammar serves all: millions, thousands, hundreds, and what is below a hundred. Only the
//! last differs: German says the units first, French counts on from sixty and eighty.

use rust_decimal::Decimal;

use super::Piece;
use crate::language::Language;

/// Most digits read after a decimal point.
const MOST_DECIMALS: u32 = 6;

/// A piece and the word it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) piece: Piece,
    /// The index of the word.
    pub(super) token: usize,
    /// Whether it is the first piece of the word.
    pub(super) is_first: bool,
    /// Whether punctuation stands before it.
    pub(super) after_break: bool,
}

/// Reads numbers from a row of pieces.
#[derive(Debug)]
pub(super) struct Grammar<'s> {
    language: Language,
    slots: &'s [Slot],
}

/// A value and the index after its last piece.
type Parsed = Option<(u64, usize)>;

impl<'s> Grammar<'s> {
    pub(super) fn new(language: Language, slots: &'s [Slot]) -> Self {
        Self { language, slots }
    }

    /// Whether all the pieces of a compound together are one number, with or without a half.
    pub(super) fn of_pieces(language: Language, pieces: &[Piece]) -> bool {
        let slots: Vec<Slot> = pieces
            .iter()
            .map(|&piece| Slot {
                piece,
                token: 0,
                is_first: false,
                after_break: false,
            })
            .collect();
        let grammar = Grammar::new(language, &slots);
        let end = grammar.parse(0, slots.len()).map_or(0, |(_, end)| end);
        end == slots.len() || (end + 1 == slots.len() && end > 0 && pieces[end] == Piece::Half)
    }

    /// The longest number that starts at a piece and ends where a word ends.
    pub(super) fn number_at(&self, start: usize) -> Parsed {
        let mut limit = self.slots.len();
        loop {
            let (value, end) = self.parse(start, limit)?;
            let Some(slot) = self.slots.get(end).filter(|slot| !slot.is_first) else {
                return Some((value, end));
            };
            if slot.piece == Piece::Half {
                return Some((value, end));
            }
            limit = self.slots[..end]
                .iter()
                .rposition(|before| before.is_first)?;
            if limit <= start {
                return None;
            }
        }
    }

    /// What follows a decimal point: single digits one by one, or a number of two or more.
    pub(super) fn decimals_at(&self, start: usize) -> Option<(Decimal, usize)> {
        let parser = Parser {
            grammar: self,
            start,
            limit: self.slots.len(),
        };
        let mut mantissa = 0_i64;
        let mut places = 0;
        let mut at = start;
        while places < MOST_DECIMALS {
            let (value, width, next) = match parser.piece(at) {
                Piece::Unit(unit) => (unit, 1, at + 1),
                Piece::Digits(value, length @ 1..=4) => {
                    (value, u32::try_from(length).ok()?, at + 1)
                }
                _ if places == 0 => {
                    let (value, next) = parser.below_hundred(at)?;
                    (value, 2, next)
                }
                _ => break,
            };
            mantissa = mantissa * 10_i64.pow(width) + i64::try_from(value).ok()?;
            places += width;
            at = next;
        }
        (places > 0).then(|| (Decimal::new(mantissa, places), at))
    }

    fn parse(&self, start: usize, limit: usize) -> Parsed {
        Parser {
            grammar: self,
            start,
            limit,
        }
        .number()
    }
}

struct Parser<'g> {
    grammar: &'g Grammar<'g>,
    start: usize,
    limit: usize,
}

impl Parser<'_> {
    /// The piece at an index; nothing that stands after punctuation continues a number.
    fn piece(&self, index: usize) -> Piece {
        match self.grammar.slots.get(index) {
            Some(slot) if index < self.limit && (index == self.start || !slot.after_break) => {
                slot.piece
            }
            _ => Piece::Other,
        }
    }

    fn number(&self) -> Parsed {
        if let Some(year) = self.year() {
            return Some(year);
        }
        let mut total = 0;
        let mut at = self.start;
        for scale in [1_000_000, 1_000] {
            let count = if at == self.start {
                self.count(at)
            } else {
                self.below_thousand(at)
            };
            let after = count.map_or(at, |(_, after)| after);
            if self.is_scale(after, scale, count.is_some()) {
                total += count.map_or(1, |(count, _)| count).checked_mul(scale)?;
                at = after + 1;
            }
        }
        let rest = if at == self.start {
            self.count(at)
        } else {
            self.tail(at)
        };
        match rest {
            Some((value, after)) => Some((total.checked_add(value)?, after)),
            None => (at > self.start).then_some((total, at)),
        }
    }

    /// A count at the beginning of a number: words below a thousand, or digits.
    fn count(&self, at: usize) -> Parsed {
        let Piece::Digits(mut value, length) = self.piece(at) else {
            return self.below_thousand(at);
        };
        let mut after = at + 1;
        let spaced_groups = matches!(
            self.grammar.language,
            Language::Fr | Language::Ru | Language::Es
        );
        while spaced_groups && (1..=3).contains(&length) && (1..1_000_000_000).contains(&value) {
            let Piece::Digits(group, 3) = self.piece(after) else {
                break;
            };
            value = value * 1_000 + group;
            after += 1;
        }
        Some((value, after))
    }

    fn is_scale(&self, at: usize, scale: u64, has_count: bool) -> bool {
        match self.piece(at) {
            Piece::Million => scale == 1_000_000,
            Piece::Thousand { counted, alone } => {
                scale == 1_000 && if has_count { counted } else { alone }
            }
            _ => false,
        }
    }

    /// What may follow a thousand or a million.
    fn tail(&self, at: usize) -> Parsed {
        let at = if self.piece(at) == Piece::Joiner && self.joins_below_hundred() {
            at + 1
        } else {
            at
        };
        self.below_thousand(at).filter(|(value, _)| *value > 0)
    }

    fn below_thousand(&self, at: usize) -> Parsed {
        let (hundreds, after) = match self.piece(at) {
            Piece::Hundreds(value) => (value, at + 1),
            Piece::Hundred => (100, at + 1),
            _ => {
                let (value, after) = self.below_hundred(at)?;
                if self.piece(after) != Piece::Hundred || !self.may_count_hundreds(value) {
                    return Some((value, after));
                }
                (value * 100, after + 1)
            }
        };
        let joined = self.piece(after) == Piece::Joiner && self.joins_below_hundred();
        match self.below_hundred(after + usize::from(joined)) {
            Some((value, end)) if value > 0 => Some((hundreds + value, end)),
            _ => Some((hundreds, after)),
        }
    }

    /// "Nineteen hundred" and `neunzehnhundert` exist, `venticento` does not.
    fn may_count_hundreds(&self, count: u64) -> bool {
        match self.grammar.language {
            Language::En | Language::De | Language::Fr => {
                (1..100).contains(&count) && !count.is_multiple_of(10)
            }
            _ => (2..10).contains(&count),
        }
    }

    fn joins_below_hundred(&self) -> bool {
        matches!(
            self.grammar.language,
            Language::En | Language::De | Language::It
        )
    }

    fn below_hundred(&self, at: usize) -> Parsed {
        let next = self.piece(at + 1);
        match (self.grammar.language, self.piece(at), next) {
            (Language::De, Piece::Unit(unit @ 1..), Piece::Joiner) => match self.piece(at + 2) {
                Piece::Ten(ten) => Some((ten + unit, at + 3)),
                _ => Some((unit, at + 1)),
            },
            (Language::Fr, Piece::Unit(4), Piece::Ten(20)) => Some(self.french_from(80, at + 2)),
            (Language::Fr, Piece::Ten(60), _) => Some(self.french_from(60, at + 1)),
            (Language::Fr, Piece::Teen(10), Piece::Unit(unit @ 7..)) => Some((10 + unit, at + 2)),
            (Language::De, Piece::Ten(ten), _) => Some((ten, at + 1)),
            (_, Piece::Ten(ten), _) => Some(self.with_unit(ten, at + 1)),
            (_, Piece::ElidedTen(ten), Piece::Unit(unit @ (1 | 8))) => Some((ten + unit, at + 2)),
            (_, Piece::ElidedTen(value) | Piece::Teen(value) | Piece::Unit(value), _) => {
                Some((value, at + 1))
            }
            _ => None,
        }
    }

    /// Twenty-one to ninety-nine: the unit after a ten.
    fn with_unit(&self, ten: u64, at: usize) -> (u64, usize) {
        let joined = self.piece(at) == Piece::Joiner
            && match self.grammar.language {
                Language::Es => true,
                Language::Fr => self.piece(at + 1) == Piece::Unit(1),
                _ => false,
            };
        let at_unit = at + usize::from(joined);
        match self.piece(at_unit) {
            Piece::Unit(unit @ 1..) => (ten + unit, at_unit + 1),
            _ => (ten, at),
        }
    }

    /// `soixante-douze`, `soixante et onze`, `quatre-vingt-dix-sept`.
    fn french_from(&self, base: u64, at: usize) -> (u64, usize) {
        let joined = self.piece(at) == Piece::Joiner
            && matches!(self.piece(at + 1), Piece::Unit(1) | Piece::Teen(11));
        let start = at + usize::from(joined);
        match (self.piece(start), self.piece(start + 1)) {
            (Piece::Teen(10), Piece::Unit(unit @ 7..)) => (base + 10 + unit, start + 2),
            (Piece::Teen(value) | Piece::Unit(value @ 1..), _) => (base + value, start + 1),
            _ => (base, at),
        }
    }

    /// English years and amounts in two pairs: "nineteen eighty-four", "twenty twenty".
    fn year(&self) -> Parsed {
        if self.grammar.language != Language::En {
            return None;
        }
        let (Piece::Teen(century @ 11..) | Piece::Ten(century @ 20)) = self.piece(self.start)
        else {
            return None;
        };
        let (rest, end) = self
            .below_hundred(self.start + 1)
            .filter(|(rest, _)| *rest >= 10)?;
        (self.piece(end) != Piece::Hundred).then_some((century * 100 + rest, end))
    }
}
