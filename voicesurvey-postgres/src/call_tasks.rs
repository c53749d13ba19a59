//! Call tasks. Every write moves the counters and wakes the ready list.

mod ending;
mod finding;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU16;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use uuid::Uuid;
use voicesurvey_core::call_list::Contact;
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::id::{CallAttemptId, CallTaskId, CampaignId, UploadId};
use voicesurvey_core::language::Language;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::repositories::CallTaskFilter;
use voicesurvey_core::ports::{CallTaskRepository, Page, PageRequest, StorageError};
use voicesurvey_core::queue::lane::{LaneId, LaneKey};
use voicesurvey_core::time::Timestamp;
use voicesurvey_core::time_zone::TimeZone;

use crate::counters::CountedTask;
use crate::error::{all_written, foreign_company, written};
use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

/// Tasks added by one statement: enough for cheap round trips, few enough for small arguments.
const TASKS_PER_STATEMENT: usize = 5_000;

const CHANGED_MEANWHILE: &str = "the task was changed meanwhile";

macro_rules! columns {
    () => {
        "company_id, id, campaign_id, upload_id, phone_number, name, language, time_zones, \
         priority, extra, status, due_at, attempt_id, attempts_count, attempts_spent, \
         last_attempt_at, outcome, reason, created_at, updated_at, version, cells"
    };
}

pub(crate) use columns;

pub(crate) fn call_task(row: &PgRow) -> Result<CallTask, StorageError> {
    let row = Reader::new("call_tasks", row);
    let status: TaskStatus = row.parsed("status")?;
    let state = TaskState::from_parts(
        status,
        row.instant("due_at")?,
        row.optional_id("attempt_id")?,
    );
    let zones: Vec<String> = row.get("time_zones")?;
    let zones: Result<Vec<TimeZone>, _> = zones.iter().map(|zone| zone.parse()).collect();
    Ok(CallTask {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        campaign_id: row.id("campaign_id")?,
        upload_id: row.optional_id("upload_id")?,
        contact: Contact {
            phone_number: row.parsed("phone_number")?,
            name: row.get("name")?,
            language: row.optional_parsed("language")?,
            time_zones: zones.map_err(|error| row.corrupt(&error))?,
            priority: row.get("priority")?,
            extra: row.document("extra")?,
        },
        cells: row.parsed("cells")?,
        state: state.ok_or_else(|| row.corrupt(&format!("the columns contradict {status}")))?,
        attempts_count: row.number("attempts_count")?,
        attempts_spent: row.number("attempts_spent")?,
        last_attempt_at: row.instant("last_attempt_at")?,
        outcome: row.optional_parsed("outcome")?,
        reason: row.optional_named("reason", Reason::from_name)?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        version: row.number("version")?,
    })
}

/// As what a row was counted before a statement changed it, by the columns `old_status`,
/// `old_reason` and `old_cells`.
pub(crate) fn old_state(row: &PgRow) -> Result<CountedTask, StorageError> {
    let row = Reader::new("call_tasks", row);
    Ok(CountedTask {
        status: row.parsed("old_status")?,
        reason: row.optional_named("old_reason", Reason::from_name)?,
        cells: row.parsed("old_cells")?,
    })
}

/// One array per column.
fn all<T>(tasks: &[CallTask], column: impl Fn(&CallTask) -> T) -> Vec<T> {
    tasks.iter().map(column).collect()
}

/// Whether the task can be claimed as soon as it is written.
fn is_claimable(task: &CallTask) -> bool {
    matches!(task.state, TaskState::Pending { due_at } if due_at <= task.updated_at)
}

