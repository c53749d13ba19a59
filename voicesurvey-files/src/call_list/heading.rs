//! What the heading of a column says about its content, in the words people use.
//!
//! Case, accents, space and punctuation do not matter: `Phone #`, `PHONE` and `phone` are one word,
//! `N° de téléphone` is `ndetelephone`.

mod words;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use voicesurvey_core::blank::trimmed;

use crate::error_file;

/// What else a heading can mean than the phone column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// First and last name in one.
    FullName,
    /// A name, perhaps only a part of it, depending on the other columns.
    Name,
    /// The first name.
    GivenName,
    /// The last name.
    FamilyName,
    /// The language to be spoken.
    Language,
    /// The person's time zone.
    TimeZone,
    /// Who is called first.
    Priority,
    /// The person's identifier in somebody's own files.
    ExternalId,
    /// The e-mail address.
    Email,
    /// Who must not be called.
    DoNotCall,
    /// Who has agreed to be called.
    HasPriorConsent,
    /// A column of our own error file.
    ErrorFile,
}

/// The words, folded once.
struct Words {
    phone: HashSet<String>,
    perhaps_phone: HashSet<String>,
    within_phone: HashSet<String>,
    other_numbers: HashSet<String>,
    meanings: HashMap<String, Meaning>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    phone: set(words::PHONE),
    perhaps_phone: set(words::PERHAPS_PHONE),
    within_phone: set(words::PHONE_WORDS),
    other_numbers: set(words::OTHER_NUMBERS),
    meanings: words::MEANINGS
        .iter()
        .flat_map(|(meaning, words)| words.split(',').map(|word| (folded(word), *meaning)))
        .collect(),
});

fn set(words: &str) -> HashSet<String> {
    words.split(',').map(folded).collect()
}

/// Whether the heading can only mean the phone column.
pub(super) fn is_phone_number(heading: &str) -> bool {
    WORDS.phone.contains(&folded(heading))
}

/// Whether the heading means the phone column, if its cells look like phone numbers.
pub(super) fn may_be_phone_number(heading: &str) -> bool {
    WORDS.perhaps_phone.contains(&folded(heading))
        || (has_word_of(heading, &WORDS.within_phone) && !is_of_other_numbers(heading))
}

/// Whether the heading means other numbers than those that can be dialed.
pub(super) fn is_of_other_numbers(heading: &str) -> bool {
    let is_known = !matches!(meaning(heading), None | Some(Meaning::Name));
    is_known || has_word_of(heading, &WORDS.other_numbers)
}

/// What else the heading means.
pub(super) fn meaning(heading: &str) -> Option<Meaning> {
    if error_file::COLUMNS.contains(&trimmed(heading)) {
        return Some(Meaning::ErrorFile);
    }
    WORDS.meanings.get(&folded(heading)).copied()
}

/// Whether two headings are one to people.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    trimmed(one) == trimmed(other) || (!folded(one).is_empty() && folded(one) == folded(other))
}

fn has_word_of(heading: &str, words: &HashSet<String>) -> bool {
    heading
        .split(|character: char| !character.is_alphanumeric())
        .take(MOST_LETTERS)
        .map(folded)
        .any(|word| !word.is_empty() && words.contains(&word))
}

/// More than any of the words has; the rest of an endless heading need not be looked at.
const MOST_LETTERS: usize = 64;

