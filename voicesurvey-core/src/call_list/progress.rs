//! Where an upload stands while it runs, and the way to stop it.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// The share of the work that is reading the file for the first time, in percent.
const CHECKING: u64 = 10;

/// Shared between whoever adds a list and whoever watches.
#[derive(Debug, Default)]
pub struct UploadProgress {
    percent: AtomicU8,
    rows_read: AtomicU64,
    total_rows: AtomicU64,
    stopped: AtomicBool,
    interrupted: AtomicBool,
}

impl UploadProgress {
    /// Stops the upload at its next step. One that is just being committed is not stopped by it.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Stops the upload at its next step because the server stops; it has failed then.
    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
        self.stop();
    }

    /// Whether the upload is to stop because the server does.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Whether the upload is to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// How much of the work is done; 100 is only said of an upload that has ended.
    pub fn percent(&self) -> u8 {
        self.percent.load(Ordering::Relaxed)
    }

    /// Rows that were looked at, and rows in the file, which is 0 until it was read to its end.
    pub fn rows(&self) -> (u64, u64) {
        let rows_read = self.rows_read.load(Ordering::Relaxed);
        (rows_read, self.total_rows.load(Ordering::Relaxed))
    }

    /// So much of the file was read for the first time, in percent.
    pub(crate) fn checked(&self, percent: u8) {
        self.advance(u64::from(percent.min(100)) * CHECKING / 100);
    }

    /// The file was read to its end, and has so many rows.
    pub(crate) fn counted(&self, total_rows: u64) {
        self.total_rows.store(total_rows, Ordering::Relaxed);
        self.advance(CHECKING);
    }

    /// So many rows more were added.
    pub(crate) fn added(&self, rows: u64) {
        let rows_read = self.rows_read.fetch_add(rows, Ordering::Relaxed) + rows;
        let total = self
            .total_rows
            .load(Ordering::Relaxed)
            .max(rows_read)
            .max(1);
        self.advance(CHECKING + (99 - CHECKING) * rows_read / total);
    }

    fn advance(&self, percent: u64) {
        // OK because it is at most 99.
        let percent = u8::try_from(percent).unwrap_or(99);
        self.percent.fetch_max(percent, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_only_rises_and_never_says_that_all_is_done() {
        let progress = UploadProgress::default();
        let mut seen = vec![progress.percent()];
        progress.checked(50);
        seen.push(progress.percent());
        progress.counted(4);
        for _ in 0..4 {
            seen.push(progress.percent());
            progress.added(1);
        }
        seen.push(progress.percent());
        assert_eq!(seen, [0, 5, 10, 32, 54, 76, 99]);
        // A file that has grown meanwhile.
        progress.added(4);
        assert_eq!((progress.percent(), progress.rows()), (99, (8, 4)));
    }
}
