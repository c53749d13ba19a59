-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

CREATE TABLE campaign_lanes (
    company_id   uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    lane_id      bigint NOT NULL,
    priority     smallint NOT NULL,
    region       text,
    time_zones   text[] NOT NULL,
    claimable    bigint NOT NULL,
    opens_at     timestamptz,
    closes_at    timestamptz,
    review_at    timestamptz,
    watermark    timestamptz NOT NULL DEFAULT '-infinity',
    watermark_id uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    rescan_at    timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (company_id, campaign_id, lane_id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE,
    CONSTRAINT window_has_two_ends CHECK ((opens_at IS NULL) = (closes_at IS NULL))
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE campaign_lanes IS
    'The tasks of a campaign whose calling hours open and close together. Written only by who holds the row of the company in company_queue.';
COMMENT ON COLUMN campaign_lanes.lane_id IS 'A hash of priority, region and time_zones.';
COMMENT ON COLUMN campaign_lanes.claimable IS 'Tasks of the lane that have a claimable_since.';
COMMENT ON COLUMN campaign_lanes.opens_at IS 'The window in which its tasks may be called; null until it was worked out.';
COMMENT ON COLUMN campaign_lanes.review_at IS 'When the window is to be worked out again; null while the campaign does not call.';
COMMENT ON COLUMN campaign_lanes.watermark IS
    'With watermark_id: where the last claim stopped. Claims begin here, so that they do not walk over what was claimed before, which stays in the index while anybody holds an old snapshot. Whoever puts a task below it lowers it.';
COMMENT ON COLUMN campaign_lanes.rescan_at IS
    'When a claim begins at the first task instead, to find what was passed over.';

CREATE INDEX campaign_lanes_to_review ON campaign_lanes (review_at, company_id, campaign_id, lane_id)
    WHERE review_at IS NOT NULL;

ALTER TABLE campaign_lanes ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_lanes FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON campaign_lanes
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE call_tasks
    ADD COLUMN lane_id bigint,
    ADD COLUMN claimable_since timestamptz;

-- Tasks that are there already get a lane by priority and zones. The region of their number cannot
-- be told in SQL, so their lane has none: its window leaves the region's holidays out, and the gate,
-- which is asked for every single task, does not.
UPDATE call_tasks AS task
SET lane_id = ('x' || encode(substring(sha256(
        int2send(task.priority) || COALESCE((
            SELECT string_agg('\x00'::bytea || convert_to(zone, 'UTF8'), ''::bytea ORDER BY zone COLLATE "C")
            FROM (SELECT DISTINCT unnest(task.time_zones) AS zone) AS zones
        ), ''::bytea)
    ) FROM 1 FOR 8), 'hex'))::bit(64)::bigint,
    claimable_since = CASE WHEN task.claimable THEN task.due_at END;

INSERT INTO campaign_lanes (
    company_id, campaign_id, lane_id, priority, time_zones, claimable, review_at
)
SELECT
    task.company_id, task.campaign_id, task.lane_id, min(task.priority),
    ARRAY(SELECT DISTINCT unnest(min(task.time_zones)) AS zone ORDER BY zone),
    count(task.claimable_since),
    min(CASE WHEN queue.running THEN campaign.updated_at END)
FROM call_tasks AS task
JOIN campaigns AS campaign
    ON campaign.company_id = task.company_id AND campaign.id = task.campaign_id
JOIN campaign_queue AS queue
    ON queue.company_id = task.company_id AND queue.campaign_id = task.campaign_id
GROUP BY task.company_id, task.campaign_id, task.lane_id;

DROP INDEX call_tasks_claimable;
DROP INDEX call_tasks_to_promote;
ALTER TABLE call_tasks
    DROP COLUMN claimable,
    ALTER COLUMN lane_id SET NOT NULL,
    ADD CONSTRAINT only_pending_is_claimable CHECK (status = 'pending' OR claimable_since IS NULL);

COMMENT ON COLUMN call_tasks.lane_id IS 'The lane in which it waits; see campaign_lanes.';
COMMENT ON COLUMN call_tasks.claimable_since IS
    'Its due time, set when that has come: when it is written due, or by the scheduler, so that a claim never walks over tasks that are not due.';

-- The claim's order. Only claimable tasks are in it, so it stays small whatever the table holds.
CREATE INDEX call_tasks_claimable
    ON call_tasks (company_id, campaign_id, lane_id, claimable_since, id)
    WHERE claimable_since IS NOT NULL;
CREATE INDEX call_tasks_to_promote
    ON call_tasks (due_at) WHERE status IN ('pending', 'retry') AND claimable_since IS NULL;
-- For ending the tasks of a campaign that are not due yet; the others are found in the claim's index.
CREATE INDEX call_tasks_to_cancel
    ON call_tasks (company_id, campaign_id, id)
    WHERE status IN ('pending', 'retry') AND claimable_since IS NULL;
-- For leases only: with the same condition as call_attempts_one_live_per_number the planner might
-- take this index, and all of it, to find the live attempt of a number.
DROP INDEX call_attempts_leases;
CREATE INDEX call_attempts_leases ON call_attempts (lease_until)
    WHERE state IN ('created', 'unknown', 'accepted', 'ringing', 'answered');
-- When a company has called a number, over all its campaigns.
CREATE INDEX call_attempts_by_number ON call_attempts (company_id, phone_number, created_at);
