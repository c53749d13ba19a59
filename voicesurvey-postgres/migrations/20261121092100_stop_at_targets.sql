-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

ALTER TABLE campaigns ADD COLUMN target bigint;

COMMENT ON COLUMN campaigns.target IS 'So many people shall answer, by the settings that are in force.';

UPDATE campaigns
SET target = (COALESCE(snapshot -> 'settings', settings) ->> 'target')::bigint;

CREATE INDEX campaigns_with_target ON campaigns (company_id, id)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND target IS NOT NULL;
