//! Quotas: tasks know their cells, cells count their tasks, and nobody is claimed for whom no place is
//! left.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::json;

use super::StorageUnderTest;
use super::support::{
    at_most, begin, claim, claim_all, claim_request, commit, run_campaign, settle, store_tasks,
    stored_company, stored_task,
};
use crate::audit::Check;
use crate::call_task::{CallTask, TaskState, TaskStatus};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::gate::Reason;
use crate::outcome::Outcome;
use crate::quota::{CellNews, Cells, QuotaPolicy};
use crate::testing::samples;

/// A running campaign with a cell of each target.
async fn with_quotas(
    store: &dyn StorageUnderTest,
    policy: QuotaPolicy,
    targets: &[u32],
) -> (Company, Campaign) {
    let company = stored_company(store).await;
    let mut campaign = samples::campaign(&company);
    let cells = targets.iter().enumerate().map(|(index, target)| {
        json!({"name": index.to_string(), "target": target, "where": {"columns": {"n": index}}})
    });
    let quotas = json!({"policy": policy, "cells": cells.collect::<Vec<_>>()});
    campaign.settings.quotas = serde_json::from_value(quotas).expect("samples can be read");
    (company, run_campaign(store, campaign).await)
}

fn cells(cells: &[u16]) -> Cells {
    cells.iter().copied().collect()
}

/// Stores that many tasks that are in these cells.
async fn stored_in(
    store: &dyn StorageUnderTest,
    campaign: &Campaign,
    first: u32,
    count: u32,
    of: &[u16],
) -> Vec<CallTask> {
    let mut tasks = samples::tasks(campaign, first, count);
    for task in &mut tasks {
        task.cells = cells(of);
    }
    store_tasks(store, &tasks).await;
    tasks
}

/// Tells that places of cells were taken or given back, as the services do.
async fn news(
    store: &dyn StorageUnderTest,
    company: &Company,
    campaign: &Campaign,
    of: &[u16],
    is_open: bool,
) {
    let mut work = begin(store, company).await;
    let news = CellNews {
        cells: &cells(of),
        is_open,
        now: samples::now(),
    };
    let told = work.campaigns().review_cells(campaign.id, news).await;
    told.expect("lanes can be reviewed");
    commit(work).await;
}

async fn counted(
    store: &dyn StorageUnderTest,
    company: &Company,
    campaign: &Campaign,
    cell: u16,
) -> Vec<(TaskStatus, u64)> {
    let mut work = begin(store, company).await;
    let counters = work.campaigns().counters(campaign.id).await.unwrap();
    let of_cells = cells(&[cell]);
    let of_places = work.campaigns().counters_of_places(campaign.id, &of_cells);
    let of_places = of_places.await.expect("counters can be read");
    assert_eq!(of_places, counters.clone().of_places(&cells(&[cell])));
    let of_cell = counters.cells.get(&cell).cloned().unwrap_or_default();
    of_cell.into_iter().collect()
}

/// A task keeps its cells, and waits in the lane of those who have the same.
pub async fn cells_of_tasks_and_lanes_read_back(store: &dyn StorageUnderTest) {
    let (company, campaign) = with_quotas(store, QuotaPolicy::CountAtCompletion, &[5; 12]).await;
    let in_two = stored_in(store, &campaign, 1, 2, &[0, 11]).await;
    let in_none = stored_in(store, &campaign, 3, 1, &[]).await;
    assert_eq!(stored_task(store, in_two[0].id).await, in_two[0]);
    let moved = CallTask {
        cells: cells(&[3]),
        ..in_two[1].clone()
    };
    let mut work = begin(store, &company).await;
    work.call_tasks().update(&moved).await.unwrap();
    let lanes = work.campaigns().lanes(campaign.id).await.unwrap();
    commit(work).await;
    assert_eq!(stored_task(store, moved.id).await.cells, cells(&[3]));
    for task in [&in_two[0], &moved, &in_none[0]] {
        let lane = lanes.iter().find(|lane| lane.id == task.lane().id());
        let lane = lane.expect("its lane was made");
        assert_eq!((&lane.key, lane.claimable), (&task.lane(), 1));
    }
}

