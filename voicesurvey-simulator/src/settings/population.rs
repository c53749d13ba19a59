//! The people who are called: which numbers exist, who picks up when, and what they do then.
//!
//! The defaults are round figures of the size that phone surveys of the general public report; they
//! are made to show every outcome in a run of a few hundred calls, not to predict one.

use serde::{Deserialize, Serialize};
use voicesurvey_core::language::Language;

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
    /// What they do when an answer is read back to them.
    pub confirmations: ConfirmationBehaviour,
    /// What else they speak.
    pub languages: LanguageBehaviour,
}

impl Population {
    /// Everybody exists, is home, consents, and answers every question at once: for runs in which
    /// only what is changed afterwards goes otherwise.
    #[must_use]
    pub fn willing() -> Self {
        Self {
            numbers: NumberMix {
                invalid: Probability::NEVER,
                disconnected: Probability::NEVER,
                fax: Probability::NEVER,
                call_screening: Probability::NEVER,
                wrong_person: Probability::NEVER,
                voicemail: Probability::NEVER,
                ..NumberMix::default()
            },
            lines: LineBehaviour {
                busy: Probability::NEVER,
                switched_off: Probability::NEVER,
                picks_up: PickUpByHour::always(Probability::ALWAYS),
                declined: Probability::NEVER,
                another_person: Probability::NEVER,
                ..LineBehaviour::default()
            },
            consent: ConsentBehaviour {
                hangs_up: Probability::NEVER,
                asks_who: Probability::NEVER,
                calls_back: Probability::NEVER,
                opts_out: Probability::NEVER,
                consents: Probability::ALWAYS,
                ..ConsentBehaviour::default()
            },
            questions: QuestionBehaviour::NEVER,
            confirmations: ConfirmationBehaviour {
                denies: Probability::NEVER,
                corrects: Probability::NEVER,
            },
            languages: LanguageBehaviour {
                speaks_another: Probability::NEVER,
                ..LanguageBehaviour::default()
            },
        }
    }
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
    /// Who asks to be called at another time, then or later, names one: tried when they ask, and
    /// again when they are asked.
    pub names_time: Probability,
    /// Who never wants to be called again, then or later, presses the key for it and says nothing.
    pub presses_nine: Probability,
}

impl Default for ConsentBehaviour {
    fn default() -> Self {
        Self {
            hangs_up: Probability::percent(10),
            asks_who: Probability::percent(8),
            calls_back: Probability::percent(8),
            opts_out: Probability::percent(4),
            consents: Probability::percent(72),
            names_time: Probability::percent(50),
            presses_nine: Probability::percent(25),
        }
    }
}

/// What people do each time they are asked something. Who does none of these answers. Silence,
/// mumbling and asking to repeat also happen while consent is asked.
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
    /// Says one answer and corrects it to another.
    pub corrects: Probability,
    /// Asks never to be called again, in the middle of the interview.
    pub opts_out: Probability,
    /// Asks to be called at another time, in the middle of the interview.
    pub calls_back: Probability,
    /// Says only now that somebody else is meant.
    pub wrong_person: Probability,
    /// Asks who is calling, or whether this is a machine.
    pub asks_who: Probability,
    /// Presses keys that answer nothing.
    pub wrong_keys: Probability,
    /// Says what a mark is called, on a scale whose marks have names.
    pub names_mark: Probability,
    /// Says a number that is heard as a word that sounds like it.
    pub misheard: Probability,
    /// Answers so that the recogniser hardly hears it.
    pub hardly_heard: Probability,
}

impl QuestionBehaviour {
    /// Everybody just answers.
    const NEVER: Self = Self {
        breaks_off: Probability::NEVER,
        silent: Probability::NEVER,
        mumbles: Probability::NEVER,
        repeats: Probability::NEVER,
        skips: Probability::NEVER,
        does_not_know: Probability::NEVER,
        out_of_range: Probability::NEVER,
        presses_keys: Probability::NEVER,
        corrects: Probability::NEVER,
        opts_out: Probability::NEVER,
        calls_back: Probability::NEVER,
        wrong_person: Probability::NEVER,
        asks_who: Probability::NEVER,
        wrong_keys: Probability::NEVER,
        names_mark: Probability::NEVER,
        misheard: Probability::NEVER,
        hardly_heard: Probability::NEVER,
    };
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
            opts_out: Probability::percent(1),
            calls_back: Probability::percent(1),
            wrong_person: Probability::percent(1),
            asks_who: Probability::percent(2),
            wrong_keys: Probability::percent(2),
            names_mark: Probability::percent(40),
            misheard: Probability::percent(3),
            hardly_heard: Probability::percent(3),
        }
    }
}

/// What people do when a doubtful answer is read back to them: "four, right?". All others say that
/// it is right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConfirmationBehaviour {
    /// Says that it is wrong.
    pub denies: Probability,
    /// Says what is right instead.
    pub corrects: Probability,
}

impl Default for ConfirmationBehaviour {
    fn default() -> Self {
        Self {
            denies: Probability::percent(10),
            corrects: Probability::percent(15),
        }
    }
}

/// What people speak besides the language that they are called in. They answer in whatever language
/// they were asked in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageBehaviour {
    /// Says in another language that they would rather speak that, tried each time they are asked
    /// for consent or a closed question.
    pub speaks_another: Probability,
    /// The languages that it may be, whether or not the survey has them.
    pub others: Vec<Language>,
}

impl Default for LanguageBehaviour {
    fn default() -> Self {
        Self {
            speaks_another: Probability::percent(1),
            others: Language::ALL.to_vec(),
        }
    }
}
