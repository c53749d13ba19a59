//! The records of a campaign's people: one statement per table and page.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement, SimpleExpr};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::CallTask;
use voicesurvey_core::campaign::Campaign;
use voicesurvey_core::contact_record::{
    ContactFilter, ContactRecord, QuestionAsked, RecordAssembly, RecordParts,
};
use voicesurvey_core::id::{CallAttemptId, CallTaskId, CompanyId};
use voicesurvey_core::language::Language;
use voicesurvey_core::ports::{ContactRecordRepository, Page, PageRequest, Scope, StorageError};

use crate::call_attempts;
use crate::call_tasks;
use crate::interviews::{read_answer, read_consent, read_response, read_revision, read_turn};
use crate::page::{self, Created};
use crate::row::{Row, micros, read_all};
use crate::schema::{
    ANSWER_REVISIONS, ANSWERS, CALL_ATTEMPTS, CALL_TASKS, CONSENTS, CONVERSATIONS,
    SURVEY_RESPONSES, TURNS, Table,
};
use crate::unit_of_work::{SqliteUnitOfWork, built};

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
    language, ?) = ?";

/// The tasks of a campaign that the filter wants, one page of them.
fn wanted(
    campaign: &Campaign,
    filter: &ContactFilter,
    page: &PageRequest,
) -> Result<SelectStatement, StorageError> {
    let mut select = CALL_TASKS.select(Scope::Company(campaign.company_id));
    select.and_where(Expr::col("campaign_id").eq(campaign.id.as_uuid()));
    for (name, value) in &filter.columns {
        // By table: a path would give some characters of a name a meaning of their own.
        select.and_where(Expr::cust_with_values(
            "EXISTS (SELECT 1 FROM json_each(extra) AS entry WHERE entry.key = ? AND entry.value = ?)",
            [name.clone(), value.clone()],
        ));
    }
    if let Some(from) = filter.from {
        select.and_where(Expr::cust(INTERVIEWED_AT).gte(micros(from)));
    }
    if let Some(to) = filter.to {
        select.and_where(Expr::cust(INTERVIEWED_AT).lt(micros(to)));
    }
    if let Some(language) = filter.language {
        let default: Language = campaign.effective_settings().language;
        select.and_where(Expr::cust_with_values(
            LANGUAGE,
            [default.code(), language.code()],
        ));
    }
    if let Some(outcome) = filter.outcome {
        select.and_where(Expr::col("outcome").eq(outcome.name()));
    }
    if let Some(status) = filter.status {
        select.and_where(Expr::col("status").eq(status.name()));
    }
    for name in &filter.cells {
        select.and_where(match campaign.place_of_cell(name) {
            Some(cell) => {
                Expr::cust_with_values("instr(',' || cells || ',', ?) > 0", [format!(",{cell},")])
            }
            None => Expr::cust("FALSE"),
        });
    }
    if let Some(key) = &filter.answered {
        select.and_where(Expr::cust_with_values(
            "EXISTS (SELECT 1 FROM answers AS answer
                     WHERE answer.company_id = call_tasks.company_id
                         AND answer.task_id = call_tasks.id AND answer.question_key = ?)",
            [key.clone()],
        ));
    }
    page::by_creation(&mut select, "id", Order::Asc, page)?;
    Ok(select)
}

/// The people of one page, as the statements about them name them.
struct People<'p> {
    company_id: CompanyId,
    tasks: &'p [CallTask],
}

impl People<'_> {
    fn ids(&self) -> Vec<uuid::Uuid> {
        self.tasks.iter().map(|task| task.id.as_uuid()).collect()
    }

    /// What belongs to their tasks.
    fn of_tasks<const N: usize>(&self, table: &Table<N>) -> SelectStatement {
        let mut select = table.select(Scope::Company(self.company_id));
        select.and_where(Expr::col("task_id").is_in(self.ids()));
        select
    }

    /// What belongs to the attempts of their tasks.
    fn of_attempts<const N: usize>(&self, table: &Table<N>) -> SelectStatement {
        let mut select = table.select(Scope::Company(self.company_id));
        select.and_where(self.in_attempts());
        select
    }

    fn in_attempts(&self) -> SimpleExpr {
        let attempts = Query::select()
            .column("id")
            .from(CALL_ATTEMPTS.name)
            .and_where(Expr::col("company_id").eq(self.company_id.as_uuid()))
            .and_where(Expr::col("task_id").is_in(self.ids()))
            .take();
        Expr::col("attempt_id").in_subquery(attempts)
    }

    /// The first time each question was spoken in each call.
    fn asked(&self) -> SelectStatement {
        Query::select()
            .column("attempt_id")
            .column("question_key")
            .expr_as(Expr::cust("min(sequence)"), "first_turn")
            // Of the row in which the smallest number stands: SQLite's rule for bare columns.
            .column("at")
            .from(TURNS.name)
            .and_where(Expr::col("company_id").eq(self.company_id.as_uuid()))
            .and_where(self.in_attempts())
            .and_where(Expr::cust("speaker = 'agent' AND question_key IS NOT NULL"))
            .group_by_columns(["attempt_id", "question_key"])
            .order_by("first_turn", Order::Asc)
            .take()
    }

    /// The revisions of their answers, with the task of each.
    fn revisions(&self) -> SelectStatement {
        let answer = "(SELECT answer.task_id FROM answers AS answer
                       WHERE answer.company_id = answer_revisions.company_id
                           AND answer.id = answer_revisions.answer_id)";
        let answers = Query::select()
            .column("id")
            .from(ANSWERS.name)
            .and_where(Expr::col("company_id").eq(self.company_id.as_uuid()))
            .and_where(Expr::col("task_id").is_in(self.ids()))
            .take();
        ANSWER_REVISIONS
            .select(Scope::Company(self.company_id))
            .expr_as(Expr::cust(answer), "task_id")
            .and_where(Expr::col("answer_id").in_subquery(answers))
            .order_by("answer_id", Order::Asc)
            .order_by("number", Order::Asc)
            .take()
    }
}

