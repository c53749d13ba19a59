CREATE TABLE provider_queue (
    provider              text PRIMARY KEY,
    in_flight             bigint NOT NULL,
    max_concurrent_calls  bigint NOT NULL,
    calls_per_minute      bigint NOT NULL,
    seconds_between_calls bigint NOT NULL,
    interval_microseconds bigint CHECK (interval_microseconds > 0),
    burst                 bigint NOT NULL CHECK (burst > 0),
    arrival               timestamptz NOT NULL
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE provider_queue IS
    'What all companies together may use of a provider account; an account without a row is not limited.';
COMMENT ON COLUMN provider_queue.in_flight IS 'Live attempts; see company_queue.in_flight.';
COMMENT ON COLUMN provider_queue.arrival IS 'The theoretical arrival time of the next call, which keeps the pace.';

-- Belongs to no company, and tells nothing of any: a call of any company that ends gives its line
-- back. Outside a unit of work nobody sees it.
ALTER TABLE provider_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY any_unit_of_work ON provider_queue
    USING ((SELECT current_setting('voicesurvey.scope', true)) IN ('company', 'platform'));
