ALTER TABLE call_attempts ADD COLUMN latencies jsonb NOT NULL DEFAULT '[]';

COMMENT ON COLUMN call_attempts.latencies IS
    'How long the person waited for each reply, in milliseconds; empty of calls from before this was measured.';

CREATE TABLE call_rollups (
    company_id  uuid NOT NULL,
    campaign_id uuid NOT NULL,
    quarter     timestamptz NOT NULL,
    kind        text NOT NULL CHECK (
        kind IN ('cost_millionths', 'latency', 'number', 'outcome', 'talk', 'talk_seconds')
    ),
    name        text NOT NULL,
    value       bigint NOT NULL,
    PRIMARY KEY (company_id, campaign_id, quarter, kind, name),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE call_rollups IS
    'What the calls of a campaign that have ended add up to, by the quarter of an hour in which they were made; kept in the transactions that end them.';
COMMENT ON COLUMN call_rollups.quarter IS 'Where it begins.';
COMMENT ON COLUMN call_rollups.kind IS
    'What is summed up: calls by outcome, calls by their number within the contact, seconds on the line, answered calls by the range of those seconds, costs by currency in millionths of its unit, replies by the range of milliseconds that they took.';
COMMENT ON COLUMN call_rollups.name IS
    'Of the outcome, empty if none is known; the number; empty; the seconds that are too long for the range, 0 for the last one; the currency; the milliseconds that are too long for the range, 0 for the last one.';

ALTER TABLE call_rollups ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_rollups FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON call_rollups
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

-- The calls that have ended already. Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

-- Whoever ends a call from now on adds to the sums; nobody does so while they are made.
LOCK TABLE call_attempts IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
SELECT call.company_id, call.campaign_id, call.quarter, sums.kind, sums.name, sum(sums.value)
FROM (
    SELECT
        company_id, campaign_id, outcome, attempt_number, cost_amount * 1000000 AS cost,
        cost_currency,
        to_timestamp(floor(extract(epoch FROM created_at) / 900) * 900) AS quarter,
        CASE WHEN answered_at IS NOT NULL AND ended_at IS NOT NULL THEN
            greatest(floor(extract(epoch FROM ended_at - answered_at)), 0)::bigint
        END AS talk_seconds
    FROM call_attempts
    WHERE state = 'ended'
) AS call
CROSS JOIN LATERAL (
    SELECT COALESCE((
        SELECT min(below)
        FROM UNNEST(ARRAY[
            5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1800, 3600
        ]) AS below
        WHERE call.talk_seconds < below
    ), 0) AS below
) AS talk
CROSS JOIN LATERAL (
    VALUES
        ('outcome', COALESCE(call.outcome, ''), 1),
        ('number', call.attempt_number::text, 1),
        ('talk_seconds', '', call.talk_seconds),
        ('talk', talk.below::text, CASE WHEN call.talk_seconds IS NOT NULL THEN 1 END),
        -- Halves go to the even neighbour, as where calls are summed up one by one.
        ('cost_millionths', call.cost_currency, (round(call.cost) - CASE
            WHEN abs(call.cost % 1) = 0.5 AND round(call.cost) % 2 <> 0 THEN sign(call.cost)
            ELSE 0
        END)::bigint)
) AS sums (kind, name, value)
WHERE sums.value IS NOT NULL AND sums.name IS NOT NULL
GROUP BY call.company_id, call.campaign_id, call.quarter, sums.kind, sums.name
HAVING sum(sums.value) <> 0;
