//! The rows of an import that were not taken: on the disk while the file is read, and then sent piece
//! by piece, so that none is left out and a file in which every row is wrong needs no memory.

use std::io::{self, SeekFrom};

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::fs::File;
use tokio::io::{
    AsyncBufReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _, BufReader, BufWriter, Lines,
};
use voicesurvey_core::call_list::RowError;
use voicesurvey_core::ports::StorageError;
use voicesurvey_core::service::exclusions::RefusedRows;
use voicesurvey_files::Encoding;
use voicesurvey_files::error_file::{write_header, write_rows};

use super::importing::ExclusionRowErrorBody;

/// Rows that are sent at once.
const ROWS_AT_ONCE: usize = 1_000;

/// Rows in a file without a name, one line of JSON each.
pub(super) struct RefusedFile(BufWriter<File>);

impl RefusedFile {
    /// None yet, in an empty file.
    pub(super) fn new(file: std::fs::File) -> Self {
        Self(BufWriter::new(File::from_std(file)))
    }

    async fn write(&mut self, errors: Vec<RowError>) -> io::Result<()> {
        for error in errors {
            let mut line = serde_json::to_vec(&error)?;
            line.push(b'\n');
            self.0.write_all(&line).await?;
        }
        Ok(())
    }

    /// Those that were kept, from the first on.
    async fn read(mut self) -> io::Result<Lines<BufReader<File>>> {
        self.0.flush().await?;
        let mut file = self.0.into_inner();
        file.seek(SeekFrom::Start(0)).await?;
        Ok(BufReader::new(file).lines())
    }

    /// A JSON object: `head` is one without its list of errors, which comes last.
    pub(super) async fn into_json(self, head: &str) -> io::Result<Body> {
        let head = head.strip_suffix('}').unwrap_or(head);
        let start = format!("{head},\"errors\":[");
        let mut is_first = true;
        let write = move |errors: &[RowError]| {
            let mut part = Vec::new();
            for error in errors {
                if !std::mem::take(&mut is_first) {
                    part.push(b',');
                }
                serde_json::to_writer(&mut part, &ExclusionRowErrorBody::from(error))?;
            }
            Ok(part)
        };
        Ok(pieces(start.into(), self.read().await?, write, "]}"))
    }

    /// The error file of a list with these columns.
    pub(super) async fn into_csv(self, columns: Vec<String>) -> io::Result<Body> {
        let mut start = Vec::new();
        write_header(&columns, &mut start, Encoding::Utf8WithByteOrderMark)?;
        let write = move |errors: &[RowError]| {
            let mut part = Vec::new();
            write_rows(&columns, errors, &mut part)?;
            Ok(part)
        };
        Ok(pieces(start, self.read().await?, write, ""))
    }
}

#[async_trait]
impl RefusedRows for RefusedFile {
    async fn keep(&mut self, errors: Vec<RowError>) -> Result<(), StorageError> {
        let written = self.write(errors).await;
        written.map_err(|error| StorageError::Failed(error.into()))
    }
}

/// A body of the start, the rows as `write` makes them, and the end. A fault on the way breaks the
/// transfer off.
fn pieces(
    start: Vec<u8>,
    rows: Lines<BufReader<File>>,
    write: impl FnMut(&[RowError]) -> io::Result<Vec<u8>> + Send + 'static,
    end: &'static str,
) -> Body {
    let state = (Some(start), rows, write, false);
    let parts = stream::try_unfold(
        state,
        move |(start, mut rows, mut write, ended)| async move {
            if ended {
                return Ok::<_, io::Error>(None);
            }
            let mut part = start.unwrap_or_default();
            let errors = some_of(&mut rows).await?;
            part.extend(write(&errors)?);
            let ended = errors.is_empty();
            if ended {
                part.extend_from_slice(end.as_bytes());
            }
            Ok(Some((Bytes::from(part), (None, rows, write, ended))))
        },
    );
    Body::from_stream(parts)
}

async fn some_of(rows: &mut Lines<BufReader<File>>) -> io::Result<Vec<RowError>> {
    let mut errors = Vec::new();
    while errors.len() < ROWS_AT_ONCE {
        let Some(line) = rows.next_line().await? else {
            break;
        };
        errors.push(serde_json::from_str(&line)?);
    }
    Ok(errors)
}
