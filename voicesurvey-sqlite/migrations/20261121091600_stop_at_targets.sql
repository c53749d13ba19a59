-- So many people shall answer, by the settings that calls follow.
ALTER TABLE campaigns ADD COLUMN target INTEGER GENERATED ALWAYS AS (
    CASE WHEN snapshot IS NULL THEN settings ->> '$.target' ELSE snapshot ->> '$.settings.target' END
) VIRTUAL;

CREATE INDEX campaigns_with_target ON campaigns (company_id, id)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL AND target IS NOT NULL;
