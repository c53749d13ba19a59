use proptest::prelude::*;

use super::*;

fn read(raw: &str, region: Region) -> Result<String, PhoneNumberError> {
    PhoneNumber::parse(raw, region).map(|number| number.to_string())
}

#[test]
fn numbers_are_read_however_they_are_punctuated() {
    for raw in [
        "+393471234567",
        "  +39 347 123 4567\t",
        "+39\u{a0}347\u{a0}1234567",
        "(+39) 347-1234567",
        "0039 347 123.45.67",
        "[0039] 347/1234567",
        "347 1234567",
        "393471234567",
        "393471234567.0",
        "tel:+39-347-123-4567",
        "TEL: 3471234567",
        "'+393471234567",
        "\u{202a}+39 347 123 4567\u{202c}",
        "+39 347\u{2011}123\u{2011}4567",
    ] {
        assert_eq!(
            read(raw, Region::IT).as_deref(),
            Ok("+393471234567"),
            "{raw}"
        );
    }
}

#[test]
fn what_a_spreadsheet_has_done_is_undone_where_no_digit_is_lost() {
    for raw in [
        "3.93471234567E+11",
        "3,93471234567e11",
        "393471234567,0",
        "393471234567,00",
        "393,471,234,567",
        "393.471.234.567",
        "393,471,234,567.00",
        "393.471.234.567,00",
        "\u{2019}3471234567",
        "３９３４７１２３４５６７",
        "＋３９（３４７）１２３４５６７",
        "+٣٩٣٤٧١٢٣٤٥٦٧",
        "Tel. 347 1234567",
        "Tel. cell.: 347 1234567",
        "347 1234567 (cell.)",
        "Моб: 347 1234567",
    ] {
        assert_eq!(
            read(raw, Region::IT).as_deref(),
            Ok("+393471234567"),
            "{raw}"
        );
    }
}

