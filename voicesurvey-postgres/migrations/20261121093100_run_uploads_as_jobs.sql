-- Uploads that can be watched while they run, and the rows that were not taken in a table of their
-- own: a list of a million wrong rows is no document.

-- Rows of other companies are hidden without it.
SELECT set_config('voicesurvey.scope', 'platform', true);

ALTER TABLE uploads
    ADD COLUMN status text NOT NULL DEFAULT 'done'
        CHECK (status IN ('running', 'done', 'failed', 'cancelled')),
    ADD COLUMN failure text,
    ADD COLUMN percent smallint NOT NULL DEFAULT 100,
    ADD COLUMN rows_read bigint,
    ADD COLUMN errors_count bigint,
    ADD COLUMN updated_at timestamptz;

UPDATE uploads
SET rows_read = total_rows,
    errors_count = jsonb_array_length(errors),
    updated_at = created_at,
    -- As long as the longest row that was not taken, for the error file.
    columns = columns || array_fill(''::text, ARRAY[GREATEST(0, (
        SELECT COALESCE(max(jsonb_array_length(error -> 'original')), 0)
        FROM jsonb_array_elements(errors) AS error
    ) - cardinality(columns))]);

ALTER TABLE uploads
    ALTER COLUMN status DROP DEFAULT,
    ALTER COLUMN percent DROP DEFAULT,
    ALTER COLUMN rows_read SET NOT NULL,
    ALTER COLUMN errors_count SET NOT NULL,
    ALTER COLUMN updated_at SET NOT NULL;

COMMENT ON COLUMN uploads.columns IS
    'The header of the file, for the error file; as long as the longest row that was not taken.';
COMMENT ON COLUMN uploads.rows_read IS 'Rows that were looked at; of an upload that runs, as it said last.';
COMMENT ON COLUMN uploads.updated_at IS
    'When something was last heard of it. One that is silent for long while it runs has lost its server.';

CREATE TABLE upload_errors (
    company_id  uuid NOT NULL,
    upload_id   uuid NOT NULL,
    row_number  bigint NOT NULL,
    column_name text NOT NULL,
    value       text NOT NULL,
    reason      text NOT NULL,
    original    jsonb NOT NULL,
    PRIMARY KEY (company_id, upload_id, row_number),
    FOREIGN KEY (company_id, upload_id) REFERENCES uploads ON DELETE CASCADE
);

COMMENT ON TABLE upload_errors IS 'The rows of uploads that were not taken.';
COMMENT ON COLUMN upload_errors.row_number IS 'The row in the file; the header is row 1.';
COMMENT ON COLUMN upload_errors.original IS 'The whole row as it stands, for the error file.';

INSERT INTO upload_errors (company_id, upload_id, row_number, column_name, value, reason, original)
SELECT company_id, id, (error ->> 'row')::bigint, error ->> 'column', error ->> 'value',
    error ->> 'reason', error -> 'original'
FROM uploads CROSS JOIN LATERAL jsonb_array_elements(errors) AS error
ON CONFLICT DO NOTHING;

ALTER TABLE uploads DROP COLUMN errors;

ALTER TABLE upload_errors ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_errors FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON upload_errors
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

-- Lists of uploads, newest first.
CREATE INDEX uploads_by_creation ON uploads (company_id, campaign_id, created_at, id);
DROP INDEX uploads_of_campaign;
