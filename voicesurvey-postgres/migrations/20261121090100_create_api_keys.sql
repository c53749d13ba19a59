CREATE TABLE api_keys (
    company_id   uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    id           uuid NOT NULL,
    name         text NOT NULL,
    prefix       text NOT NULL,
    hash         bytea NOT NULL CHECK (octet_length(hash) = 32),
    role         text NOT NULL CHECK (role IN ('viewer', 'manager', 'admin')),
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (company_id, id)
);

COMMENT ON TABLE api_keys IS 'API keys, without their secrets.';
COMMENT ON COLUMN api_keys.hash IS 'SHA-256 of the secret.';
COMMENT ON COLUMN api_keys.prefix IS 'The first characters of the secret, to recognise the key in a list.';

-- The one unique key that does not begin with the company: a key is looked up before its company is
-- known. It tells companies nothing about each other, because nobody guesses 238 random bits.
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);
CREATE INDEX api_keys_by_creation ON api_keys (company_id, created_at, id);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON api_keys
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
