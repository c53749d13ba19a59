//! What people are told: lanes count their tasks, everybody who is not called has a reason, and the
//! reasons add up.

use std::collections::BTreeMap;

use voicesurvey::api_key::{Actor, Role};
use voicesurvey::call_task::{CallTask, TaskState, TaskStatus};
use voicesurvey::id::CompanyId;
use voicesurvey::ports::UnitOfWork;
use voicesurvey::queue::lane::{Lane, LaneKey};
use voicesurvey::service::Reports;
use voicesurvey::testing::samples;
use voicesurvey::time::Timestamp;

use super::Judge;

impl Judge {
    /// I12 and I7 of the lanes of every campaign.
    pub(super) fn lanes_equal_rows(
        &self,
        work: &mut dyn UnitOfWork,
        company_id: CompanyId,
        tasks: &[CallTask],
    ) -> Result<(), String> {
        for id in self.campaigns_of(company_id) {
            let mut waiting = BTreeMap::new();
            for task in tasks.iter().filter(|task| task.campaign_id == id) {
                // One that waits for a time of its own is made claimable when it has come.
                if matches!(task.state, TaskState::Pending { .. }) && task.reason.is_none() {
                    *waiting.entry(task.lane()).or_insert(0_u64) += 1;
                }
            }
            let mut lanes = self.drive.finish(work.campaigns().lanes(id)).unwrap();
            lanes.retain(|lane| lane.claimable > 0);
            let counted = lanes.iter().map(|lane| (lane.key.clone(), lane.claimable));
            let counted: BTreeMap<LaneKey, u64> = counted.collect();
            if counted != waiting {
                return Err(format!(
                    "I12: lanes count {counted:?}, and {waiting:?} wait"
                ));
            }
            let is_forgotten = |lane: &Lane| lane.window.is_none() && lane.review_at.is_none();
            if self.calling.contains(&id) && lanes.iter().any(is_forgotten) {
                return Err("I7: nobody works out when a lane opens".to_owned());
            }
        }
        Ok(())
    }

    /// The reasons of every campaign add up to those who are not called.
    pub(super) fn reasons_add_up(
        &self,
        company_id: CompanyId,
        tasks: &[CallTask],
        now: Timestamp,
    ) -> Result<(), String> {
        let reports = Reports::new(self.store.clone());
        let is_not_called = |task: &&CallTask| match task.state.status() {
            TaskStatus::InProgress => false,
            status => !status.is_final() || task.reason.is_some(),
        };
        for id in self.campaigns_of(company_id) {
            let own = tasks.iter().filter(|task| task.campaign_id == id);
            let not_called = own.filter(is_not_called).count() as u64;
            let standing = self
                .drive
                .finish(reports.standing(&somebody(company_id), id, now))
                .unwrap();
            if standing.reasons.values().sum::<u64>() != not_called {
                return Err(format!(
                    "I12: {not_called} are not called, and the reasons are {:?}",
                    standing.reasons
                ));
            }
        }
        Ok(())
    }

    /// Everybody who waits is told why, and may be told until when.
    pub(super) fn everybody_has_a_reason(
        &self,
        company_id: CompanyId,
        tasks: &[CallTask],
        now: Timestamp,
    ) -> Result<(), String> {
        let reports = Reports::new(self.store.clone());
        for task in tasks {
            let why = self
                .drive
                .finish(reports.why_not_now(&somebody(company_id), task.id, now))
                .unwrap();
            if why.is_none() && task.state.status() != TaskStatus::InProgress {
                return Err(format!("nobody knows why task {} is not called", task.id));
            }
            if why.is_some_and(|why| why.until.is_some_and(|until| until <= now)) {
                return Err(format!("task {} waits for the past: {why:?}", task.id));
            }
        }
        Ok(())
    }
}

fn somebody(company_id: CompanyId) -> Actor {
    Actor {
        company_id,
        api_key_id: samples::id(),
        role: Role::Viewer,
    }
}
