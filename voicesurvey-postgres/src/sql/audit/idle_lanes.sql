-- Lanes from which nobody is called although hours, lines and pace are free, and have been for long
-- (I7). The pace says when the campaign called last.
SELECT
    'campaign' AS subject, lane.campaign_id AS id, lane.company_id,
    lane.claimable || ' people could be called, the first since ' || first.since AS detail
FROM campaign_lanes AS lane
JOIN campaigns AS campaign
    ON campaign.company_id = lane.company_id AND campaign.id = lane.campaign_id
JOIN campaign_queue AS queue
    ON queue.company_id = lane.company_id AND queue.campaign_id = lane.campaign_id
JOIN company_queue AS company ON company.company_id = lane.company_id
CROSS JOIN LATERAL (
    SELECT min(task.claimable_since) AS since
    FROM call_tasks AS task
    WHERE task.company_id = lane.company_id
        AND task.campaign_id = lane.campaign_id
        AND task.lane_id = lane.lane_id
        AND task.claimable_since IS NOT NULL
) AS first
WHERE lane.claimable > 0
    AND lane.opens_at <= (SELECT idle FROM asked) AND lane.closes_at > (SELECT now FROM asked)
    AND first.since <= (SELECT idle FROM asked)
    AND campaign.updated_at <= (SELECT idle FROM asked)
    AND queue.running AND queue.arrival <= (SELECT overdue FROM asked)
    AND queue.in_flight < queue.max_concurrent_calls AND queue.calls_per_minute > 0
    AND company.calling AND company.arrival <= (SELECT now FROM asked)
    AND company.in_flight < company.max_concurrent_calls AND company.calls_per_minute > 0
    AND NOT EXISTS (
        SELECT FROM provider_queue AS account
        WHERE account.in_flight >= account.max_concurrent_calls
            OR account.arrival > (SELECT now FROM asked)
            OR account.calls_per_minute = 0
    )