/// Whatever happens to a task, each of its cells counts it by its status (I12).
pub async fn tasks_are_counted_by_cell_and_status(store: &dyn StorageUnderTest) {
    let (company, campaign) = with_quotas(store, QuotaPolicy::CountAtCompletion, &[9, 9]).await;
    let tasks = stored_in(store, &campaign, 1, 6, &[0, 1]).await;
    stored_in(store, &campaign, 7, 1, &[]).await;
    let mut waiting = tasks[5].clone();
    waiting.state = TaskState::Retry {
        due_at: samples::now() + TimeDelta::hours(1),
    };
    waiting.cells = cells(&[1]);
    let mut work = begin(store, &company).await;
    work.call_tasks().update(&waiting).await.unwrap();
    commit(work).await;
    let calls = claim(store, samples::now(), 3).await;
    settle(store, &calls[0], Outcome::Completed, samples::now()).await;
    settle(store, &calls[1], Outcome::Refused, samples::now()).await;
    let expected = [
        (TaskStatus::Pending, 2),
        (TaskStatus::InProgress, 1),
        (TaskStatus::Completed, 1),
        (TaskStatus::Refused, 1),
    ];
    assert_eq!(counted(store, &company, &campaign, 0).await, expected);
    let later = samples::now() + TimeDelta::hours(2);
    assert_eq!(store.promote_due(later, at_most(10)).await.unwrap(), 1);
    let promoted = counted(store, &company, &campaign, 1).await;
    assert_eq!(promoted[0], (TaskStatus::Pending, 3));
    let mut work = begin(store, &company).await;
    let ended =
        work.call_tasks()
            .cancel_waiting(campaign.id, Reason::QuotaFull, later, at_most(10));
    assert_eq!(ended.await.unwrap(), 4);
    // What the unit of work has changed itself counts already.
    let moved = CallTask {
        cells: cells(&[1]),
        ..work
            .call_tasks()
            .get_for_update(calls[0].task.id)
            .await
            .unwrap()
            .unwrap()
    };
    work.call_tasks().update(&moved).await.unwrap();
    for of in [&[][..], &[0], &[0, 1], &[7]] {
        let all = work.campaigns().counters(campaign.id).await.unwrap();
        let campaigns = work.campaigns();
        let of_places = campaigns.counters_of_places(campaign.id, &cells(of)).await;
        assert_eq!(of_places.unwrap(), all.of_places(&cells(of)));
    }
    commit(work).await;
    let of_first = counted(store, &company, &campaign, 0).await;
    assert!(
        of_first.contains(&(TaskStatus::Cancelled, 2)),
        "{of_first:?}"
    );
    let findings = store.audit(later).await.unwrap();
    let found = findings
        .iter()
        .find(|finding| finding.check == Check::TaskCounters);
    assert_eq!(found, None);
}

/// Nobody is claimed for a cell whose last places are held by calls in progress; one that is given
/// back is taken again.
pub async fn a_claim_takes_no_more_places_than_are_left(store: &dyn StorageUnderTest) {
    let (company, campaign) = with_quotas(store, QuotaPolicy::ReserveAtDial, &[3, 2]).await;
    let first = stored_in(store, &campaign, 1, 8, &[0]).await;
    stored_in(store, &campaign, 9, 4, &[0, 1]).await;
    stored_in(store, &campaign, 13, 2, &[]).await;
    let calls = claim_all(store, samples::now()).await;
    let in_cell = |cell: u16| {
        let calls = calls.iter();
        calls.filter(|call| call.task.cells.contains(cell)).count()
    };
    assert_eq!(calls.len(), 5, "three in the cell, two in none");
    assert_eq!((in_cell(0), calls.len() - in_cell(0)), (3, 2));
    assert!(in_cell(1) <= 2);
    let waiting = stored_task(store, first[7].id).await;
    assert_eq!(
        (waiting.state.status(), waiting.reason),
        (TaskStatus::Pending, None)
    );
    let held = calls.iter().find(|call| call.task.cells.contains(0));
    let held = held.expect("one of three");
    settle(store, held, Outcome::Refused, samples::now()).await;
    news(store, &company, &campaign, &[0], true).await;
    assert_eq!(claim_all(store, samples::now()).await.len(), 1);
    assert_eq!(store.audit(samples::now()).await.unwrap(), []);
}

