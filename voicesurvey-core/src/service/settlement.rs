//! What follows when it is known how a call ends: the task moves, an opt-out reaches every
//! campaign, and subscribers are told. Always in the unit of work of whatever made it known.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroU16;

use serde_json::json;

use super::call_events::campaign_of;
use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, OtherAttempts, TaskEvent, TaskStatus};
use crate::campaign::Campaign;
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::Reason;
use crate::id::{CallTaskId, CampaignId, IdGenerator};
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::repositories::{CallAttemptFilter, OutboxEvent};
use crate::ports::{PageRequest, StorageError, UnitOfWork};
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
            others: other_attempts(work, attempt, *previous).await?,
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
    for task in &moved {
        // What the person decided has been told when it became known.
        if task.decision().is_none() || task.decision() != told[&task.id] {
            publish(work, task, settled[&task.id], ids, now).await?;
        }
    }
    exclude_opted_out(work, &telling, now).await?;
    stop_at_targets(work, &tasks, &moved, &campaigns, now).await
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
    // No task has more attempts than one page has rows: see the gate.
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
    let task = work.call_tasks().get_for_update(attempt.task_id).await?;
    let attempt = attempt.ended(Outcome::Cancelled, now);
    work.call_attempts().update(&attempt).await?;
    if let Some(task) = task.filter(|task| task.state.attempt_id() == Some(attempt.id)) {
        let campaign = campaign_of(work, &attempt).await?;
        let task = unless_over(settle_task(task, now), &campaign, now);
        work.call_tasks().update(&task).await?;
        if task.state.status() == TaskStatus::Completed {
            stop_at_target(work, &campaign, true, now).await?;
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

/// Winds up the campaigns of these tasks that have reached their target. Those in `moved` are
/// written in this unit of work, the others were in earlier ones.
async fn stop_at_targets(
    work: &mut dyn UnitOfWork,
    tasks: &HashMap<CallTaskId, CallTask>,
    moved: &[CallTask],
    campaigns: &HashMap<CampaignId, Campaign>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let is_completed = |task: &&CallTask| task.state.status() == TaskStatus::Completed;
    let earlier = tasks.values().filter(is_completed);
    let just_now = moved.iter().filter(is_completed);
    // The later word on a campaign counts.
    let answered: BTreeMap<CampaignId, bool> = earlier
        .map(|task| (task.campaign_id, false))
        .chain(just_now.map(|task| (task.campaign_id, true)))
        .collect();
    for (campaign_id, just_now) in answered {
        stop_at_target(work, &campaigns[&campaign_id], just_now, now).await?;
    }
    Ok(())
}

/// Winds the campaign up when as many people have answered as are wanted. `just_now` says that one
/// of them does so in this unit of work.
///
/// An upload holds the campaign for a long time, and interviews far from the target must not wait for
/// it. So it is counted without a lock first, and only locked when the target may be reached; then an
/// interview does wait, and fails with a conflict if that takes too long. Hardly anybody is missed:
///
/// - Interviews that end at the same moment do not see each other's end, but they see each other's
///   calls, which are live and were committed when they were claimed. If they reach the target
///   together, all of them go on to the lock, and the last one who gets it counts all.
/// - A call that is claimed and answered while another unit of work is already past its own count
///   misses that one and is missed by it. So it is asked once more when a call is over: its
///   interview has been committed by then, and whoever asks last counts all.
/// - An interview that ends after its call is over has nobody who asks once more. Should two of
///   those miss each other, the next one finds the target reached.
async fn stop_at_target(
    work: &mut dyn UnitOfWork,
    campaign: &Campaign,
    just_now: bool,
    now: Timestamp,
) -> Result<(), StorageError> {
    let Some(target) = campaign.effective_settings().target else {
        return Ok(());
    };
    if campaign.status.is_final() || campaign.winding_up.is_some() {
        return Ok(());
    }
    let target = u64::from(target.get());
    let counters = work.campaigns().counters(campaign.id).await?;
    let others = counters.live_attempts() * u64::from(just_now);
    if counters.tasks_in(TaskStatus::Completed) + others < target {
        return Ok(());
    }
    let Some(campaign) = work.campaigns().get_for_update(campaign.id).await? else {
        return Ok(());
    };
    let counters = work.campaigns().counters(campaign.id).await?;
    let too_many = u64::from(planted::is(Bug::OneMoreThanWanted));
    if counters.tasks_in(TaskStatus::Completed) >= target + too_many {
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
