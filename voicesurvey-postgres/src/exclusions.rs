//! Exclusions: a company's list, and the operator's, which has tables of its own.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait as _, LikeExpr, Order, Query, SelectStatement};
use sqlx::postgres::PgRow;
use uuid::Uuid;
use voicesurvey_core::exclusion::{ExcludedBy, Exclusion, ExclusionRemoval, ExclusionSource};
use voicesurvey_core::id::{ApiKeyId, CallAttemptId, CompanyId};
use voicesurvey_core::phone_number::PhoneNumber;
use voicesurvey_core::ports::{
    ExclusionFilter, ExclusionRepository, Page, PageRequest, Scope, StorageError,
};

use crate::error::foreign_company;
use crate::page;
use crate::row::Reader;
use crate::schema;
use crate::unit_of_work::PostgresUnitOfWork;

/// The columns of a company's list, and what stands in their place on the operator's.
const COLUMNS: &str = "company_id, phone_number, source, attempt_id, note, created_at, created_by";
const OPERATORS_COLUMNS: &str = "NULL::uuid AS company_id, phone_number, source, \
    NULL::uuid AS attempt_id, note, created_at, NULL::uuid AS created_by";

fn exclusion(row: &PgRow) -> Result<Exclusion, StorageError> {
    let row = Reader::new("exclusions", row);
    Ok(Exclusion {
        company_id: row.optional_id("company_id")?,
        phone_number: row.parsed("phone_number")?,
        source: row.named("source", ExclusionSource::from_name)?,
        attempt_id: row.optional_id("attempt_id")?,
        note: row.get("note")?,
        created_at: row.get("created_at")?,
        created_by: row.optional_id("created_by")?,
    })
}

fn removal(row: &PgRow) -> Result<ExclusionRemoval, StorageError> {
    let columns = Reader::new("exclusion_removals", row);
    Ok(ExclusionRemoval {
        id: columns.id("id")?,
        exclusion: exclusion(row)?,
        reason: columns.get("reason")?,
        removed_at: columns.get("removed_at")?,
        removed_by: columns.optional_id("removed_by")?,
    })
}

/// One array per column.
fn all<T>(exclusions: &[&Exclusion], column: impl Fn(&Exclusion) -> T) -> Vec<T> {
    exclusions.iter().map(|row| column(row)).collect()
}

impl PostgresUnitOfWork {
    /// The company to which a statement is cut, and whose list the scope keeps; the platform sees them
    /// all, and keeps the operator's.
    pub(crate) fn scoped_company(&self) -> Option<Uuid> {
        match self.scope {
            Scope::Company(company_id) => Some(company_id.as_uuid()),
            Scope::Platform => None,
        }
    }

    /// Refuses another company's list, and the operator's to a company.
    fn permit_list(&self, list: Option<CompanyId>) -> Result<(), StorageError> {
        match list {
            Some(company_id) => self.permit(company_id),
            None if self.scope == Scope::Platform => Ok(()),
            None => Err(foreign_company()),
        }
    }

    /// The rows of the scope's list, or of what was taken off it.
    fn select_list(&self, table: ListTable) -> SelectStatement {
        let (company_columns, operator_columns) = table.columns();
        match self.scope {
            Scope::Company(_) => schema::select(company_columns, table.of_company(), self.scope),
            Scope::Platform => Query::select()
                .expr(Expr::cust(operator_columns))
                .from(table.of_operator())
                .take(),
        }
    }
}

/// What a list is kept in.
#[derive(Clone, Copy)]
enum ListTable {
    Exclusions,
    Removals,
}

impl ListTable {
    const fn of_company(self) -> &'static str {
        match self {
            Self::Exclusions => "exclusions",
            Self::Removals => "exclusion_removals",
        }
    }

    const fn of_operator(self) -> &'static str {
        match self {
            Self::Exclusions => "operator_exclusions",
            Self::Removals => "operator_exclusion_removals",
        }
    }

    const fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Exclusions => (COLUMNS, OPERATORS_COLUMNS),
            Self::Removals => (
                "id, company_id, phone_number, source, attempt_id, note, created_at, created_by, \
                 reason, removed_at, removed_by",
                "id, NULL::uuid AS company_id, phone_number, source, NULL::uuid AS attempt_id, \
                 note, created_at, NULL::uuid AS created_by, reason, removed_at, \
                 NULL::uuid AS removed_by",
            ),
        }
    }
}

