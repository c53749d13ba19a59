//! A file that is sent while it is written: as fast as its client takes it, and no longer than the
//! client does.
//!
//! What is noted of it is noted before it is handed on, so the record never tells of less than went
//! out, however the transfer ends.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;
use voicesurvey_core::export::Export;
use voicesurvey_core::service::Exports;

use crate::company_turns::CompanyTurn;
use crate::exports::{ExportError, ExportWriter};

/// A client must take so many bytes ...
const SLICE_BYTES: usize = 64 << 10;
/// ... within this time.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file on its way.
pub(super) struct Sending {
    pub(super) exports: Exports,
    pub(super) export: Export,
    pub(super) writer: ExportWriter,
    pub(super) turn: CompanyTurn,
}

/// What the client is sent.
enum Part {
    Bytes(Bytes),
    /// All of it was sent. Without this the transfer is broken off.
    End,
}

/// Why the rest of a file is not sent.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error(transparent)]
    Written(#[from] ExportError),
    #[error("the client has gone")]
    Gone,
    #[error("the client takes less than {} bytes in {} seconds", SLICE_BYTES, PATIENCE.as_secs())]
    TooSlow,
}

/// The end of a transfer that is not the end of the file.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the file was broken off")]
struct BrokenOff;

impl Sending {
    /// The body, of which `first` has been written already.
    pub(super) fn body(self, first: Option<Vec<u8>>) -> Body {
        // By a task of its own: a body is asked for nothing while its client takes nothing, and would
        // keep its turn as long.
        let (parts, taken) = mpsc::channel(1);
        tokio::spawn(self.run(first, parts));
        let body = stream::try_unfold(taken, |mut taken: mpsc::Receiver<Part>| async move {
            match taken.recv().await {
                Some(Part::Bytes(bytes)) => Ok(Some((bytes, taken))),
                Some(Part::End) => Ok(None),
                None => Err(BrokenOff),
            }
        });
        Body::from_stream(body)
    }

    async fn run(self, first: Option<Vec<u8>>, parts: mpsc::Sender<Part>) {
        let id = self.export.id;
        match self.send(first, &parts).await {
            Ok(()) => {
                // OK because whoever has gone before the end knows that it is not there.
                let _ = parts.send(Part::End).await;
            }
            Err(NotSent::Written(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(export_id = %id, error, "an export was broken off");
            }
            Err(why) => tracing::info!(export_id = %id, "an export was broken off: {why}"),
        }
    }

    /// Sends the file and notes that all of it was sent. The turn is free again before the client is
    /// told of the end.
    async fn send(
        mut self,
        first: Option<Vec<u8>>,
        parts: &mpsc::Sender<Part>,
    ) -> Result<(), NotSent> {
        let mut next = first;
        while let Some(bytes) = next {
            let written = self.writer.written();
            let advanced = self.exports.advance(self.export, written).await;
            self.export = advanced.map_err(ExportError::from)?;
            let mut bytes = Bytes::from(bytes);
            while !bytes.is_empty() {
                let slice = bytes.split_to(bytes.len().min(SLICE_BYTES));
                hand_on(parts, slice, PATIENCE).await?;
            }
            next = self.writer.next().await?;
        }
        let written = self.writer.written();
        let noted = self.exports.finish(self.export, written).await;
        noted.map_err(ExportError::from)?;
        drop(self.turn);
        Ok(())
    }
}

async fn hand_on(
    parts: &mpsc::Sender<Part>,
    bytes: Bytes,
    patience: Duration,
) -> Result<(), NotSent> {
    match tokio::time::timeout(patience, parts.send(Part::Bytes(bytes))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(NotSent::Gone),
        Err(_) => Err(NotSent::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_given_up() {
        let (parts, mut taken) = mpsc::channel(1);
        let some = || Bytes::from_static(b"some");
        assert!(hand_on(&parts, some(), PATIENCE).await.is_ok());
        let given_up = hand_on(&parts, some(), Duration::ZERO).await;
        assert!(matches!(given_up, Err(NotSent::TooSlow)), "{given_up:?}");
        assert!(matches!(taken.recv().await, Some(Part::Bytes(_))));
        assert!(hand_on(&parts, some(), PATIENCE).await.is_ok());
        drop(taken);
        let gone = hand_on(&parts, some(), PATIENCE).await;
        assert!(matches!(gone, Err(NotSent::Gone)), "{gone:?}");
    }
}
