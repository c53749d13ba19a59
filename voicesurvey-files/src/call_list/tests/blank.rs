//! Rows and cells in which there is nothing to be seen.

use super::*;

/// What shows nothing: spaces, marks, control characters, empty letters.
const BLANKS: [&str; 8] = [
    "\u{a0}\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "\u{202a}\u{202c}",
    "\u{200d}\u{fe0f}",
    "\u{80}\u{9d}",
    "\u{2800}\u{3164}",
    "\u{ad}\u{2060}",
];

/// An empty text, as programs write it for a spreadsheet.
const EMPTY_TEXT: &str = "\"=\"\"\"\"\"";

fn blank_cells() -> impl Iterator<Item = &'static str> {
    BLANKS.into_iter().chain([EMPTY_TEXT])
}

#[test]
fn rows_in_which_nothing_is_to_be_seen_are_blank() {
    for blank in blank_cells() {
        let list = read(format!(
            "phone,name\n{blank},{blank}\n+39 354 5550100,Ada\n,{blank}\n{blank}\n,Bea\n"
        ));
        let rows = list.unwrap().rows;
        let rows: Vec<_> = rows.iter().map(|row| (row.row, &*row.name)).collect();
        assert_eq!(rows, [(3, "Ada"), (6, "Bea")], "{blank:?}");
    }
    let only_blanks: String = BLANKS.map(|blank| format!("{blank},{blank}\n")).concat();
    assert_eq!(read(&only_blanks), Err(CallListError::Empty));
    assert_eq!(
        read(format!("phone,name\n{only_blanks}")),
        Err(CallListError::HeaderOnly)
    );
}

#[test]
fn lines_in_which_nothing_is_to_be_seen_are_blank() {
    for blank in BLANKS {
        let list = read(format!(
            "Ada - 347 1234567\n{blank}\n{blank}Bea - 348 1234567{blank}\n"
        ));
        let rows = list.unwrap().rows;
        let rows: Vec<_> = rows
            .iter()
            .map(|row| (row.row, &*row.phone_number, &*row.name))
            .collect();
        let expected = [(1, "347 1234567", "Ada"), (3, "348 1234567", "Bea")];
        assert_eq!(rows, expected, "{blank:?}");
    }
}

#[test]
fn a_cell_in_which_nothing_is_to_be_seen_is_empty() {
    for blank in blank_cells() {
        let list = read(format!(
            "phone,name,language,time_zone,priority,email,do_not_call,{blank},city\n\
             354 5550100,{blank},{blank},{blank},{blank},{blank},{blank},x,{blank}\n\
             {blank},Ada\n"
        ));
        let list = list.unwrap();
        assert_eq!(list.columns[7], "column_8", "{blank:?}");
        let (contacts, errors) = contacts(&list, Region::IT);
        let contact = &contacts[0];
        assert_eq!((&*contact.name, contact.email()), ("", None), "{blank:?}");
        assert_eq!((contact.language, contact.priority), (None, 0), "{blank:?}");
        assert_eq!(contact.extra["city"], "", "{blank:?}");
        assert!(!contact.do_not_call(), "{blank:?}");
        assert_eq!(
            errors[0].message(),
            "Row 3: Empty phone number",
            "{blank:?}"
        );
    }
}

#[test]
fn a_row_that_has_only_what_our_error_file_says_is_blank() {
    let list = read(
        "phone,name,error_row,error_column,error_reason\n\
         ,,6,phone,Empty\n+393545550100,Ada,7,phone,Empty\n\u{200b}, ,8,phone,Empty\n,Bea,,,\n",
    )
    .unwrap();
    let rows: Vec<_> = list
        .rows
        .iter()
        .map(|row| (row.row, &*row.name, row.original.len()))
        .collect();
    assert_eq!(rows, [(3, "Ada", 2), (5, "Bea", 2)]);
}

#[test]
fn rows_that_are_blank_do_not_count_against_the_limit() {
    let settings = ReadSettings {
        limits: ReadLimits {
            max_rows: 1,
            ..ReadLimits::default()
        },
        ..ReadSettings::new(Region::IT)
    };
    let row = ",9,phone,Empty\n";
    let list = format!("phone,error_row,error_column,error_reason\n{row}{row}1{row}{row}");
    let rows = read_with(list, &settings).map(|list| list.rows.len());
    assert_eq!(rows, Ok(1));
}
