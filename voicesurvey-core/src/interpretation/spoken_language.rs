//! Which language a person speaks, told from the words alone.
//!
//! Few words tell little: what is shorter than a short sentence has no language.

use whichlang::Lang;

use crate::language::Language;

/// With fewer words the languages that look alike are confused too often.
const FEWEST_WORDS: usize = 4;
/// A language shows in its first words; more of them only cost time.
const MOST_BYTES: usize = 1_000;

/// The language of `words`; `None` if they are fewer than four, or the language is none of ours.
///
/// Numbers in digits are no words: they are the same in every language.
///
/// ```
/// use voicesurvey_core::interpretation::spoken_language::detect;
/// use voicesurvey_core::language::Language;
///
/// assert_eq!(detect("sorry, do you speak English?"), Some(Language::En));
/// assert_eq!(detect("no, no"), None);
/// ```
pub fn detect(words: &str) -> Option<Language> {
    let beginning = &words[..words.floor_char_boundary(MOST_BYTES)];
    let count = beginning
        .split(|character: char| character.is_whitespace() || character == '\'')
        .filter(|word| word.chars().any(char::is_alphabetic))
        .count();
    if count < FEWEST_WORDS {
        return None;
    }
    match whichlang::detect_language(beginning) {
        Lang::Ita => Some(Language::It),
        Lang::Eng => Some(Language::En),
        Lang::Rus => Some(Language::Ru),
        Lang::Spa => Some(Language::Es),
        Lang::Fra => Some(Language::Fr),
        Lang::Deu => Some(Language::De),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_sentence_has_a_language() {
        let sentences = [
            ("scusi ma io non parlo inglese", Language::It),
            ("sorry I do not speak Italian at all", Language::En),
            ("извините, я не понимаю по-итальянски", Language::Ru),
            ("perdone pero yo no hablo italiano", Language::Es),
            ("désolé mais je ne parle pas italien", Language::Fr),
            (
                "Entschuldigung, ich spreche leider kein Italienisch",
                Language::De,
            ),
        ];
        for (words, language) in sentences {
            assert_eq!(detect(words), Some(language), "{words}");
        }
    }

    #[test]
    fn few_words_and_numbers_have_none() {
        for words in [
            "",
            "sì",
            "no grazie arrivederci",
            "3 4 5 6 7",
            "tre, 4 5 6 7 8",
            "?? !! ..",
        ] {
            assert_eq!(detect(words), None, "{words}");
        }
    }

    #[test]
    fn other_languages_are_none_of_ours() {
        assert_eq!(
            detect("私は日本語しか話せません 申し訳 ありません 失礼 します"),
            None
        );
        assert_eq!(
            detect("ik spreek helaas alleen maar Nederlands, het spijt me"),
            None
        );
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(
            detect(&"я говорю только по-русски ".repeat(10_000)),
            Some(Language::Ru)
        );
    }
}