#[test]
fn all_numbers_of_a_cell_are_read_or_none() {
    let cell = |raw: &str| {
        let numbers = PhoneNumber::parse_cell(raw, Region::IT, false)?;
        Ok(numbers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "))
    };
    let both = "+393471234567 +390612345678";
    for raw in [
        "347 1234567; 06 12345678",
        "347 1234567, 06 12345678",
        "347/1234567 / 06/12345678",
        "347 1234567\n06 12345678\n",
        "cell. 347 1234567 - casa: 06 12345678",
        "347 1234567 o 06 12345678",
        "+39 347 1234567 +39 06 12345678",
        "347 1234567; 06 12345678; 0039 347 1234567",
        "; 347 1234567 | 06 12345678",
    ] {
        assert_eq!(cell(raw).as_deref(), Ok(both), "{raw}");
    }
    for raw in [
        "347 1234567; 12",
        "347 1234567; fax 06 12345678",
        "347 1234567 o dopo le 18 06 12345678",
        "02 12345678/9",
    ] {
        assert_eq!(cell(raw), Err(PhoneNumberError::Several), "{raw}");
    }
    assert_eq!(cell("; ;"), Err(PhoneNumberError::UnexpectedCharacter(';')));
    assert_eq!(cell(" - "), Err(PhoneNumberError::Empty));
}

#[test]
fn a_lost_zero_is_put_back_only_where_it_is_part_of_the_number() {
    let numeric = |raw: &str, region| {
        PhoneNumber::parse_cell(raw, region, true).map(|numbers| numbers[0].to_string())
    };
    assert_eq!(
        numeric("612345678", Region::IT).as_deref(),
        Ok("+390612345678")
    );
    assert_eq!(
        numeric("612345678.0", Region::IT).as_deref(),
        Ok("+390612345678")
    );
    assert_eq!(
        numeric("3471234567", Region::IT).as_deref(),
        Ok("+393471234567")
    );
    assert_eq!(
        numeric("393471234567", Region::IT).as_deref(),
        Ok("+393471234567")
    );
    // Elsewhere the plan reads numbers without the zero that is dialed before them.
    assert_eq!(
        numeric("1711234567", Region::DE).as_deref(),
        Ok("+491711234567")
    );
    assert_eq!(
        numeric("612345678", Region::FR).as_deref(),
        Ok("+33612345678")
    );
    assert_eq!(
        numeric("79991234567", Region::IT),
        Err(PhoneNumberError::MissingPlus)
    );
    assert_eq!(numeric("12", Region::IT), Err(PhoneNumberError::TooShort));
}

#[test]
fn a_cell_of_numbers_that_ends_in_zeros_has_lost_its_digits() {
    let numeric = |raw: &str| PhoneNumber::parse_cell(raw, Region::IT, true);
    for raw in [
        "393471000000",
        "393470000000",
        "393471000000.0",
        "79991200000",
    ] {
        assert_eq!(numeric(raw), Err(PhoneNumberError::LostDigits), "{raw}");
    }
    for raw in ["393471230000", "3471000000", "612300000"] {
        assert!(numeric(raw).is_ok(), "{raw}");
    }
    // Nobody writes a text as a spreadsheet rounds numbers.
    assert!(PhoneNumber::parse_cell("393471000000", Region::IT, false).is_ok());
}

#[test]
fn the_plan_of_the_region_decides_what_a_leading_zero_is() {
    assert_eq!(
        read("06 1234 5678", Region::IT).as_deref(),
        Ok("+390612345678")
    );
    assert_eq!(
        read("020 7946 0958", Region::GB).as_deref(),
        Ok("+442079460958")
    );
    assert_eq!(
        read("+44 (0)20 7946 0958", Region::IT).as_deref(),
        Ok("+442079460958")
    );
    assert_eq!(
        read("8 (999) 123-45-67", Region::RU).as_deref(),
        Ok("+79991234567")
    );
    assert_eq!(
        read("011 39 347 1234567", Region::US).as_deref(),
        Ok("+393471234567")
    );
    assert_eq!(
        read("0039 347 1234567", Region::US).as_deref(),
        Ok("+393471234567")
    );
}

#[test]
fn an_italian_mobile_that_begins_with_39_keeps_it() {
    for raw in ["391 123 4567", "+39 391 123 4567", "39 391 123 4567"] {
        assert_eq!(
            read(raw, Region::IT).as_deref(),
            Ok("+393911234567"),
            "{raw}"
        );
    }
}

#[test]
fn the_numbers_of_the_seed_files_and_examples_are_valid() {
    for raw in [
        "+79991234567",
        "+79991234570",
        "+12025551234",
        "+393471234567",
    ] {
        assert_eq!(read(raw, Region::DE).as_deref(), Ok(raw));
    }
}

#[test]
fn what_is_no_number_is_refused_with_the_reason() {
    use PhoneNumberError as E;
    for (raw, error) in [
        ("", E::Empty),
        (" \u{a0}\u{feff} ", E::Empty),
        ("-", E::Empty),
        ("tel:", E::Empty),
        ("3.93471E+11", E::LostDigits),
        ("3,93471e+11", E::LostDigits),
        ("4E11", E::LostDigits),
        ("3.9347123456E+11", E::LostDigits),
        ("3.934712345678E+11", E::LostDigits),
        ("2026-03-01", E::Date),
        ("01/03/2026", E::Date),
        ("1.3.2026", E::Date),
        ("2026-03-01 00:00:00", E::Date),
        ("2026-03-01T00:00:00", E::Date),
        ("#N/A", E::FormulaError),
        ("#REF!", E::FormulaError),
        ("#ДЕЛ/0!", E::FormulaError),
        ("fax 06 12345678", E::Letters),
        ("06 12345678 (fax)", E::Letters),
        ("79991234567", E::MissingPlus),
        ("442079460958", E::MissingPlus),
        ("02 12345678/9", E::Several),
        ("02 12345678/06 12345678", E::Several),
        ("Mario 347 1234567", E::Letters),
        ("nessuno", E::Letters),
        ("800-FLOWERS", E::Letters),
        ("нет", E::Letters),
        ("347 1234567; 348 1234567", E::UnexpectedCharacter(';')),
        ("347+1234567", E::UnexpectedCharacter('+')),
        ("*100#", E::UnexpectedCharacter('*')),
        ("06 12345678 ext. 12", E::Extension),
        ("06 12345678 x12", E::Extension),
        ("tel:+390612345678;ext=12", E::Extension),
        ("+999 123456789", E::UnknownCountryCode),
        ("5", E::TooShort),
        ("12345", E::TooShort),
        ("+1 555 1234", E::TooShort),
        ("347 1234567 348 7654321", E::TooLong),
        ("+39 347 1234567 348 7654321", E::TooLong),
        ("+1 555 123 4567", E::NotInPlan),
        ("+39 100 000 0000", E::NotInPlan),
        ("0000000000", E::UnknownCountryCode),
    ] {
        assert_eq!(read(raw, Region::IT), Err(error), "{raw}");
    }
    assert_eq!(read(&"1".repeat(1_000_000), Region::IT), Err(E::TooLong));
    assert_eq!(read(&"a1".repeat(1_000_000), Region::IT), Err(E::Letters));
}

#[test]
fn messages_read_well_after_the_row() {
    assert_eq!(
        format!("Row 6: {}", PhoneNumberError::Empty),
        "Row 6: Empty phone number"
    );
    assert_eq!(
        format!("Row 7: {}", PhoneNumberError::UnexpectedCharacter(';')),
        "Row 7: Phone number contains ';'"
    );
}

#[test]
fn the_stored_form_is_read_exactly_and_without_the_plan() {
    let number: PhoneNumber = serde_json::from_str(r#""+393471234567""#).unwrap();
    assert_eq!(
        serde_json::to_string(&number).unwrap(),
        r#""+393471234567""#
    );
    assert_eq!(
        "+123456789012345"
            .parse::<PhoneNumber>()
            .unwrap()
            .as_str()
            .len(),
        16
    );
    // No longer, or not yet, in anybody's plan.
    let number: PhoneNumber = "+391000000000".parse().unwrap();
    assert_eq!(number.time_zones(), []);
    for text in [
        "",
        "+",
        "393471234567",
        "+039347123",
        "+123456",
        "+1234567890123456",
        "+39 3471234567",
        "+39347123456七",
    ] {
        assert_eq!(
            text.parse::<PhoneNumber>(),
            Err(PhoneNumberError::NotE164),
            "{text}"
        );
    }
}

#[test]
fn logs_show_two_digits_only() {
    let number: PhoneNumber = "+393471234567".parse().unwrap();
    assert_eq!(format!("{:?}", Some(number)), "Some(PhoneNumber(…67))");
}

#[test]
fn numbers_sort_as_their_text() {
    let mut texts = [
        "+79991234567",
        "+12025551234",
        "+1202555123",
        "+393471234567",
    ];
    let mut numbers = texts.map(|text| text.parse::<PhoneNumber>().unwrap());
    texts.sort_unstable();
    numbers.sort_unstable();
    assert_eq!(numbers.map(|number| number.to_string()), texts);
}

#[test]
fn a_region_must_have_a_numbering_plan() {
    assert_eq!(" it ".parse::<Region>(), Ok(Region::IT));
    assert_eq!(serde_json::to_string(&Region::GB).unwrap(), r#""GB""#);
    for text in ["", "XX", "UK", "ITA", "001", "39", "Ì"] {
        let error = serde_json::from_value::<Region>(text.into())
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with(&format!("unknown phone region '{text}'")),
            "{error}"
        );
    }
}

#[test]
fn a_number_knows_its_region() {
    let region = |text: &str| text.parse::<PhoneNumber>().unwrap().region();
    assert_eq!(region("+79991234567"), Some(Region::RU));
    assert_eq!(region("+77011234567"), Some(Region::KZ));
    assert_eq!(region("+12025551234"), Some(Region::US));
    assert_eq!(region("+80012345678"), None);
    assert_eq!(region("+99912345678"), None);
}

#[test]
fn nobodys_numbers_are_well_formed_and_tell_nothing() {
    let of_nobody = [0, 7, u128::MAX].map(PhoneNumber::of_nobody);
    let text = format!("+999{:039}", 7);
    assert_eq!(of_nobody[1].as_str(), text);
    assert_eq!(of_nobody[2].as_str(), format!("+999{}", u128::MAX));
    for number in of_nobody.into_iter().chain([PhoneNumber::NOBODYS]) {
        assert_eq!(number.to_string().parse(), Ok(number));
        assert_eq!((number.region(), number.time_zones()), (None, Vec::new()));
        assert!(PhoneNumber::parse(number.as_str(), Region::IT).is_err());
        assert!(number.is_nobodys());
    }
    let somebody: PhoneNumber = "+99812345678".parse().unwrap();
    assert!(!somebody.is_nobodys());
    // Nobody else has so many digits, and nobody has more.
    for digits in [format!("+998{:039}", 7), format!("{text}0")] {
        let refused: Result<PhoneNumber, _> = digits.parse();
        assert_eq!(refused, Err(PhoneNumberError::NotE164));
    }
}

proptest! {
    #[test]
    fn different_seeds_give_different_numbers_of_nobody(one: u128, other: u128) {
        let [of_one, of_other] = [one, other].map(PhoneNumber::of_nobody);
        prop_assert_eq!(of_one == of_other, one == other);
        prop_assert_eq!(of_one.as_str()[4..].parse(), Ok(one));
    }
}
