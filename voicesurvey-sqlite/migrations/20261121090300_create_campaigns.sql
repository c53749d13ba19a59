-- What is asked, of whom, when, how fast and how often.
CREATE TABLE campaigns (
    company_id   BLOB    NOT NULL REFERENCES companies (company_id),
    id           BLOB    NOT NULL,
    name         TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    pause_reason TEXT,
    skillbase_id BLOB    NOT NULL, -- copied from settings, so that the skillbase cannot be deleted
    starts_at    INTEGER,          -- copied from settings, so that the scheduler finds it
    settings     TEXT    NOT NULL, -- JSON
    snapshot     TEXT,             -- JSON: what was frozen at the first start
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    started_at   INTEGER,
    ended_at     INTEGER,
    version      INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, skillbase_id) REFERENCES skillbases (company_id, id),
    CONSTRAINT campaign_status_is_known
        CHECK (status IN ('draft', 'scheduled', 'running', 'paused', 'completed', 'cancelled')),
    CONSTRAINT paused_campaign_has_reason CHECK ((status = 'paused') = (pause_reason IS NOT NULL)),
    CONSTRAINT campaign_settings_is_json CHECK (json_valid(settings)),
    CONSTRAINT campaign_snapshot_is_json CHECK (snapshot IS NULL OR json_valid(snapshot))
) STRICT;

CREATE INDEX campaigns_by_creation ON campaigns (company_id, created_at, id);
CREATE INDEX campaigns_by_skillbase ON campaigns (company_id, skillbase_id);
CREATE INDEX campaigns_scheduled ON campaigns (starts_at) WHERE status = 'scheduled';
CREATE INDEX campaigns_open ON campaigns (company_id, id) WHERE status IN ('running', 'paused');

-- The moving part of a campaign: its place in the ready list, its lines in use and its pace.
CREATE TABLE campaign_queue (
    company_id            BLOB    NOT NULL,
    campaign_id           BLOB    NOT NULL,
    running               INTEGER NOT NULL,
    ready_at              INTEGER,          -- when a visit is worth while; absent until something wakes it
    in_flight             INTEGER NOT NULL, -- live attempts
    max_concurrent_calls  INTEGER NOT NULL,
    calls_per_minute      INTEGER NOT NULL,
    seconds_between_calls INTEGER NOT NULL,
    arrival               INTEGER NOT NULL, -- theoretical arrival time of the pace
    PRIMARY KEY (company_id, campaign_id),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT campaign_running_is_boolean CHECK (running IN (0, 1)),
    CONSTRAINT only_running_campaign_is_ready CHECK (running = 1 OR ready_at IS NULL),
    CONSTRAINT campaign_in_flight_is_a_count CHECK (in_flight >= 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_queue_ready ON campaign_queue (company_id, ready_at, campaign_id)
    WHERE ready_at IS NOT NULL;

-- What the tasks and attempts of a campaign add up to, kept with every write that changes it.
CREATE TABLE campaign_counters (
    company_id  BLOB    NOT NULL,
    campaign_id BLOB    NOT NULL,
    kind        TEXT    NOT NULL, -- what is counted: tasks by status or reason, attempts by state or outcome
    name        TEXT    NOT NULL, -- of the status, reason, state or outcome
    count       INTEGER NOT NULL,
    PRIMARY KEY (company_id, campaign_id, kind, name),
    FOREIGN KEY (company_id, campaign_id) REFERENCES campaigns (company_id, id) ON DELETE CASCADE,
    CONSTRAINT counter_kind_is_known CHECK (kind IN ('task', 'reason', 'attempt', 'outcome')),
    CONSTRAINT counter_is_never_negative CHECK (count >= 0)
) STRICT, WITHOUT ROWID;
