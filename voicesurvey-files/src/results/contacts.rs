//! One row per contact: what the list said, how it went, and the answers side by side.

use std::io::{self, Write};

use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::conversation::{Answer, Consent, SurveyResponse};
use voicesurvey_core::survey::{AnswerValue, Survey};

use super::optional_instant;
use crate::Encoding;
use crate::column_names::ColumnNames;
use crate::table_writer::TableWriter;

const BEFORE_EXTRA: [&str; 4] = ["task_id", "phone_number", "name", "language"];
const BEFORE_ANSWERS: [&str; 5] = ["status", "outcome", "attempts", "consent", "interview"];
const AFTER_ANSWERS: [&str; 1] = ["completed_at"];

/// Everything that became of one contact.
#[derive(Clone, Copy, Debug)]
pub struct ContactResult<'a> {
    /// The contact and how far it has come.
    pub task: &'a CallTask,
    /// The latest consent, given or refused; absent when nobody was asked.
    pub consent: Option<&'a Consent>,
    /// The answers, in any order.
    pub answers: &'a [Answer],
    /// The interview, if one was held.
    pub response: Option<&'a SurveyResponse>,
}

/// Writes results wide: a column per question, which holds the value when the question was
/// answered and is empty when it was skipped, not known, not understood or never asked; which of
/// these it was stands in [`AnswersFile`](super::AnswersFile).
#[derive(Debug)]
pub struct ContactsFile<W: Write> {
    table: TableWriter<W>,
    question_keys: Vec<String>,
    extra_columns: Vec<String>,
}

impl<W: Write> ContactsFile<W> {
    /// Writes the header.
    ///
    /// `extra_columns` are the columns of the call list to be shown, in that order; a contact's
    /// other columns are left out. A question or a column of the list that is called as a column
    /// of the file gets a number after its name: `status_2`.
    pub fn new(
        output: W,
        encoding: Encoding,
        survey: &Survey,
        extra_columns: &[String],
    ) -> io::Result<Self> {
        let question_keys: Vec<_> = survey
            .questions
            .iter()
            .map(|question| question.key.clone())
            .collect();
        let mut taken = ColumnNames::default();
        for name in BEFORE_EXTRA
            .into_iter()
            .chain(BEFORE_ANSWERS)
            .chain(AFTER_ANSWERS)
        {
            taken.take(name, 0);
        }
        let answers = taken.take_all(&question_keys);
        let extra = taken.take_all(extra_columns);

        let mut table = TableWriter::new(output, encoding)?;
        let header = BEFORE_EXTRA
            .into_iter()
            .chain(extra.iter().map(String::as_str))
            .chain(BEFORE_ANSWERS)
            .chain(answers.iter().map(String::as_str))
            .chain(AFTER_ANSWERS);
        table.row(header)?;
        Ok(Self {
            table,
            question_keys,
            extra_columns: extra_columns.to_vec(),
        })
    }

    /// Writes one contact.
    pub fn write(&mut self, result: &ContactResult<'_>) -> io::Result<()> {
        let ContactResult {
            task,
            consent,
            answers,
            response,
        } = result;
        let contact = &task.contact;
        let mut row = vec![
            task.id.to_string(),
            contact.phone_number.to_string(),
            contact.name.clone(),
            contact
                .language
                .map_or("", |language| language.code())
                .to_owned(),
        ];
        let extra = |column| contact.extra.get(column).cloned().unwrap_or_default();
        row.extend(self.extra_columns.iter().map(extra));
        row.extend([
            task.state.status().name().to_owned(),
            task.outcome.map_or("", |outcome| outcome.name()).to_owned(),
            task.attempts_count.to_string(),
            consent
                .map_or(
                    "",
                    |consent| if consent.given { "given" } else { "refused" },
                )
                .to_owned(),
            response
                .map_or("", |response| {
                    if response.complete {
                        "complete"
                    } else {
                        "partial"
                    }
                })
                .to_owned(),
        ]);
        row.extend(self.question_keys.iter().map(|key| value_of(answers, key)));
        let completed_at = response
            .filter(|response| response.complete)
            .map(|response| response.ended_at);
        row.push(optional_instant(completed_at));
        self.table.row(row)
    }

    /// Writes what is still held back, and gives the output back. A file that is dropped before
    /// may lack its last rows.
    pub fn finish(self) -> io::Result<W> {
        self.table.finish()
    }
}

fn value_of(answers: &[Answer], question_key: &str) -> String {
    let answer = answers
        .iter()
        .find(|answer| answer.question_key == question_key);
    let value = answer.and_then(|answer| answer.result.value());
    value.map(AnswerValue::to_text).unwrap_or_default()
}
