//! Companies and their API keys.

use async_trait::async_trait;

use super::ready_list::AT_ONCE;
use super::rows::{CompanyLevel, ErasedNumber, RetentionRow};
use super::{MemoryUnitOfWork, conflict, cursor, page_of, require};
use crate::api_key::{ApiKey, ApiKeyHash};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::erasure::Erasure;
use crate::exclusion::{Exclusion, ExclusionRemoval};
use crate::id::{ApiKeyId, CompanyId};
use crate::pace::Pace;
use crate::ports::repositories::OutboxEvent;
use crate::ports::{ApiKeyRepository, CompanyRepository, Page, PageRequest, Scope, StorageError};
use crate::queue::QueueLevel;
use crate::skillbase::Skillbase;

#[async_trait]
impl CompanyRepository for MemoryUnitOfWork {
    async fn insert(&mut self, company: &Company) -> Result<(), StorageError> {
        require(
            self.scope == Scope::Platform,
            "only the platform adds companies",
        )?;
        require(
            !self.transaction.has::<Company>(&company.id),
            "the company exists",
        )?;
        let limits = company.limits;
        let pace = Pace::per_minute(limits.calls_per_minute);
        let level = QueueLevel::new(limits.max_concurrent_calls, pace, company.created_at);
        self.transaction.put(company.clone());
        self.transaction.put(CompanyLevel {
            company_id: company.id,
            level,
        });
        Ok(())
    }

    async fn get(&mut self, id: CompanyId) -> Result<Option<Company>, StorageError> {
        Ok(self
            .transaction
            .get::<Company>(&id)
            .filter(|row| self.sees(row.id))
            .cloned())
    }

    async fn update(&mut self, company: &Company) -> Result<(), StorageError> {
        self.may_write(company.id)?;
        let stored = self.transaction.get::<Company>(&company.id);
        require(
            stored.is_some_and(|stored| stored.version == company.version),
            "the company was changed or does not exist",
        )?;
        if let Some(&row) = self.transaction.get::<CompanyLevel>(&company.id) {
            let level = QueueLevel {
                max_concurrent_calls: company.limits.max_concurrent_calls,
                pace: Pace::per_minute(company.limits.calls_per_minute),
                ..row.level
            };
            self.transaction.put(CompanyLevel { level, ..row });
            // Wider limits may let calls start that waited for a call to end.
            self.transaction.wake_company(company.id, AT_ONCE);
        }
        self.transaction.put(Company {
            version: company.version + 1,
            ..company.clone()
        });
        Ok(())
    }

    async fn delete(&mut self, id: CompanyId) -> Result<bool, StorageError> {
        require(
            self.scope == Scope::Platform,
            "only the platform removes companies",
        )?;
        let has_campaigns = self
            .transaction
            .table::<Campaign>()
            .range(..)
            .any(|campaign| campaign.company_id == id);
        require(!has_campaigns, "the company has campaigns")?;
        self.transaction
            .remove_where::<ApiKey>(|row| row.company_id == id);
        self.transaction
            .remove_where::<Skillbase>(|row| row.company_id == id);
        self.transaction
            .remove_where::<Exclusion>(|row| row.company_id == Some(id));
        self.transaction
            .remove_where::<ExclusionRemoval>(|row| row.exclusion.company_id == Some(id));
        self.transaction
            .remove_where::<Erasure>(|row| row.company_id == id);
        self.transaction
            .remove_where::<ErasedNumber>(|row| row.company_id == id);
        self.transaction.remove::<RetentionRow>(id);
        self.transaction
            .remove_where::<OutboxEvent>(|row| row.company_id == id);
        self.transaction.remove::<CompanyLevel>(id);
        Ok(self.transaction.remove::<Company>(id))
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Company>, StorageError> {
        let rows = self.transaction.table::<Company>().after(cursor(page)?);
        let rows = rows.filter(|row| self.sees(row.id));
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}

#[async_trait]
impl ApiKeyRepository for MemoryUnitOfWork {
    async fn insert(&mut self, key: &ApiKey) -> Result<(), StorageError> {
        self.may_write(key.company_id)?;
        let keys = self.transaction.table::<ApiKey>();
        require(keys.get(&key.id).is_none(), "the API key exists")?;
        require(
            !keys.index().contains_key(key.hash.as_bytes()),
            "the hash exists",
        )?;
        require(
            self.transaction.has::<Company>(&key.company_id),
            "the company does not exist",
        )?;
        self.transaction.put(key.clone());
        Ok(())
    }

    async fn get(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        let key = self.transaction.get::<ApiKey>(&id);
        Ok(key.filter(|key| self.sees(key.company_id)).cloned())
    }

    async fn find_by_hash(&mut self, hash: &ApiKeyHash) -> Result<Option<ApiKey>, StorageError> {
        match self
            .transaction
            .table::<ApiKey>()
            .index()
            .get(hash.as_bytes())
        {
            Some(&id) => ApiKeyRepository::get(self, id).await,
            None => Ok(None),
        }
    }

    async fn update(&mut self, key: &ApiKey) -> Result<(), StorageError> {
        self.may_write(key.company_id)?;
        let stored = self.transaction.get::<ApiKey>(&key.id);
        let stored = stored
            .filter(|stored| stored.company_id == key.company_id)
            .ok_or_else(|| conflict("the API key does not exist"))?;
        let key = ApiKey {
            name: key.name.clone(),
            role: key.role,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: stored.revoked_at.or(key.revoked_at),
            ..stored.clone()
        };
        self.transaction.put(key);
        Ok(())
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<ApiKey>, StorageError> {
        let rows = self.transaction.table::<ApiKey>().after(cursor(page)?);
        let rows = rows.filter(|row| self.sees(row.company_id));
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}
