//! Numbers in words, as they are spoken in each language.

use std::fmt::Write as _;

use voicesurvey_core::language::Language;

use super::Vocabulary;

/// The largest number that is said in words; beyond it people read digits out, and so do we.
const LARGEST: i64 = 999_999;

/// `value` in words.
pub(super) fn in_words(language: Language, value: i64) -> String {
    if value.unsigned_abs() > LARGEST.unsigned_abs() {
        return value.to_string();
    }
    // OK because it was just compared with a number that fits.
    let size = usize::try_from(value.unsigned_abs()).unwrap_or(usize::MAX);
    let words = match language {
        Language::It => italian(size),
        Language::En => english(size),
        Language::Ru => russian(size),
        Language::Es => spanish(size),
        Language::Fr => french(size),
        Language::De => german(size),
    };
    if value < 0 {
        format!("{} {words}", Vocabulary::of(language).minus)
    } else {
        words
    }
}

/// The words of a table, by index. Callers stay within it; past its end is silence, not a panic.
fn word(table: &'static str, index: usize) -> &'static str {
    table.split(' ').nth(index).unwrap_or_default()
}

fn spaced(words: &[String]) -> String {
    let said: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    said.join(" ")
}

/// `below` of what is left after the thousands or hundreds; nothing for a round number.
fn rest(value: usize, below: fn(usize) -> String) -> String {
    if value == 0 {
        String::new()
    } else {
        below(value)
    }
}

fn italian(value: usize) -> String {
    const SMALL: &str = "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici \
        tredici quattordici quindici sedici diciassette diciotto diciannove";
    const TENS: &str = "- - venti trenta quaranta cinquanta sessanta settanta ottanta novanta";
    let words = match value {
        0..=19 => return word(SMALL, value).to_owned(),
        20..=99 => {
            let (tens, unit) = (word(TENS, value / 10), value % 10);
            match unit {
                0 => tens.to_owned(),
                // The final vowel of the tens falls before another: ventuno, ventotto.
                1 | 8 => format!("{}{}", &tens[..tens.len() - 1], word(SMALL, unit)),
                _ => format!("{tens}{}", word(SMALL, unit)),
            }
        }
        100..=199 => format!("cento{}", rest(value % 100, italian)),
        200..=999 => format!(
            "{}cento{}",
            word(SMALL, value / 100),
            rest(value % 100, italian)
        ),
        1000..=1999 => format!("mille{}", rest(value % 1000, italian)),
        _ => {
            // The accent marks the end of the whole word only: ventitremila.
            let thousands = italian(value / 1000).replace('é', "e");
            format!("{thousands}mila{}", rest(value % 1000, italian))
        }
    };
    match words.strip_suffix("tre") {
        Some(before) => format!("{before}tré"),
        None => words,
    }
}

fn english(value: usize) -> String {
    const SMALL: &str = "zero one two three four five six seven eight nine ten eleven twelve \
        thirteen fourteen fifteen sixteen seventeen eighteen nineteen";
    const TENS: &str = "- - twenty thirty forty fifty sixty seventy eighty ninety";
    match value {
        0..=19 => word(SMALL, value).to_owned(),
        20..=99 if value.is_multiple_of(10) => word(TENS, value / 10).to_owned(),
        20..=99 => format!("{}-{}", word(TENS, value / 10), word(SMALL, value % 10)),
        100..=999 => {
            let mut words = format!("{} hundred", word(SMALL, value / 100));
            if !value.is_multiple_of(100) {
                // OK because writing to a String cannot fail.
                let _ = write!(words, " and {}", english(value % 100));
            }
            words
        }
        _ => {
            let and = if (1..100).contains(&(value % 1000)) {
                "and"
            } else {
                ""
            };
            spaced(&[
                english(value / 1000),
                "thousand".to_owned(),
                and.to_owned(),
                rest(value % 1000, english),
            ])
        }
    }
}

fn russian(value: usize) -> String {
    const SMALL: &str = "ноль один два три четыре пять шесть семь восемь девять десять одиннадцать \
        двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать \
        девятнадцать";
    const TENS: &str =
        "- - двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто";
    const HUNDREDS: &str =
        "- сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот";
    match value {
        0..=19 => word(SMALL, value).to_owned(),
        20..=99 => spaced(&[word(TENS, value / 10).to_owned(), rest(value % 10, russian)]),
        100..=999 => spaced(&[
            word(HUNDREDS, value / 100).to_owned(),
            rest(value % 100, russian),
        ]),
        _ => {
            let count = value / 1000;
            let (noun, gender) = match (count % 100, count % 10) {
                (11..=14, _) => ("тысяч", None),
                (_, 1) => ("тысяча", Some("одна")),
                (_, 2) => ("тысячи", Some("две")),
                (_, 3 | 4) => ("тысячи", None),
                _ => ("тысяч", None),
            };
            // A thousand is feminine: одна тысяча, двадцать две тысячи.
            let count = match gender {
                Some(unit) => spaced(&[rest(count - count % 10, russian), unit.to_owned()]),
                None => russian(count),
            };
            spaced(&[count, noun.to_owned(), rest(value % 1000, russian)])
        }
    }
}

fn spanish(value: usize) -> String {
    const SMALL: &str = "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece \
        catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós \
        veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve";
    const TENS: &str = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa";
    const HUNDREDS: &str = "- ciento doscientos trescientos cuatrocientos quinientos seiscientos \
        setecientos ochocientos novecientos";
    match value {
        0..=29 => word(SMALL, value).to_owned(),
        30..=99 if value.is_multiple_of(10) => word(TENS, value / 10).to_owned(),
        30..=99 => format!("{} y {}", word(TENS, value / 10), word(SMALL, value % 10)),
        100 => "cien".to_owned(),
        101..=999 => spaced(&[
            word(HUNDREDS, value / 100).to_owned(),
            rest(value % 100, spanish),
        ]),
        1000..=1999 => spaced(&["mil".to_owned(), rest(value % 1000, spanish)]),
        _ => {
            // Before a noun, uno is short: veintiún mil, treinta y un mil.
            let thousands = spanish(value / 1000);
            let thousands = match thousands.strip_suffix("uno") {
                Some(before) if before.ends_with("veinti") => format!("{before}ún"),
                Some(before) => format!("{before}un"),
                None => thousands,
            };
            spaced(&[thousands, "mil".to_owned(), rest(value % 1000, spanish)])
        }
    }
}

fn french(value: usize) -> String {
    const SMALL: &str = "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize \
        quatorze quinze seize dix-sept dix-huit dix-neuf";
    const TENS: &str = "- - vingt trente quarante cinquante soixante soixante";
    match value {
        0..=19 => word(SMALL, value).to_owned(),
        20..=79 => {
            let tens = word(TENS, value / 10);
            // Seventy counts on from sixty: soixante-dix, soixante et onze.
            let unit = if value < 70 { value % 10 } else { value - 60 };
            match unit {
                0 => tens.to_owned(),
                1 | 11 => format!("{tens} et {}", word(SMALL, unit)),
                _ => format!("{tens}-{}", word(SMALL, unit)),
            }
        }
        80 => "quatre-vingts".to_owned(),
        81..=99 => format!("quatre-vingt-{}", word(SMALL, value - 80)),
        100..=199 => spaced(&["cent".to_owned(), rest(value % 100, french)]),
        200..=999 => {
            let plural = if value.is_multiple_of(100) {
                "cents"
            } else {
                "cent"
            };
            let hundreds = word(SMALL, value / 100);
            spaced(&[
                hundreds.to_owned(),
                plural.to_owned(),
                rest(value % 100, french),
            ])
        }
        1000..=1999 => spaced(&["mille".to_owned(), rest(value % 1000, french)]),
        _ => {
            // Before mille the plural s falls: quatre-vingt mille, deux cent mille.
            let thousands = french(value / 1000);
            let thousands = match thousands.strip_suffix('s') {
                Some(singular) if singular.ends_with("cent") || singular.ends_with("vingt") => {
                    singular.to_owned()
                }
                _ => thousands,
            };
            spaced(&[thousands, "mille".to_owned(), rest(value % 1000, french)])
        }
    }
}

fn german(value: usize) -> String {
    const SMALL: &str = "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf \
        dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn";
    const TENS: &str = "- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig";
    match value {
        0..=19 => word(SMALL, value).to_owned(),
        20..=99 if value.is_multiple_of(10) => word(TENS, value / 10).to_owned(),
        // Units come first, and one is short there: einundzwanzig.
        20..=99 => {
            let unit = if value % 10 == 1 {
                "ein"
            } else {
                word(SMALL, value % 10)
            };
            format!("{unit}und{}", word(TENS, value / 10))
        }
        100..=199 => format!("hundert{}", rest(value % 100, german)),
        200..=999 => {
            format!(
                "{}hundert{}",
                word(SMALL, value / 100),
                rest(value % 100, german)
            )
        }
        1000..=1999 => format!("tausend{}", rest(value % 1000, german)),
        _ => {
            let thousands = german(value / 1000);
            let thousands = thousands
                .strip_suffix("eins")
                .map_or_else(|| thousands.clone(), |before| format!("{before}ein"));
            format!("{thousands}tausend{}", rest(value % 1000, german))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spelt_as_people_say_them() {
        let spelt = [
            (Language::It, 21, "ventuno"),
            (Language::It, 23, "ventitré"),
            (Language::It, 28, "ventotto"),
            (Language::It, 108, "centootto"),
            (Language::It, 2_345, "duemilatrecentoquarantacinque"),
            (Language::It, 23_003, "ventitremilatré"),
            (Language::En, 42, "forty-two"),
            (Language::En, 105, "one hundred and five"),
            (Language::En, 2_001, "two thousand and one"),
            (Language::Ru, 22_011, "двадцать две тысячи одиннадцать"),
            (Language::Ru, 1_000, "одна тысяча"),
            (Language::Ru, 12_000, "двенадцать тысяч"),
            (Language::Es, 21_000, "veintiún mil"),
            (Language::Es, 31_101, "treinta y un mil ciento uno"),
            (Language::Es, 100, "cien"),
            (Language::Fr, 71, "soixante et onze"),
            (Language::Fr, 91, "quatre-vingt-onze"),
            (Language::Fr, 80_200, "quatre-vingt mille deux cents"),
            (Language::De, 21, "einundzwanzig"),
            (Language::De, 1_001, "tausendeins"),
            (Language::De, 101_000, "hunderteintausend"),
            (Language::De, -3, "minus drei"),
            (Language::En, 1_000_000, "1000000"),
        ];
        for (language, value, words) in spelt {
            assert_eq!(in_words(language, value), words);
        }
    }
}
