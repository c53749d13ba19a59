-- Lanes whose count differs from their claimable tasks (I12).
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    'lane ' || lane_id || ': ' || COALESCE(lane.claimable, 0) || ' counted, '
        || COALESCE(stored.rows, 0) || ' stored' AS detail
FROM campaign_lanes AS lane
FULL JOIN (
    SELECT company_id, campaign_id, lane_id, count(*) AS rows
    FROM call_tasks
    WHERE claimable_since IS NOT NULL
    GROUP BY company_id, campaign_id, lane_id
) AS stored USING (company_id, campaign_id, lane_id)
WHERE COALESCE(lane.claimable, 0) <> COALESCE(stored.rows, 0)
