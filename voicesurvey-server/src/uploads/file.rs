//! A file that was uploaded, as a source of rows.
//!
//! It has no name in any folder, so nothing of it is left when it is dropped, nor when the server is
//! killed. It is read in a thread of its own, some thousands of rows ahead of whoever takes them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use tokio::sync::mpsc;
use voicesurvey_core::call_list::{
    CallListRow, CallListRows, CallListSource, RowNumbers, UnreadableCallList,
};
use voicesurvey_core::phone_number::Region;
use voicesurvey_files::call_list::{CallListError, CallListReader, Found, ReadSettings, Role};

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 5_000;

/// A file that was uploaded.
#[derive(Debug)]
pub struct UploadedFile {
    name: String,
    content: File,
    region: Option<Region>,
    mapping: BTreeMap<Role, String>,
    found: OnceLock<Found>,
    /// What is only known when the file was read to its end.
    has_texts: Arc<AtomicBool>,
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
            has_texts: Arc::default(),
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
        let rows = self.rows(Some(region), move |row| row.read(region));
        Ok(Box::new(rows.await?))
    }

    async fn open_numbers(
        &self,
        region: Option<Region>,
    ) -> Result<Box<dyn CallListRows<RowNumbers>>, UnreadableCallList> {
        let region = self.region.or(region);
        let rows = self.rows(region, move |row| row.numbers(region));
        Ok(Box::new(rows.await?))
    }
}

impl UploadedFile {
    /// Opens the file and begins to read it; each row is made by `make`.
    async fn rows<T: Send + 'static>(
        &self,
        region: Option<Region>,
        make: impl Fn(&CallListRow) -> T + Send + 'static,
    ) -> Result<FileRows<T>, UnreadableCallList> {
        let settings = ReadSettings {
            region,
            mapping: self.mapping.clone(),
            has_texts: self.has_texts.load(Ordering::Relaxed),
            ..ReadSettings::default()
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
        let has_texts = Arc::clone(&self.has_texts);
        tokio::task::spawn_blocking(move || read(reader, make, &sender, &told, &has_texts));
        Ok(FileRows {
            columns,
            receiver,
            percent,
        })
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
fn read<T>(
    mut reader: CallListReader,
    make: impl Fn(&CallListRow) -> T,
    sender: &mpsc::Sender<Result<Vec<T>, CallListError>>,
    percent: &AtomicU8,
    has_texts: &AtomicBool,
) {
    loop {
        let some = reader.by_ref().take(ROWS_AT_ONCE);
        let rows: Result<Vec<T>, CallListError> =
            some.map(|row| row.map(|row| make(&row))).collect();
        let progress = reader.progress();
        let share = progress.read.saturating_mul(100) / progress.total.max(1);
        percent.store(u8::try_from(share).unwrap_or(100), Ordering::Relaxed);
        has_texts.fetch_or(reader.has_texts(), Ordering::Relaxed);
        let is_over = !matches!(&rows, Ok(rows) if !rows.is_empty());
        if sender.blocking_send(rows).is_err() || is_over {
            return;
        }
    }
}

/// Rows as they were read; a part with none is the end.
struct FileRows<T> {
    columns: Vec<String>,
    receiver: mpsc::Receiver<Result<Vec<T>, CallListError>>,
    percent: Arc<AtomicU8>,
}

#[async_trait]
impl<T: Send> CallListRows<T> for FileRows<T> {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    async fn next(&mut self) -> Result<Vec<T>, UnreadableCallList> {
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use voicesurvey_core::call_list::ReadRow;

    use super::*;

    async fn rows(file: &UploadedFile) -> Vec<ReadRow> {
        let mut rows = file.open(Region::IT).await.unwrap();
        let mut all = Vec::new();
        loop {
            let some = rows.next().await.unwrap();
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }

    /// Columns are judged by their first thousand rows, and lists are added when they are read for the
    /// second time.
    #[tokio::test]
    async fn a_zero_further_down_shows_that_none_was_lost_above() {
        let numbers = (0..1_200).map(|last| format!("21234{last:04}"));
        let lines = ["phone".to_owned()].into_iter().chain(numbers);
        let lines = lines.chain(["06 12345678".to_owned()]);
        let content = lines.collect::<Vec<_>>().join("\n");
        let mut written = UploadedFile::create(&std::env::temp_dir()).unwrap();
        written.write_all(content.as_bytes()).unwrap();
        let file = UploadedFile::new("list.csv".to_owned(), written);
        assert!(rows(&file).await[0].contact.is_ok());
        let again = rows(&file).await;
        assert_eq!(again.len(), 1_201);
        assert!(again[0].contact.is_err());
        assert!(again[1_200].contact.is_ok());
    }
}
