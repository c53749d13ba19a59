CREATE TABLE companies (
    company_id           uuid PRIMARY KEY,
    name                 text NOT NULL,
    time_zone            text NOT NULL,
    region               text NOT NULL,
    language             text NOT NULL,
    max_concurrent_calls bigint NOT NULL CHECK (max_concurrent_calls >= 0),
    calls_per_minute     bigint NOT NULL CHECK (calls_per_minute >= 0),
    created_at           timestamptz NOT NULL,
    version              bigint NOT NULL
);

COMMENT ON TABLE companies IS 'The tenants. Every other table belongs to one of them.';
COMMENT ON COLUMN companies.region IS 'Where phone numbers without a country code are read.';

CREATE INDEX companies_by_creation ON companies (created_at, company_id);

-- Apart from the description, because these rows change with every call and are locked by every
-- claim: they stay narrow, and half of each page is left free for their next versions.
CREATE TABLE company_queue (
    company_id           uuid PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    ready_at             timestamptz,
    in_flight            bigint NOT NULL,
    max_concurrent_calls bigint NOT NULL,
    calls_per_minute     bigint NOT NULL,
    arrival              timestamptz NOT NULL
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE company_queue IS 'The upper level of the ready list: whose turn it is, and for how many calls.';
COMMENT ON COLUMN company_queue.ready_at IS 'When a visit is worth while; null until something happens.';
COMMENT ON COLUMN company_queue.in_flight IS
    'Live attempts. No CHECK holds it under the limit: PostgreSQL checks the row that it computed '
    'before it reads a newer version, and would raise false alarms.';
COMMENT ON COLUMN company_queue.arrival IS 'The theoretical arrival time of the next call, which keeps the pace.';

CREATE INDEX company_queue_ready ON company_queue (ready_at, company_id) WHERE ready_at IS NOT NULL;

ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
ALTER TABLE companies FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON companies
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE company_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE company_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON company_queue
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
