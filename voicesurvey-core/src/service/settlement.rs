//! What follows when it is known how a call ends: the task moves, an opt-out reaches every
//! campaign, and subscribers are told. Always in the unit of work of whatever made it known.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU16;

use chrono::TimeDelta;
use serde_json::json;

use super::call_events::campaign_of;
use super::quotas::note_places;
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallBack, CallTask, OtherAttempts, TaskEvent, TaskStatus};
use crate::campaign::Campaign;
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::{self, Reason, may_ring_until};
use crate::id::{CallTaskId, CampaignId, IdGenerator};
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::repositories::{CallAttemptFilter, OutboxEvent};
use crate::ports::{PageRequest, StorageError, UnitOfWork};
use crate::queue::claim::reached;
use crate::quota::Cells;
use crate::time::Timestamp;

/// After so long a person is called again whose call the provider gave up by itself.
const GIVEN_UP_AGAIN: TimeDelta = TimeDelta::minutes(1);

/// An attempt whose outcome is known, whether or not the line is free yet.
pub(crate) struct Concluded {
    /// The attempt.
    pub(crate) attempt: CallAttempt,
    /// The outcome that it had before, if it had one.
    pub(crate) previous: Option<Outcome>,
    /// What the person said about being called again.
    pub(crate) call_back: CallBack,
}

impl Concluded {
    /// Whether it has become known just now that the provider gave it up before a telephone rang.
    fn was_given_up(&self) -> bool {
        self.attempt.outcome == Some(Outcome::Cancelled) && self.previous.is_none()
    }
}

/// Settles the tasks of attempts whose outcome is known.
///
/// Safe to repeat: a task that has been settled as strongly stays as it is, and one that has been
/// claimed again since only takes note of what is better known.
pub(crate) async fn settle(
    work: &mut dyn UnitOfWork,
    concluded: &[Concluded],
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    for given_up in concluded
        .iter()
        .filter(|concluded| concluded.was_given_up())
    {
        release_given_up(work, &given_up.attempt, now).await?;
    }
    // An attempt that was given up undialed says nothing about the person.
    let telling: Vec<&Concluded> = concluded
        .iter()
        .filter(|concluded| concluded.attempt.outcome != Some(Outcome::Cancelled))
        .collect();
    let task_ids: BTreeSet<CallTaskId> = telling
        .iter()
        .map(|concluded| concluded.attempt.task_id)
        .collect();
    if task_ids.is_empty() {
        return Ok(());
    }
    let task_ids: Vec<CallTaskId> = task_ids.into_iter().collect();
    let found = work.call_tasks().get_many_for_update(&task_ids).await?;
    let told: HashMap<_, _> = found.iter().map(|task| (task.id, Told::of(task))).collect();
    let mut tasks: HashMap<_, _> = found.into_iter().map(|task| (task.id, task)).collect();
    let mut campaigns = HashMap::new();
    let mut settled: BTreeMap<CallTaskId, &CallAttempt> = BTreeMap::new();
    for concluded in &telling {
        let attempt = &concluded.attempt;
        let previous = concluded.previous;
        let campaign = match campaigns.entry(attempt.campaign_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(campaign_of(work, attempt).await?),
        };
        let (Some(outcome), Some(task)) = (attempt.outcome, tasks.get_mut(&attempt.task_id)) else {
            continue;
        };
        let event = TaskEvent::Settled {
            attempt_id: attempt.id,
            attempt_number: attempt.number,
            outcome,
            previous,
            others: other_attempts(work, attempt, previous).await?,
            call_back: concluded.call_back,
            policy: &campaign.effective_settings().retry,
            schedule: &campaign.effective_settings().schedule,
        };
        match task.clone().on(event, now) {
            Ok(moved) => {
                *task = if task.state.status().is_final() {
                    unless_over_meanwhile(work, moved, campaign, now).await?
                } else {
                    unless_over(moved, campaign, now)
                };
                settled.insert(task.id, attempt);
            }
            Err(error) => tracing::debug!(attempt = %attempt.id, %error, "nothing to settle"),
        }
    }
    let moved: Vec<CallTask> = settled
        .keys()
        .filter_map(|id| tasks.get(id).cloned())
        .collect();
    work.call_tasks().update_many(&moved).await?;
    for task in &moved {
        if Told::of(task) != told[&task.id] {
            publish(work, task, settled[&task.id], ids, now).await?;
        }
    }
    exclude_opted_out(work, &telling, now).await?;
    note_places_of(work, &moved, &campaigns, now).await?;
    stop_at_targets(work, tasks.values(), &campaigns, now).await
}

