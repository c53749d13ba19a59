//! The claim, step by step, over rows that a store locks and keeps.
//!
//! Runs inside one transaction of the store. The company's row is locked before its campaigns' and
//! those before their tasks, and rows that others have locked are passed over, so two claims never
//! wait for each other and never take the same task.
//!
//! The gate is asked for every task before an attempt is made of it, within the same transaction: a
//! task that may not be called now is put back to the instant the gate names and costs neither an
//! attempt nor a place in the pace.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::TimeDelta;

use super::QueueLevel;
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, TaskEvent};
use crate::campaign::Campaign;
use crate::gate::{self, Decision};
use crate::id::{CallAttemptId, CampaignId, CompanyId};
use crate::phone_number::PhoneNumber;
use crate::ports::storage::{StorageError, UnitOfWork};
use crate::ports::task_queue::{CampaignKey, ClaimRequest, ClaimedTask};
use crate::time::Timestamp;

/// Companies visited by one claim.
pub const COMPANIES_PER_CLAIM: u16 = 10;
/// Campaigns visited in one company.
pub const CAMPAIGNS_PER_VISIT: u16 = 10;
/// Tasks taken from one campaign before it is the next one's turn.
pub const TASKS_PER_VISIT: u16 = 10;

/// After this time a campaign is visited again whose claimable tasks were all passed over, because
/// another campaign is calling the same people.
const PASSED_OVER_AGAIN: TimeDelta = TimeDelta::seconds(10);

/// Tasks the gate may turn away in one visit before it is the next campaign's turn.
const TURNED_AWAY_PER_VISIT: usize = 200;

/// The rows of a store that the claim needs, in a unit of work of the platform's scope.
#[async_trait]
pub trait ClaimRows: UnitOfWork {
    /// Companies with `ready_at <= now`, earliest first, locked.
    async fn ready_companies(
        &mut self,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CompanyId, QueueLevel)>, StorageError>;

