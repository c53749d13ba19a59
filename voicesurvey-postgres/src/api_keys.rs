//! API keys.

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use voicesurvey_core::api_key::{ApiKey, ApiKeyHash};
use voicesurvey_core::id::ApiKeyId;
use voicesurvey_core::ports::{ApiKeyRepository, Page, PageRequest, Scope, StorageError};

use crate::error::written;
use crate::page::{self, Direction, Place};
use crate::row::Reader;
use crate::schema::{self, company_of};
use crate::unit_of_work::PostgresUnitOfWork;

macro_rules! columns {
    () => {
        "company_id, id, name, prefix, hash, role, created_at, expires_at, last_used_at, revoked_at"
    };
}

fn api_key(row: &PgRow) -> Result<ApiKey, StorageError> {
    let row = Reader::new("api_keys", row);
    let hash: &[u8] = row.get("hash")?;
    Ok(ApiKey {
        id: row.id("id")?,
        company_id: row.id("company_id")?,
        name: row.get("name")?,
        prefix: row.get("prefix")?,
        hash: ApiKeyHash::from_bytes(hash)
            .ok_or_else(|| row.corrupt(&format!("a hash of {} bytes", hash.len())))?,
        role: row.parsed("role")?,
        created_at: row.get("created_at")?,
        expires_at: row.instant("expires_at")?,
        last_used_at: row.instant("last_used_at")?,
        revoked_at: row.instant("revoked_at")?,
    })
}

#[async_trait]
impl ApiKeyRepository for PostgresUnitOfWork {
    async fn insert(&mut self, key: &ApiKey) -> Result<(), StorageError> {
        self.permit(key.company_id)?;
        let insert = sqlx::query(concat!(
            "INSERT INTO api_keys (",
            columns!(),
            ")
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING"
        ))
        .bind(key.company_id.as_uuid())
        .bind(key.id.as_uuid())
        .bind(key.name.clone())
        .bind(key.prefix.clone())
        .bind(key.hash.as_bytes().to_vec())
        .bind(key.role.name())
        .bind(key.created_at)
        .bind(key.expires_at)
        .bind(key.last_used_at)
        .bind(key.revoked_at);
        written(self.execute(insert).await?, "the API key exists already")
    }

    async fn get(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StorageError> {
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM api_keys WHERE company_id = $1 AND id = $2"
        );
        let row = self
            .find(company_of!("api_keys"), select, id.as_uuid())
            .await?;
        row.as_ref().map(api_key).transpose()
    }

    async fn find_by_hash(&mut self, hash: &ApiKeyHash) -> Result<Option<ApiKey>, StorageError> {
        let company_id = match self.scope {
            Scope::Company(company_id) => Some(company_id.as_uuid()),
            Scope::Platform => None,
        };
        let select = concat!(
            "SELECT ",
            columns!(),
            " FROM api_keys
             WHERE hash = $1 AND ($2::uuid IS NULL OR company_id = $2)"
        );
        let select = sqlx::query(select)
            .bind(hash.as_bytes().to_vec())
            .bind(company_id);
        self.row(select).await?.as_ref().map(api_key).transpose()
    }

    async fn update(&mut self, key: &ApiKey) -> Result<(), StorageError> {
        self.permit(key.company_id)?;
        let update = sqlx::query(
            "UPDATE api_keys
             SET name = $3, role = $4, expires_at = $5, last_used_at = $6,
                 revoked_at = COALESCE(revoked_at, $7)
             WHERE company_id = $1 AND id = $2",
        )
        .bind(key.company_id.as_uuid())
        .bind(key.id.as_uuid())
        .bind(key.name.clone())
        .bind(key.role.name())
        .bind(key.expires_at)
        .bind(key.last_used_at)
        .bind(key.revoked_at);
        written(self.execute(update).await?, "the API key does not exist")
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<ApiKey>, StorageError> {
        let mut list = schema::select(columns!(), "api_keys", self.scope);
        page::by_creation(&mut list, "id", Direction::OldestFirst, request)?;
        let rows = self.list(&list).await?;
        let keys = rows.iter().map(api_key).collect::<Result<_, _>>()?;
        Ok(Page::from_rows(keys, request.limit(), |key: &ApiKey| {
            Place::new(key.created_at, key.id.as_uuid()).cursor()
        }))
    }
}
