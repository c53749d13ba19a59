//! What the heading of a column says about its content, in the words people use.
//!
//! Case, accents, space and punctuation do not matter: `Phone #`, `PHONE` and `phone` are one word,
//! `N° de téléphone` is `ndetelephone`.
//!
//! To teach a further word, add it to its list as people write it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::error_file;

/// The name of the phone column in the product's own files.
pub(super) const PHONE_NUMBER: &str = "phone_number";

/// Headings that can only mean the phone column: everywhere, then in English, Italian, Spanish,
/// French, German and Russian.
const PHONE: &str = "\
    phone number, phone, tel, telephone, mobile, cell, gsm, msisdn,
    phone no, phone nr, phone num, phone numbers, telephone number, telephone no, tel no,
    tel number, mobile number, mobile no, mobile phone, mobile phone number, cell number, cell no,
    cellphone, cell phone number, cellular, contact number, contact phone, primary phone,
    home phone, work phone, customer phone,
    telefono, numero di telefono, numero telefono, numero telefonico, n telefono, n di telefono,
    num telefono, nr telefono, n tel, num tel, cellulare, numero cellulare, numero di cellulare,
    n cellulare, num cellulare, nr cellulare, telefono cellulare, telefono mobile, telefono fisso,
    numero mobile, cel, recapito telefonico, utenza telefonica,
    teléfono, número de teléfono, n de teléfono, núm teléfono, tlf, tfno, tlfn, tfn, móvil,
    número de móvil, número móvil, teléfono móvil, celular, número de celular, número celular,
    teléfono celular, teléfono fijo,
    téléphone, numéro de téléphone, numéro téléphone, n de téléphone, n téléphone, n tél, num tél,
    no de téléphone, no téléphone, téléphone portable, téléphone mobile, téléphone fixe, portable,
    numéro de portable, numéro portable, numéro de mobile, tél portable, tél mobile, tél fixe,
    Telefon, Telefonnummer, Telefon Nr, Tel Nr, Telnummer, Rufnummer, Handy, Handynummer, Handy Nr,
    Mobil, Mobilnummer, Mobil Nr, Mobiltelefon, Mobilfunknummer, Mobilfunk, Festnetz,
    Festnetznummer,
    телефон, номер телефона, телефонный номер, тел, номер тел, моб, моб тел, моб телефон,
    мобильный, мобильный телефон, номер мобильного, мобильный номер, сотовый, сотовый телефон,
    номер сотового, контактный телефон, контактный номер";

/// Headings that mean the phone column when its cells look like it. Elsewhere they mean a row's
/// number, or a person.
const PERHAPS_PHONE: &str = "\
    number, no, contact, WhatsApp, numero, n, contatto, recapito, número, contacto, numéro, Nummer,
    Nr, Kontakt, номер, контакт";

/// Words of which one makes a longer heading mean the phone column when its cells look like it, as
/// in `Customer's mobile (private)` or `Telefono 1`.
const PHONE_WORDS: &str = "\
    phone, tel, telephone, mobile, cell, cellphone, telefono, cellulare, móvil, celular, téléphone,
    portable, Telefon, Telefonnummer, Handy, Handynummer, Mobil, телефон, телефона, мобильный,
    сотовый";

/// What else a heading can mean.
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
    /// A column of our own error file.
    ErrorFile,
}

const MEANINGS: [(Meaning, &str); 7] = [
    (
        Meaning::FullName,
        "full name, contact name, customer name, client name, first and last name,
        nome completo, nome e cognome, nome cognome, cognome e nome, cognome nome, nominativo,
        nome cliente, nome contatto, intestatario,
        nombre completo, nombre y apellidos, nombre y apellido, nombre del cliente,
        nom complet, nom et prénom, nom prénom, prénom nom, prénom et nom, nom du client,
        vollständiger Name, Vor- und Nachname, Name Vorname, Kundenname, Ansprechpartner,
        фио, полное имя, имя фамилия, имя и фамилия, фамилия имя, имя клиента",
    ),
    (Meaning::Name, "name, nome, nombre, nom, имя"),
    (
        Meaning::GivenName,
        "first name, given name, forename, nome di battesimo, nombre de pila, prénom, Vorname",
    ),
    (
        Meaning::FamilyName,
        "last name, surname, family name, cognome, apellido, apellidos, nom de famille, Nachname,
        Familienname, Zuname, фамилия",
    ),
    (
        Meaning::Language,
        "language, lang, language code, lingua, idioma, lengua, langue, Sprache, язык",
    ),
    (
        Meaning::TimeZone,
        "time zone, tz, fuso orario, fuso, zona oraria, huso horario, zona horaria,
        fuseau horaire, fuseau, Zeitzone, часовой пояс, таймзона",
    ),
    (
        Meaning::Priority,
        "priority, priorità, prioridad, priorité, Priorität, приоритет",
    ),
];

/// Whether the heading can only mean the phone column.
pub(super) fn is_phone_number(heading: &str) -> bool {
    is_one_of(heading, PHONE)
}

/// Whether the heading means the phone column, if its cells look like phone numbers.
pub(super) fn may_be_phone_number(heading: &str) -> bool {
    is_one_of(heading, PERHAPS_PHONE)
        || heading
            .split(|character: char| !character.is_alphanumeric())
            .any(|word| is_one_of(word, PHONE_WORDS))
}

/// What else the heading means.
pub(super) fn meaning(heading: &str) -> Option<Meaning> {
    if error_file::COLUMNS.contains(&heading.trim()) {
        return Some(Meaning::ErrorFile);
    }
    MEANINGS
        .iter()
        .find(|(_, words)| is_one_of(heading, words))
        .map(|(meaning, _)| *meaning)
}

fn is_one_of(heading: &str, words: &str) -> bool {
    let heading = folded(heading);
    !heading.is_empty() && words.split(',').any(|word| folded(word) == heading)
}

/// More than any word above has; the rest of an endless heading need not be looked at.
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
}
