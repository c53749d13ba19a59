ALTER TABLE call_tasks ADD COLUMN cells text NOT NULL DEFAULT '';

COMMENT ON COLUMN call_tasks.cells IS
    'The cells of the campaign''s quotas that the person is known to be in, as 0,3: by their places in the settings.';

ALTER TABLE campaign_lanes ADD COLUMN cells text NOT NULL DEFAULT '';

COMMENT ON COLUMN campaign_lanes.cells IS 'As in call_tasks. A lane in whose cells no place is left has no window.';
COMMENT ON COLUMN campaign_lanes.lane_id IS 'A hash of priority, region, time_zones and cells.';

ALTER TABLE campaign_counters
    DROP CONSTRAINT campaign_counters_kind_check,
    ADD CONSTRAINT campaign_counters_kind_check CHECK (
        kind IN ('attempt', 'cell', 'cost_calls', 'cost_millionths', 'outcome', 'reason', 'task')
    );

COMMENT ON COLUMN campaign_counters.kind IS
    'What is counted: tasks by status, by reason of the gate, and by cell and status (3:completed); attempts by state and by outcome; priced calls and what they cost, in millionths, by currency.';

-- Those that want numbers of answers of some people, by the settings that calls follow.
CREATE INDEX campaigns_with_quotas ON campaigns (company_id, id)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL
        AND (COALESCE(snapshot -> 'settings', settings) ->> 'quotas') IS NOT NULL;
