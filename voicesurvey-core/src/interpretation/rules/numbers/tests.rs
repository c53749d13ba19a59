//! The number words of every language, composed by the grammar.

use std::collections::HashMap;

use rust_decimal::Decimal;

use super::super::reading::Reading;
use super::find;
use crate::language::Language;

fn values(language: Language, words: &str) -> Vec<String> {
    let numbers = find(&Reading::new(language, words));
    numbers
        .iter()
        .map(|number| number.value.normalize().to_string())
        .collect()
}

#[test]
fn every_listed_number_word_has_its_value() {
    let json = include_str!("../tests/number_words.json");
    let lists: HashMap<String, HashMap<String, u64>> = serde_json::from_str(json).unwrap();
    let mut wrong = Vec::new();
    for (code, words) in &lists {
        let language: Language = code.parse().unwrap();
        for (words, value) in words {
            let got = values(language, words);
            if got != [value.to_string()] {
                wrong.push(format!("{code} {words}: expected {value}, got {got:?}"));
            }
        }
    }
    assert_eq!(lists.len(), Language::ALL.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn numbers_are_composed_as_each_language_builds_them() {
    let cases = [
        (Language::It, "cento uno", "101"),
        (
            Language::It,
            "novecentonovantanovemilanovecentonovantotto",
            "999998",
        ),
        (Language::It, "due mila e cinquecento", "2500"),
        (Language::It, "quarant'anni", "40"),
        (Language::It, "ventotto", "28"),
        (Language::It, "mille e uno", "1001"),
        (Language::It, "un milione", "1000000"),
        (
            Language::En,
            "one thousand nine hundred and eighty-four",
            "1984",
        ),
        (Language::En, "nineteen eighty four", "1984"),
        (Language::En, "fifteen hundred", "1500"),
        (Language::En, "3 thousand", "3000"),
        (
            Language::En,
            "two million three hundred thousand",
            "2300000",
        ),
        (Language::De, "neunzehnhundertvierundachtzig", "1984"),
        (Language::De, "zwei und vierzig", "42"),
        (Language::De, "dreihunderttausend", "300000"),
        (Language::De, "viereinhalb", "4.5"),
        (Language::De, "anderthalb", "1.5"),
        (
            Language::Fr,
            "mille neuf cent quatre-vingt-dix-sept",
            "1997",
        ),
        (Language::Fr, "soixante et onze", "71"),
        (Language::Fr, "nonante-deux", "92"),
        (Language::Fr, "deux cent un", "201"),
        (Language::Es, "dos mil doscientas treinta y una", "2231"),
        (Language::Es, "veintidós", "22"),
        (Language::Ru, "тысяча девятьсот восемьдесят четыре", "1984"),
        (Language::Ru, "двадцати пяти", "25"),
        (Language::Ru, "полтора", "1.5"),
        (Language::Ru, "12 500", "12500"),
    ];
    for (language, words, expected) in cases {
        assert_eq!(values(language, words), [expected], "{language}: {words}");
    }
}

#[test]
fn separators_are_read_as_the_language_writes_them() {
    assert_eq!(values(Language::It, "2.500"), ["2500"]);
    assert_eq!(values(Language::It, "1.250,50"), ["1250.5"]);
    assert_eq!(values(Language::It, "3,5"), ["3.5"]);
    assert_eq!(values(Language::It, "0.500"), ["0.5"]);
    assert_eq!(values(Language::En, "2,500.75"), ["2500.75"]);
    assert_eq!(values(Language::En, "2.500"), ["2.5"]);
    assert_eq!(values(Language::En, "1,2,3"), Vec::<String>::new());
}

#[test]
fn decimals_are_read_digit_by_digit_or_as_one_number() {
    assert_eq!(values(Language::En, "three point one four"), ["3.14"]);
    assert_eq!(values(Language::It, "tre virgola venticinque"), ["3.25"]);
    assert_eq!(values(Language::It, "tre virgola zero cinque"), ["3.05"]);
    assert_eq!(values(Language::It, "quattro punto"), ["4"]);
}

#[test]
fn punctuation_ends_a_number() {
    assert_eq!(values(Language::En, "twenty, two"), ["20", "2"]);
    assert_eq!(values(Language::It, "cento, cinque"), ["100", "5"]);
}

#[test]
fn every_whole_number_up_to_ten_thousand_survives_being_spoken_in_italian() {
    for value in 1..=10_000_u64 {
        assert_eq!(
            values(Language::It, &italian(value)),
            [value.to_string()],
            "{value}"
        );
    }
}

/// Writes a number as Italian does, by rules of its own.
fn italian(value: u64) -> String {
    const SMALL: [&str; 20] = [
        "",
        "uno",
        "due",
        "tre",
        "quattro",
        "cinque",
        "sei",
        "sette",
        "otto",
        "nove",
        "dieci",
        "undici",
        "dodici",
        "tredici",
        "quattordici",
        "quindici",
        "sedici",
        "diciassette",
        "diciotto",
        "diciannove",
    ];
    const TENS: [&str; 10] = [
        "",
        "",
        "venti",
        "trenta",
        "quaranta",
        "cinquanta",
        "sessanta",
        "settanta",
        "ottanta",
        "novanta",
    ];
    let index = |value: u64| usize::try_from(value).unwrap();
    match value {
        0..20 => SMALL[index(value)].to_owned(),
        20..100 => {
            let ten = TENS[index(value / 10)];
            let ten = if matches!(value % 10, 1 | 8) {
                &ten[..ten.len() - 1]
            } else {
                ten
            };
            format!("{ten}{}", italian(value % 10))
        }
        100..200 => format!("cento{}", italian(value - 100)),
        200..1000 => format!("{}cento{}", italian(value / 100), italian(value % 100)),
        1000..2000 => format!("mille{}", italian(value - 1000)),
        _ => format!("{}mila{}", italian(value / 1000), italian(value % 1000)),
    }
}

#[test]
fn a_spoken_number_is_never_negative_without_a_minus() {
    assert_eq!(values(Language::It, "più o meno tre"), ["3"]);
    assert_eq!(values(Language::It, "meno tre"), ["-3"]);
    assert_eq!(values(Language::Ru, "плюс минус три"), ["3"]);
    assert_eq!(
        find(&Reading::new(Language::It, "meno tre"))[0].value,
        Decimal::from(-3)
    );
}
