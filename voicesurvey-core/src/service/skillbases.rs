//! Skillbases: create, read, update, delete, list.

use std::sync::Arc;
use std::time::Duration;

use super::error::{FieldError, ServiceError, require};
use super::validation;
use crate::api_key::{Actor, Role};
use crate::id::{IdGenerator, SkillbaseId};
use crate::language::Language;
use crate::ports::{Page, PageRequest, Scope, Storage, StorageError, UnitOfWork};
use crate::skillbase::{Persona, Skillbase};
use crate::time::Clock;

/// Skillbases over a store.
#[derive(Clone, Debug)]
pub struct Skillbases {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    ids: Arc<IdGenerator>,
}

/// What a skillbase says and how; replaced as a whole by an edit.
#[derive(Clone, Debug, PartialEq)]
pub struct SkillbaseContent {
    /// What people call it.
    pub name: String,
    /// The language it speaks.
    pub language: Language,
    /// The provider's name of the voice.
    pub voice: Option<String>,
    /// Role, style, rules and facts.
    pub persona: Persona,
    /// After this time a call is ended politely.
    pub longest_call: Duration,
    /// Spoken when a call ends before the interview is complete.
    pub closing: Option<String>,
}

impl Skillbases {
    /// Over a store.
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, ids: Arc<IdGenerator>) -> Self {
        Self {
            storage,
            clock,
            ids,
        }
    }

    async fn begin(&self, actor: &Actor) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.storage.begin(Scope::Company(actor.company_id)).await
    }

    /// Creates a skillbase. Needs the role manager.
    pub async fn create(
        &self,
        actor: &Actor,
        content: SkillbaseContent,
    ) -> Result<Skillbase, ServiceError> {
        require(actor, Role::Manager)?;
        check(&content)?;
        let now = self.clock.now();
        let skillbase = Skillbase {
            id: self.ids.next(),
            company_id: actor.company_id,
            name: content.name.trim().to_owned(),
            language: content.language,
            voice: content.voice,
            persona: content.persona,
            longest_call: content.longest_call,
            closing: content.closing,
            is_default: false,
            created_at: now,
            updated_at: now,
            version: 1,
        };
        let mut work = self.begin(actor).await?;
        work.skillbases().insert(&skillbase).await?;
        work.commit().await?;
        Ok(skillbase)
    }

    /// Looks a skillbase up.
    pub async fn get(&self, actor: &Actor, id: SkillbaseId) -> Result<Skillbase, ServiceError> {
        let mut work = self.begin(actor).await?;
        work.skillbases()
            .get(id)
            .await?
            .ok_or(ServiceError::NotFound { what: "skillbase" })
    }

    /// Replaces what a skillbase says; its version rises by one. Campaigns that have started keep
    /// what they froze. The language of a default skillbase cannot be changed. Needs the role
    /// manager.
    pub async fn replace(
        &self,
        actor: &Actor,
        id: SkillbaseId,
        content: SkillbaseContent,
    ) -> Result<Skillbase, ServiceError> {
        require(actor, Role::Manager)?;
        check(&content)?;
        let mut work = self.begin(actor).await?;
        let found = work.skillbases().get(id).await?;
        let old = found.ok_or(ServiceError::NotFound { what: "skillbase" })?;
        if old.is_default && old.language != content.language {
            return Err(ServiceError::invalid(
                "language",
                format!(
                    "this is the default for {}; it keeps its language",
                    old.language.name()
                ),
            ));
        }
        let skillbase = Skillbase {
            name: content.name.trim().to_owned(),
            language: content.language,
            voice: content.voice,
            persona: content.persona,
            longest_call: content.longest_call,
            closing: content.closing,
            updated_at: self.clock.now(),
            ..old
        };
        work.skillbases().update(&skillbase).await?;
        work.commit().await?;
        Ok(Skillbase {
            version: skillbase.version + 1,
            ..skillbase
        })
    }

    /// Removes a skillbase. Refused for a default one, and while a campaign names it. Needs the role
    /// manager.
    pub async fn delete(&self, actor: &Actor, id: SkillbaseId) -> Result<(), ServiceError> {
        require(actor, Role::Manager)?;
        let mut work = self.begin(actor).await?;
        let found = work.skillbases().get(id).await?;
        let skillbase = found.ok_or(ServiceError::NotFound { what: "skillbase" })?;
        let not_allowed = |code, message: &str| ServiceError::NotAllowed {
            code,
            message: message.to_owned(),
        };
        if skillbase.is_default {
            return Err(not_allowed(
                "default_skillbase",
                "a default skillbase cannot be deleted",
            ));
        }
        match work.skillbases().delete(id).await {
            Ok(_) => Ok(work.commit().await?),
            Err(StorageError::Conflict { .. }) => Err(not_allowed(
                "skillbase_in_use",
                "a campaign uses this skillbase",
            )),
            Err(error) => Err(error.into()),
        }
    }

    /// The company's skillbases.
    pub async fn list(
        &self,
        actor: &Actor,
        page: &PageRequest,
    ) -> Result<Page<Skillbase>, ServiceError> {
        let mut work = self.begin(actor).await?;
        Ok(work.skillbases().list(page).await?)
    }
}

fn check(content: &SkillbaseContent) -> Result<(), ServiceError> {
    let mut errors = Vec::new();
    validation::name("name", &content.name, &mut errors);
    let longest = Duration::from_secs(30)..=Duration::from_hours(1);
    if !longest.contains(&content.longest_call) {
        errors.push(FieldError::new(
            "longest_call_seconds",
            "use seconds from 30 to 3600",
        ));
    }
    validation::finish(errors)
}
