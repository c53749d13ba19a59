-- Waiting tasks that the scheduler has not promoted although they fell due long ago (I7).
SELECT
    'task' AS subject, id, company_id,
    'was due at ' || strftime('%F %T', due_at / 1000000, 'unixepoch') AS detail
FROM call_tasks
WHERE claimable = 0
    AND due_at <= (SELECT overdue FROM asked)
