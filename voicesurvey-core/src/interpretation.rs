//! Understanding what a person said.
//!
//! An interpreter maps one utterance to one [`Interpretation`] for the question at hand. It decides
//! nothing: whether an answer is stored, a question repeated or a number excluded is up to the
//! conversation, which also checks every value again.

pub mod rules;
pub mod second_opinion;
pub mod spoken_language;
pub mod time_mention;

use async_trait::async_trait;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::survey::{AnswerValue, ChoiceOption, ScaleLabel};

/// What the question at hand expects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "expected", rename_all = "snake_case")]
pub enum Expected {
    /// The consent question. Only an unmistakable yes is a yes.
    Consent,
    /// A yes-or-no question of the survey.
    YesNo,
    /// A number. Without `decimals`, "three and a half" is ambiguous, not an answer.
    Number {
        /// The smallest number accepted.
        min: Option<Decimal>,
        /// The largest number accepted.
        max: Option<Decimal>,
        /// Whether a number with decimals is an answer.
        decimals: bool,
    },
    /// A whole number from `min` to `max`.
    Scale {
        /// The low end.
        min: i64,
        /// The high end.
        max: i64,
        /// What some of the marks are called.
        #[serde(default)]
        labels: Vec<ScaleLabel>,
    },
    /// One of several options.
    Choice {
        /// The options, in the order in which they were read out.
        options: Vec<ChoiceOption>,
    },
    /// Anything: whatever is not a wish about the call is the answer.
    FreeText,
    /// Whether a value that was read back is right: yes, no, or another answer.
    Confirm {
        /// What the question itself expects.
        of: Box<Expected>,
    },
    /// When to call again.
    CallBackTime,
}

/// One utterance to be understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Utterance {
    /// The language the question was asked in.
    pub language: Language,
    /// What the question expects.
    pub expected: Expected,
    /// The words as the recogniser heard them.
    pub words: String,
    /// The question as it is written, without the data of the person who is asked, so that none
    /// leaves with it. Empty if it is not known.
    pub question: String,
}

/// What the person meant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// An answer within the question's bounds. For consent, `YesNo`.
    Answer {
        /// The value.
        value: AnswerValue,
    },
    /// A clear number outside the question's bounds.
    OutOfRange {
        /// The number heard.
        value: Decimal,
    },
    /// Several answers are possible: ask which.
    Ambiguous {
        /// The possible answers, as text.
        candidates: Vec<String>,
    },
    /// Wants to hear the question again.
    Repeat,
    /// Does not want to answer this question.
    Skip,
    /// Does not know the answer.
    DontKnow,
    /// Wants to end this call, without asking never to be called again.
    Stop,
    /// Asks never to be called again.
    OptOut,
    /// Asks to be called at another time.
    CallBack,
    /// Is not the person we meant to reach.
    WrongPerson,
    /// Asks who is calling.
    AskIdentity,
    /// Asks whether this is a machine, or for a human.
    AskHuman,
    /// Said something that is none of these.
    Unclear,
}

impl Intent {
    /// The name used in the API and in files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "answer",
            Self::OutOfRange { .. } => "out_of_range",
            Self::Ambiguous { .. } => "ambiguous",
            Self::Repeat => "repeat",
            Self::Skip => "skip",
            Self::DontKnow => "dont_know",
            Self::Stop => "stop",
            Self::OptOut => "opt_out",
            Self::CallBack => "call_back",
            Self::WrongPerson => "wrong_person",
            Self::AskIdentity => "ask_identity",
            Self::AskHuman => "ask_human",
            Self::Unclear => "unclear",
        }
    }
}

/// An intent, with how sure the interpreter is and who it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interpretation {
    /// What the person meant.
    #[serde(flatten)]
    pub intent: Intent,
    /// From 0 (a guess) to 1 (certain), in hundredths.
    pub confidence: Confidence,
    /// Who understood it.
    pub by: InterpretedBy,
    /// What another interpreter understood, if that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<OtherReading>,
}

impl Interpretation {
    /// What one interpreter understood, and no other has contradicted.
    pub const fn new(intent: Intent, confidence: Confidence, by: InterpretedBy) -> Self {
        Self {
            intent,
            confidence,
            by,
            other: None,
        }
    }
}

/// What an interpreter understood that was not followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OtherReading {
    /// What the person meant, as this interpreter has it.
    #[serde(flatten)]
    pub intent: Intent,
    /// How sure it was.
    pub confidence: Confidence,
    /// Which interpreter it was.
    pub by: InterpretedBy,
}

/// How sure an interpreter is, in hundredths from 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(u8);

impl Confidence {
    /// Beyond doubt.
    pub const CERTAIN: Self = Self(100);

    /// A confidence of `hundredths`, cut at 100.
    pub const fn from_hundredths(hundredths: u8) -> Self {
        if hundredths > 100 {
            Self::CERTAIN
        } else {
            Self(hundredths)
        }
    }

    /// The confidence in hundredths.
    pub const fn hundredths(self) -> u8 {
        self.0
    }
}

/// Who understood an utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterpretedBy {
    /// The rules of [`rules`].
    Rules,
    /// A language model.
    LanguageModel,
    /// Keys pressed on the telephone.
    Keypad,
    /// A person who corrected the answer afterwards.
    Staff,
}

impl InterpretedBy {
    /// The name used in the API, in files and in stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::LanguageModel => "language_model",
            Self::Keypad => "keypad",
            Self::Staff => "staff",
        }
    }
}

/// Understands one utterance at a time.
#[async_trait]
pub trait AnswerInterpreter: Send + Sync + std::fmt::Debug {
    /// What the person meant. Never fails: what is not understood is [`Intent::Unclear`].
    async fn interpret(&self, utterance: &Utterance) -> Interpretation;
}
