//! What follows when it is known how a call ends: the task moves, an opt-out reaches every
//! campaign, and subscribers are told. Always in the unit of work of whatever made it known.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU16;

use serde_json::json;

use super::call_events::campaign_of;
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, TaskEvent, TaskStatus};
use crate::campaign::Campaign;
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::Reason;
use crate::id::{CallTaskId, CampaignId, IdGenerator};
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::repositories::OutboxEvent;
use crate::ports::{StorageError, UnitOfWork};
use crate::time::Timestamp;

/// An attempt whose outcome is known, whether or not the line is free yet.
pub(crate) struct Concluded {
    /// The attempt.
    pub(crate) attempt: CallAttempt,
    /// The outcome that it had before, if it had one.
    pub(crate) previous: Option<Outcome>,
}

/// Settles the tasks of attempts whose outcome is known.
///
/// Safe to repeat: a task that has been settled as strongly stays as it is, and one that has been
/// claimed again since only takes note of what the person decided.
pub(crate) async fn settle(
    work: &mut dyn UnitOfWork,
    concluded: &[Concluded],
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
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
    let told: HashMap<_, _> = found
        .iter()
        .map(|task| (task.id, task.decision()))
        .collect();
    let mut tasks: HashMap<_, _> = found.into_iter().map(|task| (task.id, task)).collect();
    let mut campaigns = HashMap::new();
    let mut settled: BTreeMap<CallTaskId, &CallAttempt> = BTreeMap::new();
    for Concluded { attempt, previous } in &telling {
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
            previous: *previous,
            policy: &campaign.effective_settings().retry,
            schedule: &campaign.effective_settings().schedule,
        };
        match task.clone().on(event, now) {
            Ok(moved) => {
                *task = unless_over(moved, campaign, now);
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
    let mut answered = BTreeSet::new();
    for task in &moved {
        // What the person decided has been told when it became known.
        if task.decision().is_none() || task.decision() != told[&task.id] {
            publish(work, task, settled[&task.id], ids, now).await?;
        }
        if task.state.status() == TaskStatus::Completed {
            answered.insert(task.campaign_id);
        }
    }
    exclude_opted_out(work, &telling, now).await?;
    for campaign_id in answered {
        stop_at_target(work, &campaigns[&campaign_id], now).await?;
    }
    Ok(())
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

/// The task, ended with its campaign if that has ended or starts no further call: nobody is called
/// again for it. A call in progress ends first.
pub(crate) fn unless_over(task: CallTask, campaign: &Campaign, now: Timestamp) -> CallTask {
    if task.state.status() == TaskStatus::InProgress {
        task
    } else if campaign.status.is_final() {
        task.barred(Reason::CampaignEnded, now)
    } else if let Some(reason) = campaign.winding_up {
        task.barred(reason, now)
    } else {
        task
    }
}

/// Winds the campaign up when as many people have answered as are wanted.
async fn stop_at_target(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    now: Timestamp,
) -> Result<(), StorageError> {
    let Some(target) = campaign.effective_settings().target else {
        return Ok(());
    };
    // Locked before it is counted, so that of two interviews that end at once the second counts
    // both.
    let Some(campaign) = work.campaigns().get_for_update(campaign.id).await? else {
        return Ok(());
    };
    let counters = work.campaigns().counters(campaign.id).await?;
    if counters.tasks_in(TaskStatus::Completed) >= u64::from(target.get()) {
        wind_up(work, campaign, Reason::TargetReached, now).await?;
    }
    Ok(())
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
        company_id: attempt.company_id,
        phone_number: attempt.phone_number,
        source: ExclusionSource::Spoken,
        attempt_id: Some(attempt.id),
        created_at: now,
    };
    work.exclusions().insert(&exclusion).await?;
    for task in work
        .call_tasks()
        .waiting_with_number(&attempt.phone_number)
        .await?
    {
        work.call_tasks()
            .update(&task.barred(Reason::Excluded, now))
            .await?;
    }
    Ok(())
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
