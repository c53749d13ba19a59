-- Waiting tasks that a spoken opt-out has not ended (I8), as it does in the transaction of the turn.
SELECT
    'task' AS subject, task.id, task.company_id,
    'its number is excluded (' || exclusion.source || ')' AS detail
FROM exclusions AS exclusion
JOIN call_tasks AS task
    ON task.company_id = exclusion.company_id AND task.phone_number = exclusion.phone_number
WHERE task.status IN ('pending', 'retry')
    AND (exclusion.source = 'spoken' AND task.created_at <= exclusion.created_at)
