//! Durations, and what is told of them.

use std::fmt;
use std::time::Duration;

/// How long something took, each time.
#[derive(Debug, Default)]
pub(crate) struct Durations(Vec<Duration>);

impl Durations {
    pub(crate) fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// The duration that so many percent stay below.
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or_default()
    }
}

impl fmt::Display for Durations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |percent| self.percentile(percent).as_secs_f64() * 1_000.0;
        write!(
            f,
            "p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms ({} times)",
            milliseconds(50),
            milliseconds(99),
            milliseconds(100),
            self.0.len()
        )
    }
}

/// The memory that this process has in use, on Linux; `None` where it cannot be told.
pub(crate) fn resident_megabytes() -> Option<u64> {
    let told = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = told.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes / 1_000)
}
