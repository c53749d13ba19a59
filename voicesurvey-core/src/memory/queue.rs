//! The dispatcher's side: the rows that the claim needs, and what the scheduler looks after.

#[cfg(feature = "planted-bugs")]
mod counted_before;

use std::num::NonZeroU16;

use async_trait::async_trait;

use super::ready_list::AT_ONCE;
use super::rows::{
    CampaignLevel, CompanyLevel, Emptying, LaneRow, ProviderLevel, TaskRow, first_id,
};
use super::table::Transaction;
use super::{MemoryStorage, MemoryUnitOfWork};
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, TaskState};
use crate::campaign::{Campaign, Pacing};
use crate::gate::ContactHistory;
use crate::id::{CallTaskId, CampaignId, CompanyId};
use crate::planted::{self, Bug};
use crate::ports::{
    AttemptKey, CampaignKey, Claim, ClaimRequest, ClaimedTask, Scope, StorageError, TaskQueue,
};
use crate::queue::QueueLevel;
use crate::queue::claim::{Candidate, ClaimRows, claim, has_spent_its_budget, reached};
use crate::queue::lane::review;
use crate::time::Timestamp;

impl Transaction {
    /// The company's campaigns that are or will be ready, earliest first.
    fn ready(&self, company_id: CompanyId) -> impl Iterator<Item = (Timestamp, &CampaignLevel)> {
        let levels = self.table::<CampaignLevel>();
        let first = (company_id, Timestamp::MIN_UTC, first_id());
        levels
            .index()
            .range(first..)
            .take_while(move |(of, ..)| *of == company_id)
            .filter_map(|(_, ready_at, id)| Some((*ready_at, levels.get(id)?)))
    }
}

#[async_trait]
impl ClaimRows for MemoryUnitOfWork {
    async fn provider_level(&mut self, provider: &str) -> Result<Option<QueueLevel>, StorageError> {
        let row = self.transaction.get::<ProviderLevel>(&provider.to_owned());
        Ok(row.map(|row| row.level))
    }

    async fn write_provider(
        &mut self,
        provider: &str,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        self.transaction.put(ProviderLevel {
            provider: provider.to_owned(),
            level: *level,
        });
        Ok(())
    }

    async fn ready_companies(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CompanyId, QueueLevel)>, StorageError> {
        let levels = self.transaction.table::<CompanyLevel>();
        let ready = levels
            .index()
            .iter()
            .take_while(|(ready_at, _)| *ready_at <= now);
        let rows = ready
            .take(at_most.into())
            .filter_map(|(_, id)| levels.get(id));
        Ok(rows.map(|row| (row.company_id, row.level)).collect())
    }

    async fn ready_campaigns(
        &mut self,
        company_id: CompanyId,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignId, QueueLevel)>, StorageError> {
        let ready = self
            .transaction
            .ready(company_id)
            .take_while(|(ready_at, _)| *ready_at <= now);
        Ok(ready
            .take(at_most.into())
            .map(|(_, row)| (row.campaign_id, row.level))
            .collect())
    }

