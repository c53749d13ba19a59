-- The tasks of one campaign that a claim may take, in the order in which they are called.
--
-- The LIMIT is a constant (core's TASKS_PER_VISIT): with a parameter the planner expects a tenth
-- of the table and may read all of it. Rows that others hold are passed over, so a claim never
-- waits. The company's row is locked, so no other claim adds a live attempt meanwhile.
SELECT
    task.company_id, task.id, task.campaign_id, task.upload_id, task.phone_number, task.name,
    task.language, task.time_zones, task.priority, task.extra, task.status, task.due_at,
    task.attempt_id, task.attempts_count, task.attempts_spent, task.last_attempt_at, task.outcome,
    task.reason, task.created_at, task.updated_at, task.version
FROM call_tasks AS task
WHERE task.company_id = $1
    AND task.campaign_id = $2
    AND task.claimable
    AND NOT EXISTS (
        SELECT FROM call_attempts AS attempt
        WHERE attempt.company_id = $1
            AND attempt.phone_number = task.phone_number
            AND attempt.state <> 'ended'
    )
ORDER BY task.priority DESC, task.due_at, task.id
LIMIT 10
FOR NO KEY UPDATE OF task SKIP LOCKED
