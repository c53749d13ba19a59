//! Gives tasks a lane that were stored before there were lanes. SQL cannot: which lane it is
//! depends on the region of the number, and is named by a hash.

use sqlx::sqlite::SqliteConnection;
use voicesurvey_core::ports::StorageError;

use crate::call_tasks;
use crate::error::storage_error;
use crate::lanes::PUT_LANE;
use crate::row::{Row, json};
use crate::schema::CALL_TASKS;

const WITHOUT_LANE: &str = "
    SELECT rowid AS place, * FROM call_tasks
    WHERE rowid > ?1 AND lane_id IS NULL
    ORDER BY rowid
    LIMIT 1000";

/// Campaigns that call have their lanes reviewed at once.
const COUNT_AND_REVIEW: &str = "
    UPDATE campaign_lanes AS lane
    SET claimable = (SELECT count(*) FROM call_tasks AS task
                     WHERE task.company_id = lane.company_id
                       AND task.campaign_id = lane.campaign_id
                       AND task.lane_id = lane.lane_id
                       AND task.claimable = 1),
        review_at = (SELECT 0 FROM campaign_queue AS queue
                     WHERE queue.company_id = lane.company_id
                       AND queue.campaign_id = lane.campaign_id
                       AND queue.calling = 1)";

/// Does nothing when every task has a lane.
pub(super) async fn give_lanes(connection: &mut SqliteConnection) -> Result<(), StorageError> {
    let mut after = 0;
    loop {
        let tasks = sqlx::query(WITHOUT_LANE)
            .bind(after)
            .fetch_all(&mut *connection)
            .await
            .map_err(storage_error)?;
        let Some(last) = tasks.last() else {
            break;
        };
        after = Row::new(last, CALL_TASKS.name).get("place")?;
        for row in &tasks {
            let task = call_tasks::read(row)?;
            let key = task.lane();
            sqlx::query(PUT_LANE)
                .bind(task.company_id.as_uuid())
                .bind(task.campaign_id.as_uuid())
                .bind(key.id().to_bits())
                .bind(key.priority)
                .bind(key.region.map(|region| region.to_string()))
                .bind(json(&key.time_zones)?)
                .bind(key.cells.to_string())
                .execute(&mut *connection)
                .await
                .map_err(storage_error)?;
            sqlx::query("UPDATE call_tasks SET lane_id = ?2 WHERE rowid = ?1")
                .bind(Row::new(row, CALL_TASKS.name).get::<i64>("place")?)
                .bind(key.id().to_bits())
                .execute(&mut *connection)
                .await
                .map_err(storage_error)?;
        }
    }
    if after > 0 {
        sqlx::query(COUNT_AND_REVIEW)
            .execute(&mut *connection)
            .await
            .map_err(storage_error)?;
    }
    Ok(())
}
