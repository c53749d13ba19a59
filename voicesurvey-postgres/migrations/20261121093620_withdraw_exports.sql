-- Files that are begun anew because somebody was forgotten have not failed.
ALTER TABLE exports ADD COLUMN excused bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN exports.excused IS
    'Runs that do not count, because the file was withdrawn when somebody was forgotten.';
