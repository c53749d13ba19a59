-- Writes a task back if it is still the one that was read, and tells what it was before.
WITH old AS MATERIALIZED (
    SELECT id, status, reason
    FROM call_tasks
    WHERE company_id = $1 AND id = $2 AND version = $3
    FOR NO KEY UPDATE
)
UPDATE call_tasks AS task
SET name = $4,
    language = $5,
    time_zones = $6,
    priority = $7,
    extra = $8,
    status = $9,
    due_at = $10,
    attempt_id = $11,
    claimable = $12,
    attempts_count = $13,
    attempts_spent = $14,
    last_attempt_at = $15,
    outcome = $16,
    reason = $17,
    updated_at = $18,
    version = task.version + 1
FROM old
WHERE task.company_id = $1 AND task.id = old.id AND task.version = $3
RETURNING old.status AS old_status, old.reason AS old_reason