#[async_trait]
impl ExclusionRepository for PostgresUnitOfWork {
    async fn insert(&mut self, exclusion: &Exclusion) -> Result<bool, StorageError> {
        let added = self.insert_many(std::slice::from_ref(exclusion)).await?;
        Ok(!added.is_empty())
    }

    async fn insert_many(
        &mut self,
        exclusions: &[Exclusion],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let Some(first) = exclusions.first() else {
            return Ok(HashSet::new());
        };
        self.permit_list(first.company_id)?;
        if exclusions
            .iter()
            .any(|row| row.company_id != first.company_id)
        {
            return Err(foreign_company());
        }
        let numbers: Vec<PhoneNumber> = exclusions.iter().map(|row| row.phone_number).collect();
        let erased = match first.company_id {
            Some(_) => self.erased_numbers(&numbers).await?,
            None => HashMap::new(),
        };
        let exclusions = exclusions
            .iter()
            .filter(|row| !erased.contains_key(&row.phone_number));
        let exclusions: Vec<&Exclusion> = exclusions.collect();
        let insert = match first.company_id {
            Some(company_id) => sqlx::query(
                "INSERT INTO exclusions (
                     phone_number, source, note, created_at, attempt_id, created_by, company_id
                 )
                 SELECT *, $7::uuid FROM UNNEST(
                     $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[], $6::uuid[]
                 )
                 ON CONFLICT DO NOTHING
                 RETURNING phone_number",
            )
            .bind(all(&exclusions, |row| row.phone_number.to_string()))
            .bind(all(&exclusions, |row| row.source.name()))
            .bind(all(&exclusions, |row| row.note.clone()))
            .bind(all(&exclusions, |row| row.created_at))
            .bind(all(&exclusions, |row| {
                row.attempt_id.map(CallAttemptId::as_uuid)
            }))
            .bind(all(&exclusions, |row| {
                row.created_by.map(ApiKeyId::as_uuid)
            }))
            .bind(company_id.as_uuid()),
            None => sqlx::query(
                "INSERT INTO operator_exclusions (phone_number, source, note, created_at)
                 SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::timestamptz[])
                 ON CONFLICT DO NOTHING
                 RETURNING phone_number",
            )
            .bind(all(&exclusions, |row| row.phone_number.to_string()))
            .bind(all(&exclusions, |row| row.source.name()))
            .bind(all(&exclusions, |row| row.note.clone()))
            .bind(all(&exclusions, |row| row.created_at)),
        };
        let rows = self.rows(insert).await?;
        rows.iter()
            .map(|row| Reader::new("exclusions", row).parsed("phone_number"))
            .collect()
    }

    async fn get(&mut self, phone_number: &PhoneNumber) -> Result<Option<Exclusion>, StorageError> {
        let mut list = self.select_list(ListTable::Exclusions);
        list.and_where(Expr::col("phone_number").eq(phone_number.as_str()));
        self.list(&list).await?.first().map(exclusion).transpose()
    }

    async fn excluded_by(
        &mut self,
        phone_number: &PhoneNumber,
    ) -> Result<Option<ExcludedBy>, StorageError> {
        let select = sqlx::query(
            "SELECT 'company' AS excluded_by FROM exclusions
             WHERE company_id = $1 AND phone_number = $2
             UNION ALL
             SELECT 'operator' FROM operator_exclusions WHERE phone_number = $2
             UNION ALL
             -- Only where a company has erased numbers it is asked whether this is one.
             SELECT 'erasure' FROM erasure_keys WHERE company_id = $1",
        )
        .bind(self.scoped_company())
        .bind(phone_number.to_string());
        let rows = self.rows(select).await?;
        let found = rows
            .iter()
            .map(|row| Reader::new("exclusions", row).named("excluded_by", ExcludedBy::from_name));
        let found: Vec<ExcludedBy> = found.collect::<Result<_, _>>()?;
        let is_erased = found.contains(&ExcludedBy::Erasure)
            && !self.erased_numbers(&[*phone_number]).await?.is_empty();
        let lists = [ExcludedBy::Company, ExcludedBy::Operator];
        let listed = lists.into_iter().find(|list| found.contains(list));
        Ok(listed.or(is_erased.then_some(ExcludedBy::Erasure)))
    }

    async fn among(
        &mut self,
        phone_numbers: &[PhoneNumber],
    ) -> Result<HashSet<PhoneNumber>, StorageError> {
        let numbers: Vec<String> = phone_numbers.iter().map(PhoneNumber::to_string).collect();
        let select = sqlx::query(
            "SELECT phone_number FROM exclusions
             WHERE company_id = $1 AND phone_number = ANY($2)
             UNION ALL
             SELECT phone_number FROM operator_exclusions WHERE phone_number = ANY($2)",
        )
        .bind(self.scoped_company())
        .bind(numbers);
        let rows = self.rows(select).await?;
        let listed = rows
            .iter()
            .map(|row| Reader::new("exclusions", row).parsed("phone_number"));
        let mut excluded: HashSet<PhoneNumber> = listed.collect::<Result<_, _>>()?;
        excluded.extend(self.erased_numbers(phone_numbers).await?.into_keys());
        Ok(excluded)
    }

    async fn delete(&mut self, phone_number: &PhoneNumber) -> Result<bool, StorageError> {
        let delete = match self.scoped_company() {
            Some(company_id) => {
                sqlx::query("DELETE FROM exclusions WHERE phone_number = $1 AND company_id = $2")
                    .bind(phone_number.to_string())
                    .bind(company_id)
            }
            None => sqlx::query("DELETE FROM operator_exclusions WHERE phone_number = $1")
                .bind(phone_number.to_string()),
        };
        Ok(self.execute(delete).await? > 0)
    }

    async fn list(
        &mut self,
        filter: &ExclusionFilter,
        request: &PageRequest,
    ) -> Result<Page<Exclusion>, StorageError> {
        let mut list = self.select_list(ListTable::Exclusions);
        if let Some(text) = &filter.text {
            // No number contains a zero byte, and PostgreSQL would refuse to look for one.
            if text.contains('\0') {
                return Ok(Page {
                    rows: Vec::new(),
                    next: None,
                });
            }
            let escaped = text
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_");
            let pattern = LikeExpr::new(format!("%{escaped}%"));
            list.and_where(Expr::col("phone_number").like(pattern));
        }
        if let Some(source) = filter.source {
            list.and_where(Expr::col("source").eq(source.name()));
        }
        if let Some(cursor) = &request.after {
            let after: PhoneNumber = cursor.parse().map_err(|_| page::unknown_cursor())?;
            list.and_where(Expr::col("phone_number").gt(after.as_str()));
        }
        list.order_by("phone_number", Order::Asc)
            .limit(u64::from(request.limit()) + 1);
        let rows = self.list(&list).await?;
        let exclusions = rows.iter().map(exclusion).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            exclusions,
            request.limit(),
            |row: &Exclusion| row.phone_number.to_string(),
        ))
    }

    async fn insert_removal(&mut self, removal: &ExclusionRemoval) -> Result<(), StorageError> {
        let exclusion = &removal.exclusion;
        self.permit_list(exclusion.company_id)?;
        let insert = match exclusion.company_id {
            Some(company_id) => sqlx::query(
                "INSERT INTO exclusion_removals (
                     id, phone_number, source, note, created_at, reason, removed_at,
                     attempt_id, created_by, removed_by, company_id
                 ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            )
            .bind(removal.id.as_uuid())
            .bind(exclusion.phone_number.to_string())
            .bind(exclusion.source.name())
            .bind(exclusion.note.clone())
            .bind(exclusion.created_at)
            .bind(removal.reason.clone())
            .bind(removal.removed_at)
            .bind(exclusion.attempt_id.map(CallAttemptId::as_uuid))
            .bind(exclusion.created_by.map(ApiKeyId::as_uuid))
            .bind(removal.removed_by.map(ApiKeyId::as_uuid))
            .bind(company_id.as_uuid()),
            None => sqlx::query(
                "INSERT INTO operator_exclusion_removals (
                     id, phone_number, source, note, created_at, reason, removed_at
                 ) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )
            .bind(removal.id.as_uuid())
            .bind(exclusion.phone_number.to_string())
            .bind(exclusion.source.name())
            .bind(exclusion.note.clone())
            .bind(exclusion.created_at)
            .bind(removal.reason.clone())
            .bind(removal.removed_at),
        };
        self.execute(insert).await?;
        Ok(())
    }

    async fn removals(
        &mut self,
        request: &PageRequest,
    ) -> Result<Page<ExclusionRemoval>, StorageError> {
        let mut list = self.select_list(ListTable::Removals);
        if let Some(cursor) = &request.after {
            let before: Uuid = cursor.parse().map_err(|_| page::unknown_cursor())?;
            list.and_where(Expr::col("id").lt(before));
        }
        list.order_by("id", Order::Desc)
            .limit(u64::from(request.limit()) + 1);
        let rows = self.list(&list).await?;
        let removals = rows.iter().map(removal).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(
            removals,
            request.limit(),
            |row: &ExclusionRemoval| row.id.to_string(),
        ))
    }
}
