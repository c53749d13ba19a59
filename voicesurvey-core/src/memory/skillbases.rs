//! Skillbases.

use async_trait::async_trait;

use super::rows::under;
use super::{MemoryUnitOfWork, cursor, page_of, require};
use crate::campaign::Campaign;
use crate::company::Company;
use crate::id::SkillbaseId;
use crate::language::Language;
use crate::ports::{Page, PageRequest, Scope, SkillbaseRepository, StorageError};
use crate::skillbase::Skillbase;

impl MemoryUnitOfWork {
    /// At most one default per company and language.
    fn require_only_default(&self, skillbase: &Skillbase) -> Result<(), StorageError> {
        let defaults = self.transaction.table::<Skillbase>().index();
        let default = defaults.get(&(skillbase.company_id, skillbase.language));
        require(
            !skillbase.is_default || default.is_none_or(|&id| id == skillbase.id),
            "the language has a default skillbase",
        )
    }
}

#[async_trait]
impl SkillbaseRepository for MemoryUnitOfWork {
    async fn insert(&mut self, skillbase: &Skillbase) -> Result<(), StorageError> {
        self.may_write(skillbase.company_id)?;
        require(
            !self.transaction.has::<Skillbase>(&skillbase.id),
            "the skillbase exists",
        )?;
        require(
            self.transaction.has::<Company>(&skillbase.company_id),
            "the company does not exist",
        )?;
        self.require_only_default(skillbase)?;
        self.transaction.put(skillbase.clone());
        Ok(())
    }

    async fn get(&mut self, id: SkillbaseId) -> Result<Option<Skillbase>, StorageError> {
        let skillbase = self.transaction.get::<Skillbase>(&id);
        Ok(skillbase
            .filter(|skillbase| self.sees(skillbase.company_id))
            .cloned())
    }

    async fn default_for(&mut self, language: Language) -> Result<Option<Skillbase>, StorageError> {
        let Scope::Company(company_id) = self.scope else {
            return Ok(None);
        };
        let defaults = self.transaction.table::<Skillbase>().index();
        let id = defaults.get(&(company_id, language));
        Ok(id
            .and_then(|id| self.transaction.get::<Skillbase>(id))
            .cloned())
    }

    async fn update(&mut self, skillbase: &Skillbase) -> Result<(), StorageError> {
        self.may_write(skillbase.company_id)?;
        let stored = self.transaction.get::<Skillbase>(&skillbase.id);
        require(
            stored.is_some_and(|stored| {
                stored.company_id == skillbase.company_id && stored.version == skillbase.version
            }),
            "the skillbase was changed or does not exist",
        )?;
        self.require_only_default(skillbase)?;
        self.transaction.put(Skillbase {
            version: skillbase.version + 1,
            ..skillbase.clone()
        });
        Ok(())
    }

    async fn delete(&mut self, id: SkillbaseId) -> Result<bool, StorageError> {
        if SkillbaseRepository::get(self, id).await?.is_none() {
            return Ok(false);
        }
        let by_skillbase = &self.transaction.table::<Campaign>().index().by_skillbase;
        let named = under(by_skillbase, id).next().is_some();
        require(!named, "a campaign names the skillbase")?;
        Ok(self.transaction.remove::<Skillbase>(id))
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Skillbase>, StorageError> {
        let rows = self.transaction.table::<Skillbase>().after(cursor(page)?);
        let rows = rows.filter(|row| self.sees(row.company_id));
        Ok(page_of(rows, page, |row| row.id.to_string()))
    }
}
