CREATE TABLE company_retention (
    company_id uuid NOT NULL PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    retention  jsonb NOT NULL
);

COMMENT ON TABLE company_retention IS
    'For how many days a company keeps what it knows about people. A company without a row keeps everything.';

ALTER TABLE company_retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_retention FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON company_retention
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