fn read_asked(row: &SqliteRow) -> Result<QuestionAsked, StorageError> {
    let row = Row::new(row, TURNS.name);
    Ok(QuestionAsked {
        attempt_id: row.id("attempt_id")?,
        question_key: row.get("question_key")?,
        first_at: row.instant("at")?,
    })
}

fn read_language(row: &SqliteRow) -> Result<(CallAttemptId, Language), StorageError> {
    let row = Row::new(row, CONVERSATIONS.name);
    Ok((row.id("attempt_id")?, row.word("language")?))
}

impl SqliteUnitOfWork {
    async fn read_rows<T>(
        &mut self,
        select: &SelectStatement,
        read: impl Fn(&SqliteRow) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        read_all(&self.fetch_all(built(select)).await?, read)
    }

    async fn records_of(
        &mut self,
        company_id: CompanyId,
        tasks: Vec<CallTask>,
        parts: RecordParts,
    ) -> Result<Vec<ContactRecord>, StorageError> {
        let people = People {
            company_id,
            tasks: &tasks,
        };
        let attempts = people
            .of_tasks(&CALL_ATTEMPTS)
            .order_by("attempt_number", Order::Asc)
            .take();
        let attempts: Vec<CallAttempt> = self.read_rows(&attempts, call_attempts::read).await?;
        let mut assembly = RecordAssembly::new(tasks.clone(), attempts);
        if parts.interviews {
            let spoken = people.of_attempts(&CONVERSATIONS);
            for (attempt_id, language) in self.read_rows(&spoken, read_language).await? {
                assembly.spoke(attempt_id, language);
            }
            let answers = people
                .of_tasks(&ANSWERS)
                .order_by("at", Order::Asc)
                .order_by("id", Order::Asc)
                .take();
            assembly.answers(self.read_rows(&answers, read_answer).await?);
            let responses = people.of_tasks(&SURVEY_RESPONSES);
            assembly.responses(self.read_rows(&responses, read_response).await?);
        }
        if parts.asked {
            assembly.asked(self.read_rows(&people.asked(), read_asked).await?);
        }
        if parts.consents {
            let consents = people.of_attempts(&CONSENTS);
            assembly.consents(self.read_rows(&consents, read_consent).await?);
        }
        if parts.turns {
            let turns = people
                .of_attempts(&TURNS)
                .order_by("sequence", Order::Asc)
                .take();
            assembly.turns(self.read_rows(&turns, read_turn).await?);
        }
        if parts.revisions {
            let read = |row: &SqliteRow| {
                let task_id: CallTaskId = Row::new(row, ANSWER_REVISIONS.name).id("task_id")?;
                Ok((task_id, read_revision(row)?))
            };
            assembly.revisions(self.read_rows(&people.revisions(), read).await?);
        }
        Ok(assembly.finish())
    }
}

#[async_trait]
impl ContactRecordRepository for SqliteUnitOfWork {
    async fn list(
        &mut self,
        campaign: &Campaign,
        filter: &ContactFilter,
        parts: RecordParts,
        page: &PageRequest,
    ) -> Result<Page<ContactRecord>, StorageError> {
        let select = wanted(campaign, filter, page)?;
        if self.must_cover(campaign.company_id).is_err() {
            return Ok(Page {
                rows: Vec::new(),
                next: None,
            });
        }
        let tasks: Vec<CallTask> = self.read_rows(&select, call_tasks::read).await?;
        let tasks = Page::from_rows(tasks, page.limit(), |task| {
            Created::cursor(task.created_at, task.id.as_uuid())
        });
        Ok(Page {
            rows: self
                .records_of(campaign.company_id, tasks.rows, parts)
                .await?,
            next: tasks.next,
        })
    }

    async fn columns(&mut self, campaign: &Campaign) -> Result<Vec<String>, StorageError> {
        if self.must_cover(campaign.company_id).is_err() {
            return Ok(Vec::new());
        }
        let select = sqlx::query(
            "SELECT DISTINCT entry.key AS name FROM call_tasks, json_each(call_tasks.extra) AS entry
             WHERE call_tasks.company_id = ?1 AND call_tasks.campaign_id = ?2
             ORDER BY entry.key",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.id.as_uuid());
        let rows = self.fetch_all(select).await?;
        read_all(&rows, |row| Row::new(row, CALL_TASKS.name).get("name"))
    }
}

#[cfg(test)]
mod tests {
    use sea_query::SqliteQueryBuilder;
    use voicesurvey_core::testing::samples;

    use super::*;
    use crate::query_plan::{assert_uses, plan};

    #[tokio::test]
    async fn a_page_of_records_is_found_by_indexes() {
        let campaign = samples::campaign(&samples::company());
        let filter = ContactFilter {
            from: Some(samples::now()),
            language: Some(Language::En),
            ..ContactFilter::default()
        };
        let select = wanted(&campaign, &filter, &PageRequest::default()).unwrap();
        let select = select.to_string(SqliteQueryBuilder);
        assert_uses(&select, &["call_tasks_of_campaign"]).await;
        let tasks = samples::tasks(&campaign, 1, 2);
        let people = People {
            company_id: campaign.company_id,
            tasks: &tasks,
        };
        let asked = people.asked().to_string(SqliteQueryBuilder);
        // Only what is left to group is sorted.
        let plan = plan(&asked).await.join("\n");
        assert!(plan.contains("sqlite_autoindex_turns_2"), "{plan}");
    }
}
