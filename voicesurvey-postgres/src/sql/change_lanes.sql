-- Counts the claimable tasks of lanes, one array per column. A lane that got some below its watermark
-- is claimed from there again, and one of which nobody knows when it opens is reviewed.
UPDATE campaign_lanes AS lane
SET claimable = lane.claimable + change.by,
    watermark = CASE
        WHEN (change.first_since, change.first_id) < (lane.watermark, lane.watermark_id)
            THEN change.first_since
        ELSE lane.watermark
    END,
    watermark_id = CASE
        WHEN (change.first_since, change.first_id) < (lane.watermark, lane.watermark_id)
            THEN change.first_id
        ELSE lane.watermark_id
    END,
    review_at = CASE WHEN lane.opens_at IS NULL AND queue.running
        THEN LEAST(lane.review_at, change.added_at)
        ELSE lane.review_at
    END
FROM UNNEST(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::uuid[],
    $7::timestamptz[]
) AS change (company_id, campaign_id, lane_id, by, first_since, first_id, added_at)
JOIN campaign_queue AS queue USING (company_id, campaign_id)
WHERE lane.company_id = change.company_id
    AND lane.campaign_id = change.campaign_id
    AND lane.lane_id = change.lane_id
