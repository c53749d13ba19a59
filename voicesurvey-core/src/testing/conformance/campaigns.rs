//! Campaigns.

use std::collections::BTreeMap;
use std::slice;

use chrono::TimeDelta;
use rust_decimal::Decimal;

use super::StorageUnderTest;
use super::support::{
    all_pages, assert_conflict, begin, claim, commit, live_call, page_after, run_campaign,
    running_campaign, store_campaign, store_tasks, stored_company,
};
use crate::call_list::Upload;
use crate::campaign::{
    CallSettings, Campaign, CampaignSettings, CampaignStatus, MachineDetection, Pacing,
    PauseReason, RetryPolicy, RetryRule, Schedule, SettingsSnapshot, VoicemailPolicy,
};
use crate::company::Company;
use crate::language::Language;
use crate::outcome::Outcome;
use crate::pace::Pace;
use crate::ports::repositories::{CallAttemptFilter, CallTaskFilter, CampaignCounters};
use crate::ports::{ClaimedTask, PageRequest};
use crate::survey::{
    ChoiceOption, Condition, Question, QuestionKind, ScaleLabel, Survey, SurveyTranslation,
};
use crate::testing::samples::{self, SampleCampaign, SampleTask};

/// A survey with every kind of question and a translation.
fn rich_survey() -> Survey {
    let number = |min, max| QuestionKind::Numeric {
        min,
        max,
        decimals: true,
    };
    let option = |key: &str| ChoiceOption {
        key: key.to_owned(),
        say: vec![format!("{key} sì"), format!("'{key}' \\ \"è\"")],
    };
    let least = Decimal::new(-105, 1);
    let most = Decimal::new(1_000_000_000_000_001, 6);
    let kinds = [
        QuestionKind::FreeText,
        number(None, None),
        number(Some(least), Some(most)),
        QuestionKind::Scale {
            min: -5,
            max: 10,
            labels: vec![ScaleLabel {
                value: -5,
                say: vec!["«male»".to_owned()],
            }],
        },
        QuestionKind::YesNo,
        QuestionKind::Choice {
            options: vec![option("blu"), option("verde")],
        },
    ];
    let questions = kinds.into_iter().enumerate().map(|(index, kind)| Question {
        key: format!("q{index}"),
        text: "Perché {{name}}? Чому? 为什么".to_owned(),
        kind,
        required: index == 0,
        retries: u8::MAX,
        show_if: (index > 0).then(rich_condition),
    });
    let translation = SurveyTranslation {
        intro_script: "Hello".to_owned(),
        consent_question: None,
        questions: BTreeMap::from([("q0".to_owned(), "Why?".to_owned())]),
        completion_message: "Bye".to_owned(),
        options: [("q3", "-5"), ("q5", "blu")]
            .map(|(question, option)| {
                let words = [(option.to_owned(), vec!["blue".to_owned()])].into();
                (question.to_owned(), words)
            })
            .into(),
    };
    Survey {
        questions: questions.collect(),
        consent_question: None,
        translations: BTreeMap::from([(Language::En, translation)]),
        ..samples::survey()
    }
}

fn rich_condition() -> Condition {
    Condition {
        question: "q0".to_owned(),
        is: vec!["perché no".to_owned(), String::new()],
        is_not: vec!["'".to_owned()],
        at_least: Some(Decimal::new(-105, 1)),
        at_most: Some(Decimal::MAX),
        answered: Some(true),
    }
}

