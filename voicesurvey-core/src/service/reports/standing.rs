//! Why people are not being called at this moment: for a whole campaign in numbers, for one person
//! in words.
//!
//! Nothing is counted here: reasons that concern one person are kept on the tasks and counted with
//! them; those that concern everybody follow from the lanes, which count their tasks.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Reports, campaign};
use crate::api_key::Actor;
use crate::call_task::{CallTask, TaskStatus};
use crate::campaign::{Campaign, CampaignStatus};
use crate::company::{Company, CompanyStatus};
use crate::gate::{self, Circumstances, Decision, Reason};
use crate::id::{CallTaskId, CampaignId};
use crate::ports::StorageError;
use crate::ports::UnitOfWork;
use crate::ports::repositories::CampaignCounters;
use crate::queue::claim::calls_within_budget;
use crate::queue::lane::Lane;
use crate::quota::Room;
use crate::quota::forecast::Forecast;
use crate::service::circumstances::{circumstances, company_of};
use crate::service::error::ServiceError;
use crate::time::Timestamp;

/// Where a campaign stands at this moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The campaign.
    pub campaign: Campaign,
    /// What its rows add up to.
    pub counters: CampaignCounters,
    /// People who are not being called, by reason. Those who wait and those who ended for a reason
    /// of the gate.
    pub reasons: BTreeMap<Reason, u64>,
    /// When the next people may be called whose hours are closed now.
    pub next_opening: Option<Timestamp>,
    /// How many calls the budget still allows; absent without a budget.
    pub calls_within_budget: Option<u32>,
    /// What is to be expected if calls go on as they went so far.
    pub forecast: Forecast,
}

/// Why one person is not being called now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WhyNotNow {
    /// The reason; `waits_for_turn` when nothing but a free line or the pace is missing.
    pub reason: Reason,
    /// When it is worth asking again; absent when that depends on something other than time.
    pub until: Option<Timestamp>,
}

impl Reports {
    /// Where a campaign stands at `now`.
    pub async fn standing(
        &self,
        actor: &Actor,
        id: CampaignId,
        now: Timestamp,
    ) -> Result<Standing, ServiceError> {
        let mut work = self.begin(actor).await?;
        standing(&mut *work, id, now).await
    }

    /// Why the person of a task is not being called at `now`; `None` while a call is in progress.
    pub async fn why_not_now(
        &self,
        actor: &Actor,
        id: CallTaskId,
        now: Timestamp,
    ) -> Result<Option<WhyNotNow>, ServiceError> {
        let mut work = self.begin(actor).await?;
        let task = work.call_tasks().get(id).await?;
        let task = task.ok_or(ServiceError::NotFound { what: "contact" })?;
        if task.state.status() == TaskStatus::InProgress {
            return Ok(None);
        }
        let campaign = campaign(&mut *work, task.campaign_id).await?;
        let circumstances = circumstances_of(&mut *work, &task, &campaign, now).await?;
        let (reason, until) = match gate::decide(&task, &campaign, &circumstances, now) {
            Decision::Dial => (Reason::WaitsForTurn, None),
            Decision::Wait { until, reason } => (reason, until),
            Decision::Never { reason } => match task.reason {
                Some(known) if reason == Reason::TaskEnded => (known, None),
                _ => (reason, None),
            },
        };
        Ok(Some(WhyNotNow { reason, until }))
    }
}

/// Where a campaign stands at `now`.
pub(super) async fn standing(
    work: &mut dyn UnitOfWork,
    id: CampaignId,
    now: Timestamp,
) -> Result<Standing, ServiceError> {
    let campaign = campaign(work, id).await?;
    let counters = work.campaigns().counters(id).await?;
    let company = company_of(work, campaign.company_id).await?;
    let lanes = work.campaigns().lanes(id).await?;
    let calls_within_budget = calls_within_budget(&campaign, &counters);
    let everybodys = reason_of_everybody(&campaign, &company, calls_within_budget);
    let mut reasons = counters.reasons.clone();
    let places = campaign.places(&counters);
    for lane in lanes.iter().filter(|lane| lane.claimable > 0) {
        let room = places.as_ref().map(|places| places.room(&lane.key.cells));
        let reason = everybodys
            .or(room.and_then(reason_of_quota))
            .unwrap_or_else(|| reason_of(lane, &campaign, now));
        *reasons.entry(reason).or_default() += lane.claimable;
    }
    let closed = lanes
        .iter()
        .filter(|lane| lane.claimable > 0)
        .filter_map(|lane| lane.window)
        .filter(|window| window.opens_at > now);
    Ok(Standing {
        next_opening: closed.map(|window| window.opens_at).min(),
        forecast: Forecast::of(&campaign, &counters, now),
        campaign,
        counters,
        reasons,
        calls_within_budget,
    })
}

/// Why nobody of the campaign is called, if that concerns everybody; in the order of the gate.
fn reason_of_everybody(
    campaign: &Campaign,
    company: &Company,
    calls_within_budget: Option<u32>,
) -> Option<Reason> {
    if campaign.status.is_final() {
        Some(campaign.winding_up.unwrap_or(Reason::CampaignEnded))
    } else if campaign.winding_up.is_some() {
        campaign.winding_up
    } else if campaign.status != CampaignStatus::Running {
        Some(Reason::CampaignNotRunning)
    } else if company.status == CompanyStatus::Suspended {
        Some(Reason::CompanySuspended)
    } else {
        (calls_within_budget == Some(0)).then_some(Reason::BudgetUsedUp)
    }
}

/// Why nobody in some cells is called.
const fn reason_of_quota(room: Room) -> Option<Reason> {
    match room {
        Room::Open => None,
        Room::Held => Some(Reason::QuotaReserved),
        Room::Full => Some(Reason::QuotaFull),
    }
}

/// Why the claimable tasks of a lane are not being called, by the clock.
fn reason_of(lane: &Lane, campaign: &Campaign, now: Timestamp) -> Reason {
    let starts_at = campaign.effective_settings().schedule.starts_at;
    match lane.window {
        _ if starts_at.is_some_and(|starts_at| starts_at > now) => Reason::BeforeCampaignStart,
        Some(window) if window.opens_at > now => Reason::OutsideCallingHours,
        // A window that has passed, or is not known yet, is about to be worked out.
        _ => Reason::WaitsForTurn,
    }
}

/// Everything that the gate must know of a person who is not being called yet.
async fn circumstances_of(
    work: &mut dyn UnitOfWork,
    task: &CallTask,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<Circumstances, StorageError> {
    let number = &task.contact.phone_number;
    let counters = work.campaigns().counters(campaign.id).await?;
    Ok(Circumstances {
        being_called: work.call_attempts().live(number).await?.is_some(),
        budget_left: calls_within_budget(campaign, &counters) != Some(0),
        room: campaign
            .places(&counters)
            .map_or(Room::Open, |places| places.room(&task.cells)),
        ..circumstances(work, campaign.company_id, number, None, now).await?
    })
}
