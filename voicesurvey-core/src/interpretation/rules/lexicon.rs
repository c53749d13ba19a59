//! The words and rules of one language, read once from its file under `data/`.
//!
//! A phrase is matched word for word. A pattern is a row of alternatives that may stand a few words
//! apart. A stem class says what a single word can be, with `*` for any ending or beginning.

use std::collections::HashMap;

use rust_decimal::Decimal;
use serde::Deserialize;

use super::normalise::{MINUS_SIGN, SLASH, Text};
use super::numbers::NumberWords;
use crate::language::{Language, PerLanguage};

/// What a phrase or pattern means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::interpretation) enum Meaning {
    Yes,
    /// A yes only if nothing else is said: "right" is one, "right now" is none.
    YesAlone,
    No,
    NoAlone,
    Maybe,
    Repeat,
    Skip,
    DontKnow,
    Stop,
    CallBack,
    OptOut,
    /// "Don't call me" asks for another time if a time is named.
    OptOutUnlessTime,
    /// Several words that together say "stop doing": `hören Sie auf`.
    CeasePhrase,
    WrongPerson,
    AskIdentity,
    AskHuman,
    /// Carries no meaning in an answer.
    Filler,
    Of,
    Between,
    Or,
    And,
    Point,
    Half,
    Minus,
    Correction,
    Negation,
    /// Takes a yes half back, or only sounds like one: `na ja`, "sort of".
    Hedge,
    /// Ties a yes to a condition: "but", "if".
    Reservation,
    /// As the last word it shows that more was to come: "yes, well…".
    Unfinished,
    /// A yes only at the edge of a clause; inside one it is another word: `das ist ja schön`.
    Particle,
    /// "Please" and its kin, which may stand anywhere in a request.
    Politeness,
    Maximum,
    Minimum,
    /// "More than": the number after it is no answer.
    Comparison,
    /// Holds a time word but names no time: "from now on".
    NotATime,
    /// Is a number only if nothing speaks against it: "one", `una`, `sei`.
    WeakNumber,
    /// A weak number that is an article first of all.
    Article,
    /// Before "one" it makes a pronoun: "this one".
    Determiner,
    /// After "one" it makes a request to wait: "one moment".
    Pause,
    /// Counts things instead of naming one: "all three", "both", `les deux`.
    Together,
    /// Leaves out what follows: "neither", "none of the", "anything but".
    Neither,
}

/// What a single word can be in the rules about calling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::interpretation) enum Stem {
    /// Not, no longer, nobody.
    Negation,
    /// Both negates and ends: never, stop, `basta`.
    Final,
    /// To call, ring, contact, disturb.
    Call,
    /// Looks like a call word and is none: `mi chiamo`.
    NotCall,
    /// Tells about calls instead of asking for or against them.
    Stated,
    /// A participle: "called". Counts only after "to be".
    Done,
    /// Before a participle it makes a wish of it: "to be called", "if you never called".
    Passive,
    /// No more, again, ever.
    Cease,
    /// After a cease word it makes a time of it: `più tardi`.
    Late,
    /// A time to come.
    Time,
    /// The present time.
    Now,
    /// After a negation: I am not able to.
    Able,
    /// "Call back" is no "call again".
    Back,
    /// May stand between a negation and the verb that it negates.
    Light,
    /// Must follow a bare prohibition where the verb has other meanings.
    Object,
    /// Before a call word it makes a noun of it: "the call".
    Noun,
    /// To speak, to hear from each other.
    Talk,
    /// A verb of calling or talking in a form that asks for it: "call", `mi richiami`.
    Invite,
    /// Leads to such a verb: "could you", "let's", `preferirei che`.
    Asking,
    /// May stand between the beginning of a clause and its yes: "oh yes".
    Interjection,
    /// Asks for haste, which is no reservation: "but quickly".
    Brief,
    /// Before a stretch of time it makes a delay of it: "in ten minutes".
    Delay,
    /// To take off a list, in the forms that ask for it.
    Remove,
    /// Taken off a list. Counts only after "to be".
    Removed,
    /// A list or a database of people.
    Register,
    /// What a list holds of a person: a name, a number.
    Entry,
    /// The speaker wants something.
    Want,
    /// The speaker, also as the ending of a verb: "me", `toglietemi`.
    Myself,
    /// The speaker's.
    Mine,
    /// Belongs to somebody who talks to the machine instead of answering.
    Instruct,
}

