-- Lanes from which nobody is called although hours, lines and pace are free, and have been for long
-- (I7). The pace says when the campaign called last.
SELECT
    'campaign' AS subject, lane.campaign_id AS id, lane.company_id,
    lane.claimable || ' people could be called, the first since '
        || strftime('%F %T', first.since / 1000000, 'unixepoch') AS detail
FROM campaign_lanes AS lane
JOIN campaigns AS campaign
    ON campaign.company_id = lane.company_id AND campaign.id = lane.campaign_id
JOIN campaign_queue AS queue
    ON queue.company_id = lane.company_id AND queue.campaign_id = lane.campaign_id
JOIN company_queue AS company ON company.company_id = lane.company_id
JOIN companies ON companies.company_id = lane.company_id
JOIN (
    SELECT company_id, campaign_id, lane_id, min(due_at) AS since
    FROM call_tasks
    WHERE claimable = 1
    GROUP BY company_id, campaign_id, lane_id
) AS first
    ON first.company_id = lane.company_id
    AND first.campaign_id = lane.campaign_id
    AND first.lane_id = lane.lane_id
WHERE lane.claimable > 0
    AND lane.opens_at <= (SELECT idle FROM asked) AND lane.closes_at > (SELECT now FROM asked)
    AND first.since <= (SELECT idle FROM asked)
    AND campaign.updated_at <= (SELECT idle FROM asked)
    AND queue.calling = 1 AND queue.arrival <= (SELECT overdue FROM asked)
    AND queue.in_flight < queue.max_concurrent_calls AND queue.calls_per_minute > 0
    AND companies.status = 'active' AND company.arrival <= (SELECT now FROM asked)
    AND company.in_flight < company.max_concurrent_calls AND company.calls_per_minute > 0
    AND NOT EXISTS (
        SELECT 1 FROM provider_queue AS account
        WHERE account.in_flight >= account.max_concurrent_calls
            OR account.arrival > (SELECT now FROM asked)
            OR account.calls_per_minute = 0
    )
