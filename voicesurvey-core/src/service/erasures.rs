//! Erasure: one person is forgotten, and stays excluded (row A25, I8).
//!
//! Everything happens in one unit of work of the company: tasks that wait end as excluded, what was
//! said and who was called is erased, files of results that may hold it are withdrawn, the number's
//! keyed hash takes its place on the exclusion list, and a report says how much that was. While a
//! call to the number is live nothing is erased; its news would bring some of it back. Recordings are
//! the provider's: it is asked to erase them when all else is committed, and again until it has.

mod unended;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use self::unended::UnendedCampaign;
use super::error::{FieldError, ServiceError, require};
use super::recordings::Recordings;
use super::validation;
use crate::api_key::{Actor, Role};
use crate::erasure::{Erasure, Retention};
use crate::id::{CampaignId, CompanyId, ErasureId, IdGenerator};
use crate::phone_number::PhoneNumber;
use crate::ports::{
    Page, PageRequest, Scope, Storage, StorageError, TelephonyProvider, UnitOfWork,
};
use crate::time::Clock;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 1_000;
/// How often it is tried again when another unit of work got in the way.
const TRIES: u8 = 5;
/// Digits of a number that a reason must not have.
const TELLING_DIGITS: usize = 6;
/// Attempt caps look back so far, so nobody may forget sooner whom they called.
const LEAST_CONTACT_DAYS: u16 = 30;
/// The longest time that may be given; whoever keeps something longer keeps it for good.
const MOST_DAYS: u16 = 3_650;

/// Erasures over a store, and what companies keep.
#[derive(Clone, Debug)]
pub struct Erasures {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    recordings: Recordings,
}

/// What came of a request to erase somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Erased {
    /// It was done now.
    Now(Erasure),
    /// Nothing was left to erase: this is the report of when it was done.
    Before(Erasure),
}

impl Erasures {
    /// Over a store that was given the keys for what remains of numbers. The provider is asked to
    /// erase recordings.
    pub fn new(
        storage: Arc<dyn Storage>,
        provider: Arc<dyn TelephonyProvider>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
    ) -> Self {
        Self {
            recordings: Recordings::new(storage.clone(), provider, clock.clone()),
            storage,
            clock,
            ids,
        }
    }

    /// Erases whoever has the number, over all campaigns of the company. Repeating it erases what has
    /// come since, or tells of the first time. A provider that does not erase a recording is no
    /// error: the engine asks it again, once an hour, until it has. Needs the role admin.
    pub async fn erase(
        &self,
        actor: &Actor,
        number: &str,
        reason: &str,
    ) -> Result<Erased, ServiceError> {
        require(actor, Role::Admin)?;
        let mut tries = 1;
        let erased = loop {
            match self.try_to_erase(actor, number, reason).await {
                Err(ServiceError::Storage(StorageError::Conflict { what })) if tries < TRIES => {
                    tracing::debug!(%what, "an erasure is tried again");
                    tries += 1;
                }
                done => break done?,
            }
        };
        if let Erased::Now(Erasure { id, erased, .. }) = &erased
            && erased.recordings > 0
        {
            let scope = Scope::Company(actor.company_id);
            if let Err(error) = self.recordings.erase_at_once(scope).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(erasure = %id, error, "recordings are erased later");
            }
        }
        Ok(erased)
    }

    async fn try_to_erase(
        &self,
        actor: &Actor,
        number: &str,
        reason: &str,
    ) -> Result<Erased, ServiceError> {
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        let (number, reason) = read(&mut *work, actor.company_id, number, reason).await?;
        work.erasures().take_turn().await?;
        let tasks = work.erasures().tasks_with_number(&number).await?;
        if work.call_attempts().live(&number).await?.is_some() {
            return Err(ServiceError::NotAllowed {
                code: "call_in_progress",
                message: "the number is being called; ask again when the call has ended".to_owned(),
            });
        }
        let before = work.erasures().erasure_of(&number).await?;
        work.call_tasks().exclude_waiting(&[number], now).await?;
        let mut erased = work.erasures().erase(&number, &tasks, now).await?;
        let others = work.erasures().forget_other_number(&number, now).await?;
        erased.other_contacts = others.len() as u64;
        let campaigns = tasks.iter().map(|task| task.campaign_id).chain(others);
        let campaigns: BTreeSet<CampaignId> = campaigns.collect();
        let campaigns: Vec<CampaignId> = campaigns.into_iter().collect();
        erased.exports = work.exports().withdraw(&campaigns).await?;
        if let Some(id) = before.filter(|_| erased.is_nothing()) {
            let report = work.erasures().get(id).await?;
            let report = report.ok_or_else(|| StorageError::Corrupt {
                table: "erasures",
                what: format!("erasure {id} is gone, and the hash of its number is not"),
            })?;
            return Ok(Erased::Before(report));
        }
        let erasure = Erasure {
            id: self.ids.next(),
            company_id: actor.company_id,
            reason,
            requested_by: actor.api_key_id,
            erased,
            created_at: now,
        };
        let erasures = work.erasures();
        if !erasures.keep_hash(&number, erasure.id, now).await? {
            return Err(ServiceError::NotAllowed {
                code: "no_number_key",
                message: "this installation has no key for what remains of erased numbers; its \
                          operator has to set database.number_keys"
                    .to_owned(),
            });
        }
        erasures.insert(&erasure).await?;
        work.commit().await?;
        tracing::info!(erasure = %erasure.id, "a person was erased");
        Ok(Erased::Now(erasure))
    }

    /// The report of an erasure. Needs the role admin.
    pub async fn get(&self, actor: &Actor, id: ErasureId) -> Result<Erasure, ServiceError> {
        require(actor, Role::Admin)?;
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        let found = work.erasures().get(id).await?;
        found.ok_or(ServiceError::NotFound { what: "erasure" })
    }

    /// The reports, newest first. Needs the role admin.
    pub async fn list(
        &self,
        actor: &Actor,
        page: &PageRequest,
    ) -> Result<Page<Erasure>, ServiceError> {
        require(actor, Role::Admin)?;
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        Ok(work.erasures().list(page).await?)
    }

    /// What the actor's company keeps.
    pub async fn retention(&self, actor: &Actor) -> Result<Retention, ServiceError> {
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        Ok(work.retention().get().await?)
    }

    /// Changes what the actor's company keeps. What is older is forgotten within the hour, for good.
    /// Needs the role admin.
    pub async fn set_retention(
        &self,
        actor: &Actor,
        retention: Retention,
    ) -> Result<Retention, ServiceError> {
        require(actor, Role::Admin)?;
        validation::finish(wrong_days(retention))?;
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        work.retention().set(&retention).await?;
        work.commit().await?;
        Ok(retention)
    }
}

