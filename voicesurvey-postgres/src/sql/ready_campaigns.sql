-- The campaigns of a company whose turn it is, locked until the claim commits. The LIMIT is a
-- constant (core's CAMPAIGNS_PER_VISIT), for the reason given in due_tasks.sql.
SELECT campaign_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute,
    seconds_between_calls, arrival
FROM campaign_queue
WHERE company_id = $1 AND ready_at <= $2
ORDER BY ready_at, campaign_id
LIMIT 10
FOR NO KEY UPDATE SKIP LOCKED
