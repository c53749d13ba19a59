//! Exclusions: who must not be called, kept by a company for itself or by the operator for all.
//!
//! A number is excluded in the unit of work that also ends the tasks that wait with it. Long lists
//! go in batches, each a unit of work of its own, so that nobody waits for the whole list; what a
//! fault cuts short is completed by adding the list again, because a number that is excluded stays
//! as it is. The operator's list is written first, and from then on no company dials the number: the
//! claim and the dispatcher's last look ask both lists. Only then do the waiting tasks end, company
//! by company.
//!
//! A call to such a number that nobody has picked up yet is hung up. One that was answered ends by
//! itself: the person is talking to us, and no other call follows (I8).

pub(crate) mod batches;
mod importing;
mod reading;

use std::sync::Arc;

use self::batches::Batches;
pub use self::importing::{ImportedExclusions, RefusedRows};
use self::reading::{NumberReader, note};
use super::error::{FieldError, ServiceError, require};
use super::validation;
use crate::api_key::{Actor, Role};
use crate::exclusion::{ExcludedBy, Exclusion, ExclusionRemoval, ExclusionSource};
use crate::id::{ApiKeyId, CompanyId, IdGenerator};
use crate::phone_number::{PhoneNumber, Region};
use crate::ports::{ExclusionFilter, Page, PageRequest, Scope, Storage, TelephonyProvider};
use crate::time::Clock;

/// The most numbers of one request; longer lists are imported.
pub const MOST_NUMBERS: usize = 10_000;

/// Who keeps a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// Somebody of a company, for its campaigns.
    Company(Actor),
    /// The operator, for every company.
    Operator,
}

impl Keeper {
    const fn scope(&self) -> Scope {
        match self {
            Self::Company(actor) => Scope::Company(actor.company_id),
            Self::Operator => Scope::Platform,
        }
    }

    const fn company_id(&self) -> Option<CompanyId> {
        match self {
            Self::Company(actor) => Some(actor.company_id),
            Self::Operator => None,
        }
    }

    const fn api_key_id(&self) -> Option<ApiKeyId> {
        match self {
            Self::Company(actor) => Some(actor.api_key_id),
            Self::Operator => None,
        }
    }

    fn must_be(&self, needed: Role) -> Result<(), ServiceError> {
        match self {
            Self::Company(actor) => require(actor, needed),
            Self::Operator => Ok(()),
        }
    }
}

/// Numbers to be excluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExclusions {
    /// As people write them.
    pub phone_numbers: Vec<String>,
    /// Who asks for it.
    pub source: ExclusionSource,
    /// Where numbers without a country code belong; absent means the company's region, and for the
    /// operator that such numbers are refused.
    pub region: Option<Region>,
    /// Why.
    pub note: Option<String>,
}

/// What became of numbers that were to be excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Excluded {
    /// Numbers that are new on the list.
    pub added: u64,
    /// Numbers that were on it; they stay as they were.
    pub already_excluded: u64,
    /// Tasks that waited with one of the numbers and have ended.
    pub tasks_ended: u64,
    /// Calls that nobody had picked up and that the provider was told to hang up.
    pub calls_hung_up: u64,
}

/// Whether a number may be called, for whoever asks about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberStanding {
    /// The number.
    pub phone_number: PhoneNumber,
    /// Why it must not be called.
    pub excluded_by: Option<ExcludedBy>,
    /// Its entry on the keeper's own list.
    pub exclusion: Option<Exclusion>,
}

/// The exclusion lists over a store.
#[derive(Clone, Debug)]
pub struct Exclusions {
    storage: Arc<dyn Storage>,
    batches: Batches,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
}

impl Exclusions {
    /// Over a store. The provider is told to hang up calls that ring at a number when it is excluded.
    pub fn new(
        storage: Arc<dyn Storage>,
        provider: Arc<dyn TelephonyProvider>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
    ) -> Self {
        Self {
            batches: Batches::new(storage.clone(), Some(provider), clock.clone()),
            storage,
            clock,
            ids,
        }
    }

    /// The keeper's list, in the order of the numbers.
    pub async fn list(
        &self,
        keeper: &Keeper,
        filter: &ExclusionFilter,
        page: &PageRequest,
    ) -> Result<Page<Exclusion>, ServiceError> {
        let mut work = self.storage.begin(keeper.scope()).await?;
        Ok(work.exclusions().list(filter, page).await?)
    }

    /// Whether a number may be called, and if not, on whose list it is. `None` for a text that is no
    /// number.
    pub async fn standing(
        &self,
        keeper: &Keeper,
        number: &str,
    ) -> Result<Option<NumberStanding>, ServiceError> {
        let mut work = self.storage.begin(keeper.scope()).await?;
        let reader = NumberReader::of(&mut *work, keeper, None).await?;
        let Ok(phone_number) = reader.read(number) else {
            return Ok(None);
        };
        Ok(Some(NumberStanding {
            phone_number,
            excluded_by: work.exclusions().excluded_by(&phone_number).await?,
            exclusion: work.exclusions().get(&phone_number).await?,
        }))
    }

