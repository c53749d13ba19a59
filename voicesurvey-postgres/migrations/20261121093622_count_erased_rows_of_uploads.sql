-- People whom the company has erased are not kept when somebody uploads them again.
ALTER TABLE uploads ADD COLUMN erased bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN uploads.erased IS 'Rows of people whom the company has erased: nothing of them is kept.';
