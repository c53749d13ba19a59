//! The sums of calls over time, moved with the calls (I12).

use std::collections::BTreeMap;

use async_trait::async_trait;
use sqlx::sqlite::SqliteRow;
use voicesurvey_core::call_rollup::{RolledUp, RollupChanges, WHOLE_CAMPAIGN};
use voicesurvey_core::id::CampaignId;
use voicesurvey_core::ports::{CallRollupRepository, StorageError};
use voicesurvey_core::time::Timestamp;

use crate::row::{Row, json, micros};
use crate::schema::CALL_ROLLUPS;
use crate::unit_of_work::SqliteUnitOfWork;

impl SqliteUnitOfWork {
    /// Moves the sums.
    pub(crate) async fn roll_up(&mut self, mut changes: RollupChanges) -> Result<(), StorageError> {
        for ((company_id, campaign_id, quarter, sum), by) in changes.take() {
            let upsert = sqlx::query(
                "INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (company_id, campaign_id, quarter, kind, name)
                 DO UPDATE SET value = value + excluded.value",
            )
            .bind(company_id.as_uuid())
            .bind(campaign_id.as_uuid())
            .bind(micros(quarter))
            .bind(sum.kind())
            .bind(sum.name().into_owned())
            .bind(by);
            self.execute(upsert).await?;
        }
        Ok(())
    }
}

fn rolled_up(row: &SqliteRow) -> Result<(RolledUp, i64), StorageError> {
    let row = Row::new(row, CALL_ROLLUPS.name);
    let (kind, name): (String, String) = (row.get("kind")?, row.get("name")?);
    let sum = RolledUp::from_parts(&kind, &name)
        .ok_or_else(|| row.corrupt(format!("nothing is called {kind} {name}")))?;
    Ok((sum, row.get("value")?))
}

#[async_trait]
impl CallRollupRepository for SqliteUnitOfWork {
    async fn totals(
        &mut self,
        campaign_id: CampaignId,
    ) -> Result<BTreeMap<RolledUp, i64>, StorageError> {
        let Some(campaign) = self.campaign_key(campaign_id).await? else {
            return Ok(BTreeMap::new());
        };
        let select = sqlx::query(
            "SELECT kind, name, value FROM call_rollups
             WHERE company_id = ?1 AND campaign_id = ?2 AND quarter = ?3 AND value <> 0",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign_id.as_uuid())
        .bind(micros(WHOLE_CAMPAIGN));
        self.fetch_all(select)
            .await?
            .iter()
            .map(rolled_up)
            .collect()
    }

    async fn sections(
        &mut self,
        campaign_id: CampaignId,
        starts: &[Timestamp],
        to: Timestamp,
    ) -> Result<BTreeMap<(Timestamp, RolledUp), i64>, StorageError> {
        let Some(campaign) = self.campaign_key(campaign_id).await? else {
            return Ok(BTreeMap::new());
        };
        let starts: Vec<i64> = starts.iter().copied().map(micros).collect();
        let starts = json(&starts)?;
        let select = sqlx::query(
            "WITH sections AS (
                 SELECT value AS start, lead(value, 1, ?4) OVER (ORDER BY value) AS next
                 FROM json_each(?3)
             )
             SELECT start, kind, name, sum(value) AS value
             FROM sections
             CROSS JOIN call_rollups
             WHERE company_id = ?1 AND campaign_id = ?2 AND quarter >= start AND quarter < next
                 AND quarter <> ?5
             GROUP BY start, kind, name
             HAVING sum(value) <> 0",
        )
        .bind(campaign.company_id.as_uuid())
        .bind(campaign_id.as_uuid())
        .bind(starts)
        .bind(micros(to))
        .bind(micros(WHOLE_CAMPAIGN));
        let rows = self.fetch_all(select).await?;
        let sums = rows.iter().map(|row| {
            let (sum, value) = rolled_up(row)?;
            let start = Row::new(row, CALL_ROLLUPS.name).instant("start")?;
            Ok(((start, sum), value))
        });
        sums.collect()
    }
}
