-- Ends the waiting tasks of a campaign, and counts them by what they were before.
WITH waiting AS MATERIALIZED (
    SELECT id, status, reason
    FROM call_tasks
    WHERE company_id = $1 AND campaign_id = $2 AND status IN ('pending', 'retry')
    ORDER BY id
    FOR NO KEY UPDATE
), cancelled AS (
    UPDATE call_tasks AS task
    SET status = 'cancelled',
        due_at = NULL,
        claimable = false,
        outcome = COALESCE(task.outcome, 'cancelled'),
        reason = 'campaign_ended',
        updated_at = $3,
        version = task.version + 1
    FROM waiting
    WHERE task.company_id = $1 AND task.id = waiting.id
    RETURNING waiting.status, waiting.reason
)
SELECT status AS old_status, reason AS old_reason, count(*) AS count
FROM cancelled
GROUP BY status, reason
