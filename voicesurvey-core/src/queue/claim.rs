//! The claim, step by step, over rows that a store locks and keeps.
//!
//! Runs inside one transaction of the store. The provider's row is locked before the company's, that
//! before its campaigns' and those before their tasks. Except for the provider's, rows that others
//! have locked are passed over, so two claims never take the same task and wait for each other at
//! the provider's row only.
//!
//! The gate is asked for every task before an attempt is made of it, within the same transaction: a
//! task that may not be called now is put back to the instant the gate names and costs neither an
//! attempt nor a place in the pace. Tasks whose hours are closed are not even looked at: their lane
//! is closed (see [`super::lane`]). Nor are those in whose cells no place is left, except where that
//! became known just now: then they stay as they are, and their lane closes.
//!
//! A store may do the same in fewer steps, as long as [`judge`] has the last word on every task.

use async_trait::async_trait;
use chrono::TimeDelta;

use super::QueueLevel;
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, TaskEvent, TaskStatus};
use crate::campaign::Campaign;
use crate::company::{Company, CompanyStatus};
use crate::gate::{self, Circumstances, ContactHistory, Decision, Reason};
use crate::id::{CallAttemptId, CampaignId, CompanyId};
use crate::planted::{self, Bug};
use crate::ports::repositories::CampaignCounters;
use crate::ports::storage::{StorageError, UnitOfWork};
use crate::ports::task_queue::{CampaignKey, Claim, ClaimRequest, ClaimedTask};
use crate::quota::{CellNews, Cells, Places, Room};
use crate::time::Timestamp;

/// Companies visited by one claim.
pub const COMPANIES_PER_CLAIM: u16 = 10;
/// Campaigns visited in one company.
pub const CAMPAIGNS_PER_VISIT: u16 = 10;
/// Tasks taken from one campaign before it is the next one's turn.
pub const TASKS_PER_VISIT: u16 = 10;

/// After this time a campaign is visited again whose claimable tasks were all passed over, because
/// another campaign is calling the same people.
pub const PASSED_OVER_AGAIN: TimeDelta = TimeDelta::seconds(10);

/// Tasks the gate may turn away in one visit before it is the next campaign's turn.
const TURNED_AWAY_PER_VISIT: usize = 200;

/// A task that may be called as far as the ready list knows, with what the gate must know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The task.
    pub task: CallTask,
    /// Whether its number is on the company's exclusion list; other companies' lists do not count
    /// (I11).
    pub excluded: bool,
    /// When the company called the number in the last [`ContactHistory::REACH`].
    pub history: ContactHistory,
}

/// The rows of a store that the claim needs, in a unit of work of the platform's scope.
#[async_trait]
pub trait ClaimRows: UnitOfWork {
    /// The row of the provider account, locked, if it is limited.
    async fn provider_level(&mut self, provider: &str) -> Result<Option<QueueLevel>, StorageError>;

    /// Writes the row of the provider account.
    async fn write_provider(
        &mut self,
        provider: &str,
        level: &QueueLevel,
    ) -> Result<(), StorageError>;

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

    /// Claimable tasks in open lanes whose number has no live attempt in the company, locked.
    ///
    /// Lanes of a higher priority come first, then those that close soonest; within a lane the task
    /// that is due first.
    async fn candidates(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
        at_most: u16,
    ) -> Result<Vec<Candidate>, StorageError>;