/// Notes what the tasks that have moved mean for the cells that they are in.
async fn note_places_of(
    work: &mut dyn UnitOfWork,
    moved: &[CallTask],
    campaigns: &HashMap<CampaignId, Campaign>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let mut touched: BTreeMap<CampaignId, Cells> = BTreeMap::new();
    for task in moved {
        let cells = touched.entry(task.campaign_id).or_default();
        *cells = cells.or(&task.cells);
    }
    for (campaign_id, cells) in &touched {
        note_places(work, &campaigns[campaign_id], cells, now).await?;
    }
    Ok(())
}

/// What the other attempts of the attempt's task came to, if that matters: it is not read for
/// every call.
async fn other_attempts(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
    previous: Option<Outcome>,
) -> Result<OtherAttempts, StorageError> {
    let matter = |outcome| OtherAttempts::matter(outcome, previous);
    if !attempt.outcome.is_some_and(matter) {
        return Ok(OtherAttempts::default());
    }
    let filter = CallAttemptFilter {
        task_id: Some(attempt.task_id),
        ..CallAttemptFilter::default()
    };
    const { assert!(gate::MOST_ATTEMPTS <= PageRequest::LARGEST) };
    let page = PageRequest::first(PageRequest::LARGEST);
    let attempts = work.call_attempts().list(&filter, &page).await?.rows;
    let others = attempts.iter().filter(|other| other.id != attempt.id);
    Ok(OtherAttempts::that_ended(
        others.filter_map(|other| other.outcome),
    ))
}

/// Excludes the numbers of those who asked for it in these calls.
async fn exclude_opted_out(
    work: &mut dyn UnitOfWork,
    telling: &[&Concluded],
    now: Timestamp,
) -> Result<(), StorageError> {
    for concluded in telling {
        if concluded.attempt.outcome == Some(Outcome::OptedOut)
            && !planted::is(Bug::OptOutOfOneCampaign)
        {
            exclude(work, &concluded.attempt, now).await?;
        }
    }
    Ok(())
}

/// Ends an attempt that was surely not dialed, and moves its task, if it still is that attempt's.
///
/// That may be the moment at which an interview counts that was finished in an earlier call: news of
/// it came while this attempt was live.
pub(crate) async fn release_undialed(
    work: &mut dyn UnitOfWork,
    attempt: CallAttempt,
    settle_task: impl FnOnce(CallTask, Timestamp) -> CallTask,
    now: Timestamp,
) -> Result<(), StorageError> {
    let attempt = attempt.ended(Outcome::Cancelled, now);
    let task = work.call_tasks().get_for_update(attempt.task_id).await?;
    work.call_attempts().update(&attempt).await?;
    let Some(task) = task.filter(|task| task.state.attempt_id() == Some(attempt.id)) else {
        return Ok(());
    };
    let campaign = campaign_of(work, &attempt).await?;
    store_released(work, settle_task(task, now), &campaign, now).await
}

