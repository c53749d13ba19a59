//! Companies and their API keys.

use std::num::NonZeroU32;
use std::sync::Arc;

use chrono::TimeDelta;

use super::error::{FieldError, ServiceError, require};
use super::validation;
use crate::api_key::{Actor, ApiKey, ApiKeyHash, ApiKeySecret, Role};
use crate::company::{Company, CompanyLimits, CompanyStatus};
use crate::gate::{AttemptCaps, ContactHistory};
use crate::id::{ApiKeyId, CompanyId, IdGenerator};
use crate::language::Language;
use crate::phone_number::Region;
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError, WakeUp};
use crate::skillbase::Skillbase;
use crate::time::{Clock, Timestamp};
use crate::time_zone::TimeZone;

/// After this time a key's last use is written again; more often would make every request a write.
const LAST_USE_KEPT_TO: TimeDelta = TimeDelta::minutes(1);

/// A company to be created.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCompany {
    /// What people call it.
    pub name: String,
    /// The zone of its office.
    pub time_zone: TimeZone,
    /// The region of numbers without a country code.
    pub region: Region,
    /// Its language.
    pub language: Language,
    /// What it may use at once.
    pub limits: CompanyLimits,
}

/// What is to be changed about a company; absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CompanyChanges {
    /// The name.
    pub name: Option<String>,
    /// The zone.
    pub time_zone: Option<TimeZone>,
    /// The region.
    pub region: Option<Region>,
    /// The language.
    pub language: Option<Language>,
    /// Whether it may call; a suspended company's calls in progress end by themselves.
    pub status: Option<CompanyStatus>,
    /// The limits.
    pub limits: Option<CompanyLimits>,
    /// How often it may call one person.
    pub caps: Option<AttemptCaps>,
}

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// What people call it.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// When it stops being accepted, if ever.
    pub expires_at: Option<Timestamp>,
}

/// Companies and API keys over a store.
///
/// Methods without an actor are the operator's: they are reached from the command line or with the
/// operator's own token, never with a company's key.
#[derive(Clone, Debug)]
pub struct Companies {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
    wake_up: Arc<dyn WakeUp>,
}

