-- Writes attempts back, as update_attempt does one, those that are still the ones that were read; one
-- array per column. Rows are locked in the order in which they are given.
WITH change AS (
    SELECT *
    FROM UNNEST(
        $1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
        $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[],
        $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::text[], $16::numeric[],
        $17::text[], $18::timestamptz[], $19::jsonb[], $20::jsonb[]
    ) AS change (
        company_id, id, version, provider_call_id, state, dial_before, lease_until, accepted_at,
        ringing_at, answered_at, ended_at, answered_by, outcome, raw_status, error_code,
        cost_amount, cost_currency, price_due_at, recording, latencies
    )
), old AS MATERIALIZED (
    SELECT change.*, stored.old_state, stored.old_answered_at, stored.old_ended_at,
        stored.old_outcome, stored.old_cost_amount,
        stored.old_cost_currency, stored.old_latencies
    FROM change
    CROSS JOIN LATERAL (
        SELECT attempt.state AS old_state, attempt.answered_at AS old_answered_at,
            attempt.ended_at AS old_ended_at, attempt.outcome AS old_outcome,
            attempt.cost_amount AS old_cost_amount, attempt.cost_currency AS old_cost_currency,
            attempt.latencies AS old_latencies
        FROM call_attempts AS attempt
        WHERE attempt.company_id = change.company_id AND attempt.id = change.id
            AND attempt.version = change.version
        LIMIT 1
        FOR NO KEY UPDATE
    ) AS stored
)
UPDATE call_attempts AS attempt
SET provider_call_id = old.provider_call_id,
    state = old.state,
    dial_before = old.dial_before,
    lease_until = old.lease_until,
    accepted_at = old.accepted_at,
    ringing_at = old.ringing_at,
    answered_at = old.answered_at,
    ended_at = old.ended_at,
    answered_by = old.answered_by,
    outcome = old.outcome,
    raw_status = old.raw_status,
    error_code = old.error_code,
    cost_amount = old.cost_amount,
    cost_currency = old.cost_currency,
    price_due_at = old.price_due_at,
    recording = old.recording,
    latencies = old.latencies,
    version = attempt.version + 1
FROM old
WHERE attempt.company_id = old.company_id AND attempt.id = old.id AND attempt.version = old.version
RETURNING attempt.id, old.old_state, old.old_answered_at, old.old_ended_at, old.old_outcome,
    old.old_cost_amount, old.old_cost_currency,
    old.old_latencies