/// A campaign with every optional thing there is.
fn rich_campaign(company: &Company) -> Campaign {
    let later = |microseconds| samples::now() + TimeDelta::microseconds(microseconds);
    let hours = r#"{
        "weekly": {"fri": [["09:00", "13:00"], ["22:00", "02:00"]]},
        "holidays": ["2026-12-25"], "eves": ["2026-12-24"], "eve_hours": [["10:00", "13:00"]]
    }"#;
    let plain = samples::campaign(company);
    let settings = CampaignSettings {
        language: Language::Fr,
        survey: rich_survey(),
        schedule: Schedule {
            starts_at: Some(later(1)),
            ends_at: Some(later(2)),
            hours: serde_json::from_str(hours).unwrap(),
            time_zone: "Pacific/Apia".parse().unwrap(),
            countries: serde_json::from_str(r#"{"IT": {"holidays": ["2026-12-08"]}}"#).unwrap(),
        },
        pacing: Pacing {
            max_concurrent_calls: 3,
            pace: Pace {
                calls_per_minute: 7,
                seconds_between_calls: 9,
            },
        },
        retry: RetryPolicy {
            max_attempts: 5,
            delays_minutes: vec![60, 240, 1440],
            rules: [(
                Outcome::Busy,
                RetryRule {
                    delays_minutes: vec![30, 60],
                },
            )]
            .into(),
            other_daypart: true,
        },
        calls: CallSettings {
            caller_id: Some(samples::phone_number(9)),
            machine_detection: Some(MachineDetection::Synchronous),
            voicemail: VoicemailPolicy::LeaveMessage {
                messages: [(Language::Fr, "Au revoir.".to_owned())].into(),
            },
        },
        ..plain.settings
    };
    Campaign {
        name: "Кампания 2027 😀".to_owned(),
        description: "a\nb\tc".to_owned(),
        snapshot: Some(SettingsSnapshot {
            frozen_at: later(3),
            skillbase: samples::skillbase(company),
            settings: settings.clone(),
        }),
        settings,
        updated_at: later(4),
        started_at: Some(later(5)),
        ended_at: Some(later(6)),
        ..plain
    }
}

/// A campaign reads back as it was stored, with everything that is optional.
pub async fn a_campaign_reads_back_as_it_was_stored(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, rich_campaign(&company)).await;
    let mut work = begin(store, &company).await;
    let stored = work.campaigns().get(campaign.id).await.unwrap();
    assert_eq!(stored, Some(campaign.clone()));
    let locked = work.campaigns().get_for_update(campaign.id).await.unwrap();
    assert_eq!(locked, Some(campaign));
}

/// A campaign that nobody else holds is locked without waiting, also by whoever holds it already.
pub async fn a_campaign_that_nobody_holds_is_locked_at_once(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let stranger = stored_company(store).await;
    let mut work = begin(store, &company).await;
    for _ in 0..2 {
        let locked = work.campaigns().get_for_update_unless_locked(campaign.id);
        assert_eq!(locked.await.unwrap(), Some(campaign.clone()));
    }
    let unknown = work.campaigns().get_for_update_unless_locked(samples::id());
    assert_eq!(unknown.await.unwrap(), None);
    drop(work);
    let mut work = begin(store, &stranger).await;
    let hidden = work.campaigns().get_for_update_unless_locked(campaign.id);
    assert_eq!(hidden.await.unwrap(), None);
}

/// Every status reads back, and every reason for a pause.
pub async fn every_status_of_a_campaign_reads_back(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let pauses = PauseReason::ALL.map(CampaignStatus::Paused);
    for status in CampaignStatus::ALL.into_iter().chain(pauses) {
        let campaign = store_campaign(store, samples::campaign(&company).in_status(status)).await;
        let mut work = begin(store, &company).await;
        assert_eq!(
            work.campaigns().get(campaign.id).await.unwrap(),
            Some(campaign)
        );
    }
}

/// Everything that an update changes reads back.
pub async fn a_changed_campaign_reads_back(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let draft = store_campaign(store, samples::campaign(&company)).await;
    let changed = Campaign {
        id: draft.id,
        status: CampaignStatus::Paused(PauseReason::Budget),
        ..rich_campaign(&company)
    };
    let mut work = begin(store, &company).await;
    work.campaigns().update(&changed).await.unwrap();
    let stored = work.campaigns().get(draft.id).await.unwrap();
    assert_eq!(
        stored,
        Some(Campaign {
            version: 2,
            ..changed
        })
    );
}

