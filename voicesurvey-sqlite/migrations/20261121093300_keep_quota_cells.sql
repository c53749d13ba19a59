-- The cells of the campaign's quotas that the person is known to be in: 0,3.
ALTER TABLE call_tasks ADD COLUMN cells TEXT NOT NULL DEFAULT '';
ALTER TABLE campaign_lanes ADD COLUMN cells TEXT NOT NULL DEFAULT '';

-- The same table with one more kind: SQLite cannot change a constraint.
CREATE TABLE counters_with_cells (
    company_id  BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    -- What is counted: tasks by status, by reason, and by cell and status; attempts by state or
    -- outcome, and by currency the calls whose price is known and the millionths that they cost.
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL, -- of the status, reason, state, outcome or currency, or 3:completed
    count       INTEGER NOT NULL,
    PRIMARY KEY (company_id, campaign_id, kind, name),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT counter_kind_is_known CHECK (
        kind IN ('task', 'reason', 'attempt', 'outcome', 'cost_calls', 'cost_millionths', 'cell')
    ),
    -- A provider may give money back.
    CONSTRAINT counter_is_never_negative CHECK (count >= 0 OR kind = 'cost_millionths')
) STRICT, WITHOUT ROWID;

INSERT INTO counters_with_cells (company_id, campaign_id, kind, name, count)
SELECT company_id, campaign_id, kind, name, count FROM campaign_counters;

DROP TABLE campaign_counters;
ALTER TABLE counters_with_cells RENAME TO campaign_counters;

-- Campaigns in which somebody waits: few, while those that have ended become ever more.
CREATE INDEX campaign_counters_waiting ON campaign_counters (company_id, campaign_id)
    WHERE kind = 'task' AND name IN ('pending', 'retry') AND count > 0;

-- Of whom numbers of answers are wanted, by the settings that calls follow.
ALTER TABLE campaigns ADD COLUMN quotas TEXT GENERATED ALWAYS AS (
    CASE WHEN snapshot IS NULL THEN settings -> '$.quotas.cells'
         ELSE snapshot -> '$.settings.quotas.cells' END
) VIRTUAL;

CREATE INDEX campaigns_with_quotas ON campaigns (company_id, id)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND quotas IS NOT NULL;