impl PostgresUnitOfWork {
    /// Adds some tasks, and returns the identifiers of those whose number is new.
    async fn insert_tasks(
        &mut self,
        tasks: &[CallTask],
        lanes: &[LaneId],
    ) -> Result<HashSet<CallTaskId>, StorageError> {
        let insert = sqlx::query(include_str!("sql/insert_tasks.sql"))
            .bind(all(tasks, |task| task.company_id.as_uuid()))
            .bind(all(tasks, |task| task.id.as_uuid()))
            .bind(all(tasks, |task| task.campaign_id.as_uuid()))
            .bind(all(tasks, |task| task.upload_id.map(UploadId::as_uuid)))
            .bind(all(tasks, |task| task.contact.phone_number.to_string()))
            .bind(all(tasks, |task| task.contact.name.clone()))
            .bind(all(tasks, |task| task.contact.language.map(Language::code)))
            .bind(all(tasks, |task| {
                zone_names(&task.contact.time_zones).join(",")
            }))
            .bind(all(tasks, |task| task.contact.priority))
            .bind(all(tasks, |task| Json(task.contact.extra.clone())))
            .bind(all(tasks, |task| task.state.status().name()))
            .bind(all(tasks, |task| task.state.due_at()))
            .bind(all(tasks, |task| {
                task.state.attempt_id().map(CallAttemptId::as_uuid)
            }))
            .bind(lanes.iter().map(|id| id.to_bits()).collect::<Vec<_>>())
            .bind(all(tasks, is_claimable))
            .bind(all(tasks, |task| i64::from(task.attempts_count)))
            .bind(all(tasks, |task| i64::from(task.attempts_spent)))
            .bind(all(tasks, |task| task.last_attempt_at))
            .bind(all(tasks, |task| task.outcome.map(Outcome::name)))
            .bind(all(tasks, |task| task.reason.map(Reason::name)))
            .bind(all(tasks, |task| task.created_at))
            .bind(all(tasks, |task| task.updated_at))
            .bind(all(tasks, |task| i64::from(task.version)))
            .bind(all(tasks, |task| task.cells.to_string()));
        let rows = self.rows(insert).await?;
        rows.iter()
            .map(|row| Reader::new("call_tasks", row).id("id"))
            .collect()
    }

    /// Changes tasks by one statement. What was written is counted even when the others are a
    /// conflict.
    async fn update_tasks(&mut self, tasks: &[CallTask]) -> Result<(), StorageError> {
        for task in tasks {
            self.permit(task.company_id)?;
        }
        let lanes = all(tasks, |task| task.lane().id());
        let update = sqlx::query(include_str!("sql/update_tasks.sql"))
            .bind(all(tasks, |task| task.company_id.as_uuid()))
            .bind(all(tasks, |task| task.id.as_uuid()))
            .bind(all(tasks, |task| i64::from(task.version)))
            .bind(all(tasks, |task| task.contact.name.clone()))
            .bind(all(tasks, |task| task.contact.language.map(Language::code)))
            .bind(all(tasks, |task| {
                zone_names(&task.contact.time_zones).join(",")
            }))
            .bind(all(tasks, |task| task.contact.priority))
            .bind(all(tasks, |task| Json(task.contact.extra.clone())))
            .bind(all(tasks, |task| task.state.status().name()))
            .bind(all(tasks, |task| task.state.due_at()))
            .bind(all(tasks, |task| {
                task.state.attempt_id().map(CallAttemptId::as_uuid)
            }))
            .bind(lanes.iter().map(|id| id.to_bits()).collect::<Vec<_>>())
            .bind(all(tasks, is_claimable))
            .bind(all(tasks, |task| i64::from(task.attempts_count)))
            .bind(all(tasks, |task| i64::from(task.attempts_spent)))
            .bind(all(tasks, |task| task.last_attempt_at))
            .bind(all(tasks, |task| task.outcome.map(Outcome::name)))
            .bind(all(tasks, |task| task.reason.map(Reason::name)))
            .bind(all(tasks, |task| task.updated_at))
            .bind(all(tasks, |task| task.cells.to_string()));
        let rows = self.rows(update).await?;
        let by_id: HashMap<_, _> = tasks
            .iter()
            .zip(lanes)
            .map(|(task, lane)| (task.id, (task, lane)))
            .collect();
        for row in &rows {
            let id: CallTaskId = Reader::new("call_tasks", row).id("id")?;
            if let Some(&(task, lane)) = by_id.get(&id) {
                self.count_changed(task, lane, row)?;
            }
        }
        all_written(rows.len(), tasks.len(), CHANGED_MEANWHILE)
    }

