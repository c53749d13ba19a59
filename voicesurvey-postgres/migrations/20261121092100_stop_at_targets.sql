ALTER TABLE campaigns ADD COLUMN target bigint GENERATED ALWAYS AS (
    (COALESCE(snapshot -> 'settings', settings) ->> 'target')::bigint
) STORED;

COMMENT ON COLUMN campaigns.target IS 'So many people shall answer, by the settings that are in force.';

CREATE INDEX campaigns_with_target ON campaigns (company_id, id)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND target IS NOT NULL;
