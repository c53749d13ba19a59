-- Thirty days of calls of the one campaign that is there, twelve hours a day, as its sums and counters
-- would be: in every quarter calls of twelve outcomes, first to fifth ones, of eighteen durations.
INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
SELECT company_id, id, quarter, sums.kind, sums.name, sums.value
FROM campaigns
CROSS JOIN generate_series(
    date_trunc('day', now()) - INTERVAL '29 days', now(), INTERVAL '15 minutes'
) AS quarter
CROSS JOIN (
    SELECT 'outcome' AS kind, name, 600 AS value
    FROM UNNEST(ARRAY[
        'completed', 'partial', 'refused', 'opted_out', 'hung_up_before_consent', 'busy',
        'no_answer', 'declined', 'voicemail', 'invalid_number', 'disconnected', 'provider_failure'
    ]) AS name
    UNION ALL
    VALUES ('talk_seconds', '', 500000), ('cost_millionths', 'EUR', 30000000)
) AS sums
WHERE extract(hour FROM quarter) BETWEEN 8 AND 19;

INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
SELECT company_id, id, 'epoch', sums.kind, sums.name, sums.value
FROM campaigns
CROSS JOIN (
    SELECT 'number' AS kind, number::text AS name, 10000000 / number AS value
    FROM generate_series(1, 5) AS number
    UNION ALL
    SELECT 'talk', below::text, 200000
    FROM UNNEST(ARRAY[
        5, 10, 15, 20, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 420, 600, 900, 1800
    ]) AS below
    UNION ALL
    SELECT 'latency', below::text, 400000
    FROM UNNEST(ARRAY[
        10, 25, 50, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000, 5000, 0
    ]) AS below
    UNION ALL
    VALUES ('talk_seconds', '', 700000000)
) AS sums;

INSERT INTO campaign_counters (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, kind, name, sum(value)
FROM call_rollups
WHERE kind = 'outcome'
GROUP BY company_id, campaign_id, kind, name
ON CONFLICT (company_id, campaign_id, kind, name) DO UPDATE SET count = excluded.count;

VACUUM ANALYZE call_rollups;
