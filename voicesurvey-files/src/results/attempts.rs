//! One row per call.

use std::io::{self, Write};

use voicesurvey_core::call_attempt::{AnsweredBy, CallAttempt};

use super::{instant, optional_instant};
use crate::Encoding;
use crate::table_writer::TableWriter;

const HEADER: [&str; 19] = [
    "task_id",
    "attempt_id",
    "attempt_number",
    "phone_number",
    "provider",
    "provider_call_id",
    "state",
    "outcome",
    "answered_by",
    "started_at",
    "accepted_at",
    "ringing_at",
    "answered_at",
    "ended_at",
    "talk_seconds",
    "provider_raw_status",
    "error_code",
    "cost",
    "currency",
];

/// Writes calls. `started_at` is when the attempt was committed, just before the dial.
#[derive(Debug)]
pub struct AttemptsFile<W: Write> {
    table: TableWriter<W>,
}

impl<W: Write> AttemptsFile<W> {
    /// Writes the header.
    pub fn new(output: W, encoding: Encoding) -> io::Result<Self> {
        let mut table = TableWriter::new(output, encoding)?;
        table.row(HEADER)?;
        Ok(Self { table })
    }

    /// Writes one call.
    pub fn write(&mut self, attempt: &CallAttempt) -> io::Result<()> {
        let talk_seconds = attempt
            .talk_time()
            .map(|time| time.num_seconds().to_string());
        let cost = attempt.cost.as_ref();
        self.table.row([
            attempt.task_id.to_string(),
            attempt.id.to_string(),
            attempt.number.to_string(),
            attempt.phone_number.to_string(),
            attempt.provider.clone(),
            attempt.provider_call_id.clone().unwrap_or_default(),
            attempt.state.name().to_owned(),
            attempt
                .outcome
                .map_or("", |outcome| outcome.name())
                .to_owned(),
            attempt.answered_by.map_or("", AnsweredBy::name).to_owned(),
            instant(attempt.created_at),
            optional_instant(attempt.accepted_at),
            optional_instant(attempt.ringing_at),
            optional_instant(attempt.answered_at),
            optional_instant(attempt.ended_at),
            talk_seconds.unwrap_or_default(),
            attempt.raw_status.clone().unwrap_or_default(),
            attempt.error_code.clone().unwrap_or_default(),
            cost.map(|cost| cost.amount.to_string()).unwrap_or_default(),
            cost.map(|cost| cost.currency.clone()).unwrap_or_default(),
        ])
    }

    /// Writes what is still held back, and gives the output back. A file that is dropped before
    /// may lack its last rows.
    pub fn finish(self) -> io::Result<W> {
        self.table.finish()
    }
}
