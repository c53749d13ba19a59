-- Files that are begun anew because somebody was forgotten have not failed: runs that do not count.
ALTER TABLE exports ADD COLUMN excused INTEGER NOT NULL DEFAULT 0;
