//! Quotas: nobody is called for a full cell, and no cell gets more interviews than its policy says.
//!
//! Who is in a cell is worked out here, from the plan of the world and from stored answers; how full
//! it is, from the stored tasks. Neither counters nor the cells that tasks remember are believed.

use voicesurvey::call_attempt::CallAttempt;
use voicesurvey::call_task::{CallTask, TaskState};
use voicesurvey::id::{CallTaskId, CampaignId};
use voicesurvey::outcome::Outcome;
use voicesurvey::ports::repositories::CallTaskFilter;
use voicesurvey::ports::{PageRequest, Scope, UnitOfWork};
use voicesurvey::quota::{QuotaCell, QuotaPolicy};
use voicesurvey::survey::AnswerValue;

use super::Judge;
use super::interviews::Sight;

/// One cell, as the rows say.
#[derive(Debug)]
struct Found {
    cell: QuotaCell,
    policy: QuotaPolicy,
    completed: Vec<CallTaskId>,
    /// Calls to people who are known to be in it.
    in_progress: Vec<CallTaskId>,
    /// The same, whatever they will answer.
    under_way: Vec<CallTaskId>,
}

/// What a cell came to so far.
#[derive(Debug, Default)]
pub(super) struct CellBooks {
    completed: Vec<CallTaskId>,
    under_way: Vec<CallTaskId>,
    late: usize,
}

impl Found {
    fn by_answers(&self) -> bool {
        !self.cell.conditions.answers.is_empty()
    }

    fn is_full(&self) -> bool {
        self.completed.len() >= self.cell.target as usize
    }
}

impl Judge {
    /// Whether the person is in the cell, as far as the list says.
    fn is_in(&self, cell: &QuotaCell, task: &CallTask) -> bool {
        let group = self.groups[&task.contact.phone_number];
        let mut columns = cell.conditions.columns.values();
        columns.all(|wanted| wanted.holds(group))
    }

    /// Whether the answers that are stored put the person into the cell.
    fn has_answered(&self, work: &mut dyn UnitOfWork, cell: &QuotaCell, id: CallTaskId) -> bool {
        let answers = &cell.conditions.answers;
        if answers.is_empty() {
            return true;
        }
        let stored = self.drive.finish(work.interviews().answers(id)).unwrap();
        answers.iter().all(|(key, wanted)| {
            let answer = stored.iter().find(|answer| answer.question_key == *key);
            let value = answer.and_then(|answer| answer.result.value());
            value.is_some_and(|value: &AnswerValue| wanted.holds(&value.to_text()))
        })
    }

    fn found_cells(&self, work: &mut dyn UnitOfWork, id: CampaignId) -> Vec<Found> {
        let Some(quotas) = self.campaigns[&id].quotas.clone() else {
            return Vec::new();
        };
        let filter = CallTaskFilter {
            campaign_id: Some(id),
            ..CallTaskFilter::default()
        };
        let page = PageRequest::first(PageRequest::LARGEST);
        let tasks = self.drive.finish(work.call_tasks().list(&filter, &page));
        let tasks = tasks.unwrap().rows;
        let of_cell = |cell: QuotaCell| {
            let mut found = Found {
                policy: quotas.policy,
                completed: Vec::new(),
                in_progress: Vec::new(),
                under_way: Vec::new(),
                cell,
            };
            for task in tasks.iter().filter(|task| self.is_in(&found.cell, task)) {
                let ids = match task.state {
                    TaskState::Completed => &mut found.completed,
                    TaskState::InProgress { .. } => {
                        found.under_way.push(task.id);
                        &mut found.in_progress
                    }
                    _ => continue,
                };
                if self.has_answered(work, &found.cell, task.id) {
                    ids.push(task.id);
                }
            }
            found
        };
        quotas.cells.into_iter().map(of_cell).collect()
    }

    /// After a claim: nobody is called for a cell that is full, or whose places are all held.
    pub(super) fn quota_holds(&self, claimed: &CallAttempt) -> Result<(), String> {
        let mut work = self.open(Scope::Company(claimed.company_id));
        for found in self.found_cells(&mut *work, claimed.campaign_id) {
            if !found.in_progress.contains(&claimed.task_id) {
                continue;
            }
            let number = claimed.phone_number.as_str();
            let target = found.cell.target;
            if found.is_full() {
                return Err(format!(
                    "quota: {number} is called for a full cell of {target}"
                ));
            }
            let taken = found.completed.len() + found.in_progress.len();
            if found.policy == QuotaPolicy::ReserveAtDial && taken > target as usize {
                return Err(format!("quota: {taken} places of {target} are taken"));
            }
        }
        Ok(())
    }

    /// After a commit: those who were in progress when a cell became full are all that may be added to
    /// it; and if it reserves its places, not even they.
    pub(super) fn cells_are_not_exceeded(
        &mut self,
        work: &mut dyn UnitOfWork,
        id: CampaignId,
    ) -> Result<(), String> {
        for (index, found) in self.found_cells(work, id).into_iter().enumerate() {
            let late = self.completed_late((id, index), &found);
            if !found.is_full() {
                continue;
            }
            let live = |attempt: &CallAttempt| attempt.campaign_id == id;
            let (completed, target) = (found.completed.len(), found.cell.target as usize);
            // Whose answers are still to come may belong to it as well.
            let under_way = self.live_where(live) as usize;
            let enough = (completed, under_way);
            let (enough, under_way) = *self.full_cells.entry((id, index)).or_insert(enough);
            let reserves = found.policy == QuotaPolicy::ReserveAtDial && !found.by_answers();
            let most = if reserves { target } else { enough + under_way };
            if completed > most + late {
                return Err(format!(
                    "quota: {completed} of {target} ({:?}); {under_way} calls were under way at \
                     {enough}",
                    found.policy
                ));
            }
        }
        Ok(())
    }

    /// Interviews that became known when their call had been taken for one without. They are never
    /// thrown away, and hold no place when they come.
    fn completed_late(&mut self, cell: (CampaignId, usize), found: &Found) -> usize {
        let books = self.cells.entry(cell).or_default();
        let is_new = |id: &&CallTaskId| !books.completed.contains(id);
        let new = found.completed.iter().filter(is_new);
        books.late += new.filter(|id| !books.under_way.contains(id)).count();
        books.completed.clone_from(&found.completed);
        books.under_way.clone_from(&found.under_way);
        books.late
    }

    /// Only who answers what is not wanted any more is sent away for a quota.
    pub(super) fn turns_away(&mut self, attempt: &CallAttempt) -> Result<(), String> {
        if attempt.outcome != Some(Outcome::QuotaFull) {
            return Ok(());
        }
        self.interviews.seen.insert(Sight::TurnedAway);
        let plan = &self.campaigns[&attempt.campaign_id];
        let mut cells = plan.quotas.iter().flat_map(|quotas| &quotas.cells);
        if cells.any(|cell| !cell.conditions.answers.is_empty()) {
            Ok(())
        } else {
            Err("quota: somebody was sent away whom no answer puts into a cell".to_owned())
        }
    }
}
