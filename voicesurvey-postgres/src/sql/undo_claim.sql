-- Puts tasks back that a claim has just taken, one array per column, as if it had not. The attempts
-- have been deleted. The lanes' watermarks go back with them.
WITH returned AS (
    UPDATE call_tasks AS task
    SET status = before.status,
        due_at = before.due_at,
        claimable_since = before.claimable_since,
        attempt_id = NULL,
        attempts_count = task.attempts_count - 1,
        last_attempt_at = before.last_attempt_at,
        reason = before.reason,
        updated_at = before.updated_at,
        version = task.version - 1
    FROM UNNEST(
        $1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[],
        $6::timestamptz[], $7::text[], $8::timestamptz[]
    ) AS before (
        company_id, id, status, due_at, claimable_since, last_attempt_at, reason, updated_at
    )
    WHERE task.company_id = before.company_id AND task.id = before.id
    RETURNING task.company_id, task.campaign_id, task.lane_id, task.claimable_since, task.id
), first AS (
    SELECT DISTINCT ON (company_id, campaign_id, lane_id) *
    FROM returned
    ORDER BY company_id, campaign_id, lane_id, claimable_since, id
)
UPDATE campaign_lanes AS lane
SET watermark = first.claimable_since,
    watermark_id = first.id
FROM first
WHERE lane.company_id = first.company_id
    AND lane.campaign_id = first.campaign_id
    AND lane.lane_id = first.lane_id
    AND (first.claimable_since, first.id) < (lane.watermark, lane.watermark_id)
