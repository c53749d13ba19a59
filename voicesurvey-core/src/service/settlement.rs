//! What follows when it is known how a call ends: the task moves, an opt-out reaches every
//! campaign, and subscribers are told. Always in the unit of work of whatever made it known.

use serde_json::json;

use crate::call_attempt::CallAttempt;
use crate::call_task::{CallTask, TaskEvent, TaskStatus};
use crate::campaign::Campaign;
use crate::exclusion::{Exclusion, ExclusionSource};
use crate::gate::Reason;
use crate::id::IdGenerator;
use crate::outcome::Outcome;
use crate::planted::{self, Bug};
use crate::ports::repositories::OutboxEvent;
use crate::ports::{StorageError, UnitOfWork};
use crate::time::Timestamp;

/// Settles the task of an attempt whose outcome is known, whether or not the line is free yet.
/// `previous` is the outcome that the attempt had before, if it had one.
///
/// Safe to repeat: a task that has been settled as strongly stays as it is, and one that has been
/// claimed again since is not touched.
pub async fn settle(
    work: &mut dyn UnitOfWork,
    attempt: &CallAttempt,
    previous: Option<Outcome>,
    campaign: &Campaign,
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    // An attempt that was given up undialed says nothing about the person.
    let Some(outcome) = attempt.outcome.filter(|&told| told != Outcome::Cancelled) else {
        return Ok(());
    };
    if let Some(task) = work.call_tasks().get_for_update(attempt.task_id).await? {
        let event = TaskEvent::Settled {
            attempt_id: attempt.id,
            attempt_number: attempt.number,
            outcome,
            previous,
            policy: &campaign.effective_settings().retry,
            schedule: &campaign.effective_settings().schedule,
        };
        match task.on(event, now) {
            Ok(task) => {
                let task = unless_over(task, campaign, now);
                work.call_tasks().update(&task).await?;
                publish(work, &task, attempt, ids, now).await?;
            }
            Err(error) => tracing::debug!(attempt = %attempt.id, %error, "nothing to settle"),
        }
    }
    if outcome == Outcome::OptedOut && !planted::is(Bug::OptOutOfOneCampaign) {
        exclude(work, attempt, now).await?;
    }
    Ok(())
}

/// The task, ended with its campaign if that has ended: nobody is called again for it.
pub(crate) fn unless_over(task: CallTask, campaign: &Campaign, now: Timestamp) -> CallTask {
    if campaign.status.is_final() {
        task.barred(Reason::CampaignEnded, now)
    } else {
        task
    }
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

/// Tells subscribers that a task has ended (row A23).
async fn publish(
    work: &mut dyn UnitOfWork,
    task: &CallTask,
    attempt: &CallAttempt,
    ids: &IdGenerator,
    now: Timestamp,
) -> Result<(), StorageError> {
    let kind = match task.state.status() {
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
