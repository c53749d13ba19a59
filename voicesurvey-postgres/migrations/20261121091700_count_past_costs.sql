-- Calls that had their price before costs were counted: their counters would start at nothing.

-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

-- Whoever stores a price moves the counters last, in the same transaction. So behind this lock the
-- counters of a price that is stored are written, and of any other they are still to be.
LOCK TABLE campaign_counters IN SHARE ROW EXCLUSIVE MODE;

DELETE FROM campaign_counters WHERE kind IN ('cost_calls', 'cost_millionths');

INSERT INTO campaign_counters (company_id, campaign_id, kind, name, count)
SELECT cost.company_id, cost.campaign_id, counter.kind, cost.currency, counter.count
FROM (
    SELECT company_id, campaign_id, cost_currency AS currency, count(*) AS calls,
        -- Halves go to the even neighbour, as where calls are counted one by one.
        sum(
            round(millionths) - CASE
                WHEN abs(millionths % 1) = 0.5 AND round(millionths) % 2 <> 0
                    THEN sign(millionths)
                ELSE 0
            END
        ) AS millionths
    FROM call_attempts
    CROSS JOIN LATERAL (SELECT cost_amount * 1000000 AS millionths) AS exact
    WHERE cost_amount IS NOT NULL
    GROUP BY company_id, campaign_id, cost_currency
) AS cost
CROSS JOIN LATERAL (
    VALUES ('cost_calls', cost.calls), ('cost_millionths', cost.millionths::bigint)
) AS counter (kind, count);