/// A word with an optional `*` for any letters.
#[derive(Debug)]
pub(in crate::interpretation) struct WordPattern {
    before: Box<str>,
    after: Option<Box<str>>,
    anywhere: bool,
}

impl WordPattern {
    fn new(language: Language, written: &str) -> Self {
        let fold = |part: &str| Text::new(language, part).words().collect::<String>().into();
        if let Some(inner) = written
            .strip_prefix('*')
            .and_then(|rest| rest.strip_suffix('*'))
        {
            return Self {
                before: fold(inner),
                after: None,
                anywhere: true,
            };
        }
        match written.split_once('*') {
            Some((before, after)) => Self {
                before: fold(before),
                after: Some(fold(after)),
                anywhere: false,
            },
            None => Self {
                before: fold(written),
                after: None,
                anywhere: false,
            },
        }
    }

    fn matches(&self, word: &str) -> bool {
        match &self.after {
            None if self.anywhere => word.contains(&*self.before),
            None => *word == *self.before,
            Some(after) => word
                .strip_prefix(&*self.before)
                .is_some_and(|rest| rest.len() >= after.len() && rest.ends_with(&**after)),
        }
    }
}

/// The words after the first, and what the phrase means.
#[derive(Debug)]
pub(in crate::interpretation) struct Phrase {
    pub(in crate::interpretation) rest: Box<[Box<str>]>,
    pub(in crate::interpretation) meaning: Meaning,
}

/// A row of alternatives.
#[derive(Debug)]
pub(in crate::interpretation) struct Pattern {
    pub(in crate::interpretation) steps: Box<[Box<[WordPattern]>]>,
    pub(in crate::interpretation) meaning: Meaning,
}

impl Pattern {
    /// Whether `word` is one of the alternatives of the step.
    pub(in crate::interpretation) fn step_matches(&self, step: usize, word: &str) -> bool {
        self.steps[step]
            .iter()
            .any(|alternative| alternative.matches(word))
    }
}

/// The compiled rules of one language.
#[derive(Debug)]
pub(in crate::interpretation) struct Lexicon {
    pub(in crate::interpretation) language: Language,
    phrases: HashMap<Box<str>, Vec<Phrase>>,
    pub(in crate::interpretation) patterns: Vec<Pattern>,
    stems: HashMap<Stem, Vec<WordPattern>>,
    /// Each option's ordinals, in order.
    pub(in crate::interpretation) ordinals: Vec<Vec<String>>,
    /// Words for the last option.
    pub(in crate::interpretation) last: Vec<String>,
    homophones: HashMap<String, Decimal>,
    pub(in crate::interpretation) numbers: NumberWords,
}

/// A language's file as it is written.
#[derive(Deserialize)]
struct LexiconFile {
    phrases: HashMap<Meaning, Vec<String>>,
    patterns: HashMap<Meaning, Vec<String>>,
    stems: HashMap<Stem, Vec<String>>,
    ordinals: Vec<Vec<String>>,
    last: Vec<String>,
    homophones: HashMap<String, i64>,
    numbers: super::numbers::NumberFile,
}

const fn file(language: Language) -> &'static str {
    match language {
        Language::It => include_str!("data/it.json"),
        Language::En => include_str!("data/en.json"),
        Language::Ru => include_str!("data/ru.json"),
        Language::Es => include_str!("data/es.json"),
        Language::Fr => include_str!("data/fr.json"),
        Language::De => include_str!("data/de.json"),
    }
}

