-- Adds the attempts of claimed tasks, one array per column. Nothing has happened to them yet.
INSERT INTO call_attempts (
    company_id, id, campaign_id, task_id, attempt_number, phone_number, provider, state,
    dial_before, lease_until, created_at, version
)
SELECT $1, id, $2, task_id, attempt_number, phone_number, provider, state,
    dial_before, lease_until, created_at, version
FROM UNNEST(
    $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::bigint[]
) AS attempt (
    id, task_id, attempt_number, phone_number, provider, state,
    dial_before, lease_until, created_at, version
)
