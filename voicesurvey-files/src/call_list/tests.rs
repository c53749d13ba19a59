//! What lists look like, and what becomes of them.

use std::collections::HashSet;

use proptest::prelude::*;
use voicesurvey_core::call_list::{Contact, RowError};
use voicesurvey_core::phone_number::Region;

use super::*;
use crate::cell;

mod blank;

const SEED_C_LIST: &[u8] = include_bytes!("../../../tests/data/seed-c-list.csv");
const DEMO_LIST: &[u8] = include_bytes!("../../../voicesurvey-server/demo/call_list.csv");

fn read_with(
    content: impl AsRef<[u8]>,
    settings: &ReadSettings,
) -> Result<CallList, CallListError> {
    let content = Cursor::new(content.as_ref().to_vec());
    let reader = CallListReader::open(content, "list.csv", settings)?;
    Ok(CallList {
        file_name: reader.name().to_owned(),
        columns: reader.columns().to_vec(),
        rows: reader.collect::<Result<_, _>>()?,
    })
}

fn read(content: impl AsRef<[u8]>) -> Result<CallList, CallListError> {
    read_with(content, &ReadSettings::new(Region::IT))
}

fn first_row(content: &str) -> CallListRow {
    read(content).unwrap().rows.remove(0)
}

fn contacts(list: &CallList, region: Region) -> (Vec<Contact>, Vec<RowError>) {
    let mut contacts = Vec::new();
    let mut errors = Vec::new();
    for row in &list.rows {
        match row.contact(region) {
            Ok(contact) => contacts.push(contact),
            Err(error) => errors.push(error),
        }
    }
    (contacts, errors)
}

#[test]
fn the_five_row_list_gives_four_contacts_and_an_error_in_row_6() {
    let list = read(SEED_C_LIST).unwrap();
    assert_eq!(list.columns, ["phone_number", "name", "company", "notes"]);
    assert_eq!(list.rows.len(), 5);
    for region in [Region::RU, Region::IT] {
        let (contacts, errors) = contacts(&list, region);
        assert_eq!(contacts.len(), 4);
        assert_eq!(contacts[2].phone_number.as_str(), "+79991234569");
        assert_eq!(contacts[2].name, "Пётр Сидоров");
        assert_eq!(contacts[2].extra["company"], "");
        assert_eq!(contacts[2].extra["notes"], "Перезвонить");
        let messages: Vec<_> = errors.iter().map(RowError::message).collect();
        assert_eq!(messages, ["Row 6: Empty phone number"]);
        assert_eq!(errors[0].original[1], "Без Номера");
    }
}

#[test]
fn the_demo_list_has_the_dirt_that_its_readme_says() {
    let list = read(DEMO_LIST).unwrap();
    assert_eq!(
        list.columns,
        ["Nome", "Telefono", "Lingua", "Città", "Cliente dal", "Note"]
    );
    assert_eq!(list.rows.len(), 200);
    let (contacts, errors) = contacts(&list, Region::IT);
    let messages: Vec<_> = errors.iter().map(RowError::message).collect();
    assert_eq!(
        messages,
        [
            "Row 77: Empty phone number",
            "Row 118: Phone number does not exist in its country's numbering plan"
        ]
    );

    let mut numbers = HashSet::new();
    let duplicates: Vec<_> = list
        .rows
        .iter()
        .filter_map(|row| Some((row.row, row.contact(Region::IT).ok()?.phone_number)))
        .filter(|(_, number)| !numbers.insert(*number))
        .map(|(row, _)| row)
        .collect();
    assert_eq!(duplicates, [139, 186]);
    assert_eq!(numbers.len(), 196);

    let in_region = |region| {
        contacts
            .iter()
            .filter(move |contact| contact.phone_number.region() == Some(region))
    };
    assert_eq!(in_region(Region::IT).count(), 119);
    assert_eq!(in_region(Region::GB).count(), 79);
    assert!(
        contacts
            .iter()
            .all(|contact| !contact.time_zones.is_empty())
    );
    assert_eq!(contacts[0].name, "Niccolò D'Amico");
    assert_eq!(contacts[0].extra["Città"], "Patù");
    assert_eq!(contacts[0].extra["Note"], "abbonamento annuale, pagato");
}

#[test]
fn every_delimiter_and_line_end_gives_the_same_list() {
    let expected = read("Name,Phone,Note\nAda,+39 354 5550100,\"x\ny\"\n").unwrap();
    for delimiter in [";", "\t", "|"] {
        let text =
            "\u{feff}Name,Phone,Note\r\nAda,+39 354 5550100,\"x\ny\"".replace(',', delimiter);
        assert_eq!(read(text).unwrap(), expected);
    }
}

