//! Exclusions: a company's list, and the operator's, which has tables of its own.

use std::collections::HashSet;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, OnConflict, Order, Query, SelectStatement, Value};
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use voicesurvey_core::exclusion::{ExcludedBy, Exclusion, ExclusionRemoval};
use voicesurvey_core::id::{ApiKeyId, CallAttemptId, CompanyId};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    ExclusionFilter, ExclusionRepository, Page, PageRequest, Scope, StorageError,
};

use crate::error::conflict;
use crate::page;
use crate::row::{Row, json, micros, read_all};
use crate::schema::{
    EXCLUSION_REMOVALS, EXCLUSIONS, OPERATOR_EXCLUSION_REMOVALS, OPERATOR_EXCLUSIONS,
};
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(exclusion: &Exclusion, company_id: CompanyId) -> [Value; 7] {
    [
        company_id.as_uuid().into(),
        exclusion.phone_number.as_str().into(),
        exclusion.source.name().into(),
        exclusion.attempt_id.map(CallAttemptId::as_uuid).into(),
        micros(exclusion.created_at).into(),
        exclusion.note.clone().into(),
        exclusion.created_by.map(ApiKeyId::as_uuid).into(),
    ]
}

fn operators_values(exclusion: &Exclusion) -> [Value; 4] {
    [
        exclusion.phone_number.as_str().into(),
        exclusion.source.name().into(),
        exclusion.note.clone().into(),
        micros(exclusion.created_at).into(),
    ]
}

/// Reads an entry of the list of that scope.
fn read(row: &SqliteRow, scope: Scope) -> Result<Exclusion, StorageError> {
    let row = Row::new(row, EXCLUSIONS.name);
    let (attempt_id, created_by) = match scope {
        Scope::Company(_) => (
            row.optional_id("attempt_id")?,
            row.optional_id("created_by")?,
        ),
        Scope::Platform => (None, None),
    };
    Ok(Exclusion {
        company_id: own_list(scope),
        phone_number: row.word("phone_number")?,
        source: row.word("source")?,
        attempt_id,
        note: row.get("note")?,
        created_at: row.instant("created_at")?,
        created_by,
    })
}

fn read_removal(row: &SqliteRow, scope: Scope) -> Result<ExclusionRemoval, StorageError> {
    let columns = Row::new(row, EXCLUSION_REMOVALS.name);
    let removed_by = match scope {
        Scope::Company(_) => columns.optional_id("removed_by")?,
        Scope::Platform => None,
    };
    Ok(ExclusionRemoval {
        id: columns.id("id")?,
        exclusion: read(row, scope)?,
        reason: columns.get("reason")?,
        removed_at: columns.instant("removed_at")?,
        removed_by,
    })
}

/// Whose list the scope keeps; `None` is the operator's.
const fn own_list(scope: Scope) -> Option<CompanyId> {
    match scope {
        Scope::Company(company_id) => Some(company_id),
        Scope::Platform => None,
    }
}

impl SqliteUnitOfWork {
    /// Refuses another company's list, and the operator's to a company.
    fn must_cover_list(&self, list: Option<CompanyId>) -> Result<(), StorageError> {
        match list {
            Some(company_id) => self.must_cover(company_id),
            None if self.scope == Scope::Platform => Ok(()),
            None => Err(conflict("the list is the operator's")),
        }
    }

    fn select_list(&self) -> SelectStatement {
        match self.scope {
            Scope::Company(_) => EXCLUSIONS.select(self.scope),
            Scope::Platform => OPERATOR_EXCLUSIONS.select_shared(),
        }
    }

    /// Those of the numbers that the scope's company has erased.
    async fn erased_numbers(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let Some(company_id) = own_list(self.scope) else {
            return Ok(HashSet::new());
        };
        let erased = self.erased_among(company_id, phone_numbers).await?;
        Ok(erased.into_keys().collect())
    }

    /// Those of the numbers that are on a list which the company must heed; without a company those
    /// that the operator has excluded.
    pub(crate) async fn excluded_among(
        &mut self,
        company_id: Option<CompanyId>,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        // One JSON array is one bound value, however many numbers there are.
        let excluded = sqlx::query(
            "SELECT phone_number FROM exclusions
             WHERE company_id = ?1 AND phone_number IN (SELECT value FROM json_each(?2))
             UNION ALL
             SELECT phone_number FROM operator_exclusions
             WHERE phone_number IN (SELECT value FROM json_each(?2))",
        )
        .bind(company_id.map(CompanyId::as_uuid))
        .bind(json(&phone_numbers)?);
        let rows = self.fetch_all(excluded).await?;
        rows.iter()
            .map(|row| Row::new(row, EXCLUSIONS.name).word("phone_number"))
            .collect()
    }
}

