//! What is left at the end of a run: what every task came to, and what really rang.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use voicesurvey::call_task::TaskStatus;
use voicesurvey::campaign::CampaignStatus;
use voicesurvey::conversation::AnswerResult;
use voicesurvey::gate::Reason;
use voicesurvey::id::{CampaignId, CompanyId};
use voicesurvey::outcome::Outcome;
use voicesurvey::phone_number::PhoneNumber;
use voicesurvey::ports::repositories::{CallTaskFilter, CampaignCounters};
use voicesurvey::ports::{ExclusionFilter, PageRequest, Scope, Storage};
use voicesurvey::simulator::Ring;
use voicesurvey::time::Timestamp;

use super::actors::Drive;
use super::ports::ACCOUNTS;
use super::shared::Shared;
use super::world::Tenant;

/// What a task came to.
#[derive(Debug, PartialEq)]
pub(super) struct Fate {
    pub(super) status: TaskStatus,
    pub(super) outcome: Option<Outcome>,
    pub(super) attempts: u16,
    pub(super) spent: u16,
    reason: Option<Reason>,
    /// What became of each question, in the order of their keys.
    answers: BTreeMap<String, AnswerResult>,
}

/// A call that the telephones knew: when it began and ended, and how.
type Rang = (Timestamp, Option<Timestamp>, Option<Outcome>);

/// Everything that two stores, or two ways to the same end, must agree on.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Results {
    pub(super) campaigns: BTreeMap<CampaignId, (CampaignStatus, CampaignCounters)>,
    pub(super) fates: BTreeMap<(CampaignId, PhoneNumber), Fate>,
    pub(super) excluded: BTreeSet<(CompanyId, PhoneNumber)>,
    rang: BTreeMap<(CompanyId, PhoneNumber), Vec<Rang>>,
}

impl Results {
    pub(super) fn read(
        drive: &Drive,
        storage: &Arc<dyn Storage>,
        tenants: &[Tenant],
        rings: &[Ring],
    ) -> Self {
        let mut results = Self::default();
        for ring in rings {
            let person = (ring.company_id, ring.phone_number);
            let rang = (ring.placed_at, ring.ended_at, ring.outcome);
            results.rang.entry(person).or_default().push(rang);
        }
        for tenant in tenants {
            drive.finish(results.add(storage, tenant.actor.company_id));
        }
        results
    }

    async fn add(&mut self, storage: &Arc<dyn Storage>, company_id: CompanyId) {
        let page = PageRequest::first(PageRequest::LARGEST);
        let mut work = storage.begin(Scope::Company(company_id)).await.unwrap();
        for campaign in work.campaigns().list(None, &page).await.unwrap().rows {
            let counters = work.campaigns().counters(campaign.id).await.unwrap();
            self.campaigns
                .insert(campaign.id, (campaign.status, counters));
        }
        let everything = CallTaskFilter::default();
        for task in work
            .call_tasks()
            .list(&everything, &page)
            .await
            .unwrap()
            .rows
        {
            let answers = work.interviews().answers(task.id).await.unwrap();
            let answers = answers.into_iter();
            let answers = answers.map(|answer| (answer.question_key, answer.result));
            let fate = Fate {
                status: task.state.status(),
                outcome: task.outcome,
                attempts: task.attempts_count,
                spent: task.attempts_spent,
                reason: task.reason,
                answers: answers.collect(),
            };
            self.fates
                .insert((task.campaign_id, task.contact.phone_number), fate);
        }
        for exclusion in work
            .exclusions()
            .list(&ExclusionFilter::default(), &page)
            .await
            .unwrap()
            .rows
        {
            self.excluded.insert((company_id, exclusion.phone_number));
        }
    }

    /// The same, whenever people were called: the operator who resumes what was paused waits for
    /// the last of all webhooks.
    pub(super) fn at_any_time(mut self) -> Self {
        for (began, ended, _) in self.rang.values_mut().flatten() {
            (*began, *ended) = (Timestamp::UNIX_EPOCH, None);
        }
        self
    }

    /// I7: every campaign that was started has ended, and so has every task of it.
    pub(super) fn broken(&self) -> Option<String> {
        let stuck = self.fates.iter().find(|((campaign, _), fate)| {
            !fate.status.is_final() && self.campaigns[campaign].0 != CampaignStatus::Draft
        });
        if let Some(((campaign, number), fate)) = stuck {
            let number = number.as_str();
            return Some(format!("I7: {number} of {campaign} is stuck: {fate:?}"));
        }
        let goes_on = self
            .campaigns
            .iter()
            .find(|(_, (status, _))| !status.is_final() && *status != CampaignStatus::Draft);
        goes_on.map(|(id, (status, _))| format!("I7: {id} is {status} and has nothing to do"))
    }
}

/// I3 and I5, as the telephones saw it.
pub(super) fn of_rings(rings: &[Ring], shared: &Shared) -> Option<String> {
    let state = shared.state();
    let judge = &state.judge;
    for (index, ring) in rings.iter().enumerate() {
        let number = ring.phone_number.as_str();
        for other in &rings[..index] {
            if other.attempt_id == ring.attempt_id {
                return Some(format!("I3: {number} rang twice for one attempt"));
            }
            let same_person =
                other.company_id == ring.company_id && other.phone_number == ring.phone_number;
            if same_person && other.overlaps(ring) {
                let (one, two) = (other.placed_at, ring.placed_at);
                return Some(format!(
                    "I3: {number} rang twice at once, at {one} and {two}"
                ));
            }
        }
        if !judge.attempts.contains_key(&ring.attempt_id) {
            return Some(format!("I2: {number} rang for no committed attempt"));
        }
        let company_id = ring.company_id;
        let most = judge.most_lines(company_id);
        let of_company = |ring: &&Ring| ring.company_id == company_id;
        let lines = lines_at(rings.iter().filter(of_company), ring.placed_at);
        if lines > most as usize {
            return Some(format!(
                "I5: {lines} telephones rang when {number} did at {}, and {most} may",
                ring.placed_at
            ));
        }
    }
    None
}

/// I5 of the provider accounts, as the telephones saw it: an account that always was limited never
/// held more lines than it ever might.
pub(super) fn of_accounts(accounts: &[Vec<Ring>], shared: &Shared) -> Option<String> {
    let state = shared.state();
    let judge = &state.judge;
    for (account, rings) in ACCOUNTS.iter().zip(accounts) {
        let Some(most) = judge.most_lines_of_account(account) else {
            continue;
        };
        for ring in rings {
            let lines = lines_at(rings.iter(), ring.placed_at);
            if lines > most as usize {
                return Some(format!(
                    "I5: {lines} lines of an account at {}, and {most} may be",
                    ring.placed_at
                ));
            }
        }
    }
    None
}

/// How many lines were in use just after that instant.
fn lines_at<'a>(rings: impl Iterator<Item = &'a Ring>, at: Timestamp) -> usize {
    let in_use =
        |ring: &&Ring| ring.placed_at <= at && ring.ended_at.is_none_or(|ended_at| ended_at > at);
    rings.filter(in_use).count()
}
