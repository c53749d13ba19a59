//! Which voice speaks a language, and what Twilio calls that language.

use std::collections::BTreeMap;

use voicesurvey_core::language::Language;

use super::{WrongSetting, is_name};

/// A voice, and the language tag that speaks and listens with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    /// The tag for speech and recognition, such as `it-IT`.
    pub language_tag: String,
    /// Twilio's name of the voice, such as `Polly.Bianca-Neural`.
    pub name: String,
}

impl Voice {
    /// A voice.
    pub fn new(language_tag: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            language_tag: language_tag.into(),
            name: name.into(),
        }
    }
}

/// The voice of each language. A skillbase may name another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voices(BTreeMap<Language, Voice>);

impl Default for Voices {
    /// Neural voices of Amazon; Russian has none.
    fn default() -> Self {
        let voices = Language::ALL.map(|language| {
            let (tag, name) = match language {
                Language::It => ("it-IT", "Polly.Bianca-Neural"),
                Language::En => ("en-GB", "Polly.Amy-Neural"),
                Language::Ru => ("ru-RU", "Polly.Tatyana"),
                Language::Es => ("es-ES", "Polly.Lucia-Neural"),
                Language::Fr => ("fr-FR", "Polly.Lea-Neural"),
                Language::De => ("de-DE", "Polly.Vicki-Neural"),
            };
            (language, Voice::new(tag, name))
        });
        Self(BTreeMap::from(voices))
    }
}

impl Voices {
    /// The same with another voice for `language`.
    #[must_use]
    pub fn with(mut self, language: Language, voice: Voice) -> Self {
        self.0.insert(language, voice);
        self
    }

    pub(crate) fn of(&self, language: Language) -> &Voice {
        // OK because every language has a voice from the beginning and none is taken away.
        &self.0[&language]
    }

    pub(super) fn wrong(&self) -> impl Iterator<Item = WrongSetting> {
        let wrong = |(language, voice): (&Language, &Voice)| {
            let is_right = is_name(&voice.name) && is_language_tag(&voice.language_tag);
            (!is_right).then(|| WrongSetting {
                setting: "voices",
                what: format!("{language} needs a tag like it-IT and one of Twilio's voices"),
            })
        };
        self.0.iter().filter_map(wrong)
    }
}

/// A language and a region, as in everything that Twilio lists.
fn is_language_tag(tag: &str) -> bool {
    tag.split_once('-').is_some_and(|(language, region)| {
        let is_short = |part: &str, most| (2..=most).contains(&part.len());
        let letters = tag
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_short(language, 3) && is_short(region, 9) && letters
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_voices_that_come_with_it_are_right_and_each_can_be_replaced() {
        assert_eq!(Voices::default().wrong().count(), 0);
        let voice = Voice::new("ru-RU", "Google.ru-RU-Wavenet-C");
        let voices = Voices::default().with(Language::Ru, voice.clone());
        assert_eq!(voices.of(Language::Ru), &voice);
        assert_eq!(voices.of(Language::It).name, "Polly.Bianca-Neural");
    }

    #[test]
    fn a_wrong_voice_names_its_language() {
        for voice in [
            Voice::new("it", "Polly.Bianca"),
            Voice::new("it_IT", "Polly.Bianca"),
            Voice::new("it-IT", "Bianca\" loop=\"0"),
            Voice::new("it-IT", ""),
        ] {
            let voices = Voices::default().with(Language::It, voice.clone());
            let wrong: Vec<_> = voices.wrong().collect();
            assert!(
                matches!(&wrong[..], [one] if one.what.starts_with("it ")),
                "{voice:?}"
            );
        }
    }
}
