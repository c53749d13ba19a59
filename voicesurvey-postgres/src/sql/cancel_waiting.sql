-- Ends up to $6 waiting tasks of a campaign, and counts them by what they were before. Each half
-- finds its tasks by a partial index, so that the last of a million costs no more than the first.
WITH claimable AS MATERIALIZED (
    SELECT id, status, reason, cells, lane_id, true AS claimable
    FROM call_tasks
    WHERE company_id = $1 AND campaign_id = $2 AND claimable_since IS NOT NULL
    ORDER BY lane_id, claimable_since, id
    LIMIT $6
    FOR NO KEY UPDATE
), later AS MATERIALIZED (
    SELECT id, status, reason, cells, lane_id, false AS claimable
    FROM call_tasks
    WHERE company_id = $1 AND campaign_id = $2
        AND status IN ('pending', 'retry') AND claimable_since IS NULL
    ORDER BY id
    LIMIT $6 - (SELECT count(*) FROM claimable)
    FOR NO KEY UPDATE
), waiting AS (
    SELECT * FROM claimable
    UNION ALL
    SELECT * FROM later
), cancelled AS (
    UPDATE call_tasks AS task
    SET status = $4,
        due_at = NULL,
        claimable_since = NULL,
        outcome = COALESCE(task.outcome, $7),
        reason = $5,
        updated_at = $3,
        version = task.version + 1
    FROM waiting
    WHERE task.company_id = $1 AND task.id = waiting.id
    RETURNING waiting.status, waiting.reason, waiting.cells, waiting.lane_id, waiting.claimable
)
SELECT status AS old_status, reason AS old_reason, cells AS old_cells, lane_id,
    claimable AS was_claimable, count(*) AS count
FROM cancelled
GROUP BY status, reason, cells, lane_id, claimable
