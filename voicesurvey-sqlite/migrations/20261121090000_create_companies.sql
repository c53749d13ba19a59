-- What every table of this schema keeps to:
--   identifiers are UUIDs as 16 bytes; instants are microseconds since 1970 in UTC;
--   documents are JSON text; decimals are text; booleans are 0 or 1;
--   primary keys, unique constraints and foreign keys begin with company_id.

-- Marks the file as ours, so that the store never migrates another program's database ("VSur").
PRAGMA application_id = 1448310130;

-- The tenants.
CREATE TABLE companies (
    company_id           BLOB    NOT NULL PRIMARY KEY,
    name                 TEXT    NOT NULL,
    time_zone            TEXT    NOT NULL, -- IANA name
    region               TEXT    NOT NULL, -- ISO 3166-1 alpha-2: how numbers without country code are read
    language             TEXT    NOT NULL, -- ISO 639-1
    max_concurrent_calls INTEGER NOT NULL,
    calls_per_minute     INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    version              INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX companies_by_creation ON companies (created_at, company_id);

-- The moving part of a company: its place in the ready list, its lines in use and its pace.
CREATE TABLE company_queue (
    company_id           BLOB    NOT NULL PRIMARY KEY
                         REFERENCES companies (company_id) ON DELETE CASCADE,
    ready_at             INTEGER,          -- when a visit is worth while; absent until something wakes it
    in_flight            INTEGER NOT NULL, -- live attempts
    max_concurrent_calls INTEGER NOT NULL,
    calls_per_minute     INTEGER NOT NULL,
    arrival              INTEGER NOT NULL, -- theoretical arrival time of the pace
    CONSTRAINT company_in_flight_is_a_count CHECK (in_flight >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX company_queue_ready ON company_queue (ready_at, company_id) WHERE ready_at IS NOT NULL;
