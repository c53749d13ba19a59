//! Call attempts.

use std::ops::Bound;

use async_trait::async_trait;

use super::rows::{PastCall, ReceivedEvent, first_id, under_before};
use super::table::Transaction;
use super::{MemoryUnitOfWork, conflict, cursor, page_of, require};
use crate::call_attempt::CallAttempt;
use crate::campaign::Campaign;
use crate::company::Company;
use crate::gate::ContactHistory;
use crate::id::{CallAttemptId, CampaignId, CompanyId};
use crate::outcome::Outcome;
use crate::phone_number::PhoneNumber;
use crate::planted::{self, Bug};
use crate::ports::repositories::CallAttemptFilter;
use crate::ports::{CallAttemptRepository, Page, PageRequest, Scope, StorageError};
use crate::time::Timestamp;

impl Transaction {
    /// The attempts of a company to a number that count against its caps, and when they were made.
    pub(super) fn calls_of(
        &self,
        company_id: CompanyId,
        number: PhoneNumber,
        since: Timestamp,
    ) -> impl Iterator<Item = (CallAttemptId, Timestamp)> {
        let kept = self
            .calls(company_id, number, since)
            .filter(|attempt| attempt.outcome.is_none_or(Outcome::counts_as_contact))
            .map(|attempt| (attempt.id, attempt.created_at));
        let forgotten = self
            .table::<PastCall>()
            .range((company_id, number, since, first_id())..)
            .map(|PastCall(call)| *call)
            .take_while(move |(of, to, ..)| *of == company_id && *to == number)
            .map(|(.., at, id)| (id, at));
        kept.chain(forgotten)
    }

    /// Has calls looked after that may wait at the provider, of a campaign that has stopped calling.
    pub(super) fn look_after_waiting_calls(&mut self, campaign: &Campaign) {
        let attempts = self.table::<CallAttempt>();
        let live = attempts.index().leases.iter();
        let waiting = live
            .filter_map(|(_, id)| attempts.get(id))
            .filter(|attempt| attempt.campaign_id == campaign.id);
        for mut attempt in waiting.cloned().collect::<Vec<_>>() {
            attempt.look_after_unless_ringing(campaign.updated_at);
            self.put(attempt);
        }
    }

    /// The attempts over a provider's lines whose price is to be asked for, and when.
    pub(super) fn prices_of(
        &self,
        provider: &str,
    ) -> impl Iterator<Item = (Timestamp, &CallAttempt)> {
        let attempts = self.table::<CallAttempt>();
        let prices = attempts.index().prices.iter();
        prices
            .filter_map(|(at, id)| Some((*at, attempts.get(id)?)))
            .filter(move |(_, attempt)| attempt.provider == provider)
    }

    /// Whether a call counts against the caps in a campaign: it does, whichever campaign made it.
    pub(super) fn is_capped_by(&self, call: CallAttemptId, campaign_id: CampaignId) -> bool {
        let is_own = |call: &CallAttempt| call.campaign_id == campaign_id;
        !planted::is(Bug::CapsOfOneCampaign) || self.get::<CallAttempt>(&call).is_some_and(is_own)
    }

    /// Keeps of an attempt that has ended only what caps need, if there are any.
    fn forget(&mut self, attempt: &CallAttempt) {
        let company = self.get::<Company>(&attempt.company_id);
        let is_capped = company.is_some_and(|company| !company.caps.is_unlimited());
        let counts = attempt.outcome.is_none_or(Outcome::counts_as_contact);
        let id = attempt.id;
        if is_capped && counts {
            let (company_id, number) = (attempt.company_id, attempt.phone_number);
            self.put(PastCall((company_id, number, attempt.created_at, id)));
        }
        self.remove_while::<ReceivedEvent>((id, String::new()), |row| row.0.attempt_id == id);
        self.remove::<CallAttempt>(id);
    }

    /// The attempts of a company to a number.
    fn calls(
        &self,
        company_id: CompanyId,
        number: PhoneNumber,
        since: Timestamp,
    ) -> impl Iterator<Item = &CallAttempt> {
        let attempts = self.table::<CallAttempt>();
        attempts
            .index()
            .by_number
            .range((company_id, number, since, first_id())..)
            .take_while(move |(of, to, ..)| *of == company_id && *to == number)
            .filter_map(|(.., id)| attempts.get(id))
    }
}

#[async_trait]
impl CallAttemptRepository for MemoryUnitOfWork {
    async fn get(&mut self, id: CallAttemptId) -> Result<Option<CallAttempt>, StorageError> {
        let attempt = self.transaction.get::<CallAttempt>(&id);
        Ok(attempt
            .filter(|attempt| self.sees(attempt.company_id))
            .cloned())
    }

