-- Live attempts that have lost their task (I3). One whose outcome is known has settled it already,
-- and only waits for the line to be free.
SELECT
    'attempt' AS subject, attempt.id, attempt.company_id,
    'task ' || attempt.task_id || ' does not wait for it' AS detail
FROM call_attempts AS attempt
LEFT JOIN call_tasks AS task
    ON task.company_id = attempt.company_id AND task.id = attempt.task_id
WHERE attempt.state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
    AND attempt.outcome IS NULL
    AND task.attempt_id IS DISTINCT FROM attempt.id
