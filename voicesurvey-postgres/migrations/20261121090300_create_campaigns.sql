CREATE TABLE campaigns (
    company_id   uuid NOT NULL REFERENCES companies ON DELETE CASCADE,
    id           uuid NOT NULL,
    name         text NOT NULL,
    description  text NOT NULL,
    skillbase_id uuid NOT NULL,
    status       text NOT NULL CHECK (
        status IN ('draft', 'scheduled', 'running', 'paused', 'completed', 'cancelled')
    ),
    pause_reason text,
    settings     jsonb NOT NULL,
    snapshot     jsonb,
    starts_at    timestamptz,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    started_at   timestamptz,
    ended_at     timestamptz,
    version      bigint NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, skillbase_id) REFERENCES skillbases,
    CONSTRAINT final_has_end CHECK (status NOT IN ('completed', 'cancelled') OR ended_at IS NOT NULL),
    CONSTRAINT paused_has_reason CHECK ((status = 'paused') = (pause_reason IS NOT NULL))
);

COMMENT ON TABLE campaigns IS 'What is asked, of whom, when, how fast and how often.';
COMMENT ON COLUMN campaigns.skillbase_id IS 'Named in the settings too; here for the foreign key.';
COMMENT ON COLUMN campaigns.settings IS 'Survey, schedule, pacing and retries, as they are edited.';
COMMENT ON COLUMN campaigns.snapshot IS 'The settings and the skillbase as they were frozen at the first start.';
COMMENT ON COLUMN campaigns.starts_at IS 'The start in the settings that are in force, for finding campaigns whose time has come.';

-- For the platform, which knows no company: the claim reads every campaign it visits.
CREATE INDEX campaigns_by_id ON campaigns (id);
CREATE INDEX campaigns_by_creation ON campaigns (company_id, created_at, id);
CREATE INDEX campaigns_to_start ON campaigns (starts_at) WHERE status = 'scheduled';
CREATE INDEX campaigns_to_finish ON campaigns (company_id, id) WHERE status IN ('running', 'paused');

-- Apart from the description for the reason given at company_queue.
CREATE TABLE campaign_queue (
    company_id            uuid NOT NULL,
    campaign_id           uuid NOT NULL,
    running               boolean NOT NULL,
    ready_at              timestamptz,
    in_flight             bigint NOT NULL,
    max_concurrent_calls  bigint NOT NULL,
    calls_per_minute      bigint NOT NULL,
    seconds_between_calls bigint NOT NULL,
    arrival               timestamptz NOT NULL,
    PRIMARY KEY (company_id, campaign_id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE,
    CONSTRAINT only_running_is_ready CHECK (running OR ready_at IS NULL)
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE campaign_queue IS 'The lower level of the ready list: which campaign of a company is next.';
COMMENT ON COLUMN campaign_queue.running IS 'A campaign that does not run is never woken.';
COMMENT ON COLUMN campaign_queue.ready_at IS 'When a visit is worth while; null until something happens.';
COMMENT ON COLUMN campaign_queue.in_flight IS 'Live attempts; see company_queue.in_flight.';
COMMENT ON COLUMN campaign_queue.arrival IS 'The theoretical arrival time of the next call, which keeps the pace.';

CREATE INDEX campaign_queue_ready ON campaign_queue (company_id, ready_at, campaign_id)
    WHERE ready_at IS NOT NULL;

CREATE TABLE campaign_counters (
    company_id  uuid NOT NULL,
    campaign_id uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('attempt', 'outcome', 'reason', 'task')),
    name        text NOT NULL,
    count       bigint NOT NULL,
    PRIMARY KEY (company_id, campaign_id, kind, name),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns ON DELETE CASCADE
) WITH (
    fillfactor = 50,
    autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_cost_delay = 0
);

COMMENT ON TABLE campaign_counters IS
    'What the rows of a campaign add up to, kept in the transactions that change them, so that no screen counts a large table.';
COMMENT ON COLUMN campaign_counters.kind IS
    'What is counted: tasks by status, tasks by reason, attempts by state, attempts by outcome.';

ALTER TABLE campaigns ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaigns FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON campaigns
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE campaign_queue ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_queue FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON campaign_queue
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );

ALTER TABLE campaign_counters ENABLE ROW LEVEL SECURITY;
ALTER TABLE campaign_counters FORCE ROW LEVEL SECURITY;
CREATE POLICY company_isolation ON campaign_counters
    USING (
        company_id = (SELECT NULLIF(current_setting('voicesurvey.company_id', true), '')::uuid)
        OR (SELECT current_setting('voicesurvey.scope', true)) = 'platform'
    );
