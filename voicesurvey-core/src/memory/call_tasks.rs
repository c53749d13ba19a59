//! Call tasks.

use std::collections::HashSet;
use std::num::NonZeroU16;

use async_trait::async_trait;

use super::ready_list::counted_task;
use super::rows::{Emptying, TaskRow, under, under_after};
use super::table::Transaction;
use super::{MemoryUnitOfWork, conflict, cursor, page_of, require};
use crate::call_task::{CallTask, TaskState};
use crate::campaign::Campaign;
use crate::gate::Reason;
use crate::id::{CallTaskId, CampaignId};
use crate::phone_number::PhoneNumber;
use crate::ports::repositories::CallTaskFilter;
use crate::ports::{CallTaskRepository, Page, PageRequest, StorageError};
use crate::time::Timestamp;

impl Transaction {
    /// Stores a task as it is given, with its counts, and makes it claimable when its time has
    /// come by `now`.
    pub(super) fn put_task(&mut self, task: CallTask, now: Timestamp) {
        let claimable = matches!(task.state, TaskState::Pending { due_at } if due_at <= now);
        let lane = self.lane_of(&task);
        let before = self.get::<TaskRow>(&task.id);
        let was_in = before.filter(|row| row.claimable).map(|row| row.lane);
        let counted_before = before.map(|row| counted_task(&row.task));
        self.recount(task.campaign_id, counted_before, counted_task(&task));
        if let Some(lane) = was_in {
            self.remove_claimable(task.campaign_id, lane);
        }
        if claimable {
            self.add_claimable(task.campaign_id, lane, now);
        }
        let waits = task.state.due_at().is_some();
        let campaign = self.get::<Campaign>(&task.campaign_id);
        if waits
            && campaign
                .is_some_and(|campaign| campaign.status.is_final() || campaign.winding_up.is_some())
        {
            self.put(Emptying {
                company_id: task.company_id,
                campaign_id: task.campaign_id,
            });
        }
        self.put(TaskRow {
            task,
            claimable,
            lane,
        });
    }

    fn has_number(&self, campaign_id: CampaignId, phone_number: PhoneNumber) -> bool {
        self.table::<TaskRow>()
            .index()
            .numbers
            .contains(&(campaign_id, phone_number))
    }
}

#[async_trait]
impl CallTaskRepository for MemoryUnitOfWork {
    async fn insert_many(
        &mut self,
        tasks: &[CallTask],
    ) -> Result<HashSet<CallTaskId>, StorageError> {
        let mut added = HashSet::new();
        for task in tasks {
            self.may_write(task.company_id)?;
            self.transaction
                .require_campaign(task.campaign_id, task.company_id)?;
            if self
                .transaction
                .has_number(task.campaign_id, task.contact.phone_number)
            {
                continue;
            }
            require(
                !self.transaction.has::<TaskRow>(&task.id),
                "the task exists",
            )?;
            self.transaction.put_task(task.clone(), task.created_at);
            added.insert(task.id);
        }
        Ok(added)
    }

    async fn numbers_among(
        &mut self,
        campaign_id: CampaignId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let campaign = self.transaction.get::<Campaign>(&campaign_id);
        if !campaign.is_some_and(|campaign| self.sees(campaign.company_id)) {
            return Ok(HashSet::new());
        }
        let is_there = |number: &&PhoneNumber| self.transaction.has_number(campaign_id, **number);
        Ok(phone_numbers.iter().filter(is_there).copied().collect())
    }

    async fn get(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError> {
        let row = self.transaction.get::<TaskRow>(&id);
        Ok(row
            .filter(|row| self.sees(row.task.company_id))
            .map(|row| row.task.clone()))
    }

    async fn get_for_update(&mut self, id: CallTaskId) -> Result<Option<CallTask>, StorageError> {
        CallTaskRepository::get(self, id).await
    }

    async fn update(&mut self, task: &CallTask) -> Result<(), StorageError> {
        self.may_write(task.company_id)?;
        let stored = self
            .transaction
            .get::<TaskRow>(&task.id)
            .map(|row| &row.task);
        let stored = stored
            .filter(|stored| {
                stored.company_id == task.company_id
                    && stored.campaign_id == task.campaign_id
                    && stored.version == task.version
            })
            .ok_or_else(|| conflict("the task was changed or does not exist"))?;
        let number = task.contact.phone_number;
        require(
            number == stored.contact.phone_number
                || !self.transaction.has_number(task.campaign_id, number),
            "the campaign has the number already",
        )?;
        let task = CallTask {
            version: task.version + 1,
            ..task.clone()
        };
        let now = task.updated_at;
        self.transaction.put_task(task, now);
        Ok(())
    }

    async fn list(
        &mut self,
        filter: &CallTaskFilter,
        page: &PageRequest,
    ) -> Result<Page<CallTask>, StorageError> {
        let after: Option<CallTaskId> = cursor(page)?;
        let tasks = self.transaction.table::<TaskRow>();
        let rows: Box<dyn Iterator<Item = &TaskRow> + Send> = match filter.campaign_id {
            Some(campaign_id) => {
                let ids = under_after(&tasks.index().by_campaign, campaign_id, after);
                Box::new(ids.filter_map(|id| tasks.get(&id)))
            }
            None => Box::new(tasks.after(after)),
        };
        let text = filter.text.as_deref().map(str::to_lowercase);
        let rows = rows.map(|row| &row.task).filter(|task| {
            self.sees(task.company_id)
                && filter
                    .status
                    .is_none_or(|status| task.state.status() == status)
                && text.as_deref().is_none_or(|text| contains(task, text))
        });
        Ok(page_of(rows, page, |task| task.id.to_string()))
    }

    async fn waiting_with_number(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Vec<CallTask>, StorageError> {
        let tasks = self.transaction.table::<TaskRow>();
        let waiting = under(&tasks.index().waiting, *phone_number);
        let rows = waiting.filter_map(|id| tasks.get(&id)).map(|row| &row.task);
        Ok(rows
            .filter(|task| self.sees(task.company_id))
            .cloned()
            .collect())
    }

    async fn cancel_waiting(
        &mut self,
        campaign_id: CampaignId,
        reason: Reason,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<u64, StorageError> {
        let tasks = self.transaction.table::<TaskRow>();
        let rows = under(&tasks.index().by_campaign, campaign_id)
            .filter_map(|id| tasks.get(&id))
            .filter(|row| self.sees(row.task.company_id))
            .filter(|row| row.task.state.due_at().is_some());
        let rows = rows.take(at_most.get().into());
        let waiting: Vec<CallTask> = rows.map(|row| row.task.clone()).collect();
        let cancelled = waiting.len() as u64;
        for task in waiting {
            let task = task.barred(reason, now);
            self.transaction.put_task(
                CallTask {
                    version: task.version + 1,
                    ..task
                },
                now,
            );
        }
        if cancelled < at_most.get().into() {
            self.transaction.remove::<Emptying>(campaign_id);
        }
        Ok(cancelled)
    }
}

/// Whether the name or the number contains this text, which is in lower case.
fn contains(task: &CallTask, text: &str) -> bool {
    let contact = &task.contact;
    contact.name.to_lowercase().contains(text) || contact.phone_number.as_str().contains(text)
}
