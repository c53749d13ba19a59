//! The words of one interview: the survey in the person's language, with the person's data in it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::lines::Lines;
use super::{AnswerResult, Given};
use crate::call_list::Contact;
use crate::campaign::{Campaign, CampaignSettings, Schedule};
use crate::interpretation::Expected;
use crate::language::Language;
use crate::quota::Cells;
use crate::skillbase::Skillbase;
use crate::survey::{AnswerValue, ChoiceOption, Question, ScaleLabel, SurveyTranslation};

/// The contact's language if the survey has it, else the campaign's.
pub fn spoken_language(settings: &CampaignSettings, contact: &Contact) -> Language {
    contact
        .language
        .filter(|wanted| settings.survey.translations.contains_key(wanted))
        .unwrap_or(settings.language)
}

/// A question and its answer take about so many seconds.
const SECONDS_PER_QUESTION: usize = 20;

/// So much of its checksum names a text, as twelve digits; nobody writes two that share so much.
const BYTES_OF_CHECKSUM: usize = 6;

/// What is said when the person picks up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The sentences, ending in the consent question.
    pub say: Vec<String>,
    /// So many of the first ones the law asks for: speech does not interrupt them.
    pub firm: u16,
}

/// Everything that can be said to one person in one campaign.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    settings: &'a CampaignSettings,
    translation: Option<&'a SurveyTranslation>,
    contact: &'a Contact,
    skillbase: &'a Skillbase,
    company_name: &'a str,
    language: Language,
    closed: Option<&'a Cells>,
}

impl<'a> Script<'a> {
    /// The script for `contact`: in the contact's language if the survey has it, else in the
    /// campaign's. `skillbase` is the one to use as long as the campaign has frozen none.
    pub fn new(
        campaign: &'a Campaign,
        skillbase: &'a Skillbase,
        company_name: &'a str,
        contact: &'a Contact,
    ) -> Self {
        let settings = campaign.effective_settings();
        let script = Self {
            settings,
            translation: None,
            contact,
            skillbase: campaign
                .snapshot
                .as_ref()
                .map_or(skillbase, |frozen| &frozen.skillbase),
            company_name,
            language: settings.language,
            closed: None,
        };
        script.spoken_in(spoken_language(settings, contact))
    }

    /// The same for a call that ends when an answer puts the person into one of these cells of the
    /// campaign's quotas, because nobody in them is wanted any more.
    #[must_use]
    pub const fn turning_away(self, closed: &'a Cells) -> Self {
        Self {
            closed: Some(closed),
            ..self
        }
    }

    /// Whether the answer to that question puts the person into a cell in which nobody is wanted any
    /// more. Who was let into a cell before stays in, whatever became of it since.
    pub(crate) fn turns_away(&self, question: &str, given: &Given) -> bool {
        let closed = self.closed.filter(|closed| !closed.is_empty());
        let quotas = self.settings.quotas.as_ref();
        let quotas = quotas.filter(|quotas| quotas.depend_on(question));
        let (Some(closed), Some(quotas)) = (closed, quotas) else {
            return false;
        };
        let value = |key: &str| given.get(key).and_then(AnswerResult::value);
        let now = quotas.cells_of(self.contact, value);
        let before = |key: &str| value(key).filter(|_| key != question);
        let before = quotas.cells_of(self.contact, before);
        now.without(&before)
            .iter()
            .any(|cell| closed.contains(cell))
    }

    /// The same in another language, if the survey has it.
    #[must_use]
    pub fn spoken_in(self, language: Language) -> Self {
        if !self.offers(language) {
            return self;
        }
        let translation = self.settings.survey.translations.get(&language);
        Self {
            translation: translation.filter(|_| language != self.settings.language),
            language,
            ..self
        }
    }

    /// Whether the survey can be held in that language.
    pub fn offers(&self, language: Language) -> bool {
        language == self.settings.language
            || self.settings.survey.translations.contains_key(&language)
    }

