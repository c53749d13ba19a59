//! Whatever the delimiter, the quoting, the encoding, the line ends and the order of the columns:
//! the same people come out.

use std::io::Cursor;

use proptest::prelude::*;
use voicesurvey_core::call_list::Contact;
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListReader, ReadSettings};

const HEADINGS: [[&str; 5]; 4] = [
    ["Telefono", "Nome", "Lingua", "Codice cliente", "Città"],
    ["phone_number", "name", "language", "external_id", "Città"],
    ["Телефон", "Имя", "Язык", "Код клиента", "Città"],
    ["Handy-Nr.", "Name", "Sprache", "Kundennummer", "Città"],
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Encoding {
    Utf8,
    Utf8Marked,
    Utf16Little,
    Utf16Big,
    Utf16LittleUnmarked,
    Western,
}

impl Encoding {
    fn encode(self, text: &str) -> Vec<u8> {
        let wide = |text: String, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Utf8Marked => format!("\u{feff}{text}").into_bytes(),
            Self::Utf16Little => wide(format!("\u{feff}{text}"), u16::to_le_bytes),
            Self::Utf16Big => wide(format!("\u{feff}{text}"), u16::to_be_bytes),
            Self::Utf16LittleUnmarked => wide(text.to_owned(), u16::to_le_bytes),
            // What is in the list has the same numbers in Windows-1252 and in Unicode.
            Self::Western => text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).unwrap())
                .collect(),
        }
    }
}

/// How a list is written down.
#[derive(Clone, Debug)]
struct Shape {
    delimiter: char,
    end: &'static str,
    is_all_quoted: bool,
    encoding: Encoding,
    headings: usize,
    order: Vec<usize>,
    titles: usize,
    numbers: usize,
}

fn shapes() -> impl Strategy<Value = Shape> {
    (
        proptest::sample::select(vec![',', ';', '\t', '|']),
        proptest::sample::select(vec!["\n", "\r\n", "\r"]),
        any::<bool>(),
        proptest::sample::select(vec![
            Encoding::Utf8,
            Encoding::Utf8Marked,
            Encoding::Utf16Little,
            Encoding::Utf16Big,
            Encoding::Utf16LittleUnmarked,
            Encoding::Western,
        ]),
        0..HEADINGS.len(),
        Just(vec![0, 1, 2, 3, 4]).prop_shuffle(),
        0..3_usize,
        0..4_usize,
    )
        .prop_map(
            |(delimiter, end, is_all_quoted, encoding, headings, order, titles, numbers)| {
                // Cyrillic headings cannot be written in the encoding of the west.
                let headings = if encoding == Encoding::Western && headings == 2 {
                    0
                } else {
                    headings
                };
                Shape {
                    delimiter,
                    end,
                    is_all_quoted,
                    encoding,
                    headings,
                    order,
                    titles,
                    numbers,
                }
            },
        )
}

/// A person: the last digits of the number, and the other cells.
type Person = (u32, String, &'static str, u32, String);

fn people() -> impl Strategy<Value = Vec<Person>> {
    let person = (
        0..10_000_000_u32,
        // Accented letters stand among plain ones, which tells Windows-1252 from Windows-1251.
        "[A-ZÈÉ]([a-z]{1,3}[èéìòùüß' ]){0,3}[a-z]{1,3}[èìòù]?",
        proptest::sample::select(vec!["it", "en", "fr"]),
        0..1_000_u32,
        "[A-Z][ -~]{0,6}[a-z][èéù]?[a-z]",
    );
    proptest::collection::vec(person, 1..12)
}

impl Shape {
    fn write(&self, people: &[Person]) -> Vec<u8> {
        let mut text = String::new();
        for title in 0..self.titles {
            text.extend(["Elenco ", &title.to_string(), self.end]);
        }
        self.line(&mut text, &HEADINGS[self.headings].map(str::to_owned));
        for (number, name, language, id, city) in people {
            let number = format!("347{number:07}");
            let number = match self.numbers {
                0 => format!("+39 {number}"),
                1 => format!("0039{number}"),
                2 => format!("{} {}", &number[..3], &number[3..]),
                _ => format!("39{number}.0"),
            };
            let cells = [
                number,
                name.clone(),
                (*language).to_owned(),
                format!("K{id}"),
                city.clone(),
            ];
            self.line(&mut text, &cells);
        }
        self.encoding.encode(&text)
    }

    fn line(&self, text: &mut String, cells: &[String; 5]) {
        for (place, column) in self.order.iter().enumerate() {
            let cell = &cells[*column];
            let special = [self.delimiter, '"', '\n', '\r'];
            if place > 0 {
                text.push(self.delimiter);
            }
            if self.is_all_quoted || cell.contains(special) {
                text.extend(["\"", &cell.replace('"', "\"\""), "\""]);
            } else {
                *text += cell;
            }
        }
        *text += self.end;
    }
}

fn read(content: Vec<u8>) -> Vec<Contact> {
    let reader =
        CallListReader::open(Cursor::new(content), "list", &ReadSettings::new(Region::IT)).unwrap();
    reader
        .map(|row| row.unwrap().contact(Region::IT).unwrap())
        .collect()
}

proptest! {
    #[test]
    fn the_same_people_come_out_of_every_shape(people in people(), shape in shapes()) {
        let contacts = read(shape.write(&people));
        prop_assert_eq!(contacts.len(), people.len(), "{:?}", shape);
        for (contact, (number, name, language, id, city)) in contacts.iter().zip(&people) {
            prop_assert_eq!(contact.phone_number.to_string(), format!("+39347{number:07}"));
            prop_assert_eq!(&contact.name, name.trim());
            prop_assert_eq!(contact.language.unwrap().code(), *language);
            prop_assert_eq!(contact.external_id(), Some(&*format!("K{id}")));
            prop_assert_eq!(&contact.extra["Città"], city.trim());
        }
    }
}
