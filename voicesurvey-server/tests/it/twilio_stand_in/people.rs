//! Who is behind the numbers, and what they do when they are spoken to.
//!
//! They know no more than what they hear: the words of the document.

use super::chance::Chance;
use super::twiml::Gather;

/// The questions of the campaigns: what people recognise each by, and what they say and press.
pub(crate) const QUESTIONS: [Question; 3] = [
    Question {
        key: "mood",
        cue: "Come sta oggi",
        words: "Bene & \"contento\" <davvero> 😀",
        keys: None,
    },
    Question {
        key: "score",
        cue: "quanto è soddisfatto",
        words: "quattro",
        keys: Some("4"),
    },
    Question {
        key: "coffee",
        cue: "Quanti caffè",
        words: "tre",
        keys: Some("3"),
    },
];

/// A question of the campaigns.
pub(crate) struct Question {
    pub(crate) key: &'static str,
    cue: &'static str,
    pub(crate) words: &'static str,
    pub(crate) keys: Option<&'static str>,
}

/// How somebody behaves who picks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conduct {
    /// Consents and answers in words.
    Talks,
    /// The same by keys, where there are keys for it.
    Presses,
    /// Says no.
    Refuses,
    /// Never wants to be called again, and says so.
    OptsOut,
    /// The same by the key that is named for it.
    OptsOutByKey,
    /// Says nothing at all.
    Silent,
    /// Hangs up at the second question.
    HangsUp,
    /// Is a machine that picks up.
    Machine,
    /// Is a fax.
    Fax,
}

/// What comes back from the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    Speaks(&'static str),
    Presses(&'static str),
    Silent,
    HangsUp,
}

impl Conduct {
    /// Somebody behind a number.
    pub(super) fn draw(chance: &mut Chance) -> Self {
        use Conduct::{
            Fax, HangsUp, Machine, OptsOut, OptsOutByKey, Presses, Refuses, Silent, Talks,
        };
        chance.pick(&[
            Talks,
            Talks,
            Talks,
            Talks,
            Talks,
            Talks,
            Presses,
            Presses,
            Presses,
            Refuses,
            Refuses,
            OptsOut,
            OptsOutByKey,
            Silent,
            HangsUp,
            Machine,
            Fax,
        ])
    }

    /// What Twilio finds out about them.
    pub(super) const fn answered_by(self) -> &'static str {
        match self {
            Self::Machine => "machine_start",
            Self::Fax => "fax",
            _ => "human",
        }
    }

    /// What they do when they have heard `said`, and can do what the gather hears.
    pub(super) fn reacts(self, said: &str, gather: &Gather) -> Reaction {
        let question = QUESTIONS
            .iter()
            .enumerate()
            .filter_map(|(index, question)| Some((said.rfind(question.cue)?, index, question)))
            .max_by_key(|(at, ..)| *at);
        match (self, question) {
            (Self::Machine | Self::Fax | Self::Silent, _) => Reaction::Silent,
            (Self::OptsOutByKey, _) => Reaction::Presses("9"),
            // Nobody answers what was not asked yet.
            _ if !gather.hears_speech => Reaction::Silent,
            (Self::Refuses, _) => Reaction::Speaks("no grazie, non mi interessa"),
            (Self::OptsOut, _) => Reaction::Speaks("non chiamatemi più"),
            (Self::HangsUp, Some((_, 1.., _))) => Reaction::HangsUp,
            (Self::Presses, None) => Reaction::Presses("1"),
            (Self::Presses, Some((.., question))) => match question.keys {
                Some(keys) => Reaction::Presses(keys),
                None => Reaction::Speaks(question.words),
            },
            (_, Some((.., question))) => Reaction::Speaks(question.words),
            (_, None) => Reaction::Speaks("sì"),
        }
    }
}