impl Companies {
    /// Over a store. `wake_up` is rung when a company may have become free to call more people.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        ids: Arc<IdGenerator>,
        wake_up: Arc<dyn WakeUp>,
    ) -> Self {
        Self {
            storage,
            clock,
            ids,
            wake_up,
        }
    }

    /// Creates a company, with a default skillbase for every language.
    pub async fn create(&self, new: NewCompany) -> Result<Company, ServiceError> {
        let mut errors = Vec::new();
        validation::name("name", &new.name, &mut errors);
        check_limits(new.limits, &mut errors);
        validation::finish(errors)?;
        let now = self.clock.now();
        let company = Company {
            id: self.ids.next(),
            name: new.name.trim().to_owned(),
            time_zone: new.time_zone,
            region: new.region,
            language: new.language,
            status: CompanyStatus::Active,
            limits: new.limits,
            caps: AttemptCaps::default(),
            created_at: now,
            version: 1,
        };
        let mut work = self.storage.begin(Scope::Platform).await?;
        work.companies().insert(&company).await?;
        for language in Language::ALL {
            let id = self.ids.next();
            let skillbase = Skillbase::default_for(id, company.id, language, now);
            work.skillbases().insert(&skillbase).await?;
        }
        work.commit().await?;
        Ok(company)
    }

    /// All companies, for the operator.
    pub async fn list(&self, page: &PageRequest) -> Result<Page<Company>, ServiceError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        Ok(work.companies().list(page).await?)
    }

    /// Any company, for the operator.
    pub async fn get_any(&self, id: CompanyId) -> Result<Company, ServiceError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        work.companies()
            .get(id)
            .await?
            .ok_or(ServiceError::NotFound { what: "company" })
    }

    /// The actor's own company; any other does not exist.
    pub async fn get(&self, actor: &Actor, id: CompanyId) -> Result<Company, ServiceError> {
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        work.companies()
            .get(id)
            .await?
            .ok_or(ServiceError::NotFound { what: "company" })
    }

    /// Changes any company, for the operator. New limits apply from the next claim on.
    pub async fn change(
        &self,
        id: CompanyId,
        changes: CompanyChanges,
    ) -> Result<Company, ServiceError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        let found = work.companies().get(id).await?;
        let old = found.ok_or(ServiceError::NotFound { what: "company" })?;
        let company = Company {
            name: changes.name.map_or(old.name, |name| name.trim().to_owned()),
            time_zone: changes.time_zone.unwrap_or(old.time_zone),
            region: changes.region.unwrap_or(old.region),
            language: changes.language.unwrap_or(old.language),
            status: changes.status.unwrap_or(old.status),
            limits: changes.limits.unwrap_or(old.limits),
            caps: changes.caps.unwrap_or(old.caps),
            ..old
        };
        let mut errors = Vec::new();
        validation::name("name", &company.name, &mut errors);
        check_limits(company.limits, &mut errors);
        check_caps(&company.caps, &mut errors);
        validation::finish(errors)?;
        work.companies().update(&company).await?;
        work.commit().await?;
        // With wider limits, or active again, people can be called at once.
        self.wake_up.wake();
        Ok(Company {
            version: company.version + 1,
            ..company
        })
    }

    /// Removes a company with its keys, skillbases and exclusions, for the operator. Refused while it
    /// has campaigns: what was asked and answered is not thrown away in passing.
    pub async fn delete(&self, id: CompanyId) -> Result<(), ServiceError> {
        let mut work = self.storage.begin(Scope::Platform).await?;
        match work.companies().delete(id).await {
            Ok(true) => Ok(work.commit().await?),
            Ok(false) => Err(ServiceError::NotFound { what: "company" }),
            Err(StorageError::Conflict { .. }) => Err(ServiceError::NotAllowed {
                code: "company_has_campaigns",
                message: "the company has campaigns; delete them first".to_owned(),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a key for any company, for the operator.
    pub async fn create_first_key(
        &self,
        company_id: CompanyId,
        new: NewApiKey,
    ) -> Result<(ApiKey, ApiKeySecret), ServiceError> {
        self.get_any(company_id).await?;
        self.insert_key(company_id, new).await
    }

    /// Makes a key for the actor's company. Needs the role admin. The secret is in the answer and
    /// nowhere else.
    pub async fn create_key(
        &self,
        actor: &Actor,
        new: NewApiKey,
    ) -> Result<(ApiKey, ApiKeySecret), ServiceError> {
        require(actor, Role::Admin)?;
        self.insert_key(actor.company_id, new).await
    }

    async fn insert_key(
        &self,
        company_id: CompanyId,
        new: NewApiKey,
    ) -> Result<(ApiKey, ApiKeySecret), ServiceError> {
        let now = self.clock.now();
        let mut errors = Vec::new();
        validation::name("name", &new.name, &mut errors);
        if new.expires_at.is_some_and(|expires_at| expires_at <= now) {
            errors.push(FieldError::new("expires_at", "must be in the future"));
        }
        validation::finish(errors)?;
        let secret = ApiKeySecret::generate(&self.ids);
        let key = ApiKey {
            id: self.ids.next(),
            company_id,
            name: new.name.trim().to_owned(),
            prefix: secret.prefix().to_owned(),
            hash: secret.hash(),
            role: new.role,
            created_at: now,
            expires_at: new.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let mut work = self.storage.begin(Scope::Company(company_id)).await?;
        work.api_keys().insert(&key).await?;
        work.commit().await?;
        Ok((key, secret))
    }

    /// The keys of the actor's company. Needs the role admin.
    pub async fn keys(
        &self,
        actor: &Actor,
        page: &PageRequest,
    ) -> Result<Page<ApiKey>, ServiceError> {
        require(actor, Role::Admin)?;
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        Ok(work.api_keys().list(page).await?)
    }

    /// Revokes a key, at once and for good. Needs the role admin. Revoking twice changes nothing.
    pub async fn revoke_key(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey, ServiceError> {
        require(actor, Role::Admin)?;
        let mut work = self.storage.begin(Scope::Company(actor.company_id)).await?;
        let found = work.api_keys().get(id).await?;
        let mut key = found.ok_or(ServiceError::NotFound { what: "API key" })?;
        key.revoked_at.get_or_insert(self.clock.now());
        work.api_keys().update(&key).await?;
        work.commit().await?;
        Ok(key)
    }

    /// Who holds `secret`; `None` when no valid key does.
    pub async fn authenticate(&self, secret: &str) -> Result<Option<Actor>, StorageError> {
        let now = self.clock.now();
        let mut work = self.storage.begin(Scope::Platform).await?;
        let found = work
            .api_keys()
            .find_by_hash(&ApiKeyHash::of(secret))
            .await?;
        let Some(mut key) = found.filter(|key| key.is_valid(now)) else {
            return Ok(None);
        };
        let actor = Actor {
            company_id: key.company_id,
            api_key_id: key.id,
            role: key.role,
        };
        if key
            .last_used_at
            .is_none_or(|last| now - last >= LAST_USE_KEPT_TO)
        {
            key.last_used_at = Some(now);
            work.api_keys().update(&key).await?;
            work.commit().await?;
        }
        Ok(Some(actor))
    }
}

/// Attempts are remembered no longer than for the longest of the caps' spans.
fn check_caps(caps: &AttemptCaps, errors: &mut Vec<FieldError>) {
    let longest = ContactHistory::REACH.num_minutes();
    let gap = caps.minimum_gap_minutes.map(NonZeroU32::get);
    if gap.is_some_and(|minutes| i64::from(minutes) > longest) {
        let message = format!("use at most {longest} minutes");
        let field = "attempt_caps.minimum_gap_minutes";
        errors.push(FieldError::new(field, message));
    }
}

fn check_limits(limits: CompanyLimits, errors: &mut Vec<FieldError>) {
    for (field, limit) in [
        ("max_concurrent_calls", limits.max_concurrent_calls),
        ("calls_per_minute", limits.calls_per_minute),
    ] {
        if !(1..=100_000).contains(&limit) {
            errors.push(FieldError::new(field, "use a number from 1 to 100000"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::memory::MemoryStorage;
    use crate::testing::samples;
    use crate::time::ManualClock;

    #[derive(Debug, Default)]
    struct Rings(AtomicU32);

    impl WakeUp for Rings {
        fn wake(&self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn whoever_lets_a_company_call_more_wakes_the_dispatcher() {
        let storage = Arc::new(MemoryStorage::default());
        let clock = Arc::new(ManualClock::new(samples::now()));
        let ids = Arc::new(IdGenerator::from_seed(clock.clone(), 1));
        let rings = Arc::new(Rings::default());
        let companies = Companies::new(storage.clone(), clock, ids, rings.clone());
        let company = samples::company();
        let mut work = storage.begin(Scope::Platform).await.unwrap();
        work.companies().insert(&company).await.unwrap();
        work.commit().await.unwrap();
        let limits = |max_concurrent_calls| CompanyChanges {
            limits: Some(CompanyLimits {
                max_concurrent_calls,
                ..company.limits
            }),
            ..CompanyChanges::default()
        };
        let active = CompanyChanges {
            status: Some(CompanyStatus::Active),
            ..CompanyChanges::default()
        };
        let rung = || rings.0.load(Ordering::SeqCst);
        companies.change(company.id, limits(7)).await.unwrap();
        assert_eq!(rung(), 1);
        companies.change(company.id, active).await.unwrap();
        assert_eq!(rung(), 2);
        companies.change(company.id, limits(0)).await.unwrap_err();
        assert_eq!(rung(), 2, "nothing was changed");
    }
}
