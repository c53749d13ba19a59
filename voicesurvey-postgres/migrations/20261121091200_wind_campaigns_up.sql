-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

ALTER TABLE campaigns
    ADD COLUMN winding_up text,
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN has_budget boolean NOT NULL DEFAULT false,
    ADD COLUMN emptying boolean NOT NULL DEFAULT false;

COMMENT ON COLUMN campaigns.winding_up IS 'Why no further call is started although it has not ended yet.';
COMMENT ON COLUMN campaigns.ends_at IS 'The end in the settings that are in force, for finding campaigns whose time has come.';
COMMENT ON COLUMN campaigns.has_budget IS 'Whether the settings that are in force limit the costs.';
COMMENT ON COLUMN campaigns.emptying IS 'It calls nobody any more, and tasks may still wait in it.';

UPDATE campaigns
SET ends_at = (COALESCE(snapshot -> 'settings', settings) #>> '{schedule,ends_at}')::timestamptz,
    emptying = status IN ('completed', 'cancelled');

ALTER TABLE campaigns
    ALTER COLUMN has_budget DROP DEFAULT,
    ALTER COLUMN emptying DROP DEFAULT;

CREATE INDEX campaigns_to_end ON campaigns (ends_at)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND ends_at IS NOT NULL;
CREATE INDEX campaigns_with_budget ON campaigns (company_id, id)
    WHERE status = 'running' AND has_budget;
CREATE INDEX campaigns_to_empty ON campaigns (company_id, id) WHERE emptying;
