//! The judge: after every commit it looks at what is stored, and says which promise is broken.
//!
//! It keeps books of its own and believes neither the gate nor the queue: hours, limits and what
//! people said are worked out again here, from the plan of the world and from stored outcomes.

mod audit;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{TimeDelta, Timelike};
use voicesurvey::call_attempt::{AttemptState, CallAttempt};
use voicesurvey::campaign::CampaignStatus;
use voicesurvey::company::CompanyLimits;
use voicesurvey::exclusion::ExclusionSource;
use voicesurvey::id::{CallAttemptId, CallTaskId, CampaignId, CompanyId};
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::{CallOrder, ClaimedTask, PageRequest, Scope, Storage, UnitOfWork};
use voicesurvey::time::Timestamp;
use voicesurvey::time_zone::TimeZone;

use super::actors::at_once;

/// What a unit of work may have changed, besides tasks and attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touched {
    pub(super) companies: bool,
    pub(super) campaigns: bool,
    pub(super) exclusions: bool,
}

impl Touched {
    pub(super) const EVERYTHING: Self = Self {
        companies: true,
        campaigns: true,
        exclusions: true,
    };
}

/// What the world was planned to be, of one campaign.
#[derive(Clone, Copy, Debug)]
pub(super) struct CampaignPlan {
    pub(super) company_id: CompanyId,
    pub(super) max_concurrent_calls: u32,
    pub(super) calls_per_minute: u32,
    /// From and to, in minutes of the called person's day.
    pub(super) hours: (u32, u32),
}

/// The judge of one run.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) store: Arc<dyn Storage>,
    pub(super) campaigns: BTreeMap<CampaignId, CampaignPlan>,
    /// Where each person is.
    pub(super) zones: HashMap<PhoneNumber, TimeZone>,
    pub(super) attempts: BTreeMap<CallAttemptId, CallAttempt>,
    live: BTreeSet<CallAttemptId>,
    latest_number: HashMap<CallTaskId, u16>,
    task_outcomes: HashMap<CallTaskId, Outcome>,
    running: HashSet<CampaignId>,
    /// Every value that a company's limits have had, and since when.
    limits: BTreeMap<CompanyId, Vec<(Timestamp, CompanyLimits)>>,
    /// Who must not be called: excluded, or heard to opt out.
    barred: HashSet<(CompanyId, PhoneNumber)>,
    refused: HashSet<CallTaskId>,
    asked_to_dial: HashSet<CallAttemptId>,
    commits: u64,
}

/// Every how many commits all rows are looked at.
const AUDIT_EVERY: u64 = 50;

impl Judge {
    pub(super) fn new(store: Arc<dyn Storage>) -> Self {
        Self {
            store,
            campaigns: BTreeMap::new(),
            zones: HashMap::new(),
            attempts: BTreeMap::new(),
            live: BTreeSet::new(),
            latest_number: HashMap::new(),
            task_outcomes: HashMap::new(),
            running: HashSet::new(),
            limits: BTreeMap::new(),
            barred: HashSet::new(),
            refused: HashSet::new(),
            asked_to_dial: HashSet::new(),
            commits: 0,
        }
    }

