//! The sums of calls over time, moved by what a unit of work changes (I12).

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use voicesurvey_core::call_rollup::{RolledUp, WHOLE_CAMPAIGN};
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::{CallRollupRepository, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::row::Reader;
use crate::schema::company_of;
use crate::unit_of_work::PostgresUnitOfWork;

impl PostgresUnitOfWork {
    /// Adds the changes to the stored sums, in the order of their keys.
    pub(crate) async fn write_rollups(&mut self) -> Result<(), StorageError> {
        let changes: Vec<_> = self.rollups.take().collect();
        if changes.is_empty() {
            return Ok(());
        }
        let mut companies = Vec::with_capacity(changes.len());
        let mut campaigns = Vec::with_capacity(changes.len());
        let mut quarters = Vec::with_capacity(changes.len());
        let mut kinds = Vec::with_capacity(changes.len());
        let mut names = Vec::with_capacity(changes.len());
        let mut values = Vec::with_capacity(changes.len());
        for ((company_id, campaign_id, quarter, sum), by) in changes {
            companies.push(company_id.as_uuid());
            campaigns.push(campaign_id.as_uuid());
            quarters.push(quarter);
            kinds.push(sum.kind());
            names.push(sum.name().into_owned());
            values.push(by);
        }
        let add = "INSERT INTO call_rollups AS rollup
                       (company_id, campaign_id, quarter, kind, name, value)
                   SELECT * FROM UNNEST(
                       $1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[],
                       $6::bigint[]
                   )
                   ON CONFLICT (company_id, campaign_id, quarter, kind, name)
                   DO UPDATE SET value = rollup.value + excluded.value";
        let add = sqlx::query(add)
            .bind(companies)
            .bind(campaigns)
            .bind(quarters)
            .bind(kinds)
            .bind(names)
            .bind(values);
        self.execute(add).await?;
        Ok(())
    }
}

fn rolled_up(row: &PgRow) -> Result<(RolledUp, i64), StorageError> {
    let row = Reader::new("call_rollups", row);
    let (kind, name): (&str, &str) = (row.get("kind")?, row.get("name")?);
    let sum = RolledUp::from_parts(kind, name)
        .ok_or_else(|| row.corrupt(&format!("nothing is called {kind} {name}")))?;
    Ok((sum, row.get("value")?))
}

#[async_trait]
impl CallRollupRepository for PostgresUnitOfWork {
    async fn totals(
        &mut self,
        campaign_id: CampaignId,
    ) -> Result<BTreeMap<RolledUp, i64>, StorageError> {
        self.write_rollups().await?;
        let id = campaign_id.as_uuid();
        let Some(company_id) = self.company_of(company_of!("campaigns"), id).await? else {
            return Ok(BTreeMap::new());
        };
        let select = "SELECT kind, name, value FROM call_rollups
                      WHERE company_id = $1 AND campaign_id = $2 AND quarter = $3 AND value <> 0";
        let select = sqlx::query(select)
            .bind(company_id)
            .bind(id)
            .bind(WHOLE_CAMPAIGN);
        self.rows(select).await?.iter().map(rolled_up).collect()
    }

    async fn sections(
        &mut self,
        campaign_id: CampaignId,
        starts: &[Timestamp],
        to: Timestamp,
    ) -> Result<BTreeMap<(Timestamp, RolledUp), i64>, StorageError> {
        self.write_rollups().await?;
        let id = campaign_id.as_uuid();
        let Some(company_id) = self.company_of(company_of!("campaigns"), id).await? else {
            return Ok(BTreeMap::new());
        };
        let select = "SELECT section, kind, name, sum(value)::bigint AS value
                      FROM (
                          SELECT width_bucket(quarter, $3::timestamptz[]) AS section, kind, name, value
                          FROM call_rollups
                          WHERE company_id = $1 AND campaign_id = $2 AND quarter >= ($3)[1]
                              AND quarter < $4 AND quarter <> $5
                      ) AS sums
                      GROUP BY section, kind, name
                      HAVING sum(value) <> 0";
        let select = sqlx::query(select)
            .bind(company_id)
            .bind(id)
            .bind(starts)
            .bind(to)
            .bind(WHOLE_CAMPAIGN);
        let rows = self.rows(select).await?;
        let sums = rows.iter().map(|row| {
            let (sum, value) = rolled_up(row)?;
            let row = Reader::new("call_rollups", row);
            let section: i32 = row.get("section")?;
            let start = usize::try_from(section - 1)
                .ok()
                .and_then(|place| starts.get(place));
            let start = start.ok_or_else(|| row.corrupt(&"a section has no start"))?;
            Ok(((*start, sum), value))
        });
        sums.collect()
    }
}
