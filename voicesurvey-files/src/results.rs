//! Results out: files made of a campaign's records, in six kinds and three formats.
//!
//! Each file is written row by row, so that a campaign of a million people needs no more memory
//! than one of ten. What is not known is empty, never zero. Instants are UTC. No cell of a CSV runs
//! as a formula in a spreadsheet, and phone numbers stay in E.164 with their `+`. (Excel shows a
//! number of twelve digits in a CSV as `3.93E+11` until its column is widened or imported as text.
//! Nothing that can be written into CSV prevents that and leaves the number readable for programs.
//! In a workbook it is a text.)
//!
//! What each column means stands beside it in the code, and is written into the codebook from there.

mod answers;
mod attempts;
mod codebook;
mod dispositions;
mod people;
mod transcripts;

use std::io::{self, Write};

use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::contact_record::{CallRecord, ContactRecord};
use voicesurvey_core::conversation::Consent;
use voicesurvey_core::export::{Delimiter, ExportFormat, ExportKind};
use voicesurvey_core::interpretation::Confidence;
use voicesurvey_core::language::Language;
use voicesurvey_core::quota::QuotaCell;
use voicesurvey_core::rates::Thresholds;
use voicesurvey_core::survey::{AnswerValue, Question, QuestionKind, Survey};

use self::people::PeopleColumns;
use crate::table::{Column, ColumnType, Table, Value};

/// What the files of a campaign are about.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportSubject {
    /// What is asked, as the campaign froze it.
    pub survey: Survey,
    /// The language of the campaign.
    pub language: Language,
    /// The columns of its call lists that are kept, in the order in which they are to stand.
    pub contact_columns: Vec<String>,
    /// The cells of the campaign's quotas.
    pub quota_cells: Vec<QuotaCell>,
    /// Where partial and complete interviews begin in the file of dispositions.
    pub thresholds: Thresholds,
}

/// A file of results that is being written.
#[derive(Debug)]
pub struct ResultsFile<W: Write + Send> {
    table: Table<W>,
    rows: Rows,
    subject: ExportSubject,
    written: u64,
}

/// What turns a record into rows.
#[derive(Debug)]
enum Rows {
    Results(PeopleColumns),
    Answers,
    Attempts,
    Dispositions,
    Transcripts,
    Codebook,
}

impl<W: Write + Send> ResultsFile<W> {
    /// Begins a file, and writes its header; a codebook is complete then.
    ///
    /// `InvalidInput` if the format cannot hold so many columns.
    pub fn new(
        output: W,
        kind: ExportKind,
        format: ExportFormat,
        subject: &ExportSubject,
    ) -> io::Result<Self> {
        Self::separated_by(Delimiter::Comma, output, kind, format, subject)
    }

    /// The same with a delimiter for CSV.
    pub fn separated_by(
        delimiter: Delimiter,
        output: W,
        kind: ExportKind,
        format: ExportFormat,
        subject: &ExportSubject,
    ) -> io::Result<Self> {
        let rows = Rows::of(kind, subject);
        let columns: Vec<Column> = described(kind, subject)
            .into_iter()
            .map(|described| described.column)
            .collect();
        let mut file = Self {
            table: Table::new(output, format, delimiter, kind.name(), &columns)?,
            rows,
            subject: subject.clone(),
            written: 0,
        };
        if kind == ExportKind::Codebook {
            for row in codebook::rows(subject) {
                file.row(&row)?;
            }
        }
        Ok(file)
    }

    /// Writes what there is of one person; none is left out, and a codebook takes none.
    ///
    /// `InvalidData` if the person's call list has a column that the file was not begun with: it
    /// has been uploaded since, and the file must be begun again.
    pub fn write(&mut self, record: &ContactRecord) -> io::Result<()> {
        let rows = match &self.rows {
            Rows::Results(columns) => vec![columns.row(&self.subject, record)?],
            Rows::Answers => answers::rows(&self.subject, record),
            Rows::Attempts => attempts::rows(record),
            Rows::Dispositions => vec![dispositions::row(&self.subject, record)],
            Rows::Transcripts => transcripts::rows(record),
            Rows::Codebook => Vec::new(),
        };
        rows.iter().try_for_each(|row| self.row(row))
    }

    fn row(&mut self, row: &[Value]) -> io::Result<()> {
        self.written += 1;
        self.table.row(row)
    }

    /// How many rows there are, without the header.
    pub const fn rows(&self) -> u64 {
        self.written
    }

