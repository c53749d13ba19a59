//! The fixed lines: what a survey does not say itself, one file per language under `lines/`.
//!
//! Consents name the version of the lines that were spoken, so words never change without it.

use serde::Deserialize;

use crate::language::{Language, PerLanguage};

/// The fixed lines in one language. `{company}` and the like are filled in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    /// Rises whenever a line changes.
    pub version: u32,
    /// Who is responsible for the call.
    pub who: String,
    /// That a machine speaks.
    pub ai: String,
    /// That the call is recorded.
    pub recording: String,
    /// How never to be called again, by a sentence or a key.
    pub opt_out: String,
    /// How long it takes, in minutes.
    pub length: String,
    /// How long it takes, when it is one minute.
    pub length_one: String,
    /// Asked when the intro asks nothing.
    pub consent_question: String,
    /// In place of the intro when an interview is taken up again.
    pub resumed: String,
    /// Asks to go on with it.
    pub resume_question: String,
    /// Asks again for a consent that only a language model has understood.
    pub confirm_consent: String,
    /// Before something is asked again because nothing was heard.
    pub not_heard: String,
    /// Before something is asked again because it was not understood.
    pub not_understood: String,
    /// Before a yes or a no is asked for again: what can be said, and which keys do the same.
    pub say_yes_or_no: String,
    /// Before a number is asked for again.
    pub say_a_number: String,
    /// The same when the ends of the scale have names.
    pub say_a_mark: String,
    /// The same when there are no bounds.
    pub say_any_number: String,
    /// Before a choice is asked for again.
    pub say_an_option: String,
    /// One of the options of [`say_an_option`](Self::say_an_option), and the key that does the same.
    pub option_or_key: String,
    /// Before an open question is asked again.
    pub say_freely: String,
    /// One answer that would be understood.
    pub example: String,
    /// Says which numbers are possible, after one that is not.
    pub out_of_range: String,
    /// Asks which of two answers was meant.
    pub which_one: String,
    /// The keys for yes and no, when words have failed.
    pub use_keys_yes_or_no: String,
    /// Asks for a number by keypad, when words have failed.
    pub use_keys_number: String,
    /// The key of one option, when words have failed.
    pub use_keys_option: String,
    /// The key that leaves a question out, where it can be left out.
    pub skip_key: String,
    /// The names of the keys 0 to 9, because voices read lone digits in their own ways.
    pub digits: [String; 10],
    /// Reads a doubtful value back.
    pub confirm_value: String,
    /// Said first in a language that the person has changed to.
    pub language_changed: String,
    /// Answers "who is this?".
    pub identity: String,
    /// Answers "are you a robot?".
    pub machine: String,
    /// Before the next question when this one is given up.
    pub moving_on: String,
    /// Says that a question cannot be left out.
    pub required: String,
    /// Asks when to call again.
    pub ask_when: String,
    /// Says when the person will be called, and goodbye.
    pub appointment: String,
    /// The day of a call on the same day.
    pub today: String,
    /// The day of a call on the next day.
    pub tomorrow: String,
    /// The day of any other call.
    pub on_day: String,
    /// The time of a call; follows its day.
    pub at_time: String,
    /// The same on the full hour.
    pub at_hour: String,
    /// A full hour, as `strftime` writes it.
    pub hour_format: String,
    /// An hour and its minutes, as `strftime` writes it.
    pub time_format: String,
    /// The months as `on_day` wants them.
    pub months: [String; 12],
    /// After a refusal.
    pub goodbye_refused: String,
    /// After "never call me again": confirms it.
    pub goodbye_opted_out: String,
    /// After "call me later", without a time.
    pub goodbye_later: String,
    /// After "you have the wrong person".
    pub goodbye_wrong_person: String,
    /// When the call ends early for any other reason.
    pub goodbye: String,
}

