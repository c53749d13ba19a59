-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

-- Nobody adds to the sums while they are put together.
LOCK TABLE call_rollups IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO call_rollups (company_id, campaign_id, quarter, kind, name, value)
SELECT company_id, campaign_id, 'epoch', kind, name, sum(value)
FROM call_rollups
WHERE kind IN ('latency', 'number', 'talk', 'talk_seconds')
GROUP BY company_id, campaign_id, kind, name
HAVING sum(value) <> 0;

DELETE FROM call_rollups
WHERE kind IN ('latency', 'number', 'talk') AND quarter <> 'epoch';

COMMENT ON TABLE call_rollups IS
    'What the calls of a campaign that have ended add up to, by the quarter of an hour in which they were made and over the whole campaign; kept in the transactions that end them.';
COMMENT ON COLUMN call_rollups.quarter IS
    'Where it begins; the epoch of sums over the whole campaign. Outcomes and costs have none of these, ranges and numbers only these, seconds both.';
