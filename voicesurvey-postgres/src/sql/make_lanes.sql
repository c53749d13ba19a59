-- Makes lanes that are not there yet, one array per column. Zones come as one text with commas.
INSERT INTO campaign_lanes (
    company_id, campaign_id, lane_id, priority, region, time_zones, cells, claimable
)
SELECT company_id, campaign_id, lane_id, priority, region, string_to_array(time_zones, ','),
    cells, 0
FROM UNNEST(
    $1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::text[], $6::text[],
    $7::text[]
) AS lane (company_id, campaign_id, lane_id, priority, region, time_zones, cells)
ON CONFLICT (company_id, campaign_id, lane_id) DO NOTHING