    /// Hands on what is held back, as far as the format allows.
    pub fn flush(&mut self) -> io::Result<()> {
        self.table.flush()
    }

    /// Writes what is still held back, and gives the output back. A file that is dropped before
    /// is not complete.
    pub fn finish(self) -> io::Result<W> {
        self.table.finish()
    }
}

impl Rows {
    fn of(kind: ExportKind, subject: &ExportSubject) -> Self {
        match kind {
            ExportKind::Results => Self::Results(PeopleColumns::of(subject)),
            ExportKind::Answers => Self::Answers,
            ExportKind::Attempts => Self::Attempts,
            ExportKind::Dispositions => Self::Dispositions,
            ExportKind::Transcripts => Self::Transcripts,
            ExportKind::Codebook => Self::Codebook,
        }
    }
}

/// A column with what it means.
#[derive(Clone, Debug)]
struct Described {
    column: Column,
    meaning: String,
    /// The question whose answers it holds.
    question_key: Option<String>,
    /// Whether it holds what the answers are called, and not the answers.
    is_label: bool,
}

/// A column that is always there: its name, what it holds, what it means, and how it is found in
/// what a row is made of.
struct Field<F> {
    name: &'static str,
    kind: ColumnType,
    meaning: &'static str,
    value: F,
}

impl<F> Field<F> {
    fn described(&self) -> Described {
        Described {
            column: Column {
                name: self.name.to_owned(),
                kind: self.kind,
            },
            meaning: self.meaning.to_owned(),
            question_key: None,
            is_label: false,
        }
    }
}

/// The columns of a file.
fn described(kind: ExportKind, subject: &ExportSubject) -> Vec<Described> {
    match kind {
        ExportKind::Results => PeopleColumns::of(subject).described(subject),
        ExportKind::Answers => answers::FIELDS.iter().map(Field::described).collect(),
        ExportKind::Attempts => attempts::FIELDS.iter().map(Field::described).collect(),
        ExportKind::Dispositions => dispositions::FIELDS.iter().map(Field::described).collect(),
        ExportKind::Transcripts => transcripts::FIELDS.iter().map(Field::described).collect(),
        ExportKind::Codebook => codebook::FIELDS.iter().map(Field::described).collect(),
    }
}

/// A call with its person.
#[derive(Clone, Copy)]
struct Call<'r> {
    record: &'r ContactRecord,
    call: &'r CallRecord,
}

impl<'r> Call<'r> {
    const fn attempt(&self) -> &'r CallAttempt {
        &self.call.attempt
    }
}

fn confidence(confidence: Confidence) -> Value {
    Value::Number(rust_decimal::Decimal::new(
        confidence.hundredths().into(),
        2,
    ))
}

fn consent(consent: Option<&Consent>) -> Value {
    match consent {
        Some(consent) if consent.given => Value::text("given"),
        Some(_) => Value::text("refused"),
        None => Value::Empty,
    }
}

/// What the answer is called, where the survey has names for its answers.
fn label<'q>(question: &'q Question, value: &AnswerValue) -> Option<&'q str> {
    let say = match (&question.kind, value) {
        (QuestionKind::Choice { options }, AnswerValue::Choice(key)) => {
            &options.iter().find(|option| option.key == *key)?.say
        }
        (QuestionKind::Scale { labels, .. }, AnswerValue::Number(number)) => {
            let labelled = |value: i64| rust_decimal::Decimal::from(value) == *number;
            &labels.iter().find(|label| labelled(label.value))?.say
        }
        _ => return None,
    };
    say.first().map(String::as_str)
}

/// What stands in the column of the cells that somebody is in.
const CELLS: &str = "The cells of the campaign's quotas that the person is known to be in, by the list \
                     and by the answers, in the order of the campaign with '; ' between their names; \
                     empty of somebody who is in none";

/// The cells that somebody is in.
fn cells(subject: &ExportSubject, record: &ContactRecord) -> Value {
    let names = record.task.cells.named(&subject.quota_cells);
    Value::text(names.collect::<Vec<_>>().join("; "))
}

/// Whether the survey has names for the answers to a question.
fn has_labels(question: &Question) -> bool {
    match &question.kind {
        QuestionKind::Choice { .. } => true,
        QuestionKind::Scale { labels, .. } => !labels.is_empty(),
        QuestionKind::FreeText | QuestionKind::Numeric { .. } | QuestionKind::YesNo => false,
    }
}

#[cfg(test)]
mod tests;
