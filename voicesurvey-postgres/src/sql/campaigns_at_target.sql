-- Running and paused campaigns that do not wind up although nobody else is wanted: what core's
-- `reached` says, read off one counter of each target and of each cell of quotas. $1 at most.
SELECT campaign.company_id, campaign.id
FROM (
    SELECT company_id, id
    FROM campaigns AS aimed
    WHERE aimed.status IN ('running', 'paused') AND aimed.winding_up IS NULL
        AND (COALESCE(aimed.snapshot -> 'settings', aimed.settings) ->> 'target') IS NOT NULL
        -- Not a join, which the planner might make of the counters of all campaigns there are.
        AND (
            SELECT count FROM campaign_counters
            WHERE company_id = aimed.company_id AND campaign_id = aimed.id
                AND kind = 'task' AND name = 'completed'
        ) >= (COALESCE(aimed.snapshot -> 'settings', aimed.settings) ->> 'target')::bigint
    UNION ALL
    SELECT company_id, id
    FROM campaigns AS divided
    WHERE divided.status IN ('running', 'paused') AND divided.winding_up IS NULL
        AND (COALESCE(divided.snapshot -> 'settings', divided.settings) ->> 'quotas') IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(
                COALESCE(divided.snapshot -> 'settings', divided.settings) #> '{quotas,cells}'
            ) WITH ORDINALITY AS cell (value, place)
            WHERE COALESCE((
                SELECT count FROM campaign_counters
                WHERE company_id = divided.company_id AND campaign_id = divided.id
                    AND kind = 'cell' AND name = (cell.place - 1) || ':completed'
            ), 0) < (cell.value ->> 'target')::bigint
        )
        -- Those whose target is reached as well have been told above.
        AND COALESCE((
            SELECT count FROM campaign_counters
            WHERE company_id = divided.company_id AND campaign_id = divided.id
                AND kind = 'task' AND name = 'completed'
        ) < (COALESCE(divided.snapshot -> 'settings', divided.settings) ->> 'target')::bigint, true)
) AS campaign
ORDER BY campaign.company_id, campaign.id
LIMIT $1
