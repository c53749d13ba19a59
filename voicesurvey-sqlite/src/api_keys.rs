//! API keys. They have no version: the last writer wins, and a revocation stays.

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Order, Value};
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::api_key::{ApiKey, ApiKeyHash};
use voicesurvey_core::id::ApiKeyId;
use voicesurvey_core::ports::{ApiKeyRepository, Page, PageRequest, StorageError};

use crate::error::stale;
use crate::page::{self, Created};
use crate::row::{Row, micros, read_all};
use crate::schema::API_KEYS;
use crate::unit_of_work::{SqliteUnitOfWork, built};

fn values(key: &ApiKey) -> [Value; 10] {
    [
        key.company_id.as_uuid().into(),
        key.id.as_uuid().into(),
        key.name.clone().into(),
        key.prefix.clone().into(),
        key.hash.as_bytes().to_vec().into(),
        key.role.name().into(),
        micros(key.created_at).into(),
        key.expires_at.map(micros).into(),
        key.last_used_at.map(micros).into(),
        key.revoked_at.map(micros).into(),
    ]
}

fn read(row: &SqliteRow) -> Result<ApiKey, StorageError> {
    let row = Row::new(row, API_KEYS.name);
    Ok(ApiKey {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        hash: ApiKeyHash::from_bytes(row.get("hash")?)
            .ok_or_else(|| row.corrupt("hash: not 32 bytes long"))?,
        role: row.word("role")?,
        created_at: row.instant("created_at")?,
        expires_at: row.optional_instant("expires_at")?,
        last_used_at: row.optional_instant("last_used_at")?,
        revoked_at: row.optional_instant("revoked_at")?,
    })
}

#[async_trait]
impl ApiKeyRepository for SqliteUnitOfWork {
    async fn insert(&mut self, key: &ApiKey) -> Result<(), StorageError> {
        self.must_cover(key.company_id)?;
        self.execute(built(&API_KEYS.insert([values(key)]))).await?;
        Ok(())
    }

    async fn get(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        let mut select = API_KEYS.select(self.scope);
        select.and_where(Expr::col("id").eq(id.as_uuid()));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn find_by_hash(&mut self, hash: &ApiKeyHash) -> Result<Option<ApiKey>, StorageError> {
        let mut select = API_KEYS.select(self.scope);
        select.and_where(Expr::col("hash").eq(Expr::value(hash.as_bytes().to_vec())));
        self.fetch_optional(built(&select))
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    async fn update(&mut self, key: &ApiKey) -> Result<(), StorageError> {
        self.must_cover(key.company_id)?;
        let update = sqlx::query(
            "UPDATE api_keys
             SET name = ?3, role = ?4, expires_at = ?5, last_used_at = ?6,
                 revoked_at = coalesce(revoked_at, ?7)
             WHERE company_id = ?1 AND id = ?2",
        )
        .bind(key.company_id.as_uuid())
        .bind(key.id.as_uuid())
        .bind(key.name.clone())
        .bind(key.role.name())
        .bind(key.expires_at.map(micros))
        .bind(key.last_used_at.map(micros))
        .bind(key.revoked_at.map(micros));
        if self.execute(update).await? == 0 {
            return Err(stale(API_KEYS.name));
        }
        Ok(())
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<ApiKey>, StorageError> {
        let mut select = API_KEYS.select(self.scope);
        page::by_creation(&mut select, "id", Order::Asc, page)?;
        let rows = read_all(&self.fetch_all(built(&select)).await?, read)?;
        Ok(Page::from_rows(rows, page.limit(), |key| {
            Created::cursor(key.created_at, key.id.as_uuid())
        }))
    }
}
