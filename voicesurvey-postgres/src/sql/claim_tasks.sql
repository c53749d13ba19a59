-- Marks tasks as claimed, one array per column, and tells what they were before. The claim holds
-- their rows already, so the version that was read is the one that is there.
UPDATE call_tasks AS task
SET status = 'in_progress',
    due_at = NULL,
    claimable = false,
    attempt_id = claimed.attempt_id,
    attempts_count = claimed.attempts_count,
    last_attempt_at = claimed.claimed_at,
    reason = NULL,
    updated_at = claimed.claimed_at,
    version = claimed.version
FROM UNNEST($2::uuid[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::bigint[])
    AS claimed (id, attempt_id, attempts_count, claimed_at, version),
    call_tasks AS old
WHERE task.company_id = $1
    AND task.id = claimed.id
    AND old.company_id = $1
    AND old.id = claimed.id
    AND task.version = claimed.version - 1
RETURNING old.status AS old_status, old.reason AS old_reason
