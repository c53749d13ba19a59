ALTER TABLE exports ADD COLUMN delimiter TEXT NOT NULL DEFAULT ','
    CONSTRAINT export_delimiter_is_known CHECK (delimiter IN (',', ';', 'tab'));
-- How often the contents were asked for by the link, and when last.
ALTER TABLE exports ADD COLUMN fetches INTEGER NOT NULL DEFAULT 0;
ALTER TABLE exports ADD COLUMN last_fetched_at INTEGER;

-- Whose turn it is: the company that has had no export finished for the longest time.
CREATE INDEX exports_made ON exports (company_id, ended_at)
    WHERE state IN ('done', 'failed', 'expired');
