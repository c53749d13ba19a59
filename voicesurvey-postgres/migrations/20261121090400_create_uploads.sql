CREATE TABLE uploads (
    company_id              uuid NOT NULL,
    id                      uuid NOT NULL,
    campaign_id             uuid NOT NULL,
    file_name               text NOT NULL,
    columns                 text[] NOT NULL,
    total_rows              bigint NOT NULL,
    created                 bigint NOT NULL,
    duplicates_in_list      bigint NOT NULL,
    duplicates_in_campaign  bigint NOT NULL,
    excluded                bigint NOT NULL,
    errors                  jsonb NOT NULL,
    created_at              timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE
);

COMMENT ON TABLE uploads IS 'What became of each upload of a call list.';
COMMENT ON COLUMN uploads.columns IS 'The header of the file, for the error file.';
COMMENT ON COLUMN uploads.errors IS 'The rows that were not taken, in the order of the file.';

CREATE INDEX uploads_of_campaign ON uploads (company_id, campaign_id);

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON uploads
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
