//! The judge: after every commit it looks at what is stored, and says which promise is broken.
//!
//! It keeps books of its own and believes neither the gate nor the queue: hours, limits, caps,
//! budgets and what people said are worked out again here, from the plan of the world, from the
//! telephones that rang and from stored outcomes.

mod audit;
mod interviews;
mod limits;
mod quotas;
mod rules;
mod standing;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::NaiveDate;
use voicesurvey::call_attempt::{AttemptState, CallAttempt};
use voicesurvey::company::Company;
use voicesurvey::exclusion::ExclusionSource;
use voicesurvey::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId};
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::{
    CallOrder, ClaimedTask, ExclusionFilter, PageRequest, Scope, Storage, UnitOfWork,
};
use voicesurvey::quota::Quotas;
use voicesurvey::survey::Survey;
use voicesurvey::time::Timestamp;
use voicesurvey::time_zone::TimeZone;

use self::interviews::Interviews;
pub(super) use self::interviews::Sight;
use self::limits::Limits;
use self::quotas::CellBooks;
use super::actors::Drive;

/// What a unit of work may have changed, besides tasks and attempts.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each kind of rows is touched or not, whatever the others are"
)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touched {
    pub(super) companies: bool,
    pub(super) campaigns: bool,
    pub(super) exclusions: bool,
    pub(super) interviews: bool,
}

impl Touched {
    pub(super) const EVERYTHING: Self = Self {
        companies: true,
        campaigns: true,
        exclusions: true,
        interviews: true,
    };
}

/// What the world was planned to be, of one campaign.
#[derive(Clone, Debug)]
pub(super) struct CampaignPlan {
    pub(super) company_id: CompanyId,
    /// From and to, in minutes of the called person's day.
    pub(super) hours: (u32, u32),
    /// Dates on the called person's calendar on which nobody is called.
    pub(super) holidays: BTreeSet<NaiveDate>,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) ends_at: Option<Timestamp>,
    /// Completed interviews that are enough.
    pub(super) target: Option<u64>,
    pub(super) quotas: Option<Quotas>,
    pub(super) survey: Survey,
}

/// The judge of one run.
#[derive(Debug)]
pub(super) struct Judge {
    store: Arc<dyn Storage>,
    drive: Drive,
    pub(super) campaigns: BTreeMap<CampaignId, CampaignPlan>,
    /// Where each person is.
    zones: HashMap<PhoneNumber, TimeZone>,
    pub(super) attempts: BTreeMap<CallAttemptId, CallAttempt>,
    live: BTreeSet<CallAttemptId>,
    latest_number: HashMap<CallTaskId, u16>,
    task_outcomes: HashMap<CallTaskId, Outcome>,
    /// Campaigns that run and do not wind up.
    calling: HashSet<CampaignId>,
    companies: BTreeMap<CompanyId, Company>,
    limits: Limits,
    /// Completed interviews and calls in progress when there were enough.
    enough: BTreeMap<CampaignId, (u64, u64)>,
    /// The same of the cells of quotas.
    full_cells: BTreeMap<(CampaignId, usize), (usize, usize)>,
    cells: BTreeMap<(CampaignId, usize), CellBooks>,
    /// What stands in the column that quotas go by.
    groups: HashMap<PhoneNumber, &'static str>,
    /// For which a telephone rang.
    rung: HashSet<CallAttemptId>,
    /// Who must not be called: excluded, or heard to opt out.
    barred: HashSet<(CompanyId, PhoneNumber)>,
    refused: HashSet<CallTaskId>,
    interviews: Interviews,
    asked_to_dial: HashSet<CallAttemptId>,
    commits: u64,
}

/// Every how many commits all rows are looked at.
const AUDIT_EVERY: u64 = 50;

impl Judge {
    pub(super) fn new(
        store: Arc<dyn Storage>,
        drive: Drive,
        zones: HashMap<PhoneNumber, TimeZone>,
    ) -> Self {
        Self {
            store,
            drive,
            campaigns: BTreeMap::new(),
            zones,
            attempts: BTreeMap::new(),
            live: BTreeSet::new(),
            latest_number: HashMap::new(),
            task_outcomes: HashMap::new(),
            calling: HashSet::new(),
            companies: BTreeMap::new(),
            limits: Limits::default(),
            enough: BTreeMap::new(),
            full_cells: BTreeMap::new(),
            cells: BTreeMap::new(),
            groups: super::quotas::groups(),
            rung: HashSet::new(),
            barred: HashSet::new(),
            refused: HashSet::new(),
            interviews: Interviews::default(),
            asked_to_dial: HashSet::new(),
            commits: 0,
        }
    }

