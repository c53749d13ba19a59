//! Call tasks: their rows, their lanes and counters, and when each can be claimed.
//!
//! `claimable` is true for a pending task whose due time had come when the row was written. The
//! claim looks at such rows only; [`promote_due`] turns the others claimable when their time comes.
//!
//! [`promote_due`]: voicesurvey_core::ports::TaskQueue::promote_due

mod ending;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::num::NonZeroU16;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, OnConflict, Order, SelectStatement, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_list::Contact;
use voicesurvey_core::call_task::{CallTask, TaskState};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId, UploadId};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::CallTaskFilter;
use voicesurvey_core::ports::{
    CallTaskRepository, CampaignKey, Page, PageRequest, Scope, StorageError,
};
use voicesurvey_core::queue::lane::LaneId;
use voicesurvey_core::time::Timestamp;

use crate::counters::{CountedTask, CounterChanges};
use crate::error::stale;
use crate::page::{self, Created};
use crate::row::{Row, json, micros, read_all};
use crate::schema::CALL_TASKS;
use crate::unit_of_work::{SqliteUnitOfWork, built};

/// Rows of one INSERT: 25 values each, well below SQLite's 32,766 values per statement.
const ROWS_PER_INSERT: usize = 500;

fn key(task: &CallTask) -> CampaignKey {
    CampaignKey {
        company_id: task.company_id,
        campaign_id: task.campaign_id,
    }
}

fn is_claimable(task: &CallTask, now: Timestamp) -> bool {
    matches!(task.state, TaskState::Pending { due_at } if due_at <= now)
}

fn values(task: &CallTask) -> Result<[Value; 25], StorageError> {
    Ok([
        task.company_id.as_uuid().into(),
        task.id.as_uuid().into(),
        task.campaign_id.as_uuid().into(),
        task.upload_id.map(UploadId::as_uuid).into(),
        task.contact.phone_number.as_str().into(),
        task.contact.name.clone().into(),
        task.contact.name.to_lowercase().into(),
        task.contact
            .language
            .map(|language| language.code().to_owned())
            .into(),
        json(&task.contact.time_zones)?.into(),
        task.contact.priority.into(),
        json(&task.contact.extra)?.into(),
        task.state.status().name().into(),
        task.state.due_at().map(micros).into(),
        task.state.attempt_id().map(CallAttemptId::as_uuid).into(),
        is_claimable(task, task.created_at).into(),
        task.attempts_count.into(),
        task.attempts_spent.into(),
        task.last_attempt_at.map(micros).into(),
        task.outcome.map(|outcome| outcome.name().to_owned()).into(),
        task.reason.map(|reason| reason.name().to_owned()).into(),
        micros(task.created_at).into(),
        micros(task.updated_at).into(),
        task.version.into(),
        task.lane().id().to_bits().into(),
        task.cells.to_string().into(),
    ])
}

/// As what the task is counted when it is written at `now`.
fn counted(task: &CallTask, lane: LaneId, now: Timestamp) -> CountedTask {
    CountedTask {
        status: task.state.status(),
        reason: task.reason,
        cells: task.cells.clone(),
        claimable_in: is_claimable(task, now).then_some(lane),
    }
}

/// As what a stored task is counted.
pub(crate) fn read_counted(row: &Row<'_>) -> Result<CountedTask, StorageError> {
    let claimable: bool = row.get("claimable")?;
    let lane = row.get("lane_id").map(LaneId::from_bits)?;
    Ok(CountedTask {
        status: row.word("status")?,
        reason: row.optional_word("reason")?,
        cells: row.parsed("cells")?,
        claimable_in: claimable.then_some(lane),
    })
}

