CREATE TABLE exclusions (
    company_id   uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    phone_number text NOT NULL,
    source       text NOT NULL CHECK (source IN ('spoken', 'api', 'import', 'staff')),
    attempt_id   uuid,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (company_id, phone_number)
);

COMMENT ON TABLE exclusions IS 'Numbers that a company must not call again, in any campaign.';
COMMENT ON COLUMN exclusions.attempt_id IS
    'The call in which the person asked for it. Not a foreign key: the exclusion outlives its campaign.';

ALTER TABLE exclusions ENABLE ROW LEVEL SECURITY;
ALTER TABLE exclusions FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON exclusions
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