    /// `now` if the campaign has a claimable task in an open lane, whoever calls its number; else
    /// when the first lane opens that has one.
    async fn next_work_at(
        &mut self,
        campaign: CampaignKey,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StorageError>;

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
) -> Result<Claim, StorageError> {
    let mut claim = Claim::default();
    let provider = rows.provider_level(&request.provider).await?;
    let asked = provider.map_or(usize::MAX, |level| places(level.room(request.now)));
    let asked = asked.min(request.attempt_ids.len());
    for (company_id, level) in rows
        .ready_companies(request.now, COMPANIES_PER_CLAIM)
        .await?
    {
        if claim.tasks.len() >= asked {
            break;
        }
        visit_company(rows, request, company_id, level, asked, &mut claim).await?;
    }
    assert!(
        claim.tasks.len() <= asked,
        "a claim takes no more than was asked for"
    );
    if let Some(level) = provider.filter(|_| !claim.tasks.is_empty()) {
        let level = level.after_visit(request.now, calls(claim.tasks.len()), None);
        rows.write_provider(&request.provider, &level).await?;
    }
    Ok(claim)
}

/// What the gate says of a candidate. `company` is the task's company.
pub fn judge(
    candidate: &Candidate,
    campaign: &Campaign,
    company: &Company,
    now: Timestamp,
) -> Decision {
    let history = candidate.history.clone();
    let circumstances = Circumstances::of(company, candidate.excluded, history);
    gate::decide(&candidate.task, campaign, &circumstances, now)
}

/// The task as it waits after the gate turned it away; `None` if it stays as it is, because what it
/// waits for is not an instant.
pub fn turned_away(task: CallTask, decision: Decision, now: Timestamp) -> Option<CallTask> {
    match decision {
        Decision::Dial | Decision::Wait { until: None, .. } => None,
        Decision::Wait {
            until: Some(until),
            reason,
        } => Some(task.postponed(until, reason, now)),
        Decision::Never { reason } => Some(task.barred(reason, now)),
    }
}

/// Whether the campaign's budget allows no further call, so that it is to be paused. While calls are
/// live, it is only waited: their price may turn out lower than the estimate.
pub fn has_spent_its_budget(campaign: &Campaign, counters: &CampaignCounters) -> bool {
    counters.live_attempts() == 0 && calls_within_budget(campaign, counters) == Some(0)
}

/// Why the campaign is to be wound up: as many people have answered as it wants, or as it wants of
/// every cell of its quotas. `None` while it wants more.
pub fn reached(campaign: &Campaign, counters: &CampaignCounters) -> Option<Reason> {
    let too_many = u64::from(planted::is(Bug::OneMoreThanWanted));
    let target = campaign.effective_settings().target;
    let is_reached = target.is_some_and(|target| {
        counters.tasks_in(TaskStatus::Completed) >= u64::from(target.get()) + too_many
    });
    let places = campaign.places(counters);
    if is_reached {
        Some(Reason::TargetReached)
    } else if places.is_some_and(|places| places.are_all_full()) {
        Some(Reason::QuotaFull)
    } else {
        None
    }
}

/// How many calls the campaign's budget still allows; `None` without a budget.
///
/// Every attempt is one of three: priced, free by its outcome, or still to be paid. One that is free
/// by its outcome and has a price all the same is [counted](crate::ports::repositories::CostCount::calls) as free only.
/// A price in another currency than the budget's says nothing about it, so such a call keeps its
/// estimate.
pub fn calls_within_budget(campaign: &Campaign, counters: &CampaignCounters) -> Option<u32> {
    let budget = campaign.effective_settings().budget.as_ref()?;
    let spent = counters.costs.get(&budget.limit.currency);
    let priced = spent.map_or(0, |cost| cost.calls);
    let free: u64 = counters
        .outcomes
        .iter()
        .filter(|(outcome, _)| !outcome.counts_as_contact())
        .map(|(_, count)| count)
        .sum();
    let unpriced = counters.total_attempts().saturating_sub(priced + free);
    Some(budget.calls_left(spent.copied().unwrap_or_default().amount(), unpriced))
}

async fn visit_company(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
    company_id: CompanyId,
    level: QueueLevel,
    asked: usize,
    claim: &mut Claim,
) -> Result<(), StorageError> {
    let before = claim.tasks.len();
    let mut room = places(level.room(request.now)).min(asked - before);
    let company = rows.companies().get(company_id).await?;
    let Some(company) = company.filter(|company| company.status == CompanyStatus::Active) else {
        // It is woken when it may call again.
        let level = QueueLevel {
            ready_at: None,
            ..level
        };
        return rows.write_company(company_id, &level).await;
    };
    if room > 0 {
        for (campaign_id, campaign_level) in rows
            .ready_campaigns(company_id, request.now, CAMPAIGNS_PER_VISIT)
            .await?
        {
            if room == 0 {
                break;
            }
            let key = CampaignKey {
                company_id,
                campaign_id,
            };
            room -=
                visit_campaign(rows, request, key, campaign_level, &company, room, claim).await?;
        }
    }
    let next = rows.next_ready_campaign(company_id).await?;
    let level = level.after_visit(request.now, calls(claim.tasks.len() - before), next);
    rows.write_company(company_id, &level).await
}

async fn visit_campaign(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
    key: CampaignKey,
    level: QueueLevel,
    company: &Company,
    room: usize,
    claim: &mut Claim,
) -> Result<usize, StorageError> {
    let mut wanted = room
        .min(places(level.room(request.now)))
        .min(usize::from(TASKS_PER_VISIT));
    let campaign = rows.campaigns().get(key.campaign_id).await?;
    let mut within_budget = true;
    let mut quotas = None;
    let counts = |campaign: &&Campaign| campaign.has_budget() || campaign.has_quotas();
    if let Some(campaign) = campaign.as_ref().filter(counts) {
        let counters = rows.campaigns().counters(key.campaign_id).await?;
        if let Some(calls) = calls_within_budget(campaign, &counters) {
            within_budget = calls > 0;
            wanted = wanted.min(places(calls));
        }
        quotas = campaign.places(&counters);
    }
    let offer = match campaign {
        Some(campaign) if wanted > 0 => {
            let quotas = quotas.as_mut();
            offer(rows, request, &campaign, company, quotas, wanted).await?
        }
        _ => Offer::default(),
    };
    let taken: Vec<ClaimedTask> = offer
        .allowed
        .into_iter()
        .zip(&request.attempt_ids[claim.tasks.len()..])
        .map(|(task, &attempt_id)| attempt_for(task, attempt_id, request))
        .collect::<Result<_, _>>()?;
    rows.write_claimed(&taken).await?;
    let count = taken.len();
    let next = match rows.next_work_at(key, request.now).await? {
        // The scheduler pauses it; a price that turns out lower wakes it.
        _ if !within_budget => None,
        Some(at) if offer.exhausted && at <= request.now => Some(request.now + PASSED_OVER_AGAIN),
        next => next,
    };
    let after = level.after_visit(request.now, calls(count), next);
    rows.write_campaign(key, &after).await?;
    claim.tasks.extend(taken);
    claim.turned_away += offer.turned_away;
    Ok(count)
}

fn places(calls: u32) -> usize {
    usize::try_from(calls).unwrap_or(usize::MAX)
}

fn calls(places: usize) -> u32 {
    u32::try_from(places).unwrap_or(u32::MAX)
}

/// What a campaign has to offer in one visit.
#[derive(Debug, Default)]
struct Offer {
    /// Tasks that the gate lets through.
    allowed: Vec<CallTask>,
    /// How many it turned away.
    turned_away: usize,
    /// Whether there is no more.
    exhausted: bool,
}

/// Up to `wanted` tasks that the gate lets through. Those it turns away are written back with its
/// reason.
async fn offer(
    rows: &mut dyn ClaimRows,
    request: &ClaimRequest,
    campaign: &Campaign,
    company: &Company,
    mut quotas: Option<&mut Places>,
    wanted: usize,
) -> Result<Offer, StorageError> {
    let key = CampaignKey {
        company_id: campaign.company_id,
        campaign_id: campaign.id,
    };
    let mut offer = Offer::default();
    loop {
        // One batch is read, locked and dealt with before the next is asked for: tasks that were
        // let through are still claimable until they are written, so a batch is taken whole.
        let batch = rows
            .candidates(
                key,
                request.now,
                u16::try_from(wanted).unwrap_or(TASKS_PER_VISIT),
            )
            .await?;
        assert!(
            batch.len() <= wanted,
            "a store hands out no more tasks than were asked for"
        );
        offer.exhausted = batch.len() < wanted;
        let mut touched = Cells::default();
        for candidate in batch {
            let decision = judge(&candidate, campaign, company, request.now);
            if decision == Decision::Dial {
                touched = touched.or(&candidate.task.cells);
                if take_place(quotas.as_deref_mut(), &candidate.task.cells) {
                    offer.allowed.push(candidate.task);
                }
                continue;
            }
            offer.turned_away += 1;
            match turned_away(candidate.task, decision, request.now) {
                Some(waiting) => rows.call_tasks().update(&waiting).await?,
                // It would be handed out again at once.
                None => offer.exhausted = true,
            }
        }
        if let Some(places) = &quotas {
            close_cells(rows, key, &places.without_room(&touched), request.now).await?;
        }
        // Once something was let through it has to be written before more is read.
        let is_long = offer.turned_away >= TURNED_AWAY_PER_VISIT;
        if offer.exhausted || !offer.allowed.is_empty() || is_long {
            return Ok(offer);
        }
    }
}

/// Takes a place in each of the cells, if there is one.
pub fn take_place(places: Option<&mut Places>, cells: &Cells) -> bool {
    let Some(places) = places else { return true };
    let is_open = places.room(cells) == Room::Open;
    if is_open {
        places.take(cells);
    }
    is_open
}

/// Closes the lanes of cells in which no place is left.
async fn close_cells(
    rows: &mut dyn ClaimRows,
    campaign: CampaignKey,
    cells: &Cells,
    now: Timestamp,
) -> Result<(), StorageError> {
    if cells.is_empty() {
        return Ok(());
    }
    let news = CellNews {
        cells,
        is_open: false,
        now,
    };
    rows.campaigns()
        .review_cells(campaign.campaign_id, news)
        .await
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
