-- What is not told by the hour or day is kept over the whole campaign: its quarter is 0, the epoch.
-- Outcomes and costs have no such sums, ranges and numbers only these, seconds both.
INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
SELECT company_id, campaign_id, 0, kind, name, sum(value)
FROM call_rollups
WHERE kind IN ('latency', 'number', 'talk', 'talk_seconds')
GROUP BY company_id, campaign_id, kind, name
HAVING sum(value) <> 0
ON CONFLICT DO UPDATE SET value = excluded.value;

DELETE FROM call_rollups WHERE kind IN ('latency', 'number', 'talk') AND quarter <> 0;
