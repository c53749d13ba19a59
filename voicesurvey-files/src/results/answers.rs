//! One row per answer, with what proves it.

use std::io::{self, Write};

use voicesurvey_core::conversation::{Answer, Doubt};
use voicesurvey_core::survey::AnswerValue;

use super::instant;
use crate::Encoding;
use crate::table_writer::TableWriter;

const HEADER: [&str; 14] = [
    "task_id",
    "attempt_id",
    "answer_id",
    "question_key",
    "result",
    "value",
    "words",
    "confidence",
    "interpreted_by",
    "repeats",
    "turn_id",
    "answered_at",
    "doubt",
    "reviewed_at",
];

/// Writes answers long: what was understood, the words heard, how sure the interpreter was (0.00 to
/// 1.00), who that was, how often the question was asked again, the turn that proves it, what speaks
/// against it, and when a person has looked at it.
#[derive(Debug)]
pub struct AnswersFile<W: Write> {
    table: TableWriter<W>,
}

impl<W: Write> AnswersFile<W> {
    /// Writes the header.
    pub fn new(output: W, encoding: Encoding) -> io::Result<Self> {
        let mut table = TableWriter::new(output, encoding)?;
        table.row(HEADER)?;
        Ok(Self { table })
    }

    /// Writes one answer.
    pub fn write(&mut self, answer: &Answer) -> io::Result<()> {
        let hundredths = answer.confidence.hundredths();
        self.table.row([
            answer.task_id.to_string(),
            answer.attempt_id.to_string(),
            answer.id.to_string(),
            answer.question_key.clone(),
            answer.result.name().to_owned(),
            answer
                .result
                .value()
                .map(AnswerValue::to_text)
                .unwrap_or_default(),
            answer.words.clone(),
            format!("{}.{:02}", hundredths / 100, hundredths % 100),
            answer.interpreted_by.name().to_owned(),
            answer.repeats.to_string(),
            answer.turn_id.to_string(),
            instant(answer.at),
            answer.doubt.map(Doubt::name).unwrap_or_default().to_owned(),
            answer.reviewed_at.map(instant).unwrap_or_default(),
        ])
    }

    /// Writes what is still held back, and gives the output back. A file that is dropped before
    /// may lack its last rows.
    pub fn finish(self) -> io::Result<W> {
        self.table.finish()
    }
}
