-- Tasks whose attempts are not numbered from one to their count without a gap (I1).
SELECT
    'task' AS subject, task.id, task.company_id,
    'has ' || COALESCE(attempts.rows, 0) || ' attempts up to number '
        || COALESCE(attempts.highest, 0) || ', and counts ' || task.attempts_count AS detail
FROM call_tasks AS task
LEFT JOIN (
    SELECT
        company_id, task_id, count(*) AS rows, count(DISTINCT attempt_number) AS numbers,
        min(attempt_number) AS lowest, max(attempt_number) AS highest
    FROM call_attempts
    GROUP BY company_id, task_id
) AS attempts ON attempts.company_id = task.company_id AND attempts.task_id = task.id
WHERE COALESCE(attempts.rows, 0) <> task.attempts_count
    OR COALESCE(attempts.numbers, 0) <> task.attempts_count
    OR COALESCE(attempts.highest, 0) <> task.attempts_count
    OR COALESCE(attempts.lowest, 1) <> 1