    /// The language that is spoken.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The fixed lines in that language.
    pub fn lines(&self) -> &'static Lines {
        Lines::of(self.language)
    }

    /// Who is called.
    pub const fn contact(&self) -> &'a Contact {
        self.contact
    }

    /// In whose name the call is made.
    pub const fn company_name(&self) -> &'a str {
        self.company_name
    }

    /// When people may be called.
    pub const fn schedule(&self) -> &'a Schedule {
        &self.settings.schedule
    }

    /// Who speaks.
    pub const fn skillbase(&self) -> &'a Skillbase {
        self.skillbase
    }

    /// The voice, if it speaks this language; another language gets the provider's default.
    pub fn voice(&self) -> Option<String> {
        self.skillbase
            .voice
            .clone()
            .filter(|_| self.skillbase.language == self.language)
    }

    /// The questions, in order.
    pub fn questions(&self) -> &'a [Question] {
        &self.settings.survey.questions
    }

    /// What an interpreter is told to expect of a question. Options and marks have the words of the
    /// spoken language first; those of the campaign are understood as well.
    pub fn expected(&self, question: &Question) -> Expected {
        let mut expected = question.kind.expected();
        let translated = self
            .translation
            .and_then(|words| words.options.get(&question.key));
        if let Some(translated) = translated {
            match &mut expected {
                Expected::Choice { options } => translate_options(options, translated),
                Expected::Scale { min, max, labels } => {
                    translate_labels(labels, translated, *min..=*max);
                }
                _ => {}
            }
        }
        expected
    }

    /// A value as it is read out: the first word of an option, the digits of a number.
    pub fn spoken(&self, question: &Question, value: &AnswerValue) -> String {
        match (value, self.expected(question)) {
            (AnswerValue::Choice(key), Expected::Choice { options }) => options
                .iter()
                .find(|option| option.key == *key)
                .map_or_else(|| key.clone(), |option| first_word(option).to_owned()),
            _ => value.to_text(),
        }
    }

    /// What is said when the person picks up, ending in the consent question.
    ///
    /// Who calls, that a machine speaks, whether it is recorded and how to be left alone come first,
    /// in this order (47 CFR 64.1200(b), EU AI Act, article 50). Who was called before and has
    /// answered something is asked to go on (`resumed`).
    pub fn opening(&self, resumed: bool) -> Opening {
        let firm = self.written_disclosures();
        let mut say: Vec<String> = firm.iter().map(|line| self.fill_line(line)).collect();
        say.extend(self.consent(resumed));
        Opening {
            say,
            firm: u16::try_from(firm.len()).unwrap_or(u16::MAX),
        }
    }

    fn written_disclosures(&self) -> Vec<&'a str> {
        let lines = self.lines();
        let recording = self.settings.recording.then_some(lines.recording.as_str());
        [Some(lines.who.as_str()), Some(&lines.ai), recording]
            .into_iter()
            .chain([Some(lines.opt_out.as_str())])
            .flatten()
            .collect()
    }

    /// What the person agrees to or refuses: the purpose, the length and the consent question.
    pub fn consent(&self, resumed: bool) -> Vec<String> {
        let say = self.written_consent(resumed).into_iter();
        say.map(|text| match text {
            Written::Line(line) => self.fill_line(line),
            Written::Survey(text) => self.fill(text),
        })
        .collect()
    }

    /// The purpose, the length and the consent question as they are written. An intro that asks for
    /// consent itself comes last, because the question must be the last thing heard. A blank consent
    /// question is none: nobody agrees to what was not asked.
    fn written_consent(&self, resumed: bool) -> Vec<Written<'a>> {
        use Written::{Line, Survey};
        let lines = self.lines();
        if resumed {
            return vec![Line(&lines.resumed), Line(&lines.resume_question)];
        }
        let survey = &self.settings.survey;
        let intro = self
            .translation
            .map_or(&survey.intro_script, |words| &words.intro_script);
        let question = self
            .translation
            .map_or(survey.consent_question.as_deref(), |words| {
                words.consent_question.as_deref()
            })
            .filter(|question| !question.trim().is_empty());
        let length = Line(match self.minutes() {
            1 => &lines.length_one,
            _ => &lines.length,
        });
        match question {
            Some(question) => vec![Survey(intro), length, Survey(question)],
            None if intro.trim_end().ends_with('?') => vec![length, Survey(intro)],
            None => vec![Survey(intro), length, Line(&lines.consent_question)],
        }
    }

    /// About how long it takes to answer every question.
    fn minutes(&self) -> usize {
        let seconds = self.questions().len() * SECONDS_PER_QUESTION;
        seconds.div_ceil(60).max(1)
    }

    /// The consent question as it is written, without the contact's data.
    pub fn written_consent_question(&self, resumed: bool) -> &'a str {
        self.written_consent(resumed)
            .pop()
            .map_or("", Written::text)
    }

    /// Names the words that a person agrees to: the version of the fixed lines, and a checksum of
    /// the opening as it is written. Whoever is told the same hears the same version.
    pub fn version(&self, resumed: bool) -> String {
        let consent = self.written_consent(resumed).into_iter();
        let opening = self.written_disclosures().into_iter();
        let mut checksum = Sha256::new();
        for text in opening.chain(consent.map(Written::text)) {
            checksum.update(text);
            checksum.update([0]);
        }
        let bytes = checksum.finalize().into_iter().take(BYTES_OF_CHECKSUM);
        let digits = bytes.fold(0, |digits: u64, byte| (digits << 8) | u64::from(byte));
        format!("lines-{}/{digits:012x}", self.lines().version)
    }

    /// Who is calling, for who asks.
    pub fn identity(&self) -> String {
        self.fill_line(&self.lines().identity)
    }

    /// The text of a question.
    pub fn question(&self, question: &'a Question) -> String {
        self.fill(self.written_question(question))
    }

    /// The text of a question as it is written, without the contact's data.
    pub fn written_question(&self, question: &'a Question) -> &'a str {
        self.translation
            .and_then(|words| words.questions.get(&question.key))
            .unwrap_or(&question.text)
    }

    /// The goodbye after the last question.
    pub fn completion(&self) -> String {
        self.fill(
            self.translation
                .map_or(&self.settings.survey.completion_message, |words| {
                    &words.completion_message
                }),
        )
    }

    /// What is left on a voicemail, and the script in whose language it is; `None` if nothing is.
    pub fn voicemail_message(self) -> Option<(Self, String)> {
        let messages = self.settings.calls.voicemail.messages()?;
        let script = if messages.contains_key(&self.language) {
            self
        } else {
            self.spoken_in(self.settings.language)
        };
        let words = messages.get(&script.language)?;
        Some((script, script.fill(words)))
    }

    /// The goodbye after an interview that ends early.
    pub fn closing(&self, phrase: &str) -> String {
        self.skillbase
            .closing
            .as_deref()
            .filter(|_| self.skillbase.language == self.language)
            .map_or_else(|| phrase.to_owned(), |closing| self.fill(closing))
    }

    /// Puts what is known in place of the braces of a fixed line. A name such as "Rossi S.p.A." ends a
    /// sentence by itself.
    fn fill_line(&self, line: &str) -> String {
        let name = self.company_name;
        let ends_sentence = format!("{}.", name.strip_suffix('.').unwrap_or(name));
        line.replace("{minutes}", &self.minutes().to_string())
            .replace("{company}.", &ends_sentence)
            .replace("{company}", name)
    }

    /// Puts the contact's data in place of `{{name}}` and `{{column}}`. A column the list does not
    /// have is left out, because nobody wants to hear braces.
    fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, opened)) = rest.split_once("{{") {
            let Some((name, after)) = opened.split_once("}}") else {
                break;
            };
            filled.push_str(before);
            filled.push_str(self.column(name.trim()));
            rest = after;
        }
        filled.push_str(rest);
        filled
    }

    fn column(&self, name: &str) -> &str {
        if name.eq_ignore_ascii_case("name") {
            return &self.contact.name;
        }
        self.contact
            .extra
            .iter()
            .find(|(column, _)| column.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }
}

