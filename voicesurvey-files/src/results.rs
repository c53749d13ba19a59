//! Results out: contacts with their answers side by side, calls, and answers with their evidence.
//!
//! Each file is written row by row, so that a campaign of a million contacts needs no more memory
//! than one of ten. Instants are UTC in RFC 3339; what is not known is empty, never zero. No cell
//! runs as a formula in a spreadsheet; phone numbers stay in E.164, with their `+`. (Excel shows a
//! number of twelve digits as `3.93E+11` until its column is widened or imported as text. Nothing
//! that can be written into CSV prevents that and leaves the number readable for programs.)

mod answers;
mod attempts;
mod contacts;

pub use answers::AnswersFile;
pub use attempts::AttemptsFile;
pub use contacts::{ContactResult, ContactsFile};
use voicesurvey_core::time::Timestamp;

fn instant(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn optional_instant(at: Option<Timestamp>) -> String {
    at.map(instant).unwrap_or_default()
}

#[cfg(test)]
mod tests;