/// Lets the task of an attempt wait again that the provider gave up before a telephone rang: because
/// it was told to, or by itself.
async fn release_given_up(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
    now: Timestamp,
) -> Result<(), StorageError> {
    let task = work.call_tasks().get_for_update(attempt.task_id).await?;
    let Some(task) = task.filter(|task| task.state.attempt_id() == Some(attempt.id)) else {
        return Ok(());
    };
    let campaign = campaign_of(work, attempt).await?;
    let (until, reason) = if !campaign.is_calling() {
        (now, Reason::CampaignNotRunning)
    } else if may_ring_until(&task.contact, &campaign, now, now).is_none() {
        (now, Reason::OutsideCallingHours)
    } else {
        (now + GIVEN_UP_AGAIN, Reason::ProviderUnavailable)
    };
    store_released(work, task.postponed(until, reason, now), &campaign, now).await
}

async fn store_released(
    work: &mut dyn UnitOfWork,
    task: CallTask,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<(), StorageError> {
    let task = unless_over(task, campaign, now);
    work.call_tasks().update(&task).await?;
    note_places(work, campaign, &task.cells, now).await?;
    if task.state.status() == TaskStatus::Completed {
        stop_at_target(work, campaign, now).await?;
    }
    Ok(())
}

/// The task, ended with its campaign if that has ended or starts no further call: nobody is called
/// again for it. A call in progress ends first. An interview that was to go on ends as it stands.
pub(crate) fn unless_over(task: CallTask, campaign: &Campaign, now: Timestamp) -> CallTask {
    if task.state.status() == TaskStatus::InProgress {
        task
    } else if campaign.status.is_final() {
        task.not_continued(Reason::CampaignEnded, now)
    } else if let Some(reason) = campaign.winding_up {
        task.not_continued(reason, now)
    } else {
        task
    }
}

/// As [`unless_over`], for a task that had ended: it may wait again.
///
/// Nothing kept its campaign from completing, so that is locked and looked at once more; and its
/// number may have been excluded since, which ended only those that were waiting.
async fn unless_over_meanwhile(
    work: &mut dyn UnitOfWork,
    task: CallTask,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<CallTask, StorageError> {
    if task.state.status().is_final() {
        return Ok(task);
    }
    let number = &task.contact.phone_number;
    if work.exclusions().excluded_by(number).await?.is_some() {
        return Ok(task.barred(Reason::Excluded, now));
    }
    let locked = work.campaigns().get_for_update(task.campaign_id).await?;
    Ok(unless_over(task, locked.as_ref().unwrap_or(campaign), now))
}

/// Winds up the campaigns in which one of these tasks is completed, if their target is reached.
async fn stop_at_targets(
    work: &mut dyn UnitOfWork,
    tasks: impl Iterator<Item = &CallTask>,
    campaigns: &HashMap<CampaignId, Campaign>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let answered: BTreeSet<CampaignId> = tasks
        .filter(|task| task.state.status() == TaskStatus::Completed)
        .map(|task| task.campaign_id)
        .collect();
    for campaign_id in answered {
        stop_at_target(work, &campaigns[&campaign_id], now).await?;
    }
    Ok(())
}

/// Winds the campaign up when as many people have answered as are wanted, or every cell of its quotas
/// is full. Returns whether it did.
///
/// Somebody may hold the campaign for a while, and no interview must wait for that: what the person
/// said would be undone with the rest if it waited too long. So this may come to nothing although
/// the target is reached: because somebody holds the campaign, or because interviews that end at the
/// same moment do not count each other. The scheduler finds such campaigns
/// ([`campaigns_at_target`](crate::ports::TaskQueue::campaigns_at_target)).
pub(crate) async fn stop_at_target(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<bool, StorageError> {
    let is_over = campaign.status.is_final() || campaign.winding_up.is_some();
    let settings = campaign.effective_settings();
    if is_over || settings.target.is_none() && settings.quotas.is_none() {
        return Ok(false);
    }
    let counters = work.campaigns().counters(campaign.id).await?;
    if reached(campaign, &counters).is_none() {
        return Ok(false);
    }
    let locked = work.campaigns().get_for_update_unless_locked(campaign.id);
    let Some(campaign) = locked.await? else {
        return Ok(false);
    };
    let Some(reason) = reached(&campaign, &counters) else {
        return Ok(false);
    };
    wind_up(work, campaign, reason, now).await?;
    Ok(true)
}

/// Tasks that are ended in one transaction; the scheduler ends the others.
pub(crate) const ENDED_AT_ONCE: NonZeroU16 = NonZeroU16::new(2_000).unwrap();

/// Ends the first of the tasks that wait in a campaign that calls nobody any more.
pub(crate) async fn end_waiting(
    work: &mut dyn UnitOfWork,
    campaign_id: CampaignId,
    reason: Reason,
    now: Timestamp,
) -> Result<u64, StorageError> {
    work.call_tasks()
        .cancel_waiting(campaign_id, reason, now, ENDED_AT_ONCE)
        .await
}

/// Starts no further call of the campaign, which is locked, and ends the tasks that wait. It
/// completes when the calls in progress have ended. Doing it twice changes nothing.
pub(crate) async fn wind_up(
    work: &mut dyn UnitOfWork,
    campaign: Campaign,
    reason: Reason,
    now: Timestamp,
) -> Result<(), StorageError> {
    if campaign.status.is_final() || campaign.winding_up.is_some() {
        return Ok(());
    }
    tracing::info!(campaign = %campaign.id, %reason, "the campaign winds up");
    let campaign = campaign.wound_up(reason, now);
    work.campaigns().update(&campaign).await?;
    end_waiting(work, campaign.id, reason, now).await?;
    Ok(())
}

/// Puts the number of an attempt on the exclusion list, and with it every task that waits with that
/// number in any campaign of the company (I8).
async fn exclude(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
    now: Timestamp,
) -> Result<(), StorageError> {
    let exclusion = Exclusion {
        company_id: Some(attempt.company_id),
        phone_number: attempt.phone_number,
        source: ExclusionSource::Spoken,
        attempt_id: Some(attempt.id),
        note: None,
        created_at: now,
        created_by: None,
    };
    work.exclusions().insert(&exclusion).await?;
    work.call_tasks()
        .exclude_waiting(&[attempt.phone_number], now)
        .await?;
    Ok(())
}

/// What subscribers have been told of a task, and are not told again.
///
/// What the person decided is told when it becomes known, and not when the call in progress ends.
/// Otherwise they are told of the status: a hang-up that turns out to have been a machine is not
/// told while it ends the task in the same way.
#[derive(PartialEq, Eq)]
enum Told {
    Decision(Outcome),
    Status(TaskStatus),
}

impl Told {
    fn of(task: &CallTask) -> Self {
        task.decision()
            .map_or_else(|| Self::Status(task.state.status()), Self::Decision)
    }
}

/// Tells subscribers that a task has ended, or will when the call in progress does (row A23).
async fn publish(
    work: &mut dyn UnitOfWork,
    task: &CallTask,
    attempt: &CallAttempt,
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    let decided = task.decision().map(|outcome| outcome.rule().final_status);
    let kind = match decided.unwrap_or(task.state.status()) {
        TaskStatus::Completed => "survey.completed",
        TaskStatus::Refused => "survey.refused",
        TaskStatus::NotReached => "survey.not_reached",
        _ => return Ok(()),
    };
    let answers: Vec<_> = work
        .interviews()
        .answers(task.id)
        .await?
        .into_iter()
        .map(|answer| {
            json!({
                "question": answer.question_key,
                "result": answer.result.name(),
                "value": answer.result.value().map(crate::survey::AnswerValue::to_text),
            })
        })
        .collect();
    let event = OutboxEvent {
        id: ids.next(),
        company_id: task.company_id,
        kind: kind.to_owned(),
        body: json!({
            "campaign_id": task.campaign_id,
            "task_id": task.id,
            "attempt_id": attempt.id,
            "attempts": task.attempts_count,
            "outcome": task.outcome,
            "answers": answers,
        }),
        at: now,
    };
    work.events().publish(&event).await
}
