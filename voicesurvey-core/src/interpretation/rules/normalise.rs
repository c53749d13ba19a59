//! Words as the rules compare them: folded, without accents and punctuation.
//!
//! Whatever is spoken or recognised becomes a list of folded words; where punctuation stood is
//! remembered, because "four, no, five" and "not four, five" differ by their commas only.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use crate::language::Language;

/// The word that stands for a minus sign before a digit.
pub(in crate::interpretation) const MINUS_SIGN: &str = "-";
/// The word that stands for a slash between digits.
pub(in crate::interpretation) const SLASH: &str = "/";

/// A folded utterance, split into words.
#[derive(Debug)]
pub(in crate::interpretation) struct Text {
    folded: String,
    words: Vec<Word>,
}

#[derive(Debug)]
struct Word {
    start: usize,
    end: usize,
    after_break: bool,
    has_accent: bool,
    before_question_mark: bool,
}

impl Text {
    /// Folds and splits `raw` in one pass.
    pub(in crate::interpretation) fn new(language: Language, raw: &str) -> Self {
        let mut text = Self {
            folded: String::with_capacity(raw.len()),
            words: Vec::new(),
        };
        let mut folder = Folder {
            text: &mut text,
            language,
            word_start: 0,
            broken: false,
            accented: false,
        };
        let mut characters = raw
            .chars()
            .map(without_numeric_forms)
            .nfkc()
            .flat_map(char::to_lowercase)
            .peekable();
        let mut previous = ' ';
        while let Some(character) = characters.next() {
            folder.push(previous, character, characters.peek().copied());
            previous = character;
        }
        folder.end_word();
        text
    }

    /// How many words there are.
    pub(in crate::interpretation) fn len(&self) -> usize {
        self.words.len()
    }

    /// The word at `index`; empty past the end, so that rules may look around without care.
    pub(in crate::interpretation) fn word(&self, index: usize) -> &str {
        self.words
            .get(index)
            .map_or("", |word| &self.folded[word.start..word.end])
    }

    /// Whether the word at `index` was written with an accent that was folded away.
    pub(in crate::interpretation) fn has_accent(&self, index: usize) -> bool {
        self.words.get(index).is_some_and(|word| word.has_accent)
    }

    /// Every word in order.
    pub(in crate::interpretation) fn words(&self) -> impl Iterator<Item = &str> {
        self.words
            .iter()
            .map(|word| &self.folded[word.start..word.end])
    }

    /// Whether punctuation, the beginning or the end stands before the word at `index`.
    pub(in crate::interpretation) fn starts_clause(&self, index: usize) -> bool {
        index == 0 || self.words.get(index).is_none_or(|word| word.after_break)
    }

    /// Whether a question mark stands right before the word at `index`.
    pub(in crate::interpretation) fn ends_question(&self, index: usize) -> bool {
        index
            .checked_sub(1)
            .and_then(|last| self.words.get(last))
            .is_some_and(|word| word.before_question_mark)
    }

    /// Whether punctuation stands somewhere between the words `first` and `last`.
    pub(in crate::interpretation) fn is_broken(&self, first: usize, last: usize) -> bool {
        (first + 1..=last).any(|index| self.starts_clause(index))
    }
}

/// Halves, superscripts and circled digits would fold into plain digits and change a number:
/// `4²` must not become 42. They become a letter, so that the word is no number at all.
fn without_numeric_forms(character: char) -> char {
    let full_width = ('\u{FF10}'..='\u{FF19}').contains(&character);
    if character.is_numeric() && !character.is_ascii_digit() && !full_width {
        '_'
    } else {
        character
    }
}

struct Folder<'t> {
    text: &'t mut Text,
    language: Language,
    word_start: usize,
    broken: bool,
    accented: bool,
}

impl Folder<'_> {
    fn push(&mut self, previous: char, character: char, next: Option<char>) {
        let before_digit = next.is_some_and(|next| next.is_ascii_digit());
        let between_digits = previous.is_ascii_digit() && before_digit;
        match character {
            '.' | ',' if between_digits => self.text.folded.push(character),
            '/' if between_digits => self.symbol(SLASH),
            '-' | '−' if before_digit && !previous.is_alphanumeric() => self.symbol(MINUS_SIGN),
            '\'' | '’' | '‘' | 'ʼ' | '`' if self.language == Language::En => {}
            '.' | ',' | ';' | ':' | '!' | '?' | '…' | '—' | '\n' => {
                self.end_word();
                self.broken = true;
                if let Some(word) = self.text.words.last_mut().filter(|_| character == '?') {
                    word.before_question_mark = true;
                }
            }
            '_' => self.text.folded.push(character),
            _ if is_combining_mark(character) => {}
            _ if character.is_alphanumeric() => self.fold(character),
            _ => self.end_word(),
        }
    }

    fn fold(&mut self, character: char) {
        let folded = &mut self.text.folded;
        match (self.language, character) {
            (Language::Ru, 'ё') => folded.push('е'),
            (Language::Ru, _) => folded.push(character),
            (Language::De, 'ä') => folded.push_str("ae"),
            (Language::De, 'ö') => folded.push_str("oe"),
            (Language::De, 'ü') => folded.push_str("ue"),
            (_, 'ß') => folded.push_str("ss"),
            _ if character.is_ascii() => folded.push(character),
            _ => decompose_canonical(character, |part| {
                if is_combining_mark(part) {
                    self.accented = true;
                } else {
                    folded.push(part);
                }
            }),
        }
    }

    fn symbol(&mut self, symbol: &str) {
        self.end_word();
        self.text.folded.push_str(symbol);
        self.end_word();
    }

    fn end_word(&mut self) {
        let end = self.text.folded.len();
        if end > self.word_start {
            let word = Word {
                start: self.word_start,
                end,
                after_break: std::mem::take(&mut self.broken),
                has_accent: std::mem::take(&mut self.accented),
                before_question_mark: false,
            };
            self.text.words.push(word);
            self.word_start = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(language: Language, raw: &str) -> String {
        Text::new(language, raw)
            .words()
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn each_language_is_folded_its_own_way() {
        assert_eq!(
            folded(Language::It, "L’autobus è già lì."),
            "l autobus e gia li"
        );
        assert_eq!(folded(Language::En, "I DON'T mind"), "i dont mind");
        assert_eq!(folded(Language::Ru, "Ещё мой ответ"), "еще мой ответ");
        assert_eq!(
            folded(Language::De, "fünf, weiß, Größe"),
            "fuenf weiss groesse"
        );
        assert_eq!(folded(Language::Fr, "ça m'intéresse"), "ca m interesse");
    }

    #[test]
    fn digits_keep_what_belongs_to_them() {
        assert_eq!(
            folded(Language::En, "3.5, -1 4/5 4. 4-5"),
            "3.5 - 1 4 / 5 4 4 5"
        );
        assert_eq!(folded(Language::En, "4² 3½ ４"), "4_ 3_ 4");
    }

    #[test]
    fn punctuation_separates_clauses() {
        let text = Text::new(Language::En, "four, no five");
        assert!(text.starts_clause(1));
        assert!(!text.starts_clause(2));
        assert!(text.is_broken(0, 2));
        assert!(!text.is_broken(1, 2));
    }

    #[test]
    fn a_question_mark_belongs_to_the_word_before_it() {
        let text = Text::new(Language::Es, "¿sí? no ¿por qué no ?!");
        let ends: Vec<usize> = (0..=9).filter(|&index| text.ends_question(index)).collect();
        assert_eq!(ends, [1, 5]);
    }
}
