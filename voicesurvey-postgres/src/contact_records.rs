//! The records of a campaign's people: one statement per table and page.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _, SelectStatement};
use sqlx::postgres::PgRow;
use uuid::Uuid;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::contact_record::{
    ContactFilter, ContactRecord, QuestionAsked, RecordAssembly, RecordParts,
};
use voicesurvey_core::id::{CallTaskId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{ContactRecordRepository, Page, PageRequest, Scope, StorageError};

use crate::call_attempts::{self, call_attempt};
use crate::call_tasks::{self, call_task};
use crate::interviews::answer_columns;
use crate::interviews::read::{answer, consent, revision, survey_response, turn};
use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema;
use crate::unit_of_work::PostgresUnitOfWork;

/// When the interview began, and without one when the last call was made.
const INTERVIEWED_AT: &str = "COALESCE(
    (SELECT response.started_at FROM survey_responses AS response
     WHERE response.company_id = call_tasks.company_id AND response.task_id = call_tasks.id),
    last_attempt_at)";

/// The language of the latest conversation, without one that of the list, and without that the
/// campaign's.
const LANGUAGE: &str = "COALESCE(
    (SELECT conversation.language FROM call_attempts AS attempt
     JOIN conversations AS conversation
         ON conversation.company_id = attempt.company_id AND conversation.attempt_id = attempt.id
     WHERE attempt.company_id = call_tasks.company_id AND attempt.task_id = call_tasks.id
     ORDER BY attempt.attempt_number DESC LIMIT 1),
    language, $1) = $2";

/// The tasks of a campaign that the filter wants, one page of them.
fn wanted(
    campaign: &Campaign,
    filter: &ContactFilter,
    page: &PageRequest,
) -> Result<SelectStatement, StorageError> {
    let scope = Scope::Company(campaign.company_id);
    let mut list = schema::select(call_tasks::columns!(), "call_tasks", scope);
    list.and_where(Expr::col("campaign_id").eq(campaign.id.as_uuid()));
    for (name, value) in &filter.columns {
        list.and_where(Expr::cust_with_values(
            "extra ->> $1 = $2",
            [name.clone(), value.clone()],
        ));
    }
    if let Some(from) = filter.from {
        list.and_where(Expr::cust(INTERVIEWED_AT).gte(from));
    }
    if let Some(to) = filter.to {
        list.and_where(Expr::cust(INTERVIEWED_AT).lt(to));
    }
    if let Some(language) = filter.language {
        let default: Language = campaign.effective_settings().language;
        list.and_where(Expr::cust_with_values(
            LANGUAGE,
            [default.code(), language.code()],
        ));
    }
    if let Some(outcome) = filter.outcome {
        list.and_where(Expr::col("outcome").eq(outcome.name()));
    }
    if let Some(status) = filter.status {
        list.and_where(Expr::col("status").eq(status.name()));
    }
    for name in &filter.cells {
        list.and_where(match campaign.place_of_cell(name) {
            Some(cell) => {
                Expr::cust_with_values("$1 = ANY (string_to_array(cells, ','))", [cell.to_string()])
            }
            None => Expr::cust("FALSE"),
        });
    }
    if let Some(key) = &filter.answered {
        list.and_where(Expr::cust_with_values(
            "EXISTS (SELECT FROM answers AS answer
                     WHERE answer.company_id = call_tasks.company_id
                         AND answer.task_id = call_tasks.id AND answer.question_key = $1)",
            [key.clone()],
        ));
    }
    page::by_creation(&mut list, "id", Direction::OldestFirst, page)?;
    Ok(list)
}

/// The statement of that table's rows of the tasks `$2`.
macro_rules! of_tasks {
    ($columns:expr, $table:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM ",
            $table,
            " WHERE company_id = $1 AND task_id = ANY ($2) ORDER BY ",
            $order
        )
    };
}

fn asked(row: &PgRow) -> Result<QuestionAsked, StorageError> {
    let row = Reader::new("turns", row);
    Ok(QuestionAsked {
        attempt_id: row.id("attempt_id")?,
        question_key: row.get("question_key")?,
        first_at: row.get("first_at")?,
    })
}

/// The rows of one page, table by table.
struct PageOfRecords {
    company_id: Uuid,
    tasks: Vec<Uuid>,
    attempts: Vec<Uuid>,
}

impl PostgresUnitOfWork {
    async fn rows_of<T>(
        &mut self,
        select: &'static str,
        company_id: Uuid,
        ids: &[Uuid],
        read: impl Fn(&PgRow) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        let select = sqlx::query(select).bind(company_id).bind(ids.to_vec());
        self.rows(select).await?.iter().map(read).collect()
    }

