//! Twilio's words for how far a call has come, in ours.
//!
//! Webhooks and the REST interface use the same words. A status that is not known here is kept as
//! Twilio wrote it and ends nothing.

use voicesurvey_core::call_attempt::{AnsweredBy, CallEventKind};
use voicesurvey_core::outcome::Outcome;

/// One status, and what came with it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Progress<'a> {
    pub(crate) status: &'a str,
    /// Who answered, if Twilio has found out.
    pub(crate) answered_by: Option<&'a str>,
    /// What the network answered.
    pub(crate) sip: Option<u16>,
    /// Twilio's code for what went wrong.
    pub(crate) error: Option<u32>,
    /// Seconds from the answer to the end.
    pub(crate) duration: Option<u32>,
    /// Whether Twilio began to dial.
    pub(crate) was_dialed: bool,
}

impl Progress<'_> {
    /// What happened.
    pub(crate) fn kind(&self) -> CallEventKind {
        let ended = |outcome| CallEventKind::Ended { outcome };
        match self.status {
            "ringing" => CallEventKind::Ringing,
            "in-progress" => CallEventKind::Answered {
                by: answered_by(self.answered_by),
            },
            "completed" => ended(self.completed()),
            "busy" => ended(Some(self.declined().unwrap_or(Outcome::Busy))),
            "no-answer" => ended(Some(self.declined().unwrap_or(Outcome::NoAnswer))),
            "failed" => ended(Some(self.failed())),
            "canceled" => ended(Some(self.canceled())),
            "queued" | "initiated" => CallEventKind::Initiated,
            other => {
                tracing::warn!(
                    status = other,
                    "Twilio tells a status that is not known here"
                );
                CallEventKind::Initiated
            }
        }
    }

    /// Whether it was answered, as far as this status tells.
    pub(crate) fn was_answered(&self) -> bool {
        self.duration.is_some_and(|seconds| seconds > 0) || self.answered_by.is_some()
    }

    /// Of an answered call the conversation knows better how it ended, but not that the line dropped
    /// or that a machine was there.
    fn completed(&self) -> Option<Outcome> {
        if self.error.is_some_and(is_lost_line) {
            return Some(Outcome::ProviderFailure);
        }
        answered_by(self.answered_by).outcome()
    }

    fn failed(&self) -> Outcome {
        // What fails after it was answered is a line that dropped.
        if self.was_answered() {
            return Outcome::ProviderFailure;
        }
        match (self.error, self.sip) {
            (Some(13225 | 32203), _) => Outcome::ProviderRejected,
            (Some(13223 | 13224 | 13226), _) | (None, Some(484 | 604)) => Outcome::InvalidNumber,
            (None, Some(404 | 410)) => Outcome::Disconnected,
            (None, Some(486 | 600)) => Outcome::Busy,
            (None, Some(408 | 480 | 487)) => Outcome::NoAnswer,
            _ => self.declined().unwrap_or(Outcome::ProviderFailure),
        }
    }

    /// Somebody pressed the red button, or something did it for them.
    const fn declined(&self) -> Option<Outcome> {
        match self.sip {
            Some(603 | 607 | 608) => Some(Outcome::Declined),
            _ => None,
        }
    }

    /// We ended it before anybody answered. It may have rung, unless it was not even dialed.
    const fn canceled(&self) -> Outcome {
        if self.was_dialed {
            Outcome::NoAnswer
        } else {
            Outcome::Cancelled
        }
    }
}

/// Whether the network lost the call. Of the 32xxx, which are about carriage, 32015 is our own limit
/// and 32018 and 32019 are about documents.
const fn is_lost_line(code: u32) -> bool {
    matches!(code, 32_000..=32_999) && !matches!(code, 32_015 | 32_018 | 32_019)
}