pub(crate) fn read(row: &SqliteRow) -> Result<CallTask, StorageError> {
    let row = Row::new(row, CALL_TASKS.name);
    Ok(CallTask {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        upload_id: row.optional_id("upload_id")?,
        contact: Contact {
            phone_number: row.word("phone_number")?,
            name: row.get("name")?,
            language: row.optional_word("language")?,
            time_zones: row.document("time_zones")?,
            priority: row.get("priority")?,
            extra: row.document("extra")?,
        },
        cells: row.parsed("cells")?,
        state: TaskState::from_parts(
            row.word("status")?,
            row.optional_instant("due_at")?,
            row.optional_id("attempt_id")?,
        )
        .ok_or_else(|| row.corrupt("status: does not go with due time and attempt"))?,
        attempts_count: row.get("attempts_count")?,
        attempts_spent: row.get("attempts_spent")?,
        last_attempt_at: row.optional_instant("last_attempt_at")?,
        outcome: row.optional_word("outcome")?,
        reason: row.optional_word("reason")?,
        created_at: row.instant("created_at")?,
        updated_at: row.instant("updated_at")?,
        version: row.get("version")?,
    })
}

/// The tasks of a list, in the order of their creation.
fn listed(
    scope: Scope,
    filter: &CallTaskFilter,
    page: &PageRequest,
) -> Result<SelectStatement, StorageError> {
    let mut select = CALL_TASKS.select(scope);
    if let Some(campaign_id) = filter.campaign_id {
        select.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
    }
    if let Some(status) = filter.status {
        select.and_where(Expr::col("status").eq(status.name()));
    }
    if let Some(text) = &filter.text {
        let text = text.to_lowercase();
        select.and_where(Expr::cust_with_values(
            "(instr(name_folded, ?) > 0 OR instr(phone_number, ?) > 0)",
            [text.clone(), text],
        ));
    }
    page::by_creation(&mut select, "id", Order::Asc, page)?;
    Ok(select)
}

/// The waiting tasks with that number.
fn waiting_with(scope: Scope, phone_number: &PhoneNumber) -> SelectStatement {
    CALL_TASKS
        .select(scope)
        .and_where(Expr::col("phone_number").eq(phone_number.as_str()))
        .and_where(Expr::cust("due_at IS NOT NULL"))
        .order_by("id", Order::Asc)
        .take()
}

impl SqliteUnitOfWork {
    /// Writes a task over the row of version `read_version`, as version `task.version`.
    pub(crate) async fn write_task(
        &mut self,
        task: &CallTask,
        read_version: u32,
    ) -> Result<(), StorageError> {
        let (before, lane_before) = self
            .counted_as(task.company_id, task.id, read_version)
            .await?;
        let lane_key = task.lane();
        let lane = lane_key.id();
        if lane != lane_before {
            self.put_lane(key(task), lane, &lane_key).await?;
        }
        let update = sqlx::query(
            "UPDATE call_tasks
             SET upload_id = ?3, phone_number = ?4, name = ?5, name_folded = ?6, language = ?7,
                 time_zones = ?8, priority = ?9, extra = ?10, status = ?11, due_at = ?12,
                 attempt_id = ?13, claimable = ?14, attempts_count = ?15, attempts_spent = ?16,
                 last_attempt_at = ?17, outcome = ?18, reason = ?19, updated_at = ?20, version = ?21,
                 lane_id = ?22, cells = ?23
             WHERE company_id = ?1 AND id = ?2",
        )
        .bind(task.company_id.as_uuid())
        .bind(task.id.as_uuid())
        .bind(task.upload_id.map(UploadId::as_uuid))
        .bind(task.contact.phone_number.as_str().to_owned())
        .bind(task.contact.name.clone())
        .bind(task.contact.name.to_lowercase())
        .bind(task.contact.language.map(Language::code))
        .bind(json(&task.contact.time_zones)?)
        .bind(task.contact.priority)
        .bind(json(&task.contact.extra)?)
        .bind(task.state.status().name())
        .bind(task.state.due_at().map(micros))
        .bind(task.state.attempt_id().map(CallAttemptId::as_uuid))
        .bind(is_claimable(task, task.updated_at))
        .bind(task.attempts_count)
        .bind(task.attempts_spent)
        .bind(task.last_attempt_at.map(micros))
        .bind(task.outcome.map(Outcome::name))
        .bind(task.reason.map(Reason::name))
        .bind(micros(task.updated_at))
        .bind(task.version)
        .bind(lane.to_bits())
        .bind(task.cells.to_string());
        self.execute(update).await?;
        let mut changes = CounterChanges::default();
        changes.tasks(key(task), &before, -1);
        let after = counted(task, lane, task.updated_at);
        changes.tasks(key(task), &after, 1);
        self.count(changes).await
    }

