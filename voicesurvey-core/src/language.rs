//! The languages an interview can be held in.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// A language of the interview, written as its ISO 639-1 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Italian.
    It,
    /// English.
    En,
    /// Russian.
    Ru,
    /// Spanish.
    Es,
    /// French.
    Fr,
    /// German.
    De,
}

impl Language {
    /// Every language, in the order in which lists show them.
    pub const ALL: [Self; 6] = [Self::It, Self::En, Self::Ru, Self::Es, Self::Fr, Self::De];

    /// The ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::It => "it",
            Self::En => "en",
            Self::Ru => "ru",
            Self::Es => "es",
            Self::Fr => "fr",
            Self::De => "de",
        }
    }

    /// The language's name for people who read English.
    pub const fn name(self) -> &'static str {
        match self {
            Self::It => "Italian",
            Self::En => "English",
            Self::Ru => "Russian",
            Self::Es => "Spanish",
            Self::Fr => "French",
            Self::De => "German",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text names no language of the interview.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown language '{0}': use it, en, ru, es, fr or de")]
pub struct UnknownLanguage(pub String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Reads a code, also with a region and in any case (`it`, `IT`, `it-IT`, `en_GB`), or the
    /// language's name as a call list may have it, in its own words or in English.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.trim().to_lowercase();
        let code = wanted.split(['-', '_']).next().unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|language| {
                language.code() == code
                    || language.name().to_lowercase() == wanted
                    || language.own_names().contains(&wanted.as_str())
            })
            .ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

impl Language {
    /// What the language calls itself, in lower case, also without its accents.
    const fn own_names(self) -> &'static [&'static str] {
        match self {
            Self::It => &["italiano"],
            Self::En => &[],
            Self::Ru => &["русский"],
            Self::Es => &["español", "espanol"],
            Self::Fr => &["français", "francais"],
            Self::De => &["deutsch"],
        }
    }
}

/// Something of which there is one for each language, made when it is first needed.
#[derive(Debug)]
pub(crate) struct PerLanguage<T> {
    made: [OnceLock<T>; Language::ALL.len()],
    make: fn(Language) -> T,
}

impl<T> PerLanguage<T> {
    /// Nothing is made yet.
    pub(crate) const fn new(make: fn(Language) -> T) -> Self {
        Self {
            made: [const { OnceLock::new() }; Language::ALL.len()],
            make,
        }
    }

    /// The one of a language.
    pub(crate) fn of(&self, language: Language) -> &T {
        self.made[language as usize].get_or_init(|| (self.make)(language))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_are_read_as_lists_write_them() {
        for (text, language) in [
            ("it", Language::It),
            ("IT-it", Language::It),
            ("en_GB", Language::En),
            ("Italiano", Language::It),
            ("English", Language::En),
            ("Русский", Language::Ru),
        ] {
            assert_eq!(text.parse(), Ok(language), "{text}");
        }
        assert!("klingon".parse::<Language>().is_err());
        assert!("".parse::<Language>().is_err());
    }
}
