-- Tasks that wait although their person has decided (I8).
SELECT 'task' AS subject, id, company_id, 'waits after ' || outcome AS detail
FROM call_tasks
WHERE due_at IS NOT NULL AND outcome = ANY ((SELECT decided FROM asked)::text[])
