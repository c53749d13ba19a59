-- A call that is free by its outcome is not counted among the priced ones too: so many would be taken
-- off twice from those that are still to be paid.
UPDATE campaign_counters
SET count = count - free.calls
FROM (
    SELECT company_id, campaign_id, cost_currency AS currency, count(*) AS calls
    FROM call_attempts
    WHERE cost_amount IS NOT NULL
        AND outcome IN ('cancelled', 'provider_failure', 'provider_rejected', 'quota_full')
    GROUP BY company_id, campaign_id, cost_currency
) AS free
WHERE campaign_counters.company_id = free.company_id
    AND campaign_counters.campaign_id = free.campaign_id
    AND campaign_counters.kind = 'cost_calls'
    AND campaign_counters.name = free.currency;
