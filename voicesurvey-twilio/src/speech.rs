//! Sentences in pieces that Twilio speaks: nothing that XML cannot hold, nothing that is too long.

/// The most that is spoken in one piece, in UTF-16 units: the limit of Amazon's voices, the lowest.
const LONGEST_PIECE: usize = 3_000;

/// The most in bytes once it is escaped for a URL; letters that are not Latin take six each.
const LONGEST_PIECE_ESCAPED: usize = 4_500;

/// What a document has left for speech, in bytes.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Room {
    /// Of the 64 kB that Twilio reads; the rest is for hints, URLs and a margin.
    pub(crate) const WHOLE_DOCUMENT: Self = Self(36 * 1024);

    /// What stands around a piece at most: the tags, the name of a voice and of a language.
    const AROUND_A_PIECE: usize = 128;

    /// Takes what `text` needs; `false` if there is not enough.
    fn take(&mut self, text: &str) -> bool {
        let needed = written_length(text) + Self::AROUND_A_PIECE;
        let left = self.0.checked_sub(needed);
        self.0 = left.unwrap_or_default();
        left.is_some()
    }
}

/// The bytes that a text takes in a document, with its escapes.
pub(crate) fn written_length(text: &str) -> usize {
    let of_letter = |letter: char| match letter {
        '&' | '<' | '>' | '"' | '\'' => 6,
        other => other.len_utf8(),
    };
    text.chars().map(of_letter).sum()
}

/// The sentences in pieces, as far as there is room.
pub(crate) fn pieces(sentences: &[String], room: &mut Room) -> Vec<String> {
    let mut pieces = Vec::new();
    for sentence in sentences {
        for piece in split(&spoken(sentence)) {
            if !room.take(&piece) {
                tracing::error!("a reply is too long for Twilio, and its end is not spoken");
                return pieces;
            }
            pieces.push(piece);
        }
    }
    pieces
}

/// A text without what XML 1.0 cannot hold, and with plain spaces.
pub(crate) fn spoken(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|letter| !letter.is_control() && !matches!(letter, '\u{fffe}' | '\u{ffff}'))
        .collect();
    plain.trim().to_owned()
}

/// Splits at the end of a sentence if there is one, else at the end of a word, else anywhere.
fn split(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut words: Vec<&str> = Vec::new();
    let mut length = Length::default();
    for word in text.split_whitespace().flat_map(short) {
        while !length.with_word(word).fits() {
            let ends = |word: &&str| word.ends_with(['.', '!', '?', '…']);
            let end = words
                .iter()
                .rposition(ends)
                .map_or(words.len(), |last| last + 1);
            pieces.push(words[..end].join(" "));
            words.drain(..end);
            length = words
                .iter()
                .fold(Length::default(), |length, word| length.with_word(word));
        }
        words.push(word);
        length = length.with_word(word);
    }
    if !words.is_empty() {
        pieces.push(words.join(" "));
    }
    pieces
}

/// A word in parts each of which fits.
fn short(word: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = word;
    loop {
        let mut length = Length::default().with(' ');
        let end = rest.char_indices().find(|(_, letter)| {
            length = length.with(*letter);
            !length.fits()
        });
        let Some((end, _)) = end else {
            parts.push(rest);
            return parts;
        };
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
}

/// How long a piece is, in both of Twilio's measures.
#[derive(Clone, Copy, Default)]
struct Length {
    units: usize,
    escaped: usize,
}

impl Length {
    const fn with(self, letter: char) -> Self {
        let escaped = if letter.is_ascii_alphanumeric() {
            1
        } else {
            3 * letter.len_utf8()
        };
        Self {
            units: self.units + letter.len_utf16(),
            escaped: self.escaped + escaped,
        }
    }

    /// With a space and a word.
    fn with_word(self, word: &str) -> Self {
        word.chars().fold(self.with(' '), Self::with)
    }

    const fn fits(self) -> bool {
        self.units <= LONGEST_PIECE && self.escaped <= LONGEST_PIECE_ESCAPED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(piece: &str) -> bool {
        piece.chars().fold(Length::default(), Length::with).fits()
    }

    fn all(sentences: &[&str]) -> Vec<String> {
        let sentences: Vec<String> = sentences.iter().map(|&it| it.to_owned()).collect();
        pieces(&sentences, &mut Room(1_000_000))
    }

    #[test]
    fn short_sentences_stay_as_they_are_and_empty_ones_are_not_spoken() {
        let said = all(&["Buongiorno.", "", "  \t\n ", "Да & <нет> 🎉"]);
        assert_eq!(said, ["Buongiorno.", "Да & <нет> 🎉"]);
    }

    #[test]
    fn what_xml_cannot_hold_is_dropped_and_every_space_is_plain() {
        assert_eq!(
            spoken("a\u{0}b\u{8}\u{b}c\nd\u{a0}e\u{fffe}\u{ffff}\u{7f}"),
            "ab c d e"
        );
    }

    #[test]
    fn long_texts_are_cut_where_a_sentence_ends_or_else_a_word() {
        let sentence = format!("{}.", "parola ".repeat(100).trim_end());
        let text = [&sentence[..]; 12].join(" ");
        let said = all(&[&text]);
        assert!(
            said.len() > 1 && said.iter().all(|piece| piece.ends_with('.')),
            "{said:?}"
        );
        assert_eq!(said.join(" "), text);

        let endless = "слово ".repeat(2_000);
        let said = all(&[&endless]);
        assert!(
            said.iter()
                .all(|piece| fits(piece) && piece.ends_with("слово"))
        );
        assert_eq!(said.join(" "), endless.trim_end());
    }

    #[test]
    fn a_word_without_end_is_cut_within_letters_that_are_whole() {
        for letter in ["a", "ж", "🎉"] {
            let word = letter.repeat(7_000);
            let said = all(&[&word]);
            assert!(said.iter().all(|piece| fits(piece) && !piece.is_empty()));
            assert_eq!(said.concat(), word);
        }
    }

    #[test]
    fn what_finds_no_room_is_not_spoken() {
        let mut room = Room(300);
        let sentences = ["uno", "due", "tre"].map(str::to_owned);
        assert_eq!(pieces(&sentences, &mut room), ["uno", "due"]);
        assert!(pieces(&sentences, &mut room).is_empty());
    }
}
