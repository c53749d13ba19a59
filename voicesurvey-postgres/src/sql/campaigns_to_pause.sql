-- Running campaigns whose budget allows no further call and of which no call is live: what core's
-- has_spent_its_budget says, read off the counters. $1 at most, $2 outcomes of calls that cost nothing.
SELECT campaign.company_id, campaign.id
FROM campaigns AS campaign
CROSS JOIN LATERAL (
    SELECT 1000000 * (terms #>> '{limit,amount}')::numeric AS amount,
        terms #>> '{limit,currency}' AS currency,
        1000000 * (terms ->> 'estimate_per_call')::numeric AS per_call
    FROM (
        SELECT COALESCE(campaign.snapshot -> 'settings', campaign.settings) -> 'budget' AS terms
        -- A large document: it is opened once.
        OFFSET 0
    ) AS settings
) AS budget
CROSS JOIN LATERAL (
    SELECT
        budget.amount - COALESCE(sum(count) FILTER (
            WHERE kind = 'cost_millionths' AND name = budget.currency
        ), 0) AS amount,
        GREATEST(sum(CASE kind WHEN 'attempt' THEN count ELSE -count END) FILTER (
            WHERE kind = 'attempt' OR kind = 'cost_calls' AND name = budget.currency
                OR kind = 'outcome' AND name = ANY ($2::text[])
        ), 0) AS unpriced
    FROM campaign_counters
    WHERE company_id = campaign.company_id AND campaign_id = campaign.id
) AS remaining
WHERE campaign.status = 'running' AND campaign.has_budget AND campaign.winding_up IS NULL
    -- Not a join, which the planner might make when everything has been summed up.
    AND (
        SELECT in_flight FROM campaign_queue
        WHERE company_id = campaign.company_id AND campaign_id = campaign.id
    ) = 0
    AND (remaining.amount <= 0 OR remaining.amount < (remaining.unpriced + 1) * budget.per_call)
ORDER BY campaign.company_id, campaign.id
LIMIT $1
