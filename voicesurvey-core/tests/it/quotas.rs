//! Quotas: who is in a full cell is not called, and whom an answer puts into one is let go.

use chrono::TimeDelta;
use serde_json::{Value, json};
use voicesurvey_core::call_attempt::CallAttempt;
use voicesurvey_core::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey_core::campaign::{Campaign, CampaignStatus};
use voicesurvey_core::conversation::{Then, VoiceReply};
use voicesurvey_core::gate::Reason;
use voicesurvey_core::outcome::Outcome;
use voicesurvey_core::quota::{Quotas, Room};
use voicesurvey_core::service::{CampaignChanges, CampaignService as _, Change};
use voicesurvey_core::testing::samples;

use super::lifecycle::{end, with_many_lines};
use super::scripted::{World, with_questions};

const SOON: TimeDelta = TimeDelta::seconds(1);
const A_DAY: TimeDelta = TimeDelta::days(1);

/// What a provider tells of a line that failed.
const DROPPED: Option<Outcome> = Some(Outcome::ProviderFailure);

fn quotas(policy: &str, cells: &Value) -> Option<Quotas> {
    serde_json::from_value(json!({"policy": policy, "cells": cells})).unwrap()
}

fn by_group(policy: &str, targets: &[(&str, u32)]) -> Option<Quotas> {
    let cell = |(group, target): &(&str, u32)| json!({"name": group, "target": target, "where": {"columns": {"group": group}}});
    let cells: Vec<Value> = targets.iter().map(cell).collect();
    quotas(policy, &cells.into())
}

/// One person of each of these groups, in that order.
fn people(campaign: &Campaign, groups: &[&str]) -> Vec<CallTask> {
    let mut tasks = samples::tasks(campaign, 1, u32::try_from(groups.len()).unwrap());
    for (task, group) in tasks.iter_mut().zip(groups) {
        let columns = &mut task.contact.extra;
        columns.insert("Group".to_owned(), (*group).to_owned());
        task.cells = campaign.cells_of(&task.contact);
    }
    tasks
}

async fn calling(quotas: Option<Quotas>, groups: &[&str]) -> (World, Campaign, Vec<CallTask>) {
    let world = World::new().await;
    let mut campaign = with_many_lines(samples::campaign(&world.company));
    campaign.settings.quotas = quotas;
    let tasks = people(&campaign, groups);
    world.start(&campaign, &tasks).await;
    (world, campaign, tasks)
}

async fn statuses(world: &World, tasks: &[CallTask]) -> Vec<TaskStatus> {
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(world.task(task).await.state.status());
    }
    statuses
}

#[tokio::test]
async fn people_in_a_full_cell_are_not_called_and_others_are() {
    let quotas = by_group("count_at_completion", &[("a", 1), ("b", 5)]);
    let (world, campaign, mut tasks) = calling(quotas, &["a", "b", ""]).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 3);
    end(&world, &tasks[0], Outcome::Completed).await;
    // Whoever comes later is in the cells that the settings say.
    let mut late = samples::tasks(&campaign, 10, 3);
    for (task, group) in late.iter_mut().zip(["A", "b", "c"]) {
        task.contact
            .extra
            .insert("group".to_owned(), group.to_owned());
        task.cells = campaign.cells_of(&task.contact);
    }
    let mut work = world.work().await;
    work.call_tasks().insert_many(&late).await.unwrap();
    work.commit().await.unwrap();
    tasks.extend(late);
    world.follow_for(SOON).await;
    let expected = [
        TaskStatus::Completed,
        TaskStatus::InProgress,
        TaskStatus::InProgress,
        TaskStatus::Cancelled,
        TaskStatus::InProgress,
        TaskStatus::InProgress,
    ];
    assert_eq!(statuses(&world, &tasks).await, expected);
    let ended = world.task(&tasks[3]).await;
    assert_eq!(ended.reason, Some(Reason::QuotaFull));
    assert_eq!(ended.attempts_count, 0);
    let why = world.why_not_now(&tasks[3]).await.unwrap();
    assert_eq!(why.reason, Reason::QuotaFull);
}

