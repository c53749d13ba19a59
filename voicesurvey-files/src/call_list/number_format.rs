//! Which numbers of a workbook are days, and which days they are.

/// Days from 1 March 0000, with which months are easy to count, to 30 December 1899, the day 0 of
/// workbooks.
const EPOCH: i64 = 693_899;

/// From day 0 to the first of January 1904, with which old workbooks of the Mac begin.
const DAYS_TO_1904: f64 = 1462.0;

/// The last day of 9999, after which spreadsheets show no date.
const LAST_DAY: f64 = 2_958_466.0;

/// Whether the format shows a day or a time. `code` is absent for the formats that every workbook
/// has, which are known by their number.
pub(super) fn is_date(number: u16, code: Option<&str>) -> bool {
    match code {
        Some(code) => shows_date(code),
        None => matches!(number, 14..=22 | 27..=36 | 45..=47 | 50..=58),
    }
}

/// Whether a letter for a part of a date is left when texts and colours are taken out.
fn shows_date(code: &str) -> bool {
    let mut characters = code.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => while !matches!(characters.next(), Some('"') | None) {},
            '\\' | '_' | '*' => {
                characters.next();
            }
            '[' => {
                let inner: String = characters.by_ref().take_while(|c| *c != ']').collect();
                // `[h]:mm` counts hours; `[Red]` and `[$€-410]` do not.
                if inner
                    .chars()
                    .all(|c| matches!(c, 'h' | 'H' | 'm' | 'M' | 's' | 'S'))
                {
                    return true;
                }
            }
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' => return true,
            _ => {}
        }
    }
    false
}

/// A number as a spreadsheet has it, without the point that it does not show.
pub(super) fn number_text(value: f64) -> String {
    // Rust never writes an exponent; what is as long as this was no number of digits.
    value.to_string()
}

/// A day as `2026-03-01`, with the time unless that is midnight, or a time alone.
pub(super) fn date_text(value: f64, is_from_1904: bool) -> String {
    let value = if is_from_1904 {
        value + DAYS_TO_1904
    } else {
        value
    };
    if !(0.0..LAST_DAY).contains(&value) {
        return number_text(value);
    }
    let seconds = (value * 86_400.0).round();
    // OK because both are small and positive.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most 2,958,466 days of seconds"
    )]
    let seconds = seconds as i64;
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let time = format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    );
    if day == 0 {
        return time;
    }
    // Workbooks have a 29 February 1900, which never was; the days before it are one later.
    let day = if day < 60 { day + 1 } else { day };
    let (year, month, day) = civil(day + EPOCH);
    if second == 0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {time}")
    }
}

/// Year, month and day from days since 1 March 0000: years that begin in March end with the leap
/// day, and their months have 153 days in five.
fn civil(days: i64) -> (i64, i64, i64) {
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let is_next_year = month >= 10;
    let month = if is_next_year { month - 9 } else { month + 3 };
    (
        era * 400 + year_of_era + i64::from(is_next_year),
        month,
        day,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_dates_are_told_from_others() {
        for code in [
            "yyyy-mm-dd",
            "d/m/yy h:mm",
            "[h]:mm",
            "[$-410]d mmmm",
            "mm:ss.0",
        ] {
            assert!(is_date(164, Some(code)), "{code}");
        }
        for code in [
            "General",
            "0.00",
            "#,##0.00 \"days\"",
            "[Red]-0",
            "0\\d",
            "@",
            "0.00E+00",
        ] {
            assert!(!is_date(164, Some(code)), "{code}");
        }
        assert!(is_date(14, None) && is_date(22, None) && !is_date(0, None) && !is_date(49, None));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (value, text) in [
            (1.0, "1900-01-01"),
            (59.0, "1900-02-28"),
            (61.0, "1900-03-01"),
            (36_526.0, "2000-01-01"),
            (45_351.0, "2024-02-29"),
            (46_082.0, "2026-03-01"),
            (46_082.75, "2026-03-01 18:00:00"),
            (0.5, "12:00:00"),
            (2_958_465.0, "9999-12-31"),
            (-1.0, "-1"),
            (393_471_234_567.0, "393471234567"),
        ] {
            assert_eq!(date_text(value, false), text);
        }
        assert_eq!(date_text(44_620.0, true), "2026-03-01");
    }

    #[test]
    fn numbers_are_written_without_point_and_exponent() {
        assert_eq!(number_text(393_471_234_567.0), "393471234567");
        assert_eq!(number_text(12.5), "12.5");
        assert_eq!(number_text(1e20), "100000000000000000000");
    }
}