impl Lines {
    /// The lines in a language.
    pub fn of(language: Language) -> &'static Self {
        static LINES: PerLanguage<Lines> = PerLanguage::new(|language| Lines::read(file(language)));
        LINES.of(language)
    }

    #[expect(
        clippy::expect_used,
        reason = "the files are part of the program, and a test reads every one of them"
    )]
    fn read(json: &str) -> Self {
        serde_json::from_str(json).expect("a file of lines is valid")
    }

    /// A key of the telephone as it is spoken.
    pub fn keys(&self, number: usize) -> String {
        let digits = number.to_string();
        let names = digits.bytes().filter_map(|digit| {
            let name = self.digits.get(usize::from(digit.checked_sub(b'0')?))?;
            Some(name.as_str())
        });
        names.collect::<Vec<_>>().join(" ")
    }
}

const fn file(language: Language) -> &'static str {
    match language {
        Language::It => include_str!("lines/it.json"),
        Language::En => include_str!("lines/en.json"),
        Language::Ru => include_str!("lines/ru.json"),
        Language::Es => include_str!("lines/es.json"),
        Language::Fr => include_str!("lines/fr.json"),
        Language::De => include_str!("lines/de.json"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Map, Value};
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn lines(language: Language) -> Map<String, Value> {
        serde_json::from_str(file(language)).unwrap()
    }

    /// The words in braces of a line.
    fn placeholders(line: &str) -> BTreeSet<String> {
        let opened = line.split('{').skip(1);
        opened
            .map(|rest| rest.split('}').next().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn words_do_not_change_without_their_version() {
        // A consent says which version was spoken. Whoever changes a line raises the version in
        // its file, and writes both down here.
        let known = [
            (
                Language::It,
                2,
                "433600c0d4a81b16f64589325f08dc7146ec38fb832c6d0a7d183aa6125c6186",
            ),
            (
                Language::En,
                2,
                "4e4032aa465d8fbd36e86b28df1adf66f67bec52dad2e96a5bc60effd04d8e2b",
            ),
            (
                Language::Ru,
                2,
                "3566f24623d224824c4d0c14a9aba3c5e50673d5630cf4f944674ab73cc76736",
            ),
            (
                Language::Es,
                2,
                "b4a92196af3baed09298a37862cbaec35271d28594a1aaa6ec861f613c56dc1c",
            ),
            (
                Language::Fr,
                2,
                "005e5ce94e2d0a109c80208a0e02053b03b2cb3a2e33f19f2b037e79f7d506d7",
            ),
            (
                Language::De,
                2,
                "3002c5ce95172f681f9a52099a64a7123b5114ac2734433c6ad55d31e6fba63f",
            ),
        ];
        for (language, version, checksum) in known {
            assert_eq!(Lines::of(language).version, version, "{language:?}");
            let actual = Sha256::digest(file(language));
            let actual: String = actual
                .iter()
                .flat_map(|byte| [byte >> 4, byte & 15])
                .filter_map(|digit| char::from_digit(digit.into(), 16))
                .collect();
            assert_eq!(actual, checksum, "{language:?}");
        }
    }

    #[test]
    fn every_language_has_the_same_lines_with_the_same_placeholders() {
        let italian = lines(Language::It);
        for language in Language::ALL {
            Lines::of(language);
            let translated = lines(language);
            assert!(translated.keys().eq(italian.keys()), "{language:?}");
            for (name, line) in &translated {
                let Some(line) = line.as_str() else { continue };
                assert!(!line.trim().is_empty(), "{language:?} {name}");
                let expected = placeholders(italian[name].as_str().unwrap());
                assert_eq!(placeholders(line), expected, "{language:?} {name}");
            }
        }
    }

    #[test]
    fn keys_are_spoken_as_words() {
        for language in Language::ALL {
            for (name, line) in &lines(language) {
                let Some(line) = line.as_str() else { continue };
                let has_digit = line.chars().any(char::is_numeric);
                assert!(!has_digit, "{language:?} {name}: {line}");
            }
            let opts_out_by = Lines::of(language).keys(9).to_lowercase();
            let opt_out = Lines::of(language).opt_out.to_lowercase();
            assert!(opt_out.contains(&opts_out_by), "{language:?}");
        }
        assert_eq!(Lines::of(Language::It).keys(10), "uno zero");
    }
}