    /// Campaigns of the company with `ready_at <= now`, earliest first, locked.
    async fn ready_campaigns(
        &mut self,
        company_id: CompanyId,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<(CampaignId, QueueLevel)>, StorageError>;

    /// Claimable tasks whose number has no live attempt in the company, in the order in which they
    /// are to be called, locked.
    async fn due_tasks(
        &mut self,
        campaign: CampaignKey,
        at_most: u16,
    ) -> Result<Vec<CallTask>, StorageError>;

    /// Whether the campaign has a claimable task, whoever calls its number now.
    async fn has_claimable(&mut self, campaign: CampaignKey) -> Result<bool, StorageError>;

    /// Those of the numbers that are on the company's exclusion list; other companies' lists do not
    /// count (I11).
    async fn excluded_among(
        &mut self,
        company_id: CompanyId,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError>;

    /// Writes the tasks and inserts their attempts as they are given, versions included, and counts
    /// them (but not in the ready list, which is written by the calls below).
    async fn write_claimed(&mut self, claimed: &[ClaimedTask]) -> Result<(), StorageError>;

    /// Writes a campaign's row.
    async fn write_campaign(
        &mut self,
        campaign: CampaignKey,
        level: &QueueLevel,
    ) -> Result<(), StorageError>;

    /// The earliest `ready_at` of the company's campaigns.
    async fn next_ready_campaign(
        &mut self,
        company_id: CompanyId,
    ) -> Result<Option<Timestamp>, StorageError>;

    /// Writes a company's row.
    async fn write_company(
        &mut self,
        company_id: CompanyId,
        level: &QueueLevel,
    ) -> Result<(), StorageError>;
}

/// Claims as [`TaskQueue::claim_due`] promises. The caller commits.
///
/// # Panics
///
/// Panics when the store hands out more than it was asked for: better no calls than too many.
///
/// [`TaskQueue::claim_due`]: crate::ports::TaskQueue::claim_due
pub async fn claim(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
) -> Result<Vec<ClaimedTask>, StorageError> {
    let mut claimed = Vec::new();
    for (company_id, level) in rows
        .ready_companies(request.now, COMPANIES_PER_CLAIM)
        .await?
    {
        if claimed.len() >= request.attempt_ids.len() {
            break;
        }
        visit_company(rows, request, company_id, level, &mut claimed).await?;
    }
    assert!(
        claimed.len() <= request.attempt_ids.len(),
        "a claim takes no more than was asked for"
    );
    Ok(claimed)
}

async fn visit_company(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
    company_id: CompanyId,
    level: QueueLevel,
    claimed: &mut Vec<ClaimedTask>,
) -> Result<(), StorageError> {
    let before = claimed.len();
    let mut room = usize::try_from(level.room(request.now)).unwrap_or(usize::MAX);
    if room > 0 {
        for (campaign_id, campaign_level) in rows
            .ready_campaigns(company_id, request.now, CAMPAIGNS_PER_VISIT)
            .await?
        {
            let asked = room.min(request.attempt_ids.len() - claimed.len());
            if asked == 0 {
                break;
            }
            let campaign = CampaignKey {
                company_id,
                campaign_id,
            };
            room -= visit_campaign(rows, request, campaign, campaign_level, asked, claimed).await?;
        }
    }
    let calls = u32::try_from(claimed.len() - before).unwrap_or(u32::MAX);
    let next = rows.next_ready_campaign(company_id).await?;
    rows.write_company(company_id, &level.after_visit(request.now, calls, next))
        .await
}

async fn visit_campaign(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
    key: CampaignKey,
    level: QueueLevel,
    asked: usize,
    claimed: &mut Vec<ClaimedTask>,
) -> Result<usize, StorageError> {
    let room = usize::try_from(level.room(request.now)).unwrap_or(usize::MAX);
    let wanted = room.min(asked).min(usize::from(TASKS_PER_VISIT));
    let (tasks, exhausted) = match rows.campaigns().get(key.campaign_id).await? {
        Some(campaign) if wanted > 0 => allowed_tasks(rows, request, &campaign, wanted).await?,
        _ => (Vec::new(), false),
    };
    let taken: Vec<ClaimedTask> = tasks
        .into_iter()
        .zip(&request.attempt_ids[claimed.len()..])
        .map(|(task, &attempt_id)| attempt_for(task, attempt_id, request))
        .collect::<Result<_, _>>()?;
    rows.write_claimed(&taken).await?;
    let calls = taken.len();
    let next = match rows.has_claimable(key).await? {
        false => None,
        true if exhausted => Some(request.now + PASSED_OVER_AGAIN),
        true => Some(request.now),
    };
    let after = level.after_visit(request.now, u32::try_from(calls).unwrap_or(u32::MAX), next);
    rows.write_campaign(key, &after).await?;
    claimed.extend(taken);
    Ok(calls)
}

/// Up to `wanted` tasks that the gate lets through, and whether the campaign has no more to offer.
/// Those it turns away are written back with its reason.
async fn allowed_tasks(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
    campaign: &Campaign,
    wanted: usize,
) -> Result<(Vec<CallTask>, bool), StorageError> {
    let key = CampaignKey {
        company_id: campaign.company_id,
        campaign_id: campaign.id,
    };
    let mut allowed = Vec::new();
    let mut turned_away = 0;
    loop {
        // One batch is read, locked and dealt with before the next is asked for: tasks that were
        // let through are still claimable until they are written, so a batch is taken whole.
        let missing = wanted - allowed.len();
        let batch = rows
            .due_tasks(key, u16::try_from(missing).unwrap_or(TASKS_PER_VISIT))
            .await?;
        assert!(
            batch.len() <= missing,
            "a store hands out no more tasks than were asked for"
        );
        let exhausted = batch.len() < missing;
        let numbers: Vec<_> = batch.iter().map(|task| task.contact.phone_number).collect();
        let excluded = rows.excluded_among(key.company_id, &numbers).await?;
        for task in batch {
            let is_excluded = excluded.contains(&task.contact.phone_number);
            let waiting = match gate::decide(&task, campaign, is_excluded, request.now) {
                Decision::Dial => {
                    allowed.push(task);
                    continue;
                }
                Decision::Wait { until, reason } => {
                    task.postponed(until.unwrap_or(request.now), reason, request.now)
                }
                Decision::Never { reason } => task.barred(reason, request.now),
            };
            turned_away += 1;
            rows.call_tasks().update(&waiting).await?;
        }
        // Once something was let through it has to be written before more is read.
        if exhausted || !allowed.is_empty() || turned_away >= TURNED_AWAY_PER_VISIT {
            return Ok((allowed, exhausted));
        }
    }
}

fn attempt_for(
    task: CallTask,
    attempt_id: CallAttemptId,
    request: &ClaimRequest,
) -> Result<ClaimedTask, StorageError> {
    let task = task
        .on(TaskEvent::Claimed { attempt_id }, request.now)
        .map_err(|error| StorageError::Corrupt {
            table: "call_tasks",
            what: error.to_string(),
        })?;
    let task = CallTask {
        version: task.version + 1,
        ..task
    };
    let attempt = CallAttempt::created(
        attempt_id,
        &task,
        &request.provider,
        request.now,
        request.dial_before,
        request.lease_until,
    );
    Ok(ClaimedTask { task, attempt })
}