    fn open(&self, scope: Scope) -> Box<dyn UnitOfWork> {
        self.drive.finish(self.store.begin(scope)).unwrap()
    }

    /// After a unit of work was committed.
    pub(super) fn after_commit(
        &mut self,
        scope: Scope,
        touched: Touched,
        now: Timestamp,
    ) -> Result<(), String> {
        let companies: BTreeSet<CompanyId> = match scope {
            Scope::Company(id) => BTreeSet::from([id]),
            Scope::Platform => self
                .campaigns
                .values()
                .map(|plan| plan.company_id)
                .collect(),
        };
        for company_id in companies {
            self.read_company(company_id, touched, now)?;
        }
        self.commits += 1;
        if self.commits.is_multiple_of(AUDIT_EVERY) {
            self.audit(now)?;
        }
        Ok(())
    }

    /// What this run has shown of interviews.
    pub(super) fn sights(&self) -> BTreeSet<Sight> {
        self.interviews.seen.clone()
    }

    /// These telephones have rung by now.
    pub(super) fn heard(&mut self, rung: HashSet<CallAttemptId>) {
        self.rung = rung;
    }

    fn read_company(
        &mut self,
        company_id: CompanyId,
        touched: Touched,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut work = self.open(Scope::Company(company_id));
        if touched.companies
            && let Some(company) = self.drive.finish(work.companies().get(company_id)).unwrap()
        {
            self.limits.of_company(company_id, company.limits, now);
            self.companies.insert(company_id, company);
        }
        if touched.exclusions {
            let page = PageRequest::first(PageRequest::LARGEST);
            let excluded = self
                .drive
                .finish(work.exclusions().list(&ExclusionFilter::default(), &page))
                .unwrap()
                .rows;
            for row in &excluded {
                let is_known = row
                    .attempt_id
                    .is_some_and(|id| self.attempts.contains_key(&id));
                if row.source == ExclusionSource::Spoken && !is_known {
                    let number = row.phone_number.as_str();
                    return Err(format!(
                        "I8: {number} opted out in a call that nobody knows"
                    ));
                }
            }
            let numbers = excluded
                .into_iter()
                .map(|row| (company_id, row.phone_number));
            self.interviews.excluded.extend(numbers.clone());
            self.barred.extend(numbers);
        }
        if touched.interviews {
            self.read_interviews(&mut *work, company_id)?;
        }
        let campaigns: Vec<CampaignId> = self.campaigns_of(company_id).collect();
        if touched.campaigns {
            for id in &campaigns {
                let Some(campaign) = self.drive.finish(work.campaigns().get(*id)).unwrap() else {
                    continue;
                };
                let pacing = campaign.effective_settings().pacing;
                self.limits.of_campaign(*id, pacing, now);
                if campaign.is_calling() {
                    self.calling.insert(*id);
                } else {
                    self.calling.remove(id);
                }
            }
        }
        for id in self.live.clone() {
            if self.attempts[&id].company_id != company_id {
                continue;
            }
            let Some(attempt) = self.drive.finish(work.call_attempts().get(id)).unwrap() else {
                return Err(format!("I1: the committed attempt {id} is gone"));
            };
            self.read_attempt(attempt)?;
        }
        for id in campaigns {
            let counters = self.drive.finish(work.campaigns().counters(id)).unwrap();
            let counted = counters.live_attempts();
            let live = self.live_where(|attempt| attempt.campaign_id == id);
            if counted != u64::from(live) {
                return Err(format!("I12: {counted} live calls are counted, {live} are"));
            }
            self.stops_at_target(id, &counters)?;
            self.cells_are_not_exceeded(&mut *work, id)?;
        }
        Ok(())
    }

