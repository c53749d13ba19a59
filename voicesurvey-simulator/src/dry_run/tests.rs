use std::num::{NonZeroU16, NonZeroU32};

use voicesurvey_core::calling_hours::CallingHours;
use voicesurvey_core::campaign::{Budget, RetryPolicy};
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::pace::Pace;
use voicesurvey_core::testing::samples::{self, SampleCampaign as _};

use super::*;
use crate::settings::{Population, Probability};

/// A campaign that is tried out, with the people on its list.
struct Trial {
    company: Company,
    campaign: Campaign,
    tasks: Vec<CallTask>,
    excluded: HashSet<PhoneNumber>,
    settings: DryRunSettings,
}

impl Trial {
    fn of(contacts: u32, settings: DryRunSettings) -> Self {
        let company = samples::company();
        let campaign = samples::campaign(&company).with_lines(10);
        Self {
            tasks: samples::tasks(&campaign, 0, contacts),
            company,
            campaign,
            excluded: HashSet::new(),
            settings,
        }
    }

    async fn prepared(&self) -> Result<DryRun, DryRunError> {
        let plan = DryRunPlan {
            company: &self.company,
            campaign: &self.campaign,
            skillbase: &samples::skillbase(&self.company),
            counters: &CampaignCounters::default(),
            provider_limits: None,
            now: samples::now(),
        };
        let mut dry_run = DryRun::new(plan, self.settings.clone()).await?;
        dry_run.add(&self.tasks, &self.excluded).await?;
        Ok(dry_run)
    }

    async fn run(&self) -> DryRunReport {
        let report = self.prepared().await.unwrap().run(|| true).await.unwrap();
        for score in &report.scorecard {
            assert_eq!(score.violations, 0, "{score:?}");
            assert_eq!(score.checked, report.calls, "{score:?}");
        }
        let open = report
            .contacts_by_status
            .keys()
            .find(|status| !status.is_final());
        let finished = !matches!(report.finish, Finish::BudgetUsedUp | Finish::Stalled);
        assert_eq!(open.is_none(), finished, "{:?}", report.contacts_by_status);
        report
    }
}

/// Nothing ever goes wrong between the dialing and the end of the interview.
fn everybody_answers() -> DryRunSettings {
    DryRunSettings {
        seed: 7,
        population: ideal_lines(),
        pick_up_rate: Some(Probability::ALWAYS),
        completion_rate: Some(Probability::ALWAYS),
        ..DryRunSettings::default()
    }
}

fn nobody_answers() -> DryRunSettings {
    DryRunSettings {
        pick_up_rate: Some(Probability::NEVER),
        ..everybody_answers()
    }
}

fn ideal_lines() -> Population {
    serde_json::from_value(serde_json::json!({
        "numbers": {
            "invalid": 0.0, "disconnected": 0.0, "fax": 0.0, "call_screening": 0.0,
            "wrong_person": 0.0, "voicemail": 0.0,
        },
        "lines": { "busy": 0.0, "switched_off": 0.0, "declined": 0.0, "another_person": 0.0 },
    }))
    .unwrap()
}

#[tokio::test]
async fn when_everybody_answers_each_is_called_once() {
    let report = Trial::of(200, everybody_answers()).run().await;
    assert_eq!(report.finish, Finish::Completed);
    assert_eq!(
        (report.contacts, report.calls, report.completes),
        (200, 200, 200)
    );
    assert_eq!(report.attempts_by_outcome[&Outcome::Completed], 200);
    assert_eq!(report.most_calls_at_once, 10, "all lines were used");
    assert!(report.unreached.is_empty());
    assert!(report.cost.minutes >= 200);
    assert_eq!(
        report.cost.low * rust_decimal::Decimal::TEN,
        report.cost.high
    );
    assert!(report.finished_at > report.started_at);
}

#[tokio::test]
async fn when_nobody_answers_all_attempts_are_used_up() {
    let report = Trial::of(50, nobody_answers()).run().await;
    assert_eq!(report.finish, Finish::Completed);
    assert_eq!(
        (report.calls, report.completes, report.cost.minutes),
        (150, 0, 0)
    );
    let [unreached] = &report.unreached[..] else {
        panic!("{:?}", report.unreached)
    };
    assert_eq!(unreached.reason, "attempts_used_up");
    assert_eq!((unreached.never_called, unreached.called_in_vain), (0, 50));
    assert_eq!(unreached.examples[0], "+39…00");
}

