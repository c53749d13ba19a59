-- Campaigns that have tasks, of which none is open, and no live attempt: read off the counters.
SELECT campaign.company_id, campaign.id
FROM campaigns AS campaign
CROSS JOIN LATERAL (
    SELECT
        sum(count) FILTER (WHERE kind = 'task') AS tasks,
        sum(count) FILTER (
            WHERE kind = 'task' AND name IN ('pending', 'in_progress', 'retry')
        ) AS open_tasks,
        sum(count) FILTER (WHERE kind = 'attempt' AND name <> 'ended') AS live_attempts
    FROM campaign_counters
    WHERE company_id = campaign.company_id AND campaign_id = campaign.id
) AS counted
WHERE campaign.status IN ('running', 'paused')
    AND counted.tasks > 0
    AND COALESCE(counted.open_tasks, 0) = 0
    AND COALESCE(counted.live_attempts, 0) = 0
ORDER BY campaign.company_id, campaign.id
LIMIT $1