/// Who answered, in our words.
pub(crate) fn answered_by(word: Option<&str>) -> AnsweredBy {
    match word {
        Some("human") => AnsweredBy::Person,
        Some("fax") => AnsweredBy::Fax,
        Some(word) if word == "machine" || word.starts_with("machine_") => AnsweredBy::Voicemail,
        _ => AnsweredBy::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(progress: Progress<'_>) -> Option<Outcome> {
        match progress.kind() {
            CallEventKind::Ended { outcome } => outcome,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn statuses_on_the_way_end_nothing() {
        let kind = |status| {
            let progress = Progress {
                status,
                ..Progress::default()
            };
            progress.kind()
        };
        assert_eq!(kind("queued"), CallEventKind::Initiated);
        assert_eq!(kind("initiated"), CallEventKind::Initiated);
        assert_eq!(kind("ringing"), CallEventKind::Ringing);
        let by = AnsweredBy::Unknown;
        assert_eq!(kind("in-progress"), CallEventKind::Answered { by });
        for unknown in ["trying", "", "COMPLETED", "completed "] {
            assert_eq!(kind(unknown), CallEventKind::Initiated, "{unknown}");
        }
    }

    #[test]
    fn how_a_call_ended_follows_from_status_network_and_code() {
        use Outcome::{
            Busy, Declined, Disconnected, InvalidNumber, NoAnswer, ProviderFailure,
            ProviderRejected,
        };
        for (status, sip, error, expected) in [
            ("completed", Some(200), None, None),
            ("completed", None, Some(32014), Some(ProviderFailure)),
            ("completed", None, Some(32011), Some(ProviderFailure)),
            ("completed", None, Some(32015), None),
            ("completed", None, Some(11200), None),
            ("busy", Some(486), None, Some(Busy)),
            ("busy", None, None, Some(Busy)),
            ("busy", Some(603), None, Some(Declined)),
            ("no-answer", Some(487), None, Some(NoAnswer)),
            ("no-answer", Some(603), None, Some(Declined)),
            ("failed", Some(404), None, Some(Disconnected)),
            ("failed", Some(410), None, Some(Disconnected)),
            ("failed", Some(484), None, Some(InvalidNumber)),
            ("failed", Some(604), None, Some(InvalidNumber)),
            ("failed", Some(486), None, Some(Busy)),
            ("failed", Some(480), None, Some(NoAnswer)),
            ("failed", Some(608), None, Some(Declined)),
            ("failed", Some(503), None, Some(ProviderFailure)),
            ("failed", None, None, Some(ProviderFailure)),
            ("failed", None, Some(13224), Some(InvalidNumber)),
            ("failed", None, Some(13225), Some(ProviderRejected)),
            ("failed", Some(403), Some(32203), Some(ProviderRejected)),
            // The account, not the number.
            ("failed", Some(404), Some(32205), Some(ProviderFailure)),
            ("failed", None, Some(13227), Some(ProviderFailure)),
        ] {
            let progress = Progress {
                status,
                sip,
                error,
                was_dialed: true,
                ..Progress::default()
            };
            assert_eq!(ended(progress), expected, "{status} {sip:?} {error:?}");
        }
    }

    #[test]
    fn a_call_that_fails_after_it_was_answered_is_a_line_that_dropped() {
        let failed = Progress {
            status: "failed",
            sip: Some(404),
            duration: Some(12),
            ..Progress::default()
        };
        assert_eq!(ended(failed), Some(Outcome::ProviderFailure));
        let unanswered = Progress {
            duration: Some(0),
            ..failed
        };
        assert_eq!(ended(unanswered), Some(Outcome::Disconnected));
    }

    #[test]
    fn who_was_not_dialed_was_not_called() {
        let canceled = |was_dialed| Progress {
            status: "canceled",
            was_dialed,
            ..Progress::default()
        };
        assert_eq!(ended(canceled(true)), Some(Outcome::NoAnswer));
        assert_eq!(ended(canceled(false)), Some(Outcome::Cancelled));
    }

    #[test]
    fn machines_have_many_names() {
        for (word, by) in [
            ("human", AnsweredBy::Person),
            ("machine_start", AnsweredBy::Voicemail),
            ("machine_end_beep", AnsweredBy::Voicemail),
            ("machine_end_silence", AnsweredBy::Voicemail),
            ("machine_end_other", AnsweredBy::Voicemail),
            ("machine", AnsweredBy::Voicemail),
            ("fax", AnsweredBy::Fax),
            ("unknown", AnsweredBy::Unknown),
            ("alien", AnsweredBy::Unknown),
        ] {
            assert_eq!(answered_by(Some(word)), by, "{word}");
        }
        let told_at_the_end = Progress {
            status: "completed",
            answered_by: Some("machine_start"),
            ..Progress::default()
        };
        assert_eq!(ended(told_at_the_end), Some(Outcome::Voicemail));
    }
}