    fn open(&self, scope: Scope) -> Box<dyn UnitOfWork> {
        at_once(self.store.begin(scope)).unwrap()
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
            self.audit()?;
        }
        Ok(())
    }

    fn read_company(
        &mut self,
        company_id: CompanyId,
        touched: Touched,
        now: Timestamp,
    ) -> Result<(), String> {
        let mut work = self.open(Scope::Company(company_id));
        if touched.companies
            && let Some(company) = at_once(work.companies().get(company_id)).unwrap()
        {
            let known = self.limits.entry(company_id).or_default();
            if known
                .last()
                .is_none_or(|(_, limits)| *limits != company.limits)
            {
                known.push((now, company.limits));
            }
        }
        if touched.exclusions {
            let page = PageRequest::first(PageRequest::LARGEST);
            let excluded = at_once(work.exclusions().list(&page)).unwrap().rows;
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
            self.barred.extend(numbers);
        }
        let campaigns: Vec<CampaignId> = self.campaigns_of(company_id).collect();
        if touched.campaigns {
            for id in &campaigns {
                let campaign = at_once(work.campaigns().get(*id)).unwrap();
                if campaign.is_some_and(|found| found.status == CampaignStatus::Running) {
                    self.running.insert(*id);
                } else {
                    self.running.remove(id);
                }
            }
        }
        for id in self.live.clone() {
            if self.attempts[&id].company_id != company_id {
                continue;
            }
            let Some(attempt) = at_once(work.call_attempts().get(id)).unwrap() else {
                return Err(format!("I1: the committed attempt {id} is gone"));
            };
            self.read_attempt(attempt)?;
        }
        for id in campaigns {
            let counted = at_once(work.campaigns().counters(id))
                .unwrap()
                .live_attempts();
            let live = self.live_where(|attempt| attempt.campaign_id == id);
            if counted != u64::from(live) {
                return Err(format!("I12: {counted} live calls are counted, {live} are"));
            }
        }
        Ok(())
    }

    fn read_attempt(&mut self, attempt: CallAttempt) -> Result<(), String> {
        let id = attempt.id;
        let known = self.attempts.get(&id).and_then(|known| known.outcome);
        if let (Some(known), Some(told)) = (known, attempt.outcome)
            && known.or_stronger(told) != told
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
            if !self.running.contains(&attempt.campaign_id) {
                return Err("a campaign that does not run is claimed from".to_owned());
            }
            self.attempts.insert(attempt.id, attempt.clone());
            self.live.insert(attempt.id);
        }
        for ClaimedTask { attempt, .. } in claimed {
            self.limits_hold(attempt)?;
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

    /// I5 and I6, for a call that was claimed just now.
    fn limits_hold(&self, claimed: &CallAttempt) -> Result<(), String> {
        let at = claimed.created_at;
        let plan = &self.campaigns[&claimed.campaign_id];
        let company = |attempt: &CallAttempt| attempt.company_id == claimed.company_id;
        let campaign = |attempt: &CallAttempt| attempt.campaign_id == claimed.campaign_id;
        let limits = &self.limits[&claimed.company_id];
        let (_, present) = limits.last().unwrap();
        let within_limit = |what, count: u32, limit: u32| {
            if count > limit {
                Err(format!("{what}: {count}, and the limit is {limit}"))
            } else {
                Ok(())
            }
        };
        within_limit(
            "I5: calls of a campaign",
            self.live_where(campaign),
            plan.max_concurrent_calls,
        )?;
        within_limit(
            "I5: calls of a company",
            self.live_where(company),
            present.max_concurrent_calls,
        )?;
        let minute_ago = at - TimeDelta::seconds(60);
        let starts = |of: &dyn Fn(&CallAttempt) -> bool| {
            let recent = self.attempts.values().filter(|attempt| {
                attempt.created_at > minute_ago && attempt.created_at <= at && of(attempt)
            });
            u32::try_from(recent.count()).unwrap()
        };
        // The most that was allowed at any instant of this minute.
        let since = limits.iter().rposition(|(since, _)| *since <= minute_ago);
        let allowed = limits[since.unwrap_or(0)..]
            .iter()
            .map(|(_, limits)| limits.calls_per_minute);
        within_limit(
            "I6: starts of a campaign in 60 s",
            starts(&campaign),
            plan.calls_per_minute,
        )?;
        within_limit(
            "I6: starts of a company in 60 s",
            starts(&company),
            allowed.max().unwrap(),
        )
    }

    /// When the engine asks the provider to dial, with what is stored at that instant.
    /// `rung` are the attempts for which a telephone rang.
    pub(super) fn before_dial(
        &mut self,
        order: &CallOrder,
        rung: &HashSet<CallAttemptId>,
        now: Timestamp,
    ) -> Result<(), String> {
        let id = order.attempt_id;
        let mut work = self.open(Scope::Company(order.company_id));
        let stored = at_once(work.call_attempts().get(id)).unwrap();
        for earlier in self.attempts.values() {
            if earlier.company_id != order.company_id
                || earlier.phone_number != order.phone_number
                || !rung.contains(&earlier.id)
            {
                continue;
            }
            let earlier = at_once(work.call_attempts().get(earlier.id)).unwrap();
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
        if !self.running.contains(&attempt.campaign_id) {
            return Err("somebody is dialed for a campaign that does not run".to_owned());
        }
        if now >= attempt.dial_before {
            return Err(format!("I3: attempt {id} is dialed after its deadline"));
        }
        self.may_be_called(order.company_id, &order.phone_number, attempt.task_id)?;
        self.is_within_hours(attempt.campaign_id, &order.phone_number, now)
    }

    /// I8.
    fn may_be_called(
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
    fn is_within_hours(
        &self,
        campaign_id: CampaignId,
        number: &PhoneNumber,
        at: Timestamp,
    ) -> Result<(), String> {
        let local = self.zones[number].local(at);
        let (from, to) = self.campaigns[&campaign_id].hours;
        let minute = local.hour() * 60 + local.minute();
        if (from..to).contains(&minute) {
            Ok(())
        } else {
            Err(format!("I4: {} is called at {local}", number.as_str()))
        }
    }

    /// The most lines that a company was ever allowed.
    pub(super) fn most_lines(&self, company_id: CompanyId) -> u32 {
        let limits = self.limits[&company_id].iter();
        limits
            .map(|(_, limits)| limits.max_concurrent_calls)
            .max()
            .unwrap()
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
