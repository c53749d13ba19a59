-- Running and paused campaigns that have tasks, of which none is open, and no live attempt: asked of
-- single counters, and of most campaigns only the first. CASE keeps to that order, and scalar
-- subqueries are not turned round, as NOT EXISTS is, to read the counters of all campaigns there are.
SELECT campaign.company_id, campaign.id
FROM campaigns AS campaign
WHERE campaign.status IN ('running', 'paused') AND CASE
    WHEN (
        SELECT 1 FROM campaign_counters
        WHERE company_id = campaign.company_id AND campaign_id = campaign.id
            AND kind = 'task' AND name IN ('pending', 'in_progress', 'retry') AND count > 0
        LIMIT 1
    ) IS NOT NULL THEN false
    WHEN (
        SELECT 1 FROM campaign_counters
        WHERE company_id = campaign.company_id AND campaign_id = campaign.id
            AND kind = 'attempt' AND name <> 'ended' AND count > 0
        LIMIT 1
    ) IS NOT NULL THEN false
    ELSE (
        SELECT 1 FROM campaign_counters
        WHERE company_id = campaign.company_id AND campaign_id = campaign.id
            AND kind = 'task' AND count > 0
        LIMIT 1
    ) IS NOT NULL
END
ORDER BY campaign.company_id, campaign.id
LIMIT $1