/// Of two who change a campaign at the same time, the second is refused.
pub async fn a_stale_campaign_is_a_conflict(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let draft = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin(store, &company).await;
    work.campaigns()
        .update(&draft.clone().running())
        .await
        .unwrap();
    assert_conflict(
        work.campaigns()
            .update(&draft.in_status(CampaignStatus::Cancelled))
            .await,
    );
}

/// A campaign that is not there cannot be changed.
pub async fn an_unknown_campaign_cannot_be_changed(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut work = begin(store, &company).await;
    assert_conflict(work.campaigns().update(&samples::campaign(&company)).await);
}

/// An identifier names one campaign.
pub async fn a_campaign_cannot_be_added_twice(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let campaign = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin(store, &company).await;
    assert_conflict(work.campaigns().insert(&campaign).await);
}

/// Campaigns are listed newest first, and a new one neither repeats nor hides others.
pub async fn campaigns_are_listed_newest_first(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut campaigns = Vec::new();
    for _ in 0..5 {
        campaigns.insert(0, store_campaign(store, samples::campaign(&company)).await);
    }
    let mut work = begin(store, &company).await;
    let first = work
        .campaigns()
        .list(None, &PageRequest::first(2))
        .await
        .unwrap();
    drop(work);
    let newest = store_campaign(store, samples::campaign(&company)).await;
    let mut work = begin(store, &company).await;
    let second = work
        .campaigns()
        .list(None, &page_after(&first, 3))
        .await
        .unwrap();
    assert_eq!([first.rows, second.rows].concat(), campaigns);
    assert_eq!(second.next, None);
    campaigns.insert(0, newest);
    assert_eq!(
        all_pages!(4, |page| work.campaigns().list(None, page)),
        campaigns
    );
}

/// A status narrows the list, over all pages; a name that is no status finds nothing.
pub async fn campaigns_are_listed_by_status(store: &dyn StorageUnderTest) {
    let company = stored_company(store).await;
    let mut paused = Vec::new();
    for reason in PauseReason::ALL {
        store_campaign(store, samples::campaign(&company)).await;
        let campaign = samples::campaign(&company).in_status(CampaignStatus::Paused(reason));
        paused.insert(0, store_campaign(store, campaign).await);
    }
    let mut work = begin(store, &company).await;
    let listed = all_pages!(3, |page| work.campaigns().list(Some("paused"), page));
    assert_eq!(listed, paused);
    let none = work
        .campaigns()
        .list(Some("asleep"), &PageRequest::default())
        .await
        .unwrap();
    assert_eq!((none.rows, none.next), (Vec::new(), None));
}

/// An upload and an interview of the call's campaign, and an event of the call.
async fn store_interview(
    store: &dyn StorageUnderTest,
    company: &Company,
    call: &ClaimedTask,
) -> Upload {
    let mut work = begin(store, company).await;
    let campaign = work
        .campaigns()
        .get(call.task.campaign_id)
        .await
        .unwrap()
        .unwrap();
    let upload = samples::upload(&campaign);
    work.call_lists().insert(&upload).await.unwrap();
    let turn = samples::turn(&call.attempt, 1);
    let conversation = samples::conversation(&call.attempt);
    let interviews = work.interviews();
    interviews.insert_conversation(&conversation).await.unwrap();
    interviews
        .insert_turns(slice::from_ref(&turn))
        .await
        .unwrap();
    interviews
        .put_answer(&samples::answer(&call.attempt, &turn, "q1"))
        .await
        .unwrap();
    interviews
        .insert_consent(&samples::consent(&call.attempt, &turn))
        .await
        .unwrap();
    interviews
        .put_response(&samples::response(&call.attempt))
        .await
        .unwrap();
    let event = samples::call_event(&call.attempt, "e1");
    work.events().receive(&event, samples::now()).await.unwrap();
    commit(work).await;
    upload
}

