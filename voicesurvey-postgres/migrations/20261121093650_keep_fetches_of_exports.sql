ALTER TABLE exports
    ADD COLUMN delimiter text NOT NULL DEFAULT ',' CHECK (delimiter IN (',', ';', 'tab')),
    ADD COLUMN fetches bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_fetched_at timestamptz;

COMMENT ON COLUMN exports.delimiter IS 'What stands between the cells of CSV.';
COMMENT ON COLUMN exports.fetches IS 'How often the contents were asked for by the link.';

-- Whose turn it is: the company that has had no export finished for the longest time.
CREATE INDEX exports_made ON exports (company_id, ended_at)
    WHERE state IN ('done', 'failed', 'expired');
