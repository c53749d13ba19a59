use super::*;

fn row(phone_number: &str) -> CallListRow {
    CallListRow {
        row: 2,
        phone_number: phone_number.to_owned(),
        ..CallListRow::default()
    }
}

fn contact(row: &CallListRow) -> Result<Contact, String> {
    row.contact(Region::IT).map_err(|error| error.message())
}

#[test]
fn what_the_list_knows_is_kept_under_names_of_its_own() {
    let contact = contact(&CallListRow {
        external_id: " 00042 ".to_owned(),
        email: "ada@example.com".to_owned(),
        do_not_call: "Sì".to_owned(),
        has_prior_consent: "FALSE".to_owned(),
        extra: BTreeMap::from([("città".to_owned(), "Forlì".to_owned())]),
        ..row("347 1234567; +44 20 7946 0958")
    })
    .unwrap();
    assert_eq!(contact.phone_number.as_str(), "+393471234567");
    assert_eq!(contact.external_id(), Some("00042"));
    assert_eq!(contact.email(), Some("ada@example.com"));
    assert!(contact.do_not_call());
    assert_eq!(contact.has_prior_consent(), Some(false));
    let mut names: Vec<_> = Contact::RESERVED.into_iter().chain(["città"]).collect();
    names.sort_unstable();
    assert!(contact.extra.keys().eq(names));
    assert_eq!(contact.extra["other_phone_numbers"], "+442079460958");
    // As a store gives it back.
    let stored = serde_json::to_string(&contact).unwrap();
    assert_eq!(serde_json::from_str::<Contact>(&stored).unwrap(), contact);
}

#[test]
fn what_the_list_does_not_say_is_not_made_up() {
    let contact = contact(&row("347 1234567")).unwrap();
    assert!(!contact.do_not_call());
    assert_eq!(contact.has_prior_consent(), None);
    assert_eq!((contact.external_id(), contact.email()), (None, None));
    assert!(contact.extra.is_empty());
}

#[test]
fn what_is_neither_yes_nor_no_is_an_error_of_the_row() {
    for (name, bad) in [
        (
            "do_not_call",
            CallListRow {
                do_not_call: "12.3.2026".to_owned(),
                ..row("347 1234567")
            },
        ),
        (
            "has_prior_consent",
            CallListRow {
                has_prior_consent: "?".to_owned(),
                ..row("347 1234567")
            },
        ),
    ] {
        let error = bad.contact(Region::IT).unwrap_err();
        assert_eq!(error.column, name);
        assert_eq!(
            error.message(),
            "Row 2: use yes or no, or leave the cell empty"
        );
    }
}

#[test]
fn yes_and_no_are_read_in_six_languages() {
    for (cell, said) in [
        ("yes", true),
        ("TRUE", true),
        ("1", true),
        ("x", true),
        (" sì ", true),
        ("VERO", true),
        ("sí", true),
        ("oui", true),
        ("Ja", true),
        ("да", true),
        ("ИСТИНА", true),
        ("no", false),
        ("False", false),
        ("0", false),
        ("FALSO", false),
        ("non", false),
        ("nein", false),
        ("нет", false),
        ("ЛОЖЬ", false),
        ("-", false),
    ] {
        assert_eq!(yes_no::read(cell), Some(said), "{cell}");
    }
    for cell in ["", "forse", "maybe", "2", "2026-01-01"] {
        assert_eq!(yes_no::read(cell), None, "{cell}");
    }
}

#[test]
fn a_zero_that_a_spreadsheet_has_dropped_comes_back() {
    let numeric = CallListRow {
        phone_number_is_numeric: true,
        ..row("612345678")
    };
    assert_eq!(
        contact(&numeric).unwrap().phone_number.as_str(),
        "+390612345678"
    );
    assert!(contact(&row("612345678")).is_err());
}

#[test]
fn an_error_keeps_the_number_that_only_a_cell_of_numbers_makes_certain() {
    let refused = |phone_number: &str, is_numeric| {
        let row = CallListRow {
            language: "Klingon".to_owned(),
            phone_number_is_numeric: is_numeric,
            phone_place: Some(1),
            original: vec!["Ada".to_owned(), phone_number.to_owned()],
            ..row(phone_number)
        };
        let error = row.contact(Region::IT).unwrap_err();
        assert_eq!(error.column, "language");
        error.original
    };
    // As text it would not be read any more.
    assert_eq!(refused("612345678", true), ["Ada", "+390612345678"]);
    assert_eq!(refused("3471234567", true), ["Ada", "3471234567"]);
    assert_eq!(refused("347 1234567", false), ["Ada", "347 1234567"]);
}
