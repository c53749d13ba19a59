//! The words of free-text answers, listed and searched.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

use super::{Reports, campaign};
use crate::api_key::Actor;
use crate::campaign::Campaign;
use crate::contact_record::{ContactFilter, ContactRecord, RecordParts};
use crate::id::{AnswerId, CallAttemptId, CallTaskId, CampaignId};
use crate::language::Language;
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError};
use crate::service::contact_filters::checked;
use crate::service::error::ServiceError;
use crate::survey::AnswerValue;
use crate::time::Timestamp;

/// So many people are looked at for one part of a list of texts; then it ends early.
const MOST_SEARCHED: usize = 10_000;
/// So many of them at a time where few of their answers may be wanted.
const SEARCHED_AT_ONCE: u16 = 500;

/// What somebody answered in their own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextAnswer {
    /// The answer.
    pub id: AnswerId,
    /// Who gave it.
    pub task_id: CallTaskId,
    /// In which call.
    pub attempt_id: CallAttemptId,
    /// The words, as they stand now.
    pub text: String,
    /// The language of the interview.
    pub language: Language,
    /// When.
    pub at: Timestamp,
}

impl Reports {
    /// The answers to a free-text question that contain `text`, whatever its case and accents, in the
    /// order in which the people were added. A part may have fewer than asked for although more
    /// follow. People are read in pages, each of which is a unit of work of its own.
    pub async fn texts(
        &self,
        actor: &Actor,
        id: CampaignId,
        question_key: &str,
        filter: ContactFilter,
        text: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<TextAnswer>, ServiceError> {
        let mut work = self.begin(actor).await?;
        let campaign = campaign(&mut *work, id).await?;
        drop(work);
        let mut questions = campaign.effective_settings().survey.questions.iter();
        if !questions.any(|question| question.key == question_key) {
            return Err(ServiceError::NotFound { what: "question" });
        }
        let search = Search {
            storage: &*self.storage,
            campaign: &campaign,
            question_key,
            filter: ContactFilter {
                answered: Some(question_key.to_owned()),
                ..checked(filter, &campaign)?
            },
            wanted: text.map(folded),
        };
        let limit = usize::from(page.limit());
        let mut found: Vec<TextAnswer> = Vec::new();
        let mut after = page.after.clone();
        let mut searched = 0;
        let next = loop {
            let (part, read) = search.part(after, limit - found.len()).await?;
            found.extend(part.rows);
            searched += read;
            let is_enough = found.len() >= limit || searched >= MOST_SEARCHED;
            match part.next {
                Some(next) if !is_enough => after = Some(next),
                next => break next,
            }
        };
        Ok(Page { rows: found, next })
    }
}

/// What is wanted of whom.
struct Search<'s> {
    storage: &'s dyn Storage,
    campaign: &'s Campaign,
    question_key: &'s str,
    filter: ContactFilter,
    /// Folded.
    wanted: Option<String>,
}

impl Search<'_> {
    /// Answers of people who come after that place, not more than `at_most`, and how many people were
    /// read for them.
    async fn part(
        &self,
        after: Option<String>,
        at_most: usize,
    ) -> Result<(Page<TextAnswer>, usize), StorageError> {
        let parts = RecordParts {
            interviews: true,
            ..RecordParts::ATTEMPTS
        };
        let people = match self.wanted {
            Some(_) => SEARCHED_AT_ONCE,
            None => u16::try_from(at_most).unwrap_or(u16::MAX),
        };
        let mut request = PageRequest {
            after,
            at_most: people,
        };
        loop {
            let scope = Scope::Company(self.campaign.company_id);
            let mut work = self.storage.begin_reading(scope).await?;
            let read = work
                .contact_records()
                .list(self.campaign, &self.filter, parts, &request)
                .await?;
            drop(work);
            let answers = read.rows.iter().enumerate();
            let answers: Vec<(usize, TextAnswer)> = answers
                .filter_map(|(place, record)| Some((place, self.wanted_of(record)?)))
                .collect();
            let Some(&(place, _)) = answers.get(at_most) else {
                let page = Page {
                    rows: answers.into_iter().map(|(_, answer)| answer).collect(),
                    next: read.next,
                };
                return Ok((page, read.rows.len()));
            };
            // The part ends before the first answer too many. It is read again up to there, for the
            // place at which the next one begins.
            request.at_most = u16::try_from(place).unwrap_or(u16::MAX);
        }
    }

    fn wanted_of(&self, record: &ContactRecord) -> Option<TextAnswer> {
        let language = self.campaign.effective_settings().language;
        let answer = text_answer(record, self.question_key, language)?;
        let wanted = self.wanted.as_deref();
        wanted
            .is_none_or(|wanted| folded(&answer.text).contains(wanted))
            .then_some(answer)
    }
}

fn text_answer(
    record: &ContactRecord,
    question_key: &str,
    default_language: Language,
) -> Option<TextAnswer> {
    let answer = record.answer(question_key)?;
    let Some(AnswerValue::Text(text)) = answer.result.value() else {
        return None;
    };
    Some(TextAnswer {
        id: answer.id,
        task_id: answer.task_id,
        attempt_id: answer.attempt_id,
        text: text.clone(),
        language: record.language(default_language),
        at: answer.at,
    })
}

/// The text without case and accents, which recognisers of speech write now so and now so.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.nfkc().flat_map(char::to_lowercase) {
        match character {
            '\u{2018}' | '\u{2019}' | '\u{2bc}' => folded.push('\''),
            'ß' => folded.push_str("ss"),
            // A letter of its own, unlike ё, which is written as е more often than not.
            'й' => folded.push(character),
            _ => decompose_canonical(character, |part| {
                if !is_combining_mark(part) {
                    folded.push(part);
                }
            }),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_accents_make_no_difference() {
        for (text, wanted) in [
            ("Perché È bello", "perche e"),
            ("perche", "PERCHÉ"),
            ("Cafe\u{301}", "café"),
            ("l\u{2019}Aquila", "l'aquila"),
            ("Ёлка зелёная", "елка зеленая"),
            ("Straße", "STRASSE"),
            ("мой", "МОЙ"),
        ] {
            assert!(folded(text).contains(&folded(wanted)), "{text} {wanted}");
        }
        assert!(!folded("мой").contains(&folded("мои")));
    }
}