/// A text before anything is filled in, and what can be filled in.
#[derive(Clone, Copy, Debug)]
enum Written<'a> {
    /// A fixed line.
    Line(&'a str),
    /// A text of the survey.
    Survey(&'a str),
}

impl<'a> Written<'a> {
    const fn text(self) -> &'a str {
        match self {
            Self::Line(text) | Self::Survey(text) => text,
        }
    }
}

/// The word that is read out for an option.
pub(super) fn first_word(option: &ChoiceOption) -> &str {
    option.say.first().unwrap_or(&option.key)
}

fn translate_options(options: &mut [ChoiceOption], translated: &BTreeMap<String, Vec<String>>) {
    for option in options {
        if let Some(words) = translated.get(&option.key) {
            put_first(&mut option.say, words);
        }
    }
}

fn translate_labels(
    labels: &mut Vec<ScaleLabel>,
    translated: &BTreeMap<String, Vec<String>>,
    marks: std::ops::RangeInclusive<i64>,
) {
    for (mark, words) in translated {
        let Some(value) = mark.parse().ok().filter(|mark| marks.contains(mark)) else {
            continue;
        };
        match labels.iter_mut().find(|label| label.value == value) {
            Some(label) => put_first(&mut label.say, words),
            None => labels.push(ScaleLabel {
                value,
                say: words.clone(),
            }),
        }
    }
}

fn put_first(say: &mut Vec<String>, words: &[String]) {
    say.retain(|word| !words.contains(word));
    say.splice(..0, words.iter().cloned());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    #[test]
    fn a_name_that_ends_in_a_full_stop_ends_its_sentence() {
        let company = samples::company();
        let skillbase = samples::skillbase(&company);
        let mut campaign = samples::campaign(&company);
        campaign.settings.language = Language::En;
        let task = samples::task(&campaign, "+393471234567");
        for (name, said) in [
            ("Acme Inc.", "on behalf of Acme Inc. This is"),
            ("Acme", "on behalf of Acme. This is"),
        ] {
            let script = Script::new(&campaign, &skillbase, name, &task.contact);
            let identity = script.spoken_in(Language::En).identity();
            assert!(identity.contains(said), "{identity}");
        }
    }
}
