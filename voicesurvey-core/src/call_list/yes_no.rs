//! Yes and no as people and spreadsheets write them in a cell.

use crate::blank::is_blank_character;

const YES: &[&str] = &[
    "1",
    "yes",
    "y",
    "true",
    "t",
    "on",
    "x",
    "✓",
    "✔",
    "☑",
    "sì",
    "si",
    "s",
    "vero",
    "sí",
    "verdadero",
    "oui",
    "vrai",
    "ja",
    "j",
    "wahr",
    "да",
    "д",
    "истина",
    "+",
];

const NO: &[&str] = &[
    "0", "no", "n", "false", "f", "off", "-", "☐", "✗", "✘", "falso", "non", "faux", "nein",
    "falsch", "нет", "н", "ложь",
];

/// What the cell says; `None` when it is neither yes nor no.
pub fn read(cell: &str) -> Option<bool> {
    // A tick may come with what makes a picture of it.
    let cell = cell.trim_matches(is_blank_character).to_lowercase();
    if YES.contains(&cell.as_str()) {
        Some(true)
    } else {
        NO.contains(&cell.as_str()).then_some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_to_be_seen_makes_no_difference() {
        for (cell, said) in [
            ("\u{2714}\u{fe0f}", Some(true)),
            ("\u{feff} Sì\u{200b}", Some(true)),
            ("\u{a0}no\0", Some(false)),
            ("\u{200b}", None),
        ] {
            assert_eq!(read(cell), said, "{cell:?}");
        }
    }
}
