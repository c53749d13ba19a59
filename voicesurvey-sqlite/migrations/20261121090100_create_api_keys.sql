-- API keys, without their secrets.
CREATE TABLE api_keys (
    company_id   BLOB    NOT NULL REFERENCES companies (company_id),
    id           BLOB    NOT NULL,
    name         TEXT    NOT NULL,
    prefix       TEXT    NOT NULL, -- the secret's first characters, shown in lists
    hash         BLOB    NOT NULL, -- SHA-256 of the secret
    role         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER,
    PRIMARY KEY (company_id, id),
    CONSTRAINT api_key_hash_is_sha256 CHECK (length(hash) = 32),
    CONSTRAINT api_key_role_is_known CHECK (role IN ('viewer', 'manager', 'admin'))
) STRICT, WITHOUT ROWID;

-- The one key that does not begin with the company: a hash is looked up before the company is known.
CREATE UNIQUE INDEX api_keys_by_hash ON api_keys (hash);