#[async_trait]
impl ExclusionRepository for SqliteUnitOfWork {
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError> {
        self.must_cover_list(exclusion.company_id)?;
        if exclusion.company_id.is_some() {
            let erased = self.erased_numbers(&[exclusion.phone_number]).await?;
            if !erased.is_empty() {
                return Ok(false);
            }
        }
        let (mut insert, key): (_, &[&'static str]) = match exclusion.company_id {
            Some(company_id) => (
                EXCLUSIONS.insert([values(exclusion, company_id)]),
                &["company_id", "phone_number"],
            ),
            None => (
                OPERATOR_EXCLUSIONS.insert([operators_values(exclusion)]),
                &["phone_number"],
            ),
        };
        insert.on_conflict(
            OnConflict::columns(key.iter().copied())
                .do_nothing()
                .to_owned(),
        );
        Ok(self.execute(built(&insert)).await? > 0)
    }

    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError> {
        let mut select = self.select_list();
        select.and_where(Expr::col("phone_number").eq(phone_number.as_str()));
        let row = self.fetch_optional(built(&select)).await?;
        row.map(|row| read(&row, self.scope)).transpose()
    }

    async fn excluded_by(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ExcludedBy>, StorageError> {
        let select = sqlx::query(
            "SELECT 'company' AS excluded_by FROM exclusions
             WHERE company_id = ?1 AND phone_number = ?2
             UNION ALL
             SELECT 'operator' FROM operator_exclusions WHERE phone_number = ?2
             LIMIT 1",
        )
        .bind(own_list(self.scope).map(CompanyId::as_uuid))
        .bind(phone_number.as_str().to_owned());
        if let Some(row) = self.fetch_optional(select).await? {
            return Row::new(&row, EXCLUSIONS.name)
                .word("excluded_by")
                .map(Some);
        }
        let erased = self.erased_numbers(&[*phone_number]).await?;
        Ok((!erased.is_empty()).then_some(ExcludedBy::Erasure))
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let mut excluded = self
            .excluded_among(own_list(self.scope), phone_numbers)
            .await?;
        excluded.extend(self.erased_numbers(phone_numbers).await?);
        Ok(excluded)
    }

    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError> {
        let mut delete = match self.scope {
            Scope::Company(_) => EXCLUSIONS.delete(self.scope),
            Scope::Platform => Query::delete().from_table(OPERATOR_EXCLUSIONS.name).take(),
        };
        delete.and_where(Expr::col("phone_number").eq(phone_number.as_str()));
        Ok(self.execute(built(&delete)).await? > 0)
    }

    async fn list(
        &mut self,
        filter: &ExclusionFilter,
        page: &PageRequest,
    ) -> Result<Page<Exclusion>, StorageError> {
        let mut select = self.select_list();
        if let Some(text) = &filter.text {
            let contains = Expr::cust_with_values("instr(phone_number, ?) > 0", [text.clone()]);
            select.and_where(contains);
        }
        if let Some(source) = filter.source {
            select.and_where(Expr::col("source").eq(source.name()));
        }
        page::by_key(&mut select, "phone_number", page, |cursor| {
            Some(cursor.parse::<PhoneNumber>().ok()?.as_str().to_owned())
        })?;
        let rows = self.fetch_all(built(&select)).await?;
        let rows = read_all(&rows, |row| read(row, self.scope))?;
        Ok(Page::from_rows(rows, page.limit(), |exclusion| {
            exclusion.phone_number.as_str().to_owned()
        }))
    }

    async fn insert_removal(&mut self, removal: &ExclusionRemoval) -> Result<(), StorageError> {
        let exclusion = &removal.exclusion;
        self.must_cover_list(exclusion.company_id)?;
        let insert = match exclusion.company_id {
            Some(company_id) => EXCLUSION_REMOVALS.insert([[
                company_id.as_uuid().into(),
                removal.id.as_uuid().into(),
                exclusion.phone_number.as_str().into(),
                exclusion.source.name().into(),
                exclusion.attempt_id.map(CallAttemptId::as_uuid).into(),
                exclusion.note.clone().into(),
                micros(exclusion.created_at).into(),
                exclusion.created_by.map(ApiKeyId::as_uuid).into(),
                removal.reason.clone().into(),
                micros(removal.removed_at).into(),
                removal.removed_by.map(ApiKeyId::as_uuid).into(),
            ]]),
            None => OPERATOR_EXCLUSION_REMOVALS.insert([[
                removal.id.as_uuid().into(),
                exclusion.phone_number.as_str().into(),
                exclusion.source.name().into(),
                exclusion.note.clone().into(),
                micros(exclusion.created_at).into(),
                removal.reason.clone().into(),
                micros(removal.removed_at).into(),
            ]]),
        };
        self.execute(built(&insert)).await?;
        Ok(())
    }

    async fn removals(
        &mut self,
        page: &PageRequest,
    ) -> Result<Page<ExclusionRemoval>, StorageError> {
        let mut select = match self.scope {
            Scope::Company(_) => EXCLUSION_REMOVALS.select(self.scope),
            Scope::Platform => OPERATOR_EXCLUSION_REMOVALS.select_shared(),
        };
        if let Some(cursor) = &page.after {
            let before: Uuid = cursor.parse().map_err(|_| page::unknown_cursor())?;
            select.and_where(Expr::col("id").lt(before));
        }
        select
            .order_by("id", Order::Desc)
            .limit(u64::from(page.limit()) + 1);
        let rows = self.fetch_all(built(&select)).await?;
        let rows = read_all(&rows, |row| read_removal(row, self.scope))?;
        Ok(Page::from_rows(rows, page.limit(), |removal| {
            removal.id.to_string()
        }))
    }
}
