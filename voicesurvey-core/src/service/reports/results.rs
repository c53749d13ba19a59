//! What the answers of a campaign add up to, its rates, and the words of free-text answers.

use super::{Reports, campaign};
use crate::api_key::Actor;
use crate::contact_record::{ContactFilter, ContactRecord, RecordParts};
use crate::id::{AnswerId, CallAttemptId, CallTaskId, CampaignId};
use crate::language::Language;
use crate::ports::{Page, PageRequest};
use crate::rates::{Case, Dispositions, Eligibility, Rates};
use crate::results::{Breakdown, BreakdownError, Results, Tally};
use crate::service::error::ServiceError;
use crate::survey::AnswerValue;
use crate::time::Timestamp;

/// So many people are looked at for one part of a list of texts; then it ends early.
const MOST_SEARCHED: usize = 10_000;

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

fn breakdown_error(error: &BreakdownError) -> ServiceError {
    ServiceError::invalid("by", error.to_string())
}

impl Reports {
    /// What the answers of those whom the filter wants add up to, question by question, and the same
    /// for each of the groups that `by` tells apart. What is wrong with `by` is told under that name.
    ///
    /// Reads every record: it takes longer the more people there are, and its memory stays the same.
    pub async fn results(
        &self,
        actor: &Actor,
        id: CampaignId,
        filter: ContactFilter,
        by: Option<&Breakdown>,
    ) -> Result<Results, ServiceError> {
        let mut records = self
            .records(actor, id, filter, RecordParts::RESULTS)
            .await?;
        let settings = records.campaign().effective_settings().clone();
        let questions = &settings.survey.questions;
        let mut tally = Tally::new(questions, settings.language, by)
            .map_err(|error| breakdown_error(&error))?;
        while let Some(page) = records.next().await? {
            for record in &page {
                tally.add(record).map_err(|error| breakdown_error(&error))?;
            }
        }
        Ok(tally.finish())
    }

    /// The rates of those whom the filter wants. While the campaign runs, a case that is open counts
    /// with what is known so far.
    pub async fn rates(
        &self,
        actor: &Actor,
        id: CampaignId,
        filter: ContactFilter,
        eligibility: Eligibility,
    ) -> Result<Rates, ServiceError> {
        let parts = RecordParts::ATTEMPTS;
        let mut records = self.records(actor, id, filter, parts).await?;
        let mut dispositions = Dispositions::default();
        while let Some(page) = records.next().await? {
            for record in &page {
                dispositions.add(Case::of(record));
            }
        }
        Ok(Rates::of(dispositions, eligibility))
    }

    /// The answers to a free-text question that contain `text`, in any case, in the order in which
    /// the people were added. A part may have fewer than asked for although more follow.
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
        let settings = campaign.effective_settings();
        let questions = &settings.survey.questions;
        if !questions
            .iter()
            .any(|question| question.key == question_key)
        {
            return Err(ServiceError::NotFound { what: "question" });
        }
        let filter = ContactFilter {
            answered: Some(question_key.to_owned()),
            ..filter
        };
        let parts = RecordParts {
            interviews: true,
            ..RecordParts::ATTEMPTS
        };
        let wanted = text.map(str::to_lowercase);
        let mut found = Vec::new();
        let mut request = page.clone();
        let mut searched = 0;
        let next = loop {
            let missing = usize::from(page.limit()) - found.len();
            // Nobody has two answers, so what is read is never more than fits.
            request.at_most = u16::try_from(missing).unwrap_or(u16::MAX);
            let records = work.contact_records();
            let some = records.list(&campaign, &filter, parts, &request).await?;
            searched += some.rows.len();
            let texts = some
                .rows
                .iter()
                .filter_map(|record| text_answer(record, question_key, settings.language));
            found.extend(texts.filter(|answer| {
                let wanted = wanted.as_ref();
                wanted.is_none_or(|wanted| answer.text.to_lowercase().contains(wanted.as_str()))
            }));
            let Some(next) = some.next else { break None };
            if found.len() == usize::from(page.limit()) || searched >= MOST_SEARCHED {
                break Some(next);
            }
            request.after = Some(next);
        };
        Ok(Page { rows: found, next })
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
