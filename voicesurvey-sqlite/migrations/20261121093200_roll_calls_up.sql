-- JSON: how long the person waited for each reply, in milliseconds; empty of calls from before this was
-- measured.
ALTER TABLE call_attempts ADD COLUMN latencies TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(latencies));

-- What the calls of a campaign that have ended add up to, by the quarter of an hour in which they were
-- made; kept in the transactions that end them.
CREATE TABLE call_rollups (
    company_id  BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    quarter     INTEGER NOT NULL, -- where it begins
    kind        TEXT    NOT NULL, -- calls by outcome, by their number within the contact, seconds on the line, answered calls by the range of those seconds, costs by currency, replies by the range of milliseconds
    name        TEXT    NOT NULL, -- of the outcome, the number, the seconds too long for the range (0: none are), the currency
    value       INTEGER NOT NULL,
    PRIMARY KEY (company_id, campaign_id, quarter, kind, name),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT rollup_kind_is_known
        CHECK (kind IN ('cost_millionths', 'latency', 'number', 'outcome', 'talk', 'talk_seconds')),
    CONSTRAINT rollup_quarter_is_whole CHECK (quarter % 900000000 = 0)
) STRICT, WITHOUT ROWID;

-- The calls that have ended already.
INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
WITH call AS (
    SELECT
        company_id, campaign_id, outcome, attempt_number, cost_amount, cost_currency,
        created_at - ((created_at % 900000000) + 900000000) % 900000000 AS quarter,
        max((ended_at - answered_at) / 1000000, 0) AS talk_seconds
    FROM call_attempts
    WHERE state = 'ended'
), sums AS (
    SELECT company_id, campaign_id, quarter, 'outcome' AS kind, COALESCE(outcome, '') AS name, 1 AS value
    FROM call
    UNION ALL
    SELECT company_id, campaign_id, quarter, 'number', CAST(attempt_number AS TEXT), 1 FROM call
    UNION ALL
    SELECT company_id, campaign_id, quarter, 'talk_seconds', '', talk_seconds
    FROM call WHERE talk_seconds IS NOT NULL
    UNION ALL
    SELECT company_id, campaign_id, quarter, 'talk', CASE
        WHEN talk_seconds < 5 THEN '5' WHEN talk_seconds < 10 THEN '10'
        WHEN talk_seconds < 15 THEN '15' WHEN talk_seconds < 20 THEN '20'
        WHEN talk_seconds < 30 THEN '30' WHEN talk_seconds < 45 THEN '45'
        WHEN talk_seconds < 60 THEN '60' WHEN talk_seconds < 75 THEN '75'
        WHEN talk_seconds < 90 THEN '90' WHEN talk_seconds < 120 THEN '120'
        WHEN talk_seconds < 150 THEN '150' WHEN talk_seconds < 180 THEN '180'
        WHEN talk_seconds < 240 THEN '240' WHEN talk_seconds < 300 THEN '300'
        WHEN talk_seconds < 420 THEN '420' WHEN talk_seconds < 600 THEN '600'
        WHEN talk_seconds < 900 THEN '900' WHEN talk_seconds < 1800 THEN '1800'
        WHEN talk_seconds < 3600 THEN '3600' ELSE '0'
    END, 1
    FROM call WHERE talk_seconds IS NOT NULL
    UNION ALL
    SELECT company_id, campaign_id, quarter, 'cost_millionths', cost_currency,
        CAST(round(1000000 * CAST(cost_amount AS REAL)) AS INTEGER)
    FROM call WHERE cost_amount IS NOT NULL
)
SELECT company_id, campaign_id, quarter, kind, name, sum(value)
FROM sums
GROUP BY company_id, campaign_id, quarter, kind, name
HAVING sum(value) <> 0;