/// The first letters and digits of the text, in lower case and without accents.
fn folded(text: &str) -> String {
    text.nfkd()
        .filter(|character| character.is_alphanumeric() && !is_combining_mark(*character))
        .flat_map(char::to_lowercase)
        .take(MOST_LETTERS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_headings_are_known_in_six_languages() {
        for heading in [
            "phone_number",
            "Phone",
            "Mobile",
            "Cell",
            "Tel",
            "Tel.",
            "Phone #",
            "PHONE NUMBER",
            "phoneNumber",
            " Telefono ",
            "Numero di telefono",
            "N. telefono",
            "Cellulare",
            "Teléfono",
            "TELEFONO",
            "Móvil",
            "Número de teléfono",
            "Nº de teléfono",
            "Téléphone",
            "N° de téléphone",
            "№ телефона",
            "Portable",
            "Handy",
            "Handy-Nr.",
            "Telefonnummer",
            "Телефон",
            "Номер телефона",
            "Мобильный",
            "телефо\u{301}н",
        ] {
            assert!(
                is_phone_number(heading) || may_be_phone_number(heading),
                "{heading}"
            );
        }
        for heading in [
            "Number",
            "Numero",
            "Номер",
            "Telefono 1",
            "Customer's mobile (private)",
        ] {
            assert!(
                !is_phone_number(heading) && may_be_phone_number(heading),
                "{heading}"
            );
        }
        for heading in [
            "",
            "#",
            "Name",
            "Telefax",
            "Fax",
            "Note",
            "Microphone",
            "Hotel",
        ] {
            assert!(
                !is_phone_number(heading) && !may_be_phone_number(heading),
                "{heading}"
            );
        }
    }

    #[test]
    fn other_headings_are_known_in_six_languages() {
        for (meaning_of, headings) in [
            (
                Meaning::Name,
                ["Name", "NOME", "Nombre", "Nom", "Имя", "name:"].as_slice(),
            ),
            (
                Meaning::FullName,
                &["Full Name", "Nome e Cognome", "Ф.И.О.", "Nom, prénom"],
            ),
            (Meaning::GivenName, &["First name", "Prénom", "Vorname"]),
            (
                Meaning::FamilyName,
                &["Cognome", "Apellidos", "Nachname", "Фамилия"],
            ),
            (
                Meaning::Language,
                &["language", "Lingua", "Idioma", "Langue", "Sprache", "Язык"],
            ),
            (
                Meaning::TimeZone,
                &["time_zone", "Timezone", "Fuso orario", "Zeitzone"],
            ),
            (
                Meaning::Priority,
                &["Priority", "Priorità", "Prioridad", "Приоритет"],
            ),
            (
                Meaning::ExternalId,
                &[
                    "external_id",
                    "ID cliente",
                    "Kundennummer",
                    "Код клиента",
                    "ID",
                ],
            ),
            (
                Meaning::Email,
                &["E-mail", "EMAIL", "Correo electrónico", "Courriel", "Почта"],
            ),
            (
                Meaning::DoNotCall,
                &[
                    "do_not_call",
                    "DNC",
                    "Non chiamare",
                    "Ne pas appeler",
                    "Не звонить",
                ],
            ),
            (
                Meaning::HasPriorConsent,
                &["has_prior_consent", "Consenso", "Einwilligung", "Согласие"],
            ),
            (
                Meaning::ErrorFile,
                &["error_row", "error_column", "error_reason"],
            ),
        ] {
            for heading in headings {
                assert_eq!(meaning(heading), Some(meaning_of), "{heading}");
            }
        }
        assert_eq!(meaning("Città"), None);
        assert_eq!(meaning(""), None);
    }

    #[test]
    fn headings_of_other_numbers_are_known() {
        for heading in [
            "Fax",
            "Partita IVA",
            "P.IVA",
            "Codice Fiscale",
            "IBAN",
            "Data di nascita",
            "ИНН",
            "Rechnungsnummer",
            "Order no",
            "external_id",
            "Phone account",
            "Fax telefono",
        ] {
            assert!(is_of_other_numbers(heading), "{heading}");
            assert!(!may_be_phone_number(heading), "{heading}");
        }
        for heading in ["", "Puhelin", "Telefono", "Contatto", "Telefono casa"] {
            assert!(!is_of_other_numbers(heading), "{heading}");
        }
    }

    #[test]
    fn no_word_means_two_things() {
        let mut seen = HashSet::new();
        for (_, words) in words::MEANINGS {
            for word in set(words) {
                assert!(!WORDS.phone.contains(&word), "{word}");
                assert!(seen.insert(word.clone()), "{word}");
            }
        }
    }
}