/// However many claim at once, no more calls are in progress than places are left.
pub async fn concurrent_claims_share_the_places(store: &dyn StorageUnderTest) {
    let (company, campaign) = with_quotas(store, QuotaPolicy::ReserveAtDial, &[7, 5]).await;
    stored_in(store, &campaign, 1, 30, &[0]).await;
    stored_in(store, &campaign, 31, 30, &[0, 1]).await;
    stored_in(store, &campaign, 61, 30, &[1]).await;
    claim(store, samples::now(), 1).await;
    for _ in 0..10 {
        let requests: Vec<_> = (0..4).map(|_| claim_request(samples::now(), 4)).collect();
        let claims = requests.iter().map(|request| store.claim_due(request));
        for claim in join_all(claims).await {
            claim.expect("a claim succeeds");
        }
        store
            .review_lanes(samples::now(), at_most(100))
            .await
            .unwrap();
    }
    for (cell, target) in [(0, 7), (1, 5)] {
        let counts = counted(store, &company, &campaign, cell).await;
        let held = counts
            .iter()
            .find(|(status, _)| *status == TaskStatus::InProgress);
        assert_eq!(held.map(|(_, tasks)| *tasks), Some(target), "cell {cell}");
    }
}

/// The people of a full cell are not claimed, and their tasks end, also if the claim itself is the
/// first to see that it is full.
pub async fn a_full_cell_is_not_called(store: &dyn StorageUnderTest) {
    for is_told in [true, false] {
        let (company, campaign) = with_quotas(store, QuotaPolicy::CountAtCompletion, &[1, 9]).await;
        let full = stored_in(store, &campaign, 1, 4, &[0, 1]).await;
        let calls = claim(store, samples::now(), 1).await;
        settle(store, &calls[0], Outcome::Completed, samples::now()).await;
        let open = stored_in(store, &campaign, 5, 2, &[1]).await;
        if is_told {
            news(store, &company, &campaign, &[0], false).await;
        }
        let mut claimed: Vec<_> = claim_all(store, samples::now())
            .await
            .into_iter()
            .map(|call| call.task.id)
            .collect();
        claimed.sort_unstable();
        assert_eq!(claimed, [open[0].id, open[1].id]);
        for _ in 0..3 {
            store
                .review_lanes(samples::now(), at_most(10))
                .await
                .unwrap();
        }
        let waited = full.iter().filter(|task| task.id != calls[0].task.id);
        for task in waited {
            let ended = stored_task(store, task.id).await;
            assert_eq!(ended.state, TaskState::Cancelled);
            assert_eq!(ended.reason, Some(Reason::QuotaFull));
        }
        assert_eq!(store.audit(samples::now()).await.unwrap(), []);
        let mut work = begin(store, &company).await;
        let campaigns = work.campaigns();
        campaigns
            .update(&campaign.wound_up(Reason::QuotaFull, samples::now()))
            .await
            .unwrap();
        commit(work).await;
    }
}

/// A campaign that wants nobody in any cell any more is found, so that it winds up.
pub async fn campaigns_whose_cells_are_all_full_are_found(store: &dyn StorageUnderTest) {
    let (company, campaign) = with_quotas(store, QuotaPolicy::CountAtCompletion, &[2, 1]).await;
    stored_in(store, &campaign, 1, 2, &[0]).await;
    stored_in(store, &campaign, 3, 2, &[1]).await;
    let calls = claim_all(store, samples::now()).await;
    let in_cell = |cell: u16| {
        calls
            .iter()
            .filter(move |call| call.task.cells.contains(cell))
    };
    for call in in_cell(0) {
        settle(store, call, Outcome::Completed, samples::now()).await;
    }
    assert_eq!(store.campaigns_at_target(at_most(9)).await.unwrap(), []);
    let last = in_cell(1).next().expect("a call of the cell");
    settle(store, last, Outcome::Completed, samples::now()).await;
    let found = store.campaigns_at_target(at_most(9)).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|key| key.campaign_id).collect();
    assert_eq!(found, [campaign.id]);
    let mut work = begin(store, &company).await;
    let campaigns = work.campaigns();
    campaigns
        .update(&campaign.wound_up(Reason::QuotaFull, samples::now()))
        .await
        .unwrap();
    commit(work).await;
    assert_eq!(store.campaigns_at_target(at_most(9)).await.unwrap(), []);
}
