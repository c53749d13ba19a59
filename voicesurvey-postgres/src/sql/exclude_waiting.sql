-- Ends the tasks of a company that wait with one of the numbers in $2, in whatever campaign, as
-- excluded, and counts them by what they were before. Rows are locked in the order of the numbers.
WITH waiting AS MATERIALIZED (
    SELECT task.*
    FROM UNNEST($2::text[]) AS named (phone_number)
    CROSS JOIN LATERAL (
        SELECT id, campaign_id, status, reason, cells, lane_id,
            claimable_since IS NOT NULL AS claimable
        FROM call_tasks
        WHERE company_id = $1 AND phone_number = named.phone_number
            AND status IN ('pending', 'retry')
        ORDER BY id
        -- More than anybody has; it keeps the planner from reading all that wait.
        LIMIT 100000
        FOR NO KEY UPDATE
    ) AS task
), excluded AS (
    UPDATE call_tasks AS task
    SET status = 'excluded',
        due_at = NULL,
        claimable_since = NULL,
        reason = 'excluded',
        updated_at = $3,
        version = task.version + 1
    FROM waiting
    WHERE task.company_id = $1 AND task.id = waiting.id
    RETURNING waiting.campaign_id, waiting.status, waiting.reason, waiting.cells,
        waiting.lane_id, waiting.claimable
)
SELECT campaign_id, status AS old_status, reason AS old_reason, cells AS old_cells, lane_id,
    claimable AS was_claimable, count(*) AS count
FROM excluded
GROUP BY campaign_id, status, reason, cells, lane_id, claimable
