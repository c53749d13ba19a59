CREATE TABLE erasures (
    company_id   uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    id           uuid NOT NULL,
    reason       text NOT NULL,
    requested_by uuid NOT NULL,
    erased       jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (company_id, id)
);

COMMENT ON TABLE erasures IS
    'That a person was erased: when, why, with which key and how many rows of each kind. It does not say who.';

CREATE TABLE erased_numbers (
    company_id  uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    number_hash bytea NOT NULL CHECK (octet_length(number_hash) = 32),
    erasure_id  uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (company_id, number_hash)
);

COMMENT ON TABLE erased_numbers IS
    'What remains of erased numbers, which must not be called: their HMAC with a key of the configuration.';

CREATE TABLE erasure_keys (
    company_id uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    key_id     bytea NOT NULL CHECK (octet_length(key_id) = 8),
    PRIMARY KEY (company_id, key_id)
);

COMMENT ON TABLE erasure_keys IS
    'The names of the keys with which a company has erased numbers: a server that lacks one cannot tell who is excluded.';

ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON erasures
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE erased_numbers ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_numbers FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON erased_numbers
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE erasure_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON erasure_keys
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
