//! A gate: one thing that must be right before people are called, and what was found of it.
//!
//! # Adding a gate
//!
//! Make a [`Gate`] of what was found, and add it to those that [`run`](super::run) reports.

use std::fmt;

use serde::Serialize;

/// One thing that must be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Gate {
    /// The promise or the part that it is about, such as `I3` or `schema`.
    pub(super) about: &'static str,
    /// What holds when it passes.
    pub(super) text: &'static str,
    #[serde(flatten)]
    pub(super) result: GateResult,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub(super) enum GateResult {
    /// It is right.
    Pass {
        /// What else there is to say.
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// It breaks no promise, and somebody should look.
    Warn(Problem),
    /// It is wrong.
    Fail(Problem),
    /// It was not looked at.
    Skip {
        /// Why.
        reason: String,
    },
}

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// In one sentence.
    pub(super) summary: String,
    /// The first things that are wrong.
    pub(super) examples: Vec<String>,
    /// What to do.
    pub(super) what_to_do: String,
}

impl Gate {
    /// With a note, or an empty one.
    pub(super) fn passed(about: &'static str, text: &'static str, note: impl Into<String>) -> Self {
        let note = Some(note.into()).filter(|note| !note.is_empty());
        Self {
            about,
            text,
            result: GateResult::Pass { note },
        }
    }

    pub(super) fn warned(
        about: &'static str,
        text: &'static str,
        summary: impl Into<String>,
        what_to_do: impl Into<String>,
    ) -> Self {
        let problem = Problem::new(summary, what_to_do);
        Self {
            about,
            text,
            result: GateResult::Warn(problem),
        }
    }

    pub(super) fn failed(
        about: &'static str,
        text: &'static str,
        summary: impl Into<String>,
        what_to_do: impl Into<String>,
    ) -> Self {
        let problem = Problem::new(summary, what_to_do);
        Self {
            about,
            text,
            result: GateResult::Fail(problem),
        }
    }

    pub(super) fn skipped(about: &'static str, text: &'static str, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self {
            about,
            text,
            result: GateResult::Skip { reason },
        }
    }

    pub(super) const fn has_failed(&self) -> bool {
        matches!(self.result, GateResult::Fail(_))
    }
}

impl Problem {
    /// One without examples.
    pub(super) fn new(summary: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            examples: Vec::new(),
            what_to_do: what_to_do.into(),
        }
    }
}

/// One line, and what is wrong below it.
impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, about, text) = (self.result.word(), self.about, self.text);
        write!(f, "{word} {about} {text}")?;
        match &self.result {
            GateResult::Pass { note: None } => Ok(()),
            GateResult::Pass { note: Some(note) } => write!(f, ": {note}"),
            GateResult::Skip { reason } => write!(f, ": {reason}"),
            GateResult::Warn(problem) | GateResult::Fail(problem) => write!(f, "{problem}"),
        }
    }
}

impl GateResult {
    const fn word(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "PASS",
            Self::Warn(_) => "WARN",
            Self::Fail(_) => "FAIL",
            Self::Skip { .. } => "SKIP",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ": {}", self.summary)?;
        for example in &self.examples {
            write!(f, "\n     {example}")?;
        }
        write!(f, "\n     What to do: {}", self.what_to_do)
    }
}