    async fn candidates(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<Candidate>, StorageError> {
        let CampaignKey {
            company_id,
            campaign_id,
        } = campaign;
        let rows = &self.transaction;
        let called = &rows.table::<CallAttempt>().index().live_numbers;
        let lanes = rows.lanes_in_order(campaign_id).into_iter();
        let tasks = lanes
            .filter(|lane| lane.claimable > 0 && lane.is_open(now))
            .flat_map(|lane| rows.claimable(campaign_id, lane.id))
            .filter(|task| !called.contains(&(company_id, task.contact.phone_number)))
            .take(at_most.into());
        let since = now - ContactHistory::REACH;
        Ok(tasks
            .map(|task| {
                let number = task.contact.phone_number;
                let calls = rows.calls_of(company_id, number, since);
                let calls = calls.filter(|(id, _)| rows.is_capped_by(*id, campaign_id));
                Candidate {
                    task: task.clone(),
                    excluded: rows.excluded_by(company_id, number).is_some(),
                    history: ContactHistory::new(calls.map(|(_, at)| at).collect()),
                }
            })
            .collect())
    }

    async fn next_work_at(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StorageError> {
        let lanes = self.transaction.lanes(campaign.campaign_id);
        let windows = lanes
            .map(|row| &row.lane)
            .filter(|lane| lane.claimable > 0)
            .filter_map(|lane| lane.window);
        // A window that has passed says nothing until it was worked out again, which wakes.
        Ok(windows
            .filter(|window| window.closes_at > now)
            .map(|window| window.opens_at.max(now))
            .min())
    }

    async fn write_claimed(&mut self, claimed: &[ClaimedTask]) -> Result<(), StorageError> {
        for ClaimedTask { task, attempt } in claimed {
            self.transaction.put_task(task.clone(), task.updated_at);
            self.transaction.recount_attempt(None, attempt);
            self.transaction.put(attempt.clone());
        }
        Ok(())
    }

    async fn write_campaign(
        &mut self,
        campaign: CampaignKey,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        let CampaignKey {
            company_id,
            campaign_id,
        } = campaign;
        self.transaction.put(CampaignLevel {
            company_id,
            campaign_id,
            running: true,
            level: *level,
        });
        Ok(())
    }

    async fn next_ready_campaign(
        &mut self,
        company_id: CompanyId,
    ) -> Result<Option<Timestamp>, StorageError> {
        Ok(self
            .transaction
            .ready(company_id)
            .next()
            .map(|(ready_at, _)| ready_at))
    }

    async fn write_company(
        &mut self,
        company_id: CompanyId,
        level: &QueueLevel,
    ) -> Result<(), StorageError> {
        self.transaction.put(CompanyLevel {
            company_id,
            level: *level,
        });
        Ok(())
    }
}

#[async_trait]
impl TaskQueue for MemoryStorage {
    async fn claim_due(&self, request: &ClaimRequest) -> Result<Claim, StorageError> {
        #[cfg(feature = "planted-bugs")]
        let counted = self.counted_before().await;
        let mut rows = self.work(Scope::Platform).await;
        #[cfg(feature = "planted-bugs")]
        rows.transaction.put_counted(counted);
        let claim = claim(&mut rows, request).await?;
        if !planted::is(Bug::DialBeforeCommit) {
            rows.transaction.commit();
        }
        Ok(claim)
    }

    async fn next_ready_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        let ready = rows.table::<CompanyLevel>().index();
        let ready_at = ready.first().map(|(ready_at, _)| *ready_at);
        let account = rows.get::<ProviderLevel>(&provider.to_owned());
        Ok(
            ready_at
                .and_then(|at| account.map_or(Some(at), |account| account.level.next_visit(at))),
        )
    }

    async fn promote_due(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let mut rows = self.transaction().await;
        let tasks = rows.table::<TaskRow>();
        let due = tasks
            .index()
            .due
            .iter()
            .take_while(|(due_at, _)| *due_at <= now);
        let due: Vec<(Timestamp, CallTaskId)> = due.take(at_most.get().into()).copied().collect();
        let mut promoted = 0;
        for (due_at, id) in due {
            let Some(task) = rows.get::<TaskRow>(&id).map(|row| row.task.clone()) else {
                continue;
            };
            let task = CallTask {
                state: TaskState::Pending { due_at },
                reason: None,
                updated_at: now,
                version: task.version + 1,
                ..task
            };
            rows.put_task(task, now);
            promoted += 1;
        }
        rows.commit();
        Ok(promoted)
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        Ok(rows
            .table::<TaskRow>()
            .index()
            .due
            .first()
            .map(|(due_at, _)| *due_at))
    }

    async fn expired_attempts(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        let rows = self.transaction().await;
        let attempts = rows.table::<CallAttempt>();
        let expired = attempts.index().leases.iter();
        let expired = expired.take_while(|(until, _)| *until <= now);
        let expired = expired
            .take(at_most.get().into())
            .filter_map(|(_, id)| attempts.get(id));
        Ok(expired.map(attempt_key).collect())
    }

    async fn next_expiry_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        Ok(rows
            .table::<CallAttempt>()
            .index()
            .leases
            .first()
            .map(|(until, _)| *until))
    }

    async fn attempts_to_price(
        &self,
        provider: &str,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<AttemptKey>, StorageError> {
        let rows = self.transaction().await;
        let due = rows.prices_of(provider).take_while(|(at, _)| *at <= now);
        let due = due.take(at_most.get().into());
        Ok(due.map(|(_, attempt)| attempt_key(attempt)).collect())
    }

    async fn next_price_at(&self, provider: &str) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        Ok(rows.prices_of(provider).next().map(|(at, _)| at))
    }

    async fn campaigns_to_start(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = self.transaction().await;
        let campaigns = rows.table::<Campaign>();
        let scheduled = campaigns.index().scheduled.iter();
        let to_start = scheduled
            .take_while(|(starts_at, _)| starts_at.is_none_or(|starts_at| starts_at <= now))
            .filter_map(|(_, id)| campaigns.get(id));
        Ok(to_start
            .take(at_most.get().into())
            .map(campaign_key)
            .collect())
    }

