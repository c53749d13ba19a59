-- Tasks in progress without a live attempt of their own (I3). Whatever ends an attempt settles its
-- task in the same transaction.
SELECT
    'task' AS subject, task.id, task.company_id,
    'its attempt ' || task.attempt_id || CASE
        WHEN attempt.id IS NULL THEN ' does not exist'
        WHEN attempt.task_id <> task.id THEN ' is another task''s'
        ELSE ' has ended'
    END AS detail
FROM call_tasks AS task
LEFT JOIN call_attempts AS attempt
    ON attempt.company_id = task.company_id AND attempt.id = task.attempt_id
WHERE task.status = 'in_progress'
    AND (attempt.id IS NULL OR attempt.task_id <> task.id OR attempt.state = 'ended')
