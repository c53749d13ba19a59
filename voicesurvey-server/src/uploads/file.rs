//! A file that was uploaded, as a source of rows.
//!
//! It has no name in any folder, so nothing of it is left when it is dropped, nor when the server is
//! killed. It is read in a thread of its own, some thousands of rows ahead of whoever takes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::mpsc;
use voicesurvey_core::call_list::{
    CallListRows, CallListSource, Contact, RowError, UnreadableCallList,
};
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListError, CallListReader, Found, ReadSettings, Role};

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 5_000;

/// Rows as they were read; none at all at the end.
type Rows = Vec<Result<Contact, RowError>>;

/// A file that was uploaded.
#[derive(Debug)]
pub struct UploadedFile {
    name: String,
    content: File,
    region: Option<Region>,
    mapping: BTreeMap<Role, String>,
    found: OnceLock<Found>,
}

impl UploadedFile {
    /// An empty file in that folder, to be written; without a name.
    pub fn create(folder: &Path) -> io::Result<File> {
        tempfile::tempfile_in(folder)
    }

    /// A file that was written.
    pub fn new(name: String, content: File) -> Self {
        Self {
            name,
            content,
            region: None,
            mapping: BTreeMap::new(),
            found: OnceLock::new(),
        }
    }

    /// The same file, whose numbers without a country code are of that region and not of the
    /// company's, and whose columns hold what the mapping says.
    #[must_use]
    pub fn read_with(self, region: Option<Region>, mapping: BTreeMap<Role, String>) -> Self {
        Self {
            region,
            mapping,
            ..self
        }
    }

    /// What was found out about the file when it was opened.
    pub fn found(&self) -> Option<&Found> {
        self.found.get()
    }
}

#[async_trait]
impl CallListSource for UploadedFile {
    fn file_name(&self) -> &str {
        &self.name
    }

    async fn open(&self, region: Region) -> Result<Box<dyn CallListRows>, UnreadableCallList> {
        let region = self.region.unwrap_or(region);
        let settings = ReadSettings {
            mapping: self.mapping.clone(),
            ..ReadSettings::new(region)
        };
        // The copies share one place in the file. Whoever reads it again has read it to its end, or
        // has given it up.
        let content = self.content.try_clone().map_err(lost)?;
        let name = self.name.clone();
        let open = move || CallListReader::open(content, &name, &settings);
        let reader = tokio::task::spawn_blocking(open).await.map_err(lost)?;
        let reader = reader.map_err(|error| UnreadableCallList(error.to_string()))?;
        self.found.get_or_init(|| reader.found().clone());
        let columns = reader.columns().to_vec();
        let percent = Arc::new(AtomicU8::new(0));
        let (sender, receiver) = mpsc::channel(1);
        let told = Arc::clone(&percent);
        tokio::task::spawn_blocking(move || read(reader, region, &sender, &told));
        Ok(Box::new(FileRows {
            columns,
            receiver,
            percent,
        }))
    }
}

impl From<UploadedFile> for Arc<dyn CallListSource> {
    fn from(file: UploadedFile) -> Self {
        Arc::new(file)
    }
}

fn lost(error: impl std::error::Error + 'static) -> UnreadableCallList {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "an uploaded file cannot be read"
    );
    UnreadableCallList("The file was lost here; upload it again".to_owned())
}

/// Reads the file to its end, unless nobody wants the rows any more.
fn read(
    mut reader: CallListReader,
    region: Region,
    sender: &mpsc::Sender<Result<Rows, CallListError>>,
    percent: &AtomicU8,
) {
    loop {
        let some = reader.by_ref().take(ROWS_AT_ONCE);
        let rows: Result<Rows, CallListError> =
            some.map(|row| row.map(|row| row.contact(region))).collect();
        let progress = reader.progress();
        let share = progress.read.saturating_mul(100) / progress.total.max(1);
        percent.store(u8::try_from(share).unwrap_or(100), Ordering::Relaxed);
        let is_over = !matches!(&rows, Ok(rows) if !rows.is_empty());
        if sender.blocking_send(rows).is_err() || is_over {
            return;
        }
    }
}

struct FileRows {
    columns: Vec<String>,
    receiver: mpsc::Receiver<Result<Rows, CallListError>>,
    percent: Arc<AtomicU8>,
}

#[async_trait]
impl CallListRows for FileRows {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Rows, UnreadableCallList> {
        match self.receiver.recv().await {
            Some(rows) => rows.map_err(|error| UnreadableCallList(error.to_string())),
            // The end is an empty part, so the thread has panicked.
            None => Err(UnreadableCallList(CallListError::Damaged.to_string())),
        }
    }

    fn percent(&self) -> u8 {
        self.percent.load(Ordering::Relaxed)
    }
}
