//! Files of results: written page by page from the store, and handed on piece by piece.
//!
//! Whether a file is sent while it is written or kept to be fetched, it is made here, and no more of
//! it is in memory than a page of people and what the format holds back. Every page is a unit of work
//! of its own, so that a slow client holds nothing open.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinError;
use voicesurvey_core::contact_record::ContactRecord;
use voicesurvey_core::export::{Export, Written};
use voicesurvey_core::ports::{PageRequest, StorageError};
use voicesurvey_core::service::{ExportPlan, Exports};
use voicesurvey_files::results::{ExportSubject, ResultsFile};

/// What is kept of a file in one piece, at most.
const PIECE_BYTES: usize = 1 << 20;

/// Why a file was not written to its end.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file cannot hold what it should.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The program failed.
    #[error("the writer of a file panicked")]
    Panicked(#[from] JoinError),
}

/// What was written and not yet handed on.
#[derive(Clone, Debug, Default)]
struct Outbox(Arc<Mutex<Vec<u8>>>);

impl Outbox {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut content = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        content.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being written.
#[derive(Debug)]
pub struct ExportWriter {
    exports: Exports,
    plan: ExportPlan,
    outbox: Outbox,
    /// `None` when the end has been written.
    file: Option<ResultsFile<Outbox>>,
    /// The people who come next; `None` when there are no more.
    page: Option<PageRequest>,
    written: Written,
}

impl ExportWriter {
    /// Begins a file with its header. `InvalidInput` if the format cannot hold its columns.
    pub fn new(exports: Exports, plan: ExportPlan) -> io::Result<Self> {
        let settings = plan.campaign.effective_settings();
        let subject = ExportSubject {
            survey: settings.survey.clone(),
            language: settings.language,
            contact_columns: plan.contact_columns.clone(),
            quota_cells: plan.campaign.quota_cells().to_vec(),
            thresholds: plan.order.thresholds,
        };
        let outbox = Outbox::default();
        let (kind, format) = (plan.order.kind, plan.order.format);
        let delimiter = plan.order.delimiter;
        let file = ResultsFile::separated_by(delimiter, outbox.clone(), kind, format, &subject)?;
        let first = PageRequest::first(PageRequest::LARGEST);
        Ok(Self {
            exports,
            outbox,
            file: Some(file),
            page: kind.has_people().then_some(first),
            plan,
            written: Written::default(),
        })
    }

    /// The bytes that the next page of people adds to the file, which may be none: the format holds
    /// them back. `None` when the file is complete.
    ///
    /// After an error the file is broken, and there is no more of it.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, ExportError> {
        let Some(file) = self.file.take() else {
            return Ok(None);
        };
        let (records, next) = match self.page.take() {
            Some(page) => {
                let found = self.exports.records(&self.plan, &page).await?;
                (found.rows, found.next)
            }
            None => (Vec::new(), None),
        };
        self.page = next.map(|cursor| PageRequest::after(cursor, PageRequest::LARGEST));
        self.written.people += records.len() as u64;
        let is_last = self.page.is_none();
        let write = move || write(file, &records, is_last);
        let (file, rows) = tokio::task::spawn_blocking(write).await??;
        self.file = file;
        self.written.rows = rows;
        let bytes = self.outbox.take();
        self.written.bytes += bytes.len() as u64;
        Ok(Some(bytes))
    }

    /// How much has been written.
    pub const fn written(&self) -> Written {
        self.written
    }
}

/// Writes a page, and the end if it is the last; this takes a moment. Returns the file while it goes
/// on, and how many rows it has.
fn write(
    mut file: ResultsFile<Outbox>,
    records: &[ContactRecord],
    is_last: bool,
) -> io::Result<(Option<ResultsFile<Outbox>>, u64)> {
    for record in records {
        file.write(record)?;
    }
    let rows = file.rows();
    if is_last {
        file.finish()?;
        return Ok((None, rows));
    }
    file.flush()?;
    Ok((Some(file), rows))
}

/// Writes the next file that somebody waits for, if there is one, and removes what has expired.
/// Returns whether there was a file.
///
/// When `is_stopping` says so, which is asked after every page of people, the file is left as it is:
/// another server begins it again when its lease has run out.
pub async fn make_next(
    exports: &Exports,
    is_stopping: impl Fn() -> bool + Send,
) -> Result<bool, StorageError> {
    while exports.expire_one().await? {}
    let Some((export, plan)) = exports.claim().await? else {
        return Ok(false);
    };
    match make(exports, export, plan, is_stopping).await {
        // It was begun again elsewhere, or its campaign is gone.
        Ok(()) | Err(StorageError::Conflict { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

async fn make(
    exports: &Exports,
    mut export: Export,
    plan: ExportPlan,
    is_stopping: impl Fn() -> bool + Send,
) -> Result<(), StorageError> {
    let id = export.id;
    let mut writer = match ExportWriter::new(exports.clone(), plan) {
        Ok(writer) => writer,
        Err(error) => return give_up(exports, export, &error.into()).await,
    };
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let next = match writer.next().await {
            Ok(next) => next,
            Err(ExportError::Storage(error)) => return Err(error),
            Err(error) => return give_up(exports, export, &error).await,
        };
        let is_complete = next.is_none();
        // Also when there is nothing to keep yet, or another server would begin the file again.
        export = exports.advance(export, writer.written()).await?;
        pending.extend(next.unwrap_or_default());
        while pending.len() >= PIECE_BYTES || (is_complete && !pending.is_empty()) {
            let rest = pending.split_off(pending.len().min(PIECE_BYTES));
            export = exports.add(export, &pending, writer.written()).await?;
            pending = rest;
        }
        if is_complete {
            exports.finish(export, writer.written()).await?;
            let Written { people, rows, .. } = writer.written();
            tracing::info!(export_id = %id, people, rows, "an export is ready");
            return Ok(());
        }
        if is_stopping() {
            return Ok(());
        }
    }
}

async fn give_up(
    exports: &Exports,
    export: Export,
    error: &ExportError,
) -> Result<(), StorageError> {
    let (id, why) = (export.id, error.to_string());
    exports.fail(export, &why).await?;
    let error = error as &dyn std::error::Error;
    tracing::warn!(export_id = %id, error, "an export cannot be written");
    Ok(())
}
