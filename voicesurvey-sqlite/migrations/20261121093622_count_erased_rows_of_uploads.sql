-- Rows of people whom the company has erased: nothing of them is kept.
ALTER TABLE uploads ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
