-- Writes an attempt back if it is still the one that was read, and tells what it was before.
WITH old AS MATERIALIZED (
    SELECT id, state, answered_at, ended_at, outcome, cost_amount, cost_currency,
        latencies
    FROM call_attempts
    WHERE company_id = $1 AND id = $2 AND version = $3
    FOR NO KEY UPDATE
)
UPDATE call_attempts AS attempt
SET provider_call_id = $4,
    state = $5,
    dial_before = $6,
    lease_until = $7,
    accepted_at = $8,
    ringing_at = $9,
    answered_at = $10,
    ended_at = $11,
    answered_by = $12,
    outcome = $13,
    raw_status = $14,
    error_code = $15,
    cost_amount = $16,
    cost_currency = $17,
    price_due_at = $18,
    recording = $19,
    latencies = $20,
    version = attempt.version + 1
FROM old
WHERE attempt.company_id = $1 AND attempt.id = old.id AND attempt.version = $3
RETURNING old.state AS old_state, old.answered_at AS old_answered_at,
    old.ended_at AS old_ended_at, old.outcome AS old_outcome, old.cost_amount AS old_cost_amount,
    old.cost_currency AS old_cost_currency, old.latencies AS old_latencies