#[tokio::test]
async fn somebody_whose_zones_are_never_open_together_is_never_called() {
    let mut trial = Trial::of(3, everybody_answers());
    let hours = CallingHours::daily("09:00".parse().unwrap(), "10:00".parse().unwrap());
    trial.campaign.settings.schedule.hours = hours.unwrap();
    trial.tasks[1].contact.time_zones = ["Europe/Rome", "Asia/Tokyo"]
        .map(|zone| zone.parse().unwrap())
        .into();
    let report = trial.run().await;
    assert_eq!((report.finish, report.calls), (Finish::Completed, 2));
    let [unreached] = &report.unreached[..] else {
        panic!("{:?}", report.unreached)
    };
    assert_eq!(unreached.reason, "never_in_calling_hours");
    assert_eq!((unreached.never_called, unreached.called_in_vain), (1, 0));
}

#[tokio::test]
async fn who_is_excluded_is_not_called() {
    let mut trial = Trial::of(3, everybody_answers());
    trial.excluded.insert(trial.tasks[2].contact.phone_number);
    let report = trial.run().await;
    assert_eq!((report.calls, report.unreached[0].reason), (2, "excluded"));
}

#[tokio::test]
async fn a_cap_of_one_call_a_day_spreads_the_attempts_over_days() {
    let mut trial = Trial::of(20, nobody_answers());
    let uncapped = trial.run().await;
    assert!(uncapped.finished_at - uncapped.started_at < TimeDelta::days(1));
    trial.company.caps.per_day = NonZeroU16::new(1);
    let report = trial.run().await;
    assert_eq!(report.calls, 60);
    assert!(report.finished_at - report.started_at > TimeDelta::days(2));
    let calls: Vec<u64> = report.calls_per_day.iter().map(|day| day.calls).collect();
    assert_eq!(calls, [20, 20, 20]);
}

#[tokio::test]
async fn an_end_date_that_is_too_early_is_told() {
    let mut trial = Trial::of(100, everybody_answers());
    trial.campaign.settings.pacing.pace = Pace::per_minute(1);
    trial.campaign.settings.schedule.ends_at = Some(samples::now() + TimeDelta::minutes(30));
    let report = trial.run().await;
    assert_eq!((report.finish, report.calls), (Finish::EndDateReached, 30));
    let [unreached] = &report.unreached[..] else {
        panic!("{:?}", report.unreached)
    };
    assert_eq!(
        (unreached.reason, unreached.never_called),
        ("campaign_ended", 70)
    );
}

#[tokio::test]
async fn a_target_stops_the_calling() {
    let mut trial = Trial::of(100, everybody_answers());
    trial.campaign.settings.target = NonZeroU32::new(20);
    let report = trial.run().await;
    assert_eq!(report.finish, Finish::TargetReached);
    assert!(
        (20..30).contains(&report.completes),
        "as many more as calls ran"
    );
    assert_eq!(report.unreached[0].reason, "target_reached");
}

#[tokio::test]
async fn a_budget_stops_the_calling() {
    let mut trial = Trial::of(100, everybody_answers());
    trial.campaign.settings.budget = Some(Budget {
        limit: Cost {
            amount: rust_decimal::Decimal::ONE,
            currency: "EUR".to_owned(),
        },
        estimate_per_call: rust_decimal::Decimal::new(10, 2),
    });
    let report = trial.run().await;
    assert_eq!((report.finish, report.calls), (Finish::BudgetUsedUp, 10));
    assert_eq!(report.unreached[0].reason, "budget_used_up");
    assert_eq!(report.unreached[0].never_called, 90);
}

#[tokio::test]
async fn a_suspended_company_calls_nobody() {
    let mut trial = Trial::of(5, everybody_answers());
    trial.company.status = CompanyStatus::Suspended;
    let report = trial.run().await;
    assert_eq!((report.finish, report.calls), (Finish::Stalled, 0));
    assert_eq!(report.unreached[0].reason, "company_suspended");
}

