-- Counts of attempts that differ from the attempts (I12).
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    kind || ' ' || name || ': ' || COALESCE(kept.count, 0) || ' counted, '
        || COALESCE(stored.rows, 0) || ' stored' AS detail
FROM (
    SELECT company_id, campaign_id, kind, name, count
    FROM campaign_counters
    WHERE kind IN ('attempt', 'outcome')
) AS kept
FULL JOIN (
    SELECT company_id, campaign_id, 'attempt' AS kind, state AS name, count(*) AS rows
    FROM call_attempts
    GROUP BY company_id, campaign_id, state
    UNION ALL
    SELECT company_id, campaign_id, 'outcome', outcome, count(*)
    FROM call_attempts
    WHERE outcome IS NOT NULL
    GROUP BY company_id, campaign_id, outcome
) AS stored USING (company_id, campaign_id, kind, name)
WHERE COALESCE(kept.count, 0) <> COALESCE(stored.rows, 0)
