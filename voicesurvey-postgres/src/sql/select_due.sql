-- The waiting tasks whose time has come, earliest first, that nobody else holds.
SELECT company_id, id, campaign_id, lane_id, due_at, status AS old_status, reason AS old_reason,
    cells AS old_cells
FROM call_tasks
WHERE status IN ('pending', 'retry') AND claimable_since IS NULL AND due_at <= $1
ORDER BY due_at
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED
