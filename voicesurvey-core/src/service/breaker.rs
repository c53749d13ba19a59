//! The circuit breaker: a campaign whose calls fail one after the other is paused, with the cause.
//!
//! It counts rows, not events in memory, so it acts alike on any server and after a restart. What
//! happened before the campaign was last changed does not count: whoever resumes it by hand starts
//! anew. A paused campaign lets its calls in progress end.

use crate::call_attempt::{AttemptState, CallAttempt};
use crate::campaign::{CampaignEvent, PauseReason};
use crate::id::CampaignId;
use crate::outcome::Outcome;
use crate::ports::repositories::CallAttemptFilter;
use crate::ports::{PageRequest, StorageError, UnitOfWork};
use crate::time::Timestamp;

/// So many calls in a row are no accident.
pub(crate) const FAILURES_IN_A_ROW: usize = 10;
/// The newest attempts that are looked at; those that are still under way, or were given up
/// undialed, say nothing.
const LOOKED_AT: u16 = 200;

/// Pauses the campaign if its latest calls have all failed for reasons that are not the people's.
/// Called when one has, in the unit of work that notes it.
pub(crate) async fn pause_if_failing(
    work: &mut dyn UnitOfWork,
    campaign_id: CampaignId,
    now: Timestamp,
) -> Result<(), StorageError> {
    let filter = CallAttemptFilter {
        campaign_id: Some(campaign_id),
        ..CallAttemptFilter::default()
    };
    let page = PageRequest::first(LOOKED_AT);
    let newest = work.call_attempts().list(&filter, &page).await?.rows;
    let Some(campaign) = work.campaigns().get_for_update(campaign_id).await? else {
        return Ok(());
    };
    let since = newest
        .iter()
        .take_while(|attempt| attempt.created_at >= campaign.updated_at);
    let Some(cause) = cause_of_failure(since) else {
        return Ok(());
    };
    let Ok(paused) = campaign.on(CampaignEvent::Pause(cause), now) else {
        return Ok(());
    };
    work.campaigns().update(&paused).await?;
    tracing::error!(campaign = %campaign_id, cause = cause.name(), "campaign paused: its calls fail");
    Ok(())
}

/// Why the campaign must not go on, if the latest calls say so.
fn cause_of_failure<'a>(
    newest_first: impl Iterator<Item = &'a CallAttempt>,
) -> Option<PauseReason> {
    let mut failures: Vec<&CallAttempt> = Vec::with_capacity(FAILURES_IN_A_ROW);
    let mut is_taking = false;
    for attempt in newest_first {
        match fails(attempt) {
            Some(true) => failures.push(attempt),
            Some(false) => break,
            // It has been taken, and nothing else is known of it yet.
            None => is_taking |= attempt.state == AttemptState::Accepted,
        }
        if failures.len() == FAILURES_IN_A_ROW {
            break;
        }
    }
    let never_taken = failures.iter().all(|attempt| attempt.accepted_at.is_none());
    // A provider that refuses some at once and takes others is not down.
    if failures.len() < FAILURES_IN_A_ROW || (never_taken && is_taking) {
        return None;
    }
    Some(if never_taken {
        PauseReason::ProviderDown
    } else {
        PauseReason::ProviderFailure
    })
}

/// Whether the call failed; `None` while it says nothing about the line.
fn fails(attempt: &CallAttempt) -> Option<bool> {
    match (attempt.state, attempt.outcome) {
        (_, Some(Outcome::ProviderFailure)) | (AttemptState::Unknown, None) => Some(true),
        // Nobody knows how it ended: after a crash that is so of all calls, and no fault of the line.
        (_, Some(Outcome::Cancelled | Outcome::Lost))
        | (AttemptState::Created | AttemptState::Accepted, None) => None,
        // It rings, or somebody answered, or it ended in some other way: the line works.
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::samples;

    fn attempt(state: AttemptState, outcome: Option<Outcome>) -> CallAttempt {
        let campaign = samples::campaign(&samples::company());
        let task = samples::task(&campaign, "+393471234567");
        let now = samples::now();
        let attempt = CallAttempt::created(samples::id(), &task, "simulated", now, now, now);
        CallAttempt {
            state,
            outcome,
            ..attempt
        }
    }

    fn failed() -> CallAttempt {
        attempt(AttemptState::Ended, Some(Outcome::ProviderFailure))
    }

    #[test]
    fn ten_failures_in_a_row_pause() {
        let calls: Vec<_> = (0..10).map(|_| failed()).collect();
        let cause = Some(PauseReason::ProviderDown);
        assert_eq!(cause_of_failure(calls.iter()), cause);
        assert_eq!(cause_of_failure(calls[1..].iter()), None);
    }

    #[test]
    fn one_call_that_rang_in_between_does_not() {
        let mut calls: Vec<_> = (0..20).map(|_| failed()).collect();
        calls[5] = attempt(AttemptState::Ended, Some(Outcome::NoAnswer));
        assert_eq!(cause_of_failure(calls.iter()), None);
    }

    #[test]
    fn calls_under_way_and_calls_given_up_are_passed_over() {
        let mut calls: Vec<_> = (0..10).map(|_| failed()).collect();
        calls.insert(0, attempt(AttemptState::Created, None));
        calls.insert(3, attempt(AttemptState::Ended, Some(Outcome::Cancelled)));
        assert!(cause_of_failure(calls.iter()).is_some());
    }

    #[test]
    fn a_provider_that_takes_calls_in_between_is_not_down() {
        let mut calls: Vec<_> = (0..10).map(|_| failed()).collect();
        calls.insert(4, attempt(AttemptState::Accepted, None));
        assert_eq!(cause_of_failure(calls.iter()), None);
    }

    #[test]
    fn a_provider_that_took_calls_is_not_down() {
        let mut calls: Vec<_> = (0..10).map(|_| failed()).collect();
        calls[2].accepted_at = Some(samples::now());
        let cause = Some(PauseReason::ProviderFailure);
        assert_eq!(cause_of_failure(calls.iter()), cause);
    }
}
