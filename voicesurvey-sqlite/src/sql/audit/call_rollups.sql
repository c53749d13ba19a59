-- Sums of calls over time that differ from the calls (I12). SQLite has no decimals, so one millionth of
-- a cost for each call is let pass. Sums over the whole campaign stand at the epoch.
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    strftime('%Y-%m-%d %H:%M', quarter / 1000000, 'unixepoch') || ' ' || kind || ' ' || name || ': '
        || COALESCE(kept.value, 0) || ' kept, ' || COALESCE(stored.value, 0) || ' stored' AS detail
FROM call_rollups AS kept
FULL JOIN (
    WITH call AS (
        SELECT
            company_id, campaign_id, outcome, attempt_number, cost_amount, cost_currency, latencies,
            created_at - ((created_at % 900000000) + 900000000) % 900000000 AS quarter,
            max((ended_at - answered_at) / 1000000, 0) AS talk_seconds
        FROM call_attempts
        WHERE state = 'ended'
    ), sums AS (
        SELECT company_id, campaign_id, quarter, 'outcome' AS kind, COALESCE(outcome, '') AS name, 1 AS value
        FROM call
        UNION ALL
        SELECT company_id, campaign_id, 0, 'number', CAST(attempt_number AS TEXT), 1 FROM call
        UNION ALL
        SELECT company_id, campaign_id, quarter, 'talk_seconds', '', talk_seconds
        FROM call WHERE talk_seconds IS NOT NULL
        UNION ALL
        SELECT company_id, campaign_id, 0, 'talk_seconds', '', talk_seconds
        FROM call WHERE talk_seconds IS NOT NULL
        UNION ALL
        SELECT company_id, campaign_id, 0, 'talk', CASE
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
        UNION ALL
        SELECT company_id, campaign_id, 0, 'latency', CASE
            WHEN waited.value < 10 THEN '10'
            WHEN waited.value < 25 THEN '25'
            WHEN waited.value < 50 THEN '50'
            WHEN waited.value < 100 THEN '100'
            WHEN waited.value < 150 THEN '150'
            WHEN waited.value < 200 THEN '200'
            WHEN waited.value < 300 THEN '300'
            WHEN waited.value < 400 THEN '400'
            WHEN waited.value < 500 THEN '500'
            WHEN waited.value < 750 THEN '750'
            WHEN waited.value < 1000 THEN '1000'
            WHEN waited.value < 1500 THEN '1500'
            WHEN waited.value < 2000 THEN '2000'
            WHEN waited.value < 3000 THEN '3000'
            WHEN waited.value < 5000 THEN '5000'
            ELSE '0'
        END, 1
        FROM call, json_each(latencies) AS waited
    )
    SELECT
        company_id, campaign_id, quarter, kind, name, sum(value) AS value,
        CASE WHEN kind = 'cost_millionths' THEN count(*) ELSE 0 END AS tolerated
    FROM sums
    GROUP BY company_id, campaign_id, quarter, kind, name
) AS stored USING (company_id, campaign_id, quarter, kind, name)
WHERE abs(COALESCE(kept.value, 0) - COALESCE(stored.value, 0)) > COALESCE(stored.tolerated, 0)
