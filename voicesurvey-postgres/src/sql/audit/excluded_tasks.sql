-- Tasks that wait with a number that was excluded in another way, or before they came. The gate
-- ends them when their turn comes.
SELECT
    'task' AS subject, task.id, task.company_id,
    'its number is excluded (' || exclusion.source || ')' AS detail
FROM exclusions AS exclusion
JOIN call_tasks AS task
    ON task.company_id = exclusion.company_id AND task.phone_number = exclusion.phone_number
WHERE task.status IN ('pending', 'retry')
    AND NOT (exclusion.source = 'spoken' AND task.created_at <= exclusion.created_at)
UNION ALL
SELECT
    'task', task.id, task.company_id, 'its number is excluded by the operator'
FROM operator_exclusions AS exclusion
JOIN call_tasks AS task ON task.phone_number = exclusion.phone_number
WHERE task.status IN ('pending', 'retry')