    /// Moves counters, lanes and ready list after a task was added.
    fn count_added(&mut self, task: &CallTask, lane: LaneId) {
        let campaign = (task.company_id, task.campaign_id);
        self.counters.tasks(campaign, &CountedTask::of(task), 1);
        self.lanes.make(campaign, lane, || task.lane());
        if let Some(due_at) = task.state.due_at().filter(|_| is_claimable(task)) {
            let place = (due_at, task.id);
            self.lanes.add(campaign, lane, place, task.updated_at);
            self.ready_list.tasks_are_due(campaign, task.updated_at);
        }
    }

    /// Moves counters, lanes and ready list after a task was changed; `row` tells what it was before.
    fn count_changed(
        &mut self,
        task: &CallTask,
        lane: LaneId,
        row: &PgRow,
    ) -> Result<(), StorageError> {
        let before = old_state(row)?;
        let row = Reader::new("call_tasks", row);
        let old_lane = LaneId::from_bits(row.get("old_lane_id")?);
        let campaign = (task.company_id, task.campaign_id);
        self.counters.tasks(campaign, &before, -1);
        self.counters.tasks(campaign, &CountedTask::of(task), 1);
        if lane != old_lane {
            self.lanes.make(campaign, lane, || task.lane());
        }
        if row.get("was_claimable")? {
            self.lanes.remove(campaign, old_lane, 1);
        }
        if let Some(due_at) = task.state.due_at().filter(|_| is_claimable(task)) {
            let place = (due_at, task.id);
            self.lanes.add(campaign, lane, place, task.updated_at);
            self.ready_list.tasks_are_due(campaign, task.updated_at);
        }
        Ok(())
    }
}

pub(crate) fn zone_names(zones: &[TimeZone]) -> Vec<&'static str> {
    zones.iter().map(|zone| zone.name()).collect()
}

#[async_trait]
impl CallTaskRepository for PostgresUnitOfWork {
    async fn insert_many(
        &mut self,
        tasks: &[CallTask],
    ) -> Result<HashSet<CallTaskId>, StorageError> {
        let Some(first) = tasks.first() else {
            return Ok(HashSet::new());
        };
        self.permit(first.company_id)?;
        if tasks.iter().any(|task| task.company_id != first.company_id) {
            return Err(foreign_company());
        }
        let mut added = HashSet::with_capacity(tasks.len());
        let mut known: HashMap<LaneKey, LaneId> = HashMap::new();
        for some in tasks.chunks(TASKS_PER_STATEMENT) {
            let lanes = some.iter().map(|task| {
                let key = task.lane();
                *known.entry(key).or_insert_with_key(LaneKey::id)
            });
            let lanes: Vec<LaneId> = lanes.collect();
            let new = self.insert_tasks(some, &lanes).await?;
            for (task, &lane) in some.iter().zip(&lanes) {
                if new.contains(&task.id) {
                    self.count_added(task, lane);
                }
            }
            added.extend(new);
        }
        Ok(added)
    }

    async fn numbers_among(
        &mut self,
        campaign_id: CampaignId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        self.numbers_in(campaign_id, phone_numbers).await
    }

