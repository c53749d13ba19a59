-- Uploads that can be watched while they run, and the rows that were not taken in a table of their
-- own: a list of a million wrong rows is no document.
CREATE TABLE new_uploads (
    company_id             BLOB    NOT NULL,
    id                     BLOB    NOT NULL,
    campaign_id            BLOB    NOT NULL,
    file_name              TEXT    NOT NULL,
    columns                TEXT    NOT NULL, -- JSON: the file's header, as long as the longest row not taken
    status                 TEXT    NOT NULL,
    failure                TEXT,
    percent                INTEGER NOT NULL,
    rows_read              INTEGER NOT NULL,
    total_rows             INTEGER NOT NULL,
    created                INTEGER NOT NULL,
    duplicates_in_list     INTEGER NOT NULL,
    duplicates_in_campaign INTEGER NOT NULL,
    excluded               INTEGER NOT NULL,
    errors_count           INTEGER NOT NULL,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL, -- when something was last heard of it
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT upload_columns_is_json CHECK (json_valid(columns)),
    CONSTRAINT upload_status_is_known CHECK (status IN ('running', 'done', 'failed', 'cancelled'))
) STRICT;

INSERT INTO new_uploads
SELECT company_id, id, campaign_id, file_name,
    (
        SELECT json_group_array(name) FROM (
            SELECT value AS name FROM json_each(uploads.columns)
            UNION ALL
            SELECT '' FROM (
                WITH RECURSIVE further (place) AS (
                    SELECT json_array_length(uploads.columns) + 1
                    UNION ALL SELECT place + 1 FROM further
                    WHERE place < (
                        SELECT max(json_array_length(value, '$.original'))
                        FROM json_each(uploads.errors)
                    )
                )
                SELECT place FROM further WHERE place <= (
                    SELECT max(json_array_length(value, '$.original'))
                    FROM json_each(uploads.errors)
                )
            )
        )
    ),
    'done', NULL, 100, total_rows, total_rows, created, duplicates_in_list,
    duplicates_in_campaign, excluded, json_array_length(errors), created_at, created_at
FROM uploads;

-- The rows of an upload that were not taken.
CREATE TABLE upload_errors (
    company_id  BLOB    NOT NULL,
    upload_id   BLOB    NOT NULL,
    row_number  INTEGER NOT NULL, -- the row in the file; the header is row 1
    column_name TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    original    TEXT    NOT NULL, -- JSON: the whole row as it stands
    PRIMARY KEY (company_id, upload_id, row_number),
    FOREIGN KEY (company_id, upload_id) REFERENCES uploads (company_id, id) ON DELETE CASCADE,
    CONSTRAINT upload_error_original_is_json CHECK (json_valid(original))
) STRICT, WITHOUT ROWID;

CREATE TEMPORARY TABLE old_upload_errors AS
SELECT uploads.company_id, uploads.id, error.value ->> '$.row' AS row_number,
    error.value ->> '$.column' AS column_name, error.value ->> '$.value' AS value,
    error.value ->> '$.reason' AS reason, error.value -> '$.original' AS original
FROM uploads, json_each(uploads.errors) AS error;

DROP TABLE uploads;
ALTER TABLE new_uploads RENAME TO uploads;

INSERT OR IGNORE INTO upload_errors SELECT * FROM old_upload_errors;
DROP TABLE old_upload_errors;

CREATE INDEX uploads_by_creation ON uploads (company_id, campaign_id, created_at, id);
