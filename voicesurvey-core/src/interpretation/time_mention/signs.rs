//! The words that name times in one language, read once from its file under `data/`.

use std::collections::HashMap;

use serde::Deserialize;

use crate::interpretation::rules::normalise::Text;
use crate::language::{Language, PerLanguage};

/// What a phrase does in naming a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sign {
    Today,
    Tomorrow,
    TomorrowMorning,
    AfterTomorrow,
    NextWeek,
    /// The evening of today.
    Tonight,
    ThisAfternoon,
    Morning,
    Noon,
    Afternoon,
    Evening,
    /// Before noon: "a.m.".
    Am,
    /// After noon: "p.m.".
    Pm,
    /// What follows is a time of day: `alle`, "at".
    At,
    /// As [`At`](Self::At), and says nothing in a delay: "in about an hour".
    About,
    /// What follows is the beginning of a span: "between", `dalle`.
    From,
    /// What follows is a bound that the time must not pass, unless it is ruled out.
    Before,
    /// Minutes past an hour; without minutes before it the same as [`At`](Self::At).
    Past,
    /// Minutes to an hour; without minutes before it the same as [`Before`](Self::Before).
    To,
    /// Minutes taken off an hour: `meno`, `без`.
    Less,
    /// The number before it is an hour.
    OClock,
    /// What follows is a date: `il 25`.
    On,
    /// What follows is a delay.
    In,
    /// What stands before is a delay.
    FromNow,
    Minutes,
    /// Also means [`OClock`](Self::OClock) where no delay is named.
    Hours,
    Days,
    Weeks,
    /// Two or so.
    Few,
    /// Half an hour, as a delay.
    HalfHour,
    /// A quarter of an hour, as a delay.
    QuarterHour,
    /// Follows an hour: `e mezza`.
    HalfAfter,
    QuarterAfter,
    QuarterLess,
    /// Precedes an hour: "half past".
    HalfPast,
    /// Precedes the hour that is half over: `halb drei`.
    HalfBefore,
    QuarterPast,
    QuarterTo,
    /// Joins an hour and its minutes.
    And,
    /// Says nothing: "about", "exactly".
    Filler,
    /// Rules out what stands before it: `domani no`.
    No,
    #[serde(skip)]
    Weekday(u8),
    #[serde(skip)]
    Month(u8),
    #[serde(skip)]
    DayOfMonth(u8),
    #[serde(skip)]
    Time(u8, u8),
}

/// A language's file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignFile {
    signs: HashMap<Sign, Vec<String>>,
    /// From Monday.
    weekdays: [Vec<String>; 7],
    months: [Vec<String>; 12],
    /// The first of a month, the second, …
    days_of_month: Vec<Vec<String>>,
    /// Times that are one word of their own.
    times: HashMap<String, (u8, u8)>,
}

/// The phrases of a language, by their first word.
#[derive(Debug)]
pub(super) struct Signs(HashMap<Box<str>, Vec<Phrase>>);

/// The words after the first, and what the phrase does.
#[derive(Debug)]
struct Phrase {
    rest: Box<[Box<str>]>,
    sign: Sign,
}

impl Signs {
    pub(super) fn of(language: Language) -> &'static Self {
        static SIGNS: PerLanguage<Signs> =
            PerLanguage::new(|language| Signs::read(language, file_of(language)));
        SIGNS.of(language)
    }

    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program, and a test reads every one of them"
    )]
    fn read(language: Language, json: &str) -> Self {
        let file: SignFile = serde_json::from_str(json).expect("a file of time words is valid");
        let mut signs = Self(HashMap::new());
        for (sign, phrases) in &file.signs {
            signs.add(language, phrases, *sign);
        }
        signs.add_list(language, &file.weekdays, 0, Sign::Weekday);
        signs.add_list(language, &file.months, 1, Sign::Month);
        signs.add_list(language, &file.days_of_month, 1, Sign::DayOfMonth);
        for (phrase, (hour, minute)) in &file.times {
            signs.add(
                language,
                std::slice::from_ref(phrase),
                Sign::Time(*hour, *minute),
            );
        }
        signs
    }

    fn add_list(
        &mut self,
        language: Language,
        list: &[Vec<String>],
        first: u8,
        sign: fn(u8) -> Sign,
    ) {
        for (number, phrases) in (first..).zip(list) {
            self.add(language, phrases, sign(number));
        }
    }

    fn add(&mut self, language: Language, phrases: &[String], sign: Sign) {
        for phrase in phrases {
            let text = Text::new(language, phrase);
            let rest = text.words().skip(1).map(Into::into).collect();
            self.0
                .entry(text.word(0).into())
                .or_default()
                .push(Phrase { rest, sign });
        }
    }

    /// The longest phrase that starts at a word, and where it ends.
    pub(super) fn at(&self, text: &Text, start: usize) -> Option<(Sign, usize)> {
        let phrases = self.0.get(text.word(start))?.iter();
        phrases
            .filter(|phrase| {
                (start + 1..)
                    .zip(&phrase.rest)
                    .all(|(index, word)| text.word(index) == &**word)
            })
            .max_by_key(|phrase| phrase.rest.len())
            .map(|phrase| (phrase.sign, start + 1 + phrase.rest.len()))
    }
}

fn file_of(language: Language) -> &'static str {
    match language {
        Language::It => include_str!("data/it.json"),
        Language::En => include_str!("data/en.json"),
        Language::Ru => include_str!("data/ru.json"),
        Language::Es => include_str!("data/es.json"),
        Language::Fr => include_str!("data/fr.json"),
        Language::De => include_str!("data/de.json"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_has_one_sign() {
        for language in Language::ALL {
            for (first, phrases) in &Signs::of(language).0 {
                assert!(!first.is_empty(), "{language} has an empty phrase");
                for (index, phrase) in phrases.iter().enumerate() {
                    let twice = phrases[..index]
                        .iter()
                        .any(|other| other.rest == phrase.rest && other.sign != phrase.sign);
                    assert!(!twice, "{language} {first} {:?}", phrase.rest);
                }
            }
        }
    }
}
