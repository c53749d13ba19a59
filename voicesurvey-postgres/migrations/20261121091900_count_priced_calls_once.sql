-- A call that is free by its outcome is not counted among the priced ones too: so many would be taken
-- off twice from those that are still to be paid.

-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

-- Whoever changes an attempt moves the counters last, in the same transaction: see the migration that
-- counts past costs.
LOCK TABLE campaign_counters IN SHARE ROW EXCLUSIVE MODE;

UPDATE campaign_counters AS counter
SET count = counter.count - free.calls
FROM (
    SELECT company_id, campaign_id, cost_currency AS currency, count(*) AS calls
    FROM call_attempts
    WHERE cost_amount IS NOT NULL
        AND outcome IN ('cancelled', 'provider_failure', 'provider_rejected', 'quota_full')
    GROUP BY company_id, campaign_id, cost_currency
) AS free
WHERE counter.company_id = free.company_id AND counter.campaign_id = free.campaign_id
    AND counter.kind = 'cost_calls' AND counter.name = free.currency;
