//! The words of one interview: the survey in the person's language, with the person's data in it.

use crate::call_list::Contact;
use crate::campaign::{Campaign, CampaignSettings};
use crate::language::Language;
use crate::skillbase::Skillbase;
use crate::survey::{Question, Survey, SurveyTranslation};

use super::phrases::Phrases;

/// The contact's language if the survey has it, else the campaign's.
pub fn spoken_language(settings: &CampaignSettings, contact: &Contact) -> Language {
    contact
        .language
        .filter(|wanted| settings.survey.translations.contains_key(wanted))
        .unwrap_or(settings.language)
}

/// Everything that can be said to one person in one campaign.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a> {
    survey: &'a Survey,
    translation: Option<&'a SurveyTranslation>,
    contact: &'a Contact,
    skillbase: &'a Skillbase,
    language: Language,
}

impl<'a> Script<'a> {
    /// The script for `contact`: in the contact's language if the survey has it, else in the
    /// campaign's. `skillbase` is the one to use as long as the campaign has frozen none.
    pub fn new(campaign: &'a Campaign, skillbase: &'a Skillbase, contact: &'a Contact) -> Self {
        let settings = campaign.effective_settings();
        let language = spoken_language(settings, contact);
        let translation = settings.survey.translations.get(&language);
        Self {
            survey: &settings.survey,
            translation: translation.filter(|_| language != settings.language),
            contact,
            skillbase: campaign
                .snapshot
                .as_ref()
                .map_or(skillbase, |frozen| &frozen.skillbase),
            language,
        }
    }

    /// The language that is spoken.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// The fixed phrases in that language.
    pub const fn phrases(&self) -> &'static Phrases {
        Phrases::of(self.language)
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
        &self.survey.questions
    }

    /// What is said when the person picks up, ending in the consent question.
    ///
    /// That a machine speaks and how to be left alone come first (EU AI Act, article 50; 47 CFR
    /// 64.1200(b)), because an intro that asks for consent itself must be the last thing heard.
    pub fn opening(&self) -> Vec<String> {
        let mut say = vec![self.phrases().disclosure.to_owned()];
        say.extend(self.consent());
        say
    }

    /// What the person agrees to or refuses: the intro and the consent question.
    pub fn consent(&self) -> Vec<String> {
        let intro = self
            .translation
            .map_or(&self.survey.intro_script, |words| &words.intro_script);
        let question = self
            .translation
            .and_then(|words| words.consent_question.as_ref())
            .or(self.survey.consent_question.as_ref());
        let mut say = vec![self.fill(intro)];
        match question {
            Some(question) => say.push(self.fill(question)),
            None if intro.trim_end().ends_with('?') => {}
            None => say.push(self.phrases().consent_question.to_owned()),
        }
        say
    }

    /// The text of a question.
    pub fn question(&self, question: &Question) -> String {
        let text = self
            .translation
            .and_then(|words| words.questions.get(&question.key))
            .unwrap_or(&question.text);
        self.fill(text)
    }

    /// The goodbye after the last question.
    pub fn completion(&self) -> String {
        self.fill(
            self.translation
                .map_or(&self.survey.completion_message, |words| {
                    &words.completion_message
                }),
        )
    }

    /// The goodbye after an interview that ends early.
    pub fn closing(&self, phrase: &str) -> String {
        self.skillbase
            .closing
            .as_deref()
            .filter(|_| self.skillbase.language == self.language)
            .map_or_else(|| phrase.to_owned(), |closing| self.fill(closing))
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
