//! A time of the wall clock in whole minutes, from 00:00 to the end of the day, 24:00.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A time of the wall clock, `00:00` to `24:00`, in whole minutes.
///
/// `24:00` is the end of the day and so can only end a range.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay {
    /// Minutes since midnight, at most 1440.
    minutes: u16,
}

impl TimeOfDay {
    /// `00:00`.
    pub const MIDNIGHT: Self = Self { minutes: 0 };
    /// `09:00`, before which nobody wants to be called.
    pub const NINE: Self = Self { minutes: 9 * 60 };
    /// `21:00`, after which nobody wants to be called.
    pub const TWENTY_ONE: Self = Self { minutes: 21 * 60 };
    /// `24:00`.
    pub const END_OF_DAY: Self = Self { minutes: 24 * 60 };

    /// A time such as 9, 30; `None` if no clock shows it and it is not 24, 0.
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        if minute < 60 && (hour < 24 || hour == 24 && minute == 0) {
            Some(Self {
                minutes: hour * 60 + minute,
            })
        } else {
            None
        }
    }

    /// Minutes since midnight, at most 1440.
    pub const fn minutes(self) -> u16 {
        self.minutes
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.minutes / 60, self.minutes % 60)
    }
}

impl fmt::Debug for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is no time of the day written as `HH:MM`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid time format: '{0}' (use HH:MM, 00:00 to 24:00)")]
pub struct InvalidTimeOfDay(pub String);

impl FromStr for TimeOfDay {
    type Err = InvalidTimeOfDay;

    /// Reads exactly `HH:MM`. `9:00` and `09:00:00` are refused, because a file with such times
    /// may well mean something else by `900` or by `21`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digit = |byte: u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
        let read = || match *text.as_bytes() {
            [h1, h2, b':', m1, m2] => {
                Self::new(digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?)
            }
            _ => None,
        };
        read().ok_or_else(|| InvalidTimeOfDay(text.to_owned()))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = TimeOfDay;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a time of day as text, "HH:MM""#)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TimeOfDay, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_exactly_two_digits_colon_two_digits() {
        for text in ["00:00", "09:05", "23:59", "24:00"] {
            assert_eq!(text.parse::<TimeOfDay>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "9:00",
            "9am",
            "09:00:00",
            "24:01",
            "25:00",
            "12:60",
            "-1:00",
            " 09:00",
            "٠٩:٠٠",
        ] {
            assert!(text.parse::<TimeOfDay>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_error_names_the_value_and_the_form() {
        let message = "Invalid time format: '9am' (use HH:MM, 00:00 to 24:00)";
        assert_eq!("9am".parse::<TimeOfDay>().unwrap_err().to_string(), message);
        assert_eq!(
            serde_json::from_str::<TimeOfDay>(r#""9am""#)
                .unwrap_err()
                .to_string(),
            format!("{message} at line 1 column 5")
        );
        let error = serde_json::from_str::<TimeOfDay>("9")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("integer `9`") && error.contains("HH:MM"),
            "{error}"
        );
    }
}
