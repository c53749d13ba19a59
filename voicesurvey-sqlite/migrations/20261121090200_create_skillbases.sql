-- Who speaks in the name of a company, and how.
CREATE TABLE skillbases (
    company_id           BLOB    NOT NULL REFERENCES companies (company_id),
    id                   BLOB    NOT NULL,
    name                 TEXT    NOT NULL,
    language             TEXT    NOT NULL,
    voice                TEXT,
    persona              TEXT    NOT NULL, -- JSON
    longest_call_seconds INTEGER NOT NULL,
    closing              TEXT,
    is_default           INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT skillbase_persona_is_json CHECK (json_valid(persona)),
    CONSTRAINT skillbase_is_default_is_boolean CHECK (is_default IN (0, 1))
) STRICT;

CREATE UNIQUE INDEX skillbases_one_default ON skillbases (company_id, language) WHERE is_default = 1;