    /// As what the stored task is counted, and its lane. A conflict unless it has that version.
    async fn counted_as(
        &mut self,
        company_id: CompanyId,
        id: CallTaskId,
        version: u32,
    ) -> Result<(CountedTask, LaneId), StorageError> {
        let stored = sqlx::query(
            "SELECT status, reason, cells, claimable, lane_id FROM call_tasks
             WHERE company_id = ?1 AND id = ?2 AND version = ?3",
        )
        .bind(company_id.as_uuid())
        .bind(id.as_uuid())
        .bind(version);
        let stored = self
            .fetch_optional(stored)
            .await?
            .ok_or_else(|| stale(CALL_TASKS.name))?;
        let row = Row::new(&stored, CALL_TASKS.name);
        let lane = row.get("lane_id").map(LaneId::from_bits)?;
        Ok((read_counted(&row)?, lane))
    }

    /// Counts tasks that were added, and wakes their lanes if they are claimable.
    async fn enter_lanes(&mut self, tasks: &[&CallTask]) -> Result<(), StorageError> {
        let mut changes = CounterChanges::default();
        let mut lanes = BTreeMap::new();
        for &task in tasks {
            let lane_key = task.lane();
            let lane = lane_key.id();
            let place = (task.company_id, task.campaign_id, lane);
            if let Entry::Vacant(entry) = lanes.entry(place) {
                self.put_lane(key(task), lane, &lane_key).await?;
                entry.insert(None);
            }
            let counted = counted(task, lane, task.created_at);
            changes.tasks(key(task), &counted, 1);
            if counted.claimable_in.is_some()
                && let Some(wake_at) = lanes.get_mut(&place)
            {
                *wake_at =
                    Some(wake_at.map_or(task.created_at, |at| Ord::min(task.created_at, at)));
            }
        }
        self.count(changes).await?;
        for ((company_id, campaign_id, lane), wake_at) in lanes {
            let campaign = CampaignKey {
                company_id,
                campaign_id,
            };
            if let Some(at) = wake_at {
                self.wake_lane(campaign, lane, at).await?;
            }
        }
        Ok(())
    }

    /// Inserts a part of a call list and returns the identifiers of the tasks that were added.
    async fn insert_tasks(
        &mut self,
        tasks: &[CallTask],
    ) -> Result<HashSet<CallTaskId>, StorageError> {
        let rows = tasks.iter().map(values).collect::<Result<Vec<_>, _>>()?;
        let mut insert = CALL_TASKS.insert(rows);
        insert
            .on_conflict(
                OnConflict::columns(["company_id", "campaign_id", "phone_number"])
                    .do_nothing()
                    .to_owned(),
            )
            .returning_col("id");
        let added = self.fetch_all(built(&insert)).await?;
        added
            .iter()
            .map(|row| Row::new(row, CALL_TASKS.name).id("id"))
            .collect()
    }
}

