//! The copies that a dry run works on: small, because there may be a million of them.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use rust_decimal::Decimal;
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Campaign, CampaignSettings, CampaignStatus, Pacing};
use voicesurvey_core::pace::Pace;
use voicesurvey_core::queue::claim::calls_within_budget;
use voicesurvey_core::quota::Quotas;
use voicesurvey_core::skillbase::Persona;
use voicesurvey_core::time::Timestamp;

use super::settings::DryRunSettings;
use super::telephones::task_id;
use super::{DryRunError, DryRunPlan};

/// The campaign as it runs in the dry run: started, without texts, and with what is left of target
/// and budget.
pub(super) fn started_copy(plan: &DryRunPlan<'_>) -> Result<Campaign, DryRunError> {
    let campaign = plan.campaign;
    if campaign.status.is_final() {
        return Err(DryRunError::CampaignEnded(campaign.status.name()));
    }
    if let Some(reason) = campaign.winding_up {
        return Err(DryRunError::CampaignEnded(reason.name()));
    }
    let mut copy = campaign.clone().frozen(plan.skillbase, plan.now);
    let left = calls_within_budget(&copy, plan.counters);
    if let Some(snapshot) = &mut copy.snapshot {
        snapshot.skillbase.persona = Persona::default();
        reduce(&mut snapshot.settings, plan, left)?;
        copy.settings = snapshot.settings.clone();
    }
    copy.settings.skillbase_id = plan.skillbase.id;
    copy.status = CampaignStatus::Running;
    copy.started_at = copy.started_at.or(Some(plan.now));
    copy.created_at = plan.now;
    copy.updated_at = plan.now;
    Ok(copy)
}

/// Takes the texts out, and what was achieved and spent off.
fn reduce(
    settings: &mut CampaignSettings,
    plan: &DryRunPlan<'_>,
    calls_left: Option<u32>,
) -> Result<(), DryRunError> {
    let survey = &mut settings.survey;
    survey.intro_script.clear();
    survey.consent_question = None;
    survey.questions.clear();
    survey.completion_message.clear();
    survey.translations.clear();
    if let Some(target) = settings.target {
        let completed = plan.counters.tasks_in(TaskStatus::Completed);
        let left = u64::from(target.get()).saturating_sub(completed);
        let left = NonZeroU32::new(u32::try_from(left).unwrap_or(u32::MAX));
        settings.target = Some(left.ok_or(DryRunError::CampaignEnded("target_reached"))?);
    }
    let places = plan.campaign.places(plan.counters);
    if let Some((quotas, places)) = settings.quotas.as_mut().zip(places) {
        for (cell, place) in quotas.cells.iter_mut().zip(places.cells()) {
            let left = place.target.saturating_sub(place.completed);
            cell.target = u32::try_from(left).unwrap_or(u32::MAX);
        }
    }
    if let Some((budget, calls)) = settings.budget.as_mut().zip(calls_left) {
        let spent = plan.counters.costs.get(&budget.limit.currency);
        budget.limit.amount -= spent.copied().unwrap_or_default().amount();
        if budget.estimate_per_call > Decimal::ZERO {
            // What is reserved for calls without a price is not left either.
            let left = budget.estimate_per_call * Decimal::from(calls);
            budget.limit.amount = budget.limit.amount.min(left);
        }
    }
    Ok(())
}

/// The task of the person at that place in the list: as it stands, but without name and data.
pub(super) fn copy_of(
    task: &CallTask,
    place: u32,
    campaign: &Campaign,
    now: Timestamp,
) -> CallTask {
    let mut copy = CallTask {
        id: task_id(place),
        company_id: campaign.company_id,
        campaign_id: campaign.id,
        upload_id: None,
        created_at: now,
        ..task.clone()
    };
    copy.contact.name = String::new();
    copy.contact.extra = BTreeMap::new();
    if let TaskState::InProgress { .. } = copy.state {
        copy.state = TaskState::Pending { due_at: now };
    }
    copy
}

/// The limits of campaign, company and provider account; each must be kept.
pub(super) fn limits(plan: &DryRunPlan<'_>) -> Vec<Pacing> {
    let company = plan.company.limits;
    let company = Pacing {
        max_concurrent_calls: company.max_concurrent_calls,
        pace: Pace::per_minute(company.calls_per_minute),
    };
    let campaign = plan.campaign.effective_settings().pacing;
    [campaign, company]
        .into_iter()
        .chain(plan.provider_limits)
        .collect()
}

/// What the dry run takes for granted, in sentences.
pub(super) fn assumptions(settings: &DryRunSettings, campaign: &CampaignSettings) -> Vec<String> {
    let mut sentences = vec![
        "The campaign is started or resumed at once, and nobody changes it.".to_owned(),
        "Other campaigns of the company are ignored: they use no lines, call nobody and have called \
         nobody lately."
            .to_owned(),
        "The provider takes every order to dial, and no event is lost.".to_owned(),
        format!(
            "A started minute of an answered call costs {} to {} {}.",
            settings.prices.per_minute_low,
            settings.prices.per_minute_high,
            settings.prices.currency
        ),
    ];
    let quotas = campaign.quotas.as_ref();
    if quotas.is_some_and(Quotas::depend_on_answers) {
        sentences.push(
            "Nobody answers anything: only what stands in the call list puts people into the cells \
             of quotas."
                .to_owned(),
        );
    }
    let budget = campaign.budget.as_ref();
    if budget.is_some_and(|budget| budget.limit.currency == settings.prices.currency) {
        sentences.push("The budget is spent at the higher price.".to_owned());
    } else if budget.is_some() {
        sentences.push(
            "The budget is in another currency than the prices, so its estimate per call is spent."
                .to_owned(),
        );
    }
    sentences
}