/// Removing a campaign removes everything that belongs to it.
pub async fn removing_a_campaign_removes_what_belongs_to_it(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let (id, attempt_id) = (call.task.campaign_id, call.attempt.id);
    let upload = store_interview(store, &company, &call).await;
    let mut work = begin(store, &company).await;
    assert!(work.campaigns().delete(id).await.unwrap());
    assert!(!work.campaigns().delete(id).await.unwrap());
    commit(work).await;

    let mut work = begin(store, &company).await;
    assert_eq!(work.campaigns().get(id).await.unwrap(), None);
    let counters = work.campaigns().counters(id).await.unwrap();
    assert_eq!(counters, CampaignCounters::default());
    assert_eq!(work.call_lists().get(upload.id).await.unwrap(), None);
    let page = PageRequest::default();
    let tasks = CallTaskFilter::default();
    assert_eq!(
        work.call_tasks().list(&tasks, &page).await.unwrap().rows,
        []
    );
    let attempts = CallAttemptFilter::default();
    assert_eq!(
        work.call_attempts()
            .list(&attempts, &page)
            .await
            .unwrap()
            .rows,
        []
    );
    assert_eq!(work.call_attempts().get(attempt_id).await.unwrap(), None);
    let interviews = work.interviews();
    assert_eq!(interviews.conversation(attempt_id).await.unwrap(), None);
    assert_eq!(interviews.turns(attempt_id).await.unwrap(), []);
    assert_eq!(interviews.answers(call.task.id).await.unwrap(), []);
    assert_eq!(
        interviews.campaign_answers(id, &page).await.unwrap().rows,
        []
    );
    assert_eq!(interviews.consent(attempt_id).await.unwrap(), None);
    assert_eq!(interviews.response(call.task.id).await.unwrap(), None);
}

/// Removing a campaign leaves the other campaigns of the company as they were.
pub async fn removing_a_campaign_leaves_others_alone(store: &dyn StorageUnderTest) {
    let (company, call) = live_call(store).await;
    let other = run_campaign(store, samples::campaign(&company)).await;
    let tasks = samples::tasks(&other, 50, 2);
    store_tasks(store, &tasks).await;
    let live = claim(store, samples::now() + TimeDelta::seconds(1), 1)
        .await
        .pop()
        .unwrap();
    store_interview(store, &company, &live).await;
    let mut work = begin(store, &company).await;
    assert!(
        work.campaigns()
            .delete(call.task.campaign_id)
            .await
            .unwrap()
    );
    commit(work).await;

    let mut work = begin(store, &company).await;
    assert_eq!(
        work.campaigns().get(other.id).await.unwrap(),
        Some(other.clone())
    );
    let counters = work.campaigns().counters(other.id).await.unwrap();
    assert_eq!((counters.total_tasks(), counters.live_attempts()), (2, 1));
    assert_eq!(
        work.interviews()
            .turns(live.attempt.id)
            .await
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        work.interviews().answers(live.task.id).await.unwrap().len(),
        1
    );
    drop(work);
    assert_eq!(
        store.next_expiry_at().await.unwrap(),
        Some(live.attempt.lease_until)
    );
    assert_eq!(
        claim(store, samples::now() + TimeDelta::seconds(1), 9)
            .await
            .len(),
        1
    );
}

/// A campaign that is removed before it was ever called is not called any more.
pub async fn a_removed_campaign_is_not_called(store: &dyn StorageUnderTest) {
    let (company, campaign) = running_campaign(store).await;
    let mut tasks = samples::tasks(&campaign, 1, 2);
    tasks[1] = tasks[1]
        .clone()
        .due_at(samples::now() + TimeDelta::hours(1));
    store_tasks(store, &tasks).await;
    let mut work = begin(store, &company).await;
    assert!(work.campaigns().delete(campaign.id).await.unwrap());
    commit(work).await;
    assert_eq!(claim(store, samples::now(), 10).await, []);
    assert_eq!(store.next_due_at().await.unwrap(), None);
    assert_eq!(store.next_expiry_at().await.unwrap(), None);
}
