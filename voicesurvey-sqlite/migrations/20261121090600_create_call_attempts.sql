-- One dial of a task. Committed before the provider is asked; while it is live it is the lease on
-- its task, holds a line, and blocks its number in the company.
CREATE TABLE call_attempts (
    company_id       BLOB    NOT NULL,
    id               BLOB    NOT NULL,
    campaign_id      BLOB    NOT NULL,
    task_id          BLOB    NOT NULL,
    attempt_number   INTEGER NOT NULL, -- 1, 2, 3 … within the task
    phone_number     TEXT    NOT NULL,
    provider         TEXT    NOT NULL,
    provider_call_id TEXT,
    state            TEXT    NOT NULL,
    dial_before      INTEGER NOT NULL, -- nobody starts dialing after this instant
    lease_until      INTEGER NOT NULL, -- a live attempt is recovered after this instant
    created_at       INTEGER NOT NULL,
    accepted_at      INTEGER,
    ringing_at       INTEGER,
    answered_at      INTEGER,
    ended_at         INTEGER,
    answered_by      TEXT,
    outcome          TEXT,
    raw_status       TEXT,
    error_code       TEXT,
    cost_amount      TEXT, -- decimal
    cost_currency    TEXT, -- ISO 4217
    version          INTEGER NOT NULL,
    PRIMARY KEY (company_id, id),
    CONSTRAINT attempt_number_is_once_in_task UNIQUE (company_id, task_id, attempt_number),
    FOREIGN KEY (company_id, task_id) REFERENCES call_tasks (company_id, id) ON DELETE CASCADE,
    CONSTRAINT attempts_are_numbered_from_one CHECK (attempt_number >= 1),
    CONSTRAINT attempt_state_is_known
        CHECK (state IN ('created', 'unknown', 'accepted', 'ringing', 'answered', 'ended')),
    CONSTRAINT only_accepted_attempt_has_accepted_at
        CHECK (accepted_at IS NULL OR state IN ('accepted', 'ringing', 'answered', 'ended')),
    CONSTRAINT only_ringing_attempt_has_ringing_at
        CHECK (ringing_at IS NULL OR state IN ('ringing', 'answered', 'ended')),
    CONSTRAINT only_answered_attempt_has_answered_at
        CHECK (answered_at IS NULL OR state IN ('answered', 'ended')),
    CONSTRAINT only_ended_attempt_has_ended_at CHECK (ended_at IS NULL OR state = 'ended'),
    CONSTRAINT cost_has_currency CHECK ((cost_amount IS NULL) = (cost_currency IS NULL))
) STRICT;

-- Never twice: one live attempt per number in a company, over all its campaigns.
CREATE UNIQUE INDEX call_attempts_one_live_per_number ON call_attempts (company_id, phone_number)
    WHERE state <> 'ended';
-- The leases, in the order in which they run out, over all companies.
CREATE INDEX call_attempts_leases ON call_attempts (lease_until, id) WHERE state <> 'ended';
CREATE INDEX call_attempts_by_creation ON call_attempts (company_id, created_at, id);
CREATE INDEX call_attempts_of_campaign ON call_attempts (company_id, campaign_id, created_at, id);
