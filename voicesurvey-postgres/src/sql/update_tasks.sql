-- Writes tasks back, as update_task does one, those that are still the ones that were read; one array
-- per column. Rows are locked in the order in which they are given. Zones come as one text with
-- commas, because an array of arrays would be flattened.
WITH change AS (
    SELECT *
    FROM UNNEST(
        $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::smallint[],
        $8::jsonb[], $9::text[], $10::timestamptz[], $11::uuid[], $12::bigint[], $13::boolean[],
        $14::bigint[], $15::bigint[], $16::timestamptz[], $17::text[], $18::text[],
        $19::timestamptz[], $20::text[]
    ) AS change (
        company_id, id, version, name, language, time_zones, priority, extra, status, due_at,
        attempt_id, lane_id, claimable, attempts_count, attempts_spent, last_attempt_at, outcome,
        reason, updated_at, cells
    )
), old AS MATERIALIZED (
    SELECT change.*, stored.old_status, stored.old_reason, stored.old_cells, stored.old_lane_id,
        stored.was_claimable
    FROM change
    CROSS JOIN LATERAL (
        SELECT task.status AS old_status, task.reason AS old_reason, task.cells AS old_cells,
            task.lane_id AS old_lane_id, task.claimable_since IS NOT NULL AS was_claimable
        FROM call_tasks AS task
        WHERE task.company_id = change.company_id AND task.id = change.id
            AND task.version = change.version
        LIMIT 1
        FOR NO KEY UPDATE
    ) AS stored
)
UPDATE call_tasks AS task
SET name = old.name,
    language = old.language,
    time_zones = string_to_array(old.time_zones, ','),
    priority = old.priority,
    extra = old.extra,
    status = old.status,
    due_at = old.due_at,
    attempt_id = old.attempt_id,
    lane_id = old.lane_id,
    claimable_since = CASE WHEN old.claimable THEN old.due_at END,
    attempts_count = old.attempts_count,
    attempts_spent = old.attempts_spent,
    last_attempt_at = old.last_attempt_at,
    outcome = old.outcome,
    reason = old.reason,
    updated_at = old.updated_at,
    cells = old.cells,
    version = task.version + 1
FROM old
WHERE task.company_id = old.company_id AND task.id = old.id AND task.version = old.version
RETURNING task.id, old.old_status, old.old_reason, old.old_cells, old.old_lane_id,
    old.was_claimable
