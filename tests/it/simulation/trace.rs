//! What happened in one run: a fingerprint of all of it, and the end of it in words.

use std::collections::VecDeque;
use std::fmt;

use voicesurvey::time::Timestamp;

/// Events that are kept to be shown when a promise is broken.
const KEPT: usize = 60;

/// What happened, in order.
#[derive(Debug)]
pub(super) struct Trace {
    fingerprint: u64,
    events: u64,
    latest: VecDeque<String>,
}

impl Default for Trace {
    fn default() -> Self {
        Self {
            fingerprint: 0xcbf2_9ce4_8422_2325,
            events: 0,
            latest: VecDeque::new(),
        }
    }
}

impl Trace {
    pub(super) fn note(&mut self, at: Timestamp, event: fmt::Arguments<'_>) {
        let line = format!("{} {event}", at.format("%m-%d %H:%M:%S%.3f"));
        // FNV-1a: enough to tell two runs apart, and the same everywhere.
        for byte in line.bytes() {
            self.fingerprint = (self.fingerprint ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        self.events += 1;
        if self.latest.len() == KEPT {
            self.latest.pop_front();
        }
        self.latest.push_back(line);
    }

    /// The same for two runs only if the same happened in both.
    pub(super) const fn fingerprint(&self) -> (u64, u64) {
        (self.events, self.fingerprint)
    }

    /// The latest events, one a line.
    pub(super) fn latest(&self) -> String {
        self.latest.iter().fold(String::new(), |mut text, line| {
            text.push_str("  ");
            text.push_str(line);
            text.push('\n');
            text
        })
    }
}