    fn read_attempt(&mut self, attempt: CallAttempt) -> Result<(), String> {
        let id = attempt.id;
        let known = self.attempts.get(&id).and_then(|known| known.outcome);
        if let (Some(known), Some(told)) = (known, attempt.outcome)
            && known.or_better_known(told) != told
        {
            return Err(format!("I10: attempt {id} was {known} and is {told}"));
        }
        if known.is_some() && attempt.outcome.is_none() {
            return Err(format!("I10: the outcome of attempt {id} is forgotten"));
        }
        match attempt.outcome {
            Some(Outcome::OptedOut) => {
                self.barred
                    .insert((attempt.company_id, attempt.phone_number));
                self.refused.insert(attempt.task_id);
            }
            Some(Outcome::Refused) => {
                self.refused.insert(attempt.task_id);
            }
            _ => {}
        }
        self.turns_away(&attempt)?;
        if attempt.state == AttemptState::Ended {
            self.live.remove(&id);
        }
        self.attempts.insert(id, attempt);
        Ok(())
    }

    /// After a claim was committed.
    pub(super) fn after_claim(
        &mut self,
        claimed: &[ClaimedTask],
        now: Timestamp,
    ) -> Result<(), String> {
        for ClaimedTask { task, attempt } in claimed {
            let number = self.latest_number.entry(task.id).or_default();
            *number += 1;
            if attempt.number != *number || task.attempts_count != *number {
                return Err(format!("I1: {} is attempt {}", number, attempt.number));
            }
            let same_number = |live: &CallAttempt| {
                live.company_id == attempt.company_id && live.phone_number == attempt.phone_number
            };
            if self.live_where(same_number) > 0 {
                let number = attempt.phone_number.as_str();
                return Err(format!("I3: {number} has a live attempt and is claimed"));
            }
            self.may_be_called(attempt.company_id, &attempt.phone_number, task.id)?;
            self.is_within_hours(
                attempt.campaign_id,
                &attempt.phone_number,
                attempt.created_at,
            )?;
            self.calls_people(attempt, "claimed from")?;
            self.caps_hold(attempt)?;
            self.keeps_appointment(attempt)?;
            self.attempts.insert(attempt.id, attempt.clone());
            self.live.insert(attempt.id);
        }
        for ClaimedTask { attempt, .. } in claimed {
            self.limits_hold(attempt)?;
            self.quota_holds(attempt)?;
        }
        let campaigns = claimed.iter().map(|claimed| claimed.attempt.campaign_id);
        for id in campaigns.collect::<BTreeSet<_>>() {
            self.budget_holds(id)?;
        }
        for company_id in claimed
            .iter()
            .map(|claimed| claimed.attempt.company_id)
            .collect::<BTreeSet<_>>()
        {
            self.read_company(company_id, Touched::default(), now)?;
        }
        Ok(())
    }

    /// When the engine asks the provider to dial, with what is stored at that instant.
    pub(super) fn before_dial(&mut self, order: &CallOrder, now: Timestamp) -> Result<(), String> {
        let id = order.attempt_id;
        let mut work = self.open(Scope::Company(order.company_id));
        let stored = self.drive.finish(work.call_attempts().get(id)).unwrap();
        for earlier in self.attempts.values() {
            if earlier.company_id != order.company_id
                || earlier.phone_number != order.phone_number
                || !self.rung.contains(&earlier.id)
            {
                continue;
            }
            let earlier = self
                .drive
                .finish(work.call_attempts().get(earlier.id))
                .unwrap();
            if earlier.is_some_and(|earlier| earlier.outcome == Some(Outcome::Cancelled)) {
                let number = order.phone_number.as_str();
                return Err(format!(
                    "I3: {number} rang, is said not to have, and is dialed"
                ));
            }
        }
        drop(work);
        let Some(attempt) = stored.filter(|_| self.attempts.contains_key(&id)) else {
            return Err(format!("I2: {id} is dialed and not committed"));
        };
        if !self.asked_to_dial.insert(id) {
            return Err(format!("I3: attempt {id} is dialed twice"));
        }
        self.calls_people(&attempt, "dialed for")?;
        if now >= attempt.dial_before {
            return Err(format!("I3: attempt {id} is dialed after its deadline"));
        }
        self.may_be_called(order.company_id, &order.phone_number, attempt.task_id)?;
        self.is_within_hours(attempt.campaign_id, &order.phone_number, now)
    }

    fn campaigns_of(&self, company_id: CompanyId) -> impl Iterator<Item = CampaignId> {
        self.campaigns
            .iter()
            .filter(move |(_, plan)| plan.company_id == company_id)
            .map(|(id, _)| *id)
    }

    fn live_where(&self, holds: impl Fn(&CallAttempt) -> bool) -> u32 {
        let live = self.live.iter().filter(|id| holds(&self.attempts[id]));
        u32::try_from(live.count()).unwrap()
    }
}
