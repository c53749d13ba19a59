//! The one door to standard output, and how the demo's text looks there.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Stdout, Write as _};

use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

/// Standard output, as a terminal or as a file or pipe.
#[derive(Debug)]
pub(super) struct Screen {
    output: Stdout,
    is_terminal: bool,
    colours: bool,
}

impl Screen {
    /// Finds out what standard output is. `NO_COLOR` is respected.
    pub(super) fn stdout() -> Self {
        let output = io::stdout();
        let is_terminal = output.is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            output,
            is_terminal,
            colours: is_terminal && !no_colour,
        }
    }

    /// Whether somebody watches, so that things may move.
    pub(super) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes a line.
    pub(super) fn line(&self, line: impl Display) -> io::Result<()> {
        let mut output = self.output.lock();
        writeln!(output, "{line}")?;
        output.flush()
    }

    /// Writes an empty line and a heading.
    pub(super) fn heading(&self, heading: &str) -> io::Result<()> {
        self.line("")?;
        self.line(self.bold(heading))
    }

    /// The text in bold, on a terminal.
    pub(super) fn bold(&self, text: &str) -> String {
        self.styled("1", text)
    }

    /// The text in a colour that stands back, on a terminal.
    pub(super) fn dim(&self, text: &str) -> String {
        self.styled("2", text)
    }

    /// The text in the colour of bars, on a terminal.
    pub(super) fn coloured(&self, text: &str) -> String {
        self.styled("36", text)
    }

    fn styled(&self, code: &str, text: &str) -> String {
        if self.colours && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// An instant as the wall clock in `zone` shows it: `Tue 6 Oct 2026, 08:55`.
pub(super) fn wall_clock(zone: TimeZone, at: Timestamp) -> String {
    zone.local(at).format("%a %-d %b %Y, %H:%M").to_string()
}

/// What is counted, as a bar: `share` is the part of the longest bar, from 0 to 1, drawn in eighths.
pub(super) fn bar(count: u64, longest: u64, width: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (count * width * 8).checked_div(longest).unwrap_or(0);
    // A little is not nothing.
    let eighths = if count > 0 { eighths.max(1) } else { 0 };
    let (full, rest) = (eighths / 8, eighths % 8);
    let full = usize::try_from(full).unwrap_or(0);
    let rest = EIGHTHS
        .get(usize::try_from(rest).unwrap_or(0))
        .copied()
        .unwrap_or("");
    format!("{}{rest}", "█".repeat(full))
}

/// `count` of `total` in percent, to one decimal; nothing of nothing is a dash.
pub(super) fn share(count: u64, total: u64) -> String {
    let Some(per_mille) = (count * 1_000 + total / 2).checked_div(total) else {
        return "-".to_owned();
    };
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_count() {
        assert_eq!(bar(0, 8, 10), "");
        assert_eq!(bar(8, 8, 10), "██████████");
        assert_eq!(bar(4, 8, 10), "█████");
        assert_eq!(bar(1, 16, 10), "▋");
        assert_eq!(bar(1, 1_000_000, 10), "▏");
        assert_eq!(bar(0, 0, 10), "");
    }

    #[test]
    fn shares_are_rounded_and_nothing_of_nothing_is_no_number() {
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(2, 3), "66.7 %");
        assert_eq!(share(5, 5), "100.0 %");
        assert_eq!(share(0, 0), "-");
    }

    #[test]
    fn the_wall_clock_shows_the_zone() {
        let rome = "Europe/Rome".parse().unwrap();
        let at = "2026-10-06T06:55:00Z".parse().unwrap();
        assert_eq!(wall_clock(rome, at), "Tue 6 Oct 2026, 08:55");
    }
}
