//! The phrases of one language.

use voicesurvey_core::language::Language;

use super::{english, french, german, italian, russian, spanish};

/// What people say in one language. In frames, `{n}` is the number meant, `{first}` the number said
/// before it was corrected, `{max}` the high end, `{option}` the option chosen and `{answer}` an
/// answer of whatever kind.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// Yes to taking part.
    pub(crate) consents: &'static [&'static str],
    /// No to taking part.
    pub(crate) refuses: &'static [&'static str],
    /// Never call again.
    pub(crate) opts_out: &'static [&'static str],
    /// Call at another time.
    pub(crate) later: &'static [&'static str],
    /// Another person of the household: call again when they are home.
    pub(crate) absent: &'static [&'static str],
    /// Nobody of that name is here.
    pub(crate) wrong_person: &'static [&'static str],
    /// Who is calling?
    pub(crate) asks_who: &'static [&'static str],
    /// Is this a machine?
    pub(crate) asks_human: &'static [&'static str],
    /// Yes to a question of the survey.
    pub(crate) yes: &'static [&'static str],
    /// No to a question of the survey.
    pub(crate) no: &'static [&'static str],
    /// What answers nothing.
    pub(crate) mumbles: &'static [&'static str],
    /// Say that again.
    pub(crate) repeats: &'static [&'static str],
    /// Not this question.
    pub(crate) skips: &'static [&'static str],
    /// No idea.
    pub(crate) does_not_know: &'static [&'static str],
    /// Enough for today.
    pub(crate) stops: &'static [&'static str],
    /// How a quantity is said.
    pub(crate) number_frames: &'static [&'static str],
    /// How a mark on a scale is said.
    pub(crate) mark_frames: &'static [&'static str],
    /// How a number is corrected.
    pub(crate) corrections: &'static [&'static str],
    /// How an option is chosen.
    pub(crate) choice_frames: &'static [&'static str],
    /// The first to the fourth option.
    pub(crate) ordinals: [&'static str; 4],
    /// Makes a whole number half as much more: "and a half".
    pub(crate) half: &'static str,
    /// Said before a negative number.
    pub(crate) minus: &'static str,
    /// Opinions of those who are content.
    pub(crate) praise: &'static [&'static str],
    /// Opinions of those who are neither.
    pub(crate) remarks: &'static [&'static str],
    /// Opinions of those who are not.
    pub(crate) criticism: &'static [&'static str],
    /// Call at another time, said in the middle of an interview.
    pub(crate) interrupts: &'static [&'static str],
    /// The same with the time at once.
    pub(crate) call_me_at: &'static [&'static str],
    /// When to call, said to somebody who asks.
    pub(crate) times: &'static [&'static str],
    /// What was read back is right.
    pub(crate) confirms: &'static [&'static str],
    /// What was read back is wrong.
    pub(crate) denies: &'static [&'static str],
    /// What was read back is wrong, and this is right.
    pub(crate) corrects_back: &'static [&'static str],
    /// Words that a recogniser hears in place of a number, and the number; none where no such
    /// confusion is known.
    pub(crate) homophones: &'static [(&'static str, i64)],
    /// Said in this language to somebody who speaks another one.
    pub(crate) prefers_this: &'static [&'static str],
}

impl Vocabulary {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::It => &italian::VOCABULARY,
            Language::En => &english::VOCABULARY,
            Language::Ru => &russian::VOCABULARY,
            Language::Es => &spanish::VOCABULARY,
            Language::Fr => &french::VOCABULARY,
            Language::De => &german::VOCABULARY,
        }
    }
}