impl Lexicon {
    /// The rules of a language, compiled at its first use.
    pub(in crate::interpretation) fn of(language: Language) -> &'static Self {
        static LEXICONS: PerLanguage<Lexicon> =
            PerLanguage::new(|language| Lexicon::read(language, file(language)));
        LEXICONS.of(language)
    }

    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program, and a test reads every one of them"
    )]
    fn read(language: Language, json: &str) -> Self {
        let file: LexiconFile = serde_json::from_str(json).expect("a lexicon file is valid");
        Self::compile(language, file)
    }

    fn compile(language: Language, file: LexiconFile) -> Self {
        let mut phrases: HashMap<Box<str>, Vec<Phrase>> = HashMap::new();
        for (meaning, written) in file.phrases {
            for phrase in written {
                let text = Text::new(language, &phrase);
                let rest = text.words().skip(1).map(Into::into).collect();
                phrases
                    .entry(text.word(0).into())
                    .or_default()
                    .push(Phrase { rest, meaning });
            }
        }
        for (symbol, meaning) in [(MINUS_SIGN, Meaning::Minus), (SLASH, Meaning::Of)] {
            phrases.entry(symbol.into()).or_default().push(Phrase {
                rest: [].into(),
                meaning,
            });
        }
        let patterns = file.patterns.into_iter().flat_map(|(meaning, rows)| {
            rows.into_iter().map(move |row| Pattern {
                steps: steps(language, &row),
                meaning,
            })
        });
        let fold = |word: &String| Text::new(language, word).words().collect::<String>();
        let stems = file.stems.into_iter().map(|(stem, written)| {
            (
                stem,
                written
                    .iter()
                    .map(|word| WordPattern::new(language, word))
                    .collect(),
            )
        });
        Self {
            language,
            phrases,
            patterns: patterns.collect(),
            stems: stems.collect(),
            ordinals: file
                .ordinals
                .iter()
                .map(|forms| forms.iter().map(fold).collect())
                .collect(),
            last: file.last.iter().map(fold).collect(),
            homophones: file
                .homophones
                .iter()
                .map(|(word, value)| (fold(word), Decimal::from(*value)))
                .collect(),
            numbers: NumberWords::compile(language, file.numbers),
        }
    }

    /// The phrases that begin with a word.
    pub(in crate::interpretation) fn phrases_from(&self, word: &str) -> &[Phrase] {
        self.phrases.get(word).map_or(&[], Vec::as_slice)
    }

    /// Whether a word belongs to a class.
    pub(in crate::interpretation) fn is(&self, stem: Stem, word: &str) -> bool {
        !word.is_empty()
            && self
                .stems
                .get(&stem)
                .is_some_and(|patterns| patterns.iter().any(|pattern| pattern.matches(word)))
    }

    /// Whether the language has any word of a class.
    pub(in crate::interpretation) fn has(&self, stem: Stem) -> bool {
        self.stems
            .get(&stem)
            .is_some_and(|patterns| !patterns.is_empty())
    }

    /// The number that a recogniser may have heard as another word.
    pub(in crate::interpretation) fn homophone(&self, word: &str) -> Option<Decimal> {
        self.homophones.get(word).copied()
    }
}

fn steps(language: Language, row: &str) -> Box<[Box<[WordPattern]>]> {
    row.split_whitespace()
        .map(|step| {
            step.split('|')
                .map(|word| WordPattern::new(language, word))
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_every_language_is_valid() {
        for language in Language::ALL {
            let lexicon = Lexicon::of(language);
            assert!(
                !lexicon.phrases.contains_key(""),
                "{language} has an empty phrase"
            );
            assert!(
                lexicon.has(Stem::Call),
                "{language} knows no word for calling"
            );
            assert!(
                lexicon
                    .patterns
                    .iter()
                    .all(|pattern| pattern.steps.len() > 1),
                "{language}"
            );
        }
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        let matches =
            |pattern: &str, word: &str| WordPattern::new(Language::It, pattern).matches(word);
        assert!(matches("chiam*", "chiamatemi"));
        assert!(matches("*звон*", "перезвоните"));
        assert!(matches("toglie*mi", "toglietemi"));
        assert!(!matches("toglie*mi", "togliete"));
        assert!(!matches("piu", "piuttosto"));
    }
}
