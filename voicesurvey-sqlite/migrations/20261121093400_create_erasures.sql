-- That a person was erased: when, why, with which key and how many rows of each kind. It does not say
-- who.
CREATE TABLE erasures (
    company_id   BLOB    NOT NULL REFERENCES companies (company_id),
    id           BLOB    NOT NULL,
    reason       TEXT    NOT NULL,
    requested_by BLOB    NOT NULL,
    erased       TEXT    NOT NULL, -- JSON
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT erased_is_json CHECK (json_valid(erased))
) STRICT, WITHOUT ROWID;

-- What remains of erased numbers, which must not be called: their HMAC with a key of the configuration.
CREATE TABLE erased_numbers (
    company_id  BLOB    NOT NULL REFERENCES companies (company_id),
    number_hash BLOB    NOT NULL,
    erasure_id  BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (company_id, number_hash),
    CONSTRAINT number_hash_is_whole CHECK (length(number_hash) = 32)
) STRICT, WITHOUT ROWID;

-- The names of the keys with which a company has erased numbers: a server that lacks one cannot tell
-- who is excluded.
CREATE TABLE erasure_keys (
    company_id BLOB NOT NULL REFERENCES companies (company_id),
    key_id     BLOB NOT NULL,
    PRIMARY KEY (company_id, key_id)
) STRICT, WITHOUT ROWID;
