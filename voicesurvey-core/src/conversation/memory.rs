//! What a conversation remembers besides its position.

use serde::{Deserialize, Serialize};

use crate::id::TurnId;
use crate::interpretation::{Confidence, InterpretedBy};
use crate::language::Language;
use crate::survey::AnswerValue;
use crate::time::Timestamp;

/// What a conversation remembers besides its position. Every part may be missing where it is
/// stored: conversations from before there was such a part read as if nothing had happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// How often something was asked besides the question at hand: to repeat it, who is calling.
    pub asides: u8,
    /// How often nothing was heard, without anything in between.
    pub silences: u8,
    /// Whether a doubtful yes to the consent question is being confirmed.
    pub confirming_consent: bool,
    /// The value that was read back and not confirmed yet.
    pub pending: Option<Pending>,
    /// How many questions were answered in earlier calls.
    pub answered_before: u16,
    /// When to call again, of a person who has asked for it: the time that they have named, moved
    /// into the calling hours; two hours later if they have answered something and named no time.
    pub appointment: Option<Timestamp>,
    /// The changes of language, in order.
    pub switches: Vec<LanguageSwitch>,
    /// Whether this call is the last that the campaign makes to the person, so that no other can be
    /// promised.
    pub is_last_call: bool,
    /// How the line ended while the conversation was open; nothing while it is there.
    pub line: Option<LineEnd>,
}

/// How a line ended that somebody was talking on, from what says less to what says more: of two
/// that are told the greater holds, in whatever order they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineEnd {
    /// It failed: nobody has ended the call.
    Dropped,
    /// Somebody has hung up, as far as is known.
    HungUp,
}

/// A value that was read back: "four, right?". Its turn and words stay the evidence when the person
/// says yes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pending {
    /// The value.
    pub value: AnswerValue,
    /// The words that it was heard in.
    pub words: String,
    /// The turn of those words.
    pub turn_id: TurnId,
    /// Who understood it.
    pub interpreted_by: InterpretedBy,
    /// How sure that interpreter was.
    pub confidence: Confidence,
    /// Whether nothing more is to be asked after it.
    #[serde(default)]
    pub is_last: bool,
}

/// That the language changed during a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanguageSwitch {
    /// The sequence of the turn that caused it.
    pub turn: u32,
    /// The language spoken before.
    pub from: Language,
    /// The language spoken since.
    pub to: Language,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_from_before_there_was_a_memory_remembers_nothing() {
        let memory: Memory = serde_json::from_str("{}").unwrap();
        assert_eq!(memory, Memory::default());
    }
}