#[tokio::test]
async fn a_cell_that_reserves_its_places_lets_people_wait_and_go_on() {
    let quotas = by_group("reserve_at_dial", &[("a", 2)]);
    let (world, campaign, tasks) = calling(quotas, &["a", "a", "a", "a"]).await;
    world.step().await;
    assert_eq!(world.provider.dialed().len(), 2, "two places");
    let standing = world.standing(&campaign).await;
    assert_eq!(standing.reasons.get(&Reason::QuotaReserved), Some(&2));
    let waiting = tasks.iter().filter(|task| !task.cells.is_empty());
    for task in waiting {
        if world.task(task).await.state.status() == TaskStatus::Pending {
            let why = world.why_not_now(task).await.unwrap();
            assert_eq!((why.reason, why.until), (Reason::QuotaReserved, None));
        }
    }
    end(&world, &tasks[0], Outcome::Refused).await;
    world.follow_for(SOON).await;
    assert_eq!(world.provider.dialed().len(), 3, "one place was given back");
    end(&world, &tasks[1], Outcome::Completed).await;
    end(&world, &tasks[2], Outcome::Completed).await;
    world.follow_for(SOON).await;
    assert_eq!(world.provider.dialed().len(), 3);
    let (campaign, _) = world.campaign(&campaign).await;
    assert_eq!(campaign.status, CampaignStatus::Completed);
    assert_eq!(campaign.winding_up, Some(Reason::QuotaFull));
}

#[tokio::test]
async fn a_campaign_winds_up_when_every_cell_is_full() {
    let quotas = by_group("count_at_completion", &[("a", 1), ("b", 1)]);
    let (world, campaign, tasks) = calling(quotas, &["a", "b", "c"]).await;
    world.step().await;
    end(&world, &tasks[0], Outcome::Completed).await;
    world.follow_for(SOON).await;
    assert_eq!(world.campaign(&campaign).await.0.winding_up, None);
    end(&world, &tasks[1], Outcome::Completed).await;
    world.follow_for(SOON).await;
    let (campaign, counters) = world.campaign(&campaign).await;
    assert_eq!(campaign.winding_up, Some(Reason::QuotaFull));
    assert_eq!(
        campaign.status,
        CampaignStatus::Running,
        "a call is in progress"
    );
    assert_eq!(counters.tasks_in_cell(0, TaskStatus::Completed), 1);
    end(&world, &tasks[2], Outcome::Busy).await;
    world.follow_for(SOON).await;
    let (campaign, _) = world.campaign(&campaign).await;
    assert_eq!(campaign.status, CampaignStatus::Completed);
}

/// A cell of those who say yes to the first question of two.
async fn asking_first(target: u32, count: usize) -> (World, Campaign, Vec<CallTask>) {
    let world = World::new().await;
    let mut campaign = with_many_lines(with_questions(samples::campaign(&world.company), 2));
    campaign.settings.retry.other_daypart = false;
    let key = &campaign.settings.survey.questions[0].key;
    let cells = json!([{"name": "yes", "target": target, "where": {"answers": {key: true}}}]);
    campaign.settings.quotas = quotas("count_at_completion", &cells);
    let tasks = people(&campaign, &vec!["any"; count]);
    world.start(&campaign, &tasks).await;
    world.step().await;
    (world, campaign, tasks)
}

/// Picks up, consents and answers.
async fn interviewed(
    world: &World,
    task: &CallTask,
    answers: &[&str],
) -> (CallAttempt, VoiceReply) {
    let attempt = world.latest_attempt(task).await;
    let mut reply = world.pick_up(&attempt).await;
    for words in ["sì"].iter().chain(answers) {
        reply = world.say(&attempt, words).await;
    }
    (attempt, reply)
}

