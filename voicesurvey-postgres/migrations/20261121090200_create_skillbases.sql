CREATE TABLE skillbases (
    company_id           uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    id                   uuid NOT NULL,
    name                 text NOT NULL,
    language             text NOT NULL,
    voice                text,
    persona              jsonb NOT NULL,
    longest_call_seconds bigint NOT NULL CHECK (longest_call_seconds >= 0),
    closing              text,
    is_default           boolean NOT NULL,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    version              bigint NOT NULL,
    PRIMARY KEY (company_id, id)
);

COMMENT ON TABLE skillbases IS 'Who speaks in the name of a company, and how.';
COMMENT ON COLUMN skillbases.persona IS 'Role, style, rules and facts.';

CREATE UNIQUE INDEX skillbases_one_default_per_language ON skillbases (company_id, language)
    WHERE is_default;
CREATE INDEX skillbases_by_creation ON skillbases (company_id, created_at, id);

ALTER TABLE skillbases ENABLE ROW LEVEL SECURITY;
ALTER TABLE skillbases FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON skillbases
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
