ALTER TABLE campaigns ADD COLUMN winding_up TEXT; -- why no further call is started before the end
ALTER TABLE campaigns ADD COLUMN ends_at INTEGER; -- copied from the settings that calls follow
ALTER TABLE campaigns ADD COLUMN has_budget INTEGER NOT NULL DEFAULT 0 -- so do the settings say
    CONSTRAINT campaign_has_budget_is_boolean CHECK (has_budget IN (0, 1));

-- Fractions of a second are cut: the scheduler looks at the settings before it ends anything.
UPDATE campaigns
SET ends_at = 1000000 * CAST(
    strftime('%s', coalesce(snapshot ->> '$.settings', settings) ->> '$.schedule.ends_at') AS INTEGER
);

CREATE INDEX campaigns_ending ON campaigns (ends_at)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND ends_at IS NOT NULL;
CREATE INDEX campaigns_with_budget ON campaigns (company_id, id)
    WHERE status = 'running' AND winding_up IS NULL AND has_budget = 1;

-- A campaign that winds up runs, and calls nobody.
ALTER TABLE campaign_queue RENAME COLUMN running TO calling;
