-- Those that want a number of answers, by the settings that calls follow.
CREATE INDEX campaigns_with_target ON campaigns (company_id, id)
    WHERE status IN ('running', 'paused') AND winding_up IS NULL
        AND (COALESCE(snapshot -> 'settings', settings) ->> 'target') IS NOT NULL;
