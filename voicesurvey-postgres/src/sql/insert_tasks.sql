-- Adds tasks of one company, one array per column. A number that the campaign has already is passed
-- over. Zones come as one text with commas, because an array of arrays would be flattened.
INSERT INTO call_tasks (
    company_id, id, campaign_id, upload_id, phone_number, name, language, time_zones, priority,
    extra, status, due_at, attempt_id, lane_id, claimable_since, attempts_count, attempts_spent,
    last_attempt_at, outcome, reason, created_at, updated_at, version, cells
)
SELECT
    company_id, id, campaign_id, upload_id, phone_number, name, language,
    string_to_array(time_zones, ','), priority,
    extra, status, due_at, attempt_id, lane_id,
    CASE WHEN claimable THEN due_at END,
    attempts_count, attempts_spent, last_attempt_at,
    outcome, reason, created_at, updated_at, version, cells
FROM UNNEST(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::smallint[], $10::jsonb[], $11::text[], $12::timestamptz[], $13::uuid[], $14::bigint[],
    $15::boolean[], $16::bigint[], $17::bigint[], $18::timestamptz[], $19::text[], $20::text[],
    $21::timestamptz[], $22::timestamptz[], $23::bigint[], $24::text[]
) WITH ORDINALITY AS task (
    company_id, id, campaign_id, upload_id, phone_number, name, language, time_zones,
    priority, extra, status, due_at, attempt_id, lane_id, claimable,
    attempts_count, attempts_spent, last_attempt_at, outcome, reason, created_at,
    updated_at, version, cells, place
)
-- Of two tasks with one number the first is added. In the order of the unique key, whose pages are
-- then visited once each.
ORDER BY phone_number COLLATE "C", place
ON CONFLICT (company_id, campaign_id, phone_number) DO NOTHING
RETURNING id
