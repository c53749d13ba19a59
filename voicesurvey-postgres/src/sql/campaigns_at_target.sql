-- Running and paused campaigns that do not wind up although their target is reached: what core's
-- has_reached_its_target says, read off one counter of each. $1 at most.
SELECT campaign.company_id, campaign.id
FROM campaigns AS campaign
WHERE campaign.status IN ('running', 'paused') AND campaign.winding_up IS NULL
    AND (COALESCE(campaign.snapshot -> 'settings', campaign.settings) ->> 'target') IS NOT NULL
    -- Not a join, which the planner might make of the counters of all campaigns there are.
    AND (
        SELECT count FROM campaign_counters
        WHERE company_id = campaign.company_id AND campaign_id = campaign.id
            AND kind = 'task' AND name = 'completed'
    ) >= (COALESCE(campaign.snapshot -> 'settings', campaign.settings) ->> 'target')::bigint
ORDER BY campaign.company_id, campaign.id
LIMIT $1
