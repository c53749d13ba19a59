//! The people who are called: which numbers exist, who picks up when, and what they do then.
//!
//! The defaults are round figures of the size that phone surveys of the general public report; they
//! are made to show every outcome in a run of a few hundred calls, not to predict one.

use serde::{Deserialize, Serialize};

use super::{Between, Probability};

/// The people who are called.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Population {
    /// What is behind the numbers.
    pub numbers: NumberMix,
    /// What happens when they ring.
    pub lines: LineBehaviour,
    /// What people do when they are asked to take part.
    pub consent: ConsentBehaviour,
    /// What they do with each question.
    pub questions: QuestionBehaviour,
}

/// What is behind a number, decided once per number. The first four are tried in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberMix {
    /// The number is not assigned.
    pub invalid: Probability,
    /// The number is not in service.
    pub disconnected: Probability,
    /// A fax answers.
    pub fax: Probability,
    /// An assistant answers and asks what the call is about.
    pub call_screening: Probability,
    /// The person who has the number is not the one on the list.
    pub wrong_person: Probability,
    /// A voicemail answers when nobody does.
    pub voicemail: Probability,
    /// After how many seconds of ringing it does.
    pub voicemail_after_seconds: Between,
}

impl Default for NumberMix {
    fn default() -> Self {
        Self {
            invalid: Probability::percent(2),
            disconnected: Probability::percent(2),
            fax: Probability::percent(1),
            call_screening: Probability::percent(2),
            wrong_person: Probability::percent(3),
            voicemail: Probability::percent(40),
            voicemail_after_seconds: Between::new(12, 25),
        }
    }
}

/// What happens when a telephone is called. Tried in this order; decided anew for every call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineBehaviour {
    /// The line is busy.
    pub busy: Probability,
    /// The telephone is off: a voicemail answers at once, or nobody does.
    pub switched_off: Probability,
    /// Somebody picks up, by the hour on the wall where the person lives. Some people are home
    /// half as often as this, some half again as often.
    pub picks_up: PickUpByHour,
    /// After how many seconds of ringing.
    pub picks_up_after_seconds: Between,
    /// The call is rejected on the telephone, by those who would not have picked up.
    pub declined: Probability,
    /// Somebody else of the household picks up.
    pub another_person: Probability,
    /// How fast people speak.
    pub words_per_minute: Between,
}

impl Default for LineBehaviour {
    fn default() -> Self {
        Self {
            busy: Probability::percent(6),
            switched_off: Probability::percent(5),
            picks_up: PickUpByHour::default(),
            picks_up_after_seconds: Between::new(3, 18),
            declined: Probability::percent(10),
            another_person: Probability::percent(5),
            words_per_minute: Between::new(110, 180),
        }
    }
}

/// How likely somebody picks up, for each hour of the day from midnight: low in the morning, high
/// in the early evening.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PickUpByHour(pub [Probability; 24]);

impl PickUpByHour {
    /// The same at every hour.
    #[must_use]
    pub const fn always(probability: Probability) -> Self {
        Self([probability; 24])
    }

    /// The chance in the hour that begins at `hour`:00; hours over 23 are those of the next day.
    #[must_use]
    pub const fn at(&self, hour: u32) -> Probability {
        self.0[(hour % 24) as usize]
    }
}

impl Default for PickUpByHour {
    fn default() -> Self {
        const PERCENT: [u8; 24] = [
            4, 2, 1, 1, 1, 2, 5, 9, 15, 24, 28, 31, 38, 41, 34, 33, 37, 46, 58, 60, 52, 36, 18, 8,
        ];
        Self(PERCENT.map(Probability::percent))
    }
}

/// What people do when they are asked to take part.
///
/// Whether somebody opts out or consents is decided once per person, so a person who refuses
/// refuses every time; the rest is decided anew for every call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsentBehaviour {
    /// Hangs up while the introduction is spoken.
    pub hangs_up: Probability,
    /// Asks who is calling, or whether this is a machine, before deciding.
    pub asks_who: Probability,
    /// Asks to be called at another time.
    pub calls_back: Probability,
    /// Asks never to be called again.
    pub opts_out: Probability,
    /// Agrees; all others refuse.
    pub consents: Probability,
}

impl Default for ConsentBehaviour {
    fn default() -> Self {
        Self {
            hangs_up: Probability::percent(10),
            asks_who: Probability::percent(8),
            calls_back: Probability::percent(8),
            opts_out: Probability::percent(4),
            consents: Probability::percent(72),
        }
    }
}

/// What people do each time they are asked something, tried in this order. Who does none of these
/// answers. Silence, mumbling and asking to repeat also happen while consent is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuestionBehaviour {
    /// Ends the interview: half of them say so, half just hang up.
    pub breaks_off: Probability,
    /// Says nothing.
    pub silent: Probability,
    /// Says something that answers nothing.
    pub mumbles: Probability,
    /// Asks to hear the question again.
    pub repeats: Probability,
    /// Does not want to answer this question.
    pub skips: Probability,
    /// Does not know.
    pub does_not_know: Probability,
    /// Says a number outside the question's bounds, where it has any.
    pub out_of_range: Probability,
    /// Presses keys instead of speaking, where keys can answer.
    pub presses_keys: Probability,
    /// Says one number and corrects it to another.
    pub corrects: Probability,
}

impl Default for QuestionBehaviour {
    fn default() -> Self {
        Self {
            breaks_off: Probability::percent(3),
            silent: Probability::percent(3),
            mumbles: Probability::percent(3),
            repeats: Probability::percent(4),
            skips: Probability::percent(2),
            does_not_know: Probability::percent(3),
            out_of_range: Probability::percent(3),
            presses_keys: Probability::percent(4),
            corrects: Probability::percent(5),
        }
    }
}
