-- Makes tasks claimable that were selected and locked before.
UPDATE call_tasks AS task
SET status = 'pending',
    claimable_since = task.due_at,
    reason = NULL,
    updated_at = $3,
    version = task.version + 1
FROM UNNEST($1::uuid[], $2::uuid[]) AS due (company_id, id)
WHERE task.company_id = due.company_id AND task.id = due.id