#[test]
fn blank_rows_are_passed_over_and_still_counted() {
    let list = read("\n phone,name\n\n,,\n+393545550100,Ada\n  \n\"\",\"\"\n,Bea\n\n").unwrap();
    let rows: Vec<_> = list
        .rows
        .iter()
        .map(|row| (row.row, row.name.as_str()))
        .collect();
    assert_eq!(rows, [(5, "Ada"), (8, "Bea")]);
}

#[test]
fn ragged_rows_lose_nothing() {
    let list = read("phone,name,city\n1,Ada\n2,Bea,Rome,spare,\n").unwrap();
    assert_eq!(list.rows[0].extra["city"], "");
    assert_eq!(list.rows[1].extra["city"], "Rome");
    assert_eq!(list.rows[1].original, ["2", "Bea", "Rome", "spare", ""]);
}

#[test]
fn columns_are_understood_and_the_others_kept_as_they_are_called() {
    let row = first_row(
        "Priorità,LINGUA,Fuso orario,N. Telefono,Città,,Città,Nome\n5,it,Europe/Rome,'+39 354, Roma ,x,EUR,Ada\n",
    );
    insta::assert_debug_snapshot!(row, @r#"
    CallListRow {
        row: 2,
        phone_number: "+39 354",
        phone_number_is_numeric: false,
        phone_place: Some(
            3,
        ),
        other_phones: [],
        name: "Ada",
        language: "it",
        time_zone: "Europe/Rome",
        priority: "5",
        external_id: "",
        email: "",
        do_not_call: "",
        has_prior_consent: "",
        extra: {
            "Città": "Roma",
            "Città_2": "EUR",
            "column_6": "x",
        },
        original: [
            "5",
            "it",
            "Europe/Rome",
            "'+39 354",
            " Roma ",
            "x",
            "EUR",
            "Ada",
        ],
    }
    "#);
}

#[test]
fn names_are_put_together_from_their_parts() {
    for (header, cells, name) in [
        ("Telefono;Nome;Cognome", "1;Ada;Rossi", "Ada Rossi"),
        ("Telefon;Name;Vorname", "1;Rossi;Ada", "Ada Rossi"),
        ("Téléphone;Nom;Prénom", "1;Rossi;Ada", "Ada Rossi"),
        (
            "phone;Last name;First name;Name",
            "1;Rossi;Ada;A. R.",
            "Ada Rossi",
        ),
        ("phone;First name;Full name", "1;Ada;Ada Rossi", "Ada Rossi"),
        ("phone;Name;Surname", "1;;Rossi", "Rossi"),
        ("phone;Surname", "1;Rossi", "Rossi"),
        ("phone", "1", ""),
    ] {
        assert_eq!(
            first_row(&format!("{header}\n{cells}\n")).name,
            name,
            "{header}"
        );
    }
    let row = first_row("Telefono;Nome;Cognome\n1;Ada;Rossi\n");
    assert_eq!(
        (&*row.extra["Nome"], &*row.extra["Cognome"]),
        ("Ada", "Rossi")
    );
}

#[test]
fn the_phone_column_is_found_among_others_that_could_be_it() {
    for (content, phone_number) in [
        // Our own name goes first, wherever it stands.
        (
            "Mobile,phone_number\n354 5550100,354 5550199\n",
            "354 5550199",
        ),
        // The first that has numbers.
        ("Telefono,Cellulare\n,354 5550199\n", "354 5550199"),
        (
            "Telefono,Cellulare\n354 5550199,354 5550100\n",
            "354 5550199",
        ),
        // A column that numbers the rows is not it.
        (
            "Number,Customer phone\n1,354 5550199\n2,354 5550100\n",
            "354 5550199",
        ),
        ("Numero,Nome\n354 5550199,Ada\n,Bea\n", "354 5550199"),
        // Neither is one that only speaks of phones.
        ("Phone type,Phone 1\nhome,354 5550199\n", "354 5550199"),
        // The second number when there is no first.
        (
            "Telefono,Cellulare\n-,354 5550199\n354 5550100,\n",
            "354 5550199",
        ),
        // A column that says it holds numbers is believed, so that the errors name the rows.
        ("Name,Phone\nAda,none\n", "none"),
    ] {
        assert_eq!(first_row(content).phone_number, phone_number, "{content}");
    }
}

#[test]
fn a_bare_column_of_numbers_needs_no_header() {
    let list = read("+39 354 5550100\n\n354/5550101\nnone\n").unwrap();
    let rows: Vec<_> = list
        .rows
        .iter()
        .map(|row| (row.row, row.phone_number.as_str()))
        .collect();
    assert_eq!(
        rows,
        [(1, "+39 354 5550100"), (3, "354/5550101"), (4, "none")]
    );
    assert_eq!(list.columns, ["phone_number"]);
}

#[test]
fn a_heading_may_look_like_a_number() {
    let list = read("phone,2026-03-01\n354 5550100,yes\n").unwrap();
    assert_eq!(list.rows[0].extra["2026-03-01"], "yes");
}

#[test]
fn a_mended_error_file_is_a_call_list_again() {
    let list =
        read("phone,name,error_row,error_column,error_reason\n+393545550100,Ada,6,phone,Empty\n")
            .unwrap();
    assert_eq!(list.columns, ["phone", "name"]);
    assert_eq!(list.rows[0].original, ["+393545550100", "Ada"]);
    assert!(list.rows[0].extra.is_empty());
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let settings = ReadSettings {
        limits: ReadLimits {
            max_rows: 2,
            max_columns: 3,
            max_cells: 100,
            max_cell_characters: 12,
            ..ReadLimits::default()
        },
        ..ReadSettings::new(Region::IT)
    };
    let files: &[&[u8]] = &[
        b"",
        b"phone,name\n\n,\n",
        b"Name;City\nAda;Rome\n",
        b";;x\n1;2;3\n",
        b"3545550100,Ada,3545550101\n3545550102,Bea,3545550103\n",
        b"phone\n1\n2\n3\n",
        b"phone\n1,2,3,4\n",
        b"phone\n1234567890123\n",
        b"phone\n1\n\"2\n3\n",
    ];
    let errors: Vec<String> = files
        .iter()
        .map(|file| read_with(file, &settings).unwrap_err().to_string())
        .collect();
    insta::assert_snapshot!(errors.join("\n\n"), @r"
    The file is empty

    The file has a header and no rows: put one person in each row below the header

    Missing required columns: phone_number. Found: Name, City. Give the column with the numbers one of the names phone_number, phone, mobile, telefono, cellulare, téléphone, teléfono, Telefon, Handy or телефон, or say which it is with a mapping

    Missing required columns: phone_number. Found: 1, 2, 3. Give the column with the numbers one of the names phone_number, phone, mobile, telefono, cellulare, téléphone, teléfono, Telefon, Handy or телефон, or say which it is with a mapping

    Several columns may hold the phone number: A, C. Give one of them the name phone_number, or say which it is with a mapping

    The file has more than 2 rows: split it and upload the parts

    Row 2 has more than 3 columns: delete those that are not needed

    Row 2 has a cell of more than 12 characters. Often a quotation mark that is never closed makes one cell of many rows

    Row 3 has a quotation mark that is never closed, so the rows after it are lost
    ");
}

#[test]
fn a_mapping_goes_before_everything_else() {
    let read = |mapping: &[(Role, &str)], content: &str| {
        let mapping = mapping
            .iter()
            .map(|(role, column)| (*role, (*column).to_owned()));
        let settings = ReadSettings {
            mapping: mapping.collect(),
            ..ReadSettings::new(Region::IT)
        };
        read_with(content, &settings)
    };
    let content = "Elenco;;\nTelefono;Altro numero;Nome;Chi\n347 1234567;06 12345678;x;Ada\n";
    let phone = (Role::PhoneNumber, "altro NUMERO");
    let list = read(&[phone, (Role::Name, "D")], content).unwrap();
    assert_eq!(list.rows[0].phone_number, "06 12345678");
    assert_eq!(list.rows[0].name, "Ada");
    assert_eq!(list.rows[0].extra["Telefono"], "347 1234567");
    assert_eq!(list.rows[0].extra["Nome"], "x");
    assert_eq!(
        read(&[(Role::PhoneNumber, "2")], content).unwrap().rows[0].phone_number,
        "06 12345678"
    );
    // Without a header, too.
    let bare = "Ada;347 1234567;06 12345678\nBea;;06 12345679\n";
    let list = read(&[(Role::PhoneNumber, "C"), (Role::Name, "1")], bare).unwrap();
    let rows: Vec<_> = list
        .rows
        .iter()
        .map(|row| (&*row.phone_number, &*row.name))
        .collect();
    assert_eq!(rows, [("06 12345678", "Ada"), ("06 12345679", "Bea")]);
    assert_eq!(
        read(&[(Role::Email, "Mail")], content)
            .unwrap_err()
            .to_string(),
        "The column 'Mail', which is mapped to email, is not in the file. Found: Telefono, Altro \
         numero, Nome, Chi"
    );
    assert_eq!(
        read(
            &[(Role::PhoneNumber, "A"), (Role::Name, "Telefono")],
            content
        ),
        Err(CallListError::MappedTwice {
            column: "Telefono".to_owned()
        })
    );
}

#[test]
fn a_person_is_never_taken_for_a_heading() {
    for (content, rows) in [
        // `Telefono` is said about a person.
        ("Ada;347 1234567;Telefono\nBea;347 1234568;Telefono\n", 2),
        // The first rows have no number.
        (
            "Bea;nessuno;Roma\nCarla;nd;Roma\nAda;347 1234567;Roma\nDora;347 1234568;Roma\n",
            4,
        ),
        ("nessuno\n347 1234567\n347 1234568\n", 3),
        ("347 1234567\n12\n347 1234568\n", 3),
    ] {
        assert_eq!(
            read(content).map(|list| list.rows.len()),
            Ok(rows),
            "{content}"
        );
    }
    for (content, columns) in [
        ("Wer;Wie\nAda;347 1234567\n", ["Wer", "Wie"]),
        (
            "Rubrica\n;\nNominativo;Rubrica 2\nAda;347 1234567\n",
            ["Nominativo", "Rubrica 2"],
        ),
    ] {
        assert_eq!(
            read(content).map(|list| list.columns),
            Ok(columns.map(str::to_owned).into())
        );
    }
}

#[test]
fn a_row_that_has_something_below_no_heading_loses_nothing() {
    let list = read("phone,\n347 1234567,\n347 1234568,x\n").unwrap();
    assert_eq!(list.rows[0].extra.len(), 1);
    let many = "347 1234567,\n".repeat(1_500);
    let list = read(format!("phone,\n{many}347 1234568,x\n")).unwrap();
    assert!(list.rows[0].extra.is_empty());
    assert_eq!(list.rows[1_500].extra["column_2"], "x");
}

#[test]
fn names_that_are_kept_for_what_is_understood_are_given_to_no_other_column() {
    let row = first_row("phone,email,E-Mail,other_phone_numbers\n347 1234567,a@b.it,c@d.it,x\n");
    let contact = row.contact(Region::IT).unwrap();
    assert_eq!(contact.email(), Some("a@b.it"));
    assert_eq!(contact.extra["E-Mail"], "c@d.it");
    assert_eq!(contact.extra["other_phone_numbers_2"], "x");
}

#[test]
fn zeros_are_put_back_when_a_whole_column_has_lost_them() {
    let mended = read("telefono\n612345678\n3471234567\n212345678\n").unwrap();
    let numbers: Vec<_> = contacts(&mended, Region::IT).0;
    let numbers: Vec<_> = numbers
        .iter()
        .map(|contact| contact.phone_number.as_str())
        .collect();
    assert_eq!(numbers, ["+390612345678", "+393471234567", "+390212345678"]);
    // One number that lacks a digit among others that do not is a mistake of somebody.
    for others in ["06 12345678\n612345678\n", "3471234567\n471234567\n"] {
        let list = read(format!("telefono\n{others}")).unwrap();
        assert_eq!(contacts(&list, Region::IT).1.len(), 1, "{others}");
    }
}

#[test]
fn a_reader_says_how_far_it_is() {
    let content = "telefono\n".to_owned() + &"347 1234567\n".repeat(100_000);
    let total = content.len() as u64;
    let file = Cursor::new(content.into_bytes());
    let mut reader =
        CallListReader::open(file, "list.csv", &ReadSettings::new(Region::IT)).unwrap();
    let start = reader.progress();
    assert!(start.read < total / 5 && start.total == total, "{start:?}");
    assert_eq!(reader.by_ref().take(50_000).count(), 50_000);
    let half = reader.progress();
    assert!(
        half.read > total / 3 && half.read < 2 * total / 3,
        "{half:?}"
    );
    assert_eq!(reader.by_ref().count(), 50_000);
    assert_eq!(reader.progress(), Progress { read: total, total });
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(content);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(phone|tel|sep=;|[0-9,;\t|\"\r\n 'èß€-]){0,60}") {
        let _ = read(text);
    }

    #[test]
    fn what_is_written_is_read(
        rows in proptest::collection::vec(proptest::array::uniform3("[ -~èß€\n\r]{0,8}"), 1..8),
        delimiter in proptest::sample::select(b",;\t|".as_slice()),
    ) {
        let header = ["phone_number", "name", "Città"];
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(header).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let filled: Vec<_> = (2_u64..)
            .zip(&rows)
            .filter(|(_, row)| row.iter().any(|cell| !cell.trim().is_empty()))
            .collect();
        prop_assume!(!filled.is_empty());
        let list = read(writer.into_inner().unwrap()).unwrap();
        prop_assert_eq!(list.rows.len(), filled.len());
        for (found, (row, cells)) in list.rows.iter().zip(filled) {
            prop_assert_eq!(found.row, row);
            prop_assert_eq!(&found.original, cells);
            prop_assert_eq!(&found.phone_number, cell::meant(&cells[0]));
            prop_assert_eq!(&found.extra["Città"], cell::meant(&cells[2]));
        }
    }
}