#[tokio::test]
async fn limits_hold_and_calls_keep_to_the_hours() {
    let mut trial = Trial::of(300, DryRunSettings::default());
    trial.campaign.settings.schedule.hours = CallingHours::nine_to_nine();
    trial.campaign.settings.retry = RetryPolicy {
        max_attempts: 5,
        delays_minutes: vec![60, 240, 1440],
        ..RetryPolicy::default()
    };
    trial.company.limits.max_concurrent_calls = 3;
    trial.company.limits.calls_per_minute = 4;
    for (index, task) in trial.tasks.iter_mut().enumerate() {
        let zones = ["Europe/Rome", "America/New_York", "Asia/Kolkata"];
        task.contact.time_zones = vec![zones[index % 3].parse().unwrap()];
    }
    let report = trial.run().await;
    assert_eq!(report.finish, Finish::Completed);
    assert!(
        report.calls > 500 && report.most_calls_at_once <= 3,
        "{report:?}"
    );
    assert!(
        report.completes > 100 && report.completes < 250,
        "{report:?}"
    );
    assert!(
        report.attempts_by_outcome.len() > 8,
        "{:?}",
        report.attempts_by_outcome
    );
}

#[tokio::test]
async fn the_same_seed_gives_the_same_report_and_another_seed_another() {
    let mut trial = Trial::of(200, DryRunSettings::default());
    let first = trial.run().await;
    assert_eq!(first, trial.run().await);
    trial.settings.seed = 1;
    assert_ne!(
        first.attempts_by_outcome,
        trial.run().await.attempts_by_outcome
    );
}

#[tokio::test]
async fn rates_are_what_the_caller_asks_for() {
    let mut trial = Trial::of(1_000, everybody_answers());
    trial.settings.completion_rate = Some(Probability::percent(30));
    let report = trial.run().await;
    assert!(
        (250..350).contains(&report.completes),
        "{}",
        report.completes
    );
    assert!(report.attempts_by_outcome[&Outcome::Refused] > 300);
}

#[tokio::test]
async fn who_leaves_in_the_middle_is_called_again_only_if_they_wish() {
    let mut settings = DryRunSettings {
        population: Population::willing(),
        ..DryRunSettings::default()
    };
    let questions = &mut settings.population.questions;
    questions.opts_out = Probability::percent(20);
    questions.calls_back = Probability::percent(20);
    questions.wrong_person = Probability::percent(20);
    let mut trial = Trial::of(300, settings);
    let asked = &mut trial.campaign.settings.survey.questions;
    let mut second = asked[0].clone();
    second.key = "second".to_owned();
    asked.push(second);
    let report = trial.run().await;
    for outcome in [
        Outcome::OptedOut,
        Outcome::CallBackRequested,
        Outcome::Interrupted,
        Outcome::WrongPerson,
        Outcome::Completed,
    ] {
        let calls = report.attempts_by_outcome.get(&outcome);
        assert!(calls.is_some_and(|calls| *calls > 10), "{outcome}");
    }
    assert!(report.calls > 300);
}

#[tokio::test]
async fn what_cannot_be_tried_out_is_refused() {
    let mut trial = Trial::of(0, everybody_answers());
    let empty = trial.prepared().await.unwrap().run(|| true).await;
    assert!(matches!(empty, Err(DryRunError::NoContacts)));

    trial.tasks = samples::tasks(&trial.campaign, 0, 1);
    let stopped = trial.prepared().await.unwrap().run(|| false).await;
    assert!(matches!(stopped, Err(DryRunError::Interrupted)));

    trial.settings.prices.currency = "euro".to_owned();
    assert!(matches!(
        trial.prepared().await,
        Err(DryRunError::InvalidPrices)
    ));

    trial.settings = everybody_answers();
    trial.campaign = trial.campaign.in_status(CampaignStatus::Cancelled);
    let ended = trial.prepared().await;
    assert!(matches!(
        ended,
        Err(DryRunError::CampaignEnded("cancelled"))
    ));
}
