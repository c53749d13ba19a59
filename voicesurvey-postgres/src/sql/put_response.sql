-- Stores the response of a task; a complete one stays, and else the one of the latest call.
INSERT INTO survey_responses AS stored (
    company_id, id, campaign_id, task_id, attempt_id, complete, started_at, ended_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (company_id, task_id) DO UPDATE
SET id = excluded.id,
    attempt_id = excluded.attempt_id,
    complete = excluded.complete,
    started_at = excluded.started_at,
    ended_at = excluded.ended_at
WHERE NOT stored.complete
    AND (excluded.complete OR excluded.started_at >= stored.started_at)
