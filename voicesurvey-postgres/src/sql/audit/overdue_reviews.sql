-- Lanes whose window nobody has worked out although it was time long ago (I7).
SELECT
    'campaign' AS subject, campaign_id AS id, company_id,
    'lane ' || lane_id || ' was due at ' || review_at AS detail
FROM campaign_lanes
WHERE review_at IS NOT NULL AND review_at <= (SELECT overdue FROM asked)
