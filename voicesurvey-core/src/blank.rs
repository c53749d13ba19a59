//! What is blank to everybody who looks at it, though it has characters in it.
//!
//! Cells of call lists come with more than spaces around their text and in its place: fixed spaces,
//! byte order marks where files were put together, marks of writing direction from address books,
//! zero bytes of old programs. Who opens the file sees an empty cell, so it is one.

/// Whether the character shows nothing by itself: white space, control characters, and what Unicode
/// lets be drawn as nothing or as an empty place.
pub fn is_blank_character(character: char) -> bool {
    // Nearly all that is ever asked about.
    if character.is_ascii_graphic() {
        return false;
    }
    character.is_whitespace()
        || character.is_control()
        || alters_the_one_before(character)
        || matches!(
            character,
            // Soft hyphen, marks of writing direction, spaces and operators without width, byte
            // order mark.
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
                // Letters and patterns that are empty.
                | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
                // Marks of shorthand and of music.
                | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        )
}

/// Whether the character shows nothing, but may change how the one before it looks: joiners,
/// variation selectors, and the tags of flags.
fn alters_the_one_before(character: char) -> bool {
    matches!(
        character,
        '\u{34f}' | '\u{180b}'..='\u{180f}' | '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether there is nothing to be seen in the text.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_blank_character)
}

/// The text without what is blank around it; nothing, if all of it is. What belongs to its last
/// letter stays: some Indian letters are written with a joiner behind them.
///
/// ```
/// use voicesurvey_core::blank::trimmed;
///
/// assert_eq!(trimmed("\u{feff}\u{a0}Ada\u{200b}\0"), "Ada");
/// assert_eq!(trimmed(" ജോണ്\u{200d} "), "ജോണ്\u{200d}");
/// assert_eq!(trimmed("\u{200d}\u{2800}"), "");
/// ```
pub fn trimmed(text: &str) -> &str {
    let is_around = |character| is_blank_character(character) && !alters_the_one_before(character);
    text.trim_start_matches(is_blank_character)
        .trim_end_matches(is_around)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in [
            "",
            " \t\r\n",
            "\0\u{1}\u{1f}\u{7f}\u{85}",
            "\u{a0}\u{2003}\u{202f}\u{205f}\u{3000}",
            "\u{feff}\u{200b}\u{200c}\u{200d}\u{2060}",
            "\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{61c}",
            "\u{ad}\u{2800}\u{3164}\u{ffa0}\u{fe0f}\u{e0067}",
        ] {
            assert!(is_blank(text), "{text:?}");
            assert_eq!(trimmed(text), "", "{text:?}");
        }
    }

    #[test]
    fn what_shows_something_is_not() {
        for text in [
            "0",
            "-",
            "'",
            "_",
            "·",
            "é",
            "ъ",
            "字",
            "\u{fffd}",
            "❤\u{fe0f}",
            "e\u{301}",
        ] {
            assert!(!is_blank(text), "{text:?}");
            assert_eq!(trimmed(&format!("\u{feff} {text} \0")), text, "{text:?}");
        }
    }
}