    /// Excludes numbers, at once in all campaigns, and ends what waits for them. Numbers that are
    /// excluded already are no error and stay as they are. If one cannot be read nothing is done, and
    /// all of those are named. Needs the role manager.
    pub async fn add(&self, keeper: &Keeper, new: NewExclusions) -> Result<Excluded, ServiceError> {
        keeper.must_be(Role::Manager)?;
        let mut work = self.storage.begin(keeper.scope()).await?;
        let reader = NumberReader::of(&mut *work, keeper, new.region).await?;
        drop(work);
        let mut errors = Vec::new();
        let note = note("reason", new.note, &mut errors);
        if new.phone_numbers.is_empty() {
            errors.push(FieldError::new("phone_numbers", "name at least one number"));
        } else if new.phone_numbers.len() > MOST_NUMBERS {
            let message = format!("name at most {MOST_NUMBERS} numbers, or import a file");
            errors.push(FieldError::new("phone_numbers", message));
            return Err(ServiceError::Invalid(errors));
        }
        let mut numbers = Vec::with_capacity(new.phone_numbers.len());
        for (index, text) in new.phone_numbers.iter().enumerate() {
            match reader.read(text) {
                Ok(number) => numbers.push(number),
                Err(what) => {
                    errors.push(FieldError::new(format!("phone_numbers[{index}]"), what));
                }
            }
        }
        validation::finish(errors)?;
        let of_operator = (*keeper == Keeper::Operator).then(|| numbers.clone());
        let mut excluded = self.exclude(keeper, numbers, new.source, note).await?;
        if let Some(numbers) = of_operator {
            excluded.add(self.end_everywhere(&numbers).await?);
        }
        Ok(excluded)
    }

    /// Takes a number off the keeper's list, and keeps who did it and why. Tasks that the exclusion
    /// has ended stay ended; a list that is uploaded later may name the number again. Needs the role
    /// admin. `NotFound` if the number is not on the list.
    pub async fn remove(
        &self,
        keeper: &Keeper,
        number: &str,
        reason: String,
    ) -> Result<ExclusionRemoval, ServiceError> {
        keeper.must_be(Role::Admin)?;
        let not_found = || ServiceError::NotFound { what: "exclusion" };
        let mut work = self.storage.begin(keeper.scope()).await?;
        let reader = NumberReader::of(&mut *work, keeper, None).await?;
        let number = reader.read(number).map_err(|_| not_found())?;
        let exclusion = work.exclusions().get(&number).await?;
        let exclusion = exclusion.ok_or_else(not_found)?;
        let mut errors = Vec::new();
        let reason = note("reason", Some(reason), &mut errors);
        if reason.is_none() && errors.is_empty() {
            let message = "is required: say why the number may be called again";
            errors.push(FieldError::new("reason", message));
        }
        validation::finish(errors)?;
        if !work.exclusions().delete(&number).await? {
            return Err(not_found());
        }
        let removal = ExclusionRemoval {
            id: self.ids.next(),
            exclusion,
            reason: reason.unwrap_or_default(),
            removed_at: self.clock.now(),
            removed_by: keeper.api_key_id(),
        };
        work.exclusions().insert_removal(&removal).await?;
        work.commit().await?;
        Ok(removal)
    }

    /// What was taken off the keeper's list, newest first.
    pub async fn removals(
        &self,
        keeper: &Keeper,
        page: &PageRequest,
    ) -> Result<Page<ExclusionRemoval>, ServiceError> {
        let mut work = self.storage.begin(keeper.scope()).await?;
        Ok(work.exclusions().removals(page).await?)
    }

    async fn exclude(
        &self,
        keeper: &Keeper,
        mut numbers: Vec<PhoneNumber>,
        source: ExclusionSource,
        note: Option<String>,
    ) -> Result<Excluded, ServiceError> {
        // In one order for all, so that two lists that are added at once do not wait for each other.
        numbers.sort_unstable();
        numbers.dedup();
        let created_at = self.clock.now();
        let exclusion = |&phone_number: &PhoneNumber| Exclusion {
            company_id: keeper.company_id(),
            phone_number,
            source,
            attempt_id: None,
            note: note.clone(),
            created_at,
            created_by: keeper.api_key_id(),
        };
        let scope = keeper.scope();
        Ok(self.batches.exclude(scope, &numbers, exclusion).await?)
    }
}

impl Excluded {
    /// Counts both together.
    pub fn add(&mut self, more: Self) {
        self.added += more.added;
        self.already_excluded += more.already_excluded;
        self.tasks_ended += more.tasks_ended;
        self.calls_hung_up += more.calls_hung_up;
    }
}
