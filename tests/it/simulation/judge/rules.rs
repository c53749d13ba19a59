//! Who may be called, and when: refusals, hours, dates, caps, states, targets and budgets.

use chrono::{TimeDelta, Timelike};
use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::call_task::TaskStatus;
use voicesurvey::company::CompanyStatus;
use voicesurvey::id::{CallTaskId, CampaignId, CompanyId};
use voicesurvey::money::Cost;
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::repositories::{CallAttemptFilter, CampaignCounters, CostCount};
use voicesurvey::ports::{PageRequest, Scope};
use voicesurvey::time::Timestamp;

use super::Judge;

impl Judge {
    /// I8.
    pub(super) fn may_be_called(
        &self,
        company_id: CompanyId,
        number: &PhoneNumber,
        task_id: CallTaskId,
    ) -> Result<(), String> {
        if self.barred.contains(&(company_id, *number)) {
            return Err(format!("I8: {} is barred and called", number.as_str()));
        }
        if self.refused.contains(&task_id) {
            return Err(format!("I8: {} refused and is called", number.as_str()));
        }
        Ok(())
    }

    /// I4.
    pub(super) fn is_within_hours(
        &self,
        campaign_id: CampaignId,
        number: &PhoneNumber,
        at: Timestamp,
    ) -> Result<(), String> {
        let plan = &self.campaigns[&campaign_id];
        let local = self.zones[number].local(at);
        let (from, to) = plan.hours;
        let minute = local.hour() * 60 + local.minute();
        if !(from..to).contains(&minute) || plan.holidays.contains(&local.date()) {
            return Err(format!("I4: {} is called at {local}", number.as_str()));
        }
        let is_early = plan.starts_at.is_some_and(|starts_at| at < starts_at);
        let is_late = plan.ends_at.is_some_and(|ends_at| at >= ends_at);
        if is_early || is_late {
            return Err(format!(
                "I4: {} is called outside the dates",
                number.as_str()
            ));
        }
        Ok(())
    }

    /// Whether the company and the campaign of an attempt call people at all.
    pub(super) fn calls_people(&self, attempt: &CallAttempt, what: &str) -> Result<(), String> {
        if !self.calling.contains(&attempt.campaign_id) {
            return Err(format!("a campaign that calls nobody is {what}"));
        }
        if self.companies[&attempt.company_id].status == CompanyStatus::Suspended {
            return Err(format!("a suspended company is {what}"));
        }
        Ok(())
    }

    /// The caps per person over all campaigns: by the calls that rang, at the instants of their
    /// claims.
    pub(super) fn caps_hold(&self, claimed: &CallAttempt) -> Result<(), String> {
        let caps = &self.companies[&claimed.company_id].caps;
        let number = claimed.phone_number.as_str();
        let rang = |attempt: &&CallAttempt| {
            attempt.company_id == claimed.company_id
                && attempt.phone_number == claimed.phone_number
                && attempt.id != claimed.id
                && self.rung.contains(&attempt.id)
                && !may_not_have_rung(attempt)
        };
        let rang: Vec<Timestamp> = self
            .attempts
            .values()
            .filter(rang)
            .map(|attempt| attempt.created_at)
            .collect();
        for (most, days) in [(caps.per_day, 1), (caps.per_week, 7), (caps.per_month, 30)] {
            let begin = claimed.created_at - TimeDelta::days(days);
            let calls = rang.iter().filter(|at| **at > begin).count() + 1;
            if most.is_some_and(|most| calls > usize::from(most.get())) {
                return Err(format!(
                    "cap: {number} is called {calls} times in {days} days, {most:?} may be"
                ));
            }
        }
        let gap = caps.minimum_gap_minutes.map_or(0, |gap| gap.get().into());
        let is_soon = |at: &Timestamp| claimed.created_at - *at < TimeDelta::minutes(gap);
        if rang.iter().any(is_soon) {
            return Err(format!("cap: {number} is called again within {gap} min"));
        }
        Ok(())
    }

    /// No further call is started once as many interviews as wanted are complete, and those that
    /// were in progress are all that may be added.
    pub(super) fn stops_at_target(
        &mut self,
        id: CampaignId,
        counters: &CampaignCounters,
    ) -> Result<(), String> {
        let completed = counters.tasks_in(TaskStatus::Completed);
        let Some(target) = self.campaigns[&id].target else {
            return Ok(());
        };
        if completed < target {
            return Ok(());
        }
        if self.calling.contains(&id) {
            return Err(format!("target: {completed} of {target}, and it goes on"));
        }
        let now = (completed, counters.live_attempts());
        let (enough, under_way) = *self.enough.entry(id).or_insert(now);
        if completed > enough + under_way {
            return Err(format!(
                "target: {completed} of {target}; {under_way} calls were under way at {enough}"
            ));
        }
        Ok(())
    }

    /// What is spent, and what is reserved for calls that may have to be paid for, keep the budget.
    pub(super) fn budget_holds(&self, id: CampaignId) -> Result<(), String> {
        let company_id = self.campaigns[&id].company_id;
        let mut work = self.open(Scope::Company(company_id));
        let campaign = self
            .drive
            .finish(work.campaigns().get(id))
            .unwrap()
            .unwrap();
        let Some(budget) = &campaign.effective_settings().budget else {
            return Ok(());
        };
        let filter = CallAttemptFilter {
            campaign_id: Some(id),
            ..CallAttemptFilter::default()
        };
        let page = PageRequest::first(PageRequest::LARGEST);
        let attempts = self
            .drive
            .finish(work.call_attempts().list(&filter, &page))
            .unwrap();
        let millionths = |cost: &Cost| CostCount::of(cost).millionths;
        let estimate = millionths(&Cost {
            amount: budget.estimate_per_call,
            currency: budget.limit.currency.clone(),
        });
        let reserved: i64 = attempts
            .rows
            .iter()
            .map(|attempt| match (&attempt.cost, attempt.outcome) {
                (Some(cost), _) => millionths(cost),
                (None, Some(outcome)) if is_free(outcome) => 0,
                (None, _) => estimate,
            })
            .sum();
        let limit = millionths(&budget.limit);
        if reserved > limit {
            return Err(format!("budget: {reserved} of {limit} is reserved"));
        }
        Ok(())
    }
}

/// Whether nobody asks for money for a call that ended so.
fn is_free(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Cancelled | Outcome::ProviderRejected | Outcome::ProviderFailure
    )
}

/// Of such a call nothing but its failure was told. A provider says the same of a call that it
/// could not place.
fn may_not_have_rung(attempt: &CallAttempt) -> bool {
    attempt.outcome == Some(Outcome::ProviderFailure)
        && attempt.ringing_at.is_none()
        && attempt.answered_at.is_none()
}