#[tokio::test]
async fn whom_an_answer_puts_into_a_full_cell_is_thanked_and_let_go() {
    let (world, campaign, tasks) = asking_first(1, 4).await;
    // Who was let in before it was full finishes the interview.
    let (early, _) = interviewed(&world, &tasks[3], &["sì"]).await;
    let (first, _) = interviewed(&world, &tasks[0], &["sì", "no"]).await;
    world.end(&first, None).await;
    let (second, reply) = interviewed(&world, &tasks[1], &["sì"]).await;
    assert_eq!(reply.then, Then::HangUp);
    assert_eq!(reply.say, ["Grazie. Arrivederci."]);
    world.end(&second, None).await;
    let sent_away = world.task(&tasks[1]).await;
    assert_eq!(sent_away.state, TaskState::Cancelled);
    assert_eq!(sent_away.outcome, Some(Outcome::QuotaFull));
    assert_eq!(sent_away.reason, Some(Reason::QuotaFull));
    assert_eq!(sent_away.attempts_spent, 1);
    assert_eq!(world.answers(&tasks[1]).await.len(), 1, "the answer stays");
    let (third, reply) = interviewed(&world, &tasks[2], &["no"]).await;
    assert_ne!(
        reply.then,
        Then::HangUp,
        "whoever is not in the cell goes on"
    );
    world.say(&third, "no").await;
    world.say(&early, "no").await;
    for task in [&tasks[2], &tasks[3]] {
        assert_eq!(world.task(task).await.state, TaskState::Completed);
    }
    let (_, counters) = world.campaign(&campaign).await;
    assert_eq!(counters.tasks_in_cell(0, TaskStatus::Completed), 2);
    assert_eq!(counters.tasks_in_cell(0, TaskStatus::Cancelled), 1);
}

#[tokio::test]
async fn who_has_answered_into_a_cell_that_became_full_is_not_called_again() {
    let (world, _, tasks) = asking_first(1, 2).await;
    let (dropped, _) = interviewed(&world, &tasks[0], &["sì"]).await;
    world.end(&dropped, DROPPED).await;
    let (complete, _) = interviewed(&world, &tasks[1], &["sì", "no"]).await;
    world.end(&complete, None).await;
    let calls = world.provider.dialed().len();
    world.follow_for(A_DAY).await;
    let ended = world.task(&tasks[0]).await;
    assert_eq!(ended.state, TaskState::Cancelled);
    assert_eq!(ended.attempts_count, 1);
    assert_eq!(world.provider.dialed().len(), calls);
}

#[tokio::test]
async fn who_opts_out_after_being_thanked_is_excluded_all_the_same() {
    let (world, _, tasks) = asking_first(1, 2).await;
    let (complete, _) = interviewed(&world, &tasks[0], &["sì", "no"]).await;
    world.end(&complete, None).await;
    let attempt = world.latest_attempt(&tasks[1]).await;
    world.pick_up(&attempt).await;
    world.say(&attempt, "sì").await;
    world.say(&attempt, "non chiamatemi più").await;
    assert!(world.is_excluded(tasks[1].contact.phone_number).await);
    assert_eq!(world.task(&tasks[1]).await.state, TaskState::Refused);
}

#[tokio::test]
async fn quotas_of_a_draft_can_be_changed_after_the_upload() {
    let world = World::new().await;
    let campaign = with_many_lines(samples::campaign(&world.company));
    let tasks = people(&campaign, &["a", "b"]);
    world.insert(&campaign, &tasks).await;
    let changes = CampaignChanges {
        quotas: by_group("reserve_at_dial", &[("b", 3), ("a", 1)])
            .map_or(Change::Keep, Change::Set),
        ..CampaignChanges::default()
    };
    let campaigns = world.engine.campaigns();
    campaigns
        .change(&world.actor, campaign.id, changes)
        .await
        .unwrap();
    assert_eq!(world.task(&tasks[0]).await.cells.to_string(), "1");
    assert_eq!(world.task(&tasks[1]).await.cells.to_string(), "0");
    let (stored, counters) = world.campaign(&campaign).await;
    assert_eq!(counters.tasks_in_cell(1, TaskStatus::Pending), 1);
    let places = stored.places(&counters).unwrap();
    assert_eq!(places.room_in(1), Room::Open);
    campaigns.start(&world.actor, campaign.id).await.unwrap();
    let late = CampaignChanges {
        quotas: Change::Clear,
        ..CampaignChanges::default()
    };
    let refused = campaigns.change(&world.actor, campaign.id, late).await;
    assert!(refused.is_err(), "a campaign that runs keeps its quotas");
}