    async fn live(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<CallAttempt>, StorageError> {
        let Scope::Company(company_id) = self.scope else {
            return Err(conflict("the calls to a number are a company's"));
        };
        let mut calls = self
            .transaction
            .calls(company_id, *phone_number, Timestamp::MIN_UTC);
        Ok(calls.find(|attempt| attempt.state.is_live()).cloned())
    }

    async fn history(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: Option<CallAttemptId>,
    ) -> Result<ContactHistory, StorageError> {
        let Scope::Company(company_id) = self.scope else {
            return Err(conflict("the history of a number is a company's"));
        };
        let rows = &self.transaction;
        let own = except.and_then(|id| rows.get::<CallAttempt>(&id));
        let counted = rows
            .calls_of(company_id, *phone_number, since)
            .filter(|(id, _)| Some(*id) != except)
            .filter(|(id, _)| own.is_none_or(|own| rows.is_capped_by(*id, own.campaign_id)));
        Ok(ContactHistory::new(counted.map(|(_, at)| at).collect()))
    }

    async fn get_for_update(
        &mut self,
        id: CallAttemptId,
    ) -> Result<Option<CallAttempt>, StorageError> {
        CallAttemptRepository::get(self, id).await
    }

    async fn update(&mut self, attempt: &CallAttempt) -> Result<(), StorageError> {
        self.may_write(attempt.company_id)?;
        let stored = self.transaction.get::<CallAttempt>(&attempt.id);
        let stored = stored
            .filter(|stored| {
                stored.company_id == attempt.company_id && stored.version == attempt.version
            })
            .cloned()
            .ok_or_else(|| conflict("the attempt was changed or does not exist"))?;
        let ends = stored.state.is_live() && !attempt.state.is_live();
        let revives = !stored.state.is_live() && attempt.state.is_live();
        require(!revives, "an attempt that has ended stays ended")?;
        self.transaction.recount_attempt(Some(&stored), attempt);
        if stored.cost != attempt.cost {
            // It may leave more of the budget than was reserved.
            let at = attempt.ended_at.unwrap_or(attempt.created_at);
            self.transaction.wake(attempt.campaign_id, at);
        }
        let is_kept = planted::is(Bug::LineKeptAfterRejection)
            && attempt.outcome == Some(Outcome::ProviderRejected);
        if ends && !is_kept {
            self.transaction.release_line(attempt);
        }
        self.transaction.put(CallAttempt {
            version: attempt.version + 1,
            ..attempt.clone()
        });
        if ends && self.transaction.forgets {
            self.transaction.forget(attempt);
        }
        Ok(())
    }

    async fn provider_call_ids(
        &mut self,
        phone_number: &PhoneNumber,
        since: Timestamp,
        except: CallAttemptId,
    ) -> Result<Vec<String>, StorageError> {
        let companies = self.transaction.table::<Company>().range(..);
        let companies = companies.filter(|company| self.sees(company.id));
        let calls =
            companies.flat_map(|company| self.transaction.calls(company.id, *phone_number, since));
        Ok(calls
            .filter(|attempt| attempt.id != except)
            .filter_map(|attempt| attempt.provider_call_id.clone())
            .collect())
    }

    async fn list(
        &mut self,
        filter: &CallAttemptFilter,
        page: &PageRequest,
    ) -> Result<Page<CallAttempt>, StorageError> {
        let before: Option<CallAttemptId> = cursor(page)?;
        let attempts = self.transaction.table::<CallAttempt>();
        let index = attempts.index();
        let rows: Box<dyn Iterator<Item = &CallAttempt> + Send> = if let Some(id) = filter.task_id {
            let ids = under_before(&index.by_task, id, before);
            Box::new(ids.filter_map(|id| attempts.get(&id)))
        } else if let Some(id) = filter.campaign_id {
            let ids = under_before(&index.by_campaign, id, before);
            Box::new(ids.filter_map(|id| attempts.get(&id)))
        } else {
            let end = before.map_or(Bound::Unbounded, Bound::Excluded);
            Box::new(attempts.range((Bound::Unbounded, end)).rev())
        };
        let rows = rows.filter(|row| {
            self.sees(row.company_id)
                && filter.campaign_id.is_none_or(|id| row.campaign_id == id)
                && filter.task_id.is_none_or(|id| row.task_id == id)
                && filter.state.is_none_or(|state| row.state == state)
        });
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}