    async fn get(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM call_tasks WHERE company_id = $1 AND id = $2"
        );
        let row = self
            .find(company_of!("call_tasks"), select, id.as_uuid())
            .await?;
        row.as_ref().map(call_task).transpose()
    }

    async fn get_for_update(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM call_tasks
             WHERE company_id = $1 AND id = $2 FOR NO KEY UPDATE"
        );
        let row = self
            .find(company_of!("call_tasks"), select, id.as_uuid())
            .await?;
        row.as_ref().map(call_task).transpose()
    }

    async fn get_many_for_update(
        &mut self,
        ids: &[CallTaskId],
    ) -> Result<Vec<CallTask>, StorageError> {
        let select = concat!(
            "SELECT task.*
             FROM UNNEST($2::uuid[]) WITH ORDINALITY AS named (id, place)
             CROSS JOIN LATERAL (
                 SELECT ",
            columns!(),
            "    FROM call_tasks
                 WHERE company_id = $1 AND id = named.id
                 LIMIT 1
                 FOR NO KEY UPDATE
             ) AS task
             ORDER BY named.place"
        );
        let ids: Vec<Uuid> = ids.iter().map(|id| id.as_uuid()).collect();
        let rows = self
            .find_many(company_of!("call_tasks"), select, &ids)
            .await?;
        rows.iter().map(call_task).collect()
    }

    async fn update(&mut self, task: &CallTask) -> Result<(), StorageError> {
        self.permit(task.company_id)?;
        let lane = task.lane().id();
        let update = sqlx::query(include_str!("sql/update_task.sql"))
            .bind(task.company_id.as_uuid())
            .bind(task.id.as_uuid())
            .bind(i64::from(task.version))
            .bind(task.contact.name.clone())
            .bind(task.contact.language.map(Language::code))
            .bind(zone_names(&task.contact.time_zones))
            .bind(task.contact.priority)
            .bind(Json(task.contact.extra.clone()))
            .bind(task.state.status().name())
            .bind(task.state.due_at())
            .bind(task.state.attempt_id().map(CallAttemptId::as_uuid))
            .bind(lane.to_bits())
            .bind(is_claimable(task))
            .bind(i64::from(task.attempts_count))
            .bind(i64::from(task.attempts_spent))
            .bind(task.last_attempt_at)
            .bind(task.outcome.map(Outcome::name))
            .bind(task.reason.map(Reason::name))
            .bind(task.updated_at)
            .bind(task.cells.to_string());
        match self.row(update).await? {
            Some(row) => self.count_changed(task, lane, &row),
            None => written(0, CHANGED_MEANWHILE),
        }
    }

    async fn update_many(&mut self, tasks: &[CallTask]) -> Result<(), StorageError> {
        match tasks {
            [] => Ok(()),
            [one] => self.update(one).await,
            several => self.update_tasks(several).await,
        }
    }

    async fn list(
        &mut self,
        filter: &CallTaskFilter,
        request: &PageRequest,
    ) -> Result<Page<CallTask>, StorageError> {
        let mut list = schema::select(columns!(), "call_tasks", self.scope);
        if let Some(campaign_id) = filter.campaign_id {
            list.and_where(Expr::col("campaign_id").eq(campaign_id.as_uuid()));
        }
        if let Some(status) = filter.status {
            list.and_where(Expr::col("status").eq(status.name()));
        }
        if let Some(text) = &filter.text {
            // PostgreSQL keeps no zero byte, so no text contains one, and it would refuse to look.
            if text.contains('\0') {
                return Ok(Page {
                    rows: Vec::new(),
                    next: None,
                });
            }
            list.and_where(finding::name_or_number_contains(text));
        }
        page::by_creation(&mut list, "id", Direction::OldestFirst, request)?;
        let rows = self.list(&list).await?;
        let tasks = rows.iter().map(call_task).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            tasks,
            request.limit(),
            |task: &CallTask| Place::new(task.created_at, task.id.as_uuid()).cursor(),
        ))
    }

    async fn waiting_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError> {
        let mut list = schema::select(columns!(), "call_tasks", self.scope);
        list.and_where(Expr::col("phone_number").eq(phone_number.as_str()))
            // Written out, because a partial index is not used for a bound value.
            .and_where(Expr::cust("status IN ('pending', 'retry')"))
            .order_by("id", sea_query::Order::Asc)
            .lock(sea_query::LockType::NoKeyUpdate);
        self.list(&list).await?.iter().map(call_task).collect()
    }

    async fn exclude_waiting(
        &mut self,
        phone_numbers: &[PhoneNumber],
        now: Timestamp,
    ) -> Result<u64, StorageError> {
        self.exclude_tasks(phone_numbers, now).await
    }

    async fn cancel_waiting(
        &mut self,
        campaign_id: CampaignId,
        reason: Reason,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        self.cancel_tasks(campaign_id, reason, now, at_most).await
    }
}
