-- Counts of costs that differ from the costs (I12). SQL rounds halves another way than the core,
-- so one millionth for each call is let pass. Calls that are free by their outcome are not counted
-- among the priced ones, as core's CostCount says.
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    COALESCE(kept.calls, 0) || ' calls for ' || COALESCE(kept.millionths, 0) || ' millionths of '
        || currency || ' counted, ' || COALESCE(stored.calls, 0) || ' for '
        || COALESCE(stored.millionths, 0) || ' stored' AS detail
FROM (
    SELECT
        company_id, campaign_id, name AS currency,
        COALESCE(sum(count) FILTER (WHERE kind = 'cost_calls'), 0) AS calls,
        COALESCE(sum(count) FILTER (WHERE kind = 'cost_millionths'), 0) AS millionths
    FROM campaign_counters
    WHERE kind IN ('cost_calls', 'cost_millionths')
    GROUP BY company_id, campaign_id, name
) AS kept
FULL JOIN (
    SELECT
        company_id, campaign_id, cost_currency AS currency, count(*) AS attempts,
        count(*) FILTER (
            WHERE outcome IS NULL OR outcome NOT IN (
                'cancelled', 'provider_failure', 'provider_rejected'
            )
        ) AS calls,
        sum(round(cost_amount * 1000000)) AS millionths
    FROM call_attempts
    WHERE cost_amount IS NOT NULL
    GROUP BY company_id, campaign_id, cost_currency
) AS stored USING (company_id, campaign_id, currency)
WHERE COALESCE(kept.calls, 0) <> COALESCE(stored.calls, 0)
    OR abs(COALESCE(kept.millionths, 0) - COALESCE(stored.millionths, 0))
        > COALESCE(stored.attempts, 0)