#[async_trait]
impl CallTaskRepository for SqliteUnitOfWork {
    async fn insert_many(
        &mut self,
        tasks: &[CallTask],
    ) -> Result<HashSet<CallTaskId>, StorageError> {
        for task in tasks {
            self.must_cover(task.company_id)?;
        }
        let mut added = HashSet::with_capacity(tasks.len());
        for part in tasks.chunks(ROWS_PER_INSERT) {
            added.extend(self.insert_tasks(part).await?);
        }
        let tasks = tasks.iter().filter(|task| added.contains(&task.id));
        let tasks: Vec<&CallTask> = tasks.collect();
        self.enter_lanes(&tasks).await?;
        Ok(added)
    }

    async fn numbers_among(
        &mut self,
        campaign_id: CampaignId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let Some(campaign) = self.campaign_key(campaign_id).await? else {
            return Ok(HashSet::new());
        };
        // One JSON array is one bound value, however many numbers there are.
        let select = sqlx::query(
            "SELECT phone_number FROM call_tasks
             WHERE company_id = ?1 AND campaign_id = ?2
                 AND phone_number IN (SELECT value FROM json_each(?3))",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign.campaign_id.as_uuid())
        .bind(json(&phone_numbers)?);
        let rows = self.fetch_all(select).await?;
        rows.iter()
            .map(|row| Row::new(row, CALL_TASKS.name).word("phone_number"))
            .collect()
    }

    async fn get(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError> {
        let mut select = CALL_TASKS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn get_for_update(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError> {
        CallTaskRepository::get(self, id).await
    }

    async fn update(&mut self, task: &CallTask) -> Result<(), StorageError> {
        self.must_cover(task.company_id)?;
        let next = CallTask {
            version: task.version.saturating_add(1),
            ..task.clone()
        };
        self.write_task(&next, task.version).await?;
        if is_claimable(task, task.updated_at) {
            self.wake_lane(key(task), task.lane().id(), task.updated_at)
                .await?;
        }
        Ok(())
    }

    async fn list(
        &mut self,
        filter: &CallTaskFilter,
        page: &PageRequest,
    ) -> Result<Page<CallTask>, StorageError> {
        let select = listed(self.scope, filter, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |task| {
            Created::cursor(task.created_at, task.id.as_uuid())
        }))
    }

    async fn waiting_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError> {
        let select = waiting_with(self.scope, phone_number);
        read_all(&self.fetch_all(built(&select)).await?, read)
    }

    async fn cancel_waiting(
        &mut self,
        campaign_id: CampaignId,
        reason: Reason,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        match self.campaign_key(campaign_id).await? {
            Some(campaign) => self.end_waiting(campaign, reason, now, at_most).await,
            None => Ok(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use sea_query::SqliteQueryBuilder;
    use voicesurvey_core::call_task::TaskStatus;
    use voicesurvey_core::testing::samples;

    use super::*;
    use crate::query_plan::assert_uses;

    async fn assert_selects(select: &SelectStatement, index: &str) {
        assert_uses(&select.to_string(SqliteQueryBuilder), &[index]).await;
    }

    #[tokio::test]
    async fn a_page_of_a_campaign_is_read_in_its_order_from_an_index() {
        let company = samples::company();
        let campaign = samples::campaign(&company);
        let scope = Scope::Company(company.id);
        let after = Created::cursor(campaign.created_at, campaign.id.as_uuid());
        let page = PageRequest::after(after, 50);
        let mut filter = CallTaskFilter {
            campaign_id: Some(campaign.id),
            ..CallTaskFilter::default()
        };
        let all = listed(scope, &filter, &page).unwrap();
        assert_selects(&all, "call_tasks_of_campaign").await;
        filter.status = Some(TaskStatus::Retry);
        let some = listed(scope, &filter, &page).unwrap();
        assert_selects(&some, "call_tasks_by_status").await;
    }

    #[tokio::test]
    async fn the_waiting_tasks_of_a_number_are_found_by_the_number() {
        let scope = Scope::Company(samples::company().id);
        let select = waiting_with(scope, &samples::phone_number(1));
        assert_selects(&select, "call_tasks_waiting_by_number").await;
    }
}