fn wrong_days(retention: Retention) -> Vec<FieldError> {
    let least = [
        ("transcript_days", retention.transcript_days, 1),
        ("answer_days", retention.answer_days, 1),
        ("contact_days", retention.contact_days, LEAST_CONTACT_DAYS),
    ];
    let wrong = least.into_iter().filter_map(|(field, days, least)| {
        let days = days?.get();
        let message = format!("use a number from {least} to {MOST_DAYS}, or null for good");
        (!(least..=MOST_DAYS).contains(&days)).then(|| FieldError::new(field, message))
    });
    wrong.collect()
}

/// The number, and a reason that does not tell it.
async fn read(
    work: &mut dyn UnitOfWork,
    company_id: CompanyId,
    number: &str,
    reason: &str,
) -> Result<(PhoneNumber, String), ServiceError> {
    let company = work.companies().get(company_id).await?;
    let company = company.ok_or(ServiceError::NotFound { what: "company" })?;
    let reason = crate::call_list::clean(reason.trim());
    let mut errors = Vec::new();
    let number = PhoneNumber::parse(number, company.region);
    let number = number.map_err(|error| {
        errors.push(FieldError::new("phone_number", error.to_string()));
    });
    if reason.is_empty() {
        errors.push(FieldError::new("reason", "is required"));
    } else if reason.chars().count() > LONGEST_REASON {
        let message = format!("use at most {LONGEST_REASON} characters");
        errors.push(FieldError::new("reason", message));
    } else if number.is_ok_and(|number| tells(&reason, &number)) {
        let message = "must not name the number: the reason is kept, and the number is not";
        errors.push(FieldError::new("reason", message));
    }
    match number {
        Ok(number) if errors.is_empty() => Ok((number, reason)),
        _ => Err(ServiceError::Invalid(errors)),
    }
}

/// Whether the text names the number, however it is written.
fn tells(text: &str, number: &PhoneNumber) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number = number.as_str();
    digits.contains(&number[number.len().saturating_sub(TELLING_DIGITS)..])
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    #[test]
    fn a_reason_that_names_the_number_is_recognised() {
        let number: PhoneNumber = "+393471234567".parse().unwrap();
        assert!(tells("write to 347-123 45 67", &number));
        assert!(!tells("letter of 2026-11-20, case 4711", &number));
    }

    #[test]
    fn nobody_forgets_sooner_than_caps_look_back() {
        let days = NonZeroU16::new;
        let retention = Retention {
            transcript_days: days(1),
            answer_days: days(4_000),
            contact_days: days(29),
        };
        let wrong = wrong_days(retention);
        let fields: Vec<_> = wrong.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["answer_days", "contact_days"]);
        assert_eq!(wrong_days(Retention::default()), []);
    }
}