    async fn next_start_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        let scheduled = &rows.table::<Campaign>().index().scheduled;
        Ok(scheduled.iter().find_map(|(starts_at, _)| *starts_at))
    }

    async fn review_lanes(&self, now: Timestamp, at_most: NonZeroU16) -> Result<u64, StorageError> {
        let mut rows = self.work(Scope::Platform).await;
        let reviewed = review(&mut rows, now, at_most.get()).await?;
        rows.transaction.commit();
        Ok(reviewed)
    }

    async fn next_review_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        let reviews = rows.table::<LaneRow>().index();
        Ok(reviews.first().map(|(review_at, ..)| *review_at))
    }

    async fn campaigns_to_end(
        &self,
        now: Timestamp,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = self.transaction().await;
        let campaigns = rows.table::<Campaign>();
        let ends = campaigns.index().ends.iter();
        let to_end = ends
            .take_while(|(ends_at, _)| *ends_at <= now)
            .filter_map(|(_, id)| campaigns.get(id));
        Ok(to_end
            .take(at_most.get().into())
            .map(campaign_key)
            .collect())
    }

    async fn next_end_at(&self) -> Result<Option<Timestamp>, StorageError> {
        let rows = self.transaction().await;
        let ends = &rows.table::<Campaign>().index().ends;
        Ok(ends.first().map(|(ends_at, _)| *ends_at))
    }

    async fn campaigns_to_empty(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = self.transaction().await;
        let emptying = rows.table::<Emptying>().after(None);
        Ok(emptying
            .take(at_most.get().into())
            .map(|row| CampaignKey {
                company_id: row.company_id,
                campaign_id: row.campaign_id,
            })
            .collect())
    }

    async fn campaigns_at_target(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = self.transaction().await;
        let campaigns = rows.table::<Campaign>();
        let with_target = campaigns.index().with_target.iter();
        let reached = with_target
            .filter_map(|id| campaigns.get(id))
            .filter(|campaign| reached(campaign, &rows.counters(campaign.id)).is_some());
        Ok(reached
            .take(at_most.get().into())
            .map(campaign_key)
            .collect())
    }

    async fn campaigns_to_pause(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = self.transaction().await;
        let campaigns = rows.table::<Campaign>();
        let with_budget = campaigns.index().with_budget.iter();
        let spent = with_budget
            .filter_map(|id| campaigns.get(id))
            .filter(|campaign| has_spent_its_budget(campaign, &rows.counters(campaign.id)));
        Ok(spent.take(at_most.get().into()).map(campaign_key).collect())
    }

    async fn limit_provider(
        &self,
        provider: &str,
        limits: Option<Pacing>,
    ) -> Result<(), StorageError> {
        let mut rows = self.transaction().await;
        let Some(limits) = limits else {
            rows.remove::<ProviderLevel>(provider.to_owned());
            rows.commit();
            return Ok(());
        };
        let known = rows.get::<ProviderLevel>(&provider.to_owned());
        let level = known.map_or_else(
            || {
                let attempts = rows.table::<CallAttempt>();
                let live = attempts.index().leases.iter();
                let live = live
                    .filter_map(|(_, id)| attempts.get(id))
                    .filter(|attempt| attempt.provider == provider);
                QueueLevel {
                    in_flight: u32::try_from(live.count()).unwrap_or(u32::MAX),
                    ..QueueLevel::new(0, limits.pace, AT_ONCE)
                }
            },
            |row| row.level,
        );
        rows.put(ProviderLevel {
            provider: provider.to_owned(),
            level: QueueLevel {
                max_concurrent_calls: limits.max_concurrent_calls,
                pace: limits.pace,
                ..level
            },
        });
        rows.commit();
        Ok(())
    }

    async fn campaigns_to_finish(
        &self,
        at_most: NonZeroU16,
    ) -> Result<Vec<CampaignKey>, StorageError> {
        let rows = self.transaction().await;
        let campaigns = rows.table::<Campaign>();
        let under_way = campaigns
            .index()
            .under_way
            .iter()
            .filter_map(|id| campaigns.get(id));
        let finished = under_way.filter(|campaign| rows.is_done(campaign.id));
        Ok(finished
            .take(at_most.get().into())
            .map(campaign_key)
            .collect())
    }
}

fn campaign_key(campaign: &Campaign) -> CampaignKey {
    CampaignKey {
        company_id: campaign.company_id,
        campaign_id: campaign.id,
    }
}

fn attempt_key(attempt: &CallAttempt) -> AttemptKey {
    AttemptKey {
        company_id: attempt.company_id,
        attempt_id: attempt.id,
    }
}
