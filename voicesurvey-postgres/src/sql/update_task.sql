-- Writes a task back if it is still the one that was read, and tells what it was before.
WITH old AS MATERIALIZED (
    SELECT id, status, reason, cells, lane_id, claimable_since IS NOT NULL AS claimable
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
    lane_id = $12,
    claimable_since = CASE WHEN $13 THEN $10 END,
    attempts_count = $14,
    attempts_spent = $15,
    last_attempt_at = $16,
    outcome = $17,
    reason = $18,
    updated_at = $19,
    cells = $20,
    version = task.version + 1
FROM old
WHERE task.company_id = $1 AND task.id = old.id AND task.version = $3
RETURNING old.status AS old_status, old.reason AS old_reason, old.cells AS old_cells,
    old.lane_id AS old_lane_id, old.claimable AS was_claimable
