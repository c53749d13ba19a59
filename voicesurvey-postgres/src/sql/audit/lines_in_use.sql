-- Lines in use that differ from the live attempts (I12). An account without a row is not limited.
SELECT
    'campaign' AS subject, queue.campaign_id AS id, queue.company_id,
    'lines in use: ' || queue.in_flight || ' counted, ' || COALESCE(live.rows, 0) || ' stored'
        AS detail
FROM campaign_queue AS queue
LEFT JOIN (
    SELECT company_id, campaign_id, count(*) AS rows
    FROM call_attempts
    WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
    GROUP BY company_id, campaign_id
) AS live ON live.company_id = queue.company_id AND live.campaign_id = queue.campaign_id
WHERE queue.in_flight <> COALESCE(live.rows, 0)
UNION ALL
SELECT
    'company', queue.company_id, queue.company_id,
    'lines in use: ' || queue.in_flight || ' counted, ' || COALESCE(live.rows, 0) || ' stored'
FROM company_queue AS queue
LEFT JOIN (
    SELECT company_id, count(*) AS rows
    FROM call_attempts
    WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
    GROUP BY company_id
) AS live ON live.company_id = queue.company_id
WHERE queue.in_flight <> COALESCE(live.rows, 0)
UNION ALL
SELECT
    'provider ' || queue.provider, NULL, NULL,
    'lines in use: ' || queue.in_flight || ' counted, ' || COALESCE(live.rows, 0) || ' stored'
FROM provider_queue AS queue
LEFT JOIN (
    SELECT provider, count(*) AS rows
    FROM call_attempts
    WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered')
    GROUP BY provider
) AS live ON live.provider = queue.provider
WHERE queue.in_flight <> COALESCE(live.rows, 0)
