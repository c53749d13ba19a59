-- Waiting tasks that the scheduler has not promoted although they fell due long ago (I7).
SELECT 'task' AS subject, id, company_id, 'was due at ' || due_at AS detail
FROM call_tasks
WHERE status IN ('pending', 'retry') AND claimable_since IS NULL
    AND due_at <= (SELECT overdue FROM asked)
