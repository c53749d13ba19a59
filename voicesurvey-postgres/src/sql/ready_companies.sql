-- The companies whose turn it is, locked until the claim commits. The LIMIT is a constant (core's
-- COMPANIES_PER_CLAIM), for the reason given in due_tasks.sql.
SELECT company_id, ready_at, in_flight, max_concurrent_calls, calls_per_minute, arrival
FROM company_queue
WHERE ready_at <= $1
ORDER BY ready_at, company_id
LIMIT 10
FOR NO KEY UPDATE SKIP LOCKED