    async fn records_of(
        &mut self,
        company_id: CompanyId,
        tasks: Vec<CallTask>,
        parts: RecordParts,
    ) -> Result<Vec<ContactRecord>, StorageError> {
        let company_id = company_id.as_uuid();
        let ids: Vec<Uuid> = tasks.iter().map(|task| task.id.as_uuid()).collect();
        let select = of_tasks!(
            call_attempts::columns!(),
            "call_attempts",
            "task_id, attempt_number"
        );
        let attempts = self.rows_of(select, company_id, &ids, call_attempt).await?;
        let called = attempts.iter().map(|attempt| attempt.id.as_uuid());
        let page = PageOfRecords {
            company_id,
            tasks: ids,
            attempts: called.collect(),
        };
        let mut assembly = RecordAssembly::new(tasks, attempts);
        if parts.interviews {
            self.read_interviews(&page, &mut assembly).await?;
        }
        self.read_words(&page, parts, &mut assembly).await?;
        if parts.revisions {
            let select = "SELECT revision.*, answer.task_id
                          FROM answers AS answer
                          JOIN answer_revisions AS revision
                              ON revision.company_id = answer.company_id
                              AND revision.answer_id = answer.id
                          WHERE answer.company_id = $1 AND answer.task_id = ANY ($2)
                          ORDER BY revision.answer_id, revision.number";
            let read = |row: &PgRow| {
                let task_id: CallTaskId = Reader::new("answer_revisions", row).id("task_id")?;
                Ok((task_id, revision(row)?))
            };
            let revisions = self.rows_of(select, company_id, &page.tasks, read).await?;
            assembly.revisions(revisions);
        }
        Ok(assembly.finish())
    }

    /// Languages, answers and responses.
    async fn read_interviews(
        &mut self,
        page: &PageOfRecords,
        assembly: &mut RecordAssembly,
    ) -> Result<(), StorageError> {
        let spoken = "SELECT attempt_id, language FROM conversations
                      WHERE company_id = $1 AND attempt_id = ANY ($2)";
        let read = |row: &PgRow| {
            let row = Reader::new("conversations", row);
            Ok((row.id("attempt_id")?, row.parsed("language")?))
        };
        let spoken = self.rows_of(spoken, page.company_id, &page.attempts, read);
        for (attempt_id, language) in spoken.await? {
            assembly.spoke(attempt_id, language);
        }
        let answers = of_tasks!(answer_columns!(), "answers", "task_id, given_at, id");
        let answers = self.rows_of(answers, page.company_id, &page.tasks, answer);
        assembly.answers(answers.await?);
        let responses = of_tasks!(
            "company_id, id, campaign_id, task_id, attempt_id, complete, started_at, ended_at",
            "survey_responses",
            "task_id"
        );
        let responses = self.rows_of(responses, page.company_id, &page.tasks, survey_response);
        assembly.responses(responses.await?);
        Ok(())
    }

    /// What was asked, agreed to and said.
    async fn read_words(
        &mut self,
        page: &PageOfRecords,
        parts: RecordParts,
        assembly: &mut RecordAssembly,
    ) -> Result<(), StorageError> {
        if parts.asked {
            let select = "SELECT attempt_id, question_key,
                              (array_agg(said_at ORDER BY sequence))[1] AS first_at
                          FROM turns
                          WHERE company_id = $1 AND attempt_id = ANY ($2)
                              AND speaker = 'agent' AND question_key IS NOT NULL
                          GROUP BY attempt_id, question_key
                          ORDER BY min(sequence)";
            let questions = self.rows_of(select, page.company_id, &page.attempts, asked);
            assembly.asked(questions.await?);
        }
        if parts.consents {
            let select = "SELECT company_id, attempt_id, task_id, given, text, language, turn_id,
                              given_at, text_version, interpreted_by
                          FROM consents WHERE company_id = $1 AND attempt_id = ANY ($2)";
            let consents = self.rows_of(select, page.company_id, &page.attempts, consent);
            assembly.consents(consents.await?);
        }
        if parts.turns {
            let select = "SELECT company_id, id, attempt_id, sequence, speaker, words, heard_with,
                              interpretation, question_key, said_at
                          FROM turns WHERE company_id = $1 AND attempt_id = ANY ($2)
                          ORDER BY attempt_id, sequence";
            let turns = self.rows_of(select, page.company_id, &page.attempts, turn);
            assembly.turns(turns.await?);
        }
        Ok(())
    }
}

#[async_trait]
impl ContactRecordRepository for PostgresUnitOfWork {
    async fn list(
        &mut self,
        campaign: &Campaign,
        filter: &ContactFilter,
        parts: RecordParts,
        request: &PageRequest,
    ) -> Result<Page<ContactRecord>, StorageError> {
        let list = wanted(campaign, filter, request)?;
        if self.permit(campaign.company_id).is_err() || filter.fits_nobody() {
            return Ok(Page {
                rows: Vec::new(),
                next: None,
            });
        }
        let rows = self.list(&list).await?;
        let tasks = rows.iter().map(call_task).collect::<Result<_, _>>()?;
        let tasks = Page::from_rows(tasks, request.limit(), |task: &CallTask| {
            Place::new(task.created_at, task.id.as_uuid()).cursor()
        });
        Ok(Page {
            rows: self
                .records_of(campaign.company_id, tasks.rows, parts)
                .await?,
            next: tasks.next,
        })
    }

    async fn columns(&mut self, campaign: &Campaign) -> Result<Vec<String>, StorageError> {
        if self.permit(campaign.company_id).is_err() {
            return Ok(Vec::new());
        }
        let select = sqlx::query(
            "SELECT DISTINCT jsonb_object_keys(extra) COLLATE \"C\" AS name FROM call_tasks
             WHERE company_id = $1 AND campaign_id = $2 ORDER BY name",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid());
        let rows = self.rows(select).await?;
        rows.iter()
            .map(|row| Reader::new("call_tasks", row).get("name"))
            .collect()
    }
}
